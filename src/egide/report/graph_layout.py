"""Lays out a graph of four columns: every node a box, every edge a curve to the column right of it.

Boxes are ordered so that few edges cross: each column by the mean place of what it is joined to, in
a few sweeps (Sugiyama, Tagawa, Toda 1981). Units are those of the drawing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

BOX_WIDTH: Final = 248
BOX_HEIGHT: Final = 46
GAP: Final = 14
COLUMN: Final = 330
MARGIN: Final = 4
HEAD: Final = 30
"""Room above the boxes for the columns' titles."""

_SWEEPS: Final = 4
_MOST_LETTERS: Final = 32
_MOST_NOTE: Final = 40
_THICKEST: Final = 7.0

Key = tuple[int, Hashable]
"""A node: its column, and what tells it from others there."""


@dataclass(slots=True)
class Node:
    """A box to be: two lines of text, `title` what it says when pointed at, `style` its class."""

    text: str
    note: str
    title: str
    style: str = ""


class Box(NamedTuple):
    """A box in its place."""

    x: float
    y: float
    text: str
    note: str
    title: str
    style: str


class Curve(NamedTuple):
    """An edge: its path, its width, its class, and what it says when pointed at."""

    path: str
    width: float
    style: str
    title: str


class Drawn(NamedTuple):
    """The drawing."""

    width: float
    height: float
    boxes: Sequence[Box]
    curves: Sequence[Curve]
    heads: Sequence[tuple[float, str]]
    """(x, title) of each column."""


@dataclass(slots=True)
class Net:
    """Nodes and the edges between them; `edges` count how many pictures go along each."""

    nodes: dict[Key, Node] = field(default_factory=dict)
    edges: dict[tuple[Key, Key], int] = field(default_factory=dict)
    unsure: set[tuple[Key, Key]] = field(default_factory=set)

    def join(self, left: Key, right: Key, count: int, *, unsure: bool = False) -> None:
        """Adds `count` to the edge from `left` to `right`."""
        self.edges[left, right] = self.edges.get((left, right), 0) + count
        if unsure:
            self.unsure.add((left, right))


def lay_out(net: Net, heads: Sequence[str]) -> Drawn:
    """The drawing of `net`, `heads` being the titles of its columns."""
    columns = [[key for key in net.nodes if key[0] == n] for n in range(len(heads))]
    _order(columns, net)
    most = max((len(column) for column in columns), default=0)
    height = HEAD + most * (BOX_HEIGHT + GAP) + MARGIN
    boxes = {
        key: _box(net.nodes[key], x=MARGIN + n * COLUMN, y=round(y, 1))
        for n, column in enumerate(columns)
        for key, y in _spread(column, most * (BOX_HEIGHT + GAP))
    }
    return Drawn(
        width=2 * MARGIN + (len(heads) - 1) * COLUMN + BOX_WIDTH,
        height=height,
        boxes=list(boxes.values()),
        curves=list(_curves(net, boxes)),
        heads=[(MARGIN + n * COLUMN, head) for n, head in enumerate(heads)],
    )


def _spread(column: Sequence[Key], height: float) -> Iterator[tuple[Key, float]]:
    """The boxes of `column` over the whole height: then fewer edges run steeply."""
    for row, key in enumerate(column):
        yield key, HEAD + height * (row + 0.5) / len(column) - (BOX_HEIGHT + GAP) / 2


def _order(columns: list[list[Key]], net: Net) -> None:
    neighbours: dict[Key, list[Key]] = {key: [] for key in net.nodes}
    for left, right in net.edges:
        neighbours[left].append(right)
        neighbours[right].append(left)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 else reversed(columns):
            places = {key: _place(n, each) for each in columns for n, key in enumerate(each)}
            column.sort(key=lambda key: _mean(neighbours[key], places, places[key]))


def _place(n: int, column: Sequence[Key]) -> float:
    return (n + 0.5) / len(column)


def _mean(keys: Sequence[Key], places: Mapping[Key, float], otherwise: float) -> float:
    return sum(places[key] for key in keys) / len(keys) if keys else otherwise


def _box(node: Node, *, x: float, y: float) -> Box:
    return Box(x, y, shortened(node.text), shortened(node.note, _MOST_NOTE), node.title, node.style)


def _curves(net: Net, boxes: Mapping[Key, Box]) -> Iterator[Curve]:
    for (left, right), count in net.edges.items():
        one, other = boxes[left], boxes[right]
        x, y = one.x + BOX_WIDTH, one.y + BOX_HEIGHT / 2
        to_x, to_y = other.x, other.y + BOX_HEIGHT / 2
        middle = (x + to_x) / 2
        path = f"M{x:g} {y:g}C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}"
        width = min(_THICKEST, 1 + count**0.5 / 2)
        unsure = (left, right) in net.unsure
        title = f"{net.nodes[left].text} → {net.nodes[right].text}"
        yield Curve(path, round(width, 1), "unsure" if unsure else "", title)


def shortened(text: str, most: int = _MOST_LETTERS) -> str:
    """`text` in at most `most` letters: what is too long loses its middle."""
    if len(text) <= most:
        return text
    head = most // 3
    return f"{text[:head]}…{text[len(text) - (most - head - 1) :]}"
