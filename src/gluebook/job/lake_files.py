"""Read and write the lake's Parquet with Spark.

In AWS Glue, Spark reads and writes s3:// itself. PySpark on a laptop has no file system for it, so objects are staged
in a local folder. Only this module knows the difference.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from gluebook.aws.objects import Objects
from gluebook.aws.parallel import in_parallel
from gluebook.aws.ports import FilesPort
from gluebook.job.runtime import has_s3_file_system

_TRANSFERS = 8


@dataclass(frozen=True)
class LakeFolder:
    """A prefix that tasks write to with their own means; on a laptop a local folder stands for it."""

    bucket: str
    prefix: str
    local: str | None

    @contextmanager
    def new_file(self, name: str) -> Iterator[Path]:
        """A path to write to. If the block ends well, that is the object `name`, in the place of an earlier one."""
        if self.local is not None:
            Path(self.local).mkdir(parents=True, exist_ok=True)
        # In the same folder, so that the file only gets its name in the end. Spark reads nothing behind a dot.
        with tempfile.TemporaryDirectory(prefix=".gluebook-", dir=self.local) as temporary:
            path = Path(temporary) / name
            yield path
            if self.local is None:
                Objects().upload(path, self.bucket, f"{self.prefix}{name}")
            else:
                path.replace(Path(self.local) / name)


class LakeFiles:
    """Reads and writes Parquet below prefixes of one bucket."""

    def __init__(self, spark: SparkSession, objects: FilesPort, bucket: str) -> None:
        self.spark = spark
        self._objects = objects
        self._bucket = bucket
        self._local = None if has_s3_file_system(spark) else Path(tempfile.mkdtemp(prefix="gluebook-lake-"))

    def write(self, df: DataFrame, prefix: str, *, partition_by: str | None = None) -> None:
        """Write `df` below `prefix`, which must be empty."""
        target = self._path(prefix, "out")
        writer = df.write.mode("overwrite")
        if partition_by:
            writer = writer.partitionBy(partition_by)
        writer.parquet(str(target))
        if isinstance(target, Path):
            files = [path for path in target.rglob("*.parquet") if path.is_file()]
            in_parallel(
                lambda path: self._objects.upload(
                    path, self._bucket, f"{prefix}{path.relative_to(target).as_posix()}"
                ),
                files,
                _TRANSFERS,
            )
            shutil.rmtree(target)

    def keep(self, df: DataFrame, prefix: str) -> DataFrame:
        """What `df` is, computed once and written: below `prefix`, or into the local folder until `close`."""
        df.write.parquet(str(self._path(prefix, "kept")))
        return self.stored(prefix, df.schema)

    def folder(self, prefix: str) -> LakeFolder:
        """Where tasks may write what `stored` reads."""
        local = self._path(prefix, "kept") if self._local else None
        return LakeFolder(self._bucket, prefix, str(local) if local else None)

    def stored(self, prefix: str, schema: StructType) -> DataFrame:
        """What was kept below `prefix`, or written into its `folder`."""
        found: DataFrame = self.spark.read.schema(schema).parquet(str(self._path(prefix, "kept")))
        return found

    def read(self, prefix: str, schema: str | StructType | None = None) -> DataFrame:
        """All rows below `prefix`; partition columns stay text. With `schema` (DDL) the prefix may be empty."""
        source = self._path(prefix, "in")
        if isinstance(source, Path):
            self._fetch(prefix, source)
        reader = self.spark.read.option("inferSchema", "false")
        if schema:
            return reader.schema(schema).parquet(str(source))
        return reader.parquet(str(source))

    def _fetch(self, prefix: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        keys = [key for key in self._objects.sizes(self._bucket, prefix) if key.endswith(".parquet")]
        for key in keys:
            (folder / key.removeprefix(prefix)).parent.mkdir(parents=True, exist_ok=True)
        in_parallel(
            lambda key: self._objects.download(self._bucket, key, folder / key.removeprefix(prefix)),
            keys,
            _TRANSFERS,
        )

    def _path(self, prefix: str, way: str) -> Path | str:
        if self._local is None:
            return f"s3://{self._bucket}/{prefix}"
        return self._local / way / prefix

    def close(self) -> None:
        """Remove the local folder, if there is one."""
        if self._local is not None:
            shutil.rmtree(self._local, ignore_errors=True)
