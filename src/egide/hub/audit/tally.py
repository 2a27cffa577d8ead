"""What an audit counts: rows go in one by one, in the order of the dump."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from egide.hub.audit.row import Escalated, Kept, Row, Unread, key_of
from egide.hub.audit.text_row import EscalatedText, TextRow
from egide.hub.audit.text_tally import TextTally
from egide.hub.gazetteer import Person

MOST_UNREAD: Final = 10_000
"""Unreadable records that are named; the others are counted."""

ENOUGH: Final = 5
"""A count under this could point to a person."""

MOST_TAGS: Final = 200_000
MOST_GROUPS: Final = 5_000
"""Different base models, or kinds of adapter; who writes more of them writes nonsense."""

BANDS: Final = ((100, "under 100"), (1_000, "100 to 999"), (10_000, "1,000 to 9,999"))
TOP_BAND: Final = "10,000 and more"
STRATA: Final = ("named", "unnamed", "none")


@dataclass(slots=True)
class Group:
    """Models that have something in common, and how often they were downloaded."""

    models: int = 0
    likeness: int = 0
    downloads: int = 0

    def add(self, row: Row) -> None:
        """Counts `row`."""
        self.models += 1
        self.likeness += row.is_likeness
        self.downloads += (row.downloads or 0) * row.is_likeness


@dataclass(slots=True)
class Subject:
    """A person of whom there are models."""

    person: Person
    models: int = 0
    downloads: int = 0
    sexual: int = 0


@dataclass(slots=True)
class Creator:
    """An account that put up models of people."""

    name: str
    source: str
    models: int = 0
    downloads: int = 0
    followers: int | None = None


@dataclass(slots=True)
class Tag:
    """A tag of models of people; `of` tells some of the people or accounts apart."""

    models: int = 0
    of: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Copies:
    """The tensors of all models, one entry a version: to find the same under other names."""

    tensors: array[int] = field(default_factory=lambda: array("q"))
    model: array[int] = field(default_factory=lambda: array("q"))
    title: array[int] = field(default_factory=lambda: array("Q"))
    likeness: bytearray = field(default_factory=bytearray)

    def add(self, row: Row, number: int) -> None:
        """Keeps the tensors of `row`, the model with this `number`."""
        for digest in row.tensors:
            self.tensors.append(digest)
            self.model.append(number)
            self.title.append(row.title)
            self.likeness.append(row.is_likeness)


@dataclass(slots=True)
class Reach:
    """Models of people by what may be held against them and whether they can still be had."""

    counts: Counter[tuple[str, bool, bool, bool, str, int]] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Counts `row` by hub, labels, reachability and day."""
        reachable = {True: "reachable", False: "gone", None: "not said"}[row.available]
        self.counts[(row.source, *row.has_labels, reachable, row.published)] += 1


class Tally:
    """Everything counted. Memory grows with the people, accounts and tags found, and by some tens
    of bytes a listing.

    `sample` is how many listings to draw for labelling: for each stratum those with the lowest
    hash of `seed` and their key, which does not depend on their order.
    """

    def __init__(self, sample: int = 0, seed: str = "") -> None:
        self.models = 0
        self.repeated = 0
        self.escalated = 0
        self.unreadable = 0
        self.unread: list[Unread] = []
        self.named = 0
        self.unnamed = 0
        self.sexual = 0
        self.downloads = 0
        self.downloads_likeness = 0
        self.sources: dict[str, Group] = {}
        self.base_models: dict[str, Group] = {}
        self.adapters: dict[str, Group] = {}
        self.months: dict[str, Group] = {}
        self.bands: dict[str, Group] = {}
        self.intents: Counter[str] = Counter()
        self.tags: dict[str, Tag] = {}
        self.subjects: dict[str, Subject] = {}
        self.creators: dict[tuple[str, str], Creator] = {}
        self.copies = Copies()
        self.reach = Reach()
        self.texts = TextTally()
        self.strata: Counter[str] = Counter()
        self.sampled: dict[str, list[tuple[int, int, Row]]] = {name: [] for name in STRATA}
        self._sample = sample
        self._seed = seed
        self._seen: set[int] = set()

    def add(self, kept: Kept) -> None:
        """Counts one record."""
        match kept:
            case Unread():
                self.unreadable += 1
                if len(self.unread) < MOST_UNREAD:
                    self.unread.append(kept)
            case Escalated():
                self.models += self._is_new(kept.key)
                self.escalated += 1
            case TextRow() | EscalatedText():
                self.texts.add(kept)
            case Row():
                if self._is_new(kept.key):
                    self._add_row(kept)

    @property
    def likeness(self) -> int:
        """Models of real people, named or not."""
        return self.named + self.unnamed

    def _is_new(self, key: int) -> bool:
        if key in self._seen:
            self.repeated += 1
            return False
        self._seen.add(key)
        return True

    def _add_row(self, row: Row) -> None:
        self.models += 1
        self.downloads += row.downloads or 0
        for groups, name in (
            (self.sources, row.source),
            (self.base_models, row.base_model),
            (self.adapters, row.adapter),
            (self.months, row.month),
        ):
            known = name in groups or len(groups) < MOST_GROUPS
            groups.setdefault(name if known else "other", Group()).add(row)
        self.copies.add(row, self.models)
        self._draw(row)
        if row.is_likeness:
            self._add_likeness(row)

    def _add_likeness(self, row: Row) -> None:
        self.named += row.named
        self.unnamed += row.unnamed
        self.sexual += row.sexual
        self.downloads_likeness += row.downloads or 0
        self.intents.update(row.intents)
        self.reach.add(row)
        if row.followers is not None:
            self.bands.setdefault(_band(row.followers), Group()).add(row)
        if row.person is not None:
            subject = self.subjects.setdefault(row.person.id, Subject(row.person))
            subject.models += 1
            subject.downloads += row.downloads or 0
            subject.sexual += row.sexual
        if row.creator:
            whose = (row.source, row.creator)
            creator = self.creators.setdefault(whose, Creator(row.creator, row.source))
            creator.models += 1
            creator.downloads += row.downloads or 0
            creator.followers = row.followers if row.followers is not None else creator.followers
        self._add_tags(row)

    def _add_tags(self, row: Row) -> None:
        of = key_of(row.person.id if row.person else f"{row.source}\0{row.creator}")
        for name in row.tags:
            if (tag := self.tags.get(name)) is None:
                if len(self.tags) >= MOST_TAGS:
                    continue
                tag = self.tags[name] = Tag()
            tag.models += 1
            if len(tag.of) < ENOUGH:
                tag.of.add(of)

    def _draw(self, row: Row) -> None:
        if not self._sample:
            return
        stratum = stratum_of(row)
        self.strata[stratum] += 1
        drawn = self.sampled[stratum]
        rank = -key_of(self._seed, str(row.key))  # the heap gives up its lowest first
        if len(drawn) < self._sample:
            heapq.heappush(drawn, (rank, row.key, row))
        elif rank > drawn[0][0]:
            heapq.heapreplace(drawn, (rank, row.key, row))


def stratum_of(row: Row) -> str:
    """Which of `STRATA` a listing belongs to."""
    return "named" if row.named else "unnamed" if row.unnamed else "none"


def _band(followers: int) -> str:
    return next((name for limit, name in BANDS if followers < limit), TOP_BAND)
