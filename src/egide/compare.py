"""Compares two items, and says by what, how well and where they match.

It is a scan of one against a bank that holds only the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from egide.bank.memory import MemoryBank
from egide.detectors.known_media import KnownMedia
from egide.errors import ItemError, UnknownContent
from egide.finding import Fault, Finding, Observation, Skip
from egide.fingerprint import (
    DEFAULT_THRESHOLD,
    EDIT_BORDER,
    EDIT_NONE,
    Fingerprint,
    FingerprintType,
    cosine,
)
from egide.item import Item
from egide.media.embedding import Embedding
from egide.media.fingerprint import fingerprints_of
from egide.media.frames import View, frames_of, orientations
from egide.media.picture import Limits
from egide.sniff import Kind

SCHEMA: Final = "egide.compare/1"


class Distance(NamedTuple):
    """How far two items are apart in one way of looking at them.

    `way` is `upright` (both as they are), `turned` (the nearest of eight orientations) or `border`
    (the same with plain borders cut off); `bits` the PDQ distance of the nearest frames, 0..256;
    `edit` what had been done to the second to get the first; `at` and `other_at` when the frames
    are shown, in milliseconds, of videos.
    """

    way: str
    bits: int
    edit: str
    at: int | None
    other_at: int | None


@dataclass(frozen=True)
class Comparison:
    """What two items have in common.

    Attributes:
        one, other: the items; `one` is treated as an upload, `other` as what a bank holds.
        same_file: whether they are the same bytes.
        distances: by PDQ; none when one of them has too little detail.
        findings: what a scan of `one` would report, by PDQ, by local features and by descriptors
            each at most one.
        observations: what was skipped and what went wrong, in reading either.
        similarity: the largest cosine, -1..1, of descriptors by the model that EGIDE_SSCD_MODEL
            names; None without one, and where a picture has none.
    """

    one: Item
    other: Item
    same_file: bool
    distances: tuple[Distance, ...]
    findings: tuple[Finding, ...]
    observations: tuple[Observation, ...]
    similarity: float | None = None

    @property
    def compared(self) -> bool:
        """Whether there was anything to compare, and all of both could be read."""
        faults = any(isinstance(seen, Fault) for seen in self.observations)
        return (self.same_file or bool(self.distances or self.findings)) and not faults

    @property
    def score(self) -> float:
        """How sure it is that one is a copy of the other, or of a part of it, 0..1."""
        return max([float(self.same_file), *(finding.score for finding in self.findings)])

    def to_json(self) -> dict[str, Any]:
        """The comparison as one JSON object, schema `egide.compare/1`."""
        return {
            "schema": SCHEMA,
            "items": [
                {"ref": item.ref, "kind": str(item.kind), "sha256": item.sha256}
                for item in (self.one, self.other)
            ],
            "same_file": self.same_file,
            "score": self.score,
            "distances": [distance._asdict() for distance in self.distances],
            **({} if self.similarity is None else {"similarity": round(self.similarity, 3)}),
            "matches": [
                {"score": finding.score} | _told(finding.evidence) for finding in self.findings
            ],
            "skipped": [o.reason for o in self.observations if isinstance(o, Skip)],
            "errors": [
                {"error": o.error, "message": o.message}
                for o in self.observations
                if isinstance(o, Fault)
            ],
        }


def compare(one: Item, other: Item, limits: Limits | None = None) -> Comparison:
    """Compares `one`, as if it were uploaded, with `other`, as if a bank held it.

    Raises ItemError when one of them cannot be read, or is neither picture nor video, UsageError
    when EGIDE_SSCD_MODEL names no model that can be used.
    """
    limits = limits or Limits.from_environment()
    embedding = Embedding.from_environment()
    for item in (one, other):
        with _named(item):
            if item.problem is not None:
                raise item.problem
            if item.kind not in (Kind.IMAGE, Kind.VIDEO):
                raise UnknownContent(f"it is {item.kind}; give pictures or videos")
    with _named(other):
        held = fingerprints_of(other, limits, embedding=embedding)
    findings: list[Finding] = []
    observations: list[Observation] = []
    # Apart, since a scan that knows a copy by PDQ does not go on to look for parts.
    for type_ in (FingerprintType.PDQ, FingerprintType.LOCAL, FingerprintType.SSCD):
        if type_ is FingerprintType.SSCD and embedding is None:
            continue
        bank = MemoryBank("other")
        bank.add(f for f in held if f.type is type_)
        for seen in KnownMedia([bank], DEFAULT_THRESHOLD, limits, embedding).detect(one):
            (findings if isinstance(seen, Finding) else observations).append(seen)  # type: ignore[arg-type]
    same = one.sha256 is not None and one.sha256 == other.sha256
    if not any(f.type in (FingerprintType.PDQ, FingerprintType.LOCAL) for f in held):
        observations.append(Skip("compare", f"{other.ref} has too little detail to be compared"))
    return Comparison(
        one,
        other,
        same,
        tuple(_distances(_views(one, limits), [f for f in held if f.type is FingerprintType.PDQ])),
        tuple(findings),
        tuple(dict.fromkeys(observations)),
        _similarity(one, held, embedding, limits) if embedding is not None else None,
    )


def _similarity(
    one: Item, held: Iterable[Fingerprint], embedding: Embedding, limits: Limits
) -> float | None:
    """The largest cosine of a descriptor of `one` and one among `held`."""
    others = [f for f in held if f.type is FingerprintType.SSCD]
    try:
        mine = [described.fingerprint for described in embedding.fingerprints(one, limits)]
    except ItemError:
        return None  # told by the scan
    return max((cosine(each, other) for each in mine for other in others), default=None)


@contextmanager
def _named(item: Item) -> Iterator[None]:
    """Puts into what is raised which of the two items it is about."""
    try:
        yield
    except ItemError as error:
        raise type(error)(f"{item.ref}: {error.detail}") from error


def _views(item: Item, limits: Limits) -> Sequence[View]:
    try:
        return frames_of(item, limits, local=False).views
    except ItemError:
        return ()  # told by the scan


def _distances(views: Sequence[View], held: Sequence[Fingerprint]) -> Iterator[Distance]:
    """The nearest pair of frames in each way of looking at them."""
    upright = [v for v in views if v.pdq.edit == EDIT_NONE]
    held_upright = [f for f in held if f.edit == EDIT_NONE]
    bordered = len(upright) < len(views) or len(held_upright) < len(held)
    yield from _nearest("upright", upright, held_upright, (0,))
    yield from _nearest("turned", upright, held_upright, range(8))
    if bordered:
        yield from _nearest("border", views, held, range(8))


def _nearest(
    way: str, views: Sequence[View], held: Sequence[Fingerprint], turns: Iterable[int]
) -> Iterator[Distance]:
    if not views or not held:
        return
    hashes = np.frombuffer(b"".join(f.value for f in held), np.uint8).reshape(len(held), -1)
    best: Distance | None = None
    for view in views:
        for turn in turns:
            bits = np.bitwise_count(hashes ^ view.pdq.hashes[turn]).sum(axis=1, dtype=np.int64)
            nearest = int(bits.argmin())
            if best is None or bits[nearest] < best.bits:
                other = held[nearest]
                edits = orientations(view)[turn][1]
                if other.edit == EDIT_BORDER and EDIT_BORDER not in edits:
                    edits = (EDIT_BORDER, *edits)
                edit = "+".join(edits) or EDIT_NONE
                best = Distance(way, int(bits[nearest]), edit, view.shown.at, other.at)
    if best is not None:
        yield best


def _told(evidence: Any) -> dict[str, Any]:
    """`evidence` less what says which bank's entry it is."""
    return {
        name: value for name, value in evidence.items() if name not in ("bank", "entry", "purpose")
    }
