"""What the commands on the desk's log have in common: options, files, the log of a home."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from egide.cli.options import EXIT_FOUND, open_home, warn
from egide.errors import LogError, UsageError

if TYPE_CHECKING:
    from egide.bank import Home
    from egide.desk.log_checkpoint import Checkpoint
    from egide.desk.log_note import Verifier

KeyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="KEY",
        help="The log's public key, as `egide desk log key` printed it; may repeat. "
        "By default the keys that the database has.",
        show_default=False,
    ),
]
AgainstOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--against",
        metavar="FILE",
        help="A checkpoint that was kept elsewhere: the log must go on from it; may repeat.",
        show_default=False,
    ),
]
TrustOption = Annotated[
    Path | None,
    typer.Option(
        "--trust",
        metavar="FILE",
        help="Certificates (PEM) that the authority's must lead to.",
        show_default=False,
    ),
]


@contextmanager
def opened_home(home: Path | None) -> Iterator[Home]:
    """The home at `home`, EGIDE_HOME, or the default, for a `with` block."""
    opened = open_home(home)
    try:
        yield opened
    finally:
        opened.close()


def signed_head(home: Home) -> Checkpoint:
    """The present head, signed; what contradicts an earlier one ends the command with 1."""
    from egide.desk.log import Log
    from egide.desk.log_checkpoint import Checkpoints
    from egide.desk.log_key import open_signer

    try:
        return Checkpoints(home.database, Log()).sign(open_signer(home.database, home.path))
    except LogError as error:
        fail(str(error))


def require_growth(home: Home, path: Path, old: Checkpoint) -> None:
    """Ends the command with 1 unless the log goes on from a checkpoint that was kept elsewhere."""
    from egide.desk.log import Log
    from egide.desk.log_tree import extends

    log = Log()
    with home.database.read() as connection:
        size = log.size(connection)
        if old.size > size:
            fail(
                f"{path} is of {old.size} leaves and the log has {size}: it was cut, or an older "
                "state was put in its place"
            )
        grown = log.consistency(connection, old.size, size)
        if not extends(old.size, old.root, size, log.root(connection, size), grown):
            fail(
                f"the log does not go on from {path}: of its first {old.size} leaves one was "
                "changed; `egide desk log verify` looks closer"
            )


def verifiers_of(home: Home, given: Sequence[str] | None) -> list[Verifier]:
    """The keys that were given, or else those that the database has; ends with 1 when not ours."""
    from egide.desk.log_key import known_verifiers
    from egide.desk.log_note import Verifier

    if given:
        return [Verifier.parse(each) for each in given]
    try:
        return known_verifiers(home.database, home.path)
    except LogError as error:
        fail(str(error))


def outside_head(path: Path, verifiers: Sequence[Verifier]) -> Checkpoint:
    """A checkpoint in a file; the command ends with 1 when no key of the log signed it."""
    from egide.desk.log_checkpoint import Checkpoint

    try:
        return Checkpoint.opened(text_of(path), verifiers)
    except LogError as error:
        fail(f"{path}: {error.detail}")


def stamp_troubles(home: Home, trust: Path | None) -> Iterator[str]:
    """What is wrong with the time stamps that are kept."""
    from egide.desk import log_stamp

    roots = log_stamp.trusted(trust) if trust else []
    with home.database.read() as connection:
        kept = log_stamp.stamps(connection)
    for each in kept:
        try:
            log_stamp.timed(each.response, each.note, roots)
        except LogError as error:
            yield f"stamp {each.seq} of checkpoint {each.checkpoint}: {error.detail}"


def text_of(path: Path) -> str:
    """What a file says, of a size that a proof can have; UsageError."""
    try:
        return bytes_of(path).decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text; give the file as it was written") from None


def bytes_of(path: Path) -> bytes:
    """What a file holds, up to a little more than any of ours; UsageError."""
    from egide.desk.log_note import MOST_NOTE

    try:
        with path.open("rb") as file:
            return file.read(MOST_NOTE + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def fail(said: str) -> NoReturn:
    """Ends the command with 1 and one line."""
    warn(said)
    raise typer.Exit(EXIT_FOUND)
