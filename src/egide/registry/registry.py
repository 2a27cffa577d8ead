"""Listings by the aliases of their models, and the entries of banks whose pictures name them.

It lies in the home's database, beside the banks: an entry that is withdrawn takes what is known of
its making with it.
"""

from __future__ import annotations

import struct
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from egide.db import Connection, Row, open_database
from egide.db.opening import DATABASE_FILE, database_url
from egide.hub.aliases import RANK, Alias, named_aliases
from egide.hub.pseudonyms import KEY_FILE, Pseudonyms, open_pseudonyms
from egide.hub.registered import Registered
from egide.provenance.account import Link
from egide.provenance.statements import NamedModel

BUFFERED: Final = 400_000
"""Aliases written in one transaction: each touches most pages of a large table."""
MOST_LISTINGS: Final = 5
"""Listings told of for one model: a name that many files have tells nothing."""

_INSERT_LISTING: Final = (
    "INSERT INTO listing (key, hub, model, base, adapter, creator, named, unnamed, sexual, seen,"
    " firm, aliases) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
    " hub = excluded.hub, model = excluded.model, base = excluded.base,"
    " adapter = excluded.adapter, creator = excluded.creator, named = excluded.named,"
    " unnamed = excluded.unnamed, sexual = excluded.sexual, seen = excluded.seen,"
    " firm = excluded.firm, aliases = excluded.aliases"
)
_INSERT_ALIAS: Final = (
    "INSERT INTO alias (digest, listing, version) VALUES (?, ?, ?)"
    " ON CONFLICT (digest, listing) DO UPDATE SET version = excluded.version"
)
_IN_LIBRARIES: Final = (
    "SELECT count(DISTINCT m.entry) FROM made_with m JOIN entry e ON e.seq = m.entry"
    " JOIN bank b ON b.id = e.bank WHERE b.purpose = 'library' AND m.digest IN ({marks})"
)


class Registry:
    """The registry of the home folder `home`, which is made when there is none. Thread-safe to ask.

    Listings are added by one thread, in a `with` block: what is left is written at its end.
    StorageError when the home cannot be used.
    """

    def __init__(self, home: Path) -> None:
        self._pseudonyms = open_pseudonyms(home)
        self._database = open_database(home)
        self._rows: list[tuple[object, ...]] = []
        self._digests = array("q")
        self._listings = array("q")
        self._versions = array("q")

    @classmethod
    def existing(cls, home: Path) -> Registry | None:
        """The registry of `home`; None when nothing was ever put into it."""
        is_there = database_url() is not None or (home / DATABASE_FILE).exists()
        return cls(home) if is_there and (home / KEY_FILE).exists() else None

    @property
    def pseudonyms(self) -> Pseudonyms:
        """The pseudonyms of the home, by whose key aliases are kept."""
        return self._pseudonyms

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.flush()

    def close(self) -> None:
        """Closes this thread's connection."""
        self._database.close()

    # ── adding ──────────────────────────────────────────────────────────────────────────────────

    def add(self, one: Registered) -> None:
        """Adds a listing, or puts it in the place of what was known of it before."""
        digests = [digest for digest, _ in one.aliases]
        packed = struct.pack(f"<{len(digests)}q", *digests)
        self._rows.append((*one[:-2], int(time.time()), one.firm, packed))
        self._digests.extend(digests)
        self._listings.extend([one.key] * len(digests))
        self._versions.extend(version for _, version in one.aliases)
        if len(self._digests) >= BUFFERED:
            self.flush()

    def flush(self) -> None:
        """Writes what was added; on the disk when it returns."""
        if not self._rows:
            return
        import numpy as np  # noqa: PLC0415  to ask the registry needs none

        digests = np.frombuffer(self._digests, np.int64)
        # In the order of the table: neighbours go into the same page.
        order = np.argsort(digests, kind="stable")
        aliases = zip(
            digests[order].tolist(),
            np.frombuffer(self._listings, np.int64)[order].tolist(),
            np.frombuffer(self._versions, np.int64)[order].tolist(),
            strict=True,
        )
        self._rows.sort(key=_key_of)
        with self._database.write(serial=False) as connection:
            connection.executemany(_INSERT_LISTING, self._rows)
            connection.executemany(_INSERT_ALIAS, aliases)
        self._rows = []
        self._digests, self._listings, self._versions = array("q"), array("q"), array("q")

    # ── asking ──────────────────────────────────────────────────────────────────────────────────

    def digests(self, models: Iterable[NamedModel]) -> tuple[int, ...]:
        """What stands for the aliases of `models`: an entry of a library keeps them."""
        found = (digest for model in models for _, digest in self._asked(model))
        return tuple(dict.fromkeys(found))

    def links(self, models: Sequence[NamedModel]) -> tuple[Link, ...]:
        """The listings of `models`, each with the number of its model among them.

        Where something surer than a name leads to a listing, what a name alone leads to is left
        out.
        """
        with self._database.read() as connection:
            return tuple(
                link
                for number, model in enumerate(models)
                for link in self._links(connection, number, model)
            )

    def _asked(self, model: NamedModel) -> tuple[tuple[Alias, int], ...]:
        aliases = named_aliases(model.hashes, model.ids, model.name)
        return tuple(
            (alias, self._pseudonyms.of_alias(alias.kind, alias.value)) for alias in aliases
        )

    def _links(self, connection: Connection, number: int, model: NamedModel) -> Iterator[Link]:
        found: dict[int, tuple[Row, list[Alias], int]] = {}
        for alias, digest in self._asked(model):
            if found and not alias.is_firm and _firm(found):
                break
            rows = connection.execute(
                "SELECT l.*, a.version FROM alias a JOIN listing l ON l.key = a.listing"
                " WHERE a.digest = ? LIMIT ?",
                (digest, 4 * MOST_LISTINGS),
            )
            for row in rows:
                _, by, version = found.setdefault(row["key"], (row, [], row["version"]))
                by.append(alias)
                found[row["key"]] = row, by, version or row["version"]
        for row, by, version in islice(found.values(), MOST_LISTINGS):
            yield self._link(connection, number, row, by, version)

    def _link(
        self,
        connection: Connection,
        number: int,
        row: Row,
        by: list[Alias],
        version: int,
    ) -> Link:
        digests = struct.unpack(f"<{len(row['aliases']) // 8}q", row["aliases"])
        firm = _in_libraries(connection, digests[: row["firm"]])
        return Link(
            model=number,
            hub=row["hub"],
            listing=row["model"],
            version=str(version) if version else None,
            sureness=str(min((alias.sureness for alias in by), key=RANK.__getitem__)),
            by=tuple(dict.fromkeys(alias.kind for alias in by)),
            base_model=row["base"],
            adapter=row["adapter"],
            creator=row["creator"],
            named=row["named"],
            unnamed=row["unnamed"],
            sexual=row["sexual"],
            library=firm,
            library_by_name=_in_libraries(connection, digests) - firm,
        )


def _key_of(row: tuple[object, ...]) -> int:
    return row[0]  # type: ignore[return-value]  # the key stands first


def _firm(found: dict[int, tuple[Row, list[Alias], int]]) -> bool:
    return any(alias.is_firm for _, by, _ in found.values() for alias in by)


def _in_libraries(connection: Connection, digests: Sequence[int]) -> int:
    """How many entries of libraries were made with a model that one of `digests` stands for."""
    if not digests:
        return 0
    marks = ", ".join("?" * len(digests))
    count: int = connection.execute(_IN_LIBRARIES.format(marks=marks), digests).fetchone()[0]
    return count
