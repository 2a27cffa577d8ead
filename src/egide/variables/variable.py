"""What is declared of a variable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite


class Type(StrEnum):
    """What a variable's value is."""

    TEXT = "text"
    CHOICE = "one of"
    FILE = "path of a file"
    FOLDER = "path of a folder"
    PATHS = "paths, separated by `:`"
    NAMES = "names, separated by spaces"
    ADDRESS = "address"
    ADDRESSES = "addresses, separated by spaces"
    WHOLE = "whole number"
    NUMBER = "number"
    POSITIVE = "number above 0"
    TRUTH = "`1` or `true`, `0` or `false`"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Attributes:
        name: with its prefix.
        type: what a value is.
        meaning: what it is for; Markdown, without a full stop.
        default: what counts when it is absent, as people write it; empty when nothing does.
        flag: the command-line option that wins over it; empty when there is none.
        least, most: the range of a number, ends included; None where there is no end.
        secret: whether a value may hold what nobody else must read.
    """

    name: str
    type: Type
    meaning: str
    default: str = ""
    flag: str = ""
    least: float | None = None
    most: float | None = None
    secret: bool = False

    def wrong(self, text: str) -> str | None:
        """What is wrong with the value `text`, in a few words; None when it can be one."""
        if self.type is Type.TRUTH:
            right = text.strip().lower() in ("1", "true", "0", "false")
            return None if right else "it is neither 1 nor 0"
        if self.type not in (Type.WHOLE, Type.NUMBER, Type.POSITIVE):
            return None
        try:
            number = int(text) if self.type is Type.WHOLE else float(text)
        except ValueError:
            return f"it is no {self.type}"
        if not isfinite(number) or (self.type is Type.POSITIVE and number <= 0):
            return f"it is no {self.type}"
        least = number if self.least is None else self.least
        most = number if self.most is None else self.most
        return None if least <= number <= most else f"it is not {self.span}"

    @property
    def span(self) -> str:
        """The range of a number in words; empty when there is none."""
        if self.least is None:
            return ""
        if self.most is None:
            return f"{self.least:,g} or more"
        return f"{self.least:,g} to {self.most:,g}"


@dataclass(frozen=True, slots=True)
class Group:
    """Variables that belong together, with what the reference says above them (Markdown)."""

    title: str
    variables: tuple[Variable, ...]
    before: str = ""
