"""Errors as HTTP tells them: `application/problem+json` (RFC 9457), with what to do about them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from egide.errors import (
    AccountExists,
    AccountNotFound,
    AlreadyThere,
    BankExists,
    BankNotFound,
    CaseErased,
    CaseNotFound,
    CaseStands,
    ContentUnavailable,
    EgideError,
    EntryNotFound,
    ItemError,
    KeyExists,
    KeyNotFound,
    NotAllowed,
    NotAuthenticated,
    StorageError,
    StorageFull,
    TooManyAttempts,
    UsageError,
    WebhookNotFound,
    WrongField,
)

PROBLEM_TYPE: Final = "application/problem+json"
RETRY_STORAGE: Final = 2
"""Seconds after which a database that is away is worth another request."""
RETRY_FULL: Final = 30
"""And one on a disk that somebody has to make room on."""

TITLES: Final = {
    400: "The request cannot be read",
    401: "Who asks is not known",
    403: "This is not allowed",
    404: "There is no such thing",
    405: "This path does not take this method",
    406: "No such format",
    408: "The request took too long",
    409: "It is there already",
    410: "It is gone",
    411: "The length is missing",
    413: "The request is too large",
    415: "This kind of content is not taken",
    422: "The request is not valid",
    429: "Too many requests",
    431: "The head of the request is too large",
    500: "Something went wrong here",
    502: "A content source does not answer",
    503: "The service cannot answer now",
    507: "The disk is full",
}


class Wrong(NamedTuple):
    """One field that is not as it must be; `field` is its path, such as `items.3.text`."""

    field: str
    detail: str


class Problem(EgideError):
    """The request cannot be answered as it was asked.

    `status` is that of HTTP, `detail` says what happened and what to do, `wrong` which fields.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        wrong: Sequence[Wrong] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.wrong = tuple(wrong)
        self.headers = dict(headers or {})

    @classmethod
    def of_field(cls, field: str, detail: str) -> Problem:
        """A 422 for one field."""
        return cls(422, f"{field}: {detail}", wrong=[Wrong(field, detail)])

    @classmethod
    def of(cls, error: EgideError) -> Problem:
        """What `error` is over HTTP. Nothing of this machine is told to who asks over a network."""
        if isinstance(error, Problem):
            return error
        if isinstance(error, WrongField):
            return cls.of_field(error.field, error.detail)
        if isinstance(error, TooManyAttempts):
            return cls(429, error.detail, headers={"Retry-After": str(max(1, error.seconds))})
        if isinstance(error, NotAuthenticated):
            return cls(401, error.detail, headers={"WWW-Authenticate": "Bearer"})
        if isinstance(error, StorageError) and not isinstance(error, AlreadyThere):
            return cls._of_storage(error)
        return cls(
            next((status for kind, status in _STATUS if isinstance(error, kind)), 500),
            _TOLD.get(type(error), error.detail),
        )

    @classmethod
    def _of_storage(cls, error: StorageError) -> Problem:
        if isinstance(error, StorageFull):
            return cls(
                507,
                "the service's disk is full, and nothing was stored; have the administrator free "
                "some space, and ask again",
                headers={"Retry-After": str(RETRY_FULL)},
            )
        return cls(
            503,
            "the storage cannot be used; ask again, and look into the server's log",
            headers={"Retry-After": str(RETRY_STORAGE)},
        )

    def document(self, request_id: str) -> dict[str, Any]:
        """The body of the answer."""
        document: dict[str, Any] = {
            "type": f"urn:egide:problem:{self.status}",
            "title": TITLES.get(self.status, "The request failed"),
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.wrong:
            document["errors"] = [wrong._asdict() for wrong in self.wrong]
        return document

    def response(self, request_id: str) -> Response:
        """The answer."""
        return Response(
            json.dumps(self.document(request_id), ensure_ascii=False).encode("utf-8", "replace"),
            self.status,
            self.headers,
            PROBLEM_TYPE,
        )


_STATUS: Final[tuple[tuple[type[EgideError], int], ...]] = (
    (NotAllowed, 403),
    (BankNotFound, 404),
    (EntryNotFound, 404),
    (KeyNotFound, 404),
    (AccountNotFound, 404),
    (WebhookNotFound, 404),
    (CaseNotFound, 404),
    (CaseStands, 409),
    (CaseErased, 410),
    (BankExists, 409),
    (KeyExists, 409),
    (AccountExists, 409),
    (AlreadyThere, 409),
    (ContentUnavailable, 502),
    (UsageError, 422),
    (ItemError, 422),
)
_TOLD: Final[dict[type[EgideError], str]] = {
    BankNotFound: "no bank of that name; GET /v1/banks lists them",
    BankExists: "a bank of that name has another purpose; take another name",
    EntryNotFound: "no such entry in this bank; it may have been withdrawn",
    WebhookNotFound: "no such webhook; GET /v1/webhooks lists them",
    AlreadyThere: "somebody else stored it at the same moment; look at what is there",
}
"""Errors whose own message names folders of this machine, and what is said instead."""
