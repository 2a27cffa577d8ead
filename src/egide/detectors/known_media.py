"""`known-media.v1`: is this picture or video a copy of one that a bank knows?

Identical files are found by their digests. Every frame is hashed whole and with its borders cut
off, and both hashes are looked up in all eight orientations. Where that finds no certain copy,
local features are: they find crops, rotations and pictures within pictures. Last comes a model that
the user brings, if any. Of videos, the stretches in common are told.

Matches in `block` banks are findings. A match that a picture in an `allow` bank explains at least
as well is a known false match: it is reported with score 0 and says which entry silenced it.
`library` banks are not asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from egide import _kernel
from egide.detector import DetectorSettings, Example
from egide.detectors.sightings import Place, Query, Seen, Sighting, seen_entries
from egide.errors import ItemError
from egide.finding import Fault, Finding, Observation, Skip
from egide.fingerprint import (
    DEFAULT_THRESHOLD,
    EDIT_BORDER,
    EDIT_NONE,
    LEAST_SIMILARITY,
    MIN_QUALITY,
    Fingerprint,
    FingerprintType,
)
from egide.item import Item
from egide.label import Label
from egide.match import Alignment, EntryState, Lookup, Match, Purpose
from egide.media.embedding import Embedding
from egide.media.frames import Frames, LocalView, Shown, View, frames_of, orientations
from egide.media.picture import Limits
from egide.media.timeline import Shared
from egide.sniff import Kind

NAME: Final = "known-media.v1"
MOST_FINDINGS: Final = 20
MOST_STRETCHES: Final = 20
MOST_SIGHTINGS: Final = 200_000
"""Matching frames looked at in one item: two long videos of one still have millions of pairs."""

SURE_ALIGNMENT: Final = 4.5
"""From this score on, local features show a copy even among a million banked pictures: by the tail
measured, one false match in 25 billion pairs. Below it a person looks."""

LEAST_COVERAGE: Final = 0.5
"""Of the banked picture's detail that should be visible, the least share to be found. Less is what
pictures share that only have a template in common: a caption, a frame, an app's screen. What is
found within a larger picture, or under stickers, sometimes has less too: then a person looks."""

LEAST_SHARED: Final = 3_000
"""Milliseconds in common from which on two videos are held to be one, whatever else is in them."""

LEAST_SHARE: Final = 0.5
"""Share of either video from which on they are held to be one, however short."""

LEAST_SHARED_FRAMES: Final = 2

SURE_SCORE: Final = 0.9
ALIGNED_SURE: Final = 0.95
UNSURE_SCORE: Final = 0.6
DISPUTED_SCORE: Final = 0.5
LEAST_SIMILAR_SCORE: Final = 0.5
MOST_SIMILAR_SCORE: Final = 0.7
"""What a model that the user brings says goes to a person, however sure it is: it is not ours."""

SILENCED_SCORE: Final = 0.0

_ASKED_AT_ONCE: Final = 512
_MD5_TYPES: Final = (FingerprintType.MD5, FingerprintType.VIDEO_MD5)
_MIRROR: Final = "mirror"


class KnownMedia:
    """Looks pictures and videos up in banks at `threshold` bits (0..63)."""

    name = NAME
    kinds = frozenset({Kind.IMAGE, Kind.VIDEO})
    labels = frozenset({Label.NCII_KNOWN})

    def __init__(
        self,
        banks: Iterable[Lookup],
        threshold: int = DEFAULT_THRESHOLD,
        limits: Limits | None = None,
        embedding: Embedding | None = None,
    ) -> None:
        self.banks = tuple(bank for bank in banks if bank.purpose is not Purpose.LIBRARY)
        self.threshold = threshold
        self.limits = limits or Limits()
        self.embedding = embedding

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
        sightings = list(self._look_up(list(self._digests(item, reports)), reports))
        # A video that is known as a file need not be decoded, which may take minutes.
        known = item.kind is Kind.VIDEO and self._settled(sightings, None)
        frames = Frames() if known else self._frames(item, reports)
        sightings += self._look_up(list(_queries(frames.views)), reports)
        aligned: set[int] = set()
        if frames.local and not self._settled(sightings, frames.length):
            sightings += self._align(frames.local, aligned)
        if self.embedding is not None and not self._settled(sightings, frames.length):
            described = list(self._described(item, self.embedding, reports))
            sightings += self._look_up(described, reports)
        reports += _poor(frames, aligned)
        yield from self._findings(seen_entries(sightings), frames.length)
        yield from dict.fromkeys(reports)

    def _hold(self, *types: FingerprintType) -> bool:
        return any(bank.holds(type_) for bank in self.banks for type_ in types)

    def _digests(self, item: Item, reports: list[Observation]) -> Iterator[Query]:
        if item.sha256 is not None:
            yield Query(Fingerprint.from_hex(FingerprintType.SHA256, item.sha256), Shown())
        # MD5 is slower than all the rest together: only where a bank has one to compare.
        held = [type_ for type_ in _MD5_TYPES if self._hold(type_)]
        if held:
            try:
                data = item.read(self.limits.bytes)
            except ItemError as error:
                reports.append(Fault.of(NAME, error))
                return
            digest = hashlib.md5(data, usedforsecurity=False).digest()
            yield from (Query(Fingerprint(type_, digest), Shown()) for type_ in held)

    def _frames(self, item: Item, reports: list[Observation]) -> Frames:
        """The frames of the picture or video; what went wrong goes to `reports`."""
        try:
            frames = frames_of(item, self.limits, local=self._hold(FingerprintType.LOCAL))
        except ItemError as error:
            reports.append(Fault.of(NAME, error))
            return Frames()
        reports += (Fault.of(NAME, problem) for problem in frames.problems)
        reports += (Skip(NAME, note) for note in frames.notes)
        return frames

    def _look_up(self, queries: Sequence[Query], reports: list[Observation]) -> Iterator[Sighting]:
        """Every entry near a query, in every bank."""
        left = MOST_SIGHTINGS
        for start in range(0, len(queries), _ASKED_AT_ONCE):
            part = queries[start : start + _ASKED_AT_ONCE]
            asked = [query.fingerprint for query in part]
            for number, bank in enumerate(self.banks):
                for match in bank.search(asked, self.threshold):
                    _, shown, edits = part[match.query]
                    if match.edit == EDIT_BORDER and EDIT_BORDER not in edits:
                        edits = (EDIT_BORDER, *edits)
                    yield Sighting(shown, edits, number, match)
                    left -= 1
            if left <= 0:
                reports.append(
                    Skip(NAME, f"over {MOST_SIGHTINGS:,} frames match; the rest was not looked up")
                )
                return

    def _align(self, frames: Sequence[LocalView], aligned: set[int]) -> Iterator[Sighting]:
        """Every entry that shares a part with one of the frames; which had detail enough."""
        for compute, shown in frames:
            features = compute()
            if features.count >= _kernel.LOCAL_LEAST_POINTS:
                aligned.add(shown.frame)
            for number, bank in enumerate(self.banks):
                if bank.holds(FingerprintType.LOCAL):
                    for match in bank.align([features]):
                        mirrored = match.alignment is not None and match.alignment.mirrored
                        yield Sighting(shown, (_MIRROR,) if mirrored else (), number, match)

    def _described(
        self, item: Item, embedding: Embedding, reports: list[Observation]
    ) -> Iterator[Query]:
        """The descriptors of a picture by the user's model, where a bank has some."""
        if not self._hold(FingerprintType.SSCD):
            return
        try:
            for frame, fingerprint in embedding.fingerprints(item, self.limits):
                yield Query(fingerprint, Shown(frame))
        except ItemError as error:
            reports.append(Fault.of(NAME, error))

    def _settled(self, sightings: Sequence[Sighting], length: int | None) -> bool:
        """Whether what was found decides already: then the dearer search may be spared."""
        return any(
            self._score(seen, length) >= SURE_SCORE for seen in seen_entries(list(sightings))
        )

    def _findings(self, seen: Sequence[Seen], length: int | None) -> Iterator[Observation]:
        surest: dict[Place, tuple[float, Seen]] = {}  # the method that is the surest of each entry
        for each in seen:
            score = self._score(each, length)
            if each.best.place not in surest or score > surest[each.best.place][0]:
                surest[each.best.place] = score, each
        for score, each in list(surest.values())[:MOST_FINDINGS]:
            evidence = _evidence(each)
            if each.shared is not None and length is not None:
                evidence |= _evidence_of(each.shared, length, self._banked_length(each))
            yield Finding(NAME, Label.NCII_KNOWN, score, evidence)
        if len(surest) > MOST_FINDINGS:
            yield Skip(NAME, f"{len(surest) - MOST_FINDINGS} more matching entries are not listed")

    def _score(self, seen: Seen, length: int | None) -> float:
        """How sure it is that the item shows the entry."""
        match = seen.best.match
        if seen.silencer is not None:
            return SILENCED_SCORE
        if match.state is EntryState.DISPUTED:
            return DISPUTED_SCORE
        if (score := _score_without_distance(match)) is not None:
            # A moment that two long videos share may be an opening that many have.
            long = length is not None and length > LEAST_SHARED and match.at is not None
            return min(score, UNSURE_SCORE) if long and seen.frames < LEAST_SHARED_FRAMES else score
        if seen.shared is not None and length is not None:
            time, banked_time = seen.shared.milliseconds, seen.shared.banked_milliseconds
            short = time < LEAST_SHARED or seen.frames < LEAST_SHARED_FRAMES
            share = max(_share(time, length), _share(banked_time, self._banked_length(seen)))
            if short and share < LEAST_SHARE:
                return UNSURE_SCORE
        if match.distance <= DEFAULT_THRESHOLD:
            return 1.0
        # Past the field's threshold 0.8, falling to 0.5 at the largest that may be asked for.
        return 0.8 - 0.3 * (match.distance - DEFAULT_THRESHOLD - 1) / 31

    def _banked_length(self, seen: Seen) -> int:
        return self.banks[seen.best.bank].duration(seen.best.match.entry) or 0


