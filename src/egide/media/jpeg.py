"""JPEG: the header read here, the pixels by libjpeg-turbo straight to small luma.

Three quarters of what platforms are handed is JPEG, so this path avoids everything it can:
colour conversion, full-size pixels, Pillow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from egide.errors import (
    CorruptItem,
    TooManyPixels,
    TooManyScans,
    TruncatedItem,
    UnknownContent,
)
from egide.media.exif import orientation_of
from egide.media.reasons import explain, reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from egide.media.picture import Gathering, Least

# Start-of-frame markers (ITU-T T.81, table B.1); C4, C8 and CC are other things.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_HIERARCHICAL = frozenset({0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF})
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_SOS, _EOI, _APP1 = 0xDA, 0xD9, 0xE1
_MOST_SEGMENTS = 4096
_LEAST_DATA = 4

# What libjpeg says of files that every viewer shows, and that lose no pixel.
_HARMLESS = re.compile(r"Invalid SOS parameters|Unknown Adobe color transform")
_SCAN_OR_END = re.compile(rb"\xff([\xda\xd9\xc4\xdb\xdd\xfe\xe0-\xef])")

# A progressive file is held as coefficients, and every scan walks over all of them: on one core
# about 40 ns for each block of 64, even when the scan is a few bytes long.
_MOST_BLOCK_VISITS = 64_000_000


@dataclass(frozen=True)
class Header:
    """What a JPEG says of itself before its first scan.

    Attributes:
        width, height: in pixels, before orientation.
        precision: bits a sample.
        process: the second byte of the start-of-frame marker: 0xC0 baseline, 0xC2 progressive…
        sampling: horizontal and vertical sampling factor of each component.
        orientation: EXIF, 1 to 8.
        scan: where the first start-of-scan marker stands.
        interleaved: the first scan holds all components.
    """

    width: int
    height: int
    precision: int
    process: int
    sampling: tuple[tuple[int, int], ...]
    orientation: int
    scan: int
    interleaved: bool

    @property
    def samples(self) -> int:
        """Samples of all components together, after subsampling."""
        widest = max(h for h, _ in self.sampling)
        tallest = max(v for _, v in self.sampling)
        share = sum(h * v for h, v in self.sampling) / (widest * tallest)
        return round(self.width * self.height * share)

    @property
    def many_scans(self) -> bool:
        """Whether decoding takes all scans of the file, not just the first."""
        return self.process in _PROGRESSIVE or not self.interleaved


def read_header(data: bytes) -> Header:
    """Read the segments of a JPEG up to its first scan; bounded to 4,096 of them.

    Raises CorruptItem or TruncatedItem.
    """
    at, orientation, frame = 2, 1, b""
    process = 0
    for _ in range(_MOST_SEGMENTS):
        start = data.find(b"\xff", at)
        if start < 0 or start + 4 > len(data):
            raise TruncatedItem("JPEG: it ends inside its header; get the whole file")
        marker = data[start + 1]
        if marker in {0x00, 0x01, 0xFF} or 0xD0 <= marker <= 0xD8:
            at = start + (1 if marker == 0xFF else 2)
            continue
        if marker == _EOI:
            raise CorruptItem("JPEG: it has no picture between its start and its end")
        size = int.from_bytes(data[start + 2 : start + 4], "big")
        body = data[start + 4 : start + 2 + size]
        if size < 2:
            raise CorruptItem(f"JPEG: segment of impossible size at byte {start}")
        if marker == _APP1 and orientation == 1 and body.startswith(b"Exif\0\0"):
            orientation = orientation_of(body)
        elif marker in _FRAMES:
            frame, process = body, marker
        elif marker == _SOS:
            return _header(frame, process, orientation, start, body[:1])
        at = start + 2 + size
    raise CorruptItem(f"JPEG: more than {_MOST_SEGMENTS} segments before the picture")


def _header(frame: bytes, process: int, orientation: int, scan: int, in_scan: bytes) -> Header:
    count = frame[5] if len(frame) > 5 else 0
    if not count or len(frame) < 6 + 3 * count:
        raise CorruptItem("JPEG: its frame header is missing or short")
    sampling = tuple((frame[7 + 3 * i] >> 4, frame[7 + 3 * i] & 15) for i in range(count))
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    if not (width and height and all(h and v for h, v in sampling)):
        raise CorruptItem(f"JPEG: impossible size {width}×{height} or sampling")
    return Header(
        width, height, frame[0], process, sampling, orientation, scan, in_scan == bytes([count])
    )


def check_scans(data: bytes, header: Header, most: int) -> None:
    """Raise TooManyScans when decoding would take more than `most` passes, or too long ones."""
    if not header.many_scans:
        return
    count = data.count(b"\xff\xda", header.scan)
    allowed = max(1, min(most, _MOST_BLOCK_VISITS * 64 // max(1, header.samples)))
    # The two bytes may stand in a comment or in a trailer: count with care only when it matters.
    if count > allowed and _count_scans(data, header.scan, allowed) > allowed:
        raise TooManyScans(
            f"more than {allowed} scans for {header.width}×{header.height} pixels; "
            "a camera or an editor writes about 10"
        )


def _count_scans(data: bytes, at: int, enough: int) -> int:
    """Count start-of-scan markers up to the end of the picture, or until over `enough`."""
    count = 0
    while count <= enough and (found := _SCAN_OR_END.search(data, at)):
        marker = found[1][0]
        if marker == _EOI:
            break
        count += marker == _SOS
        size = int.from_bytes(data[found.end() : found.end() + 2], "big")
        at = found.end() + max(size, 2)
    return count


def scale_for(width: int, height: int, least: Least) -> int:
    """Choose 8, 4, 2 or 1: the strongest reduction that leaves both sides `least` pixels.

    Only these four have fast inverse transforms in libjpeg-turbo.
    """
    short, long = sorted((width, height))
    return next(
        (s for s in (8, 4, 2) if -(-short // s) >= least.short and -(-long // s) >= least.long), 1
    )


def read_jpeg(data: bytes, found: Gathering, least: Least) -> None:
    """Decode a JPEG into `found`, one frame of (h, w) luma, or of RGB if it asks for colour.

    Problems go there too.

    Raises ItemError, or whatever the decoder raises, when there is nothing to show.
    """
    header = read_header(data)
    found.scan = header.scan
    found.claim(header.width, header.height)
    check_scans(data, header, found.limits.scans)
    if header.many_scans and header.samples > found.limits.pixels:
        raise TooManyPixels(
            f"{header.width}×{header.height}, progressive, needs {2 * header.samples >> 20} MiB; "
            "EGIDE_MAX_PIXELS allows more"
        )
    if header.precision != 8 or header.process in _HIERARCHICAL:
        kind = "hierarchical" if header.precision == 8 else f"{header.precision}-bit"
        raise UnknownContent(f"{kind} JPEG is not supported; convert it to 8-bit baseline")
    if len(data) - header.scan < 14 + _LEAST_DATA:
        raise TruncatedItem("JPEG: it ends where its pixels should begin; get the whole file")
    scale = 1 if header.process in _LOSSLESS else scale_for(header.width, header.height, least)
    luma = None
    if len(header.sampling) in {1, 3}:
        luma = _with_simplejpeg(data, header, scale, found)
    if luma is None:
        # Four inks, or a sampling that simplejpeg cannot name.
        from egide.media.raster import read_pixels  # noqa: PLC0415 - Pillow only when needed

        luma = read_pixels(data, found, scale)
    size = (header.width, header.height)
    found.add(luma, 0, header.orientation, size, alone=True)


def _with_simplejpeg(
    data: bytes, header: Header, scale: int, found: Gathering
) -> NDArray[np.uint8] | None:
    from simplejpeg import decode_jpeg  # type: ignore[import-untyped]  # noqa: PLC0415

    space = "RGB" if found.colour and len(header.sampling) == 3 else "GRAY"

    def decoded(*, strict: bool) -> NDArray[np.uint8]:
        pixels = np.asarray(decode_jpeg(data, space, strict=strict, **sides))
        return pixels[:, :, 0] if space == "GRAY" else pixels

    # simplejpeg takes the smallest scale with both sides at least these, out of 2/1, 15/8…1/8;
    # these are the very sides that 1/scale gives, so that it is 1/scale that it takes.
    sides = {"min_height": -(-header.height // scale), "min_width": -(-header.width // scale)}
    if scale == 1:
        sides = {}
    try:
        return decoded(strict=True)
    except (ValueError, KeyError) as error:
        complaint = error
    found.check_time()
    try:
        luma = decoded(strict=False)
    except (ValueError, KeyError):
        return None
    if luma.min() == luma.max():
        raise complaint  # nothing but the grey that libjpeg begins with
    if not _HARMLESS.search(reason(complaint)):
        # The decoder runs out of data after damage in the middle, too.
        cut = False if data.endswith(b"\xff\xd9") else None
        found.problems.append(explain(complaint, "JPEG", kept=True, cut=cut))
    return luma
