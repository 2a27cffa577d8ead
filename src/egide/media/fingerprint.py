"""From a picture to its fingerprints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from egide import _kernel
from egide.errors import ItemError
from egide.fingerprint import EDIT_BORDER, EDIT_NONE, MIN_QUALITY, Fingerprint, FingerprintType
from egide.item import Item
from egide.media.decode import decode
from egide.media.picture import Frame, Least, Limits
from egide.sniff import Kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from egide.media.embedding import Embedding

ORIENTATIONS: Final[tuple[str, ...]] = _kernel.PDQ_ORIENTATIONS
"""The eight ways to lay a picture, in the order in which the kernel gives their hashes."""

LEAST_SIDE: Final = 32
"""A picture trimmed to less than this many pixels a side is a line or a logo, not a copy."""

LOCAL_FRAMES: Final = 16
"""Of an animation, so many frames at most have local features, spread evenly over it."""


class Detail(Enum):
    """How finely a picture is decoded.

    Local features are of 640 pixels on the longer side. What is banked has them. Of what is looked
    up 480 will do, which finds nearly as much, and spares most photographs of a telephone the
    slower decoding at a quarter instead of an eighth.
    """

    WHOLE = "whole"
    LOOKUP = "lookup"
    BANK = "bank"


_LEAST: Final = {
    Detail.WHOLE: Least(),
    Detail.LOOKUP: Least(short=256, long=480),
    Detail.BANK: Least(short=256, long=640),
}


def usable_of(*views: Pdq | None) -> tuple[Pdq, ...]:
    """Those of `views` that are there and of good enough quality."""
    return tuple(pdq for pdq in views if pdq is not None and pdq.usable)


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
    """What is computed of one frame: its PDQ as it is, and trimmed when it has a border.

    `plane` is the (h, w) uint8 luma that local features are taken from, where they were asked for;
    `reduced` whether it has fewer pixels than the picture.
    """

    index: int
    whole: Pdq
    trimmed: Pdq | None
    plane: NDArray[np.uint8] | None = None
    reduced: bool = False

    @property
    def usable(self) -> tuple[Pdq, ...]:
        """Those of good enough quality."""
        return usable_of(self.whole, self.trimmed)


@dataclass(frozen=True, slots=True)
class PicturePrints:
    """What is computed of a picture: of every frame, with what went wrong and was left out."""

    frames: tuple[FramePrints, ...]
    problems: tuple[ItemError, ...]
    notes: tuple[str, ...]


def picture_prints(item: Item, limits: Limits, detail: Detail = Detail.WHOLE) -> PicturePrints:
    """The fingerprints of the picture in `item`, computed once; ItemError when none can be read.

    It is decoded as finely as `detail` wants; but for `WHOLE`, planes are kept for local features.
    """
    return item.view(_Printing(limits, detail))


def fingerprints_of(
    item: Item,
    limits: Limits | None = None,
    *,
    local: bool = True,
    embedding: Embedding | None = None,
) -> tuple[Fingerprint, ...]:
    """What a bank keeps of the picture or video in `item`.

    Its SHA-256, the PDQ of each usable view of each frame, with `local` local fingerprints, and
    with an `embedding` a picture's descriptors. A picture with too little detail has its SHA-256
    alone. Raises ItemError when it cannot be read, or can be read only in part: half a picture is
    not banked.
    """
    if item.problem is not None:
        raise item.problem
    limits = limits or Limits.from_environment()
    found = [Fingerprint.from_hex(FingerprintType.SHA256, item.sha256 or "")]
    if item.kind is Kind.VIDEO:
        from egide.media.video import video_fingerprints  # noqa: PLC0415  heavy

        found += video_fingerprints(item, limits, local=local)
    else:
        prints = picture_prints(item, limits, Detail.BANK if local else Detail.WHOLE)
        if prints.problems:
            raise prints.problems[0]
        for frame in prints.frames:
            found += [pdq.fingerprint() for pdq in frame.usable]
        found += local_fingerprints(frame.plane for frame in prints.frames)
        if embedding is not None:
            found += (each.fingerprint for each in embedding.fingerprints(item, limits))
    return tuple(dict.fromkeys(found))


def local_fingerprints(planes: Iterable[NDArray[np.uint8] | None]) -> Iterator[Fingerprint]:
    """The local fingerprints of those of `planes` that have enough distinct points."""
    for plane in planes:
        if plane is not None and (record := _kernel.LocalFeatures(plane).record()):
            yield Fingerprint(FingerprintType.LOCAL, record)


@dataclass(frozen=True)
class _Printing:
    """Computes the prints; a value, so that equal limits share one view of the item."""

    limits: Limits
    detail: Detail

    def __call__(self, item: Item) -> PicturePrints:
        picture = decode(item.read(self.limits.bytes), self.limits, _LEAST[self.detail])
        local = self.detail is not Detail.WHOLE
        step = -(-len(picture.frames) // LOCAL_FRAMES)
        frames = tuple(
            frame_prints(frame, keep_plane=local and number % step == 0)
            for number, frame in enumerate(picture.frames)
        )
        return PicturePrints(frames, picture.problems, picture.notes)


def frame_prints(frame: Frame, *, keep_plane: bool = False) -> FramePrints:
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
    plane = luma if keep_plane else None
    reduced = frame.pixels.shape[1] < frame.width
    return FramePrints(frame.index, Pdq(hashes, quality, EDIT_NONE), trimmed, plane, reduced)


def _full_size(frame: Frame, inside: NDArray[np.uint8]) -> tuple[int, int]:
    """Height and width of `inside` in the pixels of the picture before reduced decoding."""
    rows, columns = frame.pixels.shape[:2]
    height = max(inside.shape[0], round(inside.shape[0] * frame.height / rows))
    width = max(inside.shape[1], round(inside.shape[1] * frame.width / columns))
    return height, width
