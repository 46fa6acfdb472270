"""Pictures of the report for the documentation, of a made-up day: python tests/report_pictures.py [FOLDER]."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import ViewportSize, sync_playwright

from report_kit import write_site

IMAGES = Path(__file__).parents[1] / "docs" / "images"
DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)
PICTURES: tuple[tuple[str, str, ViewportSize, Literal["light", "dark"]], ...] = (
    ("report-desktop", "page", DESKTOP, "light"),
    ("report-phone", "page", PHONE, "light"),
    ("report-dark", "page", DESKTOP, "dark"),
    ("data-docs", "docs", DESKTOP, "light"),
    ("report-history", "index", DESKTOP, "light"),
)


def take(folder: Path, *, whole: bool = False) -> list[Path]:
    """Write the pictures into `folder`; of the page's beginning, or of all of it. Their paths."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        site = write_site(Path(scratch))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, which, viewport, scheme in PICTURES:
            page = browser.new_page(viewport=viewport, color_scheme=scheme, device_scale_factor=1.5)
            page.goto(site[which].as_uri())
            taken.append(folder / f"{name}.png")
            page.screenshot(path=taken[-1], full_page=whole)
            page.close()
        browser.close()
    return taken


if __name__ == "__main__":
    for path in take(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES, whole="--whole" in sys.argv):
        sys.stdout.write(f"{path}\n")