def from_settings(settings: DetectorSettings) -> KnownMedia:
    """The detector as a scan's options want it; UsageError for a variable that is wrong."""
    return KnownMedia(
        settings.banks,
        settings.threshold,
        Limits.from_environment(),
        Embedding.from_environment(),
    )


def _score_without_distance(match: Match) -> float | None:
    """How sure it is by local features, or by a model; None of a match that has a distance."""
    if match.alignment is not None:
        alike = match.alignment.score >= SURE_ALIGNMENT
        whole = match.alignment.coverage >= LEAST_COVERAGE
        return ALIGNED_SURE if alike and whole else UNSURE_SCORE
    if match.similarity is not None:
        above = (match.similarity - LEAST_SIMILARITY) / (1 - LEAST_SIMILARITY)
        return LEAST_SIMILAR_SCORE + above * (MOST_SIMILAR_SCORE - LEAST_SIMILAR_SCORE)
    return None


def _queries(views: Iterable[View]) -> Iterator[Query]:
    """Every hash in eight orientations."""
    for view in views:
        for number, edits in orientations(view):
            yield Query(view.pdq.fingerprint(number), view.shown, edits)


def _poor(frames: Frames, aligned: set[int]) -> Iterator[Skip]:
    """The one skip that tells how many frames have too little detail to be compared.

    Of a video only when none can be: there are dull moments in most.
    """
    poor = {frame: quality for frame, quality in frames.poor.items() if frame not in aligned}
    if not poor or (frames.length is not None and len(poor) < frames.total):
        return
    which = "it" if frames.total == 1 else f"{len(poor)} of {frames.total} frames"
    yield Skip(
        NAME,
        f"{which} has too little detail to be compared (PDQ quality {max(poor.values())}, "
        f"the least is {MIN_QUALITY}); only identical files are found",
    )


