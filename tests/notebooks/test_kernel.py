"""The project's kernel by its kernelspec: Glue's magics, failures, Spark and the laptop's AWS."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.moto_aws import client, server
from gluebook.deployment.laptop import JOB_OUTPUTS, forget_laptop, record_laptop
from gluebook.notebook.glue_magics import CELL_MAGICS, LINE_MAGICS
from kernel_kit import Kernel, kernel

LAKE, CATALOG = "kernel-lake", "kernel_catalog"
VALUES = {"glue_version": "5.1", "worker_type": "G.1X", "number_of_workers": "2", "idle_timeout": "30"}
BODIES = {"configure": '{"max_capacity": 2}', "tags": '{"team": "x"}', "assume_role": "'arn:x'"}


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with kernel(tmp_path_factory.mktemp("kernel")) as running:
        yield running


@pytest.fixture(scope="module")
def deployed() -> dict[str, str]:
    """What the kernel may find: a Parquet file, a table in the catalog, two jobs; and the stack's outputs."""
    body = io.BytesIO()
    pq.write_table(pa.table({"level": ["info", "error"]}), body)
    client("s3").create_bucket(Bucket=LAKE)
    client("s3").put_object(Bucket=LAKE, Key="curated/a.parquet", Body=body.getvalue())
    glue = client("glue")
    glue.create_database(DatabaseInput={"Name": CATALOG})
    columns = [{"Name": "level", "Type": "string"}]
    storage = {"Columns": columns, "Location": f"s3://{LAKE}/curated/"}
    glue.create_table(DatabaseName=CATALOG, TableInput={"Name": "app_logs", "StorageDescriptor": storage})
    outputs = {output: f"kernel-{dataset}" for dataset, output in JOB_OUTPUTS.items()}
    for dataset, output in JOB_OUTPUTS.items():
        arguments = {"--job-language": "python", "--lake_bucket": LAKE, "--dataset": dataset}
        glue.create_job(
            Name=outputs[output],
            Role="r",
            Command={"Name": "glueetl"},
            DefaultArguments={**arguments, "--ledger_table": f"ledger-of-{dataset}", "--lease_seconds": "7"},
        )
    return outputs


