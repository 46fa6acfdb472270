"""An executed notebook as a self-contained HTML page."""

from __future__ import annotations

from pathlib import Path


def render(notebook: Path) -> Path:
    """Write the page beside the notebook, with the ending .html; its path."""
    from nbconvert import HTMLExporter  # slow to import

    # These load scripts from elsewhere, for formulas and widgets, which our notebooks don't have.
    nothing = dict.fromkeys(
        ("mathjax_url", "require_js_url", "jquery_url", "jupyter_widgets_base_url", "mermaid_js_url"), ""
    )
    exporter = HTMLExporter(embed_images=True, **nothing)
    body, _ = exporter.from_filename(str(notebook))
    page = notebook.with_suffix(".html")
    page.write_text(body, encoding="utf-8")
    return page
