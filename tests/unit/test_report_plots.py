"""The plots of the report."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from gluebook.report.model import ServiceErrors, TicketsOpened
from gluebook.report.plots import (
    error_rates,
    failed_checks,
    last_days,
    reject_share,
    rows_per_batch,
    tickets_and_errors,
)
from report_kit import answers, trends
from report_quality import HOSTILE


def all_plots() -> list[str]:
    one = answers()
    return [
        rows_per_batch(trends(), "app_logs"),
        rows_per_batch(trends(), "support_tickets"),
        reject_share(trends()),
        failed_checks(trends()),
        tickets_and_errors(one.tickets, one.services),
    ]


def test_a_plot_is_told_to_those_who_cannot_see_it() -> None:
    for svg in all_plots():
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img" and root.get("aria-label") == root.findtext("title")


def test_text_stays_text_and_ink_is_the_pages() -> None:
    for svg in all_plots():
        assert "<text" in svg and "currentColor" in svg
        assert not re.search(r"#(000000|ffffff|123456)\b", svg)
    assert "Application logs: records per batch" in all_plots()[0]


def test_a_plot_is_as_wide_as_there_is_place() -> None:
    opening = re.match(r"<svg[^>]*>", all_plots()[0])
    assert opening and "viewBox" in opening[0] and " width=" not in opening[0]


def test_the_same_values_are_the_same_bytes() -> None:
    assert all_plots() == all_plots()


def test_ids_are_unique_on_a_page_of_all_plots_and_every_reference_has_its_target() -> None:
    page = "".join(all_plots())
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) > 0
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', page))
    assert used and used <= set(ids)


def test_names_from_data_are_text_in_plots() -> None:
    svg = tickets_and_errors([], [ServiceErrors("2026-01-05", f"{HOSTILE}$x$", 10, 5)])
    assert "<script" not in svg and "&lt;script&gt;" in svg and "$x$" in svg


def test_one_batch_one_day_and_none_can_be_drawn() -> None:
    for few in ((), trends()[:1]):
        assert "<svg" in rows_per_batch(few, "app_logs") and "<svg" in reject_share(few)
        assert "<svg" in failed_checks(few)
    assert "<svg" in tickets_and_errors([TicketsOpened("2026-01-05", "a new one", 3)], [])


def test_only_the_services_with_most_errors_have_names() -> None:
    services = [ServiceErrors("2026-01-05", f"s{number}", 100, number) for number in range(8)]
    rates = error_rates(services, ["2026-01-04", "2026-01-05"])
    assert list(rates) == ["s7", "s6", "s5", "s4", "s3", "others"]
    assert rates["s7"] == [None, 0.07]
    assert rates["others"] == [None, (0 + 1 + 2) / 300]


def test_only_the_latest_thirty_days_are_drawn() -> None:
    days = [f"2026-01-{number:02d}" for number in range(1, 32)]
    assert last_days([*days, *days]) == days[1:]
