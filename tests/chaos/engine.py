"""A job run without Spark: the real claim, framing, parsing, curation and publishing; only the rows are simple."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chaos.baton import Crash
from chaos.doors import DoorObjects
from chaos.formats import Row, row_of, source_of, text_of
from chaos.oracle import POISON, REJECT_ME
from fakes import a_report
from gluebook.contracts import Contract
from gluebook.contracts.reasons import Reason
from gluebook.core.model import Batch, Counts, FileVersion
from gluebook.core.plan import PublishedFile, copy_manifest
from gluebook.core.sql.load import reference_columns
from gluebook.core.sql.quality import DQ_COLUMNS
from gluebook.job.claim import Claimant
from gluebook.job.context import JobContext
from gluebook.job.counting import Checked, FileKey, Written
from gluebook.job.curate import Curation, next_batch
from gluebook.quality.report import GateReport
from gluebook.sources.framing import BadFile, Framer
from gluebook.sources.reading import parsed

_PROVENANCE = ("_source_file", "_source_version", "_source_record")


@dataclass(frozen=True)
class Run:
    """One job run. `fixed`: whether the suite accepts rows that it rejected before."""

    context: JobContext
    objects: DoorObjects
    who: Claimant
    contract: Contract
    fixed: Callable[[], bool]

    def __call__(self) -> str | None:
        """Run; returns the id of the processed batch, if there was one."""
        batch = next_batch(self.context, self.who)
        if batch is None:
            return None
        curation = Curation(self.context, self.contract, batch)
        curation.check(self._check(curation))
        # In a real job a thread renews the lease.
        self.context.ledger.lease(batch, int(self.context.clock().timestamp()) + self.who.lease_seconds)
        kept, rejects = self._transformed(curation)
        written = self._write(curation, kept, rejects)
        curation.finish(written, lambda counts: self._gate(curation.batch, kept, counts))
        return batch.batch_id

    def _check(self, curation: Curation) -> dict[int, Checked]:
        objects, bucket, of = self.objects, self.context.lake.bucket, source_of(self.contract.name)
        checked, inbox = {}, []
        for index, file in enumerate(curation.files):
            body = objects.open_version(file.bucket, file.key, file.version_id).read()
            framer = Framer(io.BytesIO(body), of.layout)
            try:
                found = list(parsed(framer, of))
            except BadFile as bad:
                checked[index] = Checked(index, framer.records, framer.header, bad.reason)
                continue
            checked[index] = Checked(index, framer.records, framer.header)
            inbox += [[index, *record] for record in found]
        self.objects.put(bucket, f"{curation.inbox}00000.parquet", _lines(inbox))
        return checked

    def _transformed(self, curation: Curation) -> tuple[list[Row], list[Row]]:
        """Valid rows with `_copy`, and rejects."""
        dataset = self.contract.name
        records = self._read(curation.inbox)
        if any(text_of(dataset, fields) == POISON for *_, problem, fields in records if problem is None):
            raise Crash("poison")
        files = {index: file for index, file, _ in curation.readable(source_of(dataset).name)}
        valid: list[Row] = []
        rejects: list[Row] = []
        for index, number, raw, problem, fields in records:
            if index not in files:
                continue
            row = _about(files[index], number, curation.batch.batch_id)
            if problem is None:
                valid.append({**row, **row_of(dataset, raw, fields), "_text": text_of(dataset, fields)})
            else:
                rejects.append({**row, "_problem": problem})
        return _with_copies(valid, self.contract), rejects

    def _write(self, curation: Curation, kept: list[Row], rejects: list[Row]) -> Written:
        names = self.contract.names
        curated = [row for row in kept if row["_copy"] == 1]
        for dt in sorted({row["dt"] for row in curated}):
            rows = [[row.get(name) for name in names] for row in curated if row["dt"] == dt]
            self._put(f"{curation.data_prefix}dt={dt}/part-00000.parquet", rows)
        aside = [[row[name] for name in _PROVENANCE] for row in rejects]
        self._put(f"{curation.rejects_prefix}part-00000.parquet", aside)
        at = [names.index(name) for name in _PROVENANCE]
        return Written(
            curated=_per_file([row[place] for place in at] for row in self._read(curation.data_prefix)),
            duplicates=_per_file([row[n] for n in _PROVENANCE] for row in kept if row["_copy"] > 1),
            rejects={
                key: {Reason.MALFORMED: count}
                for key, count in _per_file(self._read(curation.rejects_prefix)).items()
            },
            row_references=self._write_row_references(curation, kept) if self.contract.append else 0,
        )

    def _write_row_references(self, curation: Curation, kept: list[Row]) -> int:
        key, columns = self.contract.key, [column.name for column in reference_columns(self.contract)]
        rows: list[Row] = [
            {"_source_file": f.key, "_source_version": f.version_id, "version_order": f.order}
            for f in curation.usable
        ]
        holders: dict[tuple[Any, ...], list[Row]] = {}
        for row in kept:
            place = (*(row[name] for name in key), row["_source_file"], row["_source_version"])
            holders.setdefault(place, []).append(row)
        for held in holders.values():
            if min(row["_copy"] for row in held) > 1:
                first = min(held, key=lambda row: row["_source_record"])
                rows.append({name: first[name] for name in columns if name in first})
        self._put(
            f"{curation.row_references_prefix}part-00000.parquet",
            [[row.get(name) for name in columns] for row in rows],
        )
        return len(self._read(curation.row_references_prefix))

    def _gate(self, batch: Batch, kept: list[Row], counts: Counts) -> GateReport:
        bad = [row for row in kept if row["_copy"] == 1 and row["_text"].startswith(REJECT_ME)]
        failed = bool(bad) and not self.fixed()
        report = replace(
            a_report(*(["_text"] if failed else []), outcomes=1),
            dataset=batch.dataset,
            batch_id=batch.batch_id,
            generation=batch.generation,
            counts=counts,
        )
        self._keep(report, batch.epoch)
        return report

    def _keep(self, report: GateReport, epoch: int) -> None:
        lake, at = self.context.lake, (report.dataset, report.batch_id, epoch)
        [outcome] = report.rows_for_warehouse()
        row = [
            value.isoformat() if isinstance(value, datetime) else value
            for value in (outcome[column.name] for column in DQ_COLUMNS)
        ]
        self._put(lake.quality_rows(*at), [row])
        file = PublishedFile("", lake.quality_rows(*at), len(_lines([row])))
        self.objects.put_json(lake.bucket, lake.quality_manifest(*at), copy_manifest([file], lake))

    def _put(self, key: str, rows: list[list[Any]]) -> None:
        self.objects.put(self.context.lake.bucket, key, _lines(rows))

    def _read(self, prefix: str) -> list[list[Any]]:
        bucket, objects = self.context.lake.bucket, self.objects
        rows = []
        for key in objects.sizes(bucket, prefix):
            rows += read_rows(objects.body(bucket, key) or b"")
        return rows


def read_rows(body: bytes) -> list[list[Any]]:
    """The rows of a file that replaces Parquet here: one JSON list on each line, by position."""
    return [json.loads(line) for line in body.decode().splitlines()]


def _lines(rows: Iterable[list[Any]]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def _about(file: FileVersion, number: int, batch_id: str) -> Row:
    return {
        "_source_file": file.key,
        "_source_version": file.version_id,
        "_source_record": number,
        "_batch_id": batch_id,
        "dt": file.dt,
        "source": file.source,
    }


def _with_copies(rows: list[Row], contract: Contract) -> list[Row]:
    identity = contract.key if contract.append else (*contract.key, "_row_hash")
    seen: Counter[tuple[Any, ...]] = Counter()
    marked = []
    for row in sorted(rows, key=lambda row: tuple(row[name] for name in _PROVENANCE)):
        key = tuple(row[name] for name in identity)
        seen[key] += 1
        marked.append({**row, "_copy": seen[key]})
    return marked


def _per_file(rows: Iterable[list[Any]]) -> dict[FileKey, int]:
    return dict(Counter((row[0], row[1]) for row in rows))
