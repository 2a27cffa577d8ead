"""Pictures to measure with: photographs that Debian ships as wallpapers.

They are downloaded by package name into the cache when first needed, and never committed.
"""

from __future__ import annotations

import subprocess
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from benchmarks.peers import to_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.results import Settings

SIZES: Final = ((4000, 3000), (1600, 1200), (512, 512))
PACKAGES: Final = {
    "lomiri-wallpapers-16.04": "*.jpg",
    "mate-backgrounds": "nature/*.jpg",
    "libjs-jquery-backstretch": "examples/*.jpg",
    "plasma-workspace-wallpapers": "contents/images/*.jpg",
}
LEAST_SIDE: Final = 1000
QUALITIES: Final = (75, 90)
"""As most platforms write pictures, and as cameras do."""


def photographs(settings: Settings) -> list[Path]:
    """The photographs with at least 1,000 pixels on either side, in a stable order."""
    found: list[Path] = []
    for package, pattern in PACKAGES.items():
        for path in sorted(unpacked(package, settings.cache).rglob(pattern)):
            with Image.open(path) as picture:
                if not path.is_symlink() and min(picture.size) >= LEAST_SIDE:
                    found.append(path)
    return found


def pictures(
    settings: Settings, count: int, width: int, height: int
) -> Iterator[NDArray[np.uint8]]:
    """`count` RGB pictures of this size: photographs cut to its shape and scaled.

    When there are more wanted than photographs, further ones show three quarters of a photograph,
    in another place each time round.
    """
    paths = photographs(settings)
    random = np.random.default_rng(12)
    for number in range(count):
        with Image.open(paths[number % len(paths)]) as opened:
            picture = opened.convert("RGB")
        share = 1.0 if number < len(paths) else 0.75
        scale = share * min(picture.width / width, picture.height / height)
        # Rounding may leave the full cut a hair wider than the photograph.
        wide, high = (min(picture.width, width * scale), min(picture.height, height * scale))
        left = random.uniform(0, picture.width - wide)
        top = random.uniform(0, picture.height - high)
        box = (left, top, left + wide, top + high)
        yield np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS, box))


@lru_cache
def jpegs(settings: Settings, count: int, width: int, height: int, quality: int) -> list[bytes]:
    """`count` JPEG files of this size and quality, chroma halved."""
    return [to_jpeg(image, quality) for image in pictures(settings, count, width, height)]


def unpacked(package: str, cache: Path) -> Path:
    """The folder with the files of a Debian package, downloaded when it is first asked for."""
    root = cache / "packages" / package
    if not root.exists():
        archives = cache / "archives"
        archives.mkdir(parents=True, exist_ok=True)
        if not list(archives.glob(f"{package}_*.deb")):
            subprocess.run(
                ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package],
                cwd=archives,
                check=True,
            )
        archive = next(archives.glob(f"{package}_*.deb"))
        partial = root.with_suffix(".partial")
        partial.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg", "-x", archive, partial], check=True)
        partial.rename(root)
    return root
