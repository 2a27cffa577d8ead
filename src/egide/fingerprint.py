"""What is kept of a picture or video so that a copy can be found.

A fingerprint is personal data: a PDQ lets a rough picture be reconstructed (arXiv 2412.06056,
2406.00918). It never goes into a log, a verdict or an address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class FingerprintType(StrEnum):
    """The kinds of fingerprint a bank holds, named as ThreatExchange's lists name them."""

    PDQ = "pdq"
    SHA256 = "sha256"
    MD5 = "md5"
    VIDEO_MD5 = "video_md5"


FINGERPRINT_BYTES: Final[dict[FingerprintType, int]] = {
    FingerprintType.PDQ: 32,
    FingerprintType.SHA256: 32,
    FingerprintType.MD5: 16,
    FingerprintType.VIDEO_MD5: 16,
}

EDIT_NONE: Final = "none"
EDIT_BORDER: Final = "border"

MIN_QUALITY: Final = 50
"""PDQ hashes under this quality say too little to be compared (ThreatExchange's pdq/README)."""

DEFAULT_THRESHOLD: Final = 31
"""Hamming distance, in bits of 256, up to which two PDQ hashes are held to be one picture."""

MAX_THRESHOLD: Final = 63
"""The largest distance that may be asked for: beyond it unrelated pictures meet by chance."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One fingerprint.

    `value` has the length that `FINGERPRINT_BYTES` gives for its type; `quality` is PDQ's 0..100
    (100 for exact digests); `edit` is what was done to the picture before hashing: `none`, or
    `border` when a uniform border was cut off. `repr` does not show the value.
    """

    type: FingerprintType
    value: bytes = field(repr=False)
    quality: int = 100
    edit: str = EDIT_NONE

    def __post_init__(self) -> None:
        expected = FINGERPRINT_BYTES[self.type]
        if len(self.value) != expected:
            raise ValueError(
                f"a {self.type} fingerprint has {expected} bytes, not {len(self.value)}"
            )

    @classmethod
    def from_hex(cls, type: FingerprintType | str, digits: str) -> Fingerprint:  # noqa: A002
        """The fingerprint that hexadecimal `digits` write; ValueError when they write none."""
        return cls(FingerprintType(type), bytes.fromhex(digits))

    @property
    def hex(self) -> str:
        """The value in lower-case hexadecimal, as python-threatexchange writes it."""
        return self.value.hex()
