"""`egide desk retention`, `erase` and `export`: what is let go of, and what is handed over."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from egide.cli.options import HomeOption, open_home, open_private, warn
from egide.errors import CaseErased, CaseStands, UsageError

if TYPE_CHECKING:
    from egide.desk.casebook import Casebook
    from egide.desk.retention import Due

CaseArgument = Annotated[
    str, typer.Argument(metavar="CASE", help="The case's number.", show_default=False)
]


def retention(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Let go of it, for good.")] = False,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--retention-policy",
            metavar="FILE",
            envvar="EGIDE_DESK_RETENTION_POLICY",
            help="What goes, when and why (YAML); the one that ships when absent.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Let go of what need not be kept any longer, by a policy with its reasons.

    One JSON line for each case, or kind of record, that goes. What is erased of a case leaves the
    log whole; escalated cases are preserved for a year.
    """
    from egide.desk.retention import Retention, read_policy

    if dry_run == apply:
        raise UsageError("give --dry-run or --apply")
    read = read_policy(policy)
    with open_book(home) as book:
        keeping = Retention(book, read)
        count = 0
        # Closed before the home is: in its end it lets nothing linger.
        with closing(keeping.apply() if apply else _each(keeping.due())) as going:
            for each in going:
                print(json.dumps(each.to_json(), ensure_ascii=False))
                count += 1
    warn(f"{count} {'are gone' if apply else 'would go'}")


def erase(
    case: CaseArgument,
    because: Annotated[
        str,
        typer.Option("--because", metavar="WORDS", help="Why, for the record: no names."),
    ] = "on request",
    home: HomeOption = None,
) -> None:
    """Erase what is personal in a case at once: contact, signature, words, addresses.

    For a case that nobody works on any more. Its fingerprints go on stopping copies until the
    notice is withdrawn; the log goes on holding.
    """
    from egide.desk.erasing import erase as erase_case
    from egide.desk.numbers import number_of
    from egide.identity.scopes import CONSOLE

    with open_book(home) as book:
        try:
            erase_case(book, number_of(case), CONSOLE.actor, because[:200])
        except CaseErased:  # by an earlier run, which may not have come as far as this
            book.scrub()
            raise
        book.scrub()


def export(
    case: CaseArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Folder to write case.json, case.txt and the log's proofs to; without it the JSON "
            "goes to standard output.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write down all that is held about whoever sent a notice, for that person.

    JSON, and the same to be read; without the names of those who worked on it, and without what
    others said. That it was done is an event of the case. Of an escalated case nothing is exported.
    """
    from egide.desk.export import exported, readable
    from egide.desk.export_proofs import proofs
    from egide.desk.numbers import number_of

    with open_book(home) as book:
        _reveal(book, number_of(case))
        held = exported(book, number_of(case))
        as_json = json.dumps(held, ensure_ascii=False, indent=2)
        if out is None:
            print(as_json)
            return
        files = {"case.json": as_json + "\n", "case.txt": readable(held)}
        files |= proofs(book, home_of(home), held)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in files.items():
        with open_private(out / name) as file:
            file.write(text)


def _each(due: Iterable[Due]) -> Generator[Due]:
    yield from due


def _reveal(book: Casebook, number: str) -> None:
    """Notes that somebody is shown who sent a notice, before anything is shown; CaseStands."""
    from egide.desk.events import EventKind
    from egide.desk.fold import CaseState
    from egide.identity.audit import AuditLog
    from egide.identity.scopes import CONSOLE

    with book.writing() as writing:
        row, _ = writing.case(number)
        if row.state is CaseState.ESCALATED:
            raise CaseStands(
                f"case {number} is escalated: nothing of it is exported; return it to the queue "
                "first, if that is what it comes to"
            )
        if row.state is not CaseState.ERASED and row.kind == "notice":
            writing.append(number, EventKind.REVEALED, CONSOLE.actor)
        audit = AuditLog(book.database, book.secret)
        audit.write(writing.connection, CONSOLE, "case.export", f"case:{number}")


@contextmanager
def open_book(home: Path | None) -> Iterator[Casebook]:
    """The cases of a home, for a `with` block."""
    import time

    from egide.desk.casebook import Casebook
    from egide.identity.secret import open_secret
    from egide.outbox import Outbox

    opened = open_home(home)
    try:
        secret = open_secret(opened.database, opened.path)
        outbox = Outbox(opened.database, secret)
        yield Casebook(opened.database, secret, outbox, time.time)
    finally:
        opened.close()


def home_of(path: Path | None) -> Path:
    """The folder of a home."""
    from egide.bank.home import default_home

    return path if path is not None else default_home()
