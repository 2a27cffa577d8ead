"""Reads the bodies of requests: never more than a cap, never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from egide.sniff import Kind
from egide.web.problems import Problem, Wrong

T = TypeVar("T")

JSON_TYPE: Final = "application/json"
MOST_JSON: Final = 8 << 20
MOST_FORM: Final = 1 << 20
FORM_SECONDS: Final = 60.0
UNBOUNDED: Final = "unbounded_receive"
"""Under this name the state of a request has what `bounded` was given."""
CHUNK_SECONDS: Final = 30.0
"""How long a client may pause."""
BODY_SECONDS: Final = 900.0
LINGER_BYTES: Final = 8 << 20
LINGER_SECONDS: Final = 3.0
"""How much of a refused body is still taken in: a client that is cut off sees no answer."""
MOST_WRONG: Final = 20


def bounded(receive: Receive) -> Receive:
    """`receive` for whoever reads a body whole: HTTPException 413 over `MOST_FORM`, 408 too late.

    FastAPI and Starlette read forms and short JSON so, for strangers too, with no limit of theirs.
    """
    clock = asyncio.get_running_loop().time
    ends, left, more = clock() + FORM_SECONDS, MOST_FORM, True

    async def received() -> Message:
        nonlocal left, more
        if not more:
            return await receive()
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408) from None
        more = message.get("more_body", False)
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413)
        return message

    return received


async def chunks(request: Request, most: int, beside: int = 0) -> AsyncIterator[bytes]:
    """The body piece by piece; Problem 413 over `most` bytes, 408 when it stalls, 415.

    `beside` bytes more are let through, for what is around the files of a form.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise Problem(
            415,
            f"the body is encoded as {encoding[:40]!r}; send it as it is, without Content-Encoding",
            headers={"Accept-Encoding": "identity"},
        )
    length = request.headers.get("content-length", "")
    # Of ASCII digits alone, as the server has checked: int() takes more.
    if length.isascii() and length.isdigit() and int(length[:20]) > most + beside:
        await _linger(request)
        raise too_large(most)
    receive = _receive(request)
    read = 0
    clock = asyncio.get_running_loop().time
    ends = clock() + BODY_SECONDS
    more = True
    while more:
        try:
            async with asyncio.timeout_at(min(ends, clock() + CHUNK_SECONDS)):
                message = await receive()
        except TimeoutError:
            raise Problem(
                408, "the body came too slowly; send it again over a better line"
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        chunk = message.get("body", b"")
        read += len(chunk)
        if read > most + beside:
            await _linger(request)
            raise too_large(most)
        if chunk:
            yield chunk


def _receive(request: Request) -> Receive:
    """What hands over the body without the limits of `bounded`: here are others."""
    whole: Receive = request.scope.get("state", {}).get(UNBOUNDED, request.receive)
    return whole


def too_large(most: int) -> Problem:
    """The problem of a body, or of a part of it, over `most` bytes."""
    return Problem(
        413, f"more than {most:,} bytes; send less, or have the administrator raise the limit"
    )


async def _linger(request: Request) -> None:
    """Takes in a little more of what nobody wants, so that the client comes to read its answer."""
    left, receive = LINGER_BYTES, _receive(request)
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0 and (message := await receive()).get("more_body", False):
                left -= len(message.get("body", b""))
    except TimeoutError:
        return


async def json_bytes(request: Request, most: int = MOST_JSON) -> bytes:
    """The bytes of a JSON body; Problem 415 for another content type."""
    if media_type(request) != JSON_TYPE:
        raise Problem(
            415,
            f"the content type is {media_type(request) or 'missing'!r}; send {JSON_TYPE}",
            headers={"Accept": JSON_TYPE},
        )
    return b"".join([chunk async for chunk in chunks(request, most)])


def media_type(request: Request) -> str:
    """The content type of the body without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()[:100]


def parsed(adapter: TypeAdapter[T], body: bytes) -> T:
    """The JSON `body` as the adapter's type; Problem 422 that names every field that is wrong."""
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_context=False)) from None


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """The problem that pydantic's `errors` are; what was sent is not repeated."""
    wrong = [Wrong(_path(error["loc"]), str(error["msg"])[:300]) for error in errors[:MOST_WRONG]]
    first = wrong[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem(422, f"{first.field}: {first.detail}{more}; see /docs", wrong=wrong)


def _path(location: Sequence[int | str]) -> str:
    """Where in the request: not where pydantic was among the kinds that an item may be."""
    parts = [
        str(part)[:60]
        for before, part in zip(("", *location), location, strict=False)
        if part not in ("body", "query", "path")
        and not (
            part in list(Kind) and (before == "" or isinstance(before, int)) and len(location) > 1
        )
    ]
    return ".".join(parts) or "body"
