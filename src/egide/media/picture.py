"""What decoding takes and gives: limits in, a picture of frames out."""

from __future__ import annotations

import hashlib
import math
import os
import time
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from egide.errors import (
    CorruptItem,
    ItemError,
    TooManyFrames,
    TooManyPixels,
    TooMuchTime,
    UsageError,
)
from egide.media.exif import upright

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from egide.sniff import Format

_COLOUR_PIXELS = 4_000_000
_LEAST_FRAME = 16384


@dataclass(frozen=True)
class Limits:
    """How much one item may cost before it is given up, each limit with its own error.

    Attributes:
        bytes: size of the file; over it, TooManyBytes.
        pixels: width times height of a picture, and of all its frames together; over it,
            TooManyPixels or, once a frame was read, TooManyFrames. Formats that must be held in
            memory whole, which is all but JPEG, also stop at PIL.Image.MAX_IMAGE_PIXELS.
        frames: distinct frames kept of an animation or of a multi-page file; TooManyFrames.
        seconds: time for the whole item, looked at between steps; TooMuchTime.
        scans: passes of a progressive JPEG (cameras and editors write about ten); TooManyScans.
        video_bytes: size of a video, which is never in memory whole; TooManyBytes.
        video_pixels: width times height of a video's frame, some twenty of which a decoder holds;
            the default is 8K. TooManyPixels.
        video_frames: frames kept of a video, that is those that look different; TooManyFrames.
        video_streams: video streams read of a file; TooManyStreams.
        video_length: seconds of video read of a stream; TooLong.
        video_seconds: processor time for a whole video; TooMuchTime.
    """

    bytes: int = 128 * 1024 * 1024
    pixels: int = 200_000_000
    frames: int = 256
    seconds: float = 10.0
    scans: int = 100
    video_bytes: int = 8 * 1024 * 1024 * 1024
    video_pixels: int = 36_000_000
    video_frames: int = 50_000
    video_streams: int = 4
    video_length: int = 12 * 60 * 60
    video_seconds: float = 900.0

    @classmethod
    def from_environment(cls) -> Limits:
        """Take the defaults, changed by EGIDE_MAX_BYTES, EGIDE_MAX_PIXELS and so on.

        Raises UsageError, naming the variable, for a value that is not a number above 0.
        """
        values: dict[str, int | float] = {}
        for field in fields(cls):
            variable = f"EGIDE_MAX_{field.name.upper()}"
            text = os.environ.get(variable)
            if text is None or not text.strip():
                continue
            kind = float if isinstance(field.default, float) else int
            try:
                value = kind(text)
            except ValueError:
                value = 0
            if not (value > 0 and math.isfinite(value)):
                wanted = "a number" if kind is float else "a whole number"
                raise UsageError(f"{variable}={text!r} must be {wanted} above 0")
            values[field.name] = value
        return cls(**values)  # type: ignore[arg-type]  # each has its field's kind


class Least(NamedTuple):
    """How many pixels reduced decoding must leave on the shorter and on the longer side."""

    short: int = 256
    long: int = 0


@dataclass(frozen=True, eq=False)
class Frame:
    """One still picture, upright.

    Attributes:
        pixels: uint8, C-contiguous, (h, w) luma or (h, w, 3) RGB; transparency is over white.
        width, height: the whole picture's, in pixels, after orientation and before any reduced
            decoding: `pixels` may be 2, 4 or 8 times smaller.
        index: which frame or page of the file it is, from 0.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    index: int = 0

    @cached_property
    def luma(self) -> NDArray[np.uint8]:
        """The (h, w) uint8 luma, ITU-R BT.601 weights, rounded as Pillow does."""
        if self.pixels.ndim == 2:
            return self.pixels
        weights = np.array([19595, 38470, 7471], np.uint32)
        rows = max(1, (1 << 18) // max(1, self.pixels.shape[1]))
        luma = np.empty(self.pixels.shape[:2], np.uint8)
        for top in range(0, len(luma), rows):  # in strips: no copy of the whole at 4 bytes a pixel
            luma[top : top + rows] = (self.pixels[top : top + rows] @ weights + 0x8000) >> 16
        return luma


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded file.

    Attributes:
        format: what the bytes are.
        frames: at least one, in the file's order, no two with the same pixels.
        problems: what could not be read, one line each; empty for a sound file.
        notes: what was left out on purpose, e.g. the video of a motion photo.
    """

    format: Format
    frames: tuple[Frame, ...]
    problems: tuple[ItemError, ...] = ()
    notes: tuple[str, ...] = ()


