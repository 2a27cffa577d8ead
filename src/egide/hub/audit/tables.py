"""The tables of an audit: what was counted, without a number that could point to a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Final

import numpy as np

from egide.hub.audit.tally import BANDS, ENOUGH, TOP_BAND, Copies, Group, Subject, Tally
from egide.hub.pseudonyms import Pseudonyms

MOST_ROWS: Final = 1_000
FEWER: Final = "others"
"""What is too few to be told by itself, put together."""

MOST_MONTHS: Final = 1_200
BY_MONTH: Final = f"By the month of publication. Fewer than {ENOUGH} are carried to the next month."

_SIGNS: Final = {
    "explicit": "explicit words",
    "suggestive": "suggestive words",
    "swimwear": "words for swimwear",
    "flagged": "flagged by the hub",
    "rated X": "rated X by the hub",
    "rated R": "rated R by the hub",
}

Cell = str | int | float | Decimal | None
"""A `float` is a share, a `Decimal` an amount."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: `name` is its file's; the first column names what a line is of."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a breakdown before small ones are put together."""

    name: str
    models: int
    downloads: int
    subjects: int = 0


def suppressed(entries: Iterable[Entry], *, joining: bool = True) -> list[Entry]:
    """`entries`, most models first; those of fewer than `ENOUGH` put together in one last line.

    When these do not come to `ENOUGH` in all, the next smallest joins them, since the sum would
    tell; unless not `joining`. What cannot be told at all is left out.
    """
    ordered = sorted(entries, key=lambda entry: (-entry.models, entry.name))
    shown = [entry for entry in ordered if entry.models >= ENOUGH]
    small = [entry for entry in ordered if 0 < entry.models < ENOUGH]
    while joining and small and shown and sum(entry.models for entry in small) < ENOUGH:
        small.append(shown.pop())
    total = sum(entry.models for entry in small)
    if total >= ENOUGH:
        downloads = sum(entry.downloads for entry in small)
        subjects = sum(entry.subjects for entry in small)
        shown.append(Entry(FEWER, total, downloads, subjects))
    return shown


def shown(count: int) -> int | None:
    """`count`, or None when it is one of 1 to `ENOUGH` less one."""
    return count if count == 0 or count >= ENOUGH else None


def of_groups(groups: Mapping[str, Group]) -> list[Entry]:
    """The likeness models of each group."""
    return suppressed(
        Entry(name, group.likeness, group.downloads) for name, group in groups.items()
    )


def of_subjects(subjects: Iterable[Subject], part: str) -> list[Entry]:
    """The named models by what the gazetteer says of the person: `gender`, `countries`, …"""
    models: Counter[str] = Counter()
    downloads: Counter[str] = Counter()
    people: Counter[str] = Counter()
    for subject in subjects:
        said = getattr(subject.person, part)
        values = (said,) if isinstance(said, str) else said or ("not known",)
        for value in values:
            models[value] += subject.models
            downloads[value] += subject.downloads
            people[value] += 1
    entries = (Entry(name, models[name], downloads[name], people[name]) for name in models)
    # Of genders there are few, none points to a person, and the share of women is told anyway.
    return suppressed(entries, joining=part != "gender")


def of_tags(tally: Tally) -> list[Entry]:
    """The tags of likeness models, but those that only few people or accounts have: names."""
    return suppressed(
        Entry(name, tag.models, 0) for name, tag in tally.tags.items() if len(tag.of) >= ENOUGH
    )


def of_intents(tally: Tally) -> list[Entry]:
    """The likeness models by what in their listings speaks of sexual pictures."""
    return suppressed(
        Entry(_SIGNS.get(name, name), number, 0) for name, number in tally.intents.items()
    )


def share_women(subjects: Iterable[Subject]) -> float | None:
    """Which share of the named models of people of known gender is of women, 0..1."""
    genders: Counter[str] = Counter()
    for subject in subjects:
        if subject.person.gender:
            genders[subject.person.gender] += subject.models
    total = genders.total()
    return round(genders["woman"] / total, 4) if total >= ENOUGH else None


def concentration(counts: Sequence[int], part: float, whole: int | None = None) -> float | None:
    """Which share belongs to the largest `part` of `counts`, at least one of them.

    It is the share of `whole`, or of `counts` put together where that is all there is.
    """
    if len(counts) < ENOUGH or not sum(counts):
        return None
    largest = sorted(counts, reverse=True)[: max(1, ceil(len(counts) * part))]
    return round(sum(largest) / (whole or sum(counts)), 4)


@dataclass(frozen=True, slots=True)
class Reuploads:
    """Models with the same tensors under other titles.

    `sets` are groups of models with the same tensors and more than one title, `models` those in
    them; `hidden` are models that only their tensors give away: nothing in their listing does.
    `by_size` counts the sets by how many models they have.
    """

    sets: int
    models: int
    hidden: int
    by_size: dict[int, int]


def reuploads(copies: Copies) -> Reuploads:
    """The re-uploads among models of people, told by AutoV3."""
    tensors = np.frombuffer(copies.tensors, np.int64)
    if not len(tensors):
        return Reuploads(0, 0, 0, {})
    model = np.frombuffer(copies.model, np.int64)
    title = np.frombuffer(copies.title, np.uint64)
    likeness = np.frombuffer(copies.likeness, np.uint8)
    order = np.lexsort((model, tensors))
    bounds = np.flatnonzero(np.diff(tensors[order])) + 1
    sizes: Counter[int] = Counter()
    in_sets: set[int] = set()
    hidden: set[int] = set()
    for start, end in zip([0, *bounds.tolist()], [*bounds.tolist(), len(order)], strict=True):
        if end - start < 2:
            continue
        members = order[start:end]
        different = set(model[members].tolist())
        of_people = likeness[members].astype(bool)
        if len(different) < 2 or not of_people.any() or len(set(title[members].tolist())) < 2:
            continue
        sizes[len(different)] += 1
        in_sets |= different
        hidden |= set(model[members[~of_people]].tolist())
    return Reuploads(sizes.total(), len(in_sets), len(hidden), dict(sorted(sizes.items())))


# ── tables ──────────────────────────────────────────────────────────────────────────────────────

_MODELS: Final = ("models", "downloads")


def tables_of(tally: Tally, pseudonyms: Pseudonyms, *, reveal: bool) -> list[Table]:
    """Every table of the audit; people and accounts by their names when `reveal` is on."""
    people = tally.subjects.values()
    return [
        _months(tally),
        _grouped("by_base_model", "By base model", tally.base_models),
        _grouped("by_adapter", "By kind of model", tally.adapters),
        _tags(tally),
        _intents(tally),
        _of_people("by_gender", "By gender", people, "gender"),
        _of_people("by_country", "By country", people, "countries"),
        _of_people("by_occupation", "By occupation", people, "occupations"),
        _bands(tally),
        _concentration(tally),
        _subjects(tally, pseudonyms, reveal=reveal),
        _creators(tally, pseudonyms, reveal=reveal),
        _reuploads(tally),
        _by_hub(tally),
        _unreadable(tally),
    ]


def _grouped(name: str, title: str, groups: Mapping[str, Group]) -> Table:
    rows = tuple(
        (entry.name, entry.models, entry.downloads, _all(groups, entry.name))
        for entry in of_groups(groups)
    )
    return Table(name, title, (name.removeprefix("by_"), *_MODELS, "all_models"), rows)


def _all(groups: Mapping[str, Group], name: str) -> int | None:
    return groups[name].models if name in groups else None


def _of_people(name: str, title: str, people: Iterable[Subject], part: str) -> Table:
    rows = tuple(
        (entry.name, entry.models, entry.downloads, shown(entry.subjects))
        for entry in of_subjects(people, part)
    )
    note = "Named people only, by what the gazetteer says of them; one may count in several lines."
    return Table(name, title, (name.removeprefix("by_"), *_MODELS, "people"), rows, note)


def _tags(tally: Tally) -> Table:
    rows = tuple((entry.name, entry.models) for entry in of_tags(tally)[:MOST_ROWS])
    note = f"Tags that models of at least {ENOUGH} people or accounts have; others may be names."
    return Table("by_tag", "By tag", ("tag", "models"), rows, note)


def _intents(tally: Tally) -> Table:
    entries = of_intents(tally)
    rows = tuple((entry.name, entry.models) for entry in entries)
    note = "What in a listing speaks of sexual pictures: groups of words, and the hub's rating."
    return Table("by_intent", "By sign of sexual intent", ("sign", "models"), rows, note)


def _months(tally: Tally) -> Table:
    counts = Counter({month: group.likeness for month, group in tally.months.items()})
    rows = tuple(carried(counts))
    columns = ("month", "models", "cumulative")
    return Table("by_month", "Models of real people by month", columns, rows, BY_MONTH)


def carried(counts: Counter[str]) -> list[tuple[str, int | None, int]]:
    """(month, count, count so far) of every month from the first to the last, `2024-05`.

    What is too few is carried to the next month that has enough.
    """
    rows: list[tuple[str, int | None, int]] = []
    carried = total = 0
    for month in months_between(counts):
        carried += counts[month]
        enough = carried >= ENOUGH
        total += carried * enough
        rows.append((month, carried if enough else None if carried else 0, total))
        carried = 0 if enough else carried
    return rows


def months_between(counts: Counter[str]) -> list[str]:
    """Every month from the first to the last that counts anything, `2024-05`."""
    known = sorted(month for month, count in counts.items() if month and count)
    if not known:
        return []
    year, month = map(int, known[0].split("-"))
    last_year, last_month = map(int, known[-1].split("-"))
    first, last = year * 12 + month - 1, last_year * 12 + last_month - 1
    return [f"{n // 12}-{n % 12 + 1:02}" for n in range(first, min(last, first + MOST_MONTHS) + 1)]


def _bands(tally: Tally) -> Table:
    order = [*(name for _, name in BANDS), TOP_BAND]
    rows = tuple(
        (name, shown(tally.bands[name].likeness), tally.bands[name].downloads)
        for name in order
        if name in tally.bands
    )
    note = "Followers of the account that put the model up, where the dump says so."
    columns = ("followers", *_MODELS)
    return Table("by_followers", "By followers of the account", columns, rows, note)


def _concentration(tally: Tally) -> Table:
    rows = []
    for what, counts in (
        ("models, by person", [one.models for one in tally.subjects.values()]),
        ("downloads, by person", [one.downloads for one in tally.subjects.values()]),
        ("models, by account", [one.models for one in tally.creators.values()]),
        ("downloads, by account", [one.downloads for one in tally.creators.values()]),
    ):
        top = [concentration(counts, part) for part in (0.01, 0.1)]
        rows.append((what, shown(len(counts)), *top))
    columns = ("what", "of", "top_1_percent", "top_10_percent")
    return Table("concentration", "Held by the most frequent", columns, tuple(rows))


def _subjects(tally: Tally, pseudonyms: Pseudonyms, *, reveal: bool) -> Table:
    ordered = sorted(tally.subjects.values(), key=lambda one: (-one.models, one.person.id))
    rows: list[tuple[Cell, ...]] = [
        (
            one.person.name if reveal else pseudonyms.of_person(one.person.id),
            one.models,
            one.downloads,
            one.sexual if reveal else shown(one.sexual),
        )
        for one in ordered[:MOST_ROWS]
        if reveal or one.models >= ENOUGH
    ]
    columns = ("person", *_MODELS, "sexual")
    note = "" if reveal else f"Pseudonyms of people with at least {ENOUGH} models."
    return Table("people", "People with most models", columns, tuple(rows), note)


def _creators(tally: Tally, pseudonyms: Pseudonyms, *, reveal: bool) -> Table:
    ordered = sorted(tally.creators.values(), key=lambda one: (-one.models, one.source, one.name))
    rows: list[tuple[Cell, ...]] = [
        (
            one.name if reveal else pseudonyms.of_creator(one.source, one.name),
            one.source,
            one.models,
            one.downloads,
        )
        for one in ordered[:MOST_ROWS]
        if reveal or one.models >= ENOUGH
    ]
    columns = ("account", "hub", *_MODELS)
    note = "" if reveal else f"Pseudonyms of accounts with at least {ENOUGH} models."
    return Table("accounts", "Accounts with most models", columns, tuple(rows), note)


def _reuploads(tally: Tally) -> Table:
    found = reuploads(tally.copies)
    rows = tuple((size, shown(number)) for size, number in found.by_size.items())
    note = "Sets of models with the same tensors (AutoV3) under different titles."
    return Table("reuploads", "Re-uploads by size of the set", ("models", "sets"), rows, note)


def _by_hub(tally: Tally) -> Table:
    rows = tuple(
        (name, group.models, shown(group.likeness), group.downloads)
        for name, group in sorted(tally.sources.items())
    )
    columns = ("hub", "all_models", "models", "downloads")
    return Table("by_hub", "By hub", columns, rows)


def _unreadable(tally: Tally) -> Table:
    rows = tuple((unread.ref, unread.error, unread.message) for unread in tally.unread)
    return Table("unreadable", "Unreadable records", ("record", "error", "message"), rows)
