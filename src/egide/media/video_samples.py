"""Video to frames worth comparing: sampled by time and by change, at a bounded cost.

Two ways to sample. `dense` decodes every frame and is for what is banked, once: what moves is
banked frame by frame, what stands still once. `sparse` is for what is screened, every time: it
decodes every key frame, and as much of what follows each as a budget of decoded pixels per second
of video allows; a small video is decoded whole, of a large one the key frames, which encoders put
where the picture changes, and the beginning of what follows. Both ways are a function of the bytes
alone. Frames are brought to one size by one path on both: another one moves hashes by 8 to 18 bits.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from egide.errors import CorruptItem, ItemError, TooLong, TooManyPixels, TruncatedItem
from egide.media.video_open import BoundedFile, opened, reason_of

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from egide.media.picture import Limits

LONGEST_SIDE: Final = 640
"""Frames are brought to this, in pixels, before hashing: PDQ of one picture differs by its size."""

SAMPLE_SECONDS: Final = 0.5
"""How far samples are apart at most, where all is decoded."""

LEAST_SECONDS: Final = 0.1
"""How far samples are apart at least when screening. What is banked has no such limit: in fast
motion a copy's frame is 40 ms from the nearest banked one, or is not found."""

CHANGE: Final = 12.0
DENSE_CHANGE: Final = 4.0
"""Mean difference of luma, of 255, between coarse thumbnails that counts as another picture."""

KEY_SECONDS: Final = 5.0
LEAST_KEY_SECONDS: Final = 1.0
"""How far key samples are apart, within one shot and always."""

PIXELS_PER_SECOND: Final = 10_000_000
PIXELS_AT_ONCE: Final = 80_000_000
"""What `sparse` decodes: so many pixels for each second of video, saved up to so many."""

_FRAME_PIXELS: Final = 60_000
"""What a frame costs beside its pixels, in pixels: a million tiny ones cost too."""

_LONGEST_STEP: Final = 600.0
"""Seconds between two frames beyond which the time stamps are held to be wrong."""

_USUAL_STEP: Final = 1 / 25

_THUMBNAIL: Final = 16
"""Rows and columns of luma that are compared to see whether the picture has changed."""


class Sampling(StrEnum):
    """How closely a video is looked at."""

    DENSE = "dense"
    SPARSE = "sparse"


@dataclass(frozen=True, eq=False)
class Sample:
    """One frame worth comparing.

    Attributes:
        luma: (h, w) uint8, upright, its longer side `LONGEST_SIDE`.
        at: when it is shown, in milliseconds from the stream's first frame.
        key: whether it is worth local features: the first of a shot, or 5 s after the last such.
        stream: which video stream it is of, from 0.
        colour: (h, w, 3) uint8, upright, its longer side as it was asked for; None when it was not.
    """

    luma: NDArray[np.uint8]
    at: int
    key: bool
    stream: int = 0
    colour: NDArray[np.uint8] | None = None


@dataclass
class VideoFacts:
    """What is learnt of a video while it is read; complete after the last sample.

    `durations` are the milliseconds that were really read of each stream, whatever headers say.
    """

    problems: list[ItemError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)


def samples(
    source: BinaryIO,
    size: int,
    limits: Limits,
    sampling: Sampling,
    facts: VideoFacts,
    *,
    colour_side: int | None = None,
) -> Generator[Sample]:
    """The frames worth comparing of the video in the `size` bytes of `source`; streaming.

    Each stream's come in order; those of several streams as they lie in the file. What could not
    be read is in `facts.problems`, and what came before it stays. With `colour_side` they come in
    colour too, with this longer side in pixels, not enlarged. Raises ItemError when nothing can be
    opened.
    """
    with opened(source, size, limits, facts.problems, facts.notes) as (container, streams, file):
        tracks = {
            stream.index: _Track(stream, number, limits, sampling, facts, colour_side)
            for number, stream in enumerate(streams)
        }
        facts.durations[:] = [0] * len(tracks)
        try:
            for packet in container.demux(tuple(streams)) if streams else ():
                if file.out_of_time():
                    break
                yield from tracks[packet.stream_index].samples(packet, file)
        except ItemError as error:
            facts.problems.append(error)
        except Exception as error:  # noqa: BLE001  decoders raise anything, and a scan must go on
            _add_once(facts, TruncatedItem(_told(error, max(facts.durations, default=0))))
        if file.problem is not None:
            facts.problems.append(file.problem)
        for track in tracks.values():
            track.finish()
        if tracks and not facts.problems and not any(t.clock.now >= 0 for t in tracks.values()):
            facts.problems.append(CorruptItem("video: not one frame of it can be decoded"))


