"""The plot of the page of figures: columns by month, as numbers of an SVG of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from egide.desk.transparency_public import Told

WIDTH, HEIGHT = 640, 220
LEFT, TOP, BOTTOM = 64, 12, 34
"""Of the plot, in its own units: in all, and what its scales take."""
WIDEST: Final = 40.0
GAP: Final = 0.24
STUB: Final = 14.0
"""How tall a column is drawn whose number is not told."""


class Column(NamedTuple):
    """One month: where its column stands; one that is hidden has the same height anywhere."""

    x: float
    y: float
    width: float
    height: float
    hidden: bool
    label: str
    middle: float


class Level(NamedTuple):
    """A line of the scale."""

    y: float
    number: int


class Plot(NamedTuple):
    """Columns and scale, in units of a drawing of `WIDTH` by `HEIGHT`."""

    columns: tuple[Column, ...]
    levels: tuple[Level, ...]
    end: float


def plot_of(parts: Sequence[Told], labels: Sequence[str]) -> Plot | None:
    """The plot of a series; None when there is nothing to show but hidden counts."""
    known = [part.number for part in parts if part.number is not None]
    if not any(known):
        return None
    top = rounded_up(max(known))
    room, height = WIDTH - LEFT, HEIGHT - TOP - BOTTOM
    step = min(room / len(parts), WIDEST / (1 - GAP))
    columns = []
    for place, (part, label) in enumerate(zip(parts, labels, strict=True)):
        tall = STUB if part.number is None else height * part.number / top
        x = LEFT + place * step
        columns.append(
            Column(
                round(x + step * GAP / 2, 1),
                round(TOP + height - tall, 1),
                round(step * (1 - GAP), 1),
                round(tall, 1),
                part.hidden,
                label,
                round(x + step / 2, 1),
            )
        )
    levels = tuple(
        Level(round(TOP + height * (1 - share / 4), 1), top * share // 4) for share in range(5)
    )
    return Plot(tuple(columns), levels, round(LEFT + step * len(parts), 1))


def rounded_up(value: int) -> int:
    """The next number that four steps divide and people like, at least 4."""
    size = 4
    while True:
        for factor in (1, 2, 3, 5):
            if size * factor >= value:
                return size * factor
        size *= 10
