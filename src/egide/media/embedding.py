"""A copy-detection embedding that the user brings: an ONNX network from a picture to a descriptor.

Off unless `EGIDE_SSCD_MODEL` names a model. Made for SSCD (Pizzi et al., *A Self-Supervised
Descriptor for Image Copy Detection*, arXiv 2202.10261); any network with the same input will do:
(1, 3, height, width) float32 RGB, scaled to 0..1 and normalised by ImageNet's mean and deviation.
égide brings no weights and fetches none.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from egide import _kernel
from egide.errors import DetectorFailed, UsageError
from egide.fingerprint import (
    MIN_QUALITY,
    SSCD_DIGEST_BYTES,
    SSCD_LEAST_DIMENSIONS,
    SSCD_MOST_DIMENSIONS,
    SSCD_VERSION,
    Fingerprint,
    FingerprintType,
)
from egide.item import Item
from egide.media.decode import decode
from egide.media.exif import upright
from egide.media.picture import Frame, Least, Limits
from egide.media.reasons import reason
from egide.sniff import Format, Kind

VARIABLE: Final = "EGIDE_SSCD_MODEL"
DEFAULT_SIDE: Final = 288
"""Pixels a side where the model leaves it open: the size that SSCD's authors recommend."""

SIDES: Final = range(32, 1025)
"""Heights and widths that a model may ask for."""

MOST_FRAMES: Final = 16
"""Of an animation, so many frames at most are described, spread evenly over it."""

MOST_MODEL_BYTES: Final = 2**31
"""ONNX files end there: they are one protobuf message."""

_MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION: Final = np.array([0.229, 0.224, 0.225], np.float32)


class Described(NamedTuple):
    """The descriptor of one frame of a picture; `frame` counts from 0."""

    frame: int
    fingerprint: Fingerprint


