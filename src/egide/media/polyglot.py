"""Finds the second file in a picture's bytes: an archive, a program, a page, another picture.

Such files pass a filter as a picture and are opened as something else afterwards. What phones
write behind a picture is known and left in peace: announced second pictures (CIPA DC-007, "MPF"),
Samsung's trailer, the video of a motion photo, padding, plain data.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from egide.errors import PolyglotItem
from egide.media.extent import jpeg_end
from egide.media.mpf import announced_pictures
from egide.sniff import Format, sniff_picture

if TYPE_CHECKING:
    from egide.media.extent import Extent
    from egide.media.picture import Gathering

MOTION_PHOTO = "motion photo: its video was not read"

_NAMES = {
    b"PK": "a ZIP archive",
    b"Ra": "a RAR archive",
    b"7z": "a 7z archive",
    b"\x7fE": "an ELF program",
    b"%P": "a PDF document",
    b"<?": "a PHP script",
}
_SECOND = "a second picture"
_PAGE = re.compile(rb"<(?:script|html|body|iframe|!doctype\s+html|\?php)[\s>]", re.IGNORECASE)
_OTHER = re.compile(
    rb"PK\x03\x04|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\x7fELF[\x01\x02][\x01\x02]\x01|%PDF-\d"
    rb"|\xff\xd8\xff[\xc0-\xfe]|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|....ftyp(?:hei|avi|mif1)",
    re.DOTALL,
)
_NOT_PADDING = re.compile(rb"[^\0\xff\r\n]")
_HEAD, _PDF_HEAD, _LOOK = 4096, 1024, 65536
_ZIP_END, _ZIP_END_SIZE = b"PK\x05\x06", 22


def look_beyond(data: bytes, format_: Format, extent: Extent, found: Gathering) -> None:
    """Add a PolyglotItem to `found` when `data` is a second file too, or a note for a video.

    Reads the head, the tail and what follows the picture's end; never raises.
    """
    gaps = _jpeg_gaps(data, found) if format_ is Format.JPEG else _gaps_after(extent.end, data)
    if format_ is Format.HEIC and b"mpvd" in data[-_LOOK:]:
        found.notes.append(MOTION_PHOTO)
    second = _in_head(data, format_) or _zip_at_end(data)
    for start, stop in gaps:
        second = second or _in_gap(data, start, stop, found)
    if second:
        what, at = second
        found.problems.append(
            PolyglotItem(f"{what} begins at byte {at}; keep the picture's own bytes only")
        )


def _gaps_after(end: int | None, data: bytes) -> list[tuple[int, int]]:
    return [(end, len(data))] if end is not None and end < len(data) else []


def _jpeg_gaps(data: bytes, found: Gathering) -> list[tuple[int, int]]:
    """The stretches behind a JPEG that no index announces."""
    scan = found.scan
    if not scan:
        return []
    announced = announced_pictures(data, scan)
    if announced and announced[0][0] == 0:
        end: int | None = announced[0][1]
    else:
        whole = data.rstrip(b"\0")
        end = jpeg_end(whole, scan, thorough=not whole.endswith(b"\xff\xd9"))
    if end is None:
        return []
    gaps = []
    for start, size in sorted(announced):
        if start >= end:
            gaps.append((end, start))
            end = start + size
    if data.endswith(b"SEFT"):  # Samsung: previews, depth maps and videos, listed in the trailer
        if data.find(b"MotionPhoto_Data", end, end + _LOOK) >= 0 or b"MotionPhoto" in data[-1024:]:
            found.notes.append(MOTION_PHOTO)
        return gaps
    return [*gaps, (end, len(data))]


def _in_head(data: bytes, format_: Format) -> tuple[str, int] | None:
    if page := _PAGE.search(data, 0, _HEAD):
        return _NAMES.get(page[0][:2], "an HTML page or script"), page.start()
    at = data.find(b"%PDF-", 0, _PDF_HEAD)
    if at >= 0:
        return _NAMES[b"%P"], at
    if format_ is Format.GIF and data[6:8] == b"/*":
        return "a JavaScript comment", 6
    return None


def _zip_at_end(data: bytes) -> tuple[str, int] | None:
    """A ZIP is read from its end: whatever stands before, unzip and Java open it."""
    at = data.rfind(_ZIP_END, max(0, len(data) - _ZIP_END_SIZE - 0xFFFF))
    if at < 0 or at + _ZIP_END_SIZE > len(data):
        return None
    directory = int.from_bytes(data[at + 12 : at + 16], "little")
    comment = int.from_bytes(data[at + 20 : at + 22], "little")
    if directory > at or at + _ZIP_END_SIZE + comment > len(data):
        return None
    first = data.find(b"PK\x03\x04", 0, at)
    return _NAMES[b"PK"], first if first >= 0 else at


def _in_gap(data: bytes, start: int, stop: int, found: Gathering) -> tuple[str, int] | None:
    """Name what lies in data[start:stop], behind the picture's end."""
    begin = _NOT_PADDING.search(data, max(0, start), stop)
    if begin is None:
        return None
    # The first bytes of JPEG and of an MP4 are taken for padding: step back to where it may begin.
    at = max(start, begin.start() - 4)
    head = data[at : min(stop, at + _LOOK)]
    if (video := head.find(b"ftyp", 0, 64)) >= 4 and sniff_picture(head[video - 4 :]) is None:
        found.notes.append(MOTION_PHOTO)
        return None
    if program := _program(head, begin.start() - at):
        return program, begin.start()
    if page := _PAGE.search(head, 0, _HEAD):
        return _NAMES.get(page[0][:2], "an HTML page or script"), at + page.start()
    if other := _OTHER.search(head):
        return _NAMES.get(other[0][:2], _SECOND), at + other.start()
    return (_SECOND, begin.start()) if sniff_picture(head[begin.start() - at :]) else None


def _program(head: bytes, at: int) -> str | None:
    """A Windows program: "MZ", and at 60 the place of "PE"."""
    if head[at : at + 2] != b"MZ":
        return None
    pe = at + int.from_bytes(head[at + 60 : at + 64], "little")
    return "a Windows program" if head[pe : pe + 4] == b"PE\0\0" else None
