"""How far égide's PDQ lies from the reference's, in bits of 256."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks import peers
from benchmarks.pictures import QUALITIES, SIZES, jpegs, pictures
from benchmarks.results import Goal, Part, Settings, Table
from egide import _kernel
from egide.media.decode import decode
from egide.media.fingerprint import frame_prints

if TYPE_CHECKING:
    from numpy.typing import NDArray

GOOD_QUALITY = 80
EDGES = (0, 2, 4, 6, 8, 10)
Compared = list[tuple[int, int]]  # distance in bits, quality


def run(settings: Settings) -> Part:
    """Compares on identical pixels, then on JPEG files that the reference decodes at full size."""
    same = _same_pixels(settings, settings.few(40, 400))
    files = {
        f"JPEG {width}×{height}": [
            _of_file(data)
            for data in jpegs(settings, settings.few(6, 48), width, height, QUALITIES[-1])
        ]
        for width, height in SIZES
    }
    good = [distance for name in files for distance, q in files[name] if q >= GOOD_QUALITY]
    identical = [distance for compared in same.values() for distance, _ in compared]
    goals = [
        _goal("identical pixels, farthest", 2, max(identical)),
        _goal("identical pixels, median", 0, float(np.median(identical))),
        _goal(f"JPEG files of quality ≥ {GOOD_QUALITY}, farthest", 10, max(good)),
        _goal(f"JPEG files of quality ≥ {GOOD_QUALITY}, median", 2, float(np.median(good))),
    ]
    columns = ("pictures", "how many", *(f"≤ {edge}" for edge in EDGES), "median", "farthest",
               f"farthest at quality ≥ {GOOD_QUALITY}")  # fmt: skip
    return Part(
        "Agreement with the reference PDQ",
        "Distance between égide's hash and that of `pdqhash`. Identical pixels: cuts of "
        "photographs of 64 to 1,500 pixels a side, grey and in colour, both given the same array. "
        f"JPEG files (quality {QUALITIES[-1]}): égide from the bytes, reduced decode; pdqhash on "
        "Pillow's decode at full size.",
        goals,
        [Table("Share of pictures within so many bits:", columns,
               [_row(name, compared) for name, compared in (same | files).items()])],
    )  # fmt: skip


def _same_pixels(settings: Settings, count: int) -> dict[str, Compared]:
    random = np.random.default_rng(31)
    sources = list(pictures(settings, settings.few(8, 24), 1600, 1200))
    colour: Compared = []
    grey: Compared = []
    for number in range(count):
        source = sources[number % len(sources)]
        height, width = random.integers(64, 1200), random.integers(64, 1500)
        top = random.integers(0, source.shape[0] - height + 1)
        left = random.integers(0, source.shape[1] - width + 1)
        cut = np.ascontiguousarray(source[top : top + height, left : left + width])
        luma = np.asarray(Image.fromarray(cut).convert("L"))
        hashes, _ = _kernel.pdq_rgb(cut)
        colour.append(_compared(hashes[0], cut))
        hashes, _ = _kernel.pdq(luma)
        grey.append(_compared(hashes[0], np.repeat(luma[:, :, None], 3, axis=2)))
    return {"identical pixels, colour": colour, "identical pixels, grey": grey}


def _of_file(data: bytes) -> tuple[int, int]:
    ours = frame_prints(decode(data).frames[0]).whole.hashes[0]
    return _compared(ours, peers.pillow_rgb(data))


def _compared(ours: NDArray[np.uint8], image: NDArray[np.uint8]) -> tuple[int, int]:
    theirs, quality = peers.reference_pdq(image)
    return int(np.bitwise_count(ours ^ theirs).sum()), quality


def _goal(what: str, most: int, found: float) -> Goal:
    return Goal(what, f"≤ {most} bits", f"{found:g} bits", met=found <= most)


def _row(name: str, compared: Compared) -> tuple[str, ...]:
    distances = np.array([distance for distance, _ in compared])
    good = [distance for distance, quality in compared if quality >= GOOD_QUALITY]
    shares = (f"{(distances <= edge).mean():.1%}" for edge in EDGES)
    return (name, str(len(distances)), *shares, f"{np.median(distances):g}",
            str(distances.max()), f"{max(good, default=0)} of {len(good)}")  # fmt: skip
