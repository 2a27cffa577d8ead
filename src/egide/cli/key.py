"""`egide key`: make, rotate and revoke the API keys that requests carry."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from egide.cli.options import HomeOption, open_identity, warn

app = typer.Typer(
    help="Make, rotate and revoke API keys.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

KeyArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The key's name.", show_default=False)
]


@app.command(short_help="Make an API key and print it, this once.")
def create(
    name: KeyArgument,
    scopes: Annotated[
        list[str],
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="What it may do, such as scan:write; may repeat.",
            show_default=False,
        ),
    ],
    days: Annotated[
        float | None,
        typer.Option("--days", metavar="N", help="Days until it ends; never when absent."),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Make an API key and print it alone. It is not kept, and cannot be shown again."""
    with open_identity(home) as identity:
        print(identity.keys.create(name, scopes, days=days))


@app.command("list")
def list_(home: HomeOption = None) -> None:
    """List the keys, one JSON line each: names, scopes and times, never the keys themselves."""
    with open_identity(home) as identity:
        for record in identity.keys.records():
            print(json.dumps(record.to_json()))


@app.command(short_help="Give a key a new secret and print it, this once.")
def rotate(
    name: KeyArgument,
    overlap: Annotated[
        float,
        typer.Option("--overlap", metavar="HOURS", help="Hours for which the old one works too."),
    ] = 24,
    home: HomeOption = None,
) -> None:
    """Make another key of the same name and scopes and print it alone; the old one ends later."""
    with open_identity(home) as identity:
        print(identity.keys.rotate(name, overlap_hours=overlap))


@app.command()
def revoke(name: KeyArgument, home: HomeOption = None) -> None:
    """End all keys of that name: here at once, in other processes within a second."""
    with open_identity(home) as identity:
        count = identity.keys.revoke(name)
    warn(f"revoked {count} of {name}")
