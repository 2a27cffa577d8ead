"""Bytes to pictures: one call, whatever the format, whatever is wrong with the bytes."""

from __future__ import annotations

from egide.errors import CorruptItem, EmptyItem, TooManyBytes, TruncatedItem, UnknownContent
from egide.media.extent import Extent, extent_of
from egide.media.picture import Frame, Gathering, Least, Limits, Picture
from egide.media.polyglot import look_beyond
from egide.media.reasons import explain
from egide.media.repair import padded
from egide.sniff import Format, sniff_picture

__all__ = ["Frame", "Least", "Limits", "Picture", "decode"]

_DEFAULT_LIMITS = Limits()
_LEAST = Least()
_BOXED = frozenset({Format.AVIF, Format.HEIC})
_PADDED = frozenset({Format.WEBP, Format.AVIF, Format.HEIC})


def decode(
    data: bytes,
    limits: Limits = _DEFAULT_LIMITS,
    least: Least = _LEAST,
    *,
    colour: bool = False,
) -> Picture:
    """Decode a picture of any known format.

    JPEG comes as luma, reduced by 2, 4 or 8 as long as its sides keep the pixels that `least`
    asks for; the others at full size. With `colour` all that have colour come as RGB, whatever
    their size. What could not be read is in `problems` of the result.

    Raises ItemError, and nothing else, when there is not one frame to show: EmptyItem,
    UnknownContent, MissingCodec, CorruptItem, TruncatedItem or a LimitExceeded.
    """
    if not data:
        raise EmptyItem("zero bytes; the upload may have failed")
    if len(data) > limits.bytes:
        raise TooManyBytes(
            f"{len(data)} bytes are over {limits.bytes}; EGIDE_MAX_BYTES allows more"
        )
    format_ = sniff_picture(data[:256])
    if format_ is None:
        raise UnknownContent("not a JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF")
    found = Gathering(limits, colour=colour)
    extent = extent_of(data, format_)
    if extent.crowded:
        raise CorruptItem(f"{format_.name}: far more parts than its size needs; it was not decoded")
    try:
        _read(data, format_, extent, found, least)
    except Exception as error:  # noqa: BLE001 - decoders raise anything, and a scan must go on
        kept = bool(found.frames)
        found.problems.append(explain(error, format_.name, kept=kept, cut=extent.cut or None))
    if extent.cut and format_ in _PADDED:
        # The decoder took the padding for a picture when there is nothing else in it.
        found.frames = [f for f in found.frames if f.pixels.min() < f.pixels.max()]
    if extent.cut and not any(isinstance(problem, TruncatedItem) for problem in found.problems):
        found.problems.append(TruncatedItem(f"{format_.name}: its end is missing"))
    look_beyond(data, format_, extent, found)
    return found.finish(format_)


def _read(data: bytes, format_: Format, extent: Extent, found: Gathering, least: Least) -> None:
    """Send the bytes to the decoder of their format, which is imported only now."""
    if format_ in _BOXED and extent.end and extent.end < len(data):
        data = data[: extent.end]  # what follows would be taken for more of the same
    if extent.cut and extent.end and format_ in _PADDED and len(data) > extent.end // 8:
        data = padded(data, extent.end, found.limits.bytes)
    if format_ is Format.JPEG:
        from egide.media.jpeg import read_jpeg  # noqa: PLC0415 - start-up time

        read_jpeg(data, found, least)
    elif format_ is Format.HEIC:
        from egide.media.heic import read_heic  # noqa: PLC0415 - start-up time

        read_heic(data, found)
    else:
        from egide.media.raster import read_raster  # noqa: PLC0415 - start-up time

        read_raster(data, format_, found)
