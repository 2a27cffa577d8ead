"""Adds and removes single people: names that a platform protects on request, and mistakes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from egide.errors import GazetteerError
from egide.hub.gazetteer import Gazetteer
from egide.hub.gazetteer_people import Entry, tables_of
from egide.hub.gazetteer_tables import (
    ADDED,
    Tables,
    merged,
    read_tables,
    selected,
    write_tables,
)
from egide.hub.names import name_keys


def add_people(
    path: Path,
    names: Sequence[str],
    aliases: tuple[str, ...] = (),
    *,
    gender: str | None = None,
    countries: tuple[str, ...] = (),
) -> list[str]:
    """Adds people to the gazetteer at `path`, which is made when it is not there; their ids.

    `aliases` are further names of each. GazetteerError, and nothing added, when a name has nothing
    that can be looked for.
    """
    there = read_tables(path) if path.exists() else None
    last = 0 if there is None else int(there.header.get("added", 0))
    entries = [
        Entry(number, name, (name, *aliases), False, gender, countries, added=True)
        for number, name in enumerate(names, last + 1)
    ]
    for entry in entries:
        if not len(tables_of([entry]).people):
            raise GazetteerError(
                f"the name {entry.name!r} has too few letters, or too many, to be looked for"
            )
    # Numbers are never given twice: reports name people by them.
    year = time.gmtime().tm_year
    new = tables_of(entries, year=year, removed=[], added=last + len(entries))
    whole = new if there is None else merged(there, new)
    write_tables(path, replace(whole, header=whole.header | {"added": last + len(entries)}))
    return [f"added-{entry.number}" for entry in entries]


def remove_people(path: Path, wanted: str) -> list[str]:
    """Removes the person with the id `wanted`, or everybody of that name, from `path`; their ids.

    Nothing of them stays in the file. Who came from a dump is left out when it is built anew: the
    file keeps their Wikidata numbers for that. GazetteerError when there is nobody.
    """
    tables = read_tables(path)
    gone = _matching(tables, wanted)
    if not gone.any():
        raise GazetteerError(f"{path} has nobody of that id or name")
    gazetteer = Gazetteer(tables)
    ids = [gazetteer.person(number).id for number in np.flatnonzero(gone).tolist()]
    of_dump = {int(one[1:]) for one in ids if one.startswith("Q")}
    header = tables.header | {"removed": sorted(of_dump | set(tables.header.get("removed", ())))}
    write_tables(path, replace(selected(tables, ~gone), header=header))
    return ids


def added_by_hand(path: Path) -> Tables | None:
    """The people that were added by hand to the gazetteer at `path`; None when it is not there."""
    if not path.exists():
        return None
    there = read_tables(path)
    return selected(there, _is_added(there))


def _is_added(tables: Tables) -> NDArray[np.bool_]:
    return (tables.people["flags"] & ADDED).astype(bool)


def _matching(tables: Tables, wanted: str) -> NDArray[np.bool_]:
    """Who has the id or a name `wanted`, in any way to write it."""
    found = np.zeros(len(tables.people), bool)
    for prefix, added in (("added-", True), ("Q", False)):
        number = wanted.removeprefix(prefix)
        if wanted.startswith(prefix) and number.isascii() and number.isdigit():
            found |= (tables.people["number"] == int(number)) & (_is_added(tables) == added)
    if (key := name_keys([wanted])[0]) is not None:
        value = np.uint64(key.hash)
        low, high = (int(np.searchsorted(tables.keys, value, side)) for side in ("left", "right"))
        found[tables.info[low:high, 0]] = True
    return found
