"""`egide audit` over a million listings with a gazetteer of a million people, on two cores."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from tests.listings import civitai_models

from benchmarks import machine
from benchmarks.gazetteer import YEAR, invented_people
from benchmarks.results import Goal, Part, Settings, Table
from benchmarks.timing import Ran, in_child
from egide.hub.gazetteer_people import tables_of
from egide.hub.gazetteer_tables import write_tables

MOST_SECONDS: Final = 300
MOST_BYTES: Final = 1_500_000_000
SHARE: Final = 0.1
NAMED: Final = 20_000
EGIDE: Final = str(Path(sys.executable).with_name("egide"))


def run(settings: Settings) -> Part:
    """Times the real command on one core and on two."""
    listings, people = settings.few(20_000, 1_000_000), settings.few(50_000, 1_000_000)
    gazetteer = settings.cache / f"people-{people}.gazetteer"
    dump = settings.cache / f"listings-{listings}.jsonl"
    out, home = settings.cache / "audit-out", settings.cache / "home-audit"
    in_child(_prepare, gazetteer, people, dump, listings)
    command = [EGIDE, "audit", str(dump), "--gazetteer", str(gazetteer), "--out", str(out)]
    command += ["--home", str(home), "--jobs"]
    ran: dict[int, Ran] = {}
    try:
        for jobs in (2,) if settings.quick else (1, 2):
            with machine.cores(jobs):
                ran[jobs] = _run([*command, str(jobs)])
        summary = json.loads((out / "summary.json").read_text())
    finally:
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
    two = ran[2]
    rows: list[tuple[str, ...]] = [
        (
            f"--jobs {jobs}",
            f"{one.seconds:.0f} s",
            f"{one.processor:.0f} s",
            f"{listings / one.seconds:,.0f}",
            f"{one.memory / 1e6:,.0f} MB",
        )
        for jobs, one in ran.items()
    ]
    megabytes = dump.stat().st_size / 1e6
    return Part(
        "Audit",
        f"{listings:,} generated listings as Civitai's API gives them ({megabytes:,.0f} MB of JSON "
        f"Lines), one in ten of a person; a gazetteer of {people:,} generated people. The whole "
        f"command, from start to the page. It found {summary['likeness_total']:,} models of "
        "people.",
        [
            Goal(
                f"{listings:,} listings, 2 cores", f"< {MOST_SECONDS} s", f"{two.seconds:.0f} s",
                met=None if settings.quick else two.seconds < MOST_SECONDS,
            ),
            Goal(
                "memory, all processes together", f"< {MOST_BYTES / 1e6:,.0f} MB",
                f"{two.memory / 1e6:,.0f} MB", met=two.memory < MOST_BYTES,
            ),
        ],
        [
            Table(
                "By processes:",
                ("", "time", "processor time", "listings a second", "memory at most"),
                rows,
            )
        ],
    )  # fmt: skip


def _run(command: list[str]) -> Ran:
    """Runs `command`; its memory is that of all its processes, what they share counted once."""
    began, most = time.perf_counter(), 0
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - began
            return Ran(seconds, usage.ru_utime + usage.ru_stime, child.returncode, most)
        most = max(most, _memory(child.pid))
        time.sleep(0.2)


def _memory(pid: int) -> int:
    """Bytes that the process and its children hold, by their proportional set size."""
    total, pending = 0, [str(pid)]
    while pending:
        one = Path("/proc", pending.pop())
        try:
            fields = (line.split() for line in (one / "smaps_rollup").read_text().splitlines())
            total += sum(int(field[1]) * 1024 for field in fields if field[0] == "Pss:")
            for task in (one / "task").iterdir():
                pending += (task / "children").read_text().split()
        except OSError:  # it has ended
            continue
    return total


def _prepare(gazetteer: Path, people: int, dump: Path, listings: int) -> None:
    """Makes what is not there yet, in a process of its own: it takes memory."""
    if not gazetteer.exists():
        write_tables(gazetteer, tables_of(invented_people(people), year=YEAR))
    if dump.exists():
        return
    names = [entry.name for entry in islice(invented_people(people), NAMED)]
    part = dump.with_suffix(".part")
    with part.open("wb") as file:
        for model in civitai_models(listings, people=names, share=SHARE):
            file.write(msgspec.json.encode(model) + b"\n")
    part.replace(dump)
