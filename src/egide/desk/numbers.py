"""What people are handed: case numbers, PINs, and codes that open something once."""

from __future__ import annotations

import re
import secrets
from typing import Final

SIGNS: Final = "23456789BCDFGHJKMNPQRSTVWXYZ"
"""No vowels, so that no words come of it, and nothing that is read as something else."""
NUMBER: Final = re.compile(rf"EG-[{SIGNS}]{{4}}-[{SIGNS}]{{4}}", re.ASCII)
PIN_DIGITS: Final = 10
PIN: Final = re.compile(rf"[0-9]{{{PIN_DIGITS}}}", re.ASCII)
CODE_BYTES: Final = 24
COPY: Final = re.compile(r"cp_[0-9a-f]{24}", re.ASCII)
_LONGEST: Final = 64


def new_number() -> str:
    """A case number such as `EG-7K3M-2QXV`: 38 random bits."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(8))
    return f"EG-{signs[:4]}-{signs[4:]}"


def new_pin() -> str:
    """A PIN of PIN_DIGITS digits."""
    return f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"


def new_code() -> str:
    """A code that opens something once: 32 letters, digits, hyphens and underscores."""
    return secrets.token_urlsafe(CODE_BYTES)


def new_copy() -> str:
    """The id of a copy."""
    return f"cp_{secrets.token_hex(12)}"


def number_of(text: str) -> str:
    """`text` as a case number is written; empty when it can be none.

    Lower case, blanks and missing hyphens are forgiven: people copy them from paper.
    """
    signs = re.sub(r"[\s-]", "", text[:_LONGEST].upper())
    number = f"{signs[:2]}-{signs[2:6]}-{signs[6:]}"
    return number if NUMBER.fullmatch(number) else ""


def pin_of(text: str) -> str:
    """`text` as a PIN; empty when it can be none."""
    digits = re.sub(r"[\s-]", "", text[:_LONGEST])
    return digits if PIN.fullmatch(digits) else ""


def shown_pin(pin: str) -> str:
    """The PIN in groups, as it is printed."""
    return f"{pin[:4]} {pin[4:7]} {pin[7:]}"
