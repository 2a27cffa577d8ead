"""Neutral test videos, written with PyAV when a test wants them, and files broken on purpose."""

from __future__ import annotations

import io
import os
import struct
import tempfile
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from tests.pictures import smooth_noise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

FAST = {
    "libx264": {"preset": "veryfast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}
"""How encoders are told to be quick, and not to print."""

TICKS = 1000
"""Time stamps are in milliseconds, in the containers that can write them so."""


@contextmanager
def scheduled_as_before() -> Iterator[None]:
    """Undoes what SVT-AV1 does to its caller when that is root: it makes it a real-time process.

    Everything that such a process starts is one too, and a browser among them stops the machine.
    """
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def footage(
    seconds: float = 4.0, width: int = 320, height: int = 240, seed: int = 0, rate: int = 25
) -> Iterator[NDArray[np.uint8]]:
    """A view that moves over a drawing, (height, width, 3) each: every second shows another part.

    Every `seed` is another drawing.
    """
    drawing = np.block(
        [
            [[smooth_noise(width, height, 6 * seed + 3 * row + n)] for n in range(3)]
            for row in (0, 1)
        ]
    )
    count = round(seconds * rate)
    for number in range(count):
        part = number / max(1, count - 1)
        top, left = round(part * height), round(2 * part * width)
        yield drawing[top : top + height, left : left + width]


def shots(
    count: int = 4, seconds: float = 1.0, width: int = 320, height: int = 240, rate: int = 25
) -> Iterator[NDArray[np.uint8]]:
    """`count` drawings, each of them still for so many seconds."""
    for seed in range(count):
        drawing = smooth_noise(width, height, 1000 + seed)
        for _ in range(round(seconds * rate)):
            yield drawing


def video(
    frames: Iterable[NDArray[Any]],
    container: str = "mp4",
    codec: str = "libx264",
    *,
    rate: int = 25,
    pixels: str = "yuv420p",
    source: str = "rgb24",
    times: Sequence[int | None] | None = None,
    turned: int = 0,
    shape: Fraction | None = None,
    codec_options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> bytes:
    """Encodes frames; `times` are their time stamps in milliseconds, by default those of `rate`.

    `turned` is how many degrees counter-clockwise players are told to turn the frames; `shape`
    that of a pixel, width over height.
    """
    with tempfile.NamedTemporaryFile() as kept, scheduled_as_before():
        # Not into memory: an index is moved to the front by opening the file once more.
        options = container_options or {}
        with av.open(kept.name, "w", format=container, options=options) as file:
            stream: Any = None
            for number, frame in enumerate(frames):
                if stream is None:
                    stream = file.add_stream(codec, rate=rate)
                    stream.height, stream.width = frame.shape[:2]
                    stream.pix_fmt = pixels
                    stream.options = FAST.get(codec, {}) | (codec_options or {})
                    if shape is not None:
                        stream.codec_context.sample_aspect_ratio = shape
                    if turned:
                        stream.set_display_rotation(turned)
                    if times is not None:
                        stream.codec_context.time_base = Fraction(1, TICKS)
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), source)
                if times is not None:
                    picture.pts, picture.time_base = times[number], Fraction(1, TICKS)
                file.mux(stream.encode(picture))
            if stream is not None:
                file.mux(stream.encode())
        return Path(kept.name).read_bytes()


def several(
    streams: Sequence[Iterable[NDArray[np.uint8]]], container: str = "matroska", rate: int = 25
) -> bytes:
    """One file with a video stream for each of `streams`, in H.264."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        held = [list(frames) for frames in streams]
        tracks: list[Any] = []
        for frames in held:
            track: Any = file.add_stream("libx264", rate=rate)
            track.height, track.width = frames[0].shape[:2]
            track.pix_fmt = "yuv420p"
            tracks.append(track)
        for track, frames in zip(tracks, held, strict=True):
            for frame in frames:
                file.mux(track.encode(av.VideoFrame.from_ndarray(frame.copy(), "rgb24")))
            file.mux(track.encode())
    return out.getvalue()


def sound(
    container: str = "mp4", codec: str = "aac", cover: NDArray[np.uint8] | None = None
) -> bytes:
    """A second of a plain tone and no video, with an attached cover picture where one is given."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        track: Any = file.add_stream(codec, rate=44100)
        art: Any = _cover(file, cover) if cover is not None else None
        _mux_sound(file, track)
        if art is not None:
            _mux_cover(file, art, cover)
    return out.getvalue()


def with_cover(frames: Iterable[NDArray[np.uint8]], cover: NDArray[np.uint8]) -> bytes:
    """An MP4 with an attached cover picture beside the video, the cover first."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        art = _cover(file, cover)
        held = list(frames)
        track: Any = file.add_stream("libx264", rate=25)
        track.height, track.width = held[0].shape[:2]
        track.pix_fmt = "yuv420p"
        _mux_cover(file, art, cover)
        for frame in held:
            file.mux(track.encode(av.VideoFrame.from_ndarray(frame.copy(), "rgb24")))
        file.mux(track.encode())
    return out.getvalue()


def _cover(file: Any, cover: Any) -> Any:
    from av.stream import Disposition

    art = file.add_stream("mjpeg", rate=1)
    art.height, art.width = cover.shape[:2]
    art.pix_fmt = "yuvj420p"
    art.disposition = Disposition.attached_pic
    return art


def _mux_cover(file: Any, art: Any, cover: Any) -> None:
    file.mux(art.encode(av.VideoFrame.from_ndarray(cover.copy(), "rgb24")))
    file.mux(art.encode())


def _mux_sound(file: Any, track: Any) -> None:
    wave = np.sin(np.arange(44100) * 0.05).astype(np.float32)[None]
    tone = av.AudioFrame.from_ndarray(wave, "fltp", "mono")
    tone.sample_rate = 44100
    resampled = av.AudioResampler(track.format.name, track.layout.name, 44100)
    for piece in resampled.resample(tone):
        file.mux(track.encode(piece))
    file.mux(track.encode())


def boxes(data: bytes, *path: bytes) -> Iterator[tuple[int, int]]:
    """Where the MP4 boxes of this path are: begin of their content, end."""
    yield from _boxes(data, 0, len(data), path)


def _boxes(data: bytes, at: int, end: int, path: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    while at + 8 <= end:
        size = struct.unpack(">I", data[at : at + 4])[0]
        if size < 8:
            return
        if data[at + 4 : at + 8] == path[0]:
            if len(path) == 1:
                yield at + 8, at + size
            else:
                yield from _boxes(data, at + 8, at + size, path[1:])
        at += size


def with_duration(mp4: bytes, seconds: int) -> bytes:
    """The same MP4, which says everywhere in its headers that it is this long."""
    lying = bytearray(mp4)
    for path, scale_at in ((b"moov.mvhd", 12), (b"moov.trak.mdia.mdhd", 12)):
        for at, _ in boxes(mp4, *path.split(b".")):
            scale = struct.unpack(">I", mp4[at + scale_at : at + scale_at + 4])[0]
            lying[at + scale_at + 4 : at + scale_at + 8] = struct.pack(">I", seconds * scale)
    return bytes(lying)


def with_samples(mp4: bytes, count: int) -> bytes:
    """The same MP4, whose tables say that there are `count` samples of one size, in one chunk."""
    lying = bytearray(mp4)
    table = b"moov.trak.mdia.minf.stbl".split(b".")
    for at, _ in boxes(mp4, *table, b"stsz"):
        lying[at + 4 : at + 12] = struct.pack(">II", 16, count)
    for at, _ in boxes(mp4, *table, b"stts"):
        lying[at + 8 : at + 12] = struct.pack(">I", count)
    for at, _ in boxes(mp4, *table, b"stsc"):
        lying[at + 12 : at + 16] = struct.pack(">I", count)
    return bytes(lying)


def playlist() -> bytes:
    """A playlist that names another file: nothing may follow it."""
    return b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"


def concatenation() -> bytes:
    """FFmpeg's own kind of playlist."""
    return b"ffconcat version 1.0\nfile /etc/hostname\n"
