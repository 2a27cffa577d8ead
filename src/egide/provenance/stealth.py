"""Text hidden in the least significant bits of pixels, which survives the loss of all metadata.

The scheme is that of NovelAI and of the `stealth_pnginfo` extension: down the columns, from the
left, one bit of alpha a pixel or three bits of red, green and blue; a magic word of 15 bytes, the
length of the rest *in bits* (32 of them, the highest first), and UTF-8 text, gzipped in the
`comp` variants.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final

from egide.errors import CorruptItem, ItemError, TooManyPixels
from egide.provenance.carriers_gathering import Gathering, read_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORDS: Final = {"alpha": b"stealth_png", "rgb": b"stealth_rgb"}
_CHANNELS: Final = {"alpha": (3,), "rgb": (0, 1, 2)}
_WORD: Final = 15
_HEAD_BITS: Final = 8 * (_WORD + 4)
_PROBED: Final = 1 << 26
"""Bytes inflated to look for a word: enough for rows of 180,000 pixels."""

_SAMPLES: Final = {2: 3, 6: 4}
"""Samples a pixel by PNG colour type; pictures of the others hide nothing."""

_FIRST_STEP: Final = 1 << 12
_LAST_STEP: Final = 1 << 16


@dataclass(slots=True)
class PngPixels:
    """What IHDR says of a PNG's pixels, and where its first IDAT chunk begins, 0 for nowhere."""

    width: int = 0
    height: int = 0
    bits: int = 0
    colour: int = 0
    interlaced: bool = False
    at: int = 0

    @classmethod
    def from_header(cls, body: bytes) -> PngPixels:
        """From the 13 bytes of IHDR; fewer give a picture of nothing."""
        if len(body) < 13:
            return cls()
        width, height = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        return cls(width, height, body[8], body[9], bool(body[12]))


def read_png_pixels(stream: BinaryIO, size: int, header: PngPixels, found: Gathering) -> None:
    """Add the text hidden in a PNG as `stealth:alpha` or `stealth:rgb`.

    Only as many rows are inflated as it takes to see that there is none, most often one.
    """
    if header.bits != 8 or header.colour not in _SAMPLES or not (header.at and header.height):
        return
    if not header.interlaced and not _may_hide(_first_pixels(stream, size, header), header):
        return
    if not _too_large("PNG", header.width, header.height, found):
        _read_decoded(stream, "PNG", found)


def read_webp_pixels(stream: BinaryIO, width: int, height: int, found: Gathering) -> None:
    """The same of a WebP whose pixels, or whose alpha, are lossless; it is decoded whole."""
    if not _too_large("WEBP", width, height, found):
        _read_decoded(stream, "WEBP", found)


def _too_large(format_: str, width: int, height: int, found: Gathering) -> bool:
    if width * height <= found.limits.pixels:
        return False
    found.fault(
        TooManyPixels(f"{format_}: {width}×{height} pixels were not searched for hidden text")
    )
    return True


def _may_hide(pixels: Iterator[bytes], header: PngPixels) -> bool:
    """Whether the first column, as far as it goes, begins with one of the magic words."""
    samples = _SAMPLES[header.colour]
    wanted = {mode: _bits(word) for mode, word in _WORDS.items() if max(_CHANNELS[mode]) < samples}
    rows = 0
    for pixel in pixels:
        for mode, bits in list(wanted.items()):
            seen = [pixel[n] & 1 for n in _CHANNELS[mode]]
            part = bits[rows * len(seen) : (rows + 1) * len(seen)]
            if not part:
                return True
            if part != seen[: len(part)]:
                del wanted[mode]
        if not wanted:
            return False
        rows += 1
    return rows == header.height


def _bits(word: bytes) -> list[int]:
    return [byte >> place & 1 for byte in word for place in range(7, -1, -1)]


