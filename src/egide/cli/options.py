"""What several commands share: options, exit codes, open banks."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import typer

from egide.errors import UsageError
from egide.fingerprint import MAX_THRESHOLD
from egide.sniff import HEAD_BYTES, Kind, sniff_kind

if TYPE_CHECKING:
    from egide.bank import Home
    from egide.identity import Identity

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
GazetteerOption = Annotated[
    str | None,
    typer.Option(
        "--gazetteer",
        metavar="FILE",
        envvar="EGIDE_GAZETTEER",
        help="Names of people to look for in models and listings: a file that "
        "`egide gazetteer build` made.",
        show_default=False,
    ),
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        envvar="EGIDE_POLICY",
        help="Policy file (YAML); the one that ships when absent.",
        show_default=False,
    ),
]
ThresholdOption = Annotated[
    int,
    typer.Option(
        "--threshold",
        metavar="BITS",
        envvar="EGIDE_THRESHOLD",
        min=0,
        max=MAX_THRESHOLD,
        help="Distance in bits of 256 up to which two pictures are held to be one.",
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
    """A file to write text to that takes its place at `path` when it is complete; UsageError.

    To be used in a `with` block: until its end, and for good when it is left by an error, what was
    at `path` stays. Readable by its owner alone.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            return target.open("w", encoding="utf-8")  # a device or a pipe cannot be replaced
        _refuse_media(target)
        part = partial_path(target)
        descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; give another --out") from error
    return _Replacing(descriptor, part, target)


def partial_path(target: Path) -> Path:
    """Where this process writes what is to be at `target`."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")


def _refuse_media(target: Path) -> None:
    """A picture is surely not meant to be overwritten by a report."""
    if not target.exists():
        return
    with target.open("rb") as there:
        kind = sniff_kind(there.read(HEAD_BYTES))
    if kind in (Kind.IMAGE, Kind.VIDEO):
        raise UsageError(f"{target} is no report but media ({kind}); give another --out")


class _Replacing(io.TextIOWrapper):
    """Text written to `part`, which becomes `target` at the end of a `with` block."""

    def __init__(self, descriptor: int, part: Path, target: Path) -> None:
        super().__init__(os.fdopen(descriptor, "wb"), encoding="utf-8")
        self._part = part
        self._target = target

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
            if kind is None:
                self._part.replace(self._target)
        finally:
            self._part.unlink(missing_ok=True)


def open_home(path: Path | None) -> Home:
    """The home at `path`, EGIDE_HOME, or the default."""
    from egide.bank import Home

    return Home(path)


@contextmanager
def open_identity(path: Path | None) -> Iterator[Identity]:
    """Keys, people and the audit log of the home at `path`; closed at the block's end."""
    from egide.identity import Identity

    home = open_home(path)
    with Identity(home.database, home.path) as identity:
        yield identity


def warn(message: str) -> None:
    """Says `message` on standard error; what a file's name brings along cannot move the cursor."""
    from egide.report.clean import visible

    print(f"egide: {visible(message)}", file=sys.stderr)
