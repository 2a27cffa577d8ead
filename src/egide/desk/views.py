"""What the desk answers: frozen records for pages, programs and letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from egide.desk.events import EventKind, iso
from egide.desk.fold import CaseState

T = TypeVar("T")


def _plain(value: Any) -> Any:
    """`value` as JSON has it."""
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, frozenset | set):
        return sorted(map(str, value))
    return str(value) if isinstance(value, StrEnum) else value


class _Shown:
    """Written as an object of its fields; those in `_TIMES` as ISO 8601."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]  # every subclass is a dataclass
    _TIMES = frozenset(
        {"at", "opened", "deadline", "found_at", "told_at", "due", "ended_at", "until", "effective"}
    )

    def to_json(self) -> dict[str, Any]:
        """The record as JSON."""
        document = {}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            known = name in self._TIMES and value is not None
            document[name] = iso(value) if known else _plain(value)
        return document


@dataclass(frozen=True, slots=True)
class Page(_Shown, Generic[T]):
    """Part of a list; `next` is the cursor of what comes behind it, None at the end."""

    rows: tuple[T, ...]
    next: str | None


# ── for the person ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Happened(_Shown):
    """One thing that the person is told: when, what, and how many copies it was about.

    `places` are places that she named and that are not known yet to have a copy.
    """

    at: int
    event: EventKind
    copies: int = 0
    places: int = 0


@dataclass(frozen=True, slots=True)
class Outcome(_Shown):
    """A decision as it is told, with its reasons in the case's language.

    `outcome` is `remove`, `refuse`, `uphold`, `reverse` or `withdraw`; `reasons` are ids.
    """

    at: int
    outcome: str
    reasons: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Status(_Shown):
    """How a case stands, for whoever knows its number and PIN. Times: ms since 1970, UTC.

    Attributes:
        deadline: when the clock ends; while it is `paused`, as if it went on now.
        missing: fields that the law requires and the notice lacks.
        asked: what the desk asked for, in its words.
        copies_found: those that are known to be there, or to have been.
        places_named: places that she named beside, until it is known that a copy is there.
        may: of `add`, `withdraw` and `appeal` those that can be done now.
        order: whether it is an authority's order.
    """

    case: str
    state: CaseState
    jurisdiction: str
    language: str
    opened: int
    deadline: int
    paused: bool
    missing: tuple[str, ...]
    asked: str
    copies_found: int
    copies_removed: int
    places_named: int
    events: tuple[Happened, ...]
    outcome: Outcome | None
    may: frozenset[str]
    order: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """A notice was received: `pin` is told this once."""

    case: str
    pin: str
    status: Status

    def to_json(self) -> dict[str, Any]:
        """The answer to `POST /v1/notices`."""
        status = self.status
        return {
            "case": self.case,
            "pin": self.pin,
            "state": str(status.state),
            "deadline": iso(status.deadline),
            "missing": list(status.missing),
        }


@dataclass(frozen=True, slots=True)
class UploaderStatus(_Shown):
    """What the uploader of a copy is told: never who sent the notice, nor its words.

    `state` is `removed`, `appealed`, `upheld` or `restored`; `may` holds `appeal` once, until
    `until`.
    """

    copy: str
    content_id: str | None
    content_url: str | None
    state: str
    outcome: Outcome | None
    may: frozenset[str]
    until: int
    jurisdiction: str


