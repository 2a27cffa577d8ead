"""`egide doctor`: what is wrong with an installation, and how to mend it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from egide.cli.options import HomeOption

if TYPE_CHECKING:
    from egide.operations.lines import Line


class Format(StrEnum):
    """How the lines are printed."""

    TABLE = "table"
    JSONL = "jsonl"


def doctor(
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="A table for people, or JSON Lines; by default a table on a terminal.",
            show_default=False,
        ),
    ] = None,
    thorough: Annotated[
        bool,
        typer.Option("--thorough", help="Read the database and all index files in full."),
    ] = False,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            envvar="EGIDE_SERVICE_URL",
            help="Where the service must answer; by default it is looked for at EGIDE_HOST and "
            "EGIDE_PORT, and need not be there.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Look at everything an installation needs, and say what to mend; nothing is changed.

    Exit code: 0 when all is well, 1 when there are warnings, 2 when something failed.
    """
    from egide.bank.home import default_home
    from egide.operations.doctor import Examined, examine
    from egide.operations.lines import Level

    asked = Examined(home or default_home(), url or _here(), url is not None, thorough)
    plain = format_ is Format.JSONL or (format_ is None and not sys.stdout.isatty())
    worst = Level.OK
    for line in examine(asked):
        worst = max(worst, line.level, key=lambda level: level.severity)
        print("\n".join(_jsonl(line) if plain else _table(line)), flush=True)
    raise typer.Exit(worst.severity)


def _here() -> str:
    host = os.environ.get("EGIDE_HOST") or "127.0.0.1"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  asked, not bound
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{os.environ.get('EGIDE_PORT') or 8080}"


def _jsonl(line: Line) -> Iterable[str]:
    yield json.dumps(line.to_json(), ensure_ascii=False)


def _table(line: Line) -> Iterable[str]:
    from egide.report.clean import visible

    yield f"{line.level:<5} {line.code:<20} {visible(line.says)}"
    if line.mend:
        yield f"{'':<26} → {visible(line.mend)}"
