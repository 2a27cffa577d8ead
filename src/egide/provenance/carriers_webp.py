"""WebP: the EXIF and XMP chunks of its RIFF container (RFC 9649, 2.7.1.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Final

from egide.errors import TruncatedItem
from egide.provenance.carriers_gathering import Gathering, read_at
from egide.provenance.exif import read_exif
from egide.provenance.stealth import read_webp_pixels
from egide.provenance.xmp import read_xmp

_LOSSLESS, _ALPHA, _EXTENDED, _EXIF, _XMP = b"VP8L", b"ALPH", b"VP8X", b"EXIF", b"XMP "
_ALPHA_USED: Final = 1 << 28
_METHOD: Final = 0x33
"""Bits of ALPH that are 0 or 1 for a plane that was not quantised."""


@dataclass(slots=True)
class _Pixels:
    """What the chunks say of a still picture: its sides, and what of it is kept exactly."""

    width: int = 0
    height: int = 0
    lossless: bool = False
    alpha: bool = False

    def learn(self, kind: bytes, body: bytes) -> None:
        """Takes in the first ten bytes of a chunk."""
        if kind == _EXTENDED:
            self.width, self.height = (int.from_bytes(body[at : at + 3], "little") + 1
                                       for at in (4, 7))  # fmt: skip
        elif kind == _ALPHA:
            self.alpha = self.alpha or (body[:1] != b"" and not body[0] & _METHOD & ~1)
        else:
            bits = int.from_bytes(body[1:5], "little")
            self.width, self.height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
            self.lossless, self.alpha = True, bool(bits & _ALPHA_USED)


def read_webp(stream: BinaryIO, size: int, found: Gathering) -> None:
    """Add the EXIF tags and XMP properties of a WebP, and what lossless pixels hide."""
    end = 8 + int.from_bytes(read_at(stream, 4, 4), "little")
    if end > size:
        found.fault(TruncatedItem("WebP: its end is missing; get the whole file"))
    at, pixels = 12, _Pixels()
    while at + 8 <= min(end, size):
        found.step()
        head = read_at(stream, at, 8)
        kind, length = head[:4], int.from_bytes(head[4:], "little")
        if at + 8 + length > size:
            found.fault(TruncatedItem("WebP: it ends inside a chunk; get the whole file"))
            break
        if kind in {_LOSSLESS, _ALPHA, _EXTENDED}:
            pixels.learn(kind, stream.read(10))
        elif kind in {_EXIF, _XMP} and found.claim(length, f"WebP: {kind.decode().strip()}"):
            (read_exif if kind == _EXIF else read_xmp)(stream.read(length), found)
        at += 8 + length + length % 2
    # It takes decoding the whole to look: alpha is what tools hide text in, colours are worth it
    # only where nothing else was left in the file.
    if pixels.alpha or (pixels.lossless and found.empty):
        read_webp_pixels(stream, pixels.width, pixels.height, found)
