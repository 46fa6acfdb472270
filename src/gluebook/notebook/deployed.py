"""Arguments of deployed jobs, for notebooks that run outside of AWS Glue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.notebook.parameters import Parameter

# Outputs of the stack that reports need, by parameter; jobs don't have those of the warehouse.
REPORT_OUTPUTS = {
    "lake_bucket": "LakeBucket",
    "ledger_table": "LedgerTable",
    "workgroup": "Workgroup",
    "warehouse_database": "WarehouseDatabase",
}


def job_defaults(glue: Any, job: str) -> dict[str, str]:
    """The default arguments of a deployed job, by parameter; without Glue's own, which contain dashes.

    `glue`: a boto3 client. Raises ClientError if Glue doesn't know the job.
    """
    arguments: dict[str, str] = glue.get_job(JobName=job)["Job"].get("DefaultArguments", {})
    named = {flag.removeprefix("--"): value for flag, value in arguments.items()}
    return {name: value for name, value in named.items() if "-" not in name}


def notebook_defaults(glue: Any, outputs: Mapping[str, str], dataset: str) -> dict[str, str]:
    """The arguments of the deployed job of `dataset`; without such a job, those that all jobs and reports share.

    `outputs`: the stack's. Raises ClientError.
    """
    wanted = [JOB_OUTPUTS[dataset]] if dataset in JOB_OUTPUTS else list(JOB_OUTPUTS.values())
    first, *others = (job_defaults(glue, outputs[name]) for name in wanted)
    alike = {name: value for name, value in first.items() if all(o.get(name) == value for o in others)}
    return {**report_defaults(outputs), **alike}


def report_defaults(outputs: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a report, from the outputs of a stack."""
    return {name: outputs[output] for name, output in REPORT_OUTPUTS.items() if output in outputs}


def filled(
    parameters: Sequence[Parameter], values: Mapping[str, Any], given: Mapping[str, str]
) -> dict[str, str]:
    """The arguments of the deployed job for parameters whose value is the empty string."""
    empty = (parameter.name for parameter in parameters if values.get(parameter.name) == "")
    return {name: given[name] for name in empty if given.get(name)}