@pytest.fixture
def laptop(deployed: dict[str, str], cells: Kernel, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Up, as `gluebook up` notes it where the kernel looks."""
    [state] = cells.printed("import os; print(os.environ['XDG_STATE_HOME'])").splitlines()
    monkeypatch.setenv("XDG_STATE_HOME", state)
    record_laptop(server().environment(), deployed)
    yield
    forget_laptop()


def test_every_magic_of_glue_is_there_and_is_only_noted(cells: Kernel) -> None:
    for name in sorted(LINE_MAGICS):
        value = VALUES.get(name, "30" if name == "timeout" else "")
        assert cells.printed(f"%{name} {value}") == f"for AWS Glue only: %{name} {value}".rstrip() + "\n"
    for name in sorted(CELL_MAGICS - {"sql"}):
        assert cells.printed(f"%%{name}\n{BODIES[name]}") == f"for AWS Glue only: %%{name}\n"
    noted = cells.printed(
        "import json\n"
        "from gluebook.notebook.kernel import RECORDED\n"
        "print(json.dumps({r.name: (r.arguments, r.cell.strip()) for r in RECORDED}))"
    )
    found = json.loads(noted)
    assert set(found) == LINE_MAGICS | CELL_MAGICS - {"sql"}
    assert found["worker_type"] == ["G.1X", ""]
    assert found["configure"] == ["", BODIES["configure"]]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("%no_such_magic", "UsageError: Line magic function `%no_such_magic` not found."),
        ("x = 1\n%no_such_magic", "UsageError: Line magic function `%no_such_magic` not found."),
        ("%%no_such_magic\nx", "UsageError: Cell magic `%%no_such_magic` not found."),
        ("%glue_version 9", "UsageError: %glue_version: there is no AWS Glue 9"),
        ("%number_of_workers two", "UsageError: %number_of_workers: 'two' is not a whole number"),
        ("%worker_type G.3X", "UsageError: %worker_type: there is no worker type 'G.3X'"),
        ("%%configure\n{'a': true}", "UsageError: %configure: what follows is not a dictionary"),
        ("%run no_such_file.py", "Exception: File `'no_such_file.py'` not found."),
        ("!exit 3", "CalledProcessError: "),
    ],
)
def test_a_magic_that_fails_fails_its_cell(cells: Kernel, source: str, says: str) -> None:
    answer = cells.run(source)
    assert answer.status == "error"
    assert answer.error.startswith(says)
    assert cells.run("1 + 1").shown == [{"text/plain": "2"}]


@pytest.mark.parametrize("source", ["spork = 1\nspark_ish = 2", "def f():\n    return 1"])
def test_a_cell_that_does_not_ask_for_spark_starts_none(cells: Kernel, source: str) -> None:
    cells.printed(source)
    assert (
        cells.printed("import sys; print('spark' in globals(), 'pyspark' in sys.modules)") == "False False\n"
    )


def test_without_a_laptop_the_way_out_is_told_once(cells: Kernel) -> None:
    failing = "import boto3; boto3.client('s3', region_name='us-east-1').list_buckets()"
    first, second = cells.run(failing), cells.run(failing)
    assert (first.status, second.status) == ("error", "error")
    assert first.printed == ("No laptop AWS is up. Start one with `gluebook up`, then run this cell again.\n")
    assert second.printed == ""


@pytest.mark.usefixtures("laptop")
def test_boto3_and_awswrangler_see_the_laptop_that_came_up_later(cells: Kernel) -> None:
    assert (
        cells.printed(
            "import boto3\n"
            f"print([b['Name'] for b in boto3.client('s3').list_buckets()['Buckets'] if b['Name'] == {LAKE!r}])"
        )
        == f"['{LAKE}']\n"
    )
    assert (
        cells.printed(
            "import awswrangler as wr\n"
            f"print(wr.s3.read_parquet('s3://{LAKE}/curated/')['level'].tolist())\n"
            f"print(wr.catalog.tables(database={CATALOG!r})['Table'].tolist())\n"
            f"print(wr.catalog.table({CATALOG!r}, 'app_logs')['Column Name'].tolist())"
        )
        == "['info', 'error']\n['app_logs']\n['level']\n"
    )


@pytest.mark.usefixtures("laptop")
@pytest.mark.parametrize(
    ("source", "filled", "left"),
    [
        (
            'dataset: str = "app_logs"\nledger_table: str = ""\nlake_bucket: str = "mine"\nother: str = ""',
            "ledger_table='ledger-of-app_logs'",
            "('ledger-of-app_logs', 'mine', '')",
        ),
        # A report is no dataset's, so it gets what all jobs agree on.
        (
            'dataset: str = ""\nledger_table: str = ""\nlake_bucket: str = ""\nother: str = "x"',
            f"lake_bucket='{LAKE}'",
            f"('', '{LAKE}', 'x')",
        ),
    ],
)
def test_empty_parameters_are_those_of_the_deployed_job(
    cells: Kernel, source: str, filled: str, left: str
) -> None:
    assert cells.printed(source) == f"Empty parameters, taken from the deployed job: {filled}\n"
    assert cells.run("(ledger_table, lake_bucket, other)").shown[-1]["text/plain"] == left


@pytest.mark.usefixtures("laptop")
@pytest.mark.parametrize(
    "source",
    [
        'ledger_table = ""',
        'dataset: str = "app_logs"; ledger_table: str = ""; len(dataset)',
        'ledger_table: str = ""',
    ],
)
def test_a_cell_that_is_no_parameters_cell_keeps_what_it_says(cells: Kernel, source: str) -> None:
    assert cells.printed('dataset = "app_logs"') == ""
    assert cells.printed(source) == ""
    assert cells.run("ledger_table").shown[-1]["text/plain"] == "''"


@pytest.mark.usefixtures("laptop")
def test_the_kernel_goes_along_with_the_laptop_and_stays_where_somebody_has_sent_it(
    cells: Kernel, deployed: dict[str, str]
) -> None:
    ask = "import os; print(os.environ['AWS_ENDPOINT_URL'])"
    assert cells.printed(ask) == f"{server().url}\n"
    another = "http://127.0.0.1:9"
    record_laptop({**server().environment(), "AWS_ENDPOINT_URL": another}, deployed)
    assert cells.printed(ask) == f"{another}\n"
    cells.printed("os.environ['AWS_ENDPOINT_URL'] = 'http://elsewhere'")
    assert cells.printed(ask) == "http://elsewhere\n"
    cells.printed(f"os.environ['AWS_ENDPOINT_URL'] = {another!r}")


def test_a_plot_is_shown_with_and_without_the_magic_that_glue_wants(cells: Kernel) -> None:
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
    for source in (plot + "plt.show()", plot + "%matplot plt"):
        assert ["image/png" in data for data in cells.run(source).shown].count(True) == 1


# The last ones, since they start Spark.
def test_spark_is_there_when_a_magic_is_handed_code_that_asks_for_it(cells: Kernel) -> None:
    assert cells.printed("%%capture nothing\nsc.version") == ""
    assert cells.printed("print('spark' in globals(), sc.appName)") == "False gluebook\n"
    assert cells.printed("import sys; print(sc.pythonExec == sys.executable)") == "True\n"


def test_spark_is_the_session_with_the_semantics_of_the_jobs_and_sql_runs_on_it(cells: Kernel) -> None:
    assert cells.printed("spark.sql('select 1').createOrReplaceTempView('nothing')") == ""
    assert cells.printed("print(spark.conf.get('spark.sql.session.timeZone'))") == "UTC\n"
    assert "|  3|" in cells.printed("%%sql\nselect 1 + 2 as n\nfrom nothing").splitlines()[3]
    failed = cells.run("%%sql\nselect nothing from nowhere")
    assert failed.status == "error" and "TABLE_OR_VIEW_NOT_FOUND" in failed.error


def test_a_spark_of_somebodys_own_is_left_alone(cells: Kernel) -> None:
    assert cells.printed("spark = 'mine'\nprint(spark)\ndel sc") == "mine\n"
    assert cells.printed("sc.appName; print(spark)") == "mine\n"
