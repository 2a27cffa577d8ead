"""What a video costs to scan and to bank: times real time, and memory."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks import clips, machine, peers
from benchmarks.local_cost import Cost
from benchmarks.pictures import pictures
from benchmarks.results import Goal, Table
from benchmarks.timing import in_child
from benchmarks.timing import run as run_command
from egide.bank import Home
from egide.item import Item
from egide.media.fingerprint import fingerprints_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from benchmarks.results import Settings

WIDTH, HEIGHT, RATE = 1920, 1080, 30
SHOT_SECONDS: Final = 5
BITS: Final = 5_000_000
LEAST_SPEED: Final = 20.0
MOST_MEMORY: Final = 300e6
ENCODINGS: Final = {
    "key frame every 8.3 s, B-frames": {"preset": "veryfast", "g": "250", "bf": "3"},
    "key frame every 2 s": {"preset": "veryfast", "g": "60", "bf": "2", "sc_threshold": "0"},
}
"""x264's own spacing of key frames, as files have it, and that of streams."""


def measure(settings: Settings) -> Cost:
    """Scans with the real command on one core; banks in a process of its own."""
    seconds, long = settings.few(10, 60), settings.few(2, 20)
    goals: list[Goal] = []
    rows: list[tuple[str, ...]] = []
    has_vpdq = "vpdq" in peers.versions(settings)
    with tempfile.TemporaryDirectory(dir=settings.cache) as folder:
        home = Path(folder) / "home"
        files: dict[str, Path] = {}
        for name, options in ENCODINGS.items():
            files[name] = Path(folder) / f"{len(files)}.mp4"
            _write(settings, files[name], seconds, options)
        with closing(Home(home)) as opened:
            bank = opened.create("clips")
            still = np.ascontiguousarray(next(_shots(settings, 1)))
            bank.add(fingerprints_of(Item.from_bytes(peers.to_jpeg(still, 90))))
        for name, file in files.items():
            bits = file.stat().st_size * 8 / seconds / 1e6
            with machine.cores(1):
                one = _scan(home, file)
                dense, memory = in_child(_bank, file)
                peer = peers.ask(settings, do="vpdq", banked=[str(file)], queries=[])["seconds"] \
                    if has_vpdq else []  # fmt: skip
            speed = seconds / one.processor
            their = f"{seconds / peer[0]:.1f}×" if peer else "not installed"
            goals.append(
                Goal(f"scan of 1080p H.264, one core, {name}", f"≥ {LEAST_SPEED:g}× real time",
                     f"{speed:.1f}×", their, met=speed >= LEAST_SPEED)
            )  # fmt: skip
            rows.append(
                (name, f"{seconds} s", f"{bits:.1f} Mbit/s", f"{speed:.1f}×",
                 f"{one.memory / 1e6:.0f} MB", f"{seconds / dense:.1f}×",
                 f"{memory / 1e6:.0f} MB", their)
            )  # fmt: skip
        repeated = Path(folder) / "long.mp4"
        name, file = next(iter(files.items()))
        _repeat(file, repeated, long)
        with machine.cores(1):
            one = _scan(home, repeated)
        rows.append(
            (f"{name}, {long} times over", f"{seconds * long} s", "",
             f"{seconds * long / one.processor:.1f}×", f"{one.memory / 1e6:.0f} MB", "", "", "")
        )  # fmt: skip
        goals.append(
            Goal(f"memory, scanning {seconds * long / 60:.0f} minutes of it",
                 f"< {MOST_MEMORY / 1e6:.0f} MB", f"{one.memory / 1e6:.0f} MB",
                 met=one.memory < MOST_MEMORY)
        )  # fmt: skip
    return Cost(
        goals,
        [
            Table(
                f"Speed at {WIDTH}×{HEIGHT}, {RATE} frames a second: photographs panned over and "
                f"cut every {SHOT_SECONDS} s, with grain, about {BITS / 1e6:g} Mbit/s. Scanning is "
                "`egide scan` of the file, start-up included, against a bank with local "
                "fingerprints in which it is not; banking is `fingerprints_of`; vPDQ is its "
                "hashing alone. Times real time, of processor time, one core:",
                (
                    "1080p H.264",
                    "length",
                    "rate",
                    "scanning",
                    "most memory",
                    "banking",
                    "most memory, banking",
                    "vPDQ",
                ),
                rows,
            )
        ],
    )


def _scan(home: Path, file: Path) -> Any:
    egide = str(Path(sys.executable).with_name("egide"))
    ran = run_command([egide, "scan", str(file), "--home", str(home), "--format", "jsonl"])
    if ran.code not in {0, 1}:
        raise RuntimeError(f"egide scan ended with {ran.code}")
    return ran


def _bank(file: Path) -> tuple[float, int]:
    started = time.process_time()
    fingerprints_of(Item.from_path(file))
    return time.process_time() - started, machine.resident_peak()


def _shots(settings: Settings, count: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures a fifth larger than the frame, to pan over."""
    return pictures(settings, count, WIDTH * 6 // 5 // 2 * 2, HEIGHT * 6 // 5 // 2 * 2)


def _write(settings: Settings, file: Path, seconds: int, options: dict[str, str]) -> None:
    clips.write(file, _frames(settings, seconds), Fraction(RATE), BITS, options)


def _frames(settings: Settings, seconds: int) -> Iterator[NDArray[np.uint8]]:
    random = np.random.default_rng(4)
    grain = [random.integers(-6, 7, (HEIGHT, WIDTH, 1), np.int16) for _ in range(4)]
    length = SHOT_SECONDS * RATE
    for picture in _shots(settings, -(-seconds // SHOT_SECONDS)):
        for number in range(length):
            left = (picture.shape[1] - WIDTH) * number // length
            top = (picture.shape[0] - HEIGHT) * number // length
            view = picture[top : top + HEIGHT, left : left + WIDTH]
            yield np.clip(view + grain[number % 4], 0, 255).astype(np.uint8)


def _repeat(source: Path, file: Path, times: int) -> None:
    """The same packets over and over: a long video without encoding one."""
    import av

    with av.open(str(file), "w") as out:
        stream: Any = None
        shift = 0
        for _ in range(times):
            with av.open(str(source)) as container:
                given = container.streams.video[0]
                if stream is None:
                    stream = out.add_stream_from_template(given)
                last = 0
                for packet in container.demux(given):
                    if packet.pts is None or packet.dts is None:
                        continue
                    last = max(last, packet.pts + (packet.duration or 1))
                    packet.pts += shift
                    packet.dts += shift
                    packet.stream = stream
                    out.mux(packet)
                shift += last