def _told(error: BaseException, milliseconds: int) -> str:
    return f"video: {reason_of(error)} after {milliseconds / 1000:.1f} s; the frames read were used"


def _add_once(facts: VideoFacts, problem: ItemError) -> None:
    """Adds `problem` unless it was told already, or follows from what was."""
    if not any(isinstance(known, TruncatedItem | type(problem)) for known in facts.problems):
        facts.problems.append(problem)


class _Clock:
    """Seconds since the first frame, however wrong the time stamps are: it never stands or jumps.

    A stamp that is missing, goes back or leaps counts as the stream's usual step.
    """

    def __init__(self, step: float) -> None:
        self.usual = step
        self.now = -1.0
        self.wrong = 0
        self._stamp: float | None = None

    def tick(self, stamp: float | None) -> float:
        """The time of the next frame, which is stamped so."""
        if self.now < 0:
            self.now = 0.0
        elif stamp is None or self._stamp is None:
            self.now += self.usual
        else:
            step = stamp - self._stamp
            plausible = 0 < step <= _LONGEST_STEP
            self.wrong += not plausible
            self.now += step if plausible else self.usual
        self._stamp = stamp
        return self.now


class _Track:
    """Decodes the packets of one video stream and keeps the frames worth comparing."""

    def __init__(
        self,
        stream: VideoStream,
        number: int,
        limits: Limits,
        sampling: Sampling,
        facts: VideoFacts,
        colour_side: int | None = None,
    ) -> None:
        from av.video.reformatter import VideoReformatter  # noqa: PLC0415  only for videos

        self.stream = stream
        self.number = number
        self.limits = limits
        self.facts = facts
        self.colour_side = colour_side
        self.dense = sampling is Sampling.DENSE
        self.unit = float(stream.time_base or _USUAL_STEP)
        self.clock = _Clock(_usual_step(stream))
        self.saved = float(PIXELS_AT_ONCE)
        self.decoding = True
        self.packets = _Clock(self.clock.usual)
        self.reformatter = VideoReformatter()
        self.last_at = self.last_key = -KEY_SECONDS
        self.last_thumbnail: NDArray[np.int16] | None = None
        context = stream.codec_context
        context.thread_count = 1  # a scan already uses every core
        context.options = {"skip_loop_filter": "all", "max_pixels": str(limits.video_pixels)}
        if not self.dense:
            # Not all that come in both directions: others may be predicted from them.
            context.skip_frame = "NONREF"

    def samples(self, packet: Packet[VideoStream], file: BoundedFile) -> Iterator[Sample]:
        """The samples among the frames that `packet` completes. Raises TooLong past the limit."""
        for frame in self._frames(packet):
            at = self.clock.tick(self._seconds(frame.pts))
            if at > self.limits.video_length:
                raise TooLong(
                    f"only its first {self.limits.video_length:,} s were read; "
                    "EGIDE_MAX_VIDEO_LENGTH allows more"
                )
            self._has_read(at)
            sample = self._sampled(frame, at)
            if sample is not None:
                yield sample
            if file.out_of_time():
                return

    def finish(self) -> None:
        """Notes what was odd about the stream as a whole."""
        if self.clock.wrong:
            self.facts.notes.append(
                f"{self.clock.wrong:,} time stamps stand still, go back or leap; times are a guess"
            )
        announced = _announced(self.stream)
        read = self.facts.durations[self.number] / 1000
        if announced and abs(announced - read) > max(2.0, 0.1 * read) and not self.facts.problems:
            self.facts.notes.append(f"it announces {announced:,.1f} s, {read:,.1f} s were there")

    def _frames(self, packet: Packet[VideoStream]) -> Iterator[VideoFrame]:
        """Frames of `packet`: all of them, or as many after each key frame as the budget allows."""
        if not packet.size:  # the end: what the decoder still holds
            yield from self._decoded(packet)
            return
        before = self.packets.now
        stamp = packet.dts if packet.dts is not None else packet.pts
        earned = self.packets.tick(self._seconds(stamp)) - max(0.0, before)
        self.saved = min(PIXELS_AT_ONCE, self.saved + earned * PIXELS_PER_SECOND)
        self._has_read(self.packets.now)
        if packet.is_keyframe:
            # Where every frame is a key frame, as in intra-only formats, not all are wanted.
            self.decoding = self.dense or self.saved > 0 or self._due()
        elif self.decoding and not self.dense and self.saved <= 0:
            self.decoding = False
            yield from self._drained()
        if self.decoding:
            yield from self._decoded(packet)

    def _has_read(self, at: float) -> None:
        durations = self.facts.durations
        durations[self.number] = max(durations[self.number], round(1000 * (at + self.clock.usual)))

    def _decoded(self, packet: Packet[VideoStream] | None) -> Iterator[VideoFrame]:
        """The frames that `packet` completes; a damaged one costs itself and is told once."""
        import av  # noqa: PLC0415  heavy, and only for videos

        try:
            frames = self.stream.codec_context.decode(packet)
        except av.EOFError:
            return
        except av.FFmpegError as error:
            at = self.facts.durations[self.number]
            _add_once(self.facts, CorruptItem(_told(error, at)))
            return
        for frame in frames:
            pixels = frame.width * frame.height
            if pixels > self.limits.video_pixels:
                raise TooManyPixels(
                    f"a frame of {frame.width}×{frame.height} is over "
                    f"{self.limits.video_pixels:,} pixels; EGIDE_MAX_VIDEO_PIXELS allows more"
                )
            self.saved -= max(pixels, _FRAME_PIXELS)
            yield frame

    def _drained(self) -> Iterator[VideoFrame]:
        """The frames that the decoder has put back; it starts afresh with the next key frame."""
        yield from self._decoded(None)
        self.stream.codec_context.flush_buffers()

    def _seconds(self, stamp: int | None) -> float | None:
        """`stamp` in seconds; frames that come out of the decoder late do not know their unit."""
        return None if stamp is None else stamp * self.unit

    def _due(self) -> bool:
        return self.packets.now - self.last_at >= SAMPLE_SECONDS

    def _sampled(self, frame: VideoFrame, at: float) -> Sample | None:
        """`frame` as a sample if it is far enough from the last one in time, or looks different."""
        since = at - self.last_at
        if since < (0.0 if self.dense else LEAST_SECONDS):
            return None
        luma = self._reduced(frame, LONGEST_SIDE, "gray")
        thumbnail = _thumbnail(luma)
        change = _change(self.last_thumbnail, thumbnail)
        if since < SAMPLE_SECONDS and change <= (DENSE_CHANGE if self.dense else CHANGE):
            return None
        changed = change > CHANGE
        key = at - self.last_key >= (LEAST_KEY_SECONDS if changed else KEY_SECONDS)
        self.last_at, self.last_thumbnail = at, thumbnail
        if key:
            self.last_key = at
        colour = None
        if self.colour_side is not None:
            side = min(self.colour_side, max(frame.width, frame.height))
            colour = self._reduced(frame, side, "rgb24")
        return Sample(luma, round(1000 * at), key, self.number, colour)

    def _reduced(self, frame: VideoFrame, side: int, format_: str) -> NDArray[np.uint8]:
        """The upright pixels of `frame`, which are square, its longer side `side`."""
        width = frame.width * _pixel_shape(self.stream)
        scale = side / max(width, frame.height)
        reduced = self.reformatter.reformat(
            frame,
            width=max(1, round(width * scale)),
            height=max(1, round(frame.height * scale)),
            format=format_,
            interpolation="AREA",
            threads=1,
        )
        pixels = reduced.to_ndarray().astype(np.uint8, copy=False)
        turns = round(frame.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(pixels, turns))


def _thumbnail(luma: NDArray[np.uint8]) -> NDArray[np.int16]:
    height, width = luma.shape
    down, across = max(1, height // _THUMBNAIL), max(1, width // _THUMBNAIL)
    return luma[down // 2 :: down, across // 2 :: across].astype(np.int16)


def _change(before: NDArray[np.int16] | None, now: NDArray[np.int16]) -> float:
    """The mean difference of two thumbnails, 0..255; 255 when they cannot be compared."""
    if before is None or before.shape != now.shape:
        return 255.0
    return float(np.abs(now - before).mean())


def _usual_step(stream: VideoStream) -> float:
    rate = stream.average_rate
    return 1 / float(rate) if rate and 1 / 10 <= rate <= 1000 else _USUAL_STEP


def _announced(stream: VideoStream) -> float:
    """The seconds that the header gives `stream`; what was read when it gives none."""
    if stream.duration is None or stream.time_base is None:
        return 0.0
    return float(stream.duration * stream.time_base)


def _pixel_shape(stream: VideoStream) -> float:
    """Width of a pixel over its height; 1 where the file says nothing that could be."""
    ratio = float(stream.sample_aspect_ratio or 1)
    return ratio if 1 / 4 <= ratio <= 4 else 1.0
