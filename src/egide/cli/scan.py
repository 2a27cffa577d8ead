"""`egide scan`: verdicts on files and folders."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from egide.cli.options import (
    EXIT_CLEAN,
    EXIT_FOUND,
    EXIT_INCOMPLETE,
    EXIT_NOTHING,
    GazetteerOption,
    HomeOption,
    JobsOption,
    PolicyOption,
    RevealOption,
    ThresholdOption,
    open_home,
    open_private,
    partial_path,
    warn,
)
from egide.errors import UsageError
from egide.fingerprint import DEFAULT_THRESHOLD, FingerprintType
from egide.sniff import Kind
from egide.verdict import Action, Verdict

if TYPE_CHECKING:
    from egide.bank import Bank, Home
    from egide.item import Item
    from egide.registry.model_files import Registering
    from egide.report import Baseline, Reporter, Summary
    from egide.scan import Scanner

STREAMED: Final = ("table", "jsonl")
FORMATS: Final = (*STREAMED, "html", "sarif")
_BY_SUFFIX: Final = {".html": "html", ".htm": "html", ".sarif": "sarif", ".jsonl": "jsonl"}


def scan(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Files and folders; files of listings or texts (JSON, JSON Lines, CSV, also "
            "compressed) give a verdict for each record. '-' reads paths from standard input, one "
            "a line or ended by zero bytes, or such records.",
            show_default=False,
        ),
    ],
    bank: Annotated[
        list[str] | None,
        typer.Option(
            "--bank",
            "-b",
            metavar="NAME",
            envvar="EGIDE_BANK",
            help="Bank to look in; may be repeated. All block and allow banks when absent.",
            show_default=False,
        ),
    ] = None,
    policy: PolicyOption = None,
    fail_on: Annotated[
        str,
        typer.Option(
            "--fail-on",
            metavar="ACTION",
            envvar="EGIDE_FAIL_ON",
            help="Exit with 1 when a verdict is at or over this: review, block or escalate.",
        ),
    ] = "review",
    format: Annotated[  # noqa: A002
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            envvar="EGIDE_FORMAT",
            help="table, jsonl, html or sarif; by default table on a terminal, jsonl in a pipe.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            envvar="EGIDE_OUT",
            help="File to write a report to, its format told by its suffix (.html, .sarif, "
            ".jsonl) or else by --format; may be repeated.",
            show_default=False,
        ),
    ] = None,
    threshold: ThresholdOption = DEFAULT_THRESHOLD,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="FILE",
            envvar="EGIDE_BASELINE",
            help="Earlier jsonl report: what it found is left out.",
            show_default=False,
        ),
    ] = None,
    gazetteer: GazetteerOption = None,
    register: Annotated[
        bool,
        typer.Option(
            "--register/--no-register",
            envvar="EGIDE_REGISTER",
            help="Put model files into the home's registry, by which `egide trace` finds them: "
            "each is then read in full for its hashes.",
        ),
    ] = False,
    jobs: JobsOption = None,
    reveal: RevealOption = False,
    home: HomeOption = None,
) -> None:
    """Say of every file what was found in it and what to do about it.

    Exit code: 0 nothing at or over --fail-on, 1 something was, 2 wrong usage, 3 incomplete (an
    error or a skip, and nothing found), 4 nothing was scanned.
    """
    from egide.detector import DetectorSettings, load_detectors
    from egide.policy_file import load_policy
    from egide.report import Baseline
    from egide.scan import Scanner

    limit = _limit(fail_on)
    targets = _targets(out or [], format)
    _check_paths(paths)
    _check_outs(out or [], paths, baseline)
    known = Baseline.load(baseline) if baseline else None
    rules = load_policy(policy)
    opened = open_home(home)
    banks = _banks(opened, bank or [])
    options = {} if gazetteer is None else {"gazetteer": gazetteer}
    detectors = load_detectors(DetectorSettings(tuple(banks), threshold, opened.path, options))
    with ExitStack() as stack:
        reporters = [target.reporter(stack, reveal=reveal) for target in targets]
        written = [target.path for target in targets if target.path is not None]
        run = _Run(Scanner(detectors, rules), known, [bank.name for bank in banks], written)
        if register:
            from egide.registry.model_files import Registering

            run.registering = stack.enter_context(Registering(opened.path))
        listing = _Target("jsonl", None) in targets
        run.scan(paths, jobs, reporters, limit, listing=listing)
    if gazetteer is None and run.has_models:
        warn(
            "no gazetteer: people were not looked for by name; give --gazetteer FILE, "
            "see `egide gazetteer --help`"
        )
    raise typer.Exit(run.exit_code)


class _Target(NamedTuple):
    """A report to write: to the file at `path`, or to standard output."""

    format: str
    path: Path | None

    def reporter(self, stack: ExitStack, *, reveal: bool) -> Reporter:
        """The reporter, its file opened so that only the owner reads it."""
        from egide.report import make_reporter

        if self.path is None:
            return make_reporter(self.format, sys.stdout, reveal=reveal)
        file = stack.enter_context(open_private(self.path))
        return make_reporter(self.format, file, reveal=reveal)


class _Run:
    """One run of the command: what is counted, and the exit code it comes to."""

    def __init__(
        self, scanner: Scanner, known: Baseline | None, banks: list[str], written: list[Path]
    ) -> None:
        from egide.report import Summary

        own = [path.resolve() for path in written]
        self.own = frozenset([*own, *map(partial_path, own)])
        self.own_names = frozenset(path.name for path in self.own)

        self.scanner = scanner
        self.known = known
        self.registering: Registering | None = None
        self.summary: Summary = Summary(policy=scanner.policy.id, banks=tuple(banks))
        self.attributes: deque[Mapping[str, str]] = deque()
        self.found = False
        self.incomplete = False
        self.has_models = False
        self.read = 0

    def scan(
        self,
        paths: list[str],
        jobs: int | None,
        reporters: list[Reporter],
        limit: Action,
        *,
        listing: bool,
    ) -> None:
        """Scans and reports; Ctrl-C ends it early, with what was found so far reported.

        `listing` tells that standard output gets a line for every item.
        """
        from egide.cli.progress import ProgressBar
        from egide.source import expand

        started = time.monotonic()
        items = filter(self._is_input, expand(paths, sys.stdin.buffer))
        verdicts = self.scanner.scan_all(self._noted(items), jobs)
        try:
            with ProgressBar(paths, listing=listing) as bar:
                for verdict in self._counted(bar.track(verdicts), limit):
                    with bar.paused_for(verdict):
                        for reporter in reporters:
                            reporter.verdict(verdict)
        except KeyboardInterrupt:
            self.summary.interrupted = True
            self.incomplete = True
        self.summary.seconds = time.monotonic() - started
        for reporter in reporters:
            reporter.finish(self.summary)

    def _is_input(self, item: Item) -> bool:
        """Whether `item` is not a report of this very run, written into the folder it scans."""
        name = os.path.basename(item.ref)  # noqa: PTH119  a Path for every item would be slow
        return name not in self.own_names or Path(item.ref).resolve() not in self.own

    def _noted(self, items: Iterable[Item]) -> Iterator[Item]:
        """`items`, the attributes of each kept until its verdict comes: a baseline decides anew."""
        for item in items:
            if self.registering is not None:
                self.registering.expect(item)
            if self.known is not None:
                self.attributes.append(item.attributes)
            yield item

    def _counted(self, verdicts: Iterable[Verdict], limit: Action) -> Iterator[Verdict]:
        for scanned in verdicts:
            verdict = scanned
            if self.registering is not None:
                self.registering.take(verdict)
            if self.known is not None:
                attributes = self.attributes.popleft()
                verdict, suppressed = self.known.strip(scanned, self.scanner.policy, attributes)
                self.summary.suppressed += suppressed
            self.summary.add(verdict)
            self.found |= verdict.reaches(limit)
            self.incomplete |= verdict.incomplete
            self.read += not _unread(verdict)
            self.has_models |= verdict.kind in (Kind.MODEL, Kind.LISTING)
            yield verdict

    @property
    def exit_code(self) -> int:
        """A finding outranks an incomplete scan, which outranks an empty one."""
        if self.summary.interrupted:
            return EXIT_INCOMPLETE
        if self.found:
            return EXIT_FOUND
        if not self.read and not self.summary.errors:
            return EXIT_NOTHING
        return EXIT_INCOMPLETE if self.incomplete else EXIT_CLEAN


def _unread(verdict: Verdict) -> bool:
    """Whether no detector reads this kind of content, so that the item was only passed by."""
    from egide.scan import SCANNER_NAME

    return any(skip.detector == SCANNER_NAME for skip in verdict.skipped)


def _limit(word: str) -> Action:
    limits = [str(action) for action in Action if action is not Action.ALLOW]
    if word not in limits:
        raise UsageError(f"--fail-on takes one of {', '.join(limits)}, not {word!r}")
    return Action(word)


def _targets(outs: list[Path], format_: str | None) -> list[_Target]:
    """The reports to write, for what --out and --format say together."""
    if format_ is not None and format_ not in FORMATS:
        raise UsageError(f"--format takes one of {', '.join(FORMATS)}, not {format_!r}")
    default = "table" if sys.stdout.isatty() else "jsonl"
    targets = [
        _Target(_BY_SUFFIX.get(path.suffix.lower()) or format_ or default, path)
        for path in dict.fromkeys(outs)
    ]
    if format_ is None:
        return [_Target(default, None), *targets]
    if any(target.format == format_ for target in targets):
        return targets
    if format_ not in STREAMED:
        raise UsageError(f"--format {format_} needs --out FILE.{format_}")
    return [_Target(format_, None), *targets]


def _check_paths(paths: list[str]) -> None:
    """Refuses a path that is not there before anything is scanned: it is most likely a slip."""
    for path in paths:
        if path != "-" and not os.path.lexists(path):
            raise UsageError(f"{path!r}: no such file or folder; nothing was scanned")


def _check_outs(outs: list[Path], paths: list[str], baseline: Path | None) -> None:
    """Refuses to write over what is read: most likely a slip, and nothing would be left of it."""
    read = {Path(path).resolve() for path in paths if path != "-"}
    if len({out.resolve() for out in outs}) < len(outs):
        raise UsageError("--out names one file twice; give each report its own")
    for out in outs:
        if baseline is not None and out.resolve() == baseline.resolve():
            raise UsageError(f"--out {out} is the baseline itself; give another file")
        if out.resolve() in read:
            raise UsageError(f"--out {out} is what is to be scanned; give another file")


def _banks(home: Home, names: list[str]) -> list[Bank]:
    """The banks to look in: those named, or all that are not libraries."""
    from egide.match import Purpose

    if names:
        banks = [home.bank(name) for name in dict.fromkeys(names)]
    else:
        banks = [bank for bank in home.banks() if bank.purpose is not Purpose.LIBRARY]
    if names and all(bank.purpose is Purpose.LIBRARY for bank in banks):
        raise UsageError(
            f"{names[0]!r} is a library of what the platform hosts: uploads are compared with "
            "block banks; name one"
        )
    if not any(bank.purpose is Purpose.BLOCK for bank in banks):
        warn(
            f"no block bank in {home.path}: known pictures cannot be found; "
            "see `egide bank create --help`"
        )
    for bank in banks:
        if not any(bank.holds(type_) for type_ in FingerprintType):
            warn(f"bank {bank.name} is empty; see `egide bank add --help`")
    return banks
