"""Sends one message to an address that was checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from egide.outgoing import Address, connected

REQUEST_SECONDS: Final = 20.0
"""For a whole request, however slowly the other side answers."""


class Answered(NamedTuple):
    """The status of an answer, and the seconds that it asks to be left alone for, if any."""

    status: int
    retry_after: int | None


def post(
    address: Address,
    numeric: Sequence[str],
    body: bytes,
    headers: Mapping[str, str],
    seconds: float = REQUEST_SECONDS,
) -> Answered:
    """Posts `body` to `address` at the first of its checked `numeric` addresses that answers.

    Redirects are not followed and the answer's body is not read. OSError or
    http.client.HTTPException when nothing comes back within `seconds`.
    """
    with connected(address, numeric, seconds) as connection:
        connection.ask("POST")
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        answer.close()
        return Answered(answer.status, _seconds(answer.getheader("Retry-After")))


def _seconds(header: str | None) -> int | None:
    """What Retry-After says when it says a number of seconds."""
    text = (header or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else None
