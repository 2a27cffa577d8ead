"""Asking, without a network: what is sent, what an answer means, when it is asked again.

A call is carried out by a `conversation`: a generator that yields what is to be sent, or how long
to wait, and is given what came of it. What sends and waits, one way or the other, is all that the
two clients do not share.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Generic, TypeVar

from egide.client.bodies import Body
from egide.client.errors import ServiceError, error_of

T = TypeVar("T")

AGAIN: Final = frozenset({408, 425, 429, 502, 503, 504, 507})
"""Answers after which the same request may well succeed."""
NOTHING_DONE: Final = frozenset({425, 429})
"""Those of them that say for certain that nothing was done."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; `path` is below the service's address, `query` has no secrets."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether it is what was asked for."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Broken:
    """No answer, and why; `sent` is false when the request surely never reached the service."""

    error: ServiceError
    sent: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds to wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One thing that is asked.

    Attributes:
        request: what is sent.
        parse: what the answer means; BadAnswer when it means nothing.
        repeatable: whether sending it twice does no more than sending it once.
        gone: of a removal, what 404 means when an earlier attempt may have done it.
    """

    request: Request
    parse: Callable[[Answer], T]
    repeatable: bool = True
    gone: Callable[[], T] | None = None


@dataclass(frozen=True, slots=True)
class Retries:
    """When to ask again.

    Attributes:
        attempts: how often at most, the first included; 1 never asks again.
        first, longest: seconds before the second attempt, and the most before any; in between the
            wait doubles, and each is shortened by up to a half, by chance, so that many who failed
            together come apart.
        patience: seconds after which no further attempt is begun.
    """

    attempts: int = 5
    first: float = 0.25
    longest: float = 20.0
    patience: float = 120.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or min(self.first, self.longest, self.patience) < 0:
            raise ValueError("retries take 1 attempt or more, and no negative times")

    def wait(self, attempt: int, retry_after: float | None) -> float:
        """Seconds before the attempt that follows `attempt`, counted from 1."""
        backed_off = min(self.longest, self.first * 2.0 ** min(attempt - 1, 60))
        backed_off *= random.uniform(0.5, 1.0)  # noqa: S311  no secret
        # Not before the time that was asked for, but neither all at that very moment.
        return backed_off if retry_after is None else retry_after + backed_off / 4


Conversation = Generator[Request | Pause, Answer | Broken | None, T]


def conversation(
    call: Call[T], retries: Retries, clock: Callable[[], float] = time.monotonic
) -> Conversation[T]:
    """Carries `call` out; ServiceError. `clock` gives seconds."""
    ends = clock() + retries.patience
    doubtful = False
    attempt = 0
    while True:
        attempt += 1
        came = yield call.request
        assert came is not None  # noqa: S101  a request is answered, a pause is not
        if isinstance(came, Answer) and came.succeeded:
            return call.parse(came)
        if isinstance(came, Answer) and came.status == 404 and doubtful and call.gone is not None:
            return call.gone()
        error, wait = _judge(call, came, retries, attempt)
        error.attempts = attempt
        if wait is None or attempt >= retries.attempts or clock() + wait > ends:
            raise error
        doubtful = doubtful or _may_have_worked(came)
        yield Pause(wait)


def _judge(
    call: Call[T], came: Answer | Broken, retries: Retries, attempt: int
) -> tuple[ServiceError, float | None]:
    """The error that `came` is, and after how long to ask again; None for not at all."""
    if isinstance(came, Broken):
        again = call.repeatable or not came.sent
        return came.error, retries.wait(attempt, None) if again else None
    asked_for = retry_after(came.headers)
    error = error_of(came.status, came.body, asked_for)
    again = came.status in (AGAIN if call.repeatable else NOTHING_DONE)
    return error, retries.wait(attempt, asked_for) if again else None


def _may_have_worked(came: Answer | Broken) -> bool:
    return came.sent if isinstance(came, Broken) else came.status not in NOTHING_DONE


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks to wait, as a number or a date; None when it asks nothing."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
