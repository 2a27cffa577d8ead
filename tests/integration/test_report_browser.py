"""The HTML report in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import DESKTOP, FAINT, PHONE, browser, watched
from tests.report_samples import HOSTILE_REFS, blocked, broken, match, one_of_each, report

__all__ = ["browser"]

Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report and holds it to making no request and no complaint."""
    with watched(browser) as show:

        def opened(text: str, **how: Any) -> Page:
            path = tmp_path / "report.html"
            path.write_text(text, encoding="utf-8")
            return show(path, **how)

        yield opened


def _visible_refs(page: Page) -> list[str]:
    return page.locator("#rows tr:visible .ref").all_inner_texts()


def test_the_page_opens_without_a_request_an_error_or_a_picture(open_page: Open) -> None:
    page = open_page(report("html", one_of_each()))
    assert (
        page.title() == "égide scan report: 1 item to escalate, 2\u00a0to block, 2\u00a0to review"
    )
    assert page.locator("img, picture, video, iframe, object").count() == 0
    assert page.locator("#rows tr").count() == 7
    assert page.evaluate("getComputedStyle(document.body).marginTop") == "0px"  # the style holds


def test_the_filters_narrow_the_items_down(open_page: Open) -> None:
    page = open_page(report("html", one_of_each()))
    assert page.locator("#shown").inner_text() == "7 of 7 shown"
    page.get_by_label("Text").fill("MIRRORED demo")
    assert _visible_refs(page) == ["copy.jpg"]
    assert page.locator("#shown").inner_text() == "1 of 7 shown"
    page.get_by_label("Text").fill("")
    page.get_by_label("Found", exact=True).select_option("minor.escalate")
    assert _visible_refs(page) == ["item-7"]
    page.get_by_label("Found", exact=True).select_option(label="errors")
    assert _visible_refs(page) == ["broken.jpg"]
    page.get_by_label("Found", exact=True).select_option(label="something skipped")
    assert _visible_refs(page) == ["clip.mp4"]
    page.get_by_label("Found", exact=True).select_option(label="anything")
    for action in ("Escalate", "Block", "Review"):
        page.locator(".pill", has_text=action).click()
    assert _visible_refs(page) == ["fake.jpg", "clip.mp4"]
    page.get_by_label("Text").fill("no such thing")
    assert page.get_by_text("No item passes these filters.").is_visible()


def test_the_filters_work_from_the_keyboard(open_page: Open) -> None:
    page = open_page(report("html", one_of_each()))
    page.locator("input[value=block]").focus()
    page.keyboard.press("Space")
    assert "copy.jpg" not in _visible_refs(page)
    assert (
        page.locator("input[value=block] + span").evaluate("e => getComputedStyle(e).outlineStyle")
        == "solid"
    )


def test_without_its_script_the_page_shows_everything_and_no_dead_controls(
    open_page: Open,
) -> None:
    page = open_page(report("html", one_of_each()), script=False)
    assert len(_visible_refs(page)) == 7
    assert not page.locator("#filters").is_visible()


@pytest.mark.parametrize("width", [320, PHONE, 768, DESKTOP])
def test_no_width_scrolls_sideways(open_page: Open, width: int) -> None:
    long = blocked("x" * 400, match(bank="b" * 128, entry="e" * 200, edit="border+rotate90"))
    verdicts = [*one_of_each(), long, broken("y" * 400, "z" * 400)]
    page = open_page(report("html", verdicts, policy="p" * 90, banks=("q" * 128,)), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_names_run_nothing(open_page: Open) -> None:
    page = open_page(report("html", [blocked(ref) for ref in HOSTILE_REFS]))
    assert page.locator("#rows tr").count() == len(HOSTILE_REFS)
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 0
    assert "49" not in "".join(_visible_refs(page))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(open_page: Open, scheme: str) -> None:
    """WCAG 2.2, success criterion 1.4.3: a contrast of 4.5 to 1."""
    verdicts = one_of_each()
    page = open_page(report("html", verdicts, interrupted=True, suppressed=1), scheme=scheme)
    assert page.evaluate(FAINT) == []


def test_landmarks_headings_and_headers_are_there(open_page: Open) -> None:
    page = open_page(report("html", one_of_each()), width=PHONE)
    assert page.evaluate("document.documentElement.lang") == "en"
    for role in ("banner", "main", "contentinfo", "search"):
        assert page.get_by_role(role).count() == 1
    assert page.get_by_role("heading", level=1).count() == 1
    # Also on a phone, where the table is laid out as cards.
    assert page.get_by_role("columnheader", name="What was found", include_hidden=True).count()
    assert page.get_by_role("rowheader").count() >= 7


def test_the_page_prints_without_its_controls(open_page: Open) -> None:
    page = open_page(report("html", one_of_each()), scheme="dark")
    page.emulate_media(media="print")
    assert not page.locator("#filters").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
