"""docs/add-a-dataset.md, followed to the letter, comes to what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.roles_kit import deploy
from localaws.stack import LocalAws
from notebook_kit import cells, write
from notebooks.walkthrough import ROOT, Copy, expected, steps

PAGE = (ROOT / "docs" / "add-a-dataset.md").read_text(encoding="utf-8")
DATASET = "web_requests"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The project once the page has been followed."""
    made = Copy(tmp_path_factory.mktemp("copy"))
    for step in steps(PAGE):
        made.do(step)
        if step.where.endswith(".ipynb"):
            write(made.folder / step.where, *cells(step.text))
    return made


def test_a_dataset_is_a_contract_two_notebooks_and_a_source(copy: Copy) -> None:
    by_hand = {step.where for step in steps(PAGE) if step.kind != "run"}
    written = {
        "expectations/web_requests.batch.json",
        "expectations/web_requests.json",
        "glue/web_requests.py",
        "infra/pipeline.yaml",
        "src/gluebook/sources/web_requests/__init__.py",
    }
    assert len(by_hand) == 5
    assert copy.changes() == sorted(by_hand | written)


def test_the_template_only_gains_lines_but_for_lists_in_one_text(copy: Copy) -> None:
    before, after = (
        (root / "infra" / "pipeline.yaml").read_text(encoding="utf-8").splitlines()
        for root in (ROOT, copy.folder)
    )
    gone = [line.strip() for line in set(before) - set(after)]
    assert all(line.startswith(("JOBS: ", "CRAWLERS: ")) for line in gone)


def test_each_record_of_the_new_dataset_becomes_what_the_page_says(copy: Copy) -> None:
    runner = ROOT / "tests" / "notebooks" / "run_script.py"
    glue = copy.folder / "src" / "localaws" / "glue_runtime"
    file = "tests/spark/golden/web_requests/gateway/requests.csv"
    script = f"glue/{DATASET}.py"
    said = copy.python(str(runner), script, DATASET, "gateway", file, also=(glue, ROOT / "tests"))
    records: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [(str(one["record"]), one["fate"]) for one in records] == [
        (number, becomes) for number, _, becomes in expected(PAGE)
    ]
    rows = [one["row"] for one in records if one["fate"] == "a row"]
    assert [(row["method"], row["status"], row["is_failure"]) for row in rows] == [
        ("get", 200, False),
        ("post", 503, True),
        ("delete", 404, False),
    ]
    assert rows[2]["answered_at"] == "2026-01-05 09:30:00"
    assert [len(row["visitor"] or "") for row in rows] == [32, 0, 32]


def test_the_template_with_the_new_dataset_has_no_findings(copy: Copy) -> None:
    template = str(copy.folder / "infra" / "pipeline.yaml")
    lint = "import sys, cfnlint.runner; sys.exit(cfnlint.runner.main())"
    copy.python("-c", lint, "--ignore-checks", "W3002", "--template", template)


def test_the_laptop_deploys_the_template_with_the_new_dataset(copy: Copy) -> None:
    with LocalAws(schedule_speed=None) as aws:
        stack = deploy(aws, template=copy.folder / "infra" / "pipeline.yaml")
        glue = aws.endpoint.client("glue")
        job = glue.get_job(JobName=stack.outputs["WebRequestsJob"])["Job"]
        crawler = glue.get_crawler(Name=stack.outputs["WebRequestsCrawler"])["Crawler"]
        alarms = aws.endpoint.client("cloudwatch").describe_alarms(AlarmNamePrefix="gluebook-web-requests-")
    assert job["DefaultArguments"]["--dataset"] == DATASET
    assert job["Role"].endswith(":role/gluebook-job-web-requests")
    assert crawler["Targets"]["S3Targets"][0]["Path"] == f"s3://{stack.lake}/curated/{DATASET}/"
    assert len(alarms["MetricAlarms"]) == 6


def test_the_command_line_lists_the_new_dataset(copy: Copy) -> None:
    assert DATASET in copy.python("-m", "gluebook", "logs", "--help")
