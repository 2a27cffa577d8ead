"""Opens a video so that the file itself is all that its decoders can reach.

FFmpeg reads more formats than any platform takes in, and some of them name other files or
addresses to go and fetch. So the demultiplexer is handed a file object and no protocol, only
containers that hold their own frames are let in, and only codecs that people send.
"""

from __future__ import annotations

import ctypes
import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, BinaryIO, Final

from egide.errors import (
    CorruptItem,
    ItemError,
    TooManyPixels,
    TooManyStreams,
    TooMuchTime,
    TruncatedItem,
    UnknownContent,
    UnreadableItem,
)
from egide.media.reasons import reason
from egide.media.video_extent import missing_end

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from egide.media.picture import Limits

CONTAINERS: Final = (
    *("mov", "matroska", "webm", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "ogg"),
    *("asf", "asf_o"),
)
"""Demultiplexers that may be used, by FFmpeg's names: none of them opens a second file."""

CODECS: Final = frozenset(
    [
        *("h264", "hevc", "av1", "libdav1d", "vp8", "vp9", "libvpx", "libvpx-vp9", "theora"),
        *("mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4"),
        *("h263", "h263p", "flv", "vp6", "vp6f", "vp6a", "wmv1", "wmv2", "wmv3", "vc1"),
        *("svq1", "svq3", "cinepak", "indeo5", "dvvideo", "mjpeg", "png", "rawvideo"),
        *("ffv1", "huffyuv", "ffvhuff", "utvideo", "prores", "dnxhd", "vp7", "rv40"),
    ]
)
"""Decoders that may be used, by FFmpeg's names."""

MOST_STREAMS: Final = 100
"""Streams of any kind that a container may announce: films have some forty subtitles."""

_LOOK_SECONDS: Final = 0.05
"""How often the processor's clock is read: that may take as long as decoding a small frame."""

_LARGEST_PIECE: Final = 96 << 20
"""What FFmpeg may ask of memory at once, in bytes: a plane of 8K in 10 bits, or a day's index."""


class BoundedFile:
    """`source` as a demultiplexer sees it: at an end once the item's time is up.

    Exceptions cannot pass through the demultiplexer; `problem` has what ended it.
    """

    def __init__(self, source: BinaryIO, limits: Limits) -> None:
        self._source = source
        self._seconds = limits.video_seconds
        self._until = time.thread_time() + limits.video_seconds
        self._look_again = 0.0
        self.problem: ItemError | None = None

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end, after an error, or when the time is up."""
        if self.out_of_time():
            return b""
        try:
            return self._source.read(size)
        except (OSError, ValueError) as error:
            self.problem = UnreadableItem(reason(error))
            return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Moves to another place, as the demultiplexer asks; -1 where there is none."""
        try:
            return self._source.seek(offset, whence)
        except (OSError, ValueError):
            return -1

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._source.tell()

    def out_of_time(self) -> bool:
        """Whether it has ended; from the moment the thread's processor time is used up."""
        if self.problem is not None or time.monotonic() < self._look_again:
            return self.problem is not None
        self._look_again = time.monotonic() + _LOOK_SECONDS
        if time.thread_time() > self._until:
            self.problem = TooMuchTime(
                f"gave up after {self._seconds:g} s of processor time; what was read until then "
                "was compared, EGIDE_MAX_VIDEO_SECONDS allows more"
            )
        return self.problem is not None


@contextmanager
def opened(
    source: BinaryIO, size: int, limits: Limits, problems: list[ItemError], notes: list[str]
) -> Iterator[tuple[InputContainer, list[VideoStream], BoundedFile]]:
    """The container in the `size` bytes of `source`, its streams to be read, and the file.

    What is left out is put into `problems` and `notes`. No stream is left when there is only
    sound. Raises ItemError when it cannot be opened.
    """
    import av  # noqa: PLC0415  heavy, and only for videos

    _restrain()
    missing = missing_end(source, size)
    file = BoundedFile(source, limits)
    options = {
        "format_whitelist": ",".join(CONTAINERS),
        "codec_whitelist": ",".join(CODECS),
        "protocol_whitelist": "",
        "max_streams": str(MOST_STREAMS),
        "max_pixels": str(limits.video_pixels),
        "threads": "1",
    }
    try:
        container = av.open(file, "r", options=options, metadata_errors="ignore")
    except Exception as error:
        raise file.problem or _unopened(error, missing) from error
    with container:
        if missing is not None:
            problems.append(
                TruncatedItem(f"video: {missing}; what is there was read, get an intact copy")
            )
        yield container, _chosen(container, limits, problems, notes), file


def _unopened(error: BaseException, missing: str | None) -> ItemError:
    if missing is not None:
        return TruncatedItem(f"video: {missing}; nothing could be read, get an intact copy")
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return TooManyStreams(
            f"video: over {MOST_STREAMS} streams, or tables too large for memory; re-encode it"
        )
    if getattr(error, "errno", None) == errno.EINVAL:
        return UnknownContent("video: no container that is read; re-encode it as MP4")
    return CorruptItem(f"video: {reason_of(error)}; nothing could be read, get an intact copy")


def reason_of(error: BaseException) -> str:
    """FFmpeg's own words for `error`, without its numbers and addresses."""
    return reason(Exception(getattr(error, "strerror", None) or error))


def _chosen(
    container: InputContainer, limits: Limits, problems: list[ItemError], notes: list[str]
) -> list[VideoStream]:
    """The streams to read: those that move; an attached cover only when there are no others."""
    from av.stream import Disposition  # noqa: PLC0415  heavy, and only for videos

    every = container.streams.video
    covers = [s for s in every if s.disposition & Disposition.attached_pic]
    moving = [s for s in every if not s.disposition & Disposition.attached_pic]
    if moving and covers:
        notes.append(f"{len(covers)} attached cover pictures were not read")
    readable = []
    for stream in moving or covers:
        problem = _unfit(stream, limits)
        if problem is None:
            readable.append(stream)
        else:
            problems.append(problem)
    if len(readable) > limits.video_streams:
        problems.append(
            TooManyStreams(
                f"{len(readable)} video streams, the first {limits.video_streams} were read; "
                "EGIDE_MAX_VIDEO_STREAMS allows more"
            )
        )
    if not every:
        notes.append("there is no video stream in it; sound is not compared")
    return readable[: limits.video_streams]


def _unfit(stream: VideoStream, limits: Limits) -> ItemError | None:
    """Why `stream` is not read, if it is not."""
    context = stream.codec_context
    if context is None:
        return UnknownContent("no decoder for its video stream; re-encode it as H.264")
    if context.name not in CODECS:
        return UnknownContent(f"video coded as {context.name} is not read; re-encode it as H.264")
    if context.width * context.height > limits.video_pixels:
        return TooManyPixels(
            f"frames of {context.width}×{context.height} are over {limits.video_pixels:,} pixels; "
            "EGIDE_MAX_VIDEO_PIXELS allows more"
        )
    return None


@cache
def _restrain() -> None:
    """Holds FFmpeg's single allocations down, for the process: tables of a file can ask for any."""
    from av import _core  # noqa: PLC0415  heavy, and only for videos

    with suppress(OSError, AttributeError):  # a build that hides it
        allow = ctypes.CDLL(_core.__file__).av_max_alloc
        allow.argtypes, allow.restype = [ctypes.c_size_t], None
        allow(_LARGEST_PIECE)
