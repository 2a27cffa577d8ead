"""The peers, which carry no types, loaded when they are measured."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.results import Settings

OWN_ENVIRONMENT: Final = (
    "perception[approximate-deduplication]", "threatexchange", "sd-parsers",
)  # fmt: skip
"""Thorn's perception wants an older rich than égide's tests are pinned to."""


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


def dihedral_pdq(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """The (8, 32) hashes that `pdqhash` gives of the eight orientations, and the quality."""
    bits, quality = import_module("pdqhash").compute_dihedral(image)
    return np.packbits(np.asarray(bits, np.uint8), axis=1), quality


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


def ask(settings: Settings, **request: Any) -> Any:
    """What `benchmarks.peer_process` answers to `request`, in the peers' own environment, on one
    thread."""
    script = Path(__file__).with_name("peer_process.py")
    env = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    ran = subprocess.run(
        [_environment(settings), script], input=json.dumps(request), env=env, check=True,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(ran.stdout)


def versions(settings: Settings) -> dict[str, str]:
    """The versions of the peers in their own environment.

    `vpdq` is missing where it could not be compiled: it needs FFmpeg's headers and pkg-config.
    """
    found: dict[str, str] = ask(settings, do="versions")
    return found


def _environment(settings: Settings) -> Path:
    """The Python of the peers' own environment, made in the cache when it is not there."""
    python = settings.cache / "peers" / "bin" / "python"
    done = settings.cache / "peers" / "installed"
    wanted = " ".join(OWN_ENVIRONMENT)
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", settings.cache / "peers"], check=True)
        install = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        subprocess.run([*install, *OWN_ENVIRONMENT], check=True)
        subprocess.run([*install, "vpdq"], check=False)
        done.write_text(wanted, encoding="utf-8")
    return python
