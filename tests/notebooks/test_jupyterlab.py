"""A job notebook in JupyterLab, run by a browser against `gluebook lab`."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from gluebook.notebook.kernelspec import install
from notebook_kit import code
from process_kit import deaf, running

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
PATIENCE_SECONDS = 300
PLOT = """
import matplotlib.pyplot as plt

counted = records.groupBy("_problem").count().toPandas()
plt.bar(counted["_problem"].astype(str), counted["count"])
plt.show()
"""


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    """A copy to work on, in which the job notebooks show a plot."""
    folder = tmp_path / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder)
    for path in (folder / "jobs").glob("*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if not any("plt." in "".join(cell["source"]) for cell in notebook["cells"]):
            notebook["cells"].append({**code(PLOT.strip(), "explore"), "id": "a-plot"})
            path.write_text(json.dumps(notebook), encoding="utf-8")
    return folder


@pytest.fixture
def lab(notebooks: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """(`gluebook lab`, where JupyterLab is): nothing of the caller's own Jupyter or AWS is used."""
    install(prefix=tmp_path)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "JUPYTER"))}
    own = {
        "JUPYTER_PATH": str(tmp_path / "share" / "jupyter"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        **{
            f"JUPYTER{name}_DIR": str(tmp_path / "jupyter" / name)
            for name in ("_CONFIG", "_DATA", "_RUNTIME", "LAB_SETTINGS", "LAB_WORKSPACES")
        },
    }
    command = [sys.executable, "-c", "from gluebook.cli import main; main()", "lab", str(notebooks)]
    with (
        tempfile.TemporaryDirectory(prefix="own-place-") as folder,
        running(deaf([*command, "--no-browser"]), {**kept, **own, "TMPDIR": folder}, ROOT) as process,
    ):
        Path(folder).chmod(0o755)  # as root the database server runs as somebody else
        assert process.stdout is not None
        try:
            yield process, address(process.stdout)
        finally:
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            process.send_signal(signal.SIGTERM)
            _gone, alive = psutil.wait_procs(family, timeout=60)
            assert process.wait() == 0
            assert alive == []
            assert sorted(path.name for path in Path(folder).iterdir()) == []


def address(said: IO[str]) -> str:
    for line in said:
        if found := re.search(r"JupyterLab is at (\S+)", line):
            return found[1]
    raise AssertionError("gluebook lab ended before JupyterLab was there")


@contextmanager
def browser_page() -> Iterator[tuple[Page, list[str]]]:
    """(a page, the addresses of everything that it has asked for)."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1200, "height": 1600})
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        expect.set_options(timeout=PATIENCE_SECONDS * 1000)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        try:
            yield page, asked
        finally:
            browser.close()


def what_failed(page: Page, path: Path) -> list[str]:
    """Cells that failed or were not run, by the notebook as JupyterLab saves it."""
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Save Notebook(?! As)")).click()
    expect(page.locator(".lm-TabBar-tab.jp-mod-dirty")).to_have_count(0)
    code = [
        cell
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code" and cell["source"]
    ]
    return [
        "".join(cell["source"])
        for cell in code
        if not cell["execution_count"] or any(out["output_type"] == "error" for out in cell["outputs"])
    ]


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_run_all_in_jupyterlab_curates_what_is_pending_and_shows_a_plot(
    lab: tuple[subprocess.Popen[str], str], notebooks: Path, tmp_path: Path
) -> None:
    _process, where = lab
    with browser_page() as (page, asked):
        page.goto(where.replace("/lab?", "/lab/tree/jobs/app_logs.ipynb?"))
        expect(page.get_by_title(re.compile("Switch kernel")).first).to_contain_text("Gluebook (local Spark)")
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        try:
            page.wait_for_function(
                """() => {
                    const cells = [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')];
                    // An error is shown as what goes to stderr is; no later cell is run then.
                    const said = [...document.querySelectorAll("[data-mime-type='application/vnd.jupyter.stderr']")];
                    if (said.some(output => /Traceback|^UsageError/.test(output.textContent))) return true;
                    return cells.length > 10 && cells.every(cell => /\\[\\d+\\]/.test(cell.textContent));
                }"""
            )
        finally:
            page.screenshot(path=tmp_path / "run-all.png")
        outputs = page.locator(".jp-Cell-outputArea")
        assert what_failed(page, notebooks / "jobs" / "app_logs.ipynb") == []
        expect(outputs.filter(has_text="for AWS Glue only: %glue_version 5.1")).to_have_count(1)
        expect(
            outputs.filter(has_text=re.compile(r"batch \S+ is CURATED: read [\d,]+ = curated"))
        ).to_have_count(1)
        plot = outputs.locator("img").first
        plot.scroll_into_view_if_needed()
        expect(plot).to_be_visible()
        page.screenshot(path=tmp_path / "plot.png")
        elsewhere = [
            url for url in asked if not url.startswith((where.partition("/lab")[0], "data:", "blob:"))
        ]
        assert elsewhere == []
