"""A banked picture's local features as a query: what other pictures does a bank hold of it?"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from egide.fingerprint import LOCAL_HEADER_BYTES, local_size

if TYPE_CHECKING:
    from egide._kernel import LocalFeatures

_PACKED_VERSION: Final = 1
_HEADER: Final = np.dtype([("version", "<u4"), ("points", "<u4"), ("cols", "<u8"), ("rows", "<u8")])
_POINT: Final = np.dtype([("geometry", "<u4"), ("code", "u1", 16)])
_LEAST_LOG: Final = 1.0
_STEPS: Final = 10.0
_WORD_BITS: Final = 20
"""As `src/kernel/local_record.hpp` and `local_code.hpp` have them."""


CODE_BITS: Final = 128
MIRRORED: Final = Path(__file__).with_name("mirrored.npy")
"""What `mirrored_codes` goes by: (129, 128) int8, written by `scripts/learn_mirror.py`."""


def features_of(record: bytes) -> LocalFeatures:
    """The features that a banked `record` was made of, as far as it tells them.

    How sure each bit is, is not kept: all are held to be equally sure, so that a little less is
    found than with the picture itself. The codes of the mirror image are estimated. ValueError for
    a record that is not sound.
    """
    from egide import _kernel  # noqa: PLC0415  where parts are looked for

    count = _kernel.local_check(record)
    points = np.frombuffer(record, _POINT, count, LOCAL_HEADER_BYTES)
    geometry = points["geometry"]
    spots = np.empty((count, 4), "<f4")
    spots[:, 0] = geometry & 1023
    spots[:, 1] = geometry >> 10 & 1023
    spots[:, 2] = _LEAST_LOG + (geometry >> 20 & 63) / _STEPS
    spots[:, 3] = (geometry >> 26) * (2 * math.pi / 64)
    columns, rows = local_size(record)
    header = np.array([(_PACKED_VERSION, count, columns, rows)], _HEADER)
    margins = np.ones((count, _WORD_BITS), "<f4")
    mirrored, sureness = mirrored_codes(points["code"])
    parts = (header, spots, points["code"], margins, mirrored, sureness)
    return _kernel.LocalFeatures.unpack(b"".join(part.tobytes() for part in parts))


def mirrored_codes(codes: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """What the codes (n, 16) of a picture's points are in its mirror image, as far as they tell.

    Also how sure the bits of the words are, (n, 20), from 0. Each bit is a weighted vote of all
    bits: 18 % come out wrong, 12 % in words, where an unrelated code has 50 %.
    """
    table = _table()
    votes = signs_of(codes) @ table[:-1] + table[-1]
    sureness = np.abs(votes[:, :_WORD_BITS]).astype("<f4")
    return np.packbits(votes > 0, axis=1, bitorder="little"), sureness


def signs_of(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The bits of codes (n, 16) as -1 and 1, (n, 128)."""
    bits: NDArray[Any] = np.unpackbits(codes, axis=1, bitorder="little")
    return bits.astype(np.float32) * 2 - 1


@cache
def _table() -> NDArray[np.float32]:
    table: NDArray[np.float32] = np.load(MIRRORED).astype(np.float32) / 127
    return table
