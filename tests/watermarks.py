"""Marks pictures as Stable Diffusion's programs do: the public `dwtDct` scheme, written anew.

Held once against the package invisible-watermark: embedded as diffusers does the outcome is the
same but for rounding, embedded into bytes it differs in one byte of a hundred, where colours clip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BUCKET = 36.0


def marked(
    pixels: NDArray[np.uint8], bits: Sequence[bool] | NDArray[np.bool_], *, floating: bool = False
) -> NDArray[np.uint8]:
    """(h, w, 3) RGB `pixels` with the message `bits`, again and again.

    `floating` embeds as diffusers does, into numbers with fractions, and else as the scripts of
    Stable Diffusion 1 and 2 do, into bytes.
    """
    height, width = (side // 4 * 4 for side in pixels.shape[:2])
    rgb = pixels[:height, :width].astype(np.float64)
    luma = rgb @ [0.299, 0.587, 0.114]
    u, v = 0.492 * (rgb[..., 2] - luma), 0.877 * (rgb[..., 0] - luma)
    constant = 0.5 if floating else 128.0
    plane = u + constant if floating else np.clip(np.round(u + constant), 0, 255)
    moved = _embedded(plane, np.asarray(bits, bool))
    u = (moved if floating else np.clip(np.trunc(moved), 0, 255)) - constant
    blue, red = luma + u / 0.492, luma + v / 0.877
    green = (luma - 0.299 * red - 0.114 * blue) / 0.587
    out = pixels.copy()
    out[:height, :width] = np.clip(np.round(np.stack([red, green, blue], -1)), 0, 255)
    return out


def _embedded(plane: NDArray[np.float64], bits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The plane whose low-pass band's blocks say the bits."""
    a, b, c, d = plane[::2, ::2], plane[::2, 1::2], plane[1::2, ::2], plane[1::2, 1::2]
    low = (a + b + c + d) / 2
    wanted = low.copy()
    for number in range((low.shape[0] // 4) * (low.shape[1] // 4)):
        top, left = (4 * place for place in divmod(number, low.shape[1] // 4))
        block = wanted[top : top + 4, left : left + 4]
        at = np.unravel_index(int(np.argmax(np.abs(block).ravel()[1:])) + 1, (4, 4))
        sign = 1.0 if block[at] >= 0 else -1.0
        place = 0.25 + 0.5 * bits[number % len(bits)]
        block[at] = sign * (abs(block[at]) // BUCKET + place) * BUCKET
    change = (wanted - low) / 2
    out = np.empty_like(plane)
    # The programs take the transform back with two of its bands mistaken for one another.
    out[::2, ::2], out[::2, 1::2] = a + change, c + change
    out[1::2, ::2], out[1::2, 1::2] = b + change, d + change
    return out
