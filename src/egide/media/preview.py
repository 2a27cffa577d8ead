"""A picture of what an item shows, for the people who decide: small, upright, without metadata."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Final

from egide.errors import CorruptItem, ItemError, TooManyBytes, UnknownContent
from egide.media.decode import decode
from egide.media.jpeg import read_header
from egide.media.picture import Least, Limits
from egide.sniff import Kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from egide.item import Item

CLEAR_SIDE: Final = 1600
VEILED_SIDE: Final = 200
"""The longer side in pixels, at most."""

BLURRED: Final = 16
"""Of a veiled preview so many patches stand side by side; what is smaller cannot be told."""

_QUALITY: Final = 85
_PLAIN_SPREAD: Final = 6.0
"""Standard deviation of luma, of 255, under which a frame of a video shows nothing."""


def preview(item: Item, limits: Limits, *, veiled: bool, still: int = 0) -> bytes:
    """A JPEG of what the picture or video in `item` shows; transparency is over white.

    Veiled it is grey and blurred, its longer side at most `VEILED_SIDE`; else in colour and at most
    `CLEAR_SIDE`. Nothing is enlarged. Of a video or animation it is frame number `still`, from 0,
    of those that are sampled and show something; the last when there are fewer. Raises ItemError.
    """
    side = VEILED_SIDE if veiled else CLEAR_SIDE
    if item.kind is Kind.VIDEO:
        pixels = _of_video(item, limits, side, still)
    elif item.kind is Kind.IMAGE:
        pixels = _of_picture(item, limits, side, still)
    else:
        raise UnknownContent("no picture and no video; there is nothing to be shown")
    return _drawn(pixels, side, veiled=veiled)


def is_preview(data: bytes, *, veiled: bool) -> bool:
    """Whether `data` begins as what `preview` draws does: not believed of whoever drew it."""
    if not data.startswith(b"\xff\xd8"):
        return False
    try:
        header = read_header(data)
    except ItemError:
        return False
    side = VEILED_SIDE if veiled else CLEAR_SIDE
    grey = len(header.sampling) == 1
    return max(header.width, header.height) <= side and (grey or not veiled)


def _of_picture(item: Item, limits: Limits, side: int, still: int) -> NDArray[np.uint8]:
    enough = replace(limits, frames=min(limits.frames, still + 1))
    data = item.read(limits.bytes)
    return decode(data, enough, Least(0, side), colour=True).frames[-1].pixels


def _of_video(item: Item, limits: Limits, side: int, still: int) -> NDArray[np.uint8]:
    from egide.media.video_samples import Sampling, VideoFacts, samples  # noqa: PLC0415  PyAV

    if item.size > limits.video_bytes:
        raise TooManyBytes(f"{item.size:,} bytes, the limit is {limits.video_bytes:,}")
    facts = VideoFacts()
    seen, shown = 0, None
    with (
        item.opened() as source,
        closing(
            samples(source, item.size, limits, Sampling.SPARSE, facts, colour_side=side)
        ) as found,
    ):
        for sample in found:
            plain = float(sample.luma[::2, ::2].std()) < _PLAIN_SPREAD
            if shown is None or not plain:
                shown = sample.colour
            seen += not plain
            if seen > still:
                break
    if shown is None:
        raise facts.problems[0] if facts.problems else CorruptItem("video: it shows nothing")
    return shown


def _drawn(pixels: NDArray[np.uint8], side: int, *, veiled: bool) -> bytes:
    from PIL import Image, ImageFilter  # noqa: PLC0415  start-up time

    picture = Image.fromarray(pixels)
    if veiled:
        picture = picture.convert("L")
    picture.thumbnail((side, side))
    if veiled:
        picture = picture.filter(ImageFilter.GaussianBlur(max(1.0, max(picture.size) / BLURRED)))
    out = BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
