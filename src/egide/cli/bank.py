"""`egide bank`: make, fill, share and mend banks of fingerprints."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from egide.cli.fingerprinting import fingerprinted, in_batches
from egide.cli.options import (
    EXIT_INCOMPLETE,
    EXIT_NOTHING,
    HomeOption,
    JobsOption,
    RevealOption,
    open_home,
    open_private,
    warn,
)
from egide.errors import ImportFormatError, UsageError
from egide.finding import MASK

if TYPE_CHECKING:
    from egide.bank import Draft, Entry

app = typer.Typer(
    help="Make, fill, share and mend banks of fingerprints.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

IMPORT_BATCH: Final = 20_000
MOST_COMPLAINTS: Final = 10

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The bank's name.", show_default=False)
]
EntriesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="ENTRY", help="Entry ids, as `bank show` lists them.", show_default=False
    ),
]


@app.command()
def create(
    name: NameArgument,
    purpose: Annotated[
        str,
        typer.Option(
            "--purpose",
            metavar="PURPOSE",
            help="block: known NCII; library: what the platform hosts; allow: known false matches.",
        ),
    ] = "block",
    home: HomeOption = None,
) -> None:
    """Make an empty bank."""
    bank = open_home(home).create(name, purpose)
    warn(f"made bank {bank.name} ({bank.purpose})")


@app.command("list")
def list_(home: HomeOption = None) -> None:
    """List the banks, one JSON line each."""
    for bank in open_home(home).banks():
        stats = bank.stats()
        _print({key: stats[key] for key in ("bank", "purpose", "entries", "fingerprints")})


@app.command(short_help="Fingerprint pictures and videos and add them.")
def add(
    name: NameArgument,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Pictures, videos and folders; '-' reads paths from standard input.",
            show_default=False,
        ),
    ],
    label: Annotated[
        str | None, typer.Option("--label", metavar="WORD", help="A word kept with the entries.")
    ] = None,
    ref: Annotated[
        str | None,
        typer.Option(
            "--ref",
            metavar="TEXT",
            help="Your reference for the entries, such as a case number.",
        ),
    ] = None,
    local: Annotated[
        bool,
        typer.Option(
            "--local/--no-local",
            help="Keep local fingerprints too, 8 kB a picture: they find crops, collages, "
            "screenshots. --no-local keeps PDQ and digests alone.",
        ),
    ] = True,
    jobs: JobsOption = None,
    home: HomeOption = None,
) -> None:
    """Fingerprint pictures and videos and add them; they themselves are not kept.

    Of those for a library the models that their metadata names are kept too, for `egide trace` to
    count what was made with one. Prints one JSON line for each, once it is safely on the disk: its
    entry, and whether it is new.
    """
    from egide.bank import Draft
    from egide.cli.progress import ProgressBar
    from egide.match import Purpose
    from egide.media.embedding import Embedding
    from egide.media.picture import Limits
    from egide.parallel import ordered_map
    from egide.registry import Registry
    from egide.source import expand

    opened = open_home(home)
    bank = opened.bank(name)
    registry = Registry(opened.path) if bank.purpose is Purpose.LIBRARY else None
    limits = Limits.from_environment()
    embedding = Embedding.from_environment()
    items = expand(paths, sys.stdin.buffer)
    failed = count = 0
    try:
        with ProgressBar(paths, listing=True) as bar:
            printed = ordered_map(
                lambda item: fingerprinted(item, limits, local, embedding, registry), items, jobs
            )
            for batch in in_batches(bar.track(printed)):
                good = [result for result in batch if result.problem is None]
                drafts = [
                    Draft(result.fingerprints, label, ref, models=result.models) for result in good
                ]
                for result, added in zip(good, bank.add_all(drafts), strict=True):
                    line: dict[str, Any] = {
                        "ref": result.ref,
                        "entry": added.entry,
                        "new": added.new,
                    }
                    if result.note:
                        line["note"] = result.note
                    _print(line)
                for result in batch:
                    if result.problem is not None:
                        warn(f"{result.ref}: not added: {result.problem}")
                        failed += 1
                count += len(batch)
    finally:
        bank.store_index()
    if failed or not count:
        raise typer.Exit(EXIT_INCOMPLETE if count else EXIT_NOTHING)


@app.command("import")
def import_(
    name: NameArgument,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="CSV or TSV with a header type,hash[,label,ref]; lines '<type> <hash>'; or what "
            "`bank export` wrote. '-' for standard input.",
            show_default=False,
        ),
    ],
    home: HomeOption = None,
) -> None:
    """Add the fingerprints of a list. Lines that cannot be read are named and left out."""
    from egide.bank.lists import read_list

    bank = open_home(home).bank(name)
    new = known = 0
    complaints: list[str] = []
    counts = {"unreadable": 0}

    def drafts(lines: TextIO) -> Iterator[Draft]:
        for parsed in read_list(lines, file):
            if isinstance(parsed, ImportFormatError):
                counts["unreadable"] += 1
                if len(complaints) < MOST_COMPLAINTS:
                    complaints.append(str(parsed))
                    warn(str(parsed))
            else:
                yield parsed

    try:
        with _reading(file) as lines:
            source = drafts(lines)
            while batch := list(islice(source, IMPORT_BATCH)):
                results = bank.add_all(batch)
                new += sum(result.new for result in results)
                known += sum(not result.new for result in results)
    finally:
        bank.store_index()
    _print({"bank": bank.name, "new": new, "known": known, **counts})
    if counts["unreadable"] > len(complaints):
        warn(f"{counts['unreadable'] - len(complaints)} more lines could not be read")
    if counts["unreadable"]:
        raise typer.Exit(EXIT_INCOMPLETE)


@app.command()
def export(
    name: NameArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="File to write, readable by you alone."),
    ] = None,
    format: Annotated[  # noqa: A002
        str,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="jsonl (keeps everything), csv or threatexchange.",
        ),
    ] = "jsonl",
    home: HomeOption = None,
) -> None:
    """Write the bank's fingerprints. They are personal data: keep the file to yourself."""
    from egide.bank.lists import ListFormat, write_list

    if format not in list(ListFormat):
        raise UsageError(f"--format takes one of {', '.join(ListFormat)}, not {format!r}")
    bank = open_home(home).bank(name)
    with ExitStack() as stack:
        file: TextIO = sys.stdout
        if out is not None:
            file = stack.enter_context(open_private(out))
        count = write_list(bank.entries(), file, ListFormat(format))
    warn(f"wrote {count} entries of bank {bank.name}")


