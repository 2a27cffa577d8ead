"""`/figures`: what the desk did, as counts that anybody may see."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from egide.desk.laws import laws
from egide.desk.transparency_public import (
    LEAST,
    PublicFigures,
    Series,
    months_before,
    public_figures,
)
from egide.language.pages import environment
from egide.web.figures_plot import HEIGHT, WIDTH, Plot, plot_of
from egide.web.public_pages import SECURITY, PublicRoute, Visitor, platform_of
from egide.web.state import Service, service_of

STATIC: Final = Path(__file__).parent / "static" / "figures"
DOMAIN: Final = "letters"
KEPT_SECONDS: Final = 86_400.0
"""For so long the figures of a month are not counted anew: they change when it ends."""

router = APIRouter(route_class=PublicRoute, include_in_schema=False)


class Counted:
    """The figures of a service, counted once for many requests, all of one event loop."""

    def __init__(self, service: Service) -> None:
        self._book = service.desk.book
        self._kept: tuple[int, float, PublicFigures] | None = None
        self._counting: asyncio.Task[PublicFigures] | None = None

    async def figures(self) -> PublicFigures:
        """The figures of now; StorageError. However many ask at once, one thread counts."""
        now = self._book.now()
        month = months_before(now, 0)[0]
        if self._kept is not None and self._kept[0] == month and time.monotonic() < self._kept[1]:
            return self._kept[2]
        if self._counting is None or self._counting.done():
            work = run_in_threadpool(public_figures, self._book.database, now)
            self._counting = asyncio.create_task(work)
        found = await asyncio.shield(self._counting)
        self._kept = month, time.monotonic() + KEPT_SECONDS, found
        return found


@router.get("/figures", response_class=Response)
async def figures(request: Request) -> Response:
    """Counts by months, with a plot and a table of each; small counts are not told."""
    state = request.app.state
    if not hasattr(state, "counted"):
        state.counted = Counted(service_of(request))
    counted: Counted = state.counted
    return _page(request, await counted.figures())


def _page(request: Request, found: PublicFigures) -> Response:
    visitor = Visitor.of(request)
    language = visitor.language
    months = [_month(at, language, "MMM") for at in found.months]
    series: dict[str, Series] = {
        "received": found.received,
        "removed": found.removed,
        "refused": found.refused,
        "wrong_removals": found.wrong_removals,
    }
    plots: dict[str, Plot | None] = {
        name: plot_of(each.parts, months) for name, each in series.items()
    }
    template = environment(language, DOMAIN, "egide.web", "templates").get_template(
        "figures/figures.html.j2"
    )
    text = template.render(
        platform=platform_of(request),
        figures=found,
        series=series,
        plots=plots,
        months=[_month(at, language, "MMMM y") for at in found.months],
        laws=[(laws()[name].name.in_(language), each) for name, each in found.by_law],
        least=LEAST,
        number=lambda value: _number(value, language),
        width=WIDTH,
        height=HEIGHT,
    )
    return HTMLResponse(
        text,
        headers={
            "Content-Security-Policy": SECURITY,
            "Content-Language": language,
            "Cache-Control": "public, max-age=600",
            "Vary": "Accept-Language, Cookie",
        },
    )


def _number(value: float, language: str) -> str:
    from babel.numbers import format_decimal  # noqa: PLC0415  reads large tables

    said: str = format_decimal(value, locale=language.replace("-", "_"))
    return said


def _month(at: datetime, language: str, pattern: str) -> str:
    from babel.dates import format_date  # noqa: PLC0415  reads large tables

    said: str = format_date(at, pattern, locale=language.replace("-", "_"))
    return said
