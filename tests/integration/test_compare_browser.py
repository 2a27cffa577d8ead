"""The page of `egide compare` in a real browser."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page

from egide import Item
from egide.compare import Comparison, Distance, compare
from egide.finding import Fault, Finding, Skip
from egide.label import Label
from egide.report.compared import write_comparison
from tests.browser import FAINT, browser, watched
from tests.report_samples import DETECTOR, HOSTILE_REFS

__all__ = ["browser"]

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
STRETCHES: Final = [
    {"at": [3000, 7970], "banked_at": [2000, 6970]},
    {"at": [9000, 10_000], "banked_at": [0, 1000]},
]

Open = Callable[..., Page]


def page_of(found: Comparison) -> str:
    out = io.StringIO()
    write_comparison(found, out)
    return out.getvalue()


@pytest.fixture(scope="module")
def crop() -> Comparison:
    one, other = EXAMPLES / "uploads" / "cropped.jpg", EXAMPLES / "known" / "coffee.jpg"
    return compare(Item.from_path(one), Item.from_path(other))


def everything(ref: str = "one.mp4") -> Comparison:
    """Two videos of which there is something to say of every sort."""
    by_pdq = {
        "method": "pdq", "distance": 4, "edit": "border+mirror", "at": 3840, "banked_at": 2840,
        "frames": 33, "length": 11_000, "banked_length": 8000, "share": 0.54, "banked_share": 0.75,
        "stretches": STRETCHES,
    }  # fmt: skip
    by_parts = {
        "method": "local", "edit": "mirror", "alignment": 20.1, "inliers": 31, "coverage": 0.62,
        "region": [[0.1, 0.1], [0.9, 0.2], [0.5, 0.9]], "aspect": 0.1,
        "banked_region": [[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]], "banked_aspect": 9.0,
        "at": 3000, "banked_at": 2000,
    }  # fmt: skip
    return Comparison(
        Item.from_bytes(b"one", ref),
        Item.from_bytes(b"other", "x" * 300 + ".mp4"),
        False,
        (Distance("upright", 92, "none", 3840, 2840), Distance("turned", 4, "mirror", 3840, 2840)),
        tuple(Finding(DETECTOR, Label.NCII_KNOWN, 0.95, each) for each in (by_pdq, by_parts)),
        (Skip(DETECTOR, "y" * 300), Fault(DETECTOR, "truncated", "The item is truncated: mkv")),
    )


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a comparison's page and holds it to making no request and no complaint."""
    with watched(browser) as show:

        def opened(found: Comparison, **how: Any) -> Page:
            path = tmp_path / "compared.html"
            path.write_text(page_of(found), encoding="utf-8")
            return show(path, **how)

        yield opened


def test_the_page_opens_without_a_request_an_error_or_a_picture(
    open_page: Open, crop: Comparison
) -> None:
    page = open_page(crop)
    assert page.title() == "égide comparison: One shows the other, or a part of it"
    assert page.locator("img, picture, video, iframe, object, script").count() == 0
    assert page.evaluate("getComputedStyle(document.body).marginTop") == "0px"  # the style holds


def test_its_policy_allows_its_own_style_and_nothing_else(
    open_page: Open, crop: Comparison
) -> None:
    page = open_page(crop)
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content") or ""
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert "unsafe" not in policy


def test_the_parts_are_drawn_inside_their_outlines(open_page: Open, crop: Comparison) -> None:
    page = open_page(crop)
    assert page.locator(".outline").count() == 2
    for sheet, part in zip(
        page.locator(".outline .sheet").all(), page.locator(".outline .part").all(), strict=True
    ):
        outer, inner = sheet.bounding_box(), part.bounding_box()
        assert outer is not None
        assert inner is not None
        assert outer["x"] - 1 <= inner["x"]
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1
        assert inner["width"] > outer["width"] / 3
    assert page.get_by_role("img", name="Outline of the first picture").count() == 1


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_stretches_of_two_videos_are_drawn_to_scale(open_page: Open, width: int) -> None:
    page = open_page(everything(), width=width)
    first = page.locator(".reel").first
    sheet = first.locator(".sheet").bounding_box()
    part = first.locator(".part").first.bounding_box()
    assert sheet is not None
    assert part is not None
    assert sheet["width"] > width / 2
    assert (part["x"] - sheet["x"]) / sheet["width"] == pytest.approx(3 / 11, abs=0.02)
    assert part["width"] / sheet["width"] == pytest.approx(4.97 / 11, abs=0.02)
    assert page.locator(".reel .part").count() == 4


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_width_scrolls_sideways(open_page: Open, width: int) -> None:
    page = open_page(everything("x" * 400), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(open_page: Open, scheme: str) -> None:
    page = open_page(everything(), scheme=scheme)
    assert page.evaluate(FAINT) == []


def test_hostile_names_run_nothing(open_page: Open) -> None:
    for ref in HOSTILE_REFS:
        page = open_page(everything(ref))
        assert page.locator("script, img").count() == 0


def test_landmarks_and_headings_are_there(open_page: Open) -> None:
    page = open_page(everything())
    assert page.evaluate("document.documentElement.lang") == "en"
    for role in ("banner", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.get_by_role("heading", level=2).all_inner_texts() == [
        "By PDQ",
        "By local features",
        "Distances",
        "What was not compared",
    ]
