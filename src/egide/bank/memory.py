"""A bank in memory that compares with every fingerprint it has: small, slow and plainly right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from egide.fingerprint import (
    LEAST_SIMILARITY,
    SSCD_HEADER_BYTES,
    Fingerprint,
    FingerprintType,
    cosine,
)
from egide.match import ALIGNED_SCORE, Alignment, EntryState, Match, Purpose, nearness

if TYPE_CHECKING:
    from egide._kernel import LocalFeatures


class MemoryBank:
    """The twin of `egide.bank.Bank`: it answers the same to the same, and tests hold it to that.

    For comparing with few pictures, and for tests.
    """

    def __init__(self, name: str = "memory", purpose: Purpose | str = Purpose.BLOCK) -> None:
        self.name = name
        self.purpose = Purpose(purpose)
        self._entries: list[tuple[EntryState, str | None, str | None, tuple[Fingerprint, ...]]] = []

    def add(
        self, fingerprints: Iterable[Fingerprint], label: str | None = None, ref: str | None = None
    ) -> str:
        """Adds one entry and returns its id."""
        self._entries.append((EntryState.ACTIVE, label, ref, tuple(fingerprints)))
        return self._id(len(self._entries) - 1)

    def withdraw(self, entry: str) -> None:
        """Takes an entry out of every answer."""
        number = int(entry.rpartition("-")[2]) - 1
        self._entries[number] = (EntryState.WITHDRAWN, None, None, ())

    def dispute(self, entry: str) -> None:
        """Marks an entry as disputed."""
        number = int(entry.rpartition("-")[2]) - 1
        self._entries[number] = (EntryState.DISPUTED, *self._entries[number][1:])

    def holds(self, type: FingerprintType) -> bool:  # noqa: A002
        """Whether there is any fingerprint of `type`."""
        return type in self.held()

    def held(self) -> frozenset[FingerprintType]:
        """The types that there are fingerprints of."""
        return frozenset(f.type for *_, held in self._entries for f in held)

    def search(self, queries: Sequence[Fingerprint], threshold: int) -> list[Match]:
        """Every live entry within `threshold` bits of a query, by query, then distance."""
        matches = [
            self._match(position, number, held, distance, similarity=similarity)
            for position, query in enumerate(queries)
            for number, held in self._held()
            if (distance := _distance(query, held)) is not None and distance <= threshold
            if (similarity := _similarity(query, held)) is None or similarity >= LEAST_SIMILARITY
        ]
        return sorted(matches, key=nearness)

    def align(self, queries: Sequence[LocalFeatures]) -> list[Match]:
        """Every live entry whose picture shares a part with a query, by query, then score."""
        found = [
            (alignment.score, self._match(position, number, held, 0, alignment))
            for position, features in enumerate(queries)
            for number, held in self._held()
            if held.type is FingerprintType.LOCAL
            if (alignment := _aligned(features, held.value)) is not None
        ]
        found.sort(key=lambda pair: (pair[1].query, -pair[0], pair[1].entry))
        return [match for _, match in found]

    def duration(self, entry: str) -> int | None:
        """How long the frames of the video that `entry` is stand for, in ms; None of a picture."""
        fingerprints = self._entries[int(entry.rpartition("-")[2]) - 1][3]
        spans = {(f.at, f.span or 0) for f in fingerprints if f.type is FingerprintType.PDQ}
        return sum(span for at, span in spans if at is not None) or None

    def _held(self) -> Iterator[tuple[int, Fingerprint]]:
        """Every fingerprint, with the number of its entry."""
        for number, (*_, fingerprints) in enumerate(self._entries):
            for held in fingerprints:
                yield number, held

    def _match(
        self,
        query: int,
        number: int,
        held: Fingerprint,
        distance: int,
        alignment: Alignment | None = None,
        similarity: float | None = None,
    ) -> Match:
        state, label, ref, _ = self._entries[number]
        return Match(
            query,
            self.name,
            self.purpose,
            self._id(number),
            state,
            held.type,
            distance,
            held.edit,
            label,
            ref,
            held.at,
            held.span,
            alignment,
            similarity,
        )

    def _id(self, number: int) -> str:
        return f"00000000-{number + 1}"


def _distance(one: Fingerprint, other: Fingerprint) -> int | None:
    if one.type is not other.type:
        return None
    if one.type is FingerprintType.PDQ:
        return (int.from_bytes(one.value, "big") ^ int.from_bytes(other.value, "big")).bit_count()
    if one.type is FingerprintType.SSCD:
        return 0 if _model_of(one) == _model_of(other) else None
    return 0 if one.value == other.value else None


def _similarity(one: Fingerprint, other: Fingerprint) -> float | None:
    """The cosine of two descriptors of one model; None of anything else."""
    if one.type is not FingerprintType.SSCD or _model_of(one) != _model_of(other):
        return None
    return cosine(one, other)


def _model_of(descriptor: Fingerprint) -> bytes:
    return descriptor.value[:SSCD_HEADER_BYTES]


def _aligned(features: LocalFeatures, record: bytes) -> Alignment | None:
    """How the picture that `features` are of lies on the one that `record` is of; None if not."""
    found = features.compare(record)
    if found is None or found[0] < ALIGNED_SCORE:
        return None
    return Alignment.of(features, record, found[:7], mirrored=found[7] == 1)
