"""Signatures of the Standard Webhooks convention: HMAC-SHA256 of id, time and body.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

from egide.errors import UsageError

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
_LENGTHS: Final = range(24, 65)


def new_secret() -> str:
    """A random secret of 32 bytes, as both sides write it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The 24 to 64 bytes that `secret` writes; UsageError."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or len(key) not in _LENGTHS:
        raise UsageError(f"a webhook's secret is {PREFIX} and 24 to 64 bytes in Base64")
    return key


def headers_of(message: str, seconds: int, body: bytes, keys: Iterable[bytes]) -> dict[str, str]:
    """The headers that sign `body`, one signature for each of `keys`; sent at `seconds` UTC."""
    signed = b"%s.%d.%s" % (message.encode(), seconds, body)
    signatures = (base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{each.decode()}" for each in signatures),
    }
