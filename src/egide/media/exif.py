"""Reads the one EXIF field that matters here, the orientation, and applies it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from egide.media.ifd import Tiff

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ORIENTATION = 0x0112
_SHORT = 3


def orientation_of(exif: bytes) -> int:
    """Read the orientation, 1 to 8, from an EXIF block (CIPA DC-008, tag 0x0112).

    The block begins with `Exif\\0\\0` or with the TIFF header itself. Anything absent or broken
    gives 1, "upright". Bounded: looks at the first directory's first 512 entries only.
    """
    block = exif[6:] if exif.startswith(b"Exif\0\0") else exif
    try:
        tiff = Tiff(lambda at, size: block[at : at + size])
    except ValueError:
        return 1
    for entry in tiff.directory(tiff.first).entries:
        if entry.tag == _ORIENTATION and entry.kind == _SHORT:
            value = tiff.number(entry)
            return value if 1 <= value <= 8 else 1
    return 1


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn `pixels`, (h, w) or (h, w, 3), as EXIF `orientation` 1..8 asks; C-contiguous."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
