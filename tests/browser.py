"""Pages of ours in a real browser, held to making no request and no complaint."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MILLISECONDS: Final = 30_000
"""What a page is given to become what is expected, on a machine that does other work too."""
DESKTOP: Final = 1280
PHONE: Final = 390
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of one module."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.fail(f"none of {', '.join(BROWSERS)} is on PATH; `make test` installs chromium")
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield opened
        opened.close()


def at_each_width(page: Page, *widths: int) -> Iterator[int]:
    """Shows the page that is there at each width, and then at the one that it had, unloaded by
    none of it."""
    before = page.viewport_size
    assert before is not None
    for width in widths:
        page.set_viewport_size({"width": width, "height": before["height"]})
        yield width
    page.set_viewport_size(before)


class Show(Protocol):
    """Opens a page that stands alone in a file."""

    def __call__(
        self,
        path: Path,
        *,
        width: int = DESKTOP,
        scheme: str = "light",
        script: bool = True,
        medium: str = "screen",
    ) -> Page:
        """The page, loaded."""


@contextmanager
def watched(browser: Browser) -> Iterator[Show]:
    """Fails at its end when a page that was shown asked for anything, or complained."""
    asked: list[str] = []
    complaints: list[str] = []
    contexts = []
    shown: list[str] = []

    def show(
        path: Path,
        *,
        width: int = DESKTOP,
        scheme: str = "light",
        script: bool = True,
        medium: str = "screen",
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        page.emulate_media(media="print" if medium == "print" else "screen")
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(path.as_uri())
        shown.append(path.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert not complaints
    assert asked == shown
