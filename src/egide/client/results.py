"""What the service answers, typed. Fields that a later version adds are passed over."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, Generic, TypeVar

from egide.client.calls import Answer
from egide.client.errors import BadAnswer
from egide.errors import UsageError
from egide.verdict import Action, Verdict

T = TypeVar("T")

VERDICT_ID: Final = "egide-verdict-id"
ENTRY_ID: Final = "egide-entry-id"
REPLAYED: Final = "idempotency-replayed"


@dataclass(frozen=True, slots=True)
class Scanned:
    """The verdict on one item.

    Attributes:
        verdict: what was found, and what to do.
        id: of the verdict's record.
        entry: of the library, when it was remembered there.
        replayed: whether the answer is that to an earlier attempt.
    """

    verdict: Verdict
    id: str
    entry: str | None = None
    replayed: bool = False

    @property
    def action(self) -> Action:
        """What to do with the item: `allow`, `review`, `block` or `escalate`."""
        return self.verdict.action


@dataclass(frozen=True, slots=True)
class Found:
    """A banked fingerprint near one that was asked for: `query` says which, from 0.

    `distance` is in bits of 256 for PDQ, else 0.
    """

    query: int
    bank: str
    purpose: str
    entry: str
    state: str
    method: str
    distance: int
    edit: str
    label: str | None


@dataclass(frozen=True, slots=True)
class Copy:
    """Hosted content that shows what was asked for; `at` is a video's time in milliseconds."""

    content_id: str | None
    content_url: str | None
    bank: str
    entry: str
    method: str
    distance: int
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was taken out of the library."""

    content_id: str
    withdrawn: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A verdict as it is kept; `at` in milliseconds since 1970, UTC."""

    id: str
    at: int
    content_id: str | None
    verdict: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BankInfo:
    """A bank; `created` in seconds since 1970, UTC."""

    bank: str
    purpose: str
    created: int


@dataclass(frozen=True, slots=True)
class BankCounts:
    """A bank with its entries by state, and its fingerprints by type."""

    bank: str
    purpose: str
    created: int
    entries: dict[str, int]
    fingerprints: dict[str, int]


@dataclass(frozen=True, slots=True)
class Added:
    """What became of an entry: `new` is false when it was there already."""

    entry: str
    new: bool


@dataclass(frozen=True, slots=True)
class EntryInfo:
    """An entry of a bank; times in seconds since 1970, UTC."""

    entry: str
    state: str
    label: str | None
    ref: str | None
    added: int
    changed: int
    fingerprints: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a list of fingerprints."""

    bank: str
    new: int
    known: int
    unreadable: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoticeReceipt:
    """A case that was begun; `missing` is what the law requires and the notice lacks.

    The `pin` is told this once, to be handed on to the person and kept nowhere else.
    """

    case: str
    pin: str = field(repr=False)
    state: str
    deadline: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseStatus:
    """How a case stands; times in ISO 8601, UTC."""

    case: str
    state: str
    jurisdiction: str
    opened: str
    deadline: str
    paused: bool
    missing: tuple[str, ...]
    copies_found: int
    copies_removed: int
    events: tuple[dict[str, Any], ...] = field(repr=False)
    outcome: dict[str, Any] | None = field(repr=False)
    may: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AcknowledgedCopy:
    """A copy, after what was said of it."""

    copy: str
    state: str
    content_id: str | None
    content_url: str | None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list; `next` is where the rest begins, None at the end."""

    items: tuple[T, ...]
    next: str | None


def document_of(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer; BadAnswer."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise BadAnswer("the answer is no JSON object; is this the service's own address?")
    return document


def one(kind: type[T]) -> Callable[[Answer], T]:
    """What reads an answer that is one `kind`."""
    return lambda answer: made(kind, document_of(answer))


def page(kind: type[T], name: str) -> Callable[[Answer], Page[T]]:
    """What reads a page of `kind` that stands under `name`."""

    def parsed(answer: Answer) -> Page[T]:
        document = document_of(answer)
        return Page(_several(kind, document, name), document.get("next"))

    return parsed


def several(kind: type[T], name: str) -> Callable[[Answer], tuple[T, ...]]:
    """What reads a list of `kind` that stands under `name`."""
    return lambda answer: _several(kind, document_of(answer), name)


def nothing(answer: Answer) -> None:
    """Reads nothing: that it succeeded says all."""


def scanned(answer: Answer) -> Scanned:
    """The verdict on one item, with what its headers say."""
    return Scanned(
        _verdict(answer.body.decode("utf-8", "replace")),
        answer.headers.get(VERDICT_ID, ""),
        answer.headers.get(ENTRY_ID),
        answer.headers.get(REPLAYED) == "true",
    )


def scanned_all(answer: Answer) -> tuple[Scanned, ...]:
    """The verdicts of a batch, in the order of its items."""
    replayed = answer.headers.get(REPLAYED) == "true"
    results = document_of(answer).get("results")
    if not isinstance(results, list):
        raise _unknown("results")
    return tuple(_one_of_many(each, replayed) for each in results)


def _one_of_many(result: Any, replayed: bool) -> Scanned:
    if not isinstance(result, dict):
        raise _unknown("verdict")
    if not isinstance(result.get("id"), str):
        raise _unknown("id")
    verdict = _verdict(json.dumps(result.get("verdict")))
    return Scanned(verdict, result["id"], result.get("entry"), replayed)


def made(kind: type[T], document: Any) -> T:
    """A `kind` of the members of `document`; BadAnswer when one is missing."""
    if not isinstance(document, dict):
        raise _unknown(kind.__name__)
    values = {}
    for each in fields(kind):  # type: ignore[arg-type]  # all kinds are dataclasses
        if each.name in document:
            value = document[each.name]
            values[each.name] = tuple(value) if isinstance(value, list) else value
        elif each.default is MISSING:
            raise _unknown(each.name)
    return kind(**values)


def _several(kind: type[T], document: dict[str, Any], name: str) -> tuple[T, ...]:
    listed = document.get(name)
    if not isinstance(listed, list):
        raise _unknown(name)
    return tuple(made(kind, each) for each in listed)


def _verdict(text: str) -> Verdict:
    try:
        return Verdict.from_json(text)
    except UsageError as error:
        raise BadAnswer(f"{error.detail}; upgrade this client, or ask the right address") from error


def _unknown(what: str) -> BadAnswer:
    return BadAnswer(f"the answer lacks {what!r}; upgrade this client, or ask the right address")