@app.command(short_help="Show the newest entries of a bank, or one entry.")
def show(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A bank's name, or an entry's id.", show_default=False),
    ],
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="Entries listed, newest first.")
    ] = 20,
    reveal: RevealOption = False,
    home: HomeOption = None,
) -> None:
    """Show the newest entries of a bank, or one entry, as JSON lines."""
    opened = open_home(home)
    if name not in {bank.name for bank in opened.banks()} and "-" in name:
        _print(_entry(opened.bank_of(name).entry(name), reveal))
        return
    for entry in islice(opened.bank(name).entries(newest_first=True), limit):
        _print(_entry(entry, reveal))


@app.command(short_help="Count a bank's entries and fingerprints.")
def stats(name: NameArgument, home: HomeOption = None) -> None:
    """Count a bank's entries by state, its fingerprints by type, and its index files."""
    _print(open_home(home).bank(name).stats())


@app.command(short_help="Mark entries as disputed: matches go to review.")
def dispute(entries: EntriesArgument, home: HomeOption = None) -> None:
    """Mark entries as disputed: their matches go to a reviewer instead of being blocked."""
    for bank, ids in open_home(home).by_bank(entries):
        bank.dispute(ids)
        warn(f"disputed {len(ids)} of bank {bank.name}")


@app.command()
def restore(entries: EntriesArgument, home: HomeOption = None) -> None:
    """End a dispute: the entries' matches count in full again."""
    for bank, ids in open_home(home).by_bank(entries):
        bank.restore(ids)
        warn(f"restored {len(ids)} of bank {bank.name}")


@app.command(short_help="Take entries out of every answer, for good.")
def withdraw(entries: EntriesArgument, home: HomeOption = None) -> None:
    """Take entries out of every answer at once, erase their fingerprints, keep a tombstone."""
    for bank, ids in open_home(home).by_bank(entries):
        bank.withdraw(ids)
        warn(f"withdrew {len(ids)} of bank {bank.name}")


@app.command()
def rm(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    home: HomeOption = None,
) -> None:
    """Remove a bank with all its entries and files."""
    opened = open_home(home)
    count = sum(opened.bank(name).stats()["entries"].values())
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Remove bank {name} and its {count} entries for good?", abort=True, err=True)
    opened.remove(name)
    warn(f"removed bank {name} and its {count} entries")


def _reading(file: str) -> TextIO:
    """The list at `file`, or standard input; decoded so that no byte stops the import."""
    try:
        return open(
            0 if file == "-" else file, encoding="utf-8", errors="replace", closefd=file != "-"
        )
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}; give a list of fingerprints") from error


def _entry(entry: Entry, reveal: bool) -> dict[str, Any]:
    line: dict[str, Any] = {
        "entry": entry.id,
        "state": str(entry.state),
        "label": entry.label,
        "ref": entry.ref if reveal or entry.ref is None else MASK,
        "added": _time(entry.added),
        "changed": _time(entry.changed),
        "fingerprints": [
            {"type": str(f.type), "quality": f.quality, "edit": f.edit}
            | ({"hash": f.hex} if reveal else {})
            for f in entry.fingerprints
        ],
    }
    return line


def _time(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _print(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)
