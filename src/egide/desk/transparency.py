"""What the desk did in a period, as counts: read once from the events, then only counted.

    desk_event ─► Story (one case, frozen) ─► Counts ─► tables, public figures

A story has no number, nobody's words and no content in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.json import decode

from egide.desk.copies import covered
from egide.desk.events import EventKind

if TYPE_CHECKING:
    from egide.db import Database, Row

HOUR: Final = 3_600_000
PERSON, UPLOADER = "person", "uploader"
_SIDES: Final = {"notifier": PERSON, "uploader": UPLOADER}
_REMOVES: Final = frozenset({"remove", "confirm"})
_GONE: Final = frozenset({"removed", "gone"})
_AWAITED: Final = frozenset({"told", "overdue", "refused"})


class Complaint(NamedTuple):
    """An appeal: by whom, when it came and was decided (None: not yet), and whether it succeeded.

    Times in milliseconds since 1970, UTC.
    """

    side: str
    made: int
    decided: int | None
    reversed: bool


@dataclass(frozen=True, slots=True)
class Story:
    """One case, as far as it is counted; times in milliseconds since 1970, UTC.

    Attributes:
        source: `person`, `agent`, `authority`, `flagger`, or `screening`.
        decided: when the first decision took effect; None before.
        removed: whether it was to remove.
        on_time: whether that was within the clock.
        terms: whether the platform's terms were its only ground.
        gone: when each copy that was told to go was first said to be gone.
        matched: when a decision to remove was last about each copy that a program found, and
            `mismatched` of these those that were left, or put back after an objection.
        restored: when each copy was put back after an objection.
    """

    jurisdiction: str
    source: str
    received: int
    decided: int | None
    removed: bool
    on_time: bool
    terms: bool
    gone: tuple[int, ...]
    matched: tuple[int, ...]
    mismatched: tuple[int, ...]
    restored: tuple[int, ...]
    complaints: tuple[Complaint, ...]
    withdrawn: int | None


class Judged(NamedTuple):
    """How often people confirmed and denied what a detector said under a label."""

    detector: str
    label: str
    confirmed: int
    denied: int

    @property
    def error_rate(self) -> float | None:
        """The share that was denied; None when there was nothing."""
        total = self.confirmed + self.denied
        return self.denied / total if total else None


def read_stories(database: Database, begin: int, end: int) -> list[Story]:
    """The cases in which something happened from `begin` to just before `end`."""
    with database.read() as connection:
        matched = {row["id"]: row["how"] for row in connection.execute(_MATCHED, (begin, end))}
        by_case = groupby(connection.execute(_EVENTS, (end, begin, end)), lambda row: row["number"])
        return [_story(list(group), matched) for _, group in by_case]


_EVENTS: Final = (
    "SELECT c.number, c.jurisdiction, c.kind AS sort, e.seq, e.at, e.kind, e.data"
    " FROM desk_event e JOIN desk_case c ON c.number = e.number"
    " WHERE e.at < ? AND e.kind IN ('received', 'asked', 'completed', 'effective', 'acknowledged',"
    " 'appealed', 'appeal.decided', 'restored', 'withdrawn', 'copy.found', 'told')"
    " AND e.number IN (SELECT number FROM desk_event WHERE at >= ? AND at < ?)"
    " ORDER BY e.number, e.seq"
)
"""What is counted of the cases that have an event in the period, up to its end, by case."""
_MATCHED: Final = (
    "SELECT id, how FROM desk_copy WHERE how IN ('identical', 'similar')"
    " AND number IN (SELECT number FROM desk_event WHERE at >= ? AND at < ?)"
)
"""The copies that a search found: nobody pointed at them, and they are no detector's findings."""


