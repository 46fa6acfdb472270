"""The report as HTML."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gluebook.contracts.reasons import in_words
from gluebook.report.history import Summary
from gluebook.report.model import Answers, DatasetDay, RejectReason, ReportData
from gluebook.report.offline import only_own
from gluebook.report.page import (
    MOST_DOCS,
    MOST_FILES,
    MOST_REASONS,
    age_in_words,
    days_table,
    index,
    moment,
)
from report_kit import DAY, MADE_AT, day_data, hostile_data
from report_kit import whole_page as made
from report_quality import HOSTILE
from self_contained import reaches_out


def text_of(html: str) -> str:
    """What is read, on one line."""
    visible = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", visible.replace("<wbr>", "")))


def test_the_page_begins_with_the_verdict_and_tells_everything_of_the_day() -> None:
    said = text_of(made(day_data()))
    assert said.index("Yes, with reservations.") < said.index("Support tickets support_tickets")
    assert "3,995 read = 3,892 curated + 58 duplicates + 45 rejected" in said
    assert "export-04.gz not_gzip: the file ends after 4,096 bytes" in said and "1 FAILED, 3 LOADED" in said
    assert "newest row 5 Jan 2026, 09:59 UTC, from the day itself" in said
    assert "12 records: malformed" in said and "11 records: occurred_at is missing" in said
    assert "At least 99 % of the values of trace_id are of the form" in said
    assert "61 rows break it, 3.42 % of those it applies to" in said
    assert "trace-9" in said and "No two rows have the same source and log_id." in said
    assert "manifests/app_logs/app_logs-20260105T101500Z-ab12cd.json" in said


def test_the_page_links_to_the_data_docs_and_to_all_days_and_to_nothing_else() -> None:
    links = set(re.findall(r'<a href="([^"]+)"', made(day_data())))
    assert links == {
        "../index.html",
        "expectations/app_logs/app_logs-20260105T101500Z-ab12cd.html",
        "expectations/support_tickets/support_tickets-20260105T101502Z-77fe01.html",
    }


def test_the_same_day_is_the_same_page_to_the_byte() -> None:
    assert made(day_data()) == made(day_data())


def test_nothing_of_a_page_is_asked_of_anybody() -> None:
    assert reaches_out(made(day_data())) == []
    assert reaches_out(index([Summary(str(DAY), "yes", "", MADE_AT)], MADE_AT)) == []


def test_what_comes_out_of_data_is_text_and_never_markup() -> None:
    html = made(hostile_data())
    assert "<script" not in html and "<img" not in html
    assert "&lt;script&gt;" in html
    assert reaches_out(html) == []
    listed = index([Summary("2026-01-05", HOSTILE, HOSTILE, HOSTILE, (HOSTILE,))], HOSTILE)
    assert "<script" not in listed and "<img" not in listed and "&lt;script&gt;" in listed


def test_a_day_on_which_nothing_arrived_says_so_and_is_not_green() -> None:
    html = made(ReportData(DAY, MADE_AT, (DatasetDay("support_tickets"), DatasetDay("app_logs"))))
    assert "Nothing arrived on this day." in html
    assert 'class="verdict is-nothing"' in html and 'class="verdict is-yes"' not in html
    assert "No batch has claimed a file of this day yet." in html


def test_a_warehouse_that_does_not_answer_costs_its_sections_only() -> None:
    problems = {"trends": "it sleeps", "tickets": "it sleeps", "services": "it sleeps"}
    said = text_of(made(replace(day_data(), answers=Answers(problems=problems))))
    assert said.count("The warehouse could not be queried: it sleeps") == 2
    assert "3,995 read" in said and "From file to table" in said


def test_without_reports_of_the_gate_the_page_says_what_it_cannot_say() -> None:
    data = day_data()
    bare = tuple(replace(dataset, gated=(), checks=(), rejects=()) for dataset in data.datasets)
    said = text_of(made(replace(data, datasets=bare)))
    assert "no expectation can be shown" in said and "age of the newest row is not known" in said


def test_of_thousands_of_files_the_gravest_are_shown_and_the_rest_is_counted() -> None:
    data = day_data()
    logs = data.datasets[1]
    fine, failed = logs.files[0], logs.files[3]
    many = tuple(replace(fine, key=f"app_logs/mongod/dt={DAY}/a-{number:05d}") for number in range(5000))
    html = made(replace(data, datasets=(data.datasets[0], replace(logs, files=(*many, failed)))))
    assert "and 4,976 more files" in text_of(html)
    assert html.count("/<wbr>a-0") == MOST_FILES - 1
    assert html.index("export-04.gz") < html.index("a-00000")
    assert len(html) < 400_000


def test_of_hundreds_of_batches_and_reasons_the_page_shows_some_and_counts_the_rest() -> None:
    data = day_data()
    logs = data.datasets[1]
    gated = tuple(replace(logs.gated[0], batch_id=f"app_logs-{number:04d}") for number in range(300))
    rejects = tuple(RejectReason(f"unknown:c{number}", 1) for number in range(100))
    html = made(replace(data, datasets=(replace(logs, gated=gated, rejects=rejects),)))
    assert html.count('href="expectations/') == MOST_DOCS and "app_logs-0299.html" in html
    assert f"and {300 - MOST_DOCS} earlier ones" in html
    assert f"and {100 - MOST_REASONS} records with {100 - MOST_REASONS} rarer reasons" in html


def test_the_index_shows_the_newest_day_first_whatever_the_order() -> None:
    days = [Summary(f"2026-01-0{number}", "yes", "", MADE_AT) for number in (2, 5, 3)]
    assert re.findall(r'href="([^"]+)/index.html"', index(days, MADE_AT)) == [
        "2026-01-05",
        "2026-01-03",
        "2026-01-02",
    ]
    assert "No day has been reported yet." in index([], MADE_AT)


def test_days_are_told_with_the_service_that_has_most_errors() -> None:
    answers = day_data().answers
    first = days_table(answers.tickets, answers.services)[0]
    assert (first["day"], first["tickets"], first["urgent"], first["worst"]) == (
        "2026-01-05",
        43,
        11,
        "checkout",
    )
    assert first["rate"] == first["errors"] / first["lines"]


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (0, "from the day itself"),
        (1, "from the day before"),
        (1200, "1,200 days before the day"),
        (-1, "1 day after the day"),
        (None, "not known"),
    ],
)
def test_an_age_is_told_as_people_would(days: int | None, says: str) -> None:
    assert age_in_words(days) == says


def test_reasons_and_moments_are_told_in_words_or_as_they_are() -> None:
    assert in_words("too_long:message") == "message is too long"
    assert in_words("something_new") == "something_new"
    assert moment("2026-01-05T11:05:00+02:00") == "5 Jan 2026, 09:05 UTC"
    assert moment("yesterday") == "yesterday"


@pytest.mark.parametrize(
    "html",
    [
        '<link rel="stylesheet" href="https://example.org/a.css">',
        '<script src="a.js"></script>',
        "<script>fetch('//example.org')</script>",
        '<img src="a.png">',
        '<img src="//example.org/a.png">',
        '<a href="https://example.org">there</a>',
        '<a href="javascript:alert(1)">there</a>',
        "<style>@import 'a.css';</style>",
        '<style>p{background:url("https://example.org/a.png")}</style>',
        '<p style="background:url(//example.org/a.png)">there</p>',
        '<p onclick="alert(1)">there</p>',
        '<svg><image xlink:href="https://example.org/a.png"/></svg>',
        '<iframe src="a.html"></iframe>',
        '<meta http-equiv="refresh" content="0;url=//example.org">',
    ],
)
def test_whatever_reaches_out_is_found_and_taken_out(html: str) -> None:
    if "refresh" not in html:
        assert reaches_out(html)
    cleaned = only_own(f"<p>before &lt;b&gt;</p>{html}<p>after</p>")
    assert reaches_out(cleaned) == []
    assert (
        "example.org" not in cleaned and "alert" not in cleaned and ".png" not in cleaned.replace("data:", "")
    )
    assert cleaned.startswith("<p>before &lt;b&gt;</p>") and cleaned.endswith("<p>after</p>")


def test_own_styles_pictures_and_links_stay() -> None:
    html = (
        '<style>p{color:red;fill:url(#a)}</style><a href="#b">b</a><a href="c/d.html">d</a>'
        '<img src="data:image/png;base64,AA==" alt="e">'
    )
    assert only_own(html) == html
    assert reaches_out(html) == []
