"""PostgreSQL behind the words of the embedded database: placeholders, rows, values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import psycopg
from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.types.numeric import Int8Dumper

_PLACEHOLDER: Final = re.compile(r"'(?:[^']|'')*'|\?|%")
_INSERTION: Final = re.compile(r"INSERT INTO (\w+) \(([\w, ]+)\) VALUES \(\?(?:, \?)*\)")


@lru_cache(maxsize=1024)
def translated(sql: str) -> str:
    """`sql` with psycopg's placeholders in the place of question marks."""

    def replaced(token: re.Match[str]) -> str:
        return "%s" if token[0] == "?" else token[0].replace("%", "%%")

    return _PLACEHOLDER.sub(replaced, sql)


class Row(tuple[Any, ...]):
    """A row, by name and by number. Each list of columns makes a subclass, with their places."""

    __slots__ = ()
    _places: dict[str, int]

    def __getitem__(self, key: Any) -> Any:
        """The value of a column; IndexError when there is none."""
        if isinstance(key, str):
            try:
                key = self._places[key]
            except KeyError:
                raise IndexError(f"no column {key!r}") from None
        return super().__getitem__(key)


@lru_cache(maxsize=1024)
def _row_type(names: tuple[bytes | None, ...]) -> type[Row]:
    places = {(name or b"").decode(): place for place, name in enumerate(names)}
    return type("Row", (Row,), {"__slots__": (), "_places": places})


def row_factory(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Row]:
    """What makes rows of a cursor's answers."""
    result = cursor.pgresult  # whose names cost less than the cursor's description of each column
    return _row_type(tuple(map(result.fname, range(result.nfields))) if result else ())


class PostgresConnection:
    """A connection within a transaction, with the methods of `egide.db.Connection`."""

    def __init__(self, raw: psycopg.Connection[Row]) -> None:
        self._raw = raw

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> psycopg.Cursor[Row]:
        """Runs one statement."""
        return self._raw.execute(translated(sql), parameters)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> None:
        """Runs one statement for each of `parameters`; plain insertions as one COPY."""
        with self._raw.cursor() as cursor:
            if insertion := _INSERTION.fullmatch(sql):
                with cursor.copy(f"COPY {insertion[1]} ({insertion[2]}) FROM STDIN") as copy:
                    for row in parameters:
                        copy.write_row(row)
            else:
                cursor.executemany(translated(sql), parameters)

    def reserve(self, table: str, count: int, /) -> int:
        """The last number that `table` has given; the `count` behind it are the caller's."""
        row = self.execute(
            "SELECT setval(s, nextval(s) + ? - 1)"
            " FROM CAST(pg_get_serial_sequence(?, 'seq') AS regclass) AS s",
            (max(count, 1), table),
        ).fetchone()
        return int(row[0]) - max(count, 1) if row else 0


class _BoolDumper(Dumper):
    """Truth is a number, as in SQLite."""

    oid = Int8Dumper.oid

    def dump(self, obj: Any) -> Buffer:
        return b"1" if obj else b"0"


class _NumericLoader(Loader):
    """Sums are whole numbers and averages are floats, as in SQLite."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


def adapt(raw: psycopg.Connection[Any]) -> None:
    """Makes a connection take and give values as the embedded database does."""
    raw.adapters.register_dumper(bool, _BoolDumper)
    raw.adapters.register_loader("numeric", _NumericLoader)
