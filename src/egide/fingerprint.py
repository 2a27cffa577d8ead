"""What is kept of a picture or video so that a copy can be found.

A fingerprint is personal data: a PDQ lets a rough picture be reconstructed (arXiv 2412.06056,
2406.00918). It never goes into a log, a verdict or an address.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class FingerprintType(StrEnum):
    """The kinds of fingerprint a bank holds, named as ThreatExchange's lists name them."""

    PDQ = "pdq"
    SHA256 = "sha256"
    MD5 = "md5"
    VIDEO_MD5 = "video_md5"
    LOCAL = "local"
    SSCD = "sscd"


FINGERPRINT_BYTES: Final[dict[FingerprintType, int]] = {
    FingerprintType.PDQ: 32,
    FingerprintType.SHA256: 32,
    FingerprintType.MD5: 16,
    FingerprintType.VIDEO_MD5: 16,
}
"""The length of a value of each type that has a fixed one: all but `local` and `sscd`."""

LOCAL_VERSION: Final = 1
LOCAL_HEADER_BYTES: Final = 16
LOCAL_POINT_BYTES: Final = 20
LOCAL_MOST_POINTS: Final = 400
"""A local fingerprint is a header (version u8, flags u8, then little-endian u16: points, width,
height of the plane; reserved) and its points: place, scale and direction in 32 bits, and a binary
descriptor of 128. `src/kernel/local_match.hpp` tells the bits."""

SSCD_VERSION: Final = 1
SSCD_HEADER_BYTES: Final = 16
SSCD_DIGEST_BYTES: Final = 12
SSCD_LEAST_DIMENSIONS: Final = 8
SSCD_MOST_DIMENSIONS: Final = 2032
"""A descriptor is a header (version u8, reserved u8, dimensions u16 little-endian, the first bytes
of the model's SHA-256) and a signed byte for each dimension, of any length as a vector. Descriptors
with different headers are of different models and are never compared."""

LEAST_SIMILARITY: Final = 0.75
"""Cosine from which on two descriptors are reported. Of `sscd_disc_mixup`, nine in ten such pairs
of its authors' test set are copies (arXiv 2202.10261, its README): enough for a person to look."""

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

    `value` has the length that `FINGERPRINT_BYTES` gives for its type, or is a local record or a
    descriptor of a known version; `quality` is PDQ's 0..100 (100 for the other types); `edit` is
    what was done to the picture before hashing: `none`, or `border` when a uniform border was cut
    off. Of a frame of a video, `at` tells when it is shown, from the start, and `span` how long it
    stands for, until the next that differs, both in milliseconds. `repr` does not show the value.
    """

    type: FingerprintType
    value: bytes = field(repr=False)
    quality: int = 100
    edit: str = EDIT_NONE
    at: int | None = None
    span: int | None = None

    def __post_init__(self) -> None:
        if self.type is FingerprintType.LOCAL:
            _check_local(self.value)
            return
        if self.type is FingerprintType.SSCD:
            _check_sscd(self.value)
            return
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


def _check_local(value: bytes) -> None:
    """ValueError unless `value` is as long as its header says; the points may be any bits."""
    if len(value) < LOCAL_HEADER_BYTES:
        raise ValueError(
            f"a local fingerprint has {LOCAL_HEADER_BYTES} bytes or more, not {len(value)}"
        )
    if value[0] != LOCAL_VERSION:
        raise ValueError(
            f"it is a local fingerprint of version {value[0]}, this égide knows {LOCAL_VERSION}"
        )
    points = int.from_bytes(value[2:4], "little")
    if points > LOCAL_MOST_POINTS:
        raise ValueError(
            f"a local fingerprint has {LOCAL_MOST_POINTS} points at most, not {points}"
        )
    expected = LOCAL_HEADER_BYTES + LOCAL_POINT_BYTES * points
    if len(value) != expected:
        raise ValueError(
            f"a local fingerprint of {points} points has {expected} bytes, not {len(value)}"
        )


def _check_sscd(value: bytes) -> None:
    """ValueError unless `value` is a header and as many numbers, not all 0, as it says."""
    if len(value) < SSCD_HEADER_BYTES:
        raise ValueError(f"an sscd descriptor has over {SSCD_HEADER_BYTES} bytes, not {len(value)}")
    if value[0] != SSCD_VERSION:
        raise ValueError(
            f"it is an sscd descriptor of version {value[0]}, this égide knows {SSCD_VERSION}"
        )
    dimensions = int.from_bytes(value[2:4], "little")
    if not SSCD_LEAST_DIMENSIONS <= dimensions <= SSCD_MOST_DIMENSIONS:
        raise ValueError(
            f"an sscd descriptor has {SSCD_LEAST_DIMENSIONS} to {SSCD_MOST_DIMENSIONS} dimensions, "
            f"not {dimensions}"
        )
    expected = SSCD_HEADER_BYTES + dimensions
    if len(value) != expected:
        raise ValueError(
            f"an sscd descriptor of {dimensions} dimensions has {expected} bytes, not {len(value)}"
        )
    if not any(value[SSCD_HEADER_BYTES:]):
        raise ValueError("an sscd descriptor of zeros has no direction to be compared")


def cosine(one: Fingerprint, other: Fingerprint) -> float:
    """How alike two `sscd` descriptors of one model are, -1..1."""
    a, b = (memoryview(f.value)[SSCD_HEADER_BYTES:].cast("b") for f in (one, other))
    squares = sum(x * x for x in a) * sum(x * x for x in b)
    return min(1.0, sum(x * y for x, y in zip(a, b, strict=True)) / math.sqrt(squares))


def local_size(record: bytes) -> tuple[int, int]:
    """Width and height of the picture that a local fingerprint is of, as it was decoded."""
    width, height = (int.from_bytes(record[at : at + 2], "little") for at in (4, 6))
    return max(width, 1), max(height, 1)
