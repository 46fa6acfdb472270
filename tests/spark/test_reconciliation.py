"""read = curated + duplicates + rejects, file by file, `read` being what an independent reader finds in the bytes."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass

import pytest

from chain.kit import REAL_DATA, real
from gluebook.core.model import Batch, Counts, FileResult
from gluebook.core.plan import results_from_json
from gluebook.quality.report import GateReport
from gluebook.sample import Request, generate
from spark.place import Place

csv.field_size_limit(10_000_000)
CONTAINERS = sorted(path.relative_to(REAL_DATA) for path in REAL_DATA.glob("logs/containers/*/*.csv.gz"))


@dataclass(frozen=True)
class Delivery:
    """Files of one source that arrive together, by name."""

    dataset: str
    source: str
    files: dict[str, bytes]


def records_in(source: str, name: str, body: bytes) -> int:
    """How many records there are: lines that aren't blank, or rows of a CSV file below its header."""
    text = (gzip.decompress(body) if name.endswith(".gz") else body).decode("utf-8-sig")
    if source == "mongod":
        return sum(bool(line.strip()) for line in text.split("\n"))
    return sum(bool(row) for row in csv.reader(io.StringIO(text, newline=""))) - 1


def real_file(dataset: str, source: str, path: str) -> Delivery:
    file = real(path)
    return Delivery(dataset, source, {file.name: file.read_bytes()})


def reconciled(place: Place, delivery: Delivery) -> tuple[Batch, dict[str, Counts]]:
    """Run it through job, gate and load; hold everything that tells counts against each other."""
    for name, body in delivery.files.items():
        place.arrive(delivery.dataset, delivery.source, "2026-01-05", name, body)
    batch = place.run(delivery.dataset)
    lake, objects = place.pipeline.lake, place.pipeline.objects
    stored = objects.get_json(lake.bucket, lake.result(batch.dataset, batch.batch_id, batch.reported_epoch))
    results: tuple[FileResult, ...] = results_from_json(stored["files"])
    found = {result.key.rpartition("/")[2]: result.counts for result in results}
    assert found.keys() == delivery.files.keys()
    for name, counts in found.items():
        assert counts.read == records_in(delivery.source, name, delivery.files[name]), name
        assert counts.read == counts.curated + counts.duplicates + counts.rejected, name

    total = sum(found.values(), Counts())
    report = GateReport.from_json(
        objects.get_json(lake.bucket, lake.quality(batch.dataset, batch.batch_id, batch.reported_epoch))
    )
    [recorded] = place.warehouse.rows(
        "select distinct batch_id, rows_read, rows_curated, rows_duplicates, rows_rejected, files from dq_results"
    )
    assert recorded == (batch.batch_id, *vars(total).values(), len(delivery.files))
    assert (report.counts, batch.counts) == (total, total)
    [(there,)] = place.warehouse.rows(f"select count(*) from {batch.dataset}")
    assert there == batch.merged == total.curated - batch.superseded
    return batch, found


def test_the_real_incident_log_reconciles(place: Place) -> None:
    delivery = real_file("support_tickets", "servicenow", "tickets/servicenow_incidents.csv.gz")
    batch, _ = reconciled(place, delivery)
    assert batch.counts.read == 90_000


def test_the_real_help_desk_export_reconciles(place: Place) -> None:
    delivery = real_file("support_tickets", "helpdesk", "tickets/customer_support_tickets.csv.gz")
    batch, _ = reconciled(place, delivery)
    assert batch.counts == Counts(8_469, 8_469, 0, 0)


def test_the_real_mongod_log_reconciles(place: Place) -> None:
    batch, _ = reconciled(place, real_file("app_logs", "mongod", "logs/mongod.jsonl.gz"))
    assert batch.counts == Counts(27_995, 27_921, 74, 0)


def test_the_real_container_logs_reconcile_file_by_file(place: Place) -> None:
    real("logs/containers/2022-08-22/05_19_log.csv.gz")
    files = {"-".join(path.parts[-2:]): (REAL_DATA / path).read_bytes() for path in CONTAINERS}
    batch, found = reconciled(place, Delivery("app_logs", "containers", files))
    assert (len(found), batch.counts) == (19, Counts(52_863, 50_165, 2_698, 0))


SAMPLES = [(seed, dataset) for seed in (1, 2, 3) for dataset in ("support_tickets", "app_logs")]


@pytest.mark.parametrize(("seed", "dataset"), SAMPLES)
def test_every_generated_sample_reconciles_and_is_what_its_truth_says(
    place: Place, seed: int, dataset: str
) -> None:
    sample = generate(Request(seed=seed, tickets=80, log_lines=500, days=2, files_per_day=2))
    mine = [file for file in sample.files if file.dataset == dataset]
    names = {f"{file.dt}-{file.name}": file for file in mine}
    delivery = Delivery(dataset, mine[0].source, {name: file.body for name, file in names.items()})
    _, found = reconciled(place, delivery)
    for name, counts in found.items():
        truth = sample.truth.files[names[name].key]
        # Which of two copies is the duplicate goes by the file's name, which is another one here.
        assert (counts.read, counts.rejected) == (truth.counts.read, truth.counts.rejected), name
    truths = [sample.truth.files[file.key].counts for file in mine]
    assert sum(found.values(), Counts()) == sum(truths, Counts())
