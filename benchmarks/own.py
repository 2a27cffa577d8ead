"""égide's own answers: what the product finds, and how near the rest came.

The product's path is a bank in a home of its own, filled with `fingerprints_of` as `egide bank add`
does, and `Scanner.scan` of the edited file's bytes. It says nothing of pairs under its threshold:
the scores of pictures of other scenes are taken from the kernel, by the same shortlist and
verification over the same records.
"""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from benchmarks.recall import Answers, of_pairs
from egide import _kernel
from egide.bank import Home
from egide.detectors.known_media import LEAST_COVERAGE, SURE_ALIGNMENT, SURE_SCORE
from egide.fingerprint import DEFAULT_THRESHOLD, FingerprintType
from egide.item import Item
from egide.match import ALIGNED_SCORE
from egide.media.fingerprint import fingerprints_of
from egide.media.frames import frames_of
from egide.media.picture import Limits
from egide.scan import Scanner
from egide.verdict import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmarks.copies import Copies
    from benchmarks.results import Settings

BANK: Final = "edited-copies"
_CHUNK: Final = 64


class Hit(NamedTuple):
    """One finding: which banked picture, by its place in the list, by which method, whether the
    finding alone would block, and the share of the banked picture's detail that was found."""

    banked: int
    method: str
    sure: bool
    coverage: float


class Near(NamedTuple):
    """A banked picture that the kernel compared with a query, and the score of their alignment."""

    banked: int
    score: float
    coverage: float


class Scanned(NamedTuple):
    """What was seen of one query: the verdict's action, its findings, the banked pictures that the
    kernel compared, the points found, and seconds of processor time of fingerprint and lookup."""

    action: Action
    hits: list[Hit]
    near: list[Near]
    points: int
    fingerprint: float
    lookup: float


@dataclass(frozen=True)
class Own:
    """What égide said of every query, and of the bank it said it by.

    `points` are those in each banked picture's record, 0 where there is none.
    """

    scanned: list[Scanned]
    points: NDArray[np.int64]
    record_bytes: int
    home_bytes: int
    adding: float

    def answers(self, copies: Copies, *, sure: bool) -> Answers:
        """The findings as answers, all or only those that block without a person looking."""
        pairs = [
            (query, hit.banked)
            for query, scanned in enumerate(self.scanned)
            for hit in scanned.hits
            if hit.sure or not sure
        ]
        describe = float(np.mean([scanned.fingerprint for scanned in self.scanned]))
        name = "égide, blocks" if sure else "égide, finds"
        certain = f"alignment ≥ {SURE_ALIGNMENT} with coverage ≥ {LEAST_COVERAGE}"
        local = certain if sure else f"alignment ≥ {ALIGNED_SCORE}"
        threshold = f"PDQ ≤ {DEFAULT_THRESHOLD}, or {local}"
        return of_pairs(name, threshold, pairs, copies, describe)


def scan(settings: Settings, copies: Copies) -> Own:
    """Banks and scans; queries on all cores, each process with the bank open."""
    with tempfile.TemporaryDirectory(dir=settings.cache) as folder:
        home = Path(folder)
        bank = Home(home).create(BANK)
        records: list[bytes] = []
        started = time.process_time()
        for number, file in enumerate(copies.banked_files):
            prints = fingerprints_of(Item.from_path(file))
            bank.add(prints, ref=str(number))
            local = [one.value for one in prints if one.type is FingerprintType.LOCAL]
            records.append(local[0] if local else b"")
        adding = (time.process_time() - started) / len(copies.banked_files)
        bank.store_index()
        size = sum(file.stat().st_size for file in home.rglob("*") if file.is_file())
        files = copies.query_files
        chunks = [files[at : at + _CHUNK] for at in range(0, len(files), _CHUNK)]
        with ProcessPoolExecutor(
            mp_context=get_context("spawn"), initializer=_open, initargs=(home, records)
        ) as pool:
            scanned = [one for part in pool.map(_scan_all, chunks) for one in part]
    points = np.array([_kernel.local_check(record) if record else 0 for record in records])
    return Own(scanned, points, sum(map(len, records)), size, adding)


class _Opened(NamedTuple):
    scanner: Scanner
    records: Sequence[bytes]
    segment: Any


_opened: list[_Opened] = []


def _open(home: Path, records: Sequence[bytes]) -> None:
    bank = Home(home).bank(BANK)
    scanner = Scanner.with_banks(bank)
    _opened.append(_Opened(scanner, records, _kernel.local_build(list(records))))


def _scan_all(files: Sequence[Path]) -> list[Scanned]:
    return [_scan(_opened[0], file.read_bytes()) for file in files]


def _scan(opened: _Opened, data: bytes) -> Scanned:
    verdict = opened.scanner.scan(Item.from_bytes(data))
    if verdict.errors:
        raise RuntimeError(f"a query could not be scanned: {verdict.errors[0]}")
    hits = [
        Hit(
            int(finding.evidence["entry_ref"]),
            finding.evidence["method"],
            finding.score >= SURE_SCORE,
            finding.evidence.get("coverage", 1.0),
        )
        for finding in verdict.findings
    ]
    started = time.process_time()
    features = frames_of(Item.from_bytes(data), Limits(), local=True).local[0].features()
    fingerprint = time.process_time() - started
    started = time.process_time()
    near = list(_near(opened, features))
    lookup = time.process_time() - started
    return Scanned(verdict.action, hits, near, features.count, fingerprint, lookup)


def _near(opened: _Opened, features: _kernel.LocalFeatures) -> list[Near]:
    found = []
    for _, slot, face, _, seeds in features.shortlist([opened.segment]):
        verified = features.verify(opened.records[slot], face, seeds)
        if verified is not None:
            score, *_, matched, visible = verified
            found.append(Near(slot, float(score), matched / max(1, visible)))
    return found
