"""`egide compare`: how two pictures or videos are alike, and where."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Final

import typer

from egide.cli.options import EXIT_INCOMPLETE, open_private, warn
from egide.errors import ItemError, UsageError

FORMATS: Final = ("table", "json")


def compare(
    one: Annotated[
        str,
        typer.Argument(metavar="A", help="A picture or video, as uploaded.", show_default=False),
    ],
    other: Annotated[
        str,
        typer.Argument(
            metavar="B", help="A picture or video, as a bank would hold it.", show_default=False
        ),
    ],
    format: Annotated[  # noqa: A002
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="table or json; by default table on a terminal, json in a pipe.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="HTML page to write, with the matching regions outlined; no picture is on it.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Explain how A and B are alike: distances by method, regions and stretches in common.

    Exits with 0 when they could be compared, whatever the outcome, and with 3 when not.
    """
    from egide.compare import compare as compare_items
    from egide.item import Item
    from egide.report.compared import print_comparison, write_comparison

    if format is not None and format not in FORMATS:
        raise UsageError(f"--format takes one of {', '.join(FORMATS)}, not {format!r}")
    for path in (one, other):
        if Path(path).is_dir():
            raise UsageError(f"{path} is a folder; give two pictures or videos")
    items = [Item.from_path(path) for path in (one, other)]
    with open_private(out) if out is not None else nullcontext() as page:
        try:
            found = compare_items(items[0], items[1])
        except ItemError as error:
            warn(f"cannot compare {one} with {other}: {error}")
            raise typer.Exit(EXIT_INCOMPLETE) from error
        # Before anything is printed: who reads that may stop reading.
        if page is not None:
            write_comparison(found, page)
    if out is not None:
        warn(f"wrote {out}")
    if (format or ("table" if sys.stdout.isatty() else "json")) == "json":
        print(json.dumps(found.to_json()))
    else:
        print_comparison(found)
    if not found.compared:
        raise typer.Exit(EXIT_INCOMPLETE)
