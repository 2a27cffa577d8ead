"""What was seen of banked entries in one item, and which of it is a known false match."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from egide.fingerprint import Fingerprint, FingerprintType
from egide.match import EntryState, Match, Polygon, Purpose
from egide.media.frames import Shown
from egide.media.timeline import FramePair, Shared, shared

LIKENESS: Final = frozenset({FingerprintType.PDQ, FingerprintType.LOCAL, FingerprintType.SSCD})
"""The types that find copies; the others find identical files."""

_GROWN: Final = 1.1
"""How much larger a region may be taken that another is to lie in: hulls end at points."""


class Query(NamedTuple):
    """One fingerprint to look up, and what it is a fingerprint of."""

    fingerprint: Fingerprint
    shown: Shown
    edits: tuple[str, ...] = ()


class Place(NamedTuple):
    """Which entry of which of the banks it is: ids are unique in one home only."""

    bank: int
    entry: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A match together with the frame that it is of, what was done to it, and the bank's number."""

    shown: Shown
    edits: tuple[str, ...]
    bank: int
    match: Match

    @property
    def place(self) -> Place:
        """Which entry it is of."""
        return Place(self.bank, self.match.entry)

    @property
    def exact(self) -> bool:
        """Whether it is the very same file."""
        return self.match.type not in LIKENESS

    @property
    def strength(self) -> float:
        """How well local features agree, or descriptors; 0 of other matches."""
        if self.match.alignment:
            return self.match.alignment.score
        return self.match.similarity or 0.0

    @property
    def order(self) -> tuple[bool, bool, int, float, int, bool, int, str]:
        """Best first: whole pictures before parts, those before what only a model says is alike,
        nearest, least edited, by digest, first seen.
        """
        return (
            self.match.similarity is not None,
            self.match.alignment is not None,
            self.match.distance,
            -self.strength,
            len(self.edits),
            not self.exact,
            self.shown.frame,
            self.match.entry,
        )

    def silences(self, other: Sighting) -> bool:
        """Whether this match in an `allow` bank shows `other` to be a known false one.

        It must be of the same frame and at least as near: a copy of the blocked picture stays
        nearer to that picture than to the harmless one that resembles it. A file that is
        identical to a blocked one is silenced by its digest alone. A part that matches is silenced
        by a harmless picture that is the whole, or that explains the same part as well: so an
        `allow` bank can hold empty templates. What a model says is alike is silenced by a harmless
        picture that is the whole, or that it says is as much alike.
        """
        if self.exact or other.exact:
            return self.exact
        if self.shown.frame != other.shown.frame:
            return False
        alike, its_alike = self.match.similarity, other.match.similarity
        if alike is not None:
            return its_alike is not None and alike >= its_alike
        mine, its = self.match.alignment, other.match.alignment
        if its_alike is not None:
            return mine is None
        if mine is None:
            return its is not None or self.match.distance <= other.match.distance
        return its is not None and mine.score >= its.score and _within(its.region, mine.region)


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen of one entry by one method: as a whole, by parts, or by a model.

    Attributes:
        best: the best sighting that counts.
        silencer: the match in an `allow` bank that silences it, when it and all others are.
        frames: how many frames of the item show the entry.
        shared: which stretches of two videos are the same, when both are videos.
    """

    best: Sighting
    silencer: Sighting | None
    frames: int
    shared: Shared | None

    @property
    def order(self) -> tuple[bool, bool, tuple[bool, bool, int, float, int, bool, int, str]]:
        """What decides comes first."""
        disputed = self.best.match.state is EntryState.DISPUTED
        return self.silencer is not None, disputed, self.best.order


def seen_entries(sightings: Iterable[Sighting]) -> list[Seen]:
    """What was seen of each entry of the `block` banks by each method, what decides first."""
    allowed: dict[int | None, list[Sighting]] = defaultdict(list)
    blocked: dict[tuple[Place, bool, bool], list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        if sighting.match.purpose is Purpose.BLOCK:
            method = sighting.match.alignment is None, sighting.match.similarity is None
            blocked[sighting.place, *method].append(sighting)
        # An entry that somebody disputes silences nothing until the dispute has ended.
        elif sighting.match.state is EntryState.ACTIVE:
            allowed[None if sighting.exact else sighting.shown.frame].append(sighting)
    for frame in allowed.values():
        frame.sort(key=lambda sighting: sighting.order)
    return sorted((_seen(all_, allowed) for all_ in blocked.values()), key=lambda seen: seen.order)


def _seen(sightings: list[Sighting], allowed: dict[int | None, list[Sighting]]) -> Seen:
    sightings.sort(key=lambda sighting: sighting.order)
    silencers = [_silencer(sighting, allowed) for sighting in sightings]
    live = [s for s, silencer in zip(sightings, silencers, strict=True) if silencer is None]
    counted = live or sightings
    common = _shared(counted)
    frames = common.frames if common else len({s.shown.frame for s in counted})
    return Seen(counted[0], None if live else silencers[0], frames, common)


def _silencer(sighting: Sighting, allowed: dict[int | None, list[Sighting]]) -> Sighting | None:
    near = [*allowed.get(None, ()), *allowed.get(sighting.shown.frame, ())]
    return next((candidate for candidate in near if candidate.silences(sighting)), None)


def _shared(sightings: Sequence[Sighting]) -> Shared | None:
    """The stretches that two videos share, laid on one another in the way that shares the most."""
    ways: dict[tuple[int, tuple[str, ...]], list[FramePair]] = defaultdict(list)
    for sighting in sightings:
        at, banked_at = sighting.shown.at, sighting.match.at
        # Local features are of key frames alone, which stand for no span.
        if at is not None and banked_at is not None and sighting.match.alignment is None:
            match = sighting.match
            ways[sighting.shown.stream, sighting.edits].append(
                FramePair(at, sighting.shown.span, banked_at, match.span or 0, match.distance)
            )
    if not ways:
        return None
    return max((shared(sorted(pairs)) for pairs in ways.values()), key=lambda s: s.milliseconds)


def _within(inner: Polygon, outer: Polygon) -> bool:
    """Whether every corner of `inner` lies in the convex `outer`, taken a little larger."""
    if len(outer) < 3:
        return False
    middle_x = sum(x for x, _ in outer) / len(outer)
    middle_y = sum(y for _, y in outer) / len(outer)
    grown = [
        (middle_x + _GROWN * (x - middle_x), middle_y + _GROWN * (y - middle_y)) for x, y in outer
    ]
    return all(_inside(corner, grown) for corner in inner)


def _inside(point: tuple[float, float], convex: Sequence[tuple[float, float]]) -> bool:
    """Whether `point` is on the same side of every edge of `convex`."""
    sides = set()
    for (x0, y0), (x1, y1) in zip(convex, [*convex[1:], convex[0]], strict=True):
        turn = (x1 - x0) * (point[1] - y0) - (y1 - y0) * (point[0] - x0)
        if turn:
            sides.add(turn > 0)
    return len(sides) < 2
