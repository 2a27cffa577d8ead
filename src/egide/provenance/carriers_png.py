"""PNG: text chunks, EXIF, XMP and IPTC, wherever they stand, without reading pixels.

PNG (third edition), 5.3, 11.3.3 and 11.3.4.5; ImageMagick's `Raw profile type …`.
"""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO, Final

from egide.errors import CorruptItem, TruncatedItem
from egide.provenance.carriers_gathering import Gathering, read_at
from egide.provenance.exif import read_exif
from egide.provenance.iptc import read_resources
from egide.provenance.stealth import PngPixels, read_png_pixels
from egide.provenance.usercomment import decode_text
from egide.provenance.xmp import read_xmp

_SIGNATURE_SIZE: Final = 8
_MOST: Final = 0x7FFFFFFF
_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf"})
_XMP: Final = "XML:com.adobe.xmp"
_RAW: Final = "raw profile type "
_XMP_HEAD: Final = b"http://ns.adobe.com/xap/1.0/\0"
_DIGITS: Final = b"0123456789abcdefABCDEF \n\r\t"


def read_png(stream: BinaryIO, size: int, found: Gathering) -> None:
    """Add the text of a PNG of `size` bytes, and what is hidden in its pixels."""
    at, header, ended = _SIGNATURE_SIZE, PngPixels(), False
    while at + 12 <= size:
        found.step()
        head = read_at(stream, at, 8)
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        if not kind.isalpha() or length > _MOST:
            break
        if at + 12 + length > size:
            found.fault(TruncatedItem("PNG: it ends inside a chunk; get the whole file"))
            break
        if kind == b"IHDR":
            header = PngPixels.from_header(stream.read(13))
        elif kind == b"IDAT" and not header.at:
            header.at = at
        elif kind in _TEXTS and found.claim(length, f"PNG: {kind.decode()}"):
            _read_chunk(kind, stream.read(length + 4), found)
        ended = ended or kind == b"IEND"
        at += 12 + length
    if not ended:
        found.fault(TruncatedItem("PNG: its end is missing; get the whole file"))
    read_png_pixels(stream, size, header, found)


def _read_chunk(kind: bytes, chunk: bytes, found: Gathering) -> None:
    body, check = chunk[:-4], chunk[-4:]
    if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(check, "big"):
        found.fault(
            CorruptItem(
                f"PNG: a {kind.decode()} chunk was changed, its checksum is wrong; it was read"
            )
        )
    if kind == b"eXIf":
        read_exif(body, found)
        return
    name, zero, rest = body.partition(b"\0")
    keyword = name.decode("latin-1")
    if not zero or not keyword:
        found.fault(CorruptItem(f"PNG: a {kind.decode()} chunk without a keyword"))
        return
    text = _text(kind, keyword, rest, found)
    if text is not None:
        _place(keyword, text, found)


def _text(kind: bytes, keyword: str, rest: bytes, found: Gathering) -> bytes | None:
    """The bytes of the text; None, with a fault, when they cannot be had."""
    if kind == b"tEXt":
        return rest
    what = f"PNG: {kind.decode()} {keyword[:40]!r}"
    if kind == b"zTXt":
        flag, method, packed = 1, rest[:1], rest[1:]
    else:
        flag, method = int.from_bytes(rest[:1], "big"), rest[1:2]
        packed = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    if not flag:
        return packed
    if method != b"\0" or flag != 1:
        found.fault(CorruptItem(f"{what}: compressed in no way that PNG knows"))
        return None
    return found.inflate(packed, what)


def _place(keyword: str, text: bytes, found: Gathering) -> None:
    """Send the text where its keyword says it belongs."""
    if keyword == _XMP:
        read_xmp(text, found)
    elif keyword.lower().startswith(_RAW):
        _read_raw_profile(keyword[len(_RAW) :].lower(), text, found)
    else:
        found.add("png", keyword, decode_text(text))


def _read_raw_profile(name: str, text: bytes, found: Gathering) -> None:
    """A block in hexadecimal: a blank line, its name, its size, its digits."""
    lines = text.strip().split(b"\n", 2)
    digits = lines[2] if len(lines) == 3 else b""
    if not digits or not lines[1].strip().isdigit() or digits.translate(None, _DIGITS):
        found.fault(CorruptItem(f"PNG: Raw profile type {name[:40]!r} is not in hexadecimal"))
        return
    pairs = b"".join(digits.split())
    block = bytes.fromhex(pairs[: len(pairs) // 2 * 2].decode())
    if block.startswith(_XMP_HEAD) or name == "xmp":
        read_xmp(block.removeprefix(_XMP_HEAD), found)
    elif name in {"exif", "app1"}:
        read_exif(block, found)
    elif name in {"iptc", "8bim"}:
        read_resources(block, found)
