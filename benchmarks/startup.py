"""How long the commands take to start."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import machine, peers
from benchmarks.banks import home, path
from benchmarks.pictures import pictures
from benchmarks.results import Goal, Part, Settings, Table, milliseconds, times
from benchmarks.timing import Ran, in_child
from benchmarks.timing import run as run_command
from egide.bank import Home

BIN: Final = Path(sys.executable).parent
VERSION, SCAN, BIG, THEIR_VERSION, THEIR_MATCH, PYTHON = (
    "`egide --version`",
    "`egide scan` of one file, empty bank",
    "`egide scan` of one file, large bank",
    "`threatexchange --version`",
    "`threatexchange match photo`",
    "`python -c pass`",
)
MOST: Final = {
    VERSION: (0.15, THEIR_VERSION),
    SCAN: (0.4, THEIR_MATCH),
    BIG: (0.4, THEIR_MATCH),
}


def run(settings: Settings) -> Part:
    """Times the real commands by the clock, in turns with the peer's."""
    entries, rounds = settings.few(50_000, 1_000_000), settings.few(3, 15)
    in_child(_make, settings, entries)
    with tempfile.TemporaryDirectory(dir=settings.cache) as name:
        picture = Path(name) / "picture.jpg"
        picture.write_bytes(peers.to_jpeg(next(pictures(settings, 1, 1600, 1200)), 90))
        Home(Path(name) / "home").create("empty")
        scan = [str(BIN / "egide"), "scan", str(picture), "--home"]
        theirs = str(BIN / "threatexchange")
        commands = {
            VERSION: [str(BIN / "egide"), "--version"],
            SCAN: [*scan, str(Path(name) / "home")],
            BIG: [*scan, str(path(settings, entries))],
            THEIR_VERSION: [theirs, "--version"],
            THEIR_MATCH: [theirs, "match", "photo", str(picture)],
            PYTHON: [sys.executable, "-c", "pass"],
        }
        env = os.environ | {"HOME": name}
        run_command(commands[THEIR_MATCH], env)  # makes its indices, of its own examples
        ran: dict[str, list[Ran]] = {key: [] for key in commands}
        with machine.cores(1):
            for _ in range(rounds):
                for key, command in commands.items():
                    ran[key].append(run_command(command, env))
    clock = {key: median(one.seconds for one in each) for key, each in ran.items()}
    rows = [
        (key, milliseconds(clock[key]), milliseconds(median(one.processor for one in each)),
         f"{median(one.memory for one in each) / 1e6:.0f} MB")
        for key, each in ran.items()
    ]  # fmt: skip
    return Part(
        "Start-up",
        f"The commands by the clock, in turns, one core, files in the page cache, the median of "
        f"{rounds}. The picture is a JPEG of 1600×1200; the large bank has {entries:,} entries; "
        "threatexchange matches with the examples that it ships.",
        [_goal(key, most, clock[key], clock[peer]) for key, (most, peer) in MOST.items()],
        [
            Table(
                "Processor time leaves out what other programs took:",
                ("command", "clock", "processor", "most memory"),
                [tuple(row) for row in rows],
            )
        ],
    )


def _make(settings: Settings, entries: int) -> None:
    home(settings, entries)[0].close()


def _goal(what: str, most: float, egide: float, peer: float) -> Goal:
    return Goal(
        what,
        f"< {most:g} s",
        milliseconds(egide),
        milliseconds(peer),
        times(peer / egide),
        egide < most,
    )
