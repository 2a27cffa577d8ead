"""What an item shows: the frames of a picture or video, ready to be looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from egide import _kernel
from egide.errors import ItemError
from egide.fingerprint import EDIT_NONE
from egide.item import Item
from egide.media.fingerprint import ORIENTATIONS, Detail, Pdq, PicturePrints, picture_prints
from egide.media.picture import Limits
from egide.sniff import Kind

if TYPE_CHECKING:
    from egide._kernel import LocalFeatures
    from egide.media.video import VideoPrints

_UNDONE_BY = {"rotate90": "rotate270", "rotate270": "rotate90"}


class Shown(NamedTuple):
    """A frame of the item: which it is, and in a video when and for how long, in milliseconds.

    `stream` is which of the video streams of a file it is of; each has a time of its own.
    """

    frame: int = 0
    at: int | None = None
    span: int = 0
    stream: int = 0


class View(NamedTuple):
    """A hash of a frame: as it is, or with its borders cut off."""

    pdq: Pdq
    shown: Shown


class LocalView(NamedTuple):
    """A frame that local features can be had of; they take some milliseconds."""

    features: Callable[[], LocalFeatures]
    shown: Shown


class Frames(NamedTuple):
    """What an item shows.

    Attributes:
        views: the hashes of its frames that can be compared.
        local: the frames that local features can be had of.
        poor: the frames with too little detail for PDQ, and the quality it has.
        total: how many frames there are.
        length: how long what a video shows is seen, in milliseconds: its duration less what is
            plain black or the like; None of a picture.
        problems: what could not be read.
        notes: what was left out on purpose.
    """

    views: Sequence[View] = ()
    local: Sequence[LocalView] = ()
    poor: Mapping[int, int] = MappingProxyType({})
    total: int = 0
    length: int | None = None
    problems: Sequence[ItemError] = ()
    notes: Sequence[str] = ()


def frames_of(item: Item, limits: Limits, *, local: bool) -> Frames:
    """The frames of the picture or video in `item`; ItemError when none can be read.

    With `local`, those are told that local features can be had of.
    """
    if item.kind is Kind.VIDEO:
        from egide.media.video import Sampling, video_prints  # noqa: PLC0415  PyAV is heavy

        return _of_video(video_prints(item, limits, Sampling.SPARSE, with_local=local))
    detail = Detail.LOOKUP if local else Detail.WHOLE
    return _of_picture(picture_prints(item, limits, detail))


def edits_between(cut: str, orientation: str) -> tuple[str, ...]:
    """What was done to the original to get a picture, when `orientation` of it matches."""
    turned = _UNDONE_BY.get(orientation, orientation)
    return tuple(edit for edit in (cut, turned) if edit != EDIT_NONE)


def orientations(view: View) -> list[tuple[int, tuple[str, ...]]]:
    """The eight ways to lay a view: which hash it is, and the edits that it would undo."""
    return [(n, edits_between(view.pdq.edit, name)) for n, name in enumerate(ORIENTATIONS)]


def _of_picture(prints: PicturePrints) -> Frames:
    frames = prints.frames
    return Frames(
        [View(pdq, Shown(frame.index)) for frame in frames for pdq in frame.usable],
        [
            LocalView(
                partial(_kernel.LocalFeatures, frame.plane, enlarge=not frame.reduced),
                Shown(frame.index),
            )
            for frame in frames
            if frame.plane is not None
        ],
        {frame.index: frame.whole.quality for frame in frames if not frame.usable},
        len(frames),
        None,
        prints.problems,
        prints.notes,
    )


def _of_video(prints: VideoPrints) -> Frames:
    shown = [Shown(n, f.at, f.span, f.stream) for n, f in enumerate(prints.frames)]
    framed = list(zip(prints.frames, shown, strict=True))
    return Frames(
        [View(pdq, s) for frame, s in framed for pdq in frame.usable],
        [LocalView(partial(_same, f.local), s) for f, s in framed if f.local is not None],
        {s.frame: frame.whole.quality for frame, s in framed if not frame.usable},
        len(framed),
        _longest(prints),
        prints.problems,
        prints.notes,
    )


def _longest(prints: VideoPrints) -> int:
    """How long the frames of the stream that shows the most stand for."""
    spans: dict[int, int] = {}
    for frame in prints.frames:
        spans[frame.stream] = spans.get(frame.stream, 0) + frame.span
    return max(spans.values(), default=0)


def _same(features: LocalFeatures) -> LocalFeatures:
    return features
