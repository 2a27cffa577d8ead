"""What asking the service may end in.

    ServiceError
    ├── Unreachable             no answer: nobody listens, or the connection broke
    │   └── TimedOut            no answer in time
    ├── Unavailable             it cannot answer now (HTTP 5xx)
    ├── Refused                 it answered, and will not do what was asked (HTTP 4xx)
    │   ├── NotAuthenticated    no key, or one that does not hold (401)
    │   ├── NotAllowed          the key lacks the scope (403)
    │   ├── NotFound            there is no such thing (404)
    │   ├── Conflict            it is there already, and is something else (409)
    │   ├── TooLarge            more bytes than the service takes (413)
    │   ├── Invalid             a field is not as it must be; `fields` names it (422)
    │   └── TooManyRequests     over the rate of this key (429)
    ├── BadAnswer               what answered is no égide, or of another version
    └── WebhookRefused          a message is not signed with our secret, or too old

They are apart from `egide.errors`, whose errors happen on this machine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

MOST_TOLD: Final = 500


@dataclass(frozen=True, slots=True)
class Wrong:
    """A field of the request that is not as it must be, such as `items.3.text`, and the remedy."""

    field: str
    detail: str


class ServiceError(Exception):
    """Asking the service failed. `attempts` says how often it was asked."""

    attempts: int = 0


class Unreachable(ServiceError):
    """The service did not answer."""


class TimedOut(Unreachable):
    """The service did not answer in time."""


class BadAnswer(ServiceError):
    """What answered is not égide as this client knows it."""


class WebhookRefused(ServiceError):
    """A message that is not to be believed."""


class _Answered(ServiceError):
    """An answer that is no success.

    Attributes:
        status: of HTTP.
        detail: what happened, and what to do.
        fields: which fields of the request are wrong.
        request_id: by which the service's log has it; empty when unknown.
        retry_after: seconds after which the service asks to be asked again, if it said so.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        fields: tuple[Wrong, ...] = (),
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.fields = fields
        self.request_id = request_id
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type[_Answered], tuple[object, ...]]:
        """Pickles with all that was said: queues hand errors from process to process."""
        said = (self.status, self.detail, self.fields, self.request_id, self.retry_after)
        return type(self), said


class Unavailable(_Answered):
    """The service cannot answer now."""


class Refused(_Answered):
    """The service will not do what was asked."""


class NotAuthenticated(Refused):
    """No key, or one that does not hold."""


class NotAllowed(Refused):
    """The key lacks the scope."""


class NotFound(Refused):
    """There is no such thing."""


class Conflict(Refused):
    """It is there already, and is something else."""


class TooLarge(Refused):
    """More bytes than the service takes."""


class Invalid(Refused):
    """A field is not as it must be."""


class TooManyRequests(Refused):
    """More requests than this key may make."""


_KINDS: Final[dict[int, type[Refused]]] = {
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: Invalid,
    429: TooManyRequests,
}


def error_of(status: int, body: bytes, retry_after: float | None = None) -> ServiceError:
    """The error that an answer other than a success is; `body` is a problem of RFC 9457."""
    if status < 400:
        return BadAnswer(f"status {status} was not expected; is this the service's own address?")
    problem = _document(body)
    detail = str(problem.get("detail") or "no reason was given")[:MOST_TOLD]
    wrong = problem.get("errors")
    fields = tuple(
        Wrong(str(each.get("field", "")), str(each.get("detail", ""))[:MOST_TOLD])
        for each in (wrong if isinstance(wrong, list) else ())
        if isinstance(each, dict)
    )
    kind = Unavailable if status >= 500 else _KINDS.get(status, Refused)
    return kind(status, detail, fields, str(problem.get("request_id") or ""), retry_after)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
