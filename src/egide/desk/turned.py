"""A PDQ hash turned and mirrored, when the picture is not at hand.

A bit of the hash tells whether a coefficient of a cosine transform is over their median. Turning
the picture exchanges rows and columns of coefficients, mirroring it changes the signs of the odd
ones; as the median is near 0, that turns their bits over. What lies between it and 0 goes wrong: 14
to 26 bits of 256 where measured, so that mirrored copies are found when little else was done to
them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from egide.fingerprint import Fingerprint, FingerprintType

_SIDE: Final = 16
_ODD: Final = np.arange(_SIDE) % 2 == 0
"""Rows and columns begin with frequency 1."""


def turned(fingerprint: Fingerprint) -> list[Fingerprint]:
    """The seven other ways to lay the picture that a PDQ hash is of, as far as it tells them."""
    bits = np.unpackbits(np.frombuffer(fingerprint.value, np.uint8)).reshape(_SIDE, _SIDE)
    upright = bits[::-1, ::-1].astype(bool)
    found = []
    for laid in (upright, upright.T):
        for rows in (False, True):
            for columns in (False, True):
                flips = (rows & _ODD)[:, None] ^ (columns & _ODD)[None, :]
                value = np.packbits((laid ^ flips)[::-1, ::-1]).tobytes()
                found.append(Fingerprint(FingerprintType.PDQ, value, fingerprint.quality))
    return found[1:]
