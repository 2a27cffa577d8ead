"""Looking hashes up at 31 bits in a million and in ten million."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import banks, hashes, machine, peers
from benchmarks.results import Goal, Part, Settings, Table, faster, milliseconds
from benchmarks.timing import clock_seconds, in_child, in_turns, processor_seconds
from egide import _kernel
from egide.bank.pdq_index import MAGIC, PdqIndex, PdqSegment
from egide.bank.segment import SegmentFile, open_segment, write_segment
from egide.fingerprint import DEFAULT_THRESHOLD, Fingerprint, FingerprintType

if TYPE_CHECKING:
    from collections.abc import Callable

AT_ONCE: Final = 16
MOST_BYTES: Final = 120
MOST_OPENING: Final = 0.1
Arrays = tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint32]]


class Lookups(NamedTuple):
    """Seconds of processor time: of one query, and of 16 at once."""

    one: float
    many: float


class Measured(NamedTuple):
    """What one index gave."""

    build: float
    bytes_resident: float
    bytes_peak: float
    lookups: Lookups
    found: list[list[int]]
    extra: dict[str, float]


def run(settings: Settings) -> Part:
    """Builds each index in a process of its own, one after the other, and asks it the same."""
    sizes = settings.sizes()
    goals: list[Goal] = []
    rows: list[tuple[str, ...]] = []
    for count in sizes:
        in_child(hashes.bank_hashes, settings, hashes.REALISTIC, count)
        for kind in hashes.KINDS:
            with machine.cores(1):
                ours = in_child(_egide, settings, kind, count)
                theirs = in_child(_peer, settings, kind, count)
            at = f"{count:,} {kind} hashes"
            goals += [
                faster(f"lookup, {at}", 10, ours.lookups.one, theirs.lookups.one),
                faster(f"{AT_ONCE} lookups at once, {at}", 10, ours.lookups.many,
                       theirs.lookups.many),
                faster(f"build, {at}", 5, ours.build, theirs.build),
            ]  # fmt: skip
            size = ours.extra["bytes"]
            goals += [
                Goal(f"memory an entry, {at}", f"≤ {MOST_BYTES} B", f"{size:.0f} B",
                     f"{theirs.bytes_resident:.0f} B", f"{theirs.bytes_resident / size:.2g}×",
                     size <= MOST_BYTES),
                Goal(f"opening the saved index, {at}", f"< {MOST_OPENING} s",
                     milliseconds(ours.extra["open"]), _opening(theirs), "",
                     ours.extra["open"] < MOST_OPENING),
                Goal(f"answers, {at}", "as brute force", _agrees(ours), _agrees(theirs), "",
                     not ours.extra["wrong"]),
            ]  # fmt: skip
            rows += [_row(f"égide, {at}", ours), _row(f"threatexchange, {at}", theirs)]
    tables = [
        Table("Memory is the growth of the process; égide's arrays are what the file holds, mapped "
              "and not copied when it is opened:",
              ("index", "build", "lookup", f"{AT_ONCE} at once", "memory an entry",
               "at the most, while building", "arrays an entry", "save", "open",
               "open and first lookup", "open, checksum verified"), rows),
        _banks(settings, sizes),
    ]  # fmt: skip
    made = "; ".join(f"{kind}: {how}" for kind, how in hashes.MADE.items())
    return Part(
        f"Lookup at {DEFAULT_THRESHOLD} bits",
        f"{made}. Of the hashes looked up, nine in ten are of pictures not in the index, made the "
        "same way, the others up to 31 random bits from one that is. égide: the compiled index "
        "(`_kernel.index_build`, `index_lookup`), built from the hashes in an array; "
        "threatexchange: its default index class (PDQIndex over faiss IndexBinaryMultiHash), built "
        "from the hexadecimal strings it takes, which are not counted as its memory, asked with "
        "`query`, or "
        "for 16 at once through its faiss index. Each in a process of its own, one core, one "
        "thread; processor time, the mean over the queries, the median of three rounds. Brute "
        "force compares with every hash by numpy.",
        goals,
        tables,
    )


def _egide(settings: Settings, kind: str, count: int) -> Measured:
    known = hashes.bank_hashes(settings, kind, count)
    asked = hashes.queries(settings, kind, settings.few(64, 1024), known)
    before = machine.resident()
    machine.forget_peak()
    built: list[Any] = []
    build = processor_seconds(lambda: built.append(_kernel.index_build(known)))
    memory, peak = machine.resident() - before, machine.resident_peak() - before
    index: Arrays = built.pop()
    lookups = _lookups(
        partial(_each, index, asked[:, None]),
        partial(_each, index, asked.reshape(-1, AT_ONCE, 32)),
        len(asked),
    )
    found: list[list[int]] = [[] for _ in asked]
    for query, slot, _ in zip(*_kernel.index_lookup(*index, asked, DEFAULT_THRESHOLD), strict=True):
        found[query].append(int(slot))
    slots = np.arange(count, dtype=np.uint32)
    extra = _files(settings, PdqSegment(0, count, *index, slots), asked[0])
    extra["bytes"] = sum(array.nbytes for array in (*index, slots)) / count
    extra["wrong"], extra["checked"] = _wrong(known, asked, found, settings)
    return Measured(build, memory / count, peak / count, lookups, found, extra)


def _each(index: Arrays, groups: NDArray[np.uint8]) -> None:
    for group in groups:
        _kernel.index_lookup(*index, group, DEFAULT_THRESHOLD)


def _files(settings: Settings, segment: PdqSegment, query: NDArray[np.uint8]) -> dict[str, float]:
    """Saves the index, and opens it again: as it is every day, and as when it was just copied."""
    with tempfile.TemporaryDirectory(dir=settings.cache) as name:
        folder = Path(name)
        saved: list[Any] = []
        save = clock_seconds(
            lambda: saved.append(write_segment(segment.contents, folder, MAGIC, PdqIndex.suffix))
        )
        file = saved[0]

        def opening(known: SegmentFile) -> PdqSegment:
            return PdqSegment.of(open_segment(folder, known, MAGIC)[0])

        opened = [clock_seconds(lambda: opening(file)) for _ in range(5)]
        asked = clock_seconds(lambda: opening(file).search(query[None], DEFAULT_THRESHOLD))
        verified = clock_seconds(lambda: opening(file._replace(stamp="")))
    return {"save": save, "open": float(np.median(opened)), "first": asked, "verified": verified}


def _peer(settings: Settings, kind: str, count: int) -> Measured:
    known = hashes.bank_hashes(settings, kind, count)
    asked = hashes.queries(settings, kind, settings.few(64, 256), known)
    entries = [(row.tobytes().hex(), number) for number, row in enumerate(known)]
    index_class = peers.pdq_index()
    index_class([entries[0]])
    before = machine.resident()
    machine.forget_peak()
    built: list[Any] = []
    build = processor_seconds(lambda: built.append(index_class(entries)))
    memory, peak = machine.resident() - before, machine.resident_peak() - before
    index = built.pop()
    digits = [row.tobytes().hex() for row in asked]
    groups = [digits[at : at + AT_ONCE] for at in range(0, len(digits), AT_ONCE)]

    def one_by_one() -> None:
        for query in digits:
            index.query(query)

    def many() -> None:
        for group in groups:
            index.index.search_with_distance_in_result(group, DEFAULT_THRESHOLD)

    lookups = _lookups(one_by_one, many, len(asked))
    found = [[match.metadata for match in index.query(query)] for query in digits]
    extra = dict[str, float]()
    extra["wrong"], extra["checked"] = _wrong(known, asked, found, settings)
    if count <= 1_000_000:  # at ten million its two copies would not fit into this memory
        with tempfile.TemporaryFile(dir=settings.cache) as file:
            extra["save"] = clock_seconds(lambda: index.serialize(file))
            file.seek(0)
            extra["open"] = clock_seconds(lambda: index_class.deserialize(file))
    return Measured(build, memory / count, peak / count, lookups, found, extra)


def _lookups(one: Callable[[], None], many: Callable[[], None], count: int) -> Lookups:
    spent = in_turns({"one": one, "many": many}, 3)
    return Lookups(spent["one"] / count, spent["many"] / (count / AT_ONCE))


def _wrong(
    known: NDArray[np.uint8], asked: NDArray[np.uint8], found: list[list[int]], settings: Settings
) -> tuple[int, int]:
    """Of how many queries the answer is not what comparing with every hash gives, and of how many
    that was looked at."""
    sample = settings.few(16, 50 if len(known) <= 1_000_000 else 20)
    words = known.view(np.uint64)
    wrong = 0
    for number in range(min(sample, len(asked))):
        distance = np.bitwise_count(words ^ asked[number].view(np.uint64)).sum(1, dtype=np.uint16)
        true = np.flatnonzero(distance <= DEFAULT_THRESHOLD).tolist()
        wrong += sorted(found[number]) != true
    return wrong, sample


def _banks(settings: Settings, sizes: list[int]) -> Table:
    """`Bank.search`, which confirms in the database what the index answers."""
    rows = []
    for count in sizes:
        with machine.cores(1):
            rows.append(in_child(_bank, settings, count))
    return Table(
        "A whole bank, realistic hashes: index, database and all; added through `Bank.add_all`, "
        "20,000 at a time as `egide bank import` does:",
        ("entries", "adding", "index files", "first search of a process", "search, one hash",
         f"search, {AT_ONCE} hashes", "the same, nothing in the bank is near"), rows,
    )  # fmt: skip


def _bank(settings: Settings, count: int) -> tuple[str, ...]:
    home, adding, storing = banks.home(settings, count)
    bank = home.bank(banks.NAME)
    known = hashes.bank_hashes(settings, hashes.REALISTIC, count)
    asked = hashes.queries(settings, hashes.REALISTIC, settings.few(64, 512), known)
    prints = [Fingerprint(FingerprintType.PDQ, row.tobytes()) for row in asked]
    first = clock_seconds(lambda: bank.search(prints[:1], DEFAULT_THRESHOLD))
    strangers = [one for one in prints if not bank.search([one], DEFAULT_THRESHOLD)]

    def search(queries: list[Fingerprint], at_once: int) -> None:
        for at in range(0, len(queries), at_once):
            bank.search(queries[at : at + at_once], DEFAULT_THRESHOLD)

    spent = in_turns(
        {
            "one": lambda: search(prints, 1),
            "many": lambda: search(prints, AT_ONCE),
            "none": lambda: search(strangers, AT_ONCE),
        },
        3,
    )
    return (
        f"{count:,}", f"{adding:.3g} s" if adding else "not measured",
        f"{storing:.3g} s" if adding else "", milliseconds(first),
        milliseconds(spent["one"] / len(prints)),
        milliseconds(spent["many"] / len(prints) * AT_ONCE),
        milliseconds(spent["none"] / max(1, len(strangers)) * AT_ONCE),
    )  # fmt: skip


def _agrees(measured: Measured) -> str:
    right = measured.extra["checked"] - measured.extra["wrong"]
    return f"{right:.0f} of {measured.extra['checked']:.0f} equal"


def _opening(measured: Measured) -> str:
    return milliseconds(measured.extra["open"]) if "open" in measured.extra else "not measured"


def _row(name: str, measured: Measured) -> tuple[str, ...]:
    extra = measured.extra
    timed = (milliseconds(extra[key]) if key in extra else "" for key in
             ("save", "open", "first", "verified"))  # fmt: skip
    return (
        name, milliseconds(measured.build), milliseconds(measured.lookups.one),
        milliseconds(measured.lookups.many), f"{measured.bytes_resident:.0f} B",
        f"{measured.bytes_peak:.0f} B", f"{extra['bytes']:.1f} B" if "bytes" in extra else "",
        *timed,
    )  # fmt: skip
