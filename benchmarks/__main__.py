"""`python -m benchmarks [NAME…]`: measures, and writes RESULTS.md from what was measured."""

from __future__ import annotations

import argparse
import os
from importlib import import_module
from pathlib import Path
from typing import Final

from benchmarks import machine
from benchmarks.results import RESULTS, Part, Settings, save, write

NAMES: Final = [
    "hashing",
    "agreement",
    "index",
    "scan",
    "local",
    "video",
    "startup",
    "text",
    "models",
    "gazetteer",
    "likeness",
    "audit",
    "tracing",
    "watermark",
    "service",
]


def main() -> None:
    """Runs what is named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; or all")
    parser.add_argument("--quick", action="store_true", help="few repetitions, small sizes")
    parser.add_argument(
        "--most-entries", type=int, default=10_000_000, help="leave larger indices out: memory"
    )
    parser.add_argument("--write", action="store_true", help="measure nothing, write RESULTS.md")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    default = Path.home() / ".cache" / "egide-bench"
    cache = Path(os.environ.get("EGIDE_BENCH_CACHE") or default)
    settings = Settings(cache, arguments.quick, arguments.most_entries)
    for key, value in machine.describe().items():
        print(f"{key}: {value}")
    print(f"load: {machine.load()}")
    for name in [] if arguments.write else arguments.names or NAMES:
        before = machine.load()
        part: Part = import_module(f"benchmarks.{name}").run(settings)
        save(name, part, settings, before)
        print(f"\n{part.title}")
        for goal in part.goals:
            print("  " + " | ".join(cell for cell in goal.cells() if cell))
        for table in part.tables:
            print(f"  {table.title} {' | '.join(table.columns)}")
            for row in table.rows:
                print("    " + " | ".join(row))
    write(NAMES, settings.cache)
    print(f"\nwrote {RESULTS}")


if __name__ == "__main__":
    main()
