"""A long text in windows: a model scores each, and a text is as bad as the worst of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Final, NamedTuple

WINDOW: Final = 300
"""Characters that are scored together; of a longer text the windows overlap by half."""
MOST_READ: Final = 1 << 20
"""Of a longer canonical text the beginning is scored: some signs are folded to many letters."""


class Window(NamedTuple):
    """Pieces `first` to `last` of a canonical text, which are its characters `begin` to `end`."""

    first: int
    last: int
    begin: int
    end: int


def windows_of(text: str) -> Iterator[Window]:
    """The windows of a canonical text: `WINDOW` characters, half of them new."""
    starts = list(accumulate((len(piece) + 1 for piece in text.split()), initial=1))
    first = 0
    while True:
        last = bisect_right(starts, starts[first] + WINDOW) - 1
        yield Window(first, last, starts[first] - 1, starts[last])
        if last >= len(starts) - 1 or starts[last] > MOST_READ:
            return
        first = max(first + 1, bisect_right(starts, starts[first] + WINDOW // 2) - 1)
