"""Great Expectations Data Docs of a batch, by GX's own renderers, as one file that needs no network.

GX's page asks ten servers of others for styles and scripts, and most of it is hidden without them. So its
sections are set into a frame of ours, with a small stylesheet, and whatever still points elsewhere is taken out.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from gluebook.quality.words import sentence
from gluebook.report.offline import only_own

# GX's views are escaped by themselves if they are called .html, and its renderers give HTML.
_VIEW = "gluebook_page.j2"


def import_renderers() -> None:
    """Import what `data_docs` needs of Great Expectations, which takes seconds."""
    import great_expectations.render.renderer.page_renderer
    import great_expectations.render.view  # noqa: F401


def data_docs(report: Mapping[str, Any]) -> str:
    """The page of one batch's report (`quality/<dataset>/<batch_id>.json`). It lies three folders below the index.

    Expectations that GX cannot render, such as unknown ones, are described in our words.
    """
    from great_expectations.render.renderer.page_renderer import (
        ValidationResultsPageRenderer,  # slow to import
    )
    from great_expectations.render.view import DefaultJinjaPageView

    title = f"{report['dataset']}, batch {report['batch_id']}"
    rendered = ValidationResultsPageRenderer().render(validation_result(report))
    with tempfile.TemporaryDirectory(prefix="gluebook-docs-") as folder:
        # GX reads custom templates from a folder of its own.
        for name, ours in ((_VIEW, "data_docs.html"), ("frame.html", "frame.html")):
            Path(folder, name).write_text(_template(ours), encoding="utf-8")
        view = DefaultJinjaPageView(custom_views_directory=folder)
        html = str(
            view.render(
                rendered,
                template=_VIEW,
                gluebook_style=_template("data_docs.css"),
                gluebook_title=escape(title),
                gluebook_day_page="../../index.html",
            )
        )
    return only_own(_opened(html))


def validation_result(report: Mapping[str, Any]) -> Any:
    """The report as GX's ExpectationSuiteValidationResult, as if the suite had just been run."""
    from great_expectations import __version__
    from great_expectations.core import ExpectationSuiteValidationResult

    outcomes = report.get("outcomes", [])
    met = sum(bool(outcome["passed"]) for outcome in outcomes)
    share = 100.0 * met / len(outcomes) if outcomes else None
    return ExpectationSuiteValidationResult(
        success=bool(report["passed"]),
        results=[_result(outcome, int(report.get("rows", 0))) for outcome in outcomes],
        suite_name=str(report["dataset"]),
        statistics={
            "evaluated_expectations": len(outcomes),
            "successful_expectations": met,
            "unsuccessful_expectations": len(outcomes) - met,
            "success_percent": share,
        },
        meta={
            "run_id": {"run_name": str(report["batch_id"]), "run_time": str(report["checked_at"])},
            "great_expectations_version": __version__,
            "batch_spec": {"data_asset_name": str(report["dataset"])},
            "batch_markers": {},
            "active_batch_definition": {"data_asset_name": str(report["dataset"])},
        },
    )


def _result(outcome: Mapping[str, Any], rows: int) -> Any:
    from great_expectations.core import ExpectationValidationResult

    found: dict[str, Any] = {"element_count": rows}
    if outcome.get("unexpected_rows") is not None:
        found |= {
            "unexpected_count": outcome["unexpected_rows"],
            "unexpected_percent": outcome.get("unexpected_percent") or 0.0,
            "unexpected_percent_nonmissing": outcome.get("unexpected_percent") or 0.0,
            "partial_unexpected_list": _values(outcome),
        }
    elif outcome["expectation"] == "expect_table_columns_to_match_ordered_list":
        # GX reads the order of its sections from here.
        columns = [str(name) for name in outcome["kwargs"]["column_list"]]
        found["observed_value"] = columns if outcome["passed"] else [str(outcome.get("observed") or "")]
    elif outcome.get("observed"):
        found["observed_value"] = outcome["observed"]
    return ExpectationValidationResult(
        success=bool(outcome["passed"]),
        expectation_config=_configuration(outcome),
        result=found,
        exception_info={
            "raised_exception": False,
            "exception_message": None,
            "exception_traceback": None,
        },
        meta={},
    )


def _values(outcome: Mapping[str, Any]) -> list[Any]:
    """What GX lists as unexpected: the values of the examples in the columns of the expectation."""
    names = [name.strip() for name in str(outcome.get("column") or "").split(",") if name.strip()]
    picked = [[example.get(name) for name in names] for example in outcome.get("examples", []) if names]
    return [", ".join("empty" if v is None else str(v) for v in values) for values in picked]


def _configuration(outcome: Mapping[str, Any]) -> Any:
    """The expectation as GX has it; in our words if GX cannot build or fully describe it."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    kwargs = dict(outcome.get("kwargs", {}))
    more = {"notes": outcome.get("notes") or None, "severity": outcome.get("severity", "critical")}
    try:
        config = ExpectationConfiguration(type=outcome["expectation"], kwargs=kwargs, **more)
        # GX has no words for our own expectations, which are registered if `quality.gx` is imported.
        known = type(config.to_domain_obj()).__module__.startswith("great_expectations.")
    except Exception:  # noqa: BLE001  GX raises any exception for a suite that it does not know
        known = False
    if not known:
        column = {"column": str(outcome["column"])} if outcome.get("column") else {}
        config = ExpectationConfiguration(
            type=_told(), kwargs=column, description=sentence(outcome["expectation"], kwargs), **more
        )
    return config


def _told() -> str:
    """The type of an expectation that consists of its description, registered with GX on first use."""
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    name = "expect_as_told"
    if name not in list_registered_expectation_implementations():
        # By calling type(): GX registers a class when it is created.
        type(Expectation)(
            "ExpectAsTold",
            (Expectation,),
            {
                "__module__": __name__,
                "__annotations__": {"column": "str"},
                "column": "",
                "domain_keys": ("column",),
                # Without it the class is abstract, which GX does not register; it is never run.
                "_validate": lambda *_args, **_kwargs: None,
            },
        )
    return name


def _opened(html: str) -> str:
    """Show what GX hides until a script runs, and remove links to pages that do not exist."""
    html = re.sub(r'(?<=class=")([^"]*)\bcollapse\b', r"\1", html)
    html = re.sub(r'<a\b[^>]*data-toggle="collapse".*?</a>', "", html, flags=re.S)
    # All links but ours, which has only its href.
    return re.sub(
        r"<a\s(?!href=\"\.\./\.\./index\.html\">)[^>]*>(.*?)</a>", r"<span>\1</span>", html, flags=re.S
    )


def _template(name: str) -> str:
    return (resources.files("gluebook.report") / "templates" / name).read_text(encoding="utf-8")
