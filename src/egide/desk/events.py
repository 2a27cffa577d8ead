"""Events: what can happen to a case, and the record of one thing that did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final


class EventKind(StrEnum):
    """What can happen to a case; docs/reference/desk.md says what each carries."""

    RECEIVED = "received"
    ASKED = "asked"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    JOINED = "joined"
    SEARCHED = "copies.searched"
    FOUND = "copy.found"
    CLAIMED = "claimed"
    RELEASED = "released"
    DECIDED = "decided"
    UNDONE = "undone"
    CONFIRMED = "confirmed"
    EFFECTIVE = "effective"
    TOLD = "told"
    ACKNOWLEDGED = "acknowledged"
    OVERDUE = "overdue"
    APPEALED = "appealed"
    APPEAL_DECIDED = "appeal.decided"
    REVERSED = "reversed"
    RESTORED = "restored"
    WITHDRAWN = "withdrawn"
    ESCALATED = "escalated"
    RETURNED = "returned"
    NOTE = "note"
    REVEALED = "revealed"
    VIEWED = "viewed"
    ERASED = "erased"
    LETTER = "letter"


TOLD_TO_THE_PERSON: Final = frozenset(
    {
        EventKind.RECEIVED,
        EventKind.ASKED,
        EventKind.COMPLETED,
        EventKind.ACCEPTED,
        EventKind.FOUND,
        EventKind.EFFECTIVE,
        EventKind.ACKNOWLEDGED,
        EventKind.APPEALED,
        EventKind.APPEAL_DECIDED,
        EventKind.REVERSED,
        EventKind.WITHDRAWN,
        EventKind.ERASED,
    }
)
"""What the status page shows. Who works on the case, and what is still in doubt, it does not."""

THE_PERSON: Final = "person"
"""The actor of what the person or her agent does, by number and PIN."""
THE_UPLOADER: Final = "uploader"
"""The actor of what the uploader does, by a code."""
THE_DESK: Final = "desk"
"""The actor of what happens by itself, such as the end of a delay."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a case.

    `at` is in milliseconds since 1970, UTC; `data` is JSON without anything personal, `sealed` what
    is personal, encrypted under the case's key.
    """

    case: str
    seq: int
    at: int
    kind: EventKind
    actor: str
    data: str
    sealed: bytes | None = None

    @property
    def told(self) -> dict[str, Any]:
        """`data` as an object."""
        document: dict[str, Any] = json.loads(self.data)
        return document


def earlier(event: Event, than: Event) -> bool:
    """Whether an event happened before another, which may be of another case."""
    if event.case == than.case:
        return event.seq < than.seq
    return event.at <= than.at


def written(document: Mapping[str, Any]) -> str:
    """`document` as it stands in an event: one line of JSON, keys in order."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def iso(milliseconds: int) -> str:
    """A time as people and programs read it: ISO 8601, UTC, to the second."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
