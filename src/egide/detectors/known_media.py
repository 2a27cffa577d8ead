"""`known-media.v1`: is this picture a copy of one that a bank knows?

Every frame is hashed whole and with its borders cut off, and both hashes are looked up in all
eight orientations; identical files are found by their digests too. Matches in `block` banks are
findings. A match that a picture in an `allow` bank is at least as near to is a known false match:
it is reported with score 0 and says which entry silenced it. `library` banks are not asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from egide.detector import DetectorSettings, Example
from egide.errors import ItemError
from egide.finding import Fault, Finding, Observation, Skip
from egide.fingerprint import (
    DEFAULT_THRESHOLD,
    EDIT_BORDER,
    EDIT_NONE,
    MIN_QUALITY,
    Fingerprint,
    FingerprintType,
)
from egide.item import Item
from egide.label import Label
from egide.match import EntryState, Lookup, Match, Purpose
from egide.media.fingerprint import ORIENTATIONS, FramePrints, picture_prints
from egide.media.picture import Limits
from egide.sniff import Kind

NAME: Final = "known-media.v1"
MOST_FINDINGS: Final = 20

DISPUTED_SCORE: Final = 0.5
SILENCED_SCORE: Final = 0.0

_MD5_TYPES: Final = (FingerprintType.MD5, FingerprintType.VIDEO_MD5)
_UNDONE_BY: Final = {"rotate90": "rotate270", "rotate270": "rotate90"}


class _Query(NamedTuple):
    """One fingerprint to look up, and what it is a fingerprint of."""

    fingerprint: Fingerprint
    frame: int
    edits: tuple[str, ...]


class _Sighting(NamedTuple):
    """A match together with the query that found it, and the number of the bank that has it."""

    distance: int
    edits: tuple[str, ...]
    frame: int
    bank: int
    match: Match

    @property
    def place(self) -> tuple[int, str]:
        """Which entry of which of the banks it is: ids are unique in one home only."""
        return self.bank, self.match.entry

    @property
    def exact(self) -> bool:
        """Whether it is the very same file."""
        return self.match.type is not FingerprintType.PDQ

    @property
    def order(self) -> tuple[int, int, bool, str]:
        """Best first: nearest, least edited, by digest; the entry's id decides the rest."""
        return self.distance, len(self.edits), not self.exact, self.match.entry

    def silences(self, other: _Sighting) -> bool:
        """Whether this match in an `allow` bank shows `other` to be a known false one.

        It must be of the same frame and at least as near: a copy of the blocked picture stays
        nearer to that picture than to the harmless one that resembles it. A file that is
        identical to a blocked one is silenced by its digest alone.
        """
        same_frame = self.frame == other.frame or self.exact
        return same_frame and self.distance <= other.distance and (self.exact or not other.exact)


