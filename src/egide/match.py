"""What a bank answers, and the little that a scan needs to know of a bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from egide.fingerprint import Fingerprint, FingerprintType


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
class Match:
    """One banked fingerprint near a queried one.

    `query` is the position in the list that was asked; `distance` is in bits, 0..63 (0 for equal
    digests); `edit` is what had been done to the banked picture before hashing.
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

    def search(self, queries: Sequence[Fingerprint], threshold: int) -> list[Match]:
        """Every live entry within `threshold` bits of a query, by query, then distance.

        Exact; sees additions and withdrawals of other processes at once; thread-safe.
        """
