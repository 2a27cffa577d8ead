"""One fuzz target for every decoder path: real files to damage, and what must hold whatever comes.

    python -m tests.fuzz.targets tiff-lzw 600     # damage LZW TIFF files for ten minutes

With atheris installed its coverage-guided engine is used, else a plain random one. The input being
tried is kept in `fuzz-TARGET.bin`, so that it is there after a crash.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from egide.errors import ItemError
from egide.media.decode import Least, Limits, decode
from tests import pictures
from tests.fuzz.carrier_targets import CARRIERS, check_carrier
from tests.fuzz.family_targets import FAMILIES, check_family
from tests.fuzz.model_targets import MODELS, check_model
from tests.fuzz.record_targets import RECORDS, check_records
from tests.fuzz.text_targets import TEXTS, check_text

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = Limits(pixels=4_000_000, frames=8, seconds=2)


def _frames(count: int = 3) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    return [pictures.smooth_noise(48, 40, seed) for seed in range(count)]


def _still(format_: str, mode: str = "", **options: object) -> Callable[[], bytes]:
    return lambda: pictures.encode(pictures.smooth_noise(64, 48), format_, mode, **options)


def _moving(format_: str) -> Callable[[], bytes]:
    return lambda: pictures.animation(format_, _frames())


TARGETS: dict[str, Callable[[], bytes]] = {
    "jpeg": _still("JPEG", exif=pictures.exif(6)),
    "jpeg-progressive": _still("JPEG", progressive=True),
    "jpeg-cmyk": _still("JPEG", "CMYK"),
    "jpeg-mpf": pictures.jpeg_with_second,
    "png": _still("PNG", exif=pictures.exif(8)),
    "png-palette": _still("PNG", "P"),
    "png-16": lambda: pictures.encode(np.arange(3072, dtype=np.uint16).reshape(48, 64), "PNG"),
    "apng": _moving("PNG"),
    "webp": _still("WEBP"),
    "webp-lossless": _still("WEBP", "RGBA", lossless=True),
    "webp-animated": _moving("WEBP"),
    "avif": _still("AVIF"),
    "avif-animated": _moving("AVIF"),
    "heic": _still("HEIF"),
    "gif": _moving("GIF"),
    "bmp": _still("BMP"),
    "tiff": _moving("TIFF"),
    "tiff-lzw": _still("TIFF", compression="tiff_lzw"),
    "tiff-jpeg": _still("TIFF", compression="jpeg"),
    "tiff-deflate-cmyk": _still("TIFF", "CMYK", compression="tiff_adobe_deflate"),
    "tiff-fax": _still("TIFF", "1", compression="group4"),
    "tiff-float": _still("TIFF", "F"),
}


def check(data: bytes) -> None:
    """Decode hostile bytes; raises AssertionError when the promise of `decode` is broken."""
    began = time.monotonic()
    try:
        picture = decode(data, LIMITS, Least(16))
    except ItemError as error:
        problems: tuple[ItemError, ...] = (error,)
    else:
        problems = picture.problems
        assert 1 <= len(picture.frames) <= LIMITS.frames
        for frame in picture.frames:
            assert frame.pixels.dtype == np.uint8
            assert frame.pixels.ndim == 2 or frame.pixels.shape[2:] == (3,)
            assert frame.pixels.flags.c_contiguous
            assert frame.pixels.size > 0
            assert frame.luma.shape == frame.pixels.shape[:2]
    for problem in problems:
        assert str(problem).isprintable()
        assert " at 0x" not in str(problem)
    assert time.monotonic() - began < LIMITS.seconds + 3


def main() -> None:
    """Fuzz one target for some seconds."""
    from tests.fuzz.video_targets import VIDEO_TARGETS, check_video

    name, seconds = sys.argv[1], float(sys.argv[2])
    kept = Path(f"fuzz-{name}.bin")
    make = (TARGETS | VIDEO_TARGETS | MODELS | RECORDS | TEXTS | CARRIERS | FAMILIES)[name]
    checks = (
        (TARGETS, check),
        (VIDEO_TARGETS, check_video),
        (MODELS, check_model),
        (RECORDS, check_records),
        (TEXTS, check_text),
        (CARRIERS, check_carrier),
        (FAMILIES, check_family),
    )
    holds = next(check_ for targets, check_ in checks if name in targets)

    def one(data: bytes) -> None:
        kept.write_bytes(data)
        holds(data)

    sound = make()
    try:
        import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        seed, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            seed += 1
            for broken in pictures.mutations(sound, 100, seed):
                one(broken)
        print(f"{name}: {100 * seed} inputs, no failure")
    else:
        corpus = Path(f"fuzz-{name}-corpus")
        corpus.mkdir(exist_ok=True)
        (corpus / "sound").write_bytes(sound)
        atheris.Setup([name, f"-max_total_time={seconds:.0f}", str(corpus)], one)
        atheris.Fuzz()
    kept.unlink()


if __name__ == "__main__":
    main()
