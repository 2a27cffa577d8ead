"""Draws every page of the desk into docs/screens, in both languages.

    .venv/bin/python scripts/draw_screens.py [NAME…]

The pages are those that the browser tests go through. One picture for each page and language: the
desktop on the left, the phone on the right, light above dark. NAME: public or console.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx2
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import (  # noqa: E402
    ARGUMENTS,
    BROWSERS,
    DESKTOP,
    PATIENCE_MILLISECONDS,
    PHONE,
)
from tests.console import office, serving  # noqa: E402
from tests.integration import test_console_browser, test_public_browser  # noqa: E402
from tests.public_pages import public_app, served  # noqa: E402

SCREENS: Final = ROOT / "docs" / "screens"
LANGUAGES: Final = ("en", "fr")
SCHEMES: Final = ("light", "dark")
WIDTHS: Final = (DESKTOP, PHONE)
REDUCED: Final = 0.5
"""Of the desktop's pictures: enough to see the page, not to read every word."""
MOST_PIXELS: Final = 2400
"""Of a page's height; what is longer is cut off."""
GAP: Final = 16
QUALITY: Final = 55
BACK: Final = (128, 128, 128)

Shots = dict[str, dict[tuple[str, int], Image.Image]]


def main() -> None:
    """Draws what is named, or everything."""
    wanted = sys.argv[1:] or ["public", "console"]
    with browser() as opened:
        for name in wanted:
            draw = {"public": public, "console": console}[name]
            for language in LANGUAGES:
                keep(draw(opened, language), name, language)
    write_index()


def public(opened: Browser, language: str) -> Shots:
    """The pages of whoever asks for a removal."""
    shots: Shots = defaultdict(dict)
    for scheme in SCHEMES:
        for width in WIDTHS:
            with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
                app = held.enter_context(public_app(Path(folder), time.time, undo_seconds=0))
                origin = held.enter_context(served(app))
                page = held.enter_context(paged(opened, width, scheme))
                pages = test_public_browser.on_every_page(page, origin, app.state.desk, language)
                shoot(page, pages, shots, scheme, width)
    return shots


def console(opened: Browser, language: str) -> Shots:
    """The pages of reviewers."""
    shots: Shots = defaultdict(dict)
    for scheme in SCHEMES:
        for width in WIDTHS:
            with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
                patch = held.enter_context(pytest.MonkeyPatch.context())
                desk = held.enter_context(office(Path(folder), patch))
                origin = held.enter_context(serving(desk.app))
                with httpx2.Client(base_url=origin, timeout=60) as client:
                    desk.host_all(client)
                site = test_console_browser.Site(desk, origin)
                page = held.enter_context(paged(opened, width, scheme))
                cookies = {"egide": site.lead, "language": language}
                page.context.add_cookies(
                    [{"name": key, "value": value, "url": origin} for key, value in cookies.items()]
                )
                pages = test_console_browser.on_every_page(page, site, language)
                shoot(page, pages, shots, scheme, width)
    return shots


def shoot(page: Page, pages: Iterator[str], shots: Shots, scheme: str, width: int) -> None:
    """Takes a picture of each of `pages`."""
    for number, name in enumerate(pages, 1):
        with Image.open(io.BytesIO(page.screenshot(full_page=True))) as shot:
            picture = shot.convert("RGB")
        picture = picture.crop((0, 0, picture.width, min(picture.height, MOST_PIXELS)))
        if width == DESKTOP:
            picture = picture.resize(
                (round(picture.width * REDUCED), round(picture.height * REDUCED)),
                Image.Resampling.LANCZOS,
            )
        word = re.sub(r"[^a-z]+", "-", name.lower()).strip("-")  # digits are of chance
        shots[f"{number:02d}-{word}"][scheme, width] = picture


def keep(shots: Shots, name: str, language: str) -> None:
    """Writes the pictures, each page's on one sheet."""
    folder = SCREENS / name / language
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for page, taken in shots.items():
        sheet(taken).save(folder / f"{page}.webp", quality=QUALITY, method=6)
    print(f"{folder.relative_to(ROOT)}: {len(shots)} pages")


def sheet(taken: dict[tuple[str, int], Image.Image]) -> Image.Image:
    """The desktop on the left, the phone on the right, light above dark."""
    rows = [[taken[scheme, width] for width in WIDTHS] for scheme in SCHEMES]
    width = max(sum(each.width + GAP for each in row) for row in rows) + GAP
    height = sum(max(each.height for each in row) + GAP for row in rows) + GAP
    whole = Image.new("RGB", (width, height), BACK)
    top = GAP
    for row in rows:
        left = GAP
        for each in row:
            whole.paste(each, (left, top))
            left += each.width + GAP
        top += max(each.height for each in row) + GAP
    return whole


def write_index() -> None:
    """A page that shows them all."""
    lines = ["# Every page of the desk", "", "Drawn by `scripts/draw_screens.py`.", ""]
    for folder in sorted(each for each in SCREENS.glob("*/*") if each.is_dir()):
        lines += [f"## {folder.parent.name}, {folder.name}", ""]
        for file in sorted(folder.glob("*.webp")):
            title = file.stem.partition("-")[2].replace("-", " ")
            lines += [f"![{title}]({file.relative_to(SCREENS)})", ""]
    (SCREENS / "README.md").write_text("\n".join(lines), encoding="utf-8")


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield opened
        opened.close()


@contextmanager
def paged(opened: Browser, width: int, scheme: str) -> Iterator[Page]:
    """A page of a browser of its own."""
    context = opened.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    yield page
    context.close()


if __name__ == "__main__":
    main()
