"""Codes of six digits that change every half minute: TOTP (RFC 6238), with SHA-1 as apps do."""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import Final
from urllib.parse import quote

STEP: Final = 30
DIGITS: Final = 6
SECRET_BYTES: Final = 20
DRIFT: Final = 1
"""Steps that a telephone's clock may be off."""


def new_secret() -> bytes:
    """20 random bytes, as RFC 4226 recommends."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """The code of the half minute number `step` since 1970."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(secret: bytes, code: str, now: float) -> int | None:
    """The step near `now` whose code is `code`; None when there is none."""
    given = "".join(code.split()).encode(errors="replace")
    present = int(now) // STEP
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), given):
            return step
    return None


def base32(secret: bytes) -> str:
    """The secret as people type it."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, name: str) -> str:
    """The address that a QR code gives to an app, with the account's `name`."""
    label = quote(f"egide:{name}", safe="")
    return f"otpauth://totp/{label}?secret={base32(secret)}&issuer=egide"
