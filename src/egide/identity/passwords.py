"""Passwords: argon2id (RFC 9106), and what they must be like (NIST SP 800-63B)."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

from egide.errors import UsageError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST: Final = 12
LONGEST: Final = 200
FEWEST_DIFFERENT: Final = 5
AT_ONCE: Final = 2
"""So many are hashed at once by whoever serves a crowd: each takes 64 MiB and most of a core."""


def hash_password(password: str, name: str) -> str:
    """The argon2id hash of `password` in its own notation; UsageError when it is too weak.

    `name` is the account's: a password may not be made of it.
    """
    text = _normal(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise UsageError(f"a password takes {SHORTEST} to {LONGEST} characters; take a sentence")
    if len(set(text)) < FEWEST_DIFFERENT or name.lower() in text.lower():
        raise UsageError(
            "a password may not be a few characters repeated, nor hold your name; take a sentence"
        )
    return _hasher().hash(text)


def password_fits(hash_: str | None, password: str) -> bool:
    """Whether `password` is the one that `hash_` was made of. Without a hash it takes as long."""
    from argon2.exceptions import Argon2Error, InvalidHashError  # noqa: PLC0415  see _hasher

    try:
        fits = _hasher().verify(hash_ or _nobodys(), _normal(password[: 4 * LONGEST]))
    except (Argon2Error, InvalidHashError):
        return False
    return fits and hash_ is not None


def _normal(password: str) -> str:
    """The same characters, however the keyboard put them together."""
    return unicodedata.normalize("NFKC", password)


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # noqa: PLC0415  API keys do without it

    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash("nobody's")
