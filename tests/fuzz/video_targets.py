"""Videos to damage, one for each demultiplexer and usual decoder, and what must hold of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from egide.errors import ItemError
from egide.item import Item
from egide.media.picture import Limits
from egide.media.video import Sampling, video_prints
from tests import videos

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = Limits(video_seconds=2, video_pixels=4_000_000, video_frames=50)


def _video(container: str, codec: str, **options: str) -> Callable[[], bytes]:
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    return lambda: videos.video(
        videos.footage(0.6, 96, 64), container, codec, pixels=pixels, container_options=options
    )


VIDEO_TARGETS: dict[str, Callable[[], bytes]] = {
    "mp4-h264": _video("mp4", "libx264"),
    "mp4-h264-first": _video("mp4", "libx264", movflags="faststart"),
    "mp4-h264-fragments": _video("mp4", "libx264", movflags="frag_keyframe+empty_moov"),
    "mov-hevc": _video("mov", "libx265"),
    "mp4-av1": lambda: videos.video(
        videos.footage(0.2, 96, 64), codec="libsvtav1", codec_options={"preset": "13"}
    ),
    "matroska-h264": _video("matroska", "libx264"),
    "webm-vp9": _video("webm", "libvpx-vp9"),
    "webm-vp8": _video("webm", "libvpx"),
    "avi-mpeg4": _video("avi", "mpeg4"),
    "avi-mjpeg": _video("avi", "mjpeg"),
    "mpegts-h264": _video("mpegts", "libx264"),
    "mpeg-mpeg2": _video("vob", "mpeg2video"),
    "flv": _video("flv", "flv"),
    "asf-wmv": _video("asf", "wmv2"),
    "matroska-two": lambda: videos.several(
        [videos.footage(0.4, 96, 64), videos.footage(0.4, 64, 96, seed=1)]
    ),
}


def check_video(data: bytes) -> None:
    """Reads hostile bytes; AssertionError when the promise of `video_prints` is broken."""
    began = time.thread_time()
    for sampling in Sampling:
        try:
            found = video_prints(Item.from_bytes(data), LIMITS, sampling)
        except ItemError as error:
            problems: tuple[ItemError, ...] = (error,)
        else:
            problems = found.problems
            assert len(found.frames) <= LIMITS.video_frames
            assert all(frame.at >= 0 and frame.span >= 0 for frame in found.frames)
            assert all(frame.at + frame.span <= found.duration for frame in found.frames)
        for problem in problems:
            assert str(problem).isprintable()
            assert " at 0x" not in str(problem)
    assert time.thread_time() - began < 2 * (LIMITS.video_seconds + 3)
