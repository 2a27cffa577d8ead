"""Which stretches of two videos are the same, from the frames of theirs that match.

A frame stands for a span of time, until the next that differs. Two matching frames allow every
shift of one video against the other that lets their spans overlap; the shift that most frames
allow is taken, then the next, since a copy may be cut and put together anew. Copies run at the
speed of the original, whatever their frame rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

TOLERANCE: Final = 600
"""Milliseconds by which two frames may miss one another: a little more than the time between two
samples of the banked video."""

MOST_SHIFTS: Final = 8
"""How many shifts are taken, at most: so many stretches of other order are told apart."""

MOST_PAIRS: Final = 20_000
_MOST_TRIED: Final = 256


class FramePair(NamedTuple):
    """Two frames that match: when each is shown, and for how long it stands, in milliseconds.

    `distance` is how far they are apart, in bits, 0..63.
    """

    at: int
    span: int
    banked_at: int
    banked_span: int
    distance: int = 0


class Stretch(NamedTuple):
    """A part of the queried video and the part of the banked one that it shows, [start, end) ms."""

    start: int
    end: int
    banked_start: int
    banked_end: int


class Shared(NamedTuple):
    """What two videos share: the stretches, in order, and how many frames of the query match."""

    stretches: tuple[Stretch, ...]
    frames: int

    @property
    def milliseconds(self) -> int:
        """How much of the query is shared."""
        return sum(end - start for start, end in _union([(s.start, s.end) for s in self.stretches]))

    @property
    def banked_milliseconds(self) -> int:
        """How much of the banked video is shared."""
        banked = [(s.banked_start, s.banked_end) for s in self.stretches]
        return sum(end - start for start, end in _union(banked))


def shared(pairs: Sequence[FramePair]) -> Shared:
    """The stretches that the frames in `pairs` show to be the same; the first 20,000 count."""
    if not pairs:
        return Shared((), 0)
    table = np.array(pairs[:MOST_PAIRS], np.int64)
    ends = table[:, 2] + table[:, 3]
    last = int(ends.max())
    frames = len(np.unique(table[:, 0]))
    stretches: list[Stretch] = []
    for _ in range(MOST_SHIFTS):
        if not len(table):
            break
        shift = _best_shift(table)
        fitting = _fitness(table, shift) > 0
        stretches += _stretches(table[fitting], shift, last)
        # What a taken frame shows is explained: it supports no other shift.
        table = table[~np.isin(table[:, 0], table[fitting, 0])]
    return Shared(tuple(sorted(stretches)), frames)


def _best_shift(table: NDArray[np.int64]) -> int:
    """The shift, query less banked, that the most frames of the query allow, and allow best."""
    tried = np.unique(table[:, 0] - table[:, 2])
    if len(tried) > _MOST_TRIED:
        tried = tried[np.linspace(0, len(tried) - 1, _MOST_TRIED).astype(np.intp)]
    frames, frame = np.unique(table[:, 0], return_inverse=True)
    support = []
    for shift in tried:
        best = np.zeros(len(frames))
        np.maximum.at(best, frame, _fitness(table, int(shift)))
        support.append(best.sum())
    return int(tried[int(np.argmax(support))])


def _fitness(table: NDArray[np.int64], shift: int) -> NDArray[np.float64]:
    """How well each pair allows `shift`: 1 when they are equal and one lies in the other's span."""
    at, span, banked_at, banked_span, distance = table.T
    overlap = np.minimum(at + span, banked_at + banked_span + shift) - np.maximum(
        at, banked_at + shift
    )
    share = (overlap + TOLERANCE) / (np.minimum(span, banked_span) + TOLERANCE)
    # Frames of a slow shot match their neighbours too, less well.
    fitness: NDArray[np.float64] = np.clip(share, 0.0, 1.0) * (1 - distance / 128)
    return fitness


def _stretches(table: NDArray[np.int64], shift: int, last: int) -> Iterator[Stretch]:
    """The time that the frames in `table` stand for, as far as the banked video, moved, goes."""
    spans = []
    for at, span, *_ in table.tolist():
        start, end = max(at, shift), min(at + max(span, 1), last + shift)
        if start < end:
            spans.append((start, end))
    for start, end in _union(spans, TOLERANCE):
        yield Stretch(start, end, start - shift, end - shift)


def _union(spans: Sequence[tuple[int, int]], gap: int = 0) -> list[tuple[int, int]]:
    """`spans` in order, those joined that overlap or are at most `gap` apart."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1] + gap:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
