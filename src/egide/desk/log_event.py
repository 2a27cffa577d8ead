"""What the log commits to of an event: all of it, in one canonical form.

The document names case, number, time and kind of the event; who acted, what was said and what was
sealed stand in it as keyed digests. So a person can be given the document of an event of her case,
with its opening, and shows by it that this happened then, without learning who decided.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from egide.desk.events import Event, EventKind

if TYPE_CHECKING:
    from egide.db import Connection
    from egide.desk.case_keys import CaseKey, CaseKeys
    from egide.desk.log import Log

SCHEMA: Final = "egide.event/1"


def document(event: Event, key: CaseKey) -> bytes:
    """What is committed to of an event of the case that has this key: canonical JSON, UTF-8.

    Keys sorted, no blanks, only whole numbers (as RFC 8785 has it).
    """
    mark = f"{event.seq}\n".encode()
    parts = {
        "schema": SCHEMA,
        "case": event.case,
        "seq": event.seq,
        "at": event.at,
        "kind": event.kind,
        "actor": key.blind("actor", mark + event.actor.encode()).hex(),
        "data": key.blind("data", mark + event.data.encode()).hex(),
        "sealed": None if event.sealed is None else hashlib.sha256(event.sealed).hexdigest(),
    }
    return json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def append_event(connection: Connection, keys: CaseKeys, log: Log, event: Event) -> int:
    """Puts the event into the log, in the serial write that stores it; the leaf's number.

    One of the kind `erased` destroys the case's keys, and is committed to under the next one: so
    that a key cannot be gone without the log's having it, and it can be shown afterwards.
    """
    if event.kind == EventKind.ERASED:
        keys.destroy(connection, event.case)
    epoch, key = keys.present(connection, event.case)
    said = document(event, key)
    if event.kind == EventKind.ERASED:
        connection.execute(
            "INSERT INTO log_erasure (number, epoch, event, document) VALUES (?, ?, ?, ?)",
            (event.case, epoch - 1, event.seq, said.decode()),
        )
    return log.append(connection, key.commit(said), event.case, event.seq, epoch)


def stored_event(connection: Connection, case: str, seq: int) -> Event | None:
    """The event of a case with this number, as it stands in the database."""
    row = connection.execute(
        "SELECT * FROM desk_event WHERE number = ? AND seq = ?", (case, seq)
    ).fetchone()
    return None if row is None else read_event(row)


def read_event(row: Any) -> Event:
    """The event that a row with the columns of `desk_event` has, whatever stands there as kind."""
    sealed = None if row["sealed"] is None else bytes(row["sealed"])
    at, kind, actor, data = (row[name] for name in ("at", "kind", "actor", "data"))
    return Event(row["number"], row["seq"], at, kind, actor, data, sealed)
