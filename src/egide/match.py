"""What a bank answers, and the little that a scan needs to know of a bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from egide.fingerprint import Fingerprint, FingerprintType, local_size

if TYPE_CHECKING:
    from egide._kernel import LocalFeatures

ALIGNED_SCORE: Final = 3.5
"""Two pictures whose local features agree with this score or a higher one are said to be aligned.
Photographs of different scenes stay far below; drawings made of few shapes reach 3
(benchmarks/RESULTS.md)."""

Verified = tuple[
    float,
    int,
    Sequence[float],
    Sequence[tuple[float, float]],
    Sequence[tuple[float, float]],
    int,
    int,
]
"""What the kernel says of an alignment: score, inliers, affine map (6), the region of the query and
of the banked picture, and how many cells of the latter's detail were matched, of how many that
should be visible."""

Polygon = tuple[tuple[float, float], ...]
"""Corners in order, each (x, y) as shares 0..1 of a picture's width and height."""


class Purpose(StrEnum):
    """What a bank's fingerprints are kept for."""

    BLOCK = "block"
    LIBRARY = "library"
    ALLOW = "allow"


class EntryState(StrEnum):
    """Where an entry stands. Only `active` and `disputed` entries are ever answered."""

    ACTIVE = "active"
    DISPUTED = "disputed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Alignment:
    """How two pictures lie on one another, by their local features.

    Attributes:
        score: how well the pairs of points agree, each weighted by how distinct it is; 0 and up.
        inliers: pairs of points that one affine map explains.
        mirrored: whether the queried picture had to be mirrored.
        region: the part of the queried picture that matches.
        banked_region: the part of the banked picture that matches.
        aspect, banked_aspect: width by height of both pictures.
        coverage: of the banked picture's detail that the queried one should show, the share 0..1
            that was found. A template in common, such as a frame or a caption, covers little.
    """

    score: float
    inliers: int
    mirrored: bool
    region: Polygon
    banked_region: Polygon
    aspect: float
    banked_aspect: float
    coverage: float

    @classmethod
    def of(
        cls, features: LocalFeatures, record: bytes, verified: Verified, *, mirrored: bool
    ) -> Alignment:
        """The alignment that the kernel found of `features` with `record`."""
        score, inliers, _, region, banked_region, matched, visible = verified
        width, height = local_size(record)
        return cls(
            score,
            inliers,
            mirrored,
            tuple(region),
            tuple(banked_region),
            features.width / features.height,
            width / height,
            matched / visible if visible else 0.0,
        )


@dataclass(frozen=True, slots=True)
class Match:
    """One banked fingerprint near a queried one.

    `query` is the position in the list that was asked; `distance` is in bits, 0..63 (0 for equal
    digests, and for local fingerprints and descriptors, which have an `alignment` or a
    `similarity`, a cosine, instead); `edit` is what had been done to the banked picture before
    hashing; `at` and `span` are those of the banked frame of a video, in milliseconds.
    """

    query: int
    bank: str
    purpose: Purpose
    entry: str
    state: EntryState
    type: FingerprintType
    distance: int
    edit: str
    label: str | None = None
    ref: str | None = None
    at: int | None = None
    span: int | None = None
    alignment: Alignment | None = None
    similarity: float | None = None


def nearness(match: Match) -> tuple[int, int, float, str]:
    """The order in which a search answers: by query, nearest first."""
    return match.query, match.distance, -(match.similarity or 0), match.entry


class Lookup(Protocol):
    """What can be asked for matches: a `Bank`, or its in-memory twin in `egide.testing`."""

    @property
    def name(self) -> str:
        """The bank's name."""

    @property
    def purpose(self) -> Purpose:
        """What the bank is for."""

    def holds(self, type: FingerprintType) -> bool:  # noqa: A002
        """Whether there is any fingerprint of `type`, so that it is worth computing."""

    def held(self) -> frozenset[FingerprintType]:
        """The types that there are fingerprints of."""

    def search(self, queries: Sequence[Fingerprint], threshold: int) -> list[Match]:
        """Every live entry within `threshold` bits of a query, by query, then distance.

        Exact; sees additions and withdrawals of other processes at once; thread-safe.
        """

    def align(self, queries: Sequence[LocalFeatures]) -> list[Match]:
        """Every live entry whose picture shares a part with a query, by query, then score.

        Finds what no distance between whole pictures can: crops, pictures in pictures, rotations.
        Not exact: of a large bank the likeliest pictures are compared.
        """

    def duration(self, entry: str) -> int | None:
        """How long the frames of the video that `entry` is stand for, in ms; None of a picture."""
