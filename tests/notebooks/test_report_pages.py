"""The report: its notebook run by papermill on a small lake, and its pages in a browser without a network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from typer.testing import CliRunner

from contract.moto_aws import client, moto_endpoint
from gluebook.aws.ledger import Ledger
from gluebook.cli import report
from gluebook.cli.app import app
from gluebook.cli.deployment import Deployment
from gluebook.core.keys import Lake, file_id
from gluebook.core.model import FileVersion
from gluebook.notebook.execute import execute
from gluebook.report.outputs import executed
from gluebook.report.page import page as page_of
from ledger_kit import make_ledger_table
from localaws.endpoint import Endpoint
from report_kit import write_site
from self_contained import reaches_out

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "reports" / "data_quality.ipynb"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DAY = date(2026, 1, 5)
LAKE, LEDGER = Lake("report-lake"), "report-ledger"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
__all__ = ["moto_endpoint"]


@pytest.fixture
def stack(endpoint: Endpoint) -> dict[str, str]:
    """The parameters of a lake and a ledger in which one file of the day waits; there is no warehouse."""
    if LEDGER in client("dynamodb").list_tables()["TableNames"]:
        return {"lake_bucket": LAKE.bucket, "ledger_table": LEDGER}
    client("s3").create_bucket(Bucket=LAKE.bucket)
    make_ledger_table(client("dynamodb"), LEDGER)
    key = f"app_logs/mongod/dt={DAY}/<script>alert(1)</script>.jsonl"
    file = FileVersion(
        file_id("raw", key, "v1"),
        "raw",
        key,
        "v1",
        10,
        "1",
        "app_logs",
        "mongod",
        str(DAY),
        f"{DAY}T09:00:00Z",
    )
    Ledger(LEDGER, "test").register(file, "test")
    return {"lake_bucket": LAKE.bucket, "ledger_table": LEDGER}


def test_the_notebook_makes_a_page_of_a_day_and_one_of_a_day_without_anything(
    stack: dict[str, str], tmp_path: Path
) -> None:
    verdicts = {}
    for day in (DAY, date(1999, 1, 1)):
        path = tmp_path / f"{day}.ipynb"
        execute(NOTEBOOK, {**stack, "day": str(day)}, path, kernel="python3")
        done = executed(path)
        html = page_of(day, done.summary.made_at, done.summary.verdict, done.parts)
        assert reaches_out(html) == [] and "<script" not in html
        assert "the parameters name no workgroup and database" in html
        verdicts[str(day)] = (done.summary.verdict, done.summary.files)
    assert verdicts == {"2026-01-05": ("with reservations", 1), "1999-01-01": ("nothing arrived", 0)}


def test_the_command_makes_publishes_and_tells_and_a_second_time_replaces(
    stack: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).parents[2]
    for folder in ("notebooks", "infra"):
        shutil.copytree(root / folder, tmp_path / folder)
    shutil.copy(root / "pyproject.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    outputs = {"LakeBucket": stack["lake_bucket"], "LedgerTable": stack["ledger_table"]}
    deployed = Deployment({**outputs, "Workgroup": "", "WarehouseDatabase": ""})
    monkeypatch.setattr(report, "connect", lambda: deployed)
    words = ["report", "--day", str(DAY), "--kernel", "python3", "--json"]
    for more in (["--no-publish"], [], []):
        result = CliRunner().invoke(app, [*words, *more])
        assert result.exit_code == 0, result.output
        told = json.loads(result.stdout)
        assert (told["day"], told["verdict"]) == (str(DAY), "with reservations")
        assert Path(told["page"]).is_file() and Path(told["index"]).is_file()
        assert bool(told["published"]) is not bool(more)
    found = client("s3").get_object(Bucket=LAKE.bucket, Key=f"reports/{DAY}/index.html")
    assert found["ContentType"] == "text/html; charset=utf-8"
    assert found["Body"].read().decode() == Path(told["page"]).read_text()
    assert f'href="{DAY}/index.html"' in (tmp_path / "build" / "reports" / "index.html").read_text()


def test_without_a_stack_the_command_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    result = CliRunner().invoke(app, ["report", "--day", "2026-01-05"])
    assert result.exit_code != 0 and "gluebook up" in str(result.exception)


# -- in a browser ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of a made-up day."""
    return write_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


def opened(browser: Browser, path: Path, viewport: dict[str, int], scheme: str) -> tuple[Page, list[str]]:
    """(the page, what it has asked for that isn't a file, and what it has complained of)."""
    page = browser.new_page(viewport=viewport, color_scheme=scheme, java_script_enabled=True)  # type: ignore[arg-type]
    wrong: list[str] = []
    page.on("request", lambda request: _note(wrong, request.url))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(path.as_uri())
    return page, wrong


def _note(wrong: list[str], url: str) -> None:
    if not url.startswith(("file://", "data:")):
        wrong.append(url)


def luminance(page: Page, of: str) -> float:
    """0..1 of a colour, such as that of the text, of the page's body."""
    told: str = page.evaluate(f"getComputedStyle(document.body).{of}")
    red, green, blue = (int(part) for part in told[told.index("(") + 1 : -1].split(",")[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("which", ["page", "docs", "index"])
def test_a_page_is_readable_and_asks_for_nothing(
    browser: Browser, site: dict[str, Path], which: str, viewport: dict[str, int], scheme: str
) -> None:
    page, wrong = opened(browser, site[which], viewport, scheme)
    try:
        assert wrong == []
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"]
        ink, ground = luminance(page, "color"), luminance(page, "backgroundColor")
        assert (ink < 0.2 and ground > 0.9) if scheme == "light" else (ink > 0.8 and ground < 0.2)
        plots = [plot.bounding_box() for plot in page.locator("svg.plot").all()]
        assert len(plots) == (5 if which == "page" else 0)
        for box in plots:
            assert box and box["width"] > 250 and box["height"] > 100
            assert box["x"] >= 0 and box["x"] + box["width"] <= viewport["width"]
    finally:
        page.close()


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_the_links_lead_from_all_days_to_the_day_to_the_data_docs_and_back(
    browser: Browser, site: dict[str, Path]
) -> None:
    page, wrong = opened(browser, site["index"], DESKTOP, "light")
    try:
        page.get_by_role("link", name="2026-01-05").click()
        page.get_by_role("link", name="app_logs-20260105T101500Z-ab12cd").click()
        assert "Great Expectations Data Docs" in page.inner_text("body")
        page.get_by_role("link", name="Back to the day").click()
        page.get_by_role("link", name="All days").click()
        assert page.url == site["index"].as_uri()
        assert wrong == []
    finally:
        page.close()


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_on_paper_everything_is_opened_and_black_on_white(browser: Browser, site: dict[str, Path]) -> None:
    page, _ = opened(browser, site["page"], DESKTOP, "dark")
    try:
        page.emulate_media(media="print", color_scheme="dark")
        assert luminance(page, "color") < 0.2
        met = page.locator(".checks li").first.bounding_box()
        assert met and met["height"] > 0
    finally:
        page.close()
