"""A gazetteer: the names of people, mapped from one file, sought in text in one pass.

Made by `egide.hub.gazetteer_build` from a Wikidata dump, or with a few names that a platform
protects on request. A look-up hashes every run of words of a listing (`egide.hub.names`), drops
most by one bit each, finds the others in a sorted table, and verifies what it finds by a second
hash and by where the words begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from egide.hub.gazetteer_tables import (
    ADDED,
    DEAD,
    FICTIONAL,
    GENDERS,
    IS_WORD,
    ORDINARY,
    Tables,
    places_of,
    read_tables,
    unpacked_shape,
)
from egide.hub.names import Reading, Span, check_of, readings


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a gazetteer.

    `id` is Wikidata's (`Q42`), or `added-1` for a name added by hand. `gender` is `woman`, `man`,
    `other` or None; years are None when not known; `links` counts the articles about the person.
    """

    id: str
    name: str
    fictional: bool = False
    gender: str | None = None
    countries: tuple[str, ...] = ()
    occupations: tuple[str, ...] = ()
    born: int | None = None
    died: int | None = None
    dead: bool = False
    added: bool = False
    links: int = 0


class Sighting(NamedTuple):
    """A name in a text: where it stands, and the people who have it, the best known first.

    `words` counts the words of the name; `ordinary` says that all of them are ordinary words, too
    (`Summer Rain`), so that the name alone proves nothing.
    """

    span: Span
    people: tuple[Person, ...]
    words: int
    ordinary: bool


class Gazetteer:
    """People to look for. Thread-safe; one that was opened from a file pickles as its path."""

    def __init__(self, tables: Tables, path: Path | None = None) -> None:
        self._tables = tables
        self._path = path

    @classmethod
    def open(cls, path: Path) -> Gazetteer:
        """The gazetteer in the file at `path`, mapped; GazetteerError."""
        return cls(read_tables(path), path)

    def __reduce__(self) -> tuple[Any, ...]:
        """Every process maps the file for itself, and they share its pages."""
        if self._path is None:
            return type(self), (self._tables,)
        return type(self).open, (self._path,)

    def __len__(self) -> int:
        """How many people there are."""
        return len(self._tables.people)

    @property
    def tables(self) -> Tables:
        """What the file holds."""
        return self._tables

    @property
    def year(self) -> int:
        """The year that the dump was made or the file was built: what "dead for long" refers to."""
        return int(self._tables.header.get("year", 0))

    def find(self, fields: Sequence[str]) -> list[Sighting]:
        """Every name in `fields`, in any of the ways to write it, by field and place.

        Of names that lie within another (`Jane Doe` in `Mary Jane Doe`) the longest is given.
        """
        return longest([found for reading in readings(fields) for found in self.search(reading)])

    def search(self, reading: Reading) -> Iterator[Sighting]:
        """Every name among the runs of `reading`."""
        tables = self._tables
        hashes = reading.hashes
        if not len(tables.keys) or not len(hashes):
            return
        place = places_of(hashes, len(tables.bits) * 8)
        lit = tables.bits[place >> np.uint64(3)] >> (place & np.uint64(7)).astype(np.uint8) & 1
        maybe = np.flatnonzero(lit)
        if not len(maybe):
            return
        row = np.searchsorted(tables.keys, hashes[maybe])
        row_held = np.minimum(row, len(tables.keys) - 1)
        same = tables.keys[row_held] == hashes[maybe]
        for span, first in zip(reading.spans(maybe[same]), row[same].tolist(), strict=True):
            yield from self._verified(span, first)

    def _verified(self, span: Span, row: int) -> Iterator[Sighting]:
        """The sighting of those whose keys stand from `row` on, if `span` writes their name."""
        tables = self._tables
        check, value = check_of(span.letters), tables.keys[row]
        people: list[int] = []
        ordinary, most = True, 0
        while row < len(tables.keys) and tables.keys[row] == value:
            person, shape = tables.info[row].tolist()
            other, words, first, flags = unpacked_shape(shape)
            row += 1
            one_word = span.unbroken and span.is_one_token
            if other != check or not span.is_written_as(words, first):
                continue
            if one_word and words > 1 and flags & IS_WORD:
                continue  # `Rosa Line` is not meant by `rosaline`
            if words == 1 and flags & ORDINARY and not span.whole:
                continue  # nor `Rose` by the `rose` of a sentence
            people.append(person)
            ordinary &= bool(flags & ORDINARY)
            most = max(most, words)
        if people:
            known = sorted((self.person(number) for number in people[:64]), key=_prominence)
            yield Sighting(span, tuple(known[:8]), most, ordinary)

    def person(self, number: int) -> Person:
        """The person with this place in the file, 0 to the number of people less one."""
        record = self._tables.people[number]
        values = self._tables.values
        flags = int(record["flags"])
        added = bool(flags & ADDED)
        return Person(
            id=f"{'added-' if added else 'Q'}{record['number']}",
            name=self._tables.name(number),
            fictional=bool(flags & FICTIONAL),
            gender=GENDERS[int(record["gender"])],
            countries=_named(record["countries"], values),
            occupations=_named(record["occupations"], values),
            born=int(record["born"]) or None,
            died=int(record["died"]) or None,
            dead=bool(flags & DEAD),
            added=added,
            links=int(record["links"]),
        )


def longest(found: list[Sighting]) -> list[Sighting]:
    """`found` in order, each name once, without those that lie within another."""
    ordered = sorted(found, key=lambda s: (s.span.start, -s.span.end, s.span.how.bit_count()))
    kept: list[Sighting] = []
    reach = -1
    for sighting in ordered:
        if sighting.span.end > reach:
            kept.append(sighting)
            reach = sighting.span.end
    return kept


def _prominence(person: Person) -> tuple[bool, bool, int, str]:
    """Added by hand first, then real people, then the best known."""
    return not person.added, person.fictional, -person.links, person.id


def _named(numbers: Any, values: list[str]) -> tuple[str, ...]:
    return tuple(values[number] for number in numbers.tolist() if number)