def _evidence(seen: Seen) -> dict[str, Any]:
    match = seen.best.match
    evidence: dict[str, Any] = {
        "bank": match.bank,
        "entry": match.entry,
        "method": str(match.type),
        "distance": match.distance,
        "edit": "+".join(seen.best.edits) or EDIT_NONE,
        "purpose": str(match.purpose),
    }
    if match.alignment is not None:
        del evidence["distance"]
        evidence |= _evidence_of_alignment(match.alignment)
    if match.similarity is not None:
        evidence["similarity"] = round(match.similarity, 3)
        del evidence["distance"]
    if seen.best.shown.at is not None:
        evidence |= {"at": seen.best.shown.at, "frames": seen.frames}
    elif seen.best.shown.frame:
        evidence["frame"] = seen.best.shown.frame
    if match.at is not None:
        evidence["banked_at"] = match.at
    if match.label is not None:
        evidence["entry_label"] = match.label
    if match.ref is not None:
        evidence["entry_ref"] = match.ref
    if match.state is EntryState.DISPUTED:
        evidence["disputed"] = True
    if seen.silencer is not None:
        by = seen.silencer.match
        evidence["silenced"] = True
        evidence["silenced_by"] = {"bank": by.bank, "entry": by.entry, "distance": by.distance}
    return evidence


def _evidence_of_alignment(alignment: Alignment) -> dict[str, Any]:
    return {
        "alignment": round(alignment.score, 1),
        "inliers": alignment.inliers,
        "coverage": round(alignment.coverage, 2),
        "region": [[round(x, 3), round(y, 3)] for x, y in alignment.region],
        "banked_region": [[round(x, 3), round(y, 3)] for x, y in alignment.banked_region],
        "aspect": round(alignment.aspect, 3),
        "banked_aspect": round(alignment.banked_aspect, 3),
    }


def _evidence_of(shared: Shared, length: int, banked_length: int) -> dict[str, Any]:
    """What two videos have in common; times in milliseconds."""
    return {
        "length": length,
        "banked_length": banked_length,
        "share": _share(shared.milliseconds, length),
        "banked_share": _share(shared.banked_milliseconds, banked_length),
        "stretches": [
            {"at": [s.start, s.end], "banked_at": [s.banked_start, s.banked_end]}
            for s in shared.stretches[:MOST_STRETCHES]
        ],
    }


def _share(part: int, whole: int) -> float:
    return round(min(1.0, part / whole), 3) if whole else 0.0