class Embedding:
    """The model in the file at `path`; UsageError when it cannot serve. Thread-safe.

    `header` begins every descriptor it makes and tells them from those of other models.
    """

    def __init__(self, path: Path) -> None:
        self._named = f"{VARIABLE}={str(path)!r}"
        model = self._read(path)
        self._session = self._load(model)
        self._input, self._height, self._width = self._shape()
        # A model may promise one shape and give another: it is tried before it is relied on.
        trial = np.zeros((self._height, self._width, 3), np.uint8)
        try:
            dimensions = self._run(trial).size
        except Exception as error:
            raise UsageError(f"{self._named}: it does not run: {reason(error)}") from error
        if not SSCD_LEAST_DIMENSIONS <= dimensions <= SSCD_MOST_DIMENSIONS:
            raise UsageError(
                f"{self._named}: its first output has {dimensions} numbers a picture; a descriptor "
                f"has {SSCD_LEAST_DIMENSIONS} to {SSCD_MOST_DIMENSIONS}"
            )
        self._dimensions = dimensions
        digest = hashlib.sha256(model).digest()[:SSCD_DIGEST_BYTES]
        self.header = bytes([SSCD_VERSION, 0]) + dimensions.to_bytes(2, "little") + digest

    @classmethod
    def from_environment(cls) -> Embedding | None:
        """The model that EGIDE_SSCD_MODEL names, None when it names none; UsageError."""
        path = os.environ.get(VARIABLE, "")
        return cls(Path(path)) if path.strip() else None

    def fingerprints(self, item: Item, limits: Limits) -> Iterator[Described]:
        """The descriptors of the frames of the picture in `item`; of a video, none.

        Frames with too little detail for PDQ have none either: all plain pictures resemble one
        another. ItemError when the picture cannot be read or the model fails on it.
        """
        if item.kind is not Kind.IMAGE:
            return
        data = item.read(limits.bytes)
        picture = decode(data, limits, Least(short=max(self._height, self._width)))
        step = -(-len(picture.frames) // MOST_FRAMES)
        for frame in picture.frames[::step]:
            colour = _colour_of_jpeg(data, frame) if picture.format is Format.JPEG else frame.pixels
            pixels = _resized(colour, self._height, self._width)
            if _kernel.pdq_rgb(pixels)[1] >= MIN_QUALITY:
                yield Described(frame.index, self._fingerprint(pixels))

    def _fingerprint(self, pixels: NDArray[np.uint8]) -> Fingerprint:
        """The descriptor of (height, width, 3) `pixels`, scaled to fill signed bytes."""
        try:
            vector = self._run(pixels)
        except Exception as error:
            raise DetectorFailed(f"{self._named}: {reason(error)}") from error
        largest = float(np.abs(vector).max(initial=0))
        if vector.size != self._dimensions or not 0 < largest < np.inf:
            raise DetectorFailed(
                f"{self._named}: it gave no {self._dimensions} finite numbers for this picture"
            )
        numbers = np.rint(vector * (127 / largest)).astype(np.int8)
        return Fingerprint(FingerprintType.SSCD, self.header + numbers.tobytes())

    def _run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """What the model gives for (height, width, 3) `pixels`, flat."""
        scaled = (pixels.astype(np.float32) / 255 - _MEAN) / _DEVIATION
        batch = np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])
        (output, *_) = self._session.run(None, {self._input: batch})
        return np.asarray(output, np.float64).reshape(-1)

    def _read(self, path: Path) -> bytes:
        try:
            if path.stat().st_size > MOST_MODEL_BYTES:
                raise UsageError(f"{self._named}: it has over {MOST_MODEL_BYTES:,} bytes")
            return path.read_bytes()
        except OSError as error:
            raise UsageError(
                f"{self._named}: {error.strerror}; name an ONNX file, or unset the variable"
            ) from error

    def _load(self, model: bytes) -> Any:
        try:
            import onnxruntime  # noqa: PLC0415  optional, and 0.2 s
        except ImportError:
            raise UsageError(
                f"{self._named} needs onnxruntime; run pip install 'egide[embedding]'"
            ) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # items are on threads already
        options.log_severity_level = 4  # what is wrong is told in one line, here
        try:
            # From bytes, so that it can name no other files: its digest stands for all of it.
            return onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
        except Exception as error:
            raise UsageError(
                f"{self._named}: no ONNX model that onnxruntime runs: {reason(error)}"
            ) from error

    def _shape(self) -> tuple[str, int, int]:
        """The name of the model's input, and the height and width it is fed with."""
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        # What the model leaves open is text or None here.
        sides = [side if isinstance(side, int) else DEFAULT_SIDE for side in shape[2:]]
        if (
            len(shape) != 4
            or inputs[0].type != "tensor(float)"
            or (isinstance(shape[0], int) and shape[0] != 1)
            or (isinstance(shape[1], int) and shape[1] != 3)
            or any(side not in SIDES for side in sides)
        ):
            told = "; ".join(f"{each.type} {each.shape}" for each in inputs)
            raise UsageError(
                f"{self._named}: its input is {told}, not one tensor(float) [1, 3, height, width] "
                f"of {SIDES.start} to {SIDES.stop - 1} pixels a side"
            )
        return inputs[0].name, sides[0], sides[1]


def _colour_of_jpeg(data: bytes, frame: Frame) -> NDArray[np.uint8]:
    """The upright (h, w, 3) pixels of a JPEG that was read as `frame`, as small as that is.

    Its (h, w) luma where there are no colours, or they are those of inks.
    """
    from simplejpeg import decode_jpeg  # type: ignore[import-untyped]  # noqa: PLC0415

    from egide.media.jpeg import read_header  # noqa: PLC0415  start-up time

    header = read_header(data)
    if len(header.sampling) != 3:
        return frame.pixels
    height, width = frame.pixels.shape[:2]
    if header.orientation >= 5:
        height, width = width, height
    sides = {"min_height": height, "min_width": width} if height < header.height else {}
    try:
        pixels = np.asarray(decode_jpeg(data, "RGB", strict=False, **sides))
    except (ValueError, KeyError):
        return frame.pixels
    return upright(pixels, header.orientation)


def _resized(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """(h, w) or (h, w, 3) `pixels` as (height, width, 3): skewed, as SSCD's authors advise."""
    from PIL import Image  # noqa: PLC0415  start-up time

    picture = Image.fromarray(pixels).convert("RGB")
    resized = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(resized)
