"""`egide desk`: what a platform does for the people in pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from egide.cli import desk_log, desk_report, desk_retention
from egide.cli.options import HomeOption, open_home
from egide.errors import UsageError

if TYPE_CHECKING:
    from egide.desk.desk import Desk

app = typer.Typer(
    help="Work at the desk: cases, the record, what is let go of.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(desk_log.app, name="log")
app.add_typer(desk_report.app, name="report")
app.command(short_help="Let go of what need not be kept.")(desk_retention.retention)
app.command(short_help="Erase what is personal in a case.")(desk_retention.erase)
app.command(short_help="Write down all that is held about somebody.")(desk_retention.export)


@app.command(short_help="List cases in the order of the queue.")
def cases(
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="Those in this state; may be repeated. Those that wait for somebody when absent.",
            show_default=False,
        ),
    ] = None,
    late: Annotated[bool, typer.Option("--late", help="Those whose clock has ended.")] = False,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Those with a copy that the platform left unanswered.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=200, help="As many at most.")
    ] = 100,
    home: HomeOption = None,
) -> None:
    """List cases, one JSON line each: numbers, states and times, nothing of anybody."""
    from egide.desk.asks import Filter
    from egide.desk.fold import CaseState
    from egide.identity.scopes import CONSOLE

    for each in state or ():
        if each not in list(CaseState):
            raise UsageError(f"--state takes one of {', '.join(CaseState)}, not {each[:40]!r}")
    wanted = Filter(tuple(CaseState(each) for each in state or ()), late=late, overdue=overdue)
    if overdue and not state:
        wanted = Filter(tuple(CaseState), late=late, overdue=True)
    with open_desk(home) as desk:
        for row in desk.queue(CONSOLE, wanted, limit=limit).rows:
            print(json.dumps(row.to_json()))


@contextmanager
def open_desk(home: Path | None) -> Iterator[Desk]:
    """The desk of a home, for a `with` block."""
    from egide.desk.desk import Desk
    from egide.identity import Identity
    from egide.outbox import Outbox
    from egide.records import Hosted

    opened = open_home(home)
    try:
        with Identity(opened.database, opened.path) as identity:
            outbox = Outbox(opened.database, identity.secret)
            yield Desk(opened.database, identity, outbox, Hosted(opened.database), opened)
    finally:
        opened.close()
