"""The page of figures and letters in a real browser: readable by everybody, asking for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from starlette.staticfiles import StaticFiles

from egide.desk.letters import LetterKind
from egide.desk.transparency import HOUR, Complaint, Story
from egide.desk.transparency_public import PublicFigures, figures_of, months_before
from egide.language import available
from egide.web import figures_pages
from tests.browser import DESKTOP, FAINT, PHONE, browser, watched
from tests.public_pages import public_app, served
from tests.unit.desk.letter_samples import every_letter

__all__ = ["browser"]

NOW = 1_790_000_000_000
BOUNDS = months_before(NOW, 12)
STORY = Story("FR", "person", 0, 0, True, True, False, (), (), (), (), (), None)
WHOLE = "document.documentElement.scrollWidth <= window.innerWidth"


def stories() -> list[Story]:
    """A year: few at first, some wrong removals, all but one law used often."""
    found = []
    for number, begin in enumerate(BOUNDS[:-1]):
        for each in range(3 + 4 * number):
            wrong = (Complaint("uploader", begin, begin + HOUR, True),) if each % 9 == 8 else ()
            found.append(
                replace(
                    STORY,
                    jurisdiction="UK" if (number, each) == (5, 0) else "EU" if each % 3 else "FR",
                    received=begin + each * HOUR,
                    decided=begin + (each + 20) * HOUR,
                    removed=each % 4 > 0,
                    gone=(begin + 40 * HOUR,),
                    complaints=wrong,
                )
            )
    return found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with public_app(tmp_path_factory.mktemp("home"), lambda: NOW / 1000) as app:
        app.include_router(figures_pages.router)
        app.mount("/static/figures", StaticFiles(directory=figures_pages.STATIC))
        with served(app) as url:
            yield url


FULL, EMPTY = figures_of(stories(), BOUNDS), figures_of([], BOUNDS[-1:])


@pytest.mark.parametrize(
    ("figures", "language", "width", "scheme"),
    [
        (FULL, "en", DESKTOP, "light"),
        (FULL, "fr", PHONE, "dark"),
        (EMPTY, "fr", DESKTOP, "light"),
    ],
)
def test_everybody_can_read_the_figures(
    browser: Browser,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    figures: PublicFigures,
    language: str,
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    shown(monkeypatch, figures)
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/figures?language={language}")

    assert page.evaluate("document.documentElement.lang") == language
    assert page.evaluate(FAINT) == []
    assert page.evaluate(WHOLE)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert not complaints
    assert all(each.startswith(address) for each in asked)
    assert page.locator("svg.plot").count() == (4 if figures.months else 0)
    context.close()


def shown(monkeypatch: pytest.MonkeyPatch, figures: PublicFigures) -> None:
    """Has the page show these figures, counted anew each time."""
    monkeypatch.setattr(figures_pages, "public_figures", lambda *_: figures)
    monkeypatch.setattr(figures_pages, "KEPT_SECONDS", 0.0)


def test_every_plot_has_its_numbers_beside_it(
    browser: Browser, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also without a script; what is not told is drawn as that."""
    made = FULL
    shown(monkeypatch, made)
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{address}/figures?language=en")
    tables = page.locator("section:has(svg) table")
    for number, series in enumerate((made.received, made.removed, made.refused)):
        cells = tables.nth(number).locator("tbody td").all_text_contents()
        assert cells == ["–not told" if p.hidden else str(p.number) for p in series.parts]
        drawn = page.locator("section:has(svg)").nth(number).locator("rect.hidden")
        assert drawn.count() == sum(part.hidden for part in series.parts)
    assert "removed wrongly, and put back" in page.content()
    context.close()


@pytest.mark.parametrize("language", available())
def test_letters_are_pages_that_everybody_can_read(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    kinds = (LetterKind.REFUSAL, LetterKind.STATEMENT)
    letters = [letter for letter in every_letter(language) if letter.kind in kinds]
    with watched(browser) as show:
        for letter, scheme, width in zip(letters, ("light", "dark"), (DESKTOP, PHONE), strict=True):
            path = tmp_path / f"{letter.kind}.html"
            path.write_text(letter.html(), encoding="utf-8")
            page = show(path, width=width, scheme=scheme)
            assert page.evaluate(FAINT) == []
            assert page.evaluate(WHOLE)
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
