"""The HTML report in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.report_samples import HOSTILE_REFS, blocked, broken, match, one_of_each, report

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESKTOP: Final = 1280
PHONE: Final = 390

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.fail(f"none of {', '.join(BROWSERS)} is on PATH; `make test` installs chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report and holds it to making no request and no complaint."""
    asked: list[str] = []
    complaints: list[str] = []
    contexts = []

    def opened(
        text: str, *, width: int = DESKTOP, scheme: str = "light", script: bool = True
    ) -> Page:
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints
    assert all(url.endswith("/report.html") for url in asked)
    assert len(asked) == len(contexts)


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


FAINT: Final = """() => {
  const number = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = number(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *:not(script)")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !element.checkVisibility() || element.closest("svg")) continue;
    const [a, b] = [light(number(getComputedStyle(element).color)), light(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const name = element.className || element.tagName;
    if (contrast < 4.5) faint.push(`${name} ${contrast.toFixed(2)}`);
  }
  return [...new Set(faint)];
}"""
