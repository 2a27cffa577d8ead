"""Any of Pillow's pixel modes to what a viewer shows: 8-bit luma or RGB over white.

ICC profiles are not applied. The fingerprints in the banks were made without (PDQ's reference
reads the stored values), a profile moves luma by a smooth curve that PDQ's median threshold
ignores, and applying one costs more than the rest of decoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PIL.Image import Image

_STRIP = 1 << 20  # pixels
_LAYERED = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_GREY = frozenset({"1", "L", "LA", "La"})


def flatten(picture: Image, *, colour: bool) -> NDArray[np.uint8]:
    """Give a loaded Pillow image's pixels: (h, w, 3) RGB if it has colour, else (h, w) luma.

    With `colour` False always (h, w) luma. Transparency is composited over white; 16-bit, 32-bit
    and float samples are scaled to 8 bits; CMYK, YCbCr and Lab are converted. Works in strips:
    beside the image and the result it needs a few megabytes.
    """
    convert = _converter(picture, colour=colour)
    width, height = picture.size
    rows = max(1, _STRIP // max(1, width))
    if height <= rows:
        return np.ascontiguousarray(convert(picture))
    first = convert(picture.crop((0, 0, width, rows)))
    pixels = np.empty((height, *first.shape[1:]), np.uint8)
    pixels[:rows] = first
    for top in range(rows, height, rows):
        bottom = min(top + rows, height)
        pixels[top:bottom] = convert(picture.crop((0, top, width, bottom)))
    return pixels


def _converter(picture: Image, *, colour: bool) -> Callable[[Image], NDArray[np.uint8]]:
    if picture.mode.startswith("I"):
        return _integers(picture)
    if picture.mode == "F":
        return _floats(picture)

    def convert(strip: Image) -> NDArray[np.uint8]:
        shown = _shown(strip)
        return np.array(shown if colour else shown.convert("L"), np.uint8)

    return convert


def _shown(picture: Image) -> Image:
    """The same picture in mode L or RGB."""
    grey = picture.mode in _GREY
    if picture.mode in _LAYERED or "transparency" in picture.info:
        return _over_white(picture, grey=grey)
    if picture.mode == "LAB":
        return _from_lab(picture)
    return picture.convert("L" if grey else "RGB")


def _over_white(picture: Image, *, grey: bool) -> Image:
    from PIL import Image as Pillow  # noqa: PLC0415 - start-up time

    try:
        layered = picture if picture.mode in {"LA", "RGBA"} else picture.convert("RGBA")
    except (ValueError, TypeError, OverflowError, IndexError):
        # A tRNS chunk that does not fit its picture: what is left is opaque.
        bare = picture.copy()
        bare.info.pop("transparency", None)
        return bare.convert("L" if grey else "RGB")
    mode = "L" if layered.mode == "LA" else "RGB"
    white = Pillow.new(mode, picture.size, 255 if mode == "L" else (255, 255, 255))
    white.paste(layered.convert(mode), mask=layered.getchannel("A"))
    return white.convert("L") if grey else white


def _from_lab(picture: Image) -> Image:
    try:
        from PIL import ImageCms  # noqa: PLC0415 - rare
    except ImportError:  # a Pillow without LittleCMS: lightness alone is close to luma
        return picture.getchannel("L")
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return cast("Image", ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB"))


def _integers(picture: Image) -> Callable[[Image], NDArray[np.uint8]]:
    """Take the 8 highest bits of the picture's own range: 8, 12, 16 or 31 bits."""
    tags: Any = getattr(picture, "tag_v2", {})
    announced = tags.get(258, (16,))
    depth = 12 if announced in {(12,), 12} else 16
    if picture.mode == "I":  # 32-bit; Pillow before 11 gives 16-bit PNG so
        top = cast("int", picture.getextrema()[1])
        depth = 8 if top < 1 << 8 else 16 if top < 1 << 16 else 31

    def convert(strip: Image) -> NDArray[np.uint8]:
        values = np.clip(np.asarray(strip), 0, None) >> (depth - 8)
        grey: NDArray[np.uint8] = np.minimum(values, 255).astype(np.uint8)
        return grey

    return convert


def _floats(picture: Image) -> Callable[[Image], NDArray[np.uint8]]:
    """Float TIFF: 0 to 1 by convention, else 0 to 255, else stretched to its own range."""
    values = np.asarray(picture)
    finite = np.isfinite(values)
    low = float(values.min(where=finite, initial=0.0))
    high = float(values.max(where=finite, initial=0.0))
    if low >= 0 and high <= 255:
        low, high = 0.0, (1.0 if high <= 1 else 255.0)

    def convert(strip: Image) -> NDArray[np.uint8]:
        part = np.nan_to_num(np.asarray(strip, np.float64), nan=low, posinf=high, neginf=low)
        scaled: NDArray[np.uint8] = np.rint((part - low) * (255 / (high - low))).astype(np.uint8)
        return scaled

    return convert
