"""The peers' ways to find copies, each asked for all queries against all banked pictures."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import peers
from benchmarks.recall import Answers, matched, of_pairs, other_scene
from egide.fingerprint import DEFAULT_THRESHOLD, MIN_QUALITY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.copies import Copies
    from benchmarks.results import Settings

FAR: Final = 1000.0
"""The distance of what could not be hashed."""
_CHUNK: Final = 256

Hashes = tuple[NDArray[np.uint8], float]


def plain_pdq(copies: Copies) -> Answers:
    """threatexchange's PDQ, one hash a picture."""
    banked, _ = _hashed(_threatexchange, copies.banked_files)
    queries, seconds = _hashed(_threatexchange, copies.query_files)
    near = _bits(queries, banked[:, 0]) <= DEFAULT_THRESHOLD
    return matched("PDQ (threatexchange)", f"≤ {DEFAULT_THRESHOLD} bits", near, copies, seconds)


def dihedral_pdq(copies: Copies) -> Answers:
    """pdqhash's PDQ, all eight orientations of the query."""
    banked, _ = _hashed(_dihedral, copies.banked_files)
    queries, seconds = _hashed(_dihedral, copies.query_files)
    near = _bits(queries, banked[:, 0]) <= DEFAULT_THRESHOLD
    threshold = f"≤ {DEFAULT_THRESHOLD} bits of one of 8"
    return matched("PDQ, dihedrals (pdqhash)", threshold, near, copies, seconds)


def thorn_hashes(settings: Settings, copies: Copies) -> list[Answers]:
    """Thorn's hashes, each at the largest distance without a false match in this very run.

    It has no threshold of its own; this one is the most that the rule of no false match gives it,
    chosen on the answers, which no other method here is allowed.
    """
    files = [str(file) for file in (*copies.banked_files, *copies.query_files)]
    answer = peers.ask(settings, do="hash", files=files)
    apart = other_scene(copies)
    found = []
    for name, hashes in answer["hashes"].items():
        distance = _distances(hashes, len(copies.banked), answer["metrics"][name])
        least = float(distance[apart].min())
        unit = "of the bits" if answer["metrics"][name] == "hamming" else "apart"
        seconds = (answer["seconds"]["read"] + answer["seconds"][name]) / len(files)
        shown = f"< {least:.1%} {unit}" if unit == "of the bits" else f"< {least:.3g} {unit}"
        found.append(matched(f"{name} (perception)", shown, distance < least, copies, seconds))
    return found


def thorn_sift(settings: Settings, copies: Copies) -> Answers:
    """Thorn's deduplication by local descriptors, with its defaults."""
    files = {
        "banked": [str(file) for file in copies.banked_files],
        "queries": [str(file) for file in copies.query_files],
    }
    answer = peers.ask(settings, do="sift", **files)
    seconds = answer["seconds"]["describe"] / sum(map(len, files.values()))
    pairs = [(query, banked) for query, banked in answer["pairs"]]
    return of_pairs("SIFT deduplication (perception)", "its defaults", pairs, copies, seconds)


def _distances(hashes: Sequence[Any], banked: int, metric: str) -> NDArray[np.float32]:
    """(queries, banked); hashes of the banked come first, None for what gave none."""
    length = len(next(each for each in hashes if each is not None))
    none = np.array([each is None for each in hashes])
    rows = np.array([each if each is not None else [0.0] * length for each in hashes], np.float32)
    known, asked = rows[:banked], rows[banked:]
    if metric == "hamming":
        same = asked @ known.T + (1 - asked) @ (1 - known).T
        distance = 1 - same / length
    else:
        squares = (asked**2).sum(1)[:, None] + (known**2).sum(1) - 2 * (asked @ known.T)
        distance = np.sqrt(np.maximum(squares, 0))
    distance[none[banked:]] = FAR
    distance[:, none[:banked]] = FAR
    return np.asarray(distance, np.float32)


def _bits(queries: NDArray[np.uint8], banked: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """(queries, banked): the least distance of any of a query's hashes (queries, k, 32)."""
    best = np.full((len(queries), len(banked)), 256, np.uint16)
    words = banked.view(np.uint64)
    for number, hashes in enumerate(queries):
        for one in hashes.view(np.uint64):
            if one.any():  # all zeros: it could not be hashed
                bits = np.bitwise_count(words ^ one).sum(1, dtype=np.uint16)
                np.minimum(best[number], bits, out=best[number])
    best[:, ~banked.any(1)] = 256
    return best


def _hashed(method: Callable[[list[Path]], Hashes], files: Sequence[Path]) -> Hashes:
    """(files, k, 32) and the seconds of processor time a file, on all cores."""
    chunks = [list(files[at : at + _CHUNK]) for at in range(0, len(files), _CHUNK)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        found = list(pool.map(method, chunks))
    seconds = sum(spent for _, spent in found) / len(files)
    return np.concatenate([hashes for hashes, _ in found]), seconds


def _threatexchange(files: list[Path]) -> Hashes:
    signal = peers.pdq_signal()
    started = time.process_time()
    digits = [signal.hash_from_bytes(file.read_bytes()) for file in files]
    seconds = time.process_time() - started
    rows = [np.frombuffer(bytes.fromhex(one or "00" * 32), np.uint8) for one in digits]
    return np.stack(rows)[:, None], seconds


def _dihedral(files: list[Path]) -> Hashes:
    started = time.process_time()
    both = [peers.dihedral_pdq(peers.pillow_rgb(file.read_bytes())) for file in files]
    seconds = time.process_time() - started
    return np.stack([hashes * (quality >= MIN_QUALITY) for hashes, quality in both]), seconds
