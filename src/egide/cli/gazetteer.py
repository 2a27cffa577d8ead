"""`egide gazetteer`: make and mend the file of names that likenesses are looked for by."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from egide.cli.options import EXIT_INCOMPLETE, warn
from egide.errors import UsageError

if TYPE_CHECKING:
    from egide.hub.gazetteer_build import Progress

app = typer.Typer(
    help="Make and mend the file of names to look for.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

GENDERS: Final = ("woman", "man", "other")
MOST_NAMES_READ: Final = 100_000

FileOption = Annotated[
    Path,
    typer.Option(
        "--gazetteer",
        "-g",
        metavar="FILE",
        envvar="EGIDE_GAZETTEER",
        help="The gazetteer.",
        show_default=False,
    ),
]


@app.command(short_help="Make a gazetteer from a Wikidata dump.")
def build(
    dump: Annotated[
        Path,
        typer.Argument(
            metavar="DUMP",
            help="Wikidata's JSON dump: .json, .json.gz or .json.bz2.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The gazetteer to write.", show_default=False
        ),
    ],
    min_articles: Annotated[
        int,
        typer.Option(
            "--min-articles",
            metavar="N",
            min=0,
            help="Leave out people with fewer articles in all languages together.",
        ),
    ] = 0,
) -> None:
    """Make a gazetteer from a Wikidata dump: people and invented characters, nobody else.

    A run that was interrupted goes on where it was when it is started again. Names added by hand
    to the file that is there, and people removed by hand, stay so.
    """
    from egide.hub.gazetteer_build import build as build_gazetteer

    with _watched(dump) as watch:
        progress = build_gazetteer(dump, out, min_links=min_articles, watch=watch)
    print(
        json.dumps(
            {
                "gazetteer": str(out),
                "entities": progress.lines - progress.corrupt,
                "people": progress.people,
                "fictional": progress.fictional,
                "corrupt": progress.corrupt,
                "bytes": out.stat().st_size,
            }
        )
    )
    if progress.damage is not None:
        warn(f"{dump}: {progress.damage}; what comes after was not read")
    if progress.corrupt:
        warn(f"{progress.corrupt} lines of {dump} are no entity and were passed by")
    if progress.damage is not None or progress.corrupt:
        raise typer.Exit(EXIT_INCOMPLETE)


@app.command(short_help="Protect names that are asked for.")
def add(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A full name; '-' reads names from standard input, one a line, so that they do "
            "not stand in the shell's history.",
            show_default=False,
        ),
    ],
    gazetteer: FileOption,
    aliases: Annotated[
        list[str] | None,
        typer.Option(
            "--alias", metavar="NAME", help="Another name of the same person; may repeat."
        ),
    ] = None,
    gender: Annotated[
        str | None, typer.Option("--gender", metavar="WORD", help="woman, man or other.")
    ] = None,
    country: Annotated[
        str | None, typer.Option("--country", metavar="NAME", help="The person's country.")
    ] = None,
) -> None:
    """Protect names that a platform is asked to; the file is made when it is not there.

    Prints one JSON line each, with the id that `egide gazetteer remove` takes.
    """
    from egide.hub.gazetteer_edit import add_people

    if gender is not None and gender not in GENDERS:
        raise UsageError(f"--gender takes one of {', '.join(GENDERS)}, not {gender!r}")
    names = _names(name)
    if aliases and len(names) != 1:
        raise UsageError("--alias goes with one name; leave it out, or give one name")
    countries = (country,) if country else ()
    for id_ in add_people(
        gazetteer, names, tuple(aliases or ()), gender=gender, countries=countries
    ):
        print(json.dumps({"id": id_}))


@app.command(short_help="Take people out.")
def remove(
    person: Annotated[
        str,
        typer.Argument(
            metavar="PERSON",
            help="An id, such as added-1 or a Wikidata number, or a name, which removes all who "
            "have it; '-' reads it from standard input.",
            show_default=False,
        ),
    ],
    gazetteer: FileOption,
) -> None:
    """Take people out: nothing of them stays in the file, and a new build leaves them out."""
    from egide.hub.gazetteer_edit import remove_people

    for wanted in _names(person):
        for id_ in remove_people(gazetteer, wanted):
            print(json.dumps({"id": id_}))


@app.command(short_help="Count what a gazetteer holds.")
def info(
    gazetteer: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="The gazetteer, or 'sample'.", envvar="EGIDE_GAZETTEER"
        ),
    ],
) -> None:
    """Count people, names, genders, countries and occupations. No names are printed."""
    from egide.hub.gazetteer_sample import open_gazetteer
    from egide.hub.gazetteer_tables import summary

    print(json.dumps({"gazetteer": gazetteer, **summary(open_gazetteer(gazetteer).tables)}))


def _names(name: str) -> list[str]:
    """`name`, or those on standard input."""
    if name != "-":
        return [name]
    names = [line.strip() for _, line in zip(range(MOST_NAMES_READ), sys.stdin, strict=False)]
    if not any(names):
        raise UsageError("standard input has no name; give one on each line")
    return [name for name in names if name]


@contextmanager
def _watched(dump: Path) -> Iterator[Callable[[Progress], None]]:
    """What to tell how far a build has come: a bar, when standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    size = dump.stat().st_size if dump.is_file() else 0
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=size)

        def watch(progress: Progress) -> None:
            found = f"{progress.people:,} people"
            bar.update(task, completed=progress.read, description=found)

        yield watch
