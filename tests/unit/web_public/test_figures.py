"""The page of figures: counted once, whole months alone, and open to everybody."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from egide.desk.desk import Desk
from egide.desk.notices import Notice
from egide.desk.transparency_public import PublicFigures, Told, figures_of, public_figures
from egide.web import figures_pages
from egide.web.figures_pages import Counted
from egide.web.figures_plot import HEIGHT, LEFT, STUB, WIDTH, plot_of, rounded_up
from tests.unit.desk.office import document
from tests.unit.web_public.conftest import Clock


@pytest.fixture(scope="module", autouse=True)
def application(_opened: tuple[FastAPI, Clock]) -> FastAPI:
    """With the page of figures beside the others."""
    _opened[0].include_router(figures_pages.router)
    return _opened[0]


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """When figures were counted."""
    begun: list[int] = []

    def counting(database: Any, now: int) -> PublicFigures:
        begun.append(now)
        time.sleep(0.05)
        return figures_of([], [now])

    monkeypatch.setattr(figures_pages, "public_figures", counting)
    return begun


def counted(clock: Clock) -> Counted:
    book = SimpleNamespace(database=None, now=lambda: round(clock.now * 1000))
    return Counted(SimpleNamespace(desk=SimpleNamespace(book=book)))  # type: ignore[arg-type]


def test_many_who_ask_at_once_are_answered_by_one_count(counts: list[int]) -> None:
    kept = counted(Clock())

    async def asking() -> None:
        await asyncio.gather(*(kept.figures() for _ in range(50)))
        await kept.figures()

    asyncio.run(asking())
    assert len(counts) == 1


def test_they_are_counted_anew_when_a_month_ends(counts: list[int]) -> None:
    clock = Clock()
    clock.now = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC).timestamp()
    kept = counted(clock)

    async def asking() -> None:
        await kept.figures()
        await kept.figures()
        clock.now += 1
        await kept.figures()

    asyncio.run(asking())
    assert len(counts) == 2


def test_who_goes_away_does_not_stop_the_count(counts: list[int]) -> None:
    kept = counted(Clock())

    async def asking() -> None:
        first = asyncio.create_task(kept.figures())
        await asyncio.sleep(0.01)
        first.cancel()
        await kept.figures()

    asyncio.run(asking())
    assert len(counts) == 1


def test_everybody_may_look(
    visitor: TestClient, desk: Desk, clock: Clock, application: FastAPI
) -> None:
    for number in range(6):
        sent = document(locations=[f"https://lumen.example/{number}"], signature=str(number))
        desk.receive(Notice.from_json(sent), f"198.51.{number}.1")
    clock.now += 40 * 86_400
    if hasattr(application.state, "counted"):
        del application.state.counted
    answer = visitor.get("/figures?language=fr")

    assert answer.status_code == 200
    assert answer.headers["content-language"] == "fr"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers
    assert "Notre action en chiffres" in answer.text
    figures = public_figures(desk.book.database, desk.book.now())
    assert figures.received.total.number is not None
    assert f"<strong>{figures.received.total.number}</strong>" in answer.text
    assert "EG-" not in answer.text
    assert visitor.post("/figures").status_code == 405


def test_columns_stand_in_their_places() -> None:
    plot = plot_of([Told(0), Told(None), Told(7)], ["Jan", "Feb", "Mar"])

    assert plot is not None
    assert [level.number for level in plot.levels] == [0, 2, 4, 6, 8]
    none, hidden, seven = plot.columns
    assert (none.height, hidden.height, hidden.hidden) == (0, STUB, True)
    assert seven.height == pytest.approx((plot.levels[0].y - plot.levels[4].y) * 7 / 8, abs=0.2)
    assert all(each.x >= LEFT and each.x + each.width <= WIDTH for each in plot.columns)
    assert all(each.y + each.height <= HEIGHT for each in plot.columns)
    assert plot_of([Told(None), Told(0)], ["Jan", "Feb"]) is None


@pytest.mark.parametrize(
    ("value", "up"), [(1, 4), (4, 4), (5, 8), (9, 12), (13, 20), (21, 40), (999, 1200)]
)
def test_scales_end_at_round_numbers(value: int, up: int) -> None:
    assert rounded_up(value) == up
