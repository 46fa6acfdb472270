"""What `aws cloudformation package` makes of the template and the artefacts that were built."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from build_kit import check_out_again, checkout
from gluebook.deployment.build import build
from infra.players_kit import Aws, aws  # noqa: F401


def package(aws: Aws, root: Path) -> str:  # noqa: F811
    """The packaged template."""
    output = root / "packaged.yaml"
    command = [sys.executable, "-m", "awscli", "cloudformation", "package", "--template-file"]
    command += [str(root / "infra" / "pipeline.yaml"), "--s3-bucket", "artefacts"]
    done = subprocess.run(
        [*command, "--output-template-file", str(output)],
        env={**os.environ, **aws.endpoint.environment(), "AWS_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return output.read_text(encoding="utf-8")


def test_unchanged_sources_from_another_clone_change_nothing_in_the_stack(
    aws: Aws,  # noqa: F811
    tmp_path: Path,
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="artefacts")
    root = checkout(tmp_path)
    build(root)
    packaged = package(aws, root)
    uploaded = {one["Key"] for one in s3.list_objects_v2(Bucket="artefacts")["Contents"]}
    check_out_again(root, 1_900_000_000)
    build(root)
    assert package(aws, root) == packaged
    assert {one["Key"] for one in s3.list_objects_v2(Bucket="artefacts")["Contents"]} == uploaded
    assert packaged.count("S3Key") + packaged.count("ScriptLocation") == len(uploaded)