class Gathering:
    """Collects the frames of one file and keeps its limits.

    Frames stay in colour while they hold 4 million pixels together; beyond that they are kept as
    luma, which is all a fingerprint needs, at a third of the memory. With `colour` all of them do,
    of a JPEG too: somebody is going to look at them.
    """

    def __init__(self, limits: Limits, *, colour: bool = False) -> None:
        self.limits = limits
        self.colour = colour
        self.frames: list[Frame] = []
        self.problems: list[ItemError] = []
        self.notes: list[str] = []
        self.scan = 0  # where the first scan of a JPEG begins, once its header was read
        self._until = time.monotonic() + limits.seconds
        self._spent = 0
        self._colour_left = _COLOUR_PIXELS
        self._seen: set[bytes] = set()

    def check_time(self) -> None:
        """Raise TooMuchTime when the item's time is up."""
        if time.monotonic() > self._until:
            raise TooMuchTime(
                f"gave up after {self.limits.seconds:g} s with {len(self.frames)} frames read; "
                "EGIDE_MAX_SECONDS allows more"
            )

    def claim(self, width: int, height: int, most: int | None = None) -> None:
        """Ask leave to decode one more frame of this size.

        `most` is what the decoder can have in memory at once, when that is less than the limit.

        Raises TooManyPixels when the frame alone is over the limit, TooManyFrames when all
        frames so far are, TooMuchTime when the time is up.
        """
        self.check_time()
        if width * height > self.limits.pixels:
            raise TooManyPixels(
                f"{width}×{height} is over {self.limits.pixels} pixels; "
                "EGIDE_MAX_PIXELS allows more"
            )
        if most and width * height > most:
            raise TooManyPixels(
                f"{width}×{height} is over the {most} pixels that are held in memory at once; "
                "send it as JPEG or smaller"
            )
        # Even the smallest frame costs something: 100,000 of one pixel each must end too.
        self._spent += max(width * height, _LEAST_FRAME)
        if self._spent > self.limits.pixels and self.frames:
            raise TooManyFrames(
                f"its frames have more than {self.limits.pixels} pixels together; "
                f"{len(self.frames)} were read, EGIDE_MAX_PIXELS allows more"
            )

    def colour_fits(self, width: int, height: int) -> bool:
        """Tell whether a frame of this size will be kept in colour."""
        return self.colour or width * height <= self._colour_left

    def add(
        self,
        pixels: NDArray[np.uint8],
        index: int,
        orientation: int = 1,
        size: tuple[int, int] | None = None,
        *,
        alone: bool = False,
    ) -> None:
        """Keep a frame unless one with the same pixels is there already.

        `size` is (width, height) before reduced decoding and before `orientation`; by default
        that of `pixels`. `alone` promises that no other frame comes. Raises TooManyFrames when
        limits.frames distinct ones are kept already.
        """
        pixels = upright(pixels, orientation)
        width, height = size or pixels.shape[1::-1]
        if size and orientation >= 5:
            width, height = height, width
        frame = Frame(pixels, width, height, index)
        if not alone:
            digest = hashlib.blake2b(np.array(pixels.shape).tobytes())
            digest.update(pixels.data)
            if digest.digest() in self._seen:
                return
            self._seen.add(digest.digest())
        if len(self.frames) >= self.limits.frames:
            raise TooManyFrames(
                f"it has more than {self.limits.frames} different frames; the first "
                f"{self.limits.frames} were read, EGIDE_MAX_FRAMES allows more"
            )
        if pixels.ndim == 3:
            if self.colour_fits(pixels.shape[1], pixels.shape[0]):
                self._colour_left -= pixels.shape[0] * pixels.shape[1]
            else:
                frame = Frame(frame.luma, width, height, index)
        self.frames.append(frame)

    def finish(self, format_: Format) -> Picture:
        """Give the picture; raises the first problem when there is no frame."""
        if not self.frames:
            raise (
                self.problems[0]
                if self.problems
                else CorruptItem(f"{format_.name}: there is no picture in it")
            )
        return Picture(format_, tuple(self.frames), tuple(self.problems), tuple(self.notes))
