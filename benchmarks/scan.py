"""`egide scan` over a thousand JPEG files of 12 megapixels, beside the peer's hash and match."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks import banks, hashes, machine, peers
from benchmarks.pictures import SIZES, pictures
from benchmarks.results import Goal, Part, Settings, Table, milliseconds, times
from benchmarks.timing import Ran, clock_seconds, in_child
from benchmarks.timing import run as run_command

if TYPE_CHECKING:
    from egide.fingerprint import Fingerprint

WIDTH, HEIGHT = SIZES[0]
VERSIONS: Final = 20
BANKED: Final = 10
EGIDE: Final = str(Path(sys.executable).with_name("egide"))


class Peer(NamedTuple):
    """Seconds a file takes the peer, by the clock and of processor time; its most memory, bytes."""

    clock: float
    processor: float
    memory: int


def run(settings: Settings) -> Part:
    """Times the real command, and the peer's loop on a sample of the same files."""
    entries, rounds = settings.few(50_000, 1_000_000), settings.few(1, 3)
    distinct, sample = settings.few(10, 50), settings.few(5, 50)
    folder = settings.cache / f"scan-{distinct}"
    home = settings.cache / "home-scan"
    try:
        files = _files(settings, folder, distinct)
        in_child(_bank, settings, entries, home, files[::VERSIONS][:BANKED])
        command = [EGIDE, "scan", str(folder), "--home", str(home), "--format", "jsonl", "--jobs"]
        ran: dict[int, Ran] = {}
        for jobs in (1, 2):
            with machine.cores(jobs):
                each = [run_command([*command, str(jobs)]) for _ in range(rounds)]
            ran[jobs] = sorted(each)[rounds // 2]
        some = [files[n * VERSIONS + n % VERSIONS] for n in range(sample)]
        with machine.cores(1):
            peer = in_child(_peer, settings, entries, some)
        megabytes = sum(file.stat().st_size for file in files) / len(files) / 1e6
    finally:
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
    rate = {jobs: len(files) / one.seconds for jobs, one in ran.items()}
    faster, scaled = rate[1] * peer.clock, rate[2] / rate[1]
    rows: list[tuple[str, ...]] = [
        (
            f"égide --jobs {jobs}",
            milliseconds(one.seconds / len(files)),
            milliseconds(one.processor / len(files)),
            f"{rate[jobs]:.1f}",
            f"{one.memory / 1e6:.0f} MB",
        )
        for jobs, one in ran.items()
    ]
    rows.append(
        ("threatexchange", milliseconds(peer.clock), milliseconds(peer.processor),
         f"{1 / peer.clock:.2f}", f"{peer.memory / 1e6:.0f} MB")
    )  # fmt: skip
    return Part(
        f"Scanning {len(files):,} JPEG files of 12 megapixels",
        f"{distinct} photographs at {WIDTH}×{HEIGHT}, each as {VERSIONS} files of quality 76 to 95 "
        f"({megabytes:.1f} MB in the mean), against a bank of {entries:,} realistic hashes and the "
        f"fingerprints of {BANKED} of the photographs; files in the page cache. égide: the command "
        "`egide scan --jobs N`, by the clock, start-up, SHA-256 and JSON lines included, the "
        f"median of {rounds}. threatexchange: a loop of reading, `PdqSignal.hash_from_bytes` and "
        f"`PDQIndex.query`, by the clock, on a sample of {sample} of the files, every quality "
        "alike, its index built before; it looks one orientation up, égide eight, and eight more "
        "where a border was cut off.",
        [
            Goal("files a second, one core", "≥ 20×", f"{rate[1]:.1f}", f"{1 / peer.clock:.2f}",
                 times(faster), faster >= 20),
            Goal("two cores beside one", "≥ 1.8×", f"{rate[2]:.1f} and {rate[1]:.1f}", "",
                 times(scaled), scaled >= 1.8),
        ],
        [
            Table(
                "Of each file; processor time leaves out what other programs took:",
                ("", "clock", "processor", "files a second", "most memory"),
                rows,
            )
        ],
    )  # fmt: skip


def _files(settings: Settings, folder: Path, distinct: int) -> list[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = []
    for number, image in enumerate(pictures(settings, distinct, WIDTH, HEIGHT)):
        for version in range(VERSIONS):
            file = folder / f"{number:03d}-{version:02d}.jpg"
            file.write_bytes(peers.to_jpeg(image, 76 + version))
            files.append(file)
    return files


def _bank(settings: Settings, entries: int, home: Path, banked: list[Path]) -> None:
    """Copies the bank in the cache, and adds the photographs that are to be found."""
    from egide.bank import Home
    from egide.item import Item
    from egide.media.fingerprint import fingerprints_of

    banks.home(settings, entries)[0].close()
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(banks.path(settings, entries), home)
    bank = Home(home).bank(banks.NAME)
    for file in banked:
        prints: tuple[Fingerprint, ...] = fingerprints_of(Item.from_path(file))
        bank.add(prints)
    bank.store_index()


def _peer(settings: Settings, entries: int, files: list[Path]) -> Peer:
    known = hashes.bank_hashes(settings, hashes.REALISTIC, entries)
    index = peers.pdq_index()((row.tobytes().hex(), n) for n, row in enumerate(known))
    signal = peers.pdq_signal()

    def match(some: list[Path]) -> None:
        for file in some:
            digits = signal.hash_from_bytes(file.read_bytes())
            if digits:
                index.query(digits)

    match(files[:1])
    before = time.process_time()
    clock = clock_seconds(lambda: match(files))
    processor = time.process_time() - before
    return Peer(clock / len(files), processor / len(files), machine.resident_peak())
