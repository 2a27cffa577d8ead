"""Sets of PDQ hashes to fill banks with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from benchmarks.pictures import photographs
from egide import _kernel
from egide.fingerprint import MIN_QUALITY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.results import Settings

UNIFORM: Final = "uniform"
REALISTIC: Final = "realistic"
KINDS: Final = (UNIFORM, REALISTIC)
MADE: Final = {
    UNIFORM: "256 independent random bits",
    REALISTIC: "PDQ of cuts of 64 to 160 pixels, of any place and shape, out of Debian's wallpaper "
    "photographs at three sizes (400, 800 and 1,600 pixels), quality 50 and over, each cut in its "
    "8 orientations",
}
STRANGERS: Final = 0.9
_BLOCK: Final = 20_000
_LEVELS: Final = (400, 800, 1600)


def bank_hashes(settings: Settings, kind: str, count: int) -> NDArray[np.uint8]:
    """`count` hashes (N, 32), the same each time."""
    return np.array(_hashes(settings, kind, count + _BLOCK)[:count])


def queries(
    settings: Settings, kind: str, count: int, bank: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """`count` hashes to look up: nine in ten unknown, the rest up to 31 bits from a banked one."""
    asked = _hashes(settings, kind, len(bank) + _BLOCK)[len(bank) :][:count].copy()
    random = np.random.default_rng(7)
    for row in range(int(len(asked) * STRANGERS), len(asked)):
        flips = np.zeros(256, np.uint8)
        flips[random.permutation(256)[: random.integers(0, 32)]] = 1
        asked[row] = bank[random.integers(len(bank))] ^ np.packbits(flips)
    random.shuffle(asked)
    return asked


def _hashes(settings: Settings, kind: str, count: int) -> NDArray[np.uint8]:
    if kind == UNIFORM:
        return np.random.default_rng(5).integers(0, 256, (count, 32), np.uint8)
    file = settings.cache / f"hashes-{count}.npy"
    if not file.exists():
        planes = _planes(settings)
        with ThreadPoolExecutor() as pool:
            blocks = pool.map(lambda n: _cuts(planes, n), range(-(-count // _BLOCK)))
            made = np.concatenate(list(blocks))[:count]
        # The cuts of one picture's orientations stand together in no bank.
        np.save(file, made[np.random.default_rng(3).permutation(count)])
    return np.asarray(np.load(file, mmap_mode="r"))


def _planes(settings: Settings) -> list[NDArray[np.uint8]]:
    planes = []
    for path in photographs(settings):
        with Image.open(path) as picture:
            luma = picture.convert("L")
        for side in _LEVELS:
            smaller = luma.copy()
            smaller.thumbnail((side, side), Image.Resampling.LANCZOS)
            planes.append(np.asarray(smaller))
    return planes


def _cuts(planes: list[NDArray[np.uint8]], number: int) -> NDArray[np.uint8]:
    random = np.random.default_rng((17, number))
    weights = np.array([plane.size for plane in planes], float)
    found: list[NDArray[np.uint8]] = []
    while len(found) * 8 < _BLOCK:
        plane = planes[random.choice(len(planes), p=weights / weights.sum())]
        height, width = random.integers(64, 161, 2)
        top = random.integers(0, plane.shape[0] - height + 1)
        left = random.integers(0, plane.shape[1] - width + 1)
        hashes, quality = _kernel.pdq(plane[top : top + height, left : left + width])
        if quality >= MIN_QUALITY:
            found.append(hashes)
    return np.concatenate(found)[:_BLOCK]
