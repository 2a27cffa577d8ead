"""`egide trace`: what files say of their making, and which listings their models are of."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from egide.cli.options import (
    EXIT_CLEAN,
    EXIT_INCOMPLETE,
    EXIT_NOTHING,
    GazetteerOption,
    HomeOption,
    JobsOption,
    RevealOption,
    open_private,
    warn,
)
from egide.errors import UsageError

if TYPE_CHECKING:
    from egide.hub.gazetteer import Gazetteer
    from egide.item import Item
    from egide.provenance.account import Trace
    from egide.report.graph import Graph
    from egide.report.traced import TraceReporter

FORMATS: Final = ("table", "jsonl")


def trace(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Pictures, videos, PDF files and folders of them; '-' reads paths from standard "
            "input.",
            show_default=False,
        ),
    ],
    format: Annotated[  # noqa: A002
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="table or jsonl; by default table on a terminal, jsonl in a pipe.",
            show_default=False,
        ),
    ] = None,
    graph: Annotated[
        Path | None,
        typer.Option(
            "--graph",
            metavar="FILE",
            help="HTML page to write: pictures, their models, the listings, the accounts.",
            show_default=False,
        ),
    ] = None,
    trust_list: Annotated[
        Path | None,
        typer.Option(
            "--trust-list",
            metavar="FILE",
            envvar="EGIDE_C2PA_TRUST",
            help="Certificates (PEM) whose signatures on Content Credentials are trusted, in the "
            "place of C2PA's own list, which ships.",
            show_default=False,
        ),
    ] = None,
    gazetteer: GazetteerOption = None,
    jobs: JobsOption = None,
    reveal: RevealOption = False,
    home: HomeOption = None,
) -> None:
    """Tell of every file what it says of its making, where it says so, and how far to believe it.

    Nothing found proves nothing: one re-encoding removes everything. Exit code: 0 all was read, 2
    wrong usage, 3 something could not be read, or interrupted, 4 nothing was traced.
    """
    from egide.cli.progress import ProgressBar
    from egide.detectors.provenance import Provenance
    from egide.parallel import ordered_map
    from egide.report.traced import make_reporter

    if format is not None and format not in FORMATS:
        raise UsageError(f"--format takes one of {', '.join(FORMATS)}, not {format!r}")
    _check(paths, graph)
    shown = format or ("table" if sys.stdout.isatty() else "jsonl")
    reporter = make_reporter(shown, sys.stdout, reveal=reveal)
    tracer = Provenance(_gazetteer(gazetteer), _home(home), trust_list)
    drawn = _graph(graph, reveal=reveal)
    run = _Run(reporter, drawn)
    items = (item for item in _items(paths) if graph is None or item.ref != str(graph))
    with ProgressBar(paths, listing=True) as bar:
        run.report(bar.track(ordered_map(tracer.account, items, jobs)))
    if graph is not None and drawn is not None:
        with open_private(graph) as page:
            drawn.write(page)
        warn(f"wrote {graph}")
    raise typer.Exit(run.exit_code)


class _Run:
    """One run of the command: what is counted, and the exit code it comes to."""

    def __init__(self, reporter: TraceReporter, graph: Graph | None) -> None:
        self.reporter = reporter
        self.graph = graph
        self.traced = 0
        self.incomplete = False

    def report(self, traces: Iterable[Trace]) -> None:
        """Reports `traces`; Ctrl-C ends it early, with what was read so far reported."""
        began = time.monotonic()
        try:
            for found in traces:
                self.reporter.trace(found)
                self.traced += found.is_traced
                self.incomplete |= bool(found.errors)
                if self.graph is not None:
                    self.graph.add(found)
        except KeyboardInterrupt:
            warn("interrupted: this is what was read so far")
            self.incomplete = True
        self.reporter.finish(time.monotonic() - began)

    @property
    def exit_code(self) -> int:
        """Unread files outrank an empty run."""
        if self.incomplete:
            return EXIT_INCOMPLETE
        return EXIT_CLEAN if self.traced else EXIT_NOTHING


def _items(paths: list[str]) -> Iterator[Item]:
    """Every file at `paths` as one item: records of listings are none that could be traced."""
    from egide.item import Item
    from egide.source import expand, files_in

    for path in paths:
        if path == "-":
            yield from expand(["-"], sys.stdin.buffer)
        elif os.path.isdir(path):  # noqa: PTH112  Path.is_dir() raises for a path that is too long
            yield from files_in(path)
        else:
            yield Item.from_path(path)


def _check(paths: list[str], graph: Path | None) -> None:
    """Refuses what is most likely a slip before anything is read or written."""
    for path in paths:
        if path != "-" and not os.path.lexists(path):
            raise UsageError(f"{path!r}: no such file or folder; nothing was traced")
        if graph is not None and path != "-" and Path(path).resolve() == graph.resolve():
            raise UsageError(f"--graph {graph} is what is to be traced; give another file")


def _gazetteer(name: str | None) -> Gazetteer | None:
    if not name:
        return None
    from egide.hub.gazetteer_sample import open_gazetteer

    return open_gazetteer(name)


def _home(home: Path | None) -> Path:
    from egide.bank.home import default_home

    return home or default_home()


def _graph(path: Path | None, *, reveal: bool) -> Graph | None:
    if path is None:
        return None
    from egide.report.graph import Graph

    return Graph(reveal=reveal)
