"""`egide desk report`: what others are owed about the desk's work."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from egide.cli.options import EXIT_FOUND, EXIT_INCOMPLETE, HomeOption, open_home, warn
from egide.errors import UsageError

if TYPE_CHECKING:
    from egide.desk.statement_store import Statements

app = typer.Typer(
    help="Report on the desk: statements of reasons, transparency tables.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

FromOption = Annotated[
    str,
    typer.Option("--from", metavar="DAY", help="First day, YYYY-MM-DD, UTC.", show_default=False),
]
ToOption = Annotated[
    str,
    typer.Option("--to", metavar="DAY", help="Last day, YYYY-MM-DD, UTC.", show_default=False),
]


@app.command(short_help="Print statements of reasons for the DSA Transparency Database, or send.")
def dsa(
    begin: FromOption,
    end: ToOption,
    send: Annotated[
        bool,
        typer.Option("--send", help="Send those that the database does not have; print no others."),
    ] = False,
    home: HomeOption = None,
) -> None:
    """Print the statements of reasons of a period as batches of up to 100, one JSON line each.

    With --send they go to EGIDE_DSA_URL with the token EGIDE_DSA_TOKEN instead, and what came of it
    is printed as one JSON line. Each statement arrives once, however often this runs.

    Exit code: 0 when all is well, 1 when a statement is not as the schema asks or was refused, 3
    when some could not be sent and wait for the next run.
    """
    from egide.desk.statement_store import Statements

    period = _period(begin, end)
    opened = open_home(home)
    try:
        statements = Statements(opened.database)
        if send:
            _send(statements, period)
        else:
            _print(statements, period)
    finally:
        opened.close()


@app.command(short_help="Write the tables of a transparency report.")
def transparency(
    begin: FromOption,
    end: ToOption,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FOLDER", help="Where to write them.", show_default=False),
    ],
    home: HomeOption = None,
) -> None:
    """Write what Regulation (EU) 2024/2835 has platforms count, as one CSV file a table.

    The counts are exact: they are for those who report. Prints the files' paths.
    """
    from egide.desk.transparency_tables import write_report

    first, last = _period(begin, end)
    opened = open_home(home)
    try:
        for path in write_report(opened.database, first, last, out):
            print(path)
    finally:
        opened.close()


def _print(statements: Statements, period: tuple[int, int]) -> None:
    from egide.desk.statement_database import batches, faults

    kept = statements.made_between(*period)
    wrong = [(each.puid, found) for each in kept if (found := faults(each.document))]
    for puid, found in wrong:
        warn(f"statement {puid}: {'; '.join(found)}")
    bad = {puid for puid, _ in wrong}
    for body in batches([each.document for each in kept if each.puid not in bad]):
        print(json.dumps(body, ensure_ascii=False))
    if wrong:
        raise typer.Exit(EXIT_FOUND)


def _send(statements: Statements, period: tuple[int, int]) -> None:
    from egide.desk.statement_sending import Sender, TransparencyDatabase

    database = TransparencyDatabase.from_environment()
    if database is None:
        raise UsageError("nothing says where to send: set EGIDE_DSA_URL and EGIDE_DSA_TOKEN")
    came = Sender(statements, database).send(*period)
    print(json.dumps({"sent": came.sent, "refused": came.refused, "waiting": came.waiting}))
    refused = [kept for kept in statements.made_between(*period) if kept.refused]
    for kept in refused:
        warn(f"statement {kept.puid}: {kept.said}")
    if came.waiting:
        warn(f"{came.waiting} statements wait: {came.said}; run it again later")
        raise typer.Exit(EXIT_INCOMPLETE)
    if refused:
        raise typer.Exit(EXIT_FOUND)


def _period(begin: str, end: str) -> tuple[int, int]:
    """The milliseconds since 1970 at which the first day begins and the last one ends."""
    first, last = _day(begin, "--from"), _day(end, "--to")
    if last < first:
        raise UsageError(f"--to {end} is before --from {begin}")
    return _milliseconds(first), _milliseconds(last + timedelta(days=1))


def _day(text: str, flag: str) -> date:
    try:
        found = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise UsageError(f"{flag} takes a day such as 2026-01-31, not {text[:20]!r}") from None
    if not 1970 <= found.year <= 9000:
        raise UsageError(f"{flag} {text[:20]} is out of range")
    return found


def _milliseconds(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