class KnownMedia:
    """Looks pictures up in banks at `threshold` bits (0..63)."""

    name = NAME
    kinds = frozenset({Kind.IMAGE, Kind.VIDEO})
    labels = frozenset({Label.NCII_KNOWN})

    def __init__(
        self,
        banks: Iterable[Lookup],
        threshold: int = DEFAULT_THRESHOLD,
        limits: Limits | None = None,
    ) -> None:
        self.banks = tuple(bank for bank in banks if bank.purpose is not Purpose.LIBRARY)
        self.threshold = threshold
        self.limits = limits or Limits()

    @property
    def examples(self) -> tuple[Example, ...]:
        """Neutral pictures, banked and not."""
        from egide.detectors.examples import known_media_examples  # noqa: PLC0415  needs Pillow

        return known_media_examples()

    def detect(self, item: Item) -> Iterator[Observation]:
        """Findings for the entries of `block` banks that `item` is a copy of, nearest first."""
        if not any(bank.purpose is Purpose.BLOCK for bank in self.banks):
            yield Skip(NAME, "there is no block bank to compare it with; see `egide bank create`")
            return
        reports: list[Observation] = []
        queries = [_Query(digest, 0, ()) for digest in self._digests(item, reports)]
        if item.kind is Kind.IMAGE:
            queries += self._picture_queries(item, reports)
        else:
            reports.append(Skip(NAME, "of a video only identical files are found"))
        yield from self._findings(self._look_up(queries))
        yield from dict.fromkeys(reports)

    def _digests(self, item: Item, reports: list[Observation]) -> Iterator[Fingerprint]:
        if item.sha256 is not None:
            yield Fingerprint.from_hex(FingerprintType.SHA256, item.sha256)
        # MD5 is slower than all the rest together: only where a bank has one to compare.
        held = [t for t in _MD5_TYPES if any(bank.holds(t) for bank in self.banks)]
        if held:
            try:
                data = item.read(self.limits.bytes)
            except ItemError as error:
                reports.append(Fault.of(NAME, error))
                return
            digest = hashlib.md5(data, usedforsecurity=False).digest()
            yield from (Fingerprint(type_, digest) for type_ in held)

    def _picture_queries(self, item: Item, reports: list[Observation]) -> list[_Query]:
        """Every usable hash of every frame, in eight orientations."""
        try:
            prints = picture_prints(item, self.limits)
        except ItemError as error:
            reports.append(Fault.of(NAME, error))
            return []
        reports += (Fault.of(NAME, problem) for problem in prints.problems)
        reports += (Skip(NAME, note) for note in prints.notes)
        reports += _poor(prints.frames)
        return [
            _Query(pdq.fingerprint(number), frame.index, _edits(pdq.edit, orientation))
            for frame in prints.frames
            for pdq in frame.usable
            for number, orientation in enumerate(ORIENTATIONS)
        ]

    def _look_up(self, queries: Sequence[_Query]) -> list[_Sighting]:
        """The best sighting of each entry in each frame, in every bank; best first."""
        asked = [query.fingerprint for query in queries]
        best: dict[tuple[int, str, int], _Sighting] = {}
        for number, bank in enumerate(self.banks):
            for match in bank.search(asked, self.threshold):
                query = queries[match.query]
                edits = query.edits
                if match.edit == EDIT_BORDER and EDIT_BORDER not in edits:
                    edits = (EDIT_BORDER, *edits)
                sighting = _Sighting(match.distance, edits, query.frame, number, match)
                key = (*sighting.place, query.frame)
                if key not in best or sighting.order < best[key].order:
                    best[key] = sighting
        return sorted(best.values(), key=lambda sighting: sighting.order)

    def _findings(self, sightings: list[_Sighting]) -> Iterator[Observation]:
        # An entry that somebody disputes silences nothing until the dispute has ended.
        allowed = [
            s
            for s in sightings
            if s.match.purpose is Purpose.ALLOW and s.match.state is EntryState.ACTIVE
        ]
        blocked: dict[tuple[int, str], tuple[_Sighting, _Sighting | None]] = {}
        for sighting in sightings:
            if sighting.match.purpose is Purpose.BLOCK:
                silencer = next((a for a in allowed if a.silences(sighting)), None)
                # An entry seen in several frames counts once: by the best one not silenced.
                known = blocked.get(sighting.place)
                if known is None or (known[1] is not None and silencer is None):
                    blocked[sighting.place] = (sighting, silencer)
        # What decides comes first: the list is cut.
        ranked = sorted(
            blocked.values(),
            key=lambda pair: (
                pair[1] is not None,
                pair[0].match.state is EntryState.DISPUTED,
                pair[0].order,
            ),
        )
        for sighting, silencer in ranked[:MOST_FINDINGS]:
            yield _finding(sighting, silencer)
        if len(ranked) > MOST_FINDINGS:
            yield Skip(NAME, f"{len(ranked) - MOST_FINDINGS} more matching entries are not listed")


def from_settings(settings: DetectorSettings) -> KnownMedia:
    """The detector as a scan's options want it; UsageError for a limit that is no number."""
    return KnownMedia(settings.banks, settings.threshold, Limits.from_environment())


def _edits(cut: str, orientation: str) -> tuple[str, ...]:
    """What was done to the original to get this picture, when `orientation` of it matches."""
    turned = _UNDONE_BY.get(orientation, orientation)
    return tuple(edit for edit in (cut, turned) if edit != EDIT_NONE)


def _poor(frames: Sequence[FramePrints]) -> Iterator[Skip]:
    """The one skip that tells how many frames have too little detail to be compared."""
    poor = [frame for frame in frames if not frame.usable]
    if poor:
        which = "it" if len(frames) == 1 else f"{len(poor)} of {len(frames)} frames"
        best = max(frame.whole.quality for frame in poor)
        yield Skip(
            NAME,
            f"{which} has too little detail to be compared (PDQ quality {best}, "
            f"the least is {MIN_QUALITY}); only identical files are found",
        )


def _finding(sighting: _Sighting, silencer: _Sighting | None) -> Finding:
    match = sighting.match
    evidence: dict[str, Any] = {
        "bank": match.bank,
        "entry": match.entry,
        "method": str(match.type),
        "distance": match.distance,
        "edit": "+".join(sighting.edits) or EDIT_NONE,
        "purpose": str(match.purpose),
    }
    if sighting.frame:
        evidence["frame"] = sighting.frame
    if match.label is not None:
        evidence["entry_label"] = match.label
    if match.ref is not None:
        evidence["entry_ref"] = match.ref
    if match.state is EntryState.DISPUTED:
        evidence["disputed"] = True
    if silencer is None:
        return Finding(NAME, Label.NCII_KNOWN, _score(match), evidence)
    evidence["silenced"] = True
    evidence["silenced_by"] = {
        "bank": silencer.match.bank,
        "entry": silencer.match.entry,
        "distance": silencer.match.distance,
    }
    return Finding(NAME, Label.NCII_KNOWN, SILENCED_SCORE, evidence)


def _score(match: Match) -> float:
    """1 up to the field's threshold of 31 bits; past it 0.8 falling to 0.5 at 63."""
    if match.state is EntryState.DISPUTED:
        return DISPUTED_SCORE
    if match.distance <= DEFAULT_THRESHOLD:
        return 1.0
    return 0.8 - 0.3 * (match.distance - DEFAULT_THRESHOLD - 1) / 31