def read_judged(database: Database, begin: int, end: int) -> list[Judged]:
    """What people made of what detectors said in the period, by detector and label."""
    rows = database.fetch(
        "SELECT detector, label, sum(confirmed) AS confirmed, count(*) AS judged"
        " FROM desk_judgement WHERE at >= ? AND at < ? GROUP BY detector, label"
        " ORDER BY detector, label",
        (begin, end),
    )
    return [
        Judged(row["detector"], row["label"], yes := int(row["confirmed"]), row["judged"] - yes)
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened in one period, of the stories that fit; hours are from receipt.

    Attributes:
        received: notices, orders and cases of screening that came.
        removed, refused: decisions.
        hours: how long each decision took.
        on_time: decisions within the clock.
        gone: copies that the platform said to be gone.
        matched, mismatched: the copies found by a program that people judged, and those found
            wrongly.
        restored: copies that were put back after an objection.
        complaints, reversed: appeals that came, and that succeeded, by side.
        complaint_hours: how long each decision on an appeal took, by side.
    """

    received: int = 0
    removed: int = 0
    removed_by_terms: int = 0
    refused: int = 0
    withdrawn: int = 0
    on_time: int = 0
    gone: int = 0
    matched: int = 0
    mismatched: int = 0
    restored: int = 0
    hours: tuple[float, ...] = ()
    complaints: Mapping[str, int] = field(default_factory=dict)
    complaints_decided: Mapping[str, int] = field(default_factory=dict)
    reversed: Mapping[str, int] = field(default_factory=dict)
    complaint_hours: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def decided(self) -> int:
        """Decisions of both kinds."""
        return self.removed + self.refused

    @property
    def wrong_removals(self) -> int:
        """Removals that an objection of the uploader reversed."""
        return self.reversed.get(UPLOADER, 0)

    @property
    def median_hours(self) -> float | None:
        """The median time to a decision; None when there was none."""
        return median_of(self.hours)


def counts_of(
    stories: Iterable[Story],
    begin: int,
    end: int,
    fits: Callable[[Story], bool] = lambda _: True,
) -> Counts:
    """What of `stories` that fit happened from `begin` to just before `end`."""

    def within(at: int | None) -> bool:
        return at is not None and begin <= at < end

    chosen = [story for story in stories if fits(story)]
    decided = [story for story in chosen if within(story.decided)]
    removals = [story for story in decided if story.removed]
    complaints = [each for story in chosen for each in story.complaints]
    settled = [each for each in complaints if within(each.decided)]
    hours: dict[str, list[float]] = {}
    for each in settled:
        hours.setdefault(each.side, []).append(((each.decided or 0) - each.made) / HOUR)
    return Counts(
        received=sum(within(story.received) for story in chosen),
        removed=len(removals),
        removed_by_terms=sum(story.terms for story in removals),
        refused=len(decided) - len(removals),
        withdrawn=sum(within(story.withdrawn) for story in chosen),
        on_time=sum(story.on_time for story in decided),
        gone=sum(within(at) for story in chosen for at in story.gone),
        matched=sum(within(at) for story in chosen for at in story.matched),
        mismatched=sum(within(at) for story in chosen for at in story.mismatched),
        restored=sum(within(at) for story in chosen for at in story.restored),
        hours=tuple(((story.decided or 0) - story.received) / HOUR for story in decided),
        complaints=Counter(each.side for each in complaints if within(each.made)),
        complaints_decided=Counter(each.side for each in settled),
        reversed=Counter(each.side for each in settled if each.reversed),
        complaint_hours={side: tuple(found) for side, found in hours.items()},
    )


def median_of(hours: Iterable[float]) -> float | None:
    """The median in hours, to a tenth; None of nothing."""
    found = list(hours)
    return round(median(found), 1) if found else None


class _Happened(NamedTuple):
    """An event, as far as it is counted."""

    seq: int
    at: int
    kind: str
    told: dict[str, Any]


def _story(rows: list[Row], matched: Mapping[str, str]) -> Story:
    events = [_Happened(row["seq"], row["at"], row["kind"], decode(row["data"])) for row in rows]
    received, first = events[0].at, events[0].told
    effective = [(e.at, e.told) for e in events if e.kind == EventKind.EFFECTIVE]
    decided, told = effective[0] if effective else (None, {})
    # What happens to a case after its decision changes no figure of a month that is over.
    before = [e for e in events if decided is None or e.at <= decided]
    deadline = received + int(first.get("hours", 0)) * HOUR + _paused(before)
    removed = told.get("outcome") in _REMOVES
    restored = _restored(events)
    judged = _judged(events, matched, rows[0]["jurisdiction"], {copy for copy, _ in restored})
    return Story(
        jurisdiction=rows[0]["jurisdiction"],
        source=_source(rows[0]["sort"], first),
        received=received,
        decided=decided,
        removed=removed,
        on_time=decided is not None and decided <= deadline,
        terms=removed and list(told.get("reasons", ())) == ["terms"],
        gone=_gone(events),
        matched=tuple(at for at, _ in judged),
        mismatched=tuple(at for at, right in judged if not right),
        restored=tuple(at for _, at in restored),
        complaints=_complaints(events),
        withdrawn=next((e.at for e in events if e.kind == EventKind.WITHDRAWN), None),
    )


def _source(sort: str, first: Mapping[str, Any]) -> str:
    if sort != "notice":
        return "screening"
    if first.get("flagger"):
        return "flagger"
    return PERSON if first.get("sender") == "self" else str(first.get("sender", PERSON))


def _paused(events: Iterable[_Happened]) -> int:
    """How long the clock stood, in milliseconds: as the fold of the case counts it."""
    total, since, pauses = 0, None, False
    for _, at, kind, told in events:
        if kind == EventKind.RECEIVED:
            pauses = "incomplete" in told.get("pauses", ())
            since = at if pauses and told.get("missing") else None
        elif kind == EventKind.ASKED and told.get("required") and pauses and since is None:
            since = at
        elif kind == EventKind.COMPLETED and since is not None:
            total, since = total + at - since, None
    return total


def _complaints(events: Sequence[_Happened]) -> tuple[Complaint, ...]:
    decisions = {
        seq: (e.at, e.told["outcome"] != "uphold")
        for e in events
        if e.kind == EventKind.APPEAL_DECIDED
        for seq in e.told.get("appeals", ())
    }
    return tuple(
        Complaint(_SIDES.get(e.told["by"], PERSON), e.at, *decisions.get(e.seq, (None, False)))
        for e in events
        if e.kind == EventKind.APPEALED
    )


def _gone(events: Iterable[_Happened]) -> tuple[int, ...]:
    """When each copy was first gone because it was told to go.

    `gone` also answers that one is to come back: that removed nothing.
    """
    gone: dict[str, int] = {}
    for _, at, kind, said in events:
        acknowledged = kind == EventKind.ACKNOWLEDGED and said["state"] in _GONE
        if acknowledged and said["was"] in _AWAITED:
            gone.setdefault(said["copy"], at)
    return tuple(gone.values())


def _judged(
    events: Iterable[_Happened], matched: Mapping[str, str], jurisdiction: str, back: set[str]
) -> list[tuple[int, bool]]:
    """When people judged each copy that a program found, and whether it was found rightly.

    Of those that were there when it was decided, those that go are right, and those that are left
    wrong, unless the law asks for none of their kind. Copies that turn up later go without anybody
    who looks at them, until another decision is about them. `back` are those that were put back.
    """
    found: dict[str, int] = {}
    told: set[str] = set()
    judged: dict[str, tuple[int, bool]] = {}
    for seq, at, kind, said in events:
        if kind == EventKind.FOUND and "state" not in said:
            found |= {copy: seq for copy in said["copies"] if copy in matched}
        elif kind == EventKind.TOLD:
            told.update(said["copies"])
        elif kind == EventKind.EFFECTIVE and said["outcome"] in _REMOVES:
            if "joined" in said:
                continue
            chosen = set(said["copies"])
            for copy in [copy for copy, since in found.items() if since < said["decision"]]:
                if copy in chosen:
                    judged[copy] = (at, copy not in back)
                elif copy not in told and covered(matched[copy], jurisdiction):
                    judged.setdefault(copy, (at, False))
    return list(judged.values())


def _restored(events: Iterable[_Happened]) -> list[tuple[str, int]]:
    """Which copies were put back when; what a withdrawal puts back was not wrongly removed."""
    found: list[tuple[str, int]] = []
    for _, at, kind, told in events:
        if kind == EventKind.WITHDRAWN:
            break
        if kind == EventKind.RESTORED:
            found += [(copy, at) for copy in told.get("copies", ())]
    return found
