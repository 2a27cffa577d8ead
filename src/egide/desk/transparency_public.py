"""Counts that anybody may see: whole months, and nothing that could point to a person.

A count of 1 to 4 is not told. Where a sum is told beside its parts, hiding one part would tell it
all the same: so another is hidden with it, until what is hidden comes to 5 or more and is no single
part (complementary suppression). Months are told when they are over: figures that change by the
day would tell each case by subtraction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from egide.desk.laws import JURISDICTIONS
from egide.desk.transparency import (
    PERSON,
    UPLOADER,
    Counts,
    Story,
    counts_of,
    median_of,
    read_stories,
)

if TYPE_CHECKING:
    from egide.db import Database

LEAST: Final = 5
"""The smallest count that is told, but for none at all."""
MONTHS: Final = 12
"""How far the figures reach back."""


@dataclass(frozen=True, slots=True)
class Told:
    """A count as it is told: `number`, or None where it is hidden."""

    number: int | None

    @property
    def hidden(self) -> bool:
        """Whether it is not told."""
        return self.number is None


@dataclass(frozen=True, slots=True)
class Series:
    """One count by months, and in all."""

    total: Told
    parts: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class PublicFigures:
    """What the page of figures shows; hours to a tenth, shares 0..1, None where hidden.

    Attributes:
        months: the first days of the months, oldest first; empty when none is over.
        received, removed, refused, wrong_removals: by months.
        by_law: notices that came, by jurisdiction.
        median_hours: to a decision.
        on_time: share of the decisions that were taken within the clock.
        complaints, complaints_reversed: by side.
    """

    months: tuple[datetime, ...]
    received: Series
    removed: Series
    refused: Series
    wrong_removals: Series
    wrong_refusals: Told
    by_law: tuple[tuple[str, Told], ...]
    copies_removed: Told
    median_hours: float | None
    on_time: float | None
    complaints: Mapping[str, Told]
    complaints_reversed: Mapping[str, Told]


def public_figures(database: Database, now: int, since: int | None = None) -> PublicFigures:
    """The figures of the last months that were over at `now`, in ms since 1970, UTC.

    Months before the first event, or before `since`, are left out.
    """
    bounds = months_before(now, MONTHS)
    first = since if since is not None else _first(database)
    while len(bounds) > 1 and (first is None or bounds[1] <= first):
        bounds = bounds[1:]
    stories = read_stories(database, bounds[0], bounds[-1]) if len(bounds) > 1 else []
    return figures_of(stories, bounds)


def figures_of(stories: Sequence[Story], bounds: Sequence[int]) -> PublicFigures:
    """The figures of the periods between `bounds`, in ms since 1970, UTC."""
    whole = counts_of(stories, bounds[0], bounds[-1])
    periods = [counts_of(stories, begin, end) for begin, end in pairwise(bounds)]
    laws = [_received(stories, bounds, name) for name in JURISDICTIONS]
    hours = whole.hours if len(whole.hours) >= LEAST else ()
    return PublicFigures(
        months=tuple(datetime.fromtimestamp(at / 1000, UTC) for at in bounds[:-1]),
        received=_series(whole, periods, lambda counts: counts.received),
        removed=_series(whole, periods, lambda counts: counts.removed),
        refused=_series(whole, periods, lambda counts: counts.refused),
        wrong_removals=_series(whole, periods, lambda counts: counts.wrong_removals),
        wrong_refusals=told(whole.reversed.get(PERSON, 0)),
        by_law=tuple(zip(JURISDICTIONS, _parts(told(whole.received), laws), strict=True)),
        copies_removed=told(whole.gone),
        median_hours=median_of(hours),
        on_time=_share(whole.on_time, whole.decided),
        complaints={side: told(whole.complaints.get(side, 0)) for side in (PERSON, UPLOADER)},
        complaints_reversed={
            side: told(whole.reversed.get(side, 0)) for side in (PERSON, UPLOADER)
        },
    )


def _share(part: int, whole: int) -> float | None:
    """A share to a hundredth, unless it would tell a small count."""
    if whole < LEAST or told(part).hidden or told(whole - part).hidden:
        return None
    return round(part / whole, 2)


def told(count: int) -> Told:
    """`count` by itself, hidden when it is small."""
    return Told(count if count == 0 or count >= LEAST else None)


def suppressed(parts: Sequence[int]) -> list[Told]:
    """`parts` of a sum that is told: small ones hidden, and as many more as that takes."""
    hidden = {place for place, part in enumerate(parts) if told(part).hidden}
    others = sorted(
        (place for place, part in enumerate(parts) if part >= LEAST), key=lambda p: parts[p]
    )
    while hidden and others and _gives_away(parts, hidden):
        hidden.add(others.pop(0))
    return [Told(None if place in hidden else part) for place, part in enumerate(parts)]


def _gives_away(parts: Sequence[int], hidden: Iterable[int]) -> bool:
    """Whether the sum, less what is told, tells a small count."""
    values = [parts[place] for place in hidden]
    return len(values) < 2 or sum(values) < LEAST


def _series(whole: Counts, periods: Sequence[Counts], of: Callable[[Counts], int]) -> Series:
    total = told(of(whole))
    return Series(total, _parts(total, [of(period) for period in periods]))


def _parts(total: Told, parts: Sequence[int]) -> tuple[Told, ...]:
    """What is told of the parts of `total`: nothing where that is hidden itself."""
    return tuple(Told(None) for _ in parts) if total.hidden else tuple(suppressed(parts))


def _received(stories: Sequence[Story], bounds: Sequence[int], jurisdiction: str) -> int:
    return counts_of(
        stories, bounds[0], bounds[-1], lambda story: story.jurisdiction == jurisdiction
    ).received


def months_before(now: int, most: int) -> list[int]:
    """The bounds of the last `most` months that are over at `now`: one more than months."""
    here = datetime.fromtimestamp(now / 1000, UTC)
    number = here.year * 12 + here.month - 1
    return [_month(each) for each in range(number - most, number + 1)]


def _month(number: int) -> int:
    first = datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return round(first.timestamp() * 1000)


def _first(database: Database) -> int | None:
    rows = database.fetch("SELECT min(opened) AS first FROM desk_case")
    found: int | None = rows[0]["first"] if rows else None
    return found
