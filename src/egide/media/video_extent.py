"""Whether a video file is all there, by the sizes that its own parts announce.

A player shows what there is and says nothing; whoever screens has to know that the rest was never
seen. Only containers that announce their size can tell: MP4 and MOV (ISO/IEC 14496-12), Matroska
and WebM (RFC 9559), and AVI. Of the others the demultiplexer's own errors are all there is.
"""

from __future__ import annotations

from typing import BinaryIO, Final

_MOST_BOXES: Final = 200_000
"""Top-level parts looked at: a day of live recording has some ten thousand."""

_SEGMENT: Final = b"\x18\x53\x80\x67"
_EBML: Final = b"\x1a\x45\xdf\xa3"
_FIRST_BOXES: Final = frozenset(
    [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"uuid"]
)


def missing_end(source: BinaryIO, size: int) -> str | None:
    """What the end of the `size` bytes in `source` lacks, in a few words; None when nothing is.

    Leaves `source` at its beginning. Never raises for what the bytes say.
    """
    source.seek(0)
    head = source.read(16)
    if head[:4] == b"RIFF":
        missing = int.from_bytes(head[4:8], "little") + 8 - size
    elif head[:4] == _EBML:
        missing = _segment_end(source) - size
    elif head[4:8] in _FIRST_BOXES:
        return _missing_box(source, size)
    else:
        missing = 0
    source.seek(0)
    return f"{missing:,} bytes are missing at its end" if missing > 0 else None


def _missing_box(source: BinaryIO, size: int) -> str | None:
    """What is missing of a file of boxes: the end of the last one, or the one that is the index."""
    at, boxes, reason = 0, set(), None
    for _ in range(_MOST_BOXES):
        source.seek(at)
        header = source.read(16)
        length, name = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:
            length = size - at
        if length < 8 or not name.isalnum():
            break  # something behind the last box, which players pass by
        boxes.add(name)
        at += length
        if at > size:
            reason = f"{at - size:,} bytes are missing at its end"
            break
    source.seek(0)
    if boxes and b"moov" not in boxes:
        return "its index, which stands at the end, is missing"
    return reason


def _segment_end(source: BinaryIO) -> int:
    """Where the Segment of a Matroska file should end; 0 when it does not say."""
    source.seek(4)
    header = _vint(source)
    if header is None:
        return 0
    source.seek(header, 1)
    if source.read(4) != _SEGMENT:
        return 0
    length = _vint(source)
    return source.tell() + length if length is not None else 0


def _vint(source: BinaryIO) -> int | None:
    """An EBML length (RFC 8794, 4): None for `unknown` and for none at all."""
    first = source.read(1)
    if not first or first == b"\0":
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0x7F >> more)]) + source.read(more), "big")
    return None if value == (1 << 7 * (more + 1)) - 1 else value
