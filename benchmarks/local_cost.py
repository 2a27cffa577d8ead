"""What local fingerprints cost: of a large photograph, and to look up among very many."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from benchmarks import machine, peers
from benchmarks.pictures import jpegs
from benchmarks.results import Goal, Table, milliseconds
from benchmarks.timing import clock_seconds, in_child, in_turns
from egide import _kernel
from egide.fingerprint import LOCAL_HEADER_BYTES, LOCAL_POINT_BYTES
from egide.item import Item
from egide.media.fingerprint import Detail, picture_prints
from egide.media.picture import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from benchmarks.copies import Copies
    from benchmarks.results import Settings

WIDTH, HEIGHT, QUALITY = 4000, 3000, 75
SCANNED: Final = "all of it, to be scanned"
BANKED: Final = "all of it, to be banked"
MOST_FINGERPRINT: Final = 0.030
MOST_LOOKUP: Final = {100_000: 0.040, 1_000_000: 0.150}
POINTS: Final = 320
"""In a synthetic record; real ones have 300 in the mean."""
_BATCH: Final = 5_000
_RECORD: Final = LOCAL_HEADER_BYTES + POINTS * LOCAL_POINT_BYTES


class Cost(NamedTuple):
    """Goals and tables."""

    goals: list[Goal]
    tables: list[Table]


class Lookup(NamedTuple):
    """Seconds of processor time of each query, and what the bank took to build and holds."""

    shortlist: list[float]
    verify: list[float]
    building: float
    posting_bytes: int
    record_bytes: int
    synthetic: float


def measure(settings: Settings, asked: Copies) -> Cost:
    """Times both, each on one core."""
    goals, tables = _fingerprint(settings)
    rows: list[tuple[str, ...]] = []
    files = asked.query_files[:: settings.few(40, 8)]
    for size in MOST_LOOKUP if not settings.quick else [100_000]:
        with machine.cores(1):
            found = in_child(_lookup, settings, size, files, asked.banked_files)
        both = np.add(found.shortlist, found.verify)
        goals.append(
            Goal(f"lookup among {size:,} pictures, local, median", f"≤ {MOST_LOOKUP[size]} s",
                 milliseconds(float(np.median(both))),
                 met=float(np.median(both)) <= MOST_LOOKUP[size])
        )  # fmt: skip
        spread = (float(np.quantile(both, share)) for share in (0.5, 0.95, 1.0))
        rows.append(
            (f"{size:,}", str(len(both)), *map(milliseconds, spread),
             milliseconds(float(np.median(found.shortlist))),
             milliseconds(float(np.median(found.verify))), f"{found.building:.3g} s",
             f"{found.posting_bytes / size:,.0f} B", f"{found.record_bytes / size:,.0f} B",
             f"{found.synthetic:.2f}")
        )  # fmt: skip
    lookups = Table(
        "Looking a picture up by its local features, its fingerprint already made: the banked "
        f"pictures of this run and synthetic ones of {POINTS} points, whose descriptors are real "
        "ones with 19 % of the bits turned and whose geometry is a real picture's. They show the "
        "noise of voting, not look-alikes. Kernel only: the bank adds reading the shortlisted "
        "records from its database. Processor time, one core, files in the page cache:",
        ("banked", "queries", "median", "95 %", "longest", "shortlist, median", "verify, median",
         "index built in", "index, a picture", "records, a picture", "best synthetic score"),
        rows,
    )  # fmt: skip
    return Cost(goals, [*tables, lookups])


def _fingerprint(settings: Settings) -> tuple[list[Goal], list[Table]]:
    """A 12-megapixel JPEG, from its bytes to everything that a bank keeps of it."""
    files = jpegs(settings, settings.few(3, 16), WIDTH, HEIGHT, QUALITY)
    total: dict[str, float] = {}
    with machine.cores(1):
        for data in files:
            for name, seconds in in_turns(_steps(data), settings.few(3, 7)).items():
                total[name] = total.get(name, 0.0) + seconds / len(files)
    goals = [
        Goal(f"fingerprint of a JPEG of {WIDTH}×{HEIGHT}, {name}", f"≤ {MOST_FINGERPRINT} s",
             milliseconds(total[name]), met=total[name] <= MOST_FINGERPRINT)
        for name in (SCANNED, BANKED)
    ]  # fmt: skip
    table = Table(
        f"Fingerprint of a JPEG of {WIDTH}×{HEIGHT}, quality {QUALITY}, {len(files)} photographs, "
        "one core; the mean over the files of the median processor time. What is banked "
        "is decoded to 640 pixels or more, what is scanned to 480 or more:",
        ("step", "time"),
        [(step, milliseconds(seconds)) for step, seconds in total.items()],
    )
    return goals, [table]


def _steps(data: bytes) -> dict[str, Callable[[], object]]:
    steps: dict[str, Callable[[], object]] = {}
    for name, detail in ((SCANNED, Detail.LOOKUP), (BANKED, Detail.BANK)):
        plane = _plane(data, detail)
        height, width = plane.shape
        decode = partial(peers.grey_jpeg, data, min_height=height, min_width=width)
        enlarge = detail is Detail.BANK
        steps[f"{name}: bare decode to {width}×{height}"] = decode
        steps[f"{name}: decode, PDQ and borders"] = partial(_plane, data, detail)
        steps[f"{name}: local features"] = partial(_kernel.LocalFeatures, plane, enlarge=enlarge)
        steps[name] = partial(_whole, data, detail)
    return steps


def _whole(data: bytes, detail: Detail) -> bytes:
    plane = _plane(data, detail)
    return _kernel.LocalFeatures(plane, enlarge=detail is Detail.BANK).record()


def _plane(data: bytes, detail: Detail) -> NDArray[np.uint8]:
    """The luma that local features are taken from; PDQ and borders are computed with it."""
    plane = picture_prints(Item.from_bytes(data), Limits(), detail).frames[0].plane
    if plane is None:
        raise RuntimeError("a photograph has no plane to take local features from")
    return plane


def _lookup(settings: Settings, size: int, files: Sequence[Path], banked: Sequence[Path]) -> Lookup:
    """Builds the index over `size` records kept in a file, and looks `files` up in it."""
    real = [record for record in map(_record, banked) if record]
    with TemporaryDirectory(dir=settings.cache) as folder:
        file = Path(folder) / "records"
        _write_synthetic(file, real, size - len(real))
        synthetic = np.memmap(file, np.uint8, "r").reshape(-1, _RECORD)
        built: list[Any] = []
        building = clock_seconds(lambda: built.append(_build(real, synthetic)))
        segment = _mapped(built.pop(), Path(folder))
        shortlist, verify, best = [], [], 0.0
        for query in files:
            features = _features(query)
            started = time.process_time()
            candidates = features.shortlist([segment])
            listed = time.process_time()
            for _, slot, face, _, seeds in candidates:
                known = slot < len(real)
                record = real[slot] if known else synthetic[slot - len(real)].tobytes()
                verified = features.verify(record, face, seeds)
                if verified is not None and not known:
                    best = max(best, verified[0])
            verify.append(time.process_time() - listed)
            shortlist.append(listed - started)
        sizes = sum(array.nbytes for array in segment), file.stat().st_size
        return Lookup(shortlist, verify, building, *sizes, best)


def _features(file: Path) -> _kernel.LocalFeatures:
    return _kernel.LocalFeatures(_plane(file.read_bytes(), Detail.BANK))


def _record(file: Path) -> bytes:
    return _features(file).record()


def _write_synthetic(file: Path, real: Sequence[bytes], count: int) -> None:
    """Records with the places of one real picture and the descriptors of many, bits turned."""
    header = bytearray(max(real, key=len)[:LOCAL_HEADER_BYTES])
    header[2:4] = POINTS.to_bytes(2, "little")
    points = np.concatenate(
        [np.frombuffer(record, np.uint8)[LOCAL_HEADER_BYTES:] for record in real]
    ).reshape(-1, LOCAL_POINT_BYTES)
    geometry, codes = points[:, :4], np.ascontiguousarray(points[:, 4:]).view(np.uint64)
    random = np.random.default_rng(11)
    with file.open("wb") as out:
        for start in range(0, count, _BATCH):
            rows = min(_BATCH, count - start)
            made = np.empty((rows, _RECORD), np.uint8)
            made[:, :LOCAL_HEADER_BYTES] = np.frombuffer(bytes(header), np.uint8)
            body = made[:, LOCAL_HEADER_BYTES:].reshape(rows, POINTS, LOCAL_POINT_BYTES)
            first = random.integers(0, len(points) - POINTS, (rows, 1))
            body[:, :, :4] = geometry[first + np.arange(POINTS)]
            turned = codes[random.integers(0, len(points), (rows, POINTS))]
            turned ^= _bits(random, turned.shape)
            body[:, :, 4:] = turned.view(np.uint8)
            out.write(made.tobytes())


def _bits(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    """Random words of which each bit is 1 with a chance of 3/16."""
    one, two, three, four = (
        random.integers(0, 2**64, shape, np.uint64, endpoint=False) for _ in range(4)
    )
    return np.asarray(one & two & (three | four))


def _build(real: Sequence[bytes], synthetic: NDArray[np.uint8]) -> tuple[Any, Any]:
    """One index over all, in two passes as a bank builds its files."""
    builder = _kernel.LocalBuilder()
    for records in _batches(real, synthetic):
        builder.count(records)
    for records in _batches(real, synthetic):
        builder.fill(records)
    return builder.finish()


def _batches(real: Sequence[bytes], synthetic: NDArray[np.uint8]) -> Iterator[list[bytes]]:
    yield list(real)
    for start in range(0, len(synthetic), _BATCH):
        yield [row.tobytes() for row in synthetic[start : start + _BATCH]]


def _mapped(segment: tuple[Any, Any], folder: Path) -> tuple[Any, Any]:
    """The arrays as a bank has them: mapped from a file."""
    mapped = []
    for name, array in zip(("starts", "postings"), segment, strict=True):
        np.save(folder / f"{name}.npy", array)
        mapped.append(np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")))
    return mapped[0], mapped[1]
