"""From a picture to its fingerprints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from egide import _kernel
from egide.errors import ItemError
from egide.fingerprint import EDIT_BORDER, EDIT_NONE, MIN_QUALITY, Fingerprint, FingerprintType
from egide.item import Item
from egide.media.decode import decode
from egide.media.picture import Frame, Limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ORIENTATIONS: Final[tuple[str, ...]] = _kernel.PDQ_ORIENTATIONS
"""The eight ways to lay a picture, in the order in which the kernel gives their hashes."""

LEAST_SIDE: Final = 32
"""A picture trimmed to less than this many pixels a side is a line or a logo, not a copy."""


class Pdq(NamedTuple):
    """The PDQ of one view of a frame: (8, 32) hashes, one an orientation, and quality 0..100.

    `edit` is what was done to the frame first: `none`, or `border` when a border was cut off.
    """

    hashes: NDArray[np.uint8]
    quality: int
    edit: str

    @property
    def usable(self) -> bool:
        """Whether there is detail enough in the picture for the hash to be compared."""
        return self.quality >= MIN_QUALITY

    def fingerprint(self, orientation: int = 0) -> Fingerprint:
        """The hash in one orientation, as a bank takes it."""
        value = self.hashes[orientation].tobytes()
        return Fingerprint(FingerprintType.PDQ, value, self.quality, self.edit)


@dataclass(frozen=True, slots=True)
class FramePrints:
    """What is computed of one frame: its PDQ as it is, and trimmed when it has a border."""

    index: int
    whole: Pdq
    trimmed: Pdq | None

    @property
    def usable(self) -> tuple[Pdq, ...]:
        """Those of good enough quality."""
        both = (self.whole,) if self.trimmed is None else (self.whole, self.trimmed)
        return tuple(pdq for pdq in both if pdq.usable)


@dataclass(frozen=True, slots=True)
class PicturePrints:
    """What is computed of a picture: of every frame, with what went wrong and was left out."""

    frames: tuple[FramePrints, ...]
    problems: tuple[ItemError, ...]
    notes: tuple[str, ...]


def picture_prints(item: Item, limits: Limits) -> PicturePrints:
    """The fingerprints of the picture in `item`, computed once; ItemError when none can be read."""
    return item.view(_Printing(limits))


def fingerprints_of(item: Item, limits: Limits | None = None) -> tuple[Fingerprint, ...]:
    """What a bank keeps of the picture in `item`: its SHA-256, and the PDQ of each usable view.

    A picture with too little detail for PDQ has its SHA-256 alone. Raises ItemError when it cannot
    be read, or can be read only in part: half a picture is not banked.
    """
    if item.problem is not None:
        raise item.problem
    prints = picture_prints(item, limits or Limits.from_environment())
    if prints.problems:
        raise prints.problems[0]
    found = [Fingerprint.from_hex(FingerprintType.SHA256, item.sha256 or "")]
    for frame in prints.frames:
        found += [pdq.fingerprint() for pdq in frame.usable]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class _Printing:
    """Computes the prints; a value, so that equal limits share one view of the item."""

    limits: Limits

    def __call__(self, item: Item) -> PicturePrints:
        picture = decode(item.read(self.limits.bytes), self.limits)
        frames = tuple(frame_prints(frame) for frame in picture.frames)
        return PicturePrints(frames, picture.problems, picture.notes)


def frame_prints(frame: Frame) -> FramePrints:
    """The PDQ of `frame`, as it is and with its uniform borders cut off."""
    if frame.pixels.ndim == 3:
        hashes, quality = _kernel.pdq_rgb(frame.pixels)
    else:
        hashes, quality = _kernel.pdq(frame.pixels, frame.height, frame.width)
    luma = frame.luma
    rows, columns = luma.shape
    top, bottom, left, right = _kernel.trim(luma)
    trimmed = None
    cut = (bottom - top, right - left) != (rows, columns)
    if cut and min(bottom - top, right - left) >= LEAST_SIDE:
        inside = luma[top:bottom, left:right]
        trimmed = Pdq(*_kernel.pdq(inside, *_full_size(frame, inside)), EDIT_BORDER)
    return FramePrints(frame.index, Pdq(hashes, quality, EDIT_NONE), trimmed)


def _full_size(frame: Frame, inside: NDArray[np.uint8]) -> tuple[int, int]:
    """Height and width of `inside` in the pixels of the picture before reduced decoding."""
    rows, columns = frame.pixels.shape[:2]
    height = max(inside.shape[0], round(inside.shape[0] * frame.height / rows))
    width = max(inside.shape[1], round(inside.shape[1] * frame.width / columns))
    return height, width
