"""Checking that cases are what their events come to: the queue goes by columns of their rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from egide.desk.casebook import columns_of
from egide.desk.fold import fold
from egide.desk.log_event import read_event

if TYPE_CHECKING:
    from egide.db import Connection

BATCH: Final = 200


def case_troubles(connection: Connection) -> Iterator[str]:
    """Which cases' rows say something else than their events, a line each; in a read transaction.

    The events themselves are checked by `verify`.
    """
    last = ""
    while rows := connection.execute(
        "SELECT * FROM desk_case WHERE number > ? ORDER BY number LIMIT ?", (last, BATCH)
    ).fetchall():
        for row in rows:
            yield from _troubles(connection, row)
        last = rows[-1]["number"]


def _troubles(connection: Connection, row: Any) -> Iterator[str]:
    number = row["number"]
    events = connection.execute(
        "SELECT * FROM desk_event WHERE number = ? ORDER BY seq", (number,)
    ).fetchall()
    try:
        wanted = columns_of(fold(read_event(each) for each in events))
    except (AttributeError, LookupError, TypeError, ValueError):  # whatever was written there
        yield f"case {number}: what its events come to cannot be told"
        return
    wrong = [name for name, value in wanted.items() if row[name] != value]
    if wrong:
        yield f"case {number}: its row differs from what its events come to: {', '.join(wrong)}"
