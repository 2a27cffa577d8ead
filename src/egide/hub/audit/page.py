"""The audit as one self-contained page: nothing from elsewhere, legible on paper, no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final, NamedTuple

from egide.hub.audit.hub_policy import Breaches
from egide.hub.audit.tables import FEWER, Cell, Table

MOST_BARS: Final = 12
MOST_SHOWN: Final = 12
WIDTH, HEIGHT, LEFT, BOTTOM = 720, 220, 56, 26
"""Of the plot of months, in its own units: in all, and what its scales take."""


PLOTTED: Final = ("by_month", "offers_by_month", "rating_mismatch_by_month")


class Bar(NamedTuple):
    """One bar: `share` in percent of the longest, or of all."""

    name: str
    number: str
    share: float
    quiet: bool
    """Of what was put together."""


class Plot(NamedTuple):
    """The plot of months: columns for each month, a line for all so far, in SVG units."""

    columns: tuple[tuple[float, float, float, float, str], ...]
    line: str
    levels: tuple[tuple[float, str, str], ...]
    """(y, number of the columns, number of the line)."""
    years: tuple[tuple[float, str], ...]
    said: str


def audit_page(
    summary: dict[str, Any], tables: Sequence[Table], broken: Breaches | None, seconds: float
) -> str:
    """The page."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  only a page needs it

    style = _asset("audit.css")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": _number, "percent": _percent}
    by_name = {table.name: table for table in tables}
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    page: str = environment.from_string(_asset("audit.html.j2")).render(
        style=style,
        style_hash=f"'sha256-{digest}'",
        summary=summary,
        headline=headline(summary),
        text_headline=text_headline(summary["texts"]),
        plots={name: plot_of(table) for name, table in by_name.items() if name in PLOTTED},
        bars={name: bars_of(table) for name, table in by_name.items()},
        tables=by_name,
        shown=MOST_SHOWN,
        policy=None if broken is None else broken.policy,
        made=datetime.now(UTC).strftime("%-d %B %Y, %H:%M UTC"),
        seconds=round(seconds),
    )
    return page


def headline(summary: dict[str, Any]) -> str:
    """What the audit comes to, in one line."""
    if not summary["models_total"]:
        return text_headline(summary["texts"]) or "No listing could be read"
    number, total = summary["likeness_total"], summary["models_total"]
    if not number:
        return f"No model of a real person found among {total:,}"
    what = "model imitates a real person" if number == 1 else "models imitate real people"
    return f"{number:,} of {total:,} {what}"


def text_headline(texts: dict[str, Any]) -> str:
    """What the texts of an audit come to, in one line; empty when there were none."""
    if not texts["total"]:
        return ""
    if not texts["offers"]:
        return f"No offer found among {texts['total']:,} texts"
    what = "text offers" if texts["offers"] == 1 else "texts offer"
    return f"{texts['offers']:,} of {texts['total']:,} {what} synthetic intimate pictures"


def bars_of(table: Table) -> list[Bar]:
    """The first lines of `table` as bars, by its second column; of FEWER last."""
    rows = [row for row in table.rows if isinstance(row[1], int)]
    listed = [row for row in rows if row[0] != FEWER][:MOST_BARS]
    rest = [row for row in rows if row[0] == FEWER]
    most = max((_int(row[1]) for row in [*listed, *rest]), default=0)
    return [
        Bar(str(row[0]), _number(row[1]), 100 * _int(row[1]) / (most or 1), row[0] == FEWER)
        for row in [*listed, *rest]
    ]


def plot_of(table: Table) -> Plot | None:
    """The plot of models by month; None when there are not two months."""
    if len(table.rows) < 2:
        return None
    counts = [_int(row[1]) for row in table.rows]
    totals = [_int(row[2]) for row in table.rows]
    top, whole = _round_up(max(counts)), _round_up(max(totals))
    room, height = WIDTH - 2 * LEFT, HEIGHT - BOTTOM - 10
    step = room / len(counts)
    columns, points, years = [], [], []
    for number, row in enumerate(table.rows):
        x = LEFT + number * step
        tall = height * counts[number] / top
        told = "fewer than 5" if row[1] is None else _number(row[1])
        columns.append((
            round(x + step * 0.12, 2), round(10 + height - tall, 2), round(step * 0.76, 2),
            round(tall, 2), f"{row[0]}: {told}, {_number(row[2])} in all",
        ))  # fmt: skip
        points.append(f"{x + step / 2:.1f},{10 + height * (1 - totals[number] / whole):.1f}")
        if str(row[0]).endswith("-01") or number == 0:
            years.append((round(x, 2), str(row[0])[:4]))
    levels = tuple(
        (
            round(10 + height * (1 - part), 2),
            _number(round(top * part)),
            _number(round(whole * part)),
        )
        for part in (0, 0.25, 0.5, 0.75, 1)
    )
    if len(years) > 1 and years[1][0] - years[0][0] < 34:
        years = years[1:]
    said = f"from {table.rows[0][0]} to {table.rows[-1][0]}, {_number(totals[-1])} in all"
    return Plot(tuple(columns), " ".join(points), levels, tuple(years), said)


def _round_up(value: int) -> int:
    """The next number that four steps divide and people like, at least 4."""
    size = 4
    while True:
        for factor in (1, 2, 3, 5):
            if size * factor >= value:
                return size * factor
        size *= 10


def _int(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0


def _number(cell: Any) -> str:
    if cell is None:
        return "–"
    return f"{cell:,}" if isinstance(cell, (int, float, Decimal)) else str(cell)


def _percent(share: float | None) -> str:
    if share is None:
        return "–"
    percent = 100 * share
    return f"{percent:.2f} %" if 0 < percent < 1 else f"{percent:.1f} %"


def _asset(name: str) -> str:
    return files("egide.hub.audit").joinpath("templates", name).read_text(encoding="utf-8")
