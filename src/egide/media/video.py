"""From a video to its fingerprints: those of the frames worth comparing, with their times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from egide import _kernel
from egide.errors import ItemError, TooManyBytes, TooManyFrames
from egide.fingerprint import MIN_QUALITY, Fingerprint, FingerprintType
from egide.item import Item
from egide.media.fingerprint import FramePrints, Pdq, frame_prints, usable_of
from egide.media.picture import Frame, Limits
from egide.media.video_samples import Sample, Sampling, VideoFacts, samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Sampling", "VideoFrame", "VideoPrints", "video_fingerprints", "video_prints"]

SAME_BITS: Final = 8
"""Two neighbouring frames whose PDQ differ by at most so many bits, of 256, are one picture."""

PLAIN_SPREAD: Final = 6.0
"""Standard deviation of luma, of 255, under which a frame of poor quality shows nothing."""


MOST_LOCAL: Final = 512
"""Key frames of a stream that have local features, 125 kB each while they are looked up. Of a film
with more, every second, then every fourth: those kept are spread evenly over it."""


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """What is computed of one frame that was kept.

    Attributes:
        at: when it is shown, in milliseconds from the stream's first frame.
        span: how long it stands for what is shown, in milliseconds: up to the next frame that
            looks different, or to the end.
        whole: its PDQ as it is.
        trimmed: its PDQ without its uniform borders, when it has any.
        local: its local features, when it is a key frame and they were asked for.
        stream: which video stream it is of, from 0.
    """

    at: int
    span: int
    whole: Pdq
    trimmed: Pdq | None
    local: _kernel.LocalFeatures | None = None
    stream: int = 0

    @property
    def usable(self) -> tuple[Pdq, ...]:
        """Those hashes that are of good enough quality."""
        return usable_of(self.whole, self.trimmed)


@dataclass(frozen=True, slots=True)
class VideoPrints:
    """What is computed of a video.

    Attributes:
        frames: those kept, in order of stream and time.
        duration: milliseconds of video really read, of the longest stream; not the header's.
        problems: what could not be read.
        notes: what was left out on purpose, or is odd.
        plain: how many frames of one colour were dropped.
        repeated: how many frames were dropped because the one before them looks the same.
    """

    frames: tuple[VideoFrame, ...]
    duration: int
    problems: tuple[ItemError, ...] = ()
    notes: tuple[str, ...] = ()
    plain: int = 0
    repeated: int = 0


def video_prints(
    item: Item, limits: Limits, sampling: Sampling, *, with_local: bool = False
) -> VideoPrints:
    """The fingerprints of the video in `item`, computed once and shared by all who ask.

    Frames are hashed as they are decoded and never held: memory does not grow with the length but
    for the fingerprints. What was readable of a broken file is there, with its problems. Raises
    ItemError when nothing could be opened.
    """
    return item.view(_Printing(limits, sampling, with_local))


def video_fingerprints(item: Item, limits: Limits, *, local: bool) -> Iterator[Fingerprint]:
    """What a bank keeps of the video in `item`: the usable PDQ of its frames, with their times.

    It is sampled densely. With `local` there are the local fingerprints of key frames too. Raises
    ItemError when it cannot be read, or can be read only in part: half a video is not banked.
    """
    prints = video_prints(item, limits, Sampling.DENSE, with_local=local)
    if prints.problems:
        raise prints.problems[0]
    for frame in prints.frames:
        found = [pdq.fingerprint() for pdq in frame.usable]
        if frame.local is not None and (record := frame.local.record()):
            found.append(Fingerprint(FingerprintType.LOCAL, record))
        yield from (replace(one, at=frame.at, span=frame.span) for one in found)


@dataclass(frozen=True)
class _Printing:
    """Computes the prints; a value, so that equal wishes share one view of the item."""

    limits: Limits
    sampling: Sampling
    with_local: bool

    def __call__(self, item: Item) -> VideoPrints:
        if item.size > self.limits.video_bytes:
            raise TooManyBytes(
                f"{item.size:,} bytes, the limit is {self.limits.video_bytes:,}; "
                "raise EGIDE_MAX_VIDEO_BYTES to read it"
            )
        facts = VideoFacts()
        reels: dict[int, _Reel] = {}
        with (
            item.opened() as source,
            closing(samples(source, item.size, self.limits, self.sampling, facts)) as found,
        ):
            for sample in found:
                reel = reels.setdefault(sample.stream, _Reel(with_local=self.with_local))
                reel.add(sample)
                if sum(reel.kept for reel in reels.values()) > self.limits.video_frames:
                    reel.forget()
                    facts.problems.append(_too_many(self.limits, sample))
                    break
        for stream, reel in reels.items():
            reel.end(facts.durations[stream])
        if facts.durations and not facts.problems and not any(r.frames for r in reels.values()):
            facts.notes.append("no frame of it shows anything that could be compared")
        return VideoPrints(
            tuple(frame for _, reel in sorted(reels.items()) for frame in reel.frames),
            max(facts.durations, default=0),
            tuple(facts.problems),
            tuple(facts.notes),
            sum(reel.plain for reel in reels.values()),
            sum(reel.repeated for reel in reels.values()),
        )


def _too_many(limits: Limits, sample: Sample) -> TooManyFrames:
    return TooManyFrames(
        f"over {limits.video_frames:,} different frames, those of the first "
        f"{sample.at / 1000:.0f} s were read; EGIDE_MAX_VIDEO_FRAMES allows more"
    )


@dataclass
class _Open:
    """The last frame kept, whose span ends when something else is seen."""

    at: int
    stream: int
    prints: FramePrints
    local: _kernel.LocalFeatures | None

    def frame(self, until: int) -> VideoFrame:
        """The frame, now that it is known until when it stands."""
        whole, trimmed = self.prints.whole, self.prints.trimmed
        span = max(0, until - self.at)
        return VideoFrame(self.at, span, whole, trimmed, self.local, self.stream)


class _Reel:
    """The kept frames of one stream, as its samples come in."""

    def __init__(self, *, with_local: bool) -> None:
        self.frames: list[VideoFrame] = []
        self.plain = 0
        self.repeated = 0
        self._with_local = with_local
        self._last: _Open | None = None
        self._keys = 0
        self._step = 1

    @property
    def kept(self) -> int:
        """How many frames there are, with the one that is still open."""
        return len(self.frames) + (self._last is not None)

    def add(self, sample: Sample) -> None:
        """Keeps `sample` unless there is nothing on it, or nothing new."""
        height, width = sample.luma.shape
        prints = frame_prints(Frame(sample.luma, width, height))
        if prints.whole.quality < MIN_QUALITY and _is_plain(sample.luma):
            self.plain += 1
            self.end(sample.at)
            return
        repeats = self._last is not None and _distance(self._last.prints, prints) <= SAME_BITS
        if repeats:
            self.repeated += 1
        else:
            self.end(sample.at)
            self._last = _Open(sample.at, sample.stream, prints, None)
        if self._with_local and sample.key and self._last and self._last.local is None:
            if self._keys % self._step == 0:
                self._last.local = _kernel.LocalFeatures(sample.luma)
            self._keys += 1
            if self._keys > MOST_LOCAL * self._step:
                self._thin()

    def _thin(self) -> None:
        """Lets go the local features of every second frame that has them."""
        self._step *= 2
        held = [n for n, frame in enumerate(self.frames) if frame.local is not None]
        for number in held[1::2]:
            self.frames[number] = replace(self.frames[number], local=None)

    def end(self, until: int) -> None:
        """Lets the open frame stand until then, in milliseconds."""
        if self._last is not None:
            self.frames.append(self._last.frame(until))
            self._last = None

    def forget(self) -> None:
        """Drops the open frame."""
        self._last = None


def _is_plain(luma: NDArray[np.uint8]) -> bool:
    return float(luma[::2, ::2].std()) < PLAIN_SPREAD


def _distance(one: FramePrints, other: FramePrints) -> int:
    return int(np.bitwise_count(one.whole.hashes[0] ^ other.whole.hashes[0]).sum())
