"""Makes the tables of a gazetteer out of people and their names."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np

from egide.hub.gazetteer_tables import (
    ADDED,
    DEAD,
    FICTIONAL,
    GENDERS,
    IS_WORD,
    ORDINARY,
    PERSON,
    Tables,
    bits_of,
    key_shape,
    lay_out,
    sorted_tables,
)
from egide.hub.names import NameKey, name_keys

BATCH: Final = 2_000
"""People whose names are hashed at once."""
MOST_NAMES: Final = 12
"""Names kept of each person: their own, then those of the languages spoken most at hubs."""
MOST_NAME_BYTES: Final = 200
MOST_NUMBER: Final = (1 << 32) - 1
LEAST_MONONYM: Final = 4
"""Letters of the shortest name of one word."""


class Entry(NamedTuple):
    """Somebody to put into a gazetteer; `names` in order of weight, `name` is the one shown.

    `number` is Wikidata's less the Q, or, of someone `added` by hand, counted from 1.
    """

    number: int
    name: str
    names: tuple[str, ...]
    fictional: bool = False
    gender: str | None = None
    countries: tuple[str, ...] = ()
    occupations: tuple[str, ...] = ()
    born: int | None = None
    died: int | None = None
    dead: bool = False
    added: bool = False
    links: int = 0


def tables_of(entries: Iterable[Entry], **header: Any) -> Tables:
    """The tables of all `entries` that have a name that can be looked for."""
    values: dict[str, int] = {"": 0}
    people: list[tuple[Any, ...]] = []
    names: list[bytes] = []
    keys: list[int] = []
    info: list[tuple[int, int]] = []
    chunks: list[tuple[Any, Any, Any]] = []

    def flush() -> None:
        chunks.append(
            (
                np.array(keys, np.uint64),
                np.array(info, np.uint32).reshape(-1, 2),
                np.array(people, PERSON),
            )
        )
        keys.clear()
        info.clear()
        people.clear()

    remaining = iter(entries)
    while batch := list(islice(remaining, BATCH)):
        found = iter(name_keys([name for entry in batch for name in entry.names]))
        for entry in batch:
            own = _own_keys(entry, [next(found) for _ in entry.names])
            if not own:
                continue
            keys += own
            info += [(len(names), shape) for shape in own.values()]
            people.append(_record(entry, values))
            names.append(entry.name.encode("utf-8", "replace")[:MOST_NAME_BYTES])
        flush()
    flush()
    whole_keys, whole_info, whole_people = (
        np.concatenate(part) for part in zip(*chunks, strict=True)
    )
    strings = lay_out(whole_people, names)
    return sorted_tables(
        Tables(
            whole_keys,
            whole_info,
            whole_people,
            strings,
            bits_of(whole_keys[:0]),
            {**header, "values": list(values)},
        )
    )


def _own_keys(entry: Entry, found: list[NameKey | None]) -> dict[int, int]:
    """The shapes by hash of the keys of `entry` that are worth looking for."""
    own: dict[int, int] = {}
    for name, key in zip(entry.names, found, strict=True):
        if key is None or len(own) == MOST_NAMES or key.hash in own:
            continue
        flags = _flags(name, key)
        if key.words == 1 and not key.signs:
            is_alias = name != entry.name
            if key.length < LEAST_MONONYM or (is_alias and flags & ORDINARY):
                continue
        own[key.hash] = key_shape(key.check, key.words, key.first, flags)
    return own


def _flags(name: str, key: NameKey) -> int:
    words = ordinary_words()
    parts = name.lower().replace("-", " ").split()
    ordinary = all(part.strip(".'’") in words for part in parts)
    return ORDINARY * ordinary | IS_WORD * (key.words > 1 and "".join(parts) in words)


def _record(entry: Entry, values: dict[str, int]) -> tuple[Any, ...]:
    flags = FICTIONAL * entry.fictional | DEAD * entry.dead | ADDED * entry.added
    gender = GENDERS.index(entry.gender) if entry.gender in GENDERS else 0
    return (
        entry.number,
        0,
        0,
        flags,
        gender,
        _numbers(entry.countries, 2, values),
        _numbers(entry.occupations, 3, values),
        _year(entry.born),
        _year(entry.died),
        min(entry.links, 0xFFFF),
    )


def _numbers(names: tuple[str, ...], most: int, values: dict[str, int]) -> tuple[int, ...]:
    """The numbers of `names` among `values`, where new ones are added while there is room."""
    found = [
        values.setdefault(name, len(values))
        for name in names[:most]
        if name in values or len(values) < 0xFFFF
    ]
    return (*found, *[0] * (most - len(found)))


def _year(year: int | None) -> int:
    return 0 if year is None else max(-9999, min(9999, year))


@cache
def ordinary_words() -> frozenset[str]:
    """Words of English, and common ones of French, Spanish and German, that are no names first."""
    lists = files("egide.hub").joinpath("data", "ordinary-words.txt").read_text(encoding="utf-8")
    return frozenset(line for line in lists.splitlines() if not line.startswith("#"))
