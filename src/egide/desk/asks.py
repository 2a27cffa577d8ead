"""What reviewers ask of the desk: which cases, and what they decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from egide.desk.fold import CaseState
from egide.desk.laws import laws
from egide.desk.notices import line_of, text_of
from egide.errors import WrongField

MOST_TEXT: Final = 5_000
MOST_REASONS: Final = 8
MOST_COPIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cases: all that fit every part that is given.

    `states` empty: those in which the desk has something to do. `text` is a case number or an id or
    address of a content, whole. `mine`: claimed by whoever asks; `free`: by nobody. `second`:
    decided, and waiting for a second reviewer.
    """

    states: tuple[CaseState, ...] = ()
    kind: str | None = None
    jurisdiction: str | None = None
    mine: bool = False
    free: bool = False
    overdue: bool = False
    late: bool = False
    second: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer decides of a notice.

    `outcome` is `remove` or `refuse`; `reasons` are ids of laws().reasons; `text` replaces their
    words when it is given, in the case's language; `copies` are those to be removed, all when
    empty.
    """

    outcome: str
    reasons: tuple[str, ...]
    text: str = ""
    copies: tuple[str, ...] = ()

    OUTCOMES = ("remove", "refuse")

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The decision that a JSON body or a form is; WrongField."""
        return cls(
            outcome_of(document.get("outcome"), cls.OUTCOMES),
            reasons_of(document.get("reasons"), str(document.get("outcome"))),
            text_of(document.get("text"), "text", MOST_TEXT),
            copies_of(document.get("copies")),
        )

    def check(self) -> None:
        """WrongField for an outcome that is none, or reasons that do not go with it."""
        outcome_of(self.outcome, self.OUTCOMES)
        reasons_of(list(self.reasons), self.outcome)


@dataclass(frozen=True, slots=True)
class AppealDecision:
    """What a reviewer decides of an appeal.

    `outcome` is `uphold` or `reverse`; of an uploader's appeal `whole` reverses for all copies of
    the case, not for that uploader's alone. `appeals` are those that the reviewer has read, by the
    numbers of their events; when it is empty, all that are open.
    """

    outcome: str
    reasons: tuple[str, ...]
    text: str = ""
    whole: bool = False
    appeals: tuple[int, ...] = ()

    OUTCOMES = ("uphold", "reverse")

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The decision that a JSON body or a form is; WrongField."""
        whole = document.get("whole", False)
        if not isinstance(whole, bool):
            raise WrongField("whole", "it must be true or false")
        return cls(
            outcome_of(document.get("outcome"), cls.OUTCOMES),
            reasons_of(document.get("reasons"), str(document.get("outcome"))),
            text_of(document.get("text"), "text", MOST_TEXT),
            whole,
            _numbers(document.get("appeals"), "appeals"),
        )


def outcome_of(value: object, allowed: tuple[str, ...]) -> str:
    """`value` if it is one of `allowed`; WrongField."""
    if not isinstance(value, str) or value not in allowed:
        raise WrongField("outcome", f"it must be one of {', '.join(allowed)}")
    return value


def reasons_of(value: object, outcome: str) -> tuple[str, ...]:
    """Ids of reasons that go with `outcome`, one at least; WrongField."""
    allowed = {each.id for each in laws().reasons_for(outcome)}
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_REASONS:
        raise WrongField("reasons", f"give 1 to {MOST_REASONS} of {', '.join(sorted(allowed))}")
    for number, each in enumerate(value):
        if not isinstance(each, str) or each not in allowed:
            raise WrongField(f"reasons.{number}", f"for {outcome} use {', '.join(sorted(allowed))}")
    return tuple(dict.fromkeys(value))


def copies_of(value: object) -> tuple[str, ...]:
    """Ids of copies; WrongField."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or len(value) > MOST_COPIES:
        raise WrongField("copies", f"it must be a list of up to {MOST_COPIES:,} ids")
    return tuple(
        dict.fromkeys(line_of(each, f"copies.{number}", 40) for number, each in enumerate(value))
    )


def _numbers(value: object, name: str) -> tuple[int, ...]:
    """Numbers of events, as JSON or a form has them; WrongField."""
    given = [] if value is None else value
    if not isinstance(given, list | tuple) or len(given) > MOST_COPIES:
        raise WrongField(name, f"it must be a list of up to {MOST_COPIES:,} numbers")
    for number, each in enumerate(given):
        text = str(each)
        if not (isinstance(each, int | str) and text.isascii() and text.isdigit()):
            raise WrongField(f"{name}.{number}", "it must be the number of an event")
    return tuple(int(str(each)[:9]) for each in given)


def words_of(reasons: tuple[str, ...], text: str, language: str) -> str:
    """What is told: `text`, or the words of the reasons in `language`."""
    known = laws().reasons
    return text or "\n".join(known[each].in_(language) for each in reasons if each in known)
