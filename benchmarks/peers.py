"""The peers, which carry no types, loaded when they are measured."""

from __future__ import annotations

import io
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def pdq_signal() -> Any:
    """python-threatexchange's PdqSignal: `hash_from_bytes`."""
    return import_module("threatexchange.signal_type.pdq.signal").PdqSignal


def pdq_index() -> Any:
    """The index class that PdqSignal says is its own, searching on one thread."""
    import_module("faiss").omp_set_num_threads(1)
    return pdq_signal().get_index_cls()


def reference_pdq(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """PDQ as `pdqhash` (the reference implementation) computes it: 32 bytes, and the quality."""
    bits, quality = import_module("pdqhash").compute(image)
    return np.packbits(bits.astype(np.uint8)), quality


def pillow_rgb(data: bytes) -> NDArray[np.uint8]:
    """The picture as Pillow decodes it at full size."""
    image = import_module("PIL.Image")
    return np.asarray(image.open(io.BytesIO(data)).convert("RGB"))


def grey_jpeg(data: bytes, **least: int) -> NDArray[np.uint8]:
    """The luma as libjpeg-turbo gives it, reduced but with at least `min_height`, `min_width`."""
    decoded = import_module("simplejpeg").decode_jpeg(data, "GRAY", strict=True, **least)
    return cast("NDArray[np.uint8]", decoded)


def to_jpeg(image: NDArray[np.uint8], quality: int) -> bytes:
    """`image` (RGB) as a baseline JPEG with halved chroma, as cameras and platforms write."""
    encode = import_module("simplejpeg").encode_jpeg
    return cast("bytes", encode(np.ascontiguousarray(image), quality, "RGB", "420"))
