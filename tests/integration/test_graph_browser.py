"""The page of `egide trace --graph` in a real browser."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from egide.provenance.account import Link, Trace
from egide.provenance.statements import Generation, NamedModel, Role, Trust
from egide.report.graph import Graph
from egide.sniff import Kind
from tests.browser import FAINT, browser, watched
from tests.report_samples import HOSTILE_REFS

__all__ = ["browser"]

Open = Callable[..., Page]
BASES = ("lakes_xl", "meadow-v2", "hills_real")
ADAPTERS = ("soft-light", "velora_quintane", "mist", "grain", "watercolor_landscape")


def traced(n: int, ref: str | None = None) -> Trace:
    """A picture with a base model and two adapters; every fifth names a likeness."""
    base = NamedModel(Role.BASE, BASES[n % 3], None, {"autov2": f"{n % 3}" * 10})
    adapters = (
        NamedModel(Role.ADAPTER, ADAPTERS[n % 5], 0.8, {"autov3": f"{n % 5}" * 12}),
        NamedModel(Role.ADAPTER, f"own-{n // 10}", 0.5),
    )
    made = Generation(("a1111", "comfyui")[n % 2], ("png:parameters",), Trust.TEXT, "1.10")
    link = Link(
        model=1,
        hub="civitai",
        listing=str(4711 + n % 5),
        version="900",
        sureness="weak" if n % 5 == 2 else "sure",
        by=("file",) if n % 5 == 2 else ("autov3",),
        base_model="SDXL 1.0",
        creator=f"account-{'abcde'[n % 5 // 2]}{'x' * 9}",
        named=0.97 if n % 5 == 1 else 0.0,
        library=n % 5,
    )
    return Trace(
        ref or f"uploads/2024/IMG_{n:04}.png",
        Kind.IMAGE,
        None,
        generations=(made,),
        models=(base, *adapters),
        links=(link,),
        private=frozenset({1}) if n % 5 == 1 else frozenset(),
    )


def page_of(*traces: Trace, reveal: bool = False) -> str:
    graph = Graph(reveal=reveal)
    for trace in traces:
        graph.add(trace)
    out = io.StringIO()
    graph.write(out)
    return out.getvalue()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a graph and holds it to making no request and no complaint."""
    with watched(browser) as show:

        def opened(*traces: Trace, **how: Any) -> Page:
            path = tmp_path / "graph.html"
            path.write_text(page_of(*traces), encoding="utf-8")
            return show(path, **how)

        yield opened


def many(count: int = 200) -> list[Trace]:
    return [traced(n) for n in range(count)]


def test_one_picture_leads_to_its_models_listing_and_account(open_page: Open) -> None:
    page = open_page(traced(0))
    assert page.title() == "égide trace: 1 file names 3 models"
    assert page.locator("img, picture, video, iframe, object, script").count() == 0
    assert page.locator(".net .box").count() == 6
    assert page.locator(".net path").count() == 5
    assert "civitai 4711" in page.locator(".net").inner_text()
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content") or ""
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


@pytest.mark.parametrize("count", [1, 40, 200])
def test_no_box_covers_another_and_no_text_leaves_its_box(open_page: Open, count: int) -> None:
    page = open_page(*many(count))
    outside = page.evaluate(
        """() => [...document.querySelectorAll(".net .box")].filter((box) => {
          const frame = box.querySelector("rect").getBoundingClientRect();
          return [...box.querySelectorAll("text")].some((text) => {
            const own = text.getBoundingClientRect();
            return own.right > frame.right || own.left < frame.left || own.bottom > frame.bottom;
          });
        }).map((box) => box.textContent)"""
    )
    assert outside == []
    frames = [box.bounding_box() for box in page.locator(".net .box rect").all()]
    corners = {(round(f["x"]), round(f["y"])) for f in frames if f is not None}
    assert len(corners) == len(frames)


def test_pictures_that_name_the_same_models_share_a_box(open_page: Open) -> None:
    page = open_page(*(replace(traced(0), ref=f"{n}.png") for n in range(12)))
    assert page.locator(".net .box").count() == 6
    assert "12 files" in page.locator(".net").inner_text()


def test_names_that_may_be_those_of_people_are_masked(open_page: Open) -> None:
    assert "velora" not in open_page(*many(10)).content()
    assert "velora" in page_of(*many(10), reveal=True)


def test_likenesses_stand_out(open_page: Open) -> None:
    page = open_page(*many(5))
    assert page.locator(".net .box.likeness").count() == 1
    assert page.locator(".net path.unsure").count() == 1


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_the_page_does_not_scroll_sideways(open_page: Open, width: int) -> None:
    page = open_page(traced(0, "x" * 400), *many(5), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(open_page: Open, scheme: str) -> None:
    page = open_page(*many(10), scheme=scheme)
    assert page.evaluate(FAINT) == []


def test_hostile_names_run_nothing(open_page: Open) -> None:
    for ref in HOSTILE_REFS:
        hostile = traced(0, ref)
        named = replace(hostile, models=(NamedModel(Role.BASE, ref), *hostile.models[1:]))
        assert open_page(named).locator("script, img").count() == 0


def test_files_without_models_are_counted_and_not_drawn(open_page: Open) -> None:
    page = open_page(Trace("a.png", Kind.IMAGE, None), Trace("b.png", Kind.IMAGE, None))
    assert page.get_by_role("heading", level=1).inner_text() == "No file names a model"
    assert "2 more files name no model" in page.content()
