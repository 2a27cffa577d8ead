"""Counts that anybody may see: whole months, and nothing that could point to a person.

A month's count of 1 to 4 is not told. What is told of a month is settled when it is over, and all
else is made of such months alone: a sum is the sum of what is told, shares and times are of months
whose decisions are told. So there is nothing to be found by subtraction, of a part from a sum or of
one month's page from the next's. Figures that change by the
day would tell each case: the month that runs is not told.

The laws of a month add up to its requests, which are told beside them. Hiding one law would tell it
all the same: so another is hidden with it, until what is hidden comes to 5 or more and is no single
part (complementary suppression).
"""

from __future__ import annotations

from collections import Counter
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
_SIDES: Final = (PERSON, UPLOADER)


@dataclass(frozen=True, slots=True)
class Told:
    """A count as it is told: `number`, or None where it is hidden.

    `more` says of a sum that it lacks months which are not told.
    """

    number: int | None
    more: bool = False

    @property
    def hidden(self) -> bool:
        """Whether it is not told."""
        return self.number is None


@dataclass(frozen=True, slots=True)
class Series:
    """One count by months."""

    parts: tuple[Told, ...]

    @property
    def total(self) -> Told:
        """The sum of what is told; hidden where that is nothing but months without any."""
        known = sum(part.number or 0 for part in self.parts)
        more = any(part.hidden for part in self.parts)
        return Told(known if known or not more else None, more)


@dataclass(frozen=True, slots=True)
class PublicFigures:
    """What the page of figures shows; hours to a tenth, shares 0..1, None where hidden.

    Attributes:
        months: the first days of the months, oldest first; empty when none is over.
        received, removed, refused, wrong_removals: by months.
        wrong_refusals, copies_removed: sums of what is told of months, as all that follow.
        by_law: notices that came, by jurisdiction.
        median_hours: to a decision, of months of which both kinds of decisions are told.
        on_time: share of these decisions that were taken within the clock.
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
    periods = [counts_of(stories, begin, end) for begin, end in pairwise(bounds)]
    laws = [_by_law(stories, begin, end) for begin, end in pairwise(bounds)]
    decided = [each for each in periods if _all_told(each.removed, each.refused)]
    wrong = {side: _series(periods, _reversed(side)) for side in _SIDES}
    return PublicFigures(
        months=tuple(datetime.fromtimestamp(at / 1000, UTC) for at in bounds[:-1]),
        received=_series(periods, lambda counts: counts.received),
        removed=_series(periods, lambda counts: counts.removed),
        refused=_series(periods, lambda counts: counts.refused),
        wrong_removals=wrong[UPLOADER],
        wrong_refusals=wrong[PERSON].total,
        by_law=tuple(
            (name, Series(tuple(month[place] for month in laws)).total)
            for place, name in enumerate(JURISDICTIONS)
        ),
        copies_removed=_series(periods, lambda counts: counts.gone).total,
        median_hours=median_of(hours for period in decided for hours in period.hours),
        on_time=_share(decided),
        complaints={side: _series(periods, _complaints(side)).total for side in _SIDES},
        complaints_reversed={side: each.total for side, each in wrong.items()},
    )


def _share(decided: Iterable[Counts]) -> float | None:
    """The decisions in time, to a hundredth, of months in which neither they nor others are few."""
    fit = [each for each in decided if _all_told(each.on_time, each.decided - each.on_time)]
    whole = sum(each.decided for each in fit)
    return round(sum(each.on_time for each in fit) / whole, 2) if whole else None


def _all_told(*counts: int) -> bool:
    return not any(told(each).hidden for each in counts)


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


def _series(periods: Iterable[Counts], of: Callable[[Counts], int]) -> Series:
    return Series(tuple(told(of(period)) for period in periods))


def _complaints(side: str) -> Callable[[Counts], int]:
    return lambda counts: counts.complaints.get(side, 0)


def _reversed(side: str) -> Callable[[Counts], int]:
    return lambda counts: counts.reversed.get(side, 0)


def _by_law(stories: Iterable[Story], begin: int, end: int) -> list[Told]:
    """What is told of the laws of a month's requests: nothing where those are hidden."""
    received = Counter(each.jurisdiction for each in stories if begin <= each.received < end)
    if told(received.total()).hidden:
        return [Told(None) for _ in JURISDICTIONS]
    return suppressed([received[name] for name in JURISDICTIONS])


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