# ── for reviewers ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class QueueRow(_Shown):
    """A case in the queue.

    `kind` is `notice` or `screening`; `left` is the time left in seconds, negative when it is over;
    `priority` is `first`, `usual` or `crowded`; `marks` are of `order`, `flagger`, `agent`,
    `second` (waits for a second reviewer), `appeal`, `overdue` (a copy), `late`, `paused`,
    `pending` (decided, can still be undone), `decided` (by whoever looks), `new`
    (copies that were found since the decision), `returned` (from the escalation lane).
    """

    case: str
    kind: str
    state: CaseState
    jurisdiction: str
    opened: int
    deadline: int
    left: int
    priority: str
    claimant: str | None
    mine: bool
    copies: int
    untold: int
    joined: int
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class CopyView(_Shown):
    """A copy: `how` is `located`, `identical`, `similar` or `screened`.

    `state` is `found`, `told`, `overdue`, `removed`, `gone`, `refused`, `restoring`,
    `withheld`, `unrestored`, `restored`.
    `group` is the same for copies that show the same picture, so that one look serves for all.
    `fresh`: found since the decision, and nobody has looked at it.
    """

    copy: str
    content_id: str | None
    content_url: str | None
    entry: str | None
    how: str
    evidence: Mapping[str, Any]
    state: str
    found_at: int
    told_at: int | None
    due: int | None
    ended_at: int | None
    group: int
    own_work: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class EventView(_Shown):
    """An event as reviewers see it: `told` without anything personal."""

    seq: int
    at: int
    event: EventKind
    actor: str
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pattern(_Shown):
    """Something that speaks for bad faith, or that two notices are of one: a hint, no proof.

    `kind` is `signer`, `contact`, `target`, `print`, `origin`, `refused`, `own_work` or `news`;
    `cases` are those that have it in common, 20 at most, `count` all of them, `refused` how many of
    them were refused.
    """

    kind: str
    count: int
    refused: int
    cases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending(_Shown):
    """A decision that has not taken effect: at `effective`, or once a second reviewer confirms."""

    seq: int
    outcome: str
    reasons: tuple[str, ...]
    actor: str
    effective: int | None
    second: str | None


@dataclass(frozen=True, slots=True)
class AppealView(_Shown):
    """An appeal that is to be decided: by `notifier` or `uploader`, in their words."""

    seq: int
    at: int
    by: str
    copy: str | None
    words: str


@dataclass(frozen=True, slots=True)
class CaseView(_Shown):
    """A case as a reviewer sees it. Signature and contact are behind `Desk.reveal`.

    Attributes:
        statement, words: what was said, and what the person added; empty once erased.
        notes: what reviewers noted, by the number of the event.
        told: what the first event tells: sender, how many locations and fingerprints, and of what
            screening found the rule, labels and detectors.
        may: of `claim`, `release`, `decide`, `undo`, `confirm`, `ask`, `escalate`, `reveal`,
            `note`, `judge`, `decide_appeal`, `look`, `leave`, `return` what this reviewer can do
            now.
        why_not: for some that are not in `may`, why.
        erased: whether what was personal is gone.
    """

    case: str
    kind: str
    state: CaseState
    jurisdiction: str
    language: str
    opened: int
    deadline: int
    left: int
    paused: bool
    priority: str
    claimant: str | None
    mine: bool
    statement: str
    words: tuple[str, ...]
    notes: Mapping[int, str]
    missing: tuple[str, ...]
    told: Mapping[str, Any]
    copies: tuple[CopyView, ...]
    events: tuple[EventView, ...]
    patterns: tuple[Pattern, ...]
    pending: Pending | None
    appeals: tuple[AppealView, ...]
    outcome: Outcome | None
    joined_to: str | None
    joined: tuple[str, ...]
    marks: frozenset[str]
    may: frozenset[str]
    why_not: Mapping[str, str]
    erased: bool


@dataclass(frozen=True, slots=True)
class Personal(_Shown):
    """What identifies somebody: shown on purpose, and logged."""

    signature: str
    contact: Mapping[str, str]
    order: Mapping[str, str] | None
    locations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exposure(_Shown):
    """How many pictures a reviewer looked at, and whether a break is due."""

    last_hour: int
    last_day: int
    unveiled_last_hour: int
    rest: bool


@dataclass(frozen=True, slots=True)
class Look(_Shown):
    """What a look's token opens, once: the content to be fetched from its source."""

    case: str
    copy: str
    content_id: str | None
    content_url: str | None
    veiled: bool


@dataclass(frozen=True, slots=True)
class Figure(_Shown):
    """How often people confirmed and denied what a detector said under a label."""

    detector: str
    label: str
    confirmed: int
    denied: int
