"""Index files: arrays over a range of fingerprints, ready to be searched from a map.

Layout: a header of `HEADER_BYTES` (magic, then JSON padded with spaces) that lists the arrays, and
the arrays, each on a page boundary. Files are written once, under a random name, and never
changed; their SHA-256 is kept in the database.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from egide.errors import storage_error

HEADER_BYTES: Final = 4096
SEQS: Final = "seqs"
"""The array that every file has: its fingerprints' numbers, (N,) uint32, relative to `low`."""


class DamagedSegment(Exception):
    """The file is missing, or is not what the database says it should be."""


class SegmentFile(NamedTuple):
    """What the database knows of an index file."""

    file: str
    low: int
    high: int
    entries: int
    size: int
    sha256: str
    stamp: str


class Contents(NamedTuple):
    """What is in a file: the fingerprints with `low` < seq <= `high`, as arrays by name."""

    low: int
    high: int
    arrays: Mapping[str, NDArray[Any]]

    @property
    def numbers(self) -> NDArray[np.uint32]:
        """The fingerprints' numbers, relative to `low`."""
        return self.arrays[SEQS]


def write_segment(contents: Contents, folder: Path, magic: bytes, suffix: str) -> SegmentFile:
    """Writes `contents` into `folder` under a new name, safely on the disk before it returns.

    `magic` are the file's first bytes. StorageError when it cannot be written; then nothing is
    left of it.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in contents.arrays.items()}
    listed: list[dict[str, Any]] = []
    position = HEADER_BYTES
    for name, array in arrays.items():
        entry = {"name": name, "dtype": array.dtype.str, "shape": array.shape, "at": position}
        listed.append(entry)
        position = -(-(position + array.nbytes) // HEADER_BYTES) * HEADER_BYTES
    described = {"low": contents.low, "high": contents.high, "arrays": listed}
    path = folder / (secrets.token_hex(8) + suffix)
    blocks: list[bytes | memoryview] = [
        (magic + json.dumps(described).encode()).ljust(HEADER_BYTES)
    ]
    for array in arrays.values():
        # An array without elements has no bytes to cast.
        blocks += [
            array.data.cast("B") if array.size else b"",
            b"\0" * (-array.nbytes % HEADER_BYTES),
        ]
    digest = hashlib.sha256()
    size = 0
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as handle:
            for block in blocks:
                size += handle.write(block)
                digest.update(block)
            handle.flush()
            os.fsync(handle.fileno())
            stamp = stamp_of(os.fstat(handle.fileno()))
        sync_folder(folder)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise storage_error(path, error, "the bank itself is whole") from error
    count = len(contents.numbers)
    return SegmentFile(
        path.name, contents.low, contents.high, count, size, digest.hexdigest(), stamp
    )


def open_segment(folder: Path, known: SegmentFile, magic: bytes) -> tuple[Contents, str]:
    """Maps the file that the database knows as `known`; DamagedSegment when it is not that file.

    Reading all of a large file to verify it takes most of a second, so it is done only when the
    file is not the very one that was verified before: its `stamp` (device, inode, size, times of
    change) tells. Returned with the stamp that the file has now.
    """
    path = folder / known.file
    try:
        with path.open("rb") as handle:
            status = os.fstat(handle.fileno())
            stamp = stamp_of(status)
            if status.st_size != known.size:
                raise DamagedSegment(f"{path.name} has {status.st_size} bytes, not {known.size}")
            if stamp != known.stamp:
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
                if digest != known.sha256:
                    raise DamagedSegment(f"{path.name} has another checksum")
            handle.seek(0)
            header = handle.read(HEADER_BYTES)
            return _map(path, header, magic), stamp
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedSegment(f"{path.name}: {error}") from error


def _map(path: Path, header: bytes, magic: bytes) -> Contents:
    if not header.startswith(magic):
        raise DamagedSegment(f"{path.name} is no index file of this type")
    described = json.loads(header[len(magic) :])
    arrays: dict[str, NDArray[Any]] = {}
    for entry in described["arrays"]:
        dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
        arrays[entry["name"]] = (
            np.memmap(path, dtype, "r", entry["at"], shape).view(np.ndarray)
            if 0 not in shape
            else np.empty(shape, dtype)
        )
    if SEQS not in arrays:
        raise DamagedSegment(f"{path.name} lacks an array")
    return Contents(described["low"], described["high"], arrays)


def stamp_of(status: os.stat_result) -> str:
    """What changes when a file is written to, replaced, or has its times set back."""
    return ":".join(
        str(part) for part in (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    )


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
