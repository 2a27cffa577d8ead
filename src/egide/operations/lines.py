"""What a look at an installation says: one line for each thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How a thing stands, best first."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"

    @property
    def severity(self) -> int:
        """0 for `ok` up to 2 for `fail`: the exit code of `egide doctor`."""
        return list(Level).index(self)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at.

    Attributes:
        code: a stable word for it, such as `database.locked`: the area, then what about it.
        level: how it stands.
        says: what was found; no secrets, no names of people.
        mend: what to do; empty when nothing is to be done.
    """

    code: str
    level: Level
    says: str
    mend: str = ""

    def to_json(self) -> dict[str, Any]:
        """The line as `egide doctor --format jsonl` prints it."""
        return {"code": self.code, "level": self.level, "says": self.says, "mend": self.mend}


def ok(code: str, says: str) -> Line:
    """All is well with it."""
    return Line(code, Level.OK, says)


def warn(code: str, says: str, mend: str) -> Line:
    """It works, and something is to be done."""
    return Line(code, Level.WARN, says, mend)


def fail(code: str, says: str, mend: str) -> Line:
    """It does not work, or something is in danger."""
    return Line(code, Level.FAIL, says, mend)
