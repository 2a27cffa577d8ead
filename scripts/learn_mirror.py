"""Learns what the mirror image of a picture's local features looks like: egide/bank/mirrored.npy.

`python scripts/learn_mirror.py PICTURE…` writes that table anew from pictures (those in `examples`
by default); `--measure` writes nothing and says how many bits it gets wrong in them. A banked
record has the sign of each number that a descriptor was projected to, and no more. The mirrored
descriptor's signs are estimated from all of them together, by least squares over points whose both
codes are known.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from egide._kernel import LocalFeatures
from egide.bank.local_query import CODE_BITS, MIRRORED, mirrored_codes, signs_of

ROOT: Final = Path(__file__).parent.parent
PICTURES: Final = (
    *(f"known/{name}.jpg" for name in ("astronaut", "brick", "camera", "coffee", "rocket")),
    *(f"uploads/{name}.jpg" for name in ("chelsea", "grass", "gravel", "hubble_deep_field")),
    "uploads/wall.png",
)
RIDGE: Final = 50.0
"""What is added to the diagonal, in points: little beside the thousands there are."""
_HEADER_BYTES: Final = 24
_SPOT_BYTES: Final = 16
_CODE_BYTES: Final = CODE_BITS // 8
_MARGIN_BYTES: Final = 80


def both_codes(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The codes (n, 16) of a picture's points, and those of the mirrored picture's."""
    with Image.open(path) as image:
        plane = np.ascontiguousarray(np.asarray(image.convert("L")))
    packed = LocalFeatures(plane).pack()
    count = int.from_bytes(packed[4:8], "little")
    plain = _HEADER_BYTES + count * _SPOT_BYTES
    mirrored = plain + count * (_CODE_BYTES + _MARGIN_BYTES)
    return _codes(packed, plain, count), _codes(packed, mirrored, count)


def _codes(packed: bytes, at: int, count: int) -> NDArray[np.uint8]:
    return np.frombuffer(packed, np.uint8, count * _CODE_BYTES, at).reshape(count, _CODE_BYTES)


def learn(pairs: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> NDArray[np.int8]:
    """The table (129, 128): a column for each bit of the mirrored code, its constant below."""
    size = CODE_BITS + 1
    asked, told = RIDGE * np.eye(size), np.zeros((size, CODE_BITS))
    # A mirrored picture's mirror image is the picture: each pair is two.
    for one, other in ((a, b) for pair in pairs for a, b in (pair, pair[::-1])):
        ones: NDArray[Any] = np.ones((len(one), 1))
        known = np.hstack([signs_of(one), ones])
        asked += known.T @ known
        told += known.T @ signs_of(other)
    table = np.linalg.solve(asked, told)
    rounded: NDArray[np.int8] = np.round(table * (127 / np.abs(table).max())).astype(np.int8)
    return rounded


def measured(paths: Iterable[Path]) -> Iterator[str]:
    """How many bits the table gets wrong in each picture."""
    for path in paths:
        plain, mirrored = both_codes(path)
        wrong = signs_of(mirrored_codes(plain)[0]) != signs_of(mirrored)
        yield f"{path.name}: {wrong.mean():.1%} of all bits, {wrong[:, :20].mean():.1%} of words"


def main() -> None:
    """Writes the table, or says how good it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", nargs="*", type=Path)
    parser.add_argument("--measure", action="store_true")
    given = parser.parse_args()
    paths = given.pictures or [ROOT / "examples" / name for name in PICTURES]
    if given.measure:
        print(*measured(paths), sep="\n")
        return
    np.save(MIRRORED, learn(both_codes(path) for path in paths))


if __name__ == "__main__":
    main()
