"""`egide demo`: the main job, on the examples that égide ships."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import typer

from egide.cli.options import open_private, warn
from egide.errors import UsageError

if TYPE_CHECKING:
    from egide.bank import Bank

DEFAULT_OUT: Final = Path("egide-demo.html")


def demo(
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="Where to write the HTML report."),
    ] = DEFAULT_OUT,
) -> None:
    """Bank five example pictures, scan a folder of uploads, and write a report.

    Works in a temporary home: your own banks are left alone.
    """
    from egide.bank import Home
    from egide.report import Summary, make_reporter
    from egide.scan import Scanner
    from egide.source import expand

    examples = _examples()
    page, out = _page(out)
    with page, tempfile.TemporaryDirectory(prefix="egide-demo-") as folder:
        home = Home(Path(folder))
        bank = home.create("demo")
        warn(f"banked {_fill(bank, examples / 'known')} pictures of {examples / 'known'}")
        scanner = Scanner.with_banks(bank)
        summary = Summary(policy=scanner.policy.id, banks=(bank.name,))
        started = time.monotonic()
        reporters = [make_reporter("table", sys.stdout), make_reporter("html", page)]
        for verdict in scanner.scan_all(expand([str(examples / "uploads")])):
            summary.add(verdict)
            for reporter in reporters:
                reporter.verdict(verdict)
        summary.seconds = time.monotonic() - started
        for reporter in reporters:
            reporter.finish(summary)
        home.close()
    print(f"Report: {out.resolve()}")


def _page(out: Path) -> tuple[TextIO, Path]:
    """The report's file, and where it is: not in the current folder when that is read-only."""
    try:
        return open_private(out), out
    except UsageError as error:
        if out != DEFAULT_OUT:
            raise
        elsewhere = Path(tempfile.mkdtemp(prefix="egide-demo-")) / out
        warn(f"{error.detail}. The report goes to {elsewhere.parent} instead")
        return open_private(elsewhere), elsewhere


def _fill(bank: Bank, folder: Path) -> int:
    from egide.media.fingerprint import fingerprints_of
    from egide.source import expand

    added = [bank.add(fingerprints_of(item), ref=item.ref) for item in expand([str(folder)])]
    bank.store_index()
    return len(added)


def _examples() -> Path:
    """The examples: installed beside the package, or in the clone that it runs from."""
    package = Path(__file__).parent.parent
    for folder in (package / "examples", package.parent.parent / "examples"):
        if (folder / "known").is_dir():
            here = Path.cwd()
            return folder.relative_to(here) if folder.is_relative_to(here) else folder
    raise UsageError("the examples are not installed; clone the repository and run `make demo`")
