"""Glue: what Spark requests of S3 while a job's own code writes and reads a path, under the template's grants."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gluebook.core.keys import Lake
from gluebook.deployment.build import build, project_root
from template_kit import planned, properties, template
from verify_aws.glue import run_job
from verify_aws.kit import Statement, allow
from verify_aws.requests import record
from verify_aws.stack import Deployed

_DATASET = "support_tickets"
_ROLE = "SupportTicketsJobRole"
# What a job does with the rows of a batch: LakeFiles is the only place where Spark meets S3.
_SCRIPT = """
import sys
from awsglue.utils import getResolvedOptions
from gluebook.aws.objects import Objects
from gluebook.job.lake_files import LakeFiles
from gluebook.job.runtime import spark_session

options = getResolvedOptions(sys.argv, ["bucket", "folder"])
bucket, folder = options["bucket"], options["folder"]
objects = Objects()
files = LakeFiles(spark_session(), objects, bucket)
rows = spark_session().range(8).selectExpr("id", "concat('2026-01-0', id % 2 + 1) as dt")
files.write(rows, folder + "data/", partition_by="dt")
found = files.read(folder + "data/", "id bigint, dt string").count()
files.close()
objects.put_text(bucket, folder + "rows.txt", f"{found} rows", "text/plain")
"""


def probes(deployed: Deployed) -> Iterator[tuple[str, str]]:
    """(probe, answer)"""
    place = deployed.place
    bucket = place.bucket("spark")
    recorder = record(place, bucket)
    role = place.service_role(
        "spark", {"Service": "glue.amazonaws.com"}, *job_grants(bucket, deployed.bucket), _LOGS
    )
    package = build(project_root()).package
    uri = deployed.put(f"package/{package.name}", package.read_bytes())
    folder = Lake(bucket).staging(f"{_DATASET}-20260105-probe", 1)
    ended = run_job(
        deployed, _job(deployed, role), {"--extra-py-files": uri, "--bucket": bucket, "--folder": folder}
    )
    answer = f"{folder}rows.txt"
    found = ended if ended != "SUCCEEDED" else place.text(bucket, answer)
    yield "glue: Spark writes and reads a path with the template's grants", found
    made = recorder.made_by(role.rpartition("/")[2], answer)
    yield "glue: the S3 actions that this takes", ", ".join(sorted(made.actions))
    yield "glue: the S3 requests that are refused meanwhile", ", ".join(sorted(made.refused)) or "none"


_LOGS = allow(
    ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "arn:aws:logs:*:*:log-group:/aws-glue/*",
)


def job_grants(lake: str, artefacts: str) -> list[Statement]:
    """What infra/pipeline.yaml lets a job do with its lake bucket and its artefacts, for buckets of these names."""
    made = planned(template(), ArtefactBucket=artefacts)
    [policy] = properties(made, _ROLE)["Policies"]
    text = json.dumps(policy["PolicyDocument"]["Statement"]).replace(
        "arn:aws:s3:::lake", f"arn:aws:s3:::{lake}"
    )
    statements: list[Statement] = json.loads(text)
    mine = tuple(f"arn:aws:s3:::{bucket}" for bucket in (lake, artefacts))
    return [one for one in statements if any(bucket in json.dumps(one["Resource"]) for bucket in mine)]


def _job(deployed: Deployed, role: str) -> str:
    place, name = deployed.place, f"{deployed.place.name}-spark"
    glue, script = place.client("glue"), deployed.put("spark.py", _SCRIPT.encode())
    # Glue looks whether it may assume the role, which it may a while after the role is made.
    place.eventually(
        lambda: glue.create_job(
            Name=name,
            Role=role,
            GlueVersion="5.1",
            WorkerType="G.1X",
            NumberOfWorkers=2,
            Timeout=10,
            MaxRetries=0,
            ExecutionProperty={"MaxConcurrentRuns": 1},
            Command={"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": script},
            DefaultArguments={"--job-language": "python"},
        )
    )
    place.later(lambda: glue.delete_job(JobName=name))
    return name