def _first_pixels(stream: BinaryIO, size: int, header: PngPixels) -> Iterator[bytes]:
    """The first pixel of each row, from the top; ends where the data are damaged.

    Nothing stands to the left of it, so that every filter (PNG, 9.2) leaves it either as it is or
    adds the pixel above, or half of it: no other pixel need be known.
    """
    samples = _SAMPLES[header.colour]
    stride = 1 + header.width * samples
    above = bytes(samples)
    for row in _row_heads(_inflated(stream, size, header), stride, 1 + samples, header.height):
        kind, values = row[0], row[1:]
        if kind in {2, 4}:
            values = bytes((value + up) & 255 for value, up in zip(values, above, strict=True))
        elif kind == 3:
            values = bytes((value + up // 2) & 255 for value, up in zip(values, above, strict=True))
        yield values
        above = values


def _row_heads(parts: Iterator[bytes], stride: int, head: int, rows: int) -> Iterator[bytes]:
    """The first `head` bytes of every `stride`, out of `parts` laid end to end."""
    held, at = b"", 0  # `at`: where the next row begins, seen from the beginning of `held`
    for part in parts:
        held += part
        while at + head <= len(held) and rows:
            yield held[at : at + head]
            at += stride
            rows -= 1
        if not rows:
            return
        cut = min(at, len(held))
        held, at = held[cut:], at - cut


def _inflated(stream: BinaryIO, size: int, header: PngPixels) -> Iterator[bytes]:
    """The picture's data, inflated in growing steps, from consecutive IDAT chunks."""
    inflate, at, step, most = zlib.decompressobj(), header.at, _FIRST_STEP, _PROBED
    while at + 12 <= size:
        head = read_at(stream, at, 8)
        left = int.from_bytes(head[:4], "big")
        at += 12 + left
        if head[4:] != b"IDAT":
            return
        while left:
            packed = stream.read(min(left, step))
            left -= len(packed)
            if not packed:
                return
            while packed:
                try:
                    part = inflate.decompress(packed, step)
                except zlib.error:
                    return
                yield part
                most -= len(part)
                if most < 0 or inflate.eof:
                    return
                packed, step = inflate.unconsumed_tail, min(2 * step, _LAST_STEP)


def _read_decoded(stream: BinaryIO, format_: str, found: Gathering) -> None:
    try:
        pixels = _decoded(stream, format_)
    except ItemError as error:
        found.fault(error)
    else:
        _read_hidden(pixels, found)


def _decoded(stream: BinaryIO, format_: str) -> NDArray[np.uint8]:
    """All pixels, (h, w, channels) uint8, the colours as they are under any transparency."""
    import numpy as np  # noqa: PLC0415  most pictures hide nothing
    from PIL import Image  # noqa: PLC0415

    from egide.media.quiet import quiet  # noqa: PLC0415
    from egide.media.reasons import explain  # noqa: PLC0415
    from egide.media.repair import bare_png  # noqa: PLC0415

    stream.seek(0)
    data = stream.read()
    try:
        data = bare_png(data) if format_ == "PNG" else data  # Pillow gives up over text chunks
        with quiet(), Image.open(BytesIO(data), formats=[format_]) as picture:
            return np.asarray(picture)
    except Exception as error:
        raise explain(error, f"{format_} with hidden text", kept=False) from error


def _read_hidden(pixels: NDArray[np.uint8], found: Gathering) -> None:
    for mode, word in _WORDS.items():
        if pixels.ndim == 3 and pixels.shape[2] > max(_CHANNELS[mode]):
            _read_mode(pixels, mode, word, found)


def _read_mode(pixels: NDArray[np.uint8], mode: str, word: bytes, found: Gathering) -> None:
    head = _message(pixels, mode, 0, _HEAD_BITS)
    magic, what = head[:_WORD], f"stealth:{mode}"
    if not magic.startswith(word) or magic[len(word) :] not in {b"info", b"comp"}:
        return
    length = int.from_bytes(head[_WORD:], "big")
    room = pixels.shape[0] * pixels.shape[1] * len(_CHANNELS[mode]) - _HEAD_BITS
    if length > room or length % 8:
        found.fault(CorruptItem(f"{what}: {length:,} bits announced, there is room for {room:,}"))
        return
    if not found.claim(length // 8, what):
        return
    body: bytes | None = _message(pixels, mode, _HEAD_BITS, length)
    if magic.endswith(b"comp"):
        body = found.inflate(body or b"", what, gzip=True)
    if body is not None:
        found.add("stealth", mode, body.decode("utf-8", "replace"))


def _message(pixels: NDArray[np.uint8], mode: str, start: int, count: int) -> bytes:
    """`count` bits from the bit `start` on, as bytes; fewer where the picture ends."""
    import numpy as np  # noqa: PLC0415

    channels = _CHANNELS[mode]
    columns = -(-(start + count) // (pixels.shape[0] * len(channels)))
    part = pixels[:, :columns, channels[0] : channels[-1] + 1]
    bits = part.swapaxes(0, 1).reshape(-1)[start : start + count] & 1
    return np.packbits(bits).tobytes()
