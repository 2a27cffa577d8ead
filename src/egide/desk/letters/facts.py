"""What letters are written from: frozen records in which nothing is personal.

Who sent a notice, their words and how to reach them have no field here, so that no letter can say
them. Times are moments with a zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Side(StrEnum):
    """Who appealed: the person, or whoever put the content up."""

    PERSON = "person"
    UPLOADER = "uploader"


class Outcome(StrEnum):
    """What an appeal came to: the decision stands, or it is reversed."""

    UPHELD = "upheld"
    REVERSED = "reversed"


class Body(NamedTuple):
    """A service that helps, with a sentence on what it does in the letter's language."""

    name: str
    url: str
    does: str = ""


class Appeal(NamedTuple):
    """How an appeal was decided; `whole` unless one copy of several was put back."""

    side: Side
    outcome: Outcome
    decided: datetime
    whole: bool = True


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What a letter to the person says of a case.

    Attributes:
        case: the case number.
        platform: the platform's name.
        status_url: where the person follows the case.
        written: when the letter is written.
        received: when the notice came.
        deadline: by when the platform has to have acted; None when no clock runs.
        statute: whether the law sets that time, or the platform promised it.
        paused: whether the clock stands still until something is added.
        missing: what is asked for, in the letter's language.
        words: what the reviewer adds, as written.
        decided: when it was decided.
        reasons: why, in the letter's language.
        searched: whether a program looked for copies.
        found, removed: how many copies.
        appeal_until: until when this decision can be appealed.
        appeal: how an appeal was decided.
        out_of_court: whether the law knows bodies that settle disputes out of court.
        withdrawn: when the person took the request back.
        bodies: who can help.
    """

    case: str
    platform: str
    status_url: str
    written: datetime
    received: datetime
    deadline: datetime | None = None
    statute: bool = False
    paused: bool = False
    missing: tuple[str, ...] = ()
    words: str = ""
    decided: datetime | None = None
    reasons: tuple[str, ...] = ()
    searched: bool = True
    found: int = 0
    removed: int = 0
    appeal_until: datetime | None = None
    appeal: Appeal | None = None
    out_of_court: bool = False
    withdrawn: datetime | None = None
    bodies: tuple[Body, ...] = ()
