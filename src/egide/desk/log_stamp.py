"""Time stamps of others over checkpoints (RFC 3161): that the log was so, at that time, at latest.

A checkpoint says nothing of time that its signer could not have made up. A time-stamping authority
that has nothing to do with the platform signs its digest and the time; it learns nothing else.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from egide.errors import AddressRefused, LogError, UsageError
from egide.outgoing import Address, AddressGuard, connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.x509 import Certificate

    from egide.db import Connection

VARIABLE: Final = "EGIDE_TSA_ALLOW"
SECONDS: Final = 30.0
MOST_BYTES: Final = 100_000
_SHA256: Final = "2.16.840.1.101.3.4.2.1"
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Stamp:
    """A stamp that the database has: over the checkpoint with this number, whose note is `note`."""

    seq: int
    checkpoint: int
    host: str
    note: str
    response: bytes


def tsa_guard() -> AddressGuard:
    """Public addresses under https, and the places in EGIDE_TSA_ALLOW; UsageError."""
    try:
        places = [Address.parse(word) for word in os.environ.get(VARIABLE, "").split()]
    except AddressRefused as error:
        raise UsageError(f"{VARIABLE}: {error.detail}") from None
    return AddressGuard(
        places, remedy=f"give https:// and a public name, or allow it in {VARIABLE}"
    )


def asked(url: str, note: str, guard: AddressGuard) -> bytes:
    """The response of the authority at `url` for a checkpoint's note, in DER, looked at by `timed`.

    AddressRefused; LogError when it gives none.
    """
    with _library():
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415  extra
    builder = TimestampRequestBuilder().data(note.encode())
    request = builder.hash_algorithm(HashAlgorithm.SHA256).build()
    address = Address.parse(url)
    try:
        response = _post(address, guard.resolve(address), request.as_bytes())
    except (OSError, http.client.HTTPException) as error:
        raise LogError(f"{address.shown} gave no time stamp: {error}; try again later") from error
    timed(response, note)
    if _decoded(response).tst_info.nonce != request.nonce:
        raise LogError(f"{address.shown} answered with the stamp of another request")
    return response


def timed(response: bytes, note: str, roots: Sequence[Certificate] = ()) -> datetime:
    """The time that a stamp says, UTC; LogError when it is not over this note.

    With `roots` also when its signature does not lead to one of them: without, anybody may have
    made it.
    """
    with _library():
        from rfc3161_client import VerificationError, VerifierBuilder  # noqa: PLC0415  extra
    stamp = _decoded(response)
    imprint = stamp.tst_info.message_imprint
    if (
        imprint.hash_algorithm.dotted_string != _SHA256
        or imprint.message != hashlib.sha256(note.encode()).digest()
    ):
        raise LogError("the time stamp is over something else than this checkpoint")
    if roots:
        builder = VerifierBuilder()
        for root in roots:
            builder = builder.add_root_certificate(root)
        try:
            builder.build().verify_message(stamp, note.encode())
        except (VerificationError, ValueError) as error:
            raise LogError(f"the time stamp is of nobody that is trusted: {error}") from None
    said: datetime = stamp.tst_info.gen_time
    return said


def trusted(path: Path) -> list[Certificate]:
    """The certificates in a PEM file; UsageError."""
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415  slow, rare

    try:
        return load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError:
        raise UsageError(f"{path} has no certificates in PEM; give the authority's") from None


def keep(connection: Connection, checkpoint: int, host: str, response: bytes, at: int) -> None:
    """Stores a stamp over the checkpoint with this number, in a write transaction."""
    connection.execute(
        "INSERT INTO log_stamp (checkpoint, host, at, response) VALUES (?, ?, ?, ?)",
        (checkpoint, host, at, response),
    )


def stamps(connection: Connection) -> list[Stamp]:
    """All that are kept."""
    rows = connection.execute(
        "SELECT s.seq, s.checkpoint, s.host, c.note, s.response FROM log_stamp s"
        " JOIN log_checkpoint c ON c.seq = s.checkpoint ORDER BY s.seq"
    ).fetchall()
    return [
        Stamp(seq, checkpoint, host, note, bytes(response))
        for seq, checkpoint, host, note, response in rows
    ]


def _post(address: Address, numeric: Sequence[str], body: bytes) -> bytes:
    with connected(address, numeric, SECONDS) as connection:
        connection.ask("POST")
        connection.putheader("Content-Type", "application/timestamp-query")
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("User-Agent", "egide")
        connection.endheaders(body)
        answer = connection.getresponse()
        response = answer.read(MOST_BYTES + 1)
        if answer.status != _OK or len(response) > MOST_BYTES:
            raise LogError(f"{address.shown} gave no time stamp: it answered {answer.status}")
        if time.monotonic() > connection.until:
            raise TimeoutError("it took too long")
        return response


def _decoded(response: bytes) -> Any:
    with _library():
        from rfc3161_client import decode_timestamp_response  # noqa: PLC0415  an optional extra
    try:
        stamp = decode_timestamp_response(response)
        granted = stamp.status == 0
        if granted:  # parsed when they are asked for, and not before
            said = stamp.tst_info
            _ = said.gen_time, said.nonce, said.message_imprint.message
            _ = said.message_imprint.hash_algorithm.dotted_string
    except ValueError as error:
        raise LogError(f"this is no time stamp: {error}") from None
    if not granted:
        raise LogError("the authority refused to give a time stamp")
    return stamp


@contextmanager
def _library() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise UsageError(
            f"time stamps need the library {error.name}; install it with "
            "`pip install 'egide[timestamp]'`"
        ) from error
