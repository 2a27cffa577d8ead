"""One index file: the PDQ hashes of a range of fingerprints, ready to be searched from a map.

Layout: a header of `HEADER_BYTES` (magic, then JSON padded with spaces) that lists the arrays, and
the arrays, each on a page boundary. Files are written once, under a random name, and never
changed; their SHA-256 is kept in the database.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from egide import _kernel
from egide.errors import StorageError

MAGIC: Final = b"EGIDEPDQ1\n"
HEADER_BYTES: Final = 4096
SUFFIX: Final = ".pdq"
BANDED_FROM: Final = 16_384
"""From this many hashes on, banded postings are quicker than a linear scan and worth their bytes;
the kernel makes none for fewer."""

_ARRAYS: Final = ("codes", "offsets", "postings", "seqs")


class Hits(NamedTuple):
    """Fingerprints found: which query, which fingerprint (`seq`), how far (bits)."""

    query: NDArray[np.uint32]
    seq: NDArray[np.int64]
    distance: NDArray[np.uint16]


class DamagedSegment(Exception):
    """The file is missing, or is not what the database says it should be."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """The fingerprints with `low` < seq <= `high`; arrays may be memory-mapped.

    `codes` are the kernel's permuted hashes where `offsets` and `postings` are there, and the
    hashes as they are in a segment too small to be banded. `seqs` are relative to `low`.
    """

    low: int
    high: int
    codes: NDArray[np.uint8]
    offsets: NDArray[np.uint32] | None
    postings: NDArray[np.uint32] | None
    seqs: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def build(
        cls, low: int, high: int, hashes: NDArray[np.uint8], seqs: NDArray[np.int64]
    ) -> Segment:
        """A segment over `hashes` (N, 32) with their fingerprint numbers `seqs` (N,), ascending."""
        relative = (seqs - low).astype(np.uint32)
        hashes = np.ascontiguousarray(hashes)
        if len(hashes) < BANDED_FROM:
            return cls(low, high, hashes, None, None, relative)
        codes, offsets, postings = _kernel.index_build(hashes)
        if not len(offsets):
            return cls(low, high, hashes, None, None, relative)
        return cls(low, high, codes, offsets, postings, relative)

    def search(self, queries: NDArray[np.uint8], threshold: int) -> Hits:
        """Every hash within `threshold` bits of one of `queries` (Q, 32), by query and distance.

        DamagedSegment when the arrays contradict themselves.
        """
        try:
            if self.offsets is None or self.postings is None:
                query, slot, distance = _kernel.scan(self.codes, queries, threshold)
            else:
                query, slot, distance = _kernel.index_lookup(
                    self.codes, self.offsets, self.postings, queries, threshold
                )
        except ValueError as error:
            raise DamagedSegment(str(error)) from error
        return Hits(query, self.seqs[slot].astype(np.int64) + self.low, distance)

    def rows(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The hashes (N, 32) and their numbers (N,), as `build` took them."""
        hashes = self.codes if self.offsets is None else _kernel.unpermute(self.codes)
        return np.asarray(hashes), self.seqs.astype(np.int64) + self.low


class SegmentFile(NamedTuple):
    """What the database knows of an index file."""

    file: str
    low: int
    high: int
    entries: int
    size: int
    sha256: str
    stamp: str


def write_segment(segment: Segment, folder: Path) -> SegmentFile:
    """Writes `segment` into `folder` under a new name, safely on the disk before it returns.

    StorageError when it cannot be written; then nothing is left of it.
    """
    arrays = [(name, getattr(segment, name)) for name in _ARRAYS]
    listed: list[dict[str, Any]] = []
    position = HEADER_BYTES
    for name, array in arrays:
        if array is not None:
            entry = {"name": name, "dtype": array.dtype.str, "shape": array.shape, "at": position}
            listed.append(entry)
            position = -(-(position + array.nbytes) // HEADER_BYTES) * HEADER_BYTES
    header = (
        MAGIC + json.dumps({"low": segment.low, "high": segment.high, "arrays": listed}).encode()
    )
    path = folder / (secrets.token_hex(8) + SUFFIX)
    blocks = [header.ljust(HEADER_BYTES)]
    for _, array in arrays:
        if array is not None:
            blocks += [array.data.cast("B"), b"\0" * (-array.nbytes % HEADER_BYTES)]
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
        raise StorageError(f"{path}: {error.strerror}; the bank itself is whole") from error
    return SegmentFile(
        path.name, segment.low, segment.high, len(segment), size, digest.hexdigest(), stamp
    )


def open_segment(folder: Path, known: SegmentFile) -> tuple[Segment, str]:
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
            return _map(path, header), stamp
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedSegment(f"{path.name}: {error}") from error


def _map(path: Path, header: bytes) -> Segment:
    if not header.startswith(MAGIC):
        raise DamagedSegment(f"{path.name} is no index file")
    described = json.loads(header[len(MAGIC) :])
    arrays: dict[str, NDArray[Any] | None] = dict.fromkeys(_ARRAYS)
    for entry in described["arrays"]:
        arrays[entry["name"]] = np.memmap(
            path, np.dtype(entry["dtype"]), "r", entry["at"], tuple(entry["shape"])
        ).view(np.ndarray)
    codes, seqs = arrays["codes"], arrays["seqs"]
    if codes is None or seqs is None or len(codes) != len(seqs):
        raise DamagedSegment(f"{path.name} lacks an array")
    return Segment(
        described["low"], described["high"], codes, arrays["offsets"], arrays["postings"], seqs
    )


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
