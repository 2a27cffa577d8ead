"""What several commands share: options, exit codes, open banks."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import typer

from egide.errors import UsageError

if TYPE_CHECKING:
    from egide.bank import Home

EXIT_CLEAN: Final = 0
EXIT_FOUND: Final = 1
EXIT_USAGE: Final = 2
EXIT_INCOMPLETE: Final = 3
EXIT_NOTHING: Final = 4

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="FOLDER",
        envvar="EGIDE_HOME",
        help="Folder with the banks; by default 'egide' in your data folder.",
        show_default=False,
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        envvar="EGIDE_JOBS",
        min=1,
        max=256,
        help="Threads to work on; by default one for each core.",
        show_default=False,
    ),
]
RevealOption = Annotated[
    bool,
    typer.Option(
        "--reveal",
        envvar="EGIDE_REVEAL",
        help="Show names, handles and references that are masked otherwise.",
    ),
]


def open_private(path: Path) -> TextIO:
    """The file at `path`, emptied, to write text to, readable by its owner alone; UsageError."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, 0o600)  # it may have been there before, for others to read
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; give another --out") from error
    return os.fdopen(descriptor, "w", encoding="utf-8")


def open_home(path: Path | None) -> Home:
    """The home at `path`, EGIDE_HOME, or the default."""
    from egide.bank import Home

    return Home(path)


def warn(message: str) -> None:
    """Says `message` on standard error; what a file's name brings along cannot move the cursor."""
    from egide.report.clean import visible

    print(f"egide: {visible(message)}", file=sys.stderr)
