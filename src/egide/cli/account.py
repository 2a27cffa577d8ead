"""`egide account`: invite people from the console, and see who has an account."""

from __future__ import annotations

import json
import os
from typing import Annotated, Final

import typer

from egide.cli.options import HomeOption, open_identity, warn

app = typer.Typer(
    help="Invite people, and see who has an account.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DEFAULT_URL: Final = "http://127.0.0.1:8080"

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The account's name.", show_default=False)
]
RoleOption = Annotated[
    str, typer.Option("--role", metavar="ROLE", help="administrator, moderator or auditor.")
]


@app.command(short_help="Print a link that makes one account, once.")
def invite(role: RoleOption = "moderator", home: HomeOption = None) -> None:
    """Print a link that makes one account, once, within two days. It is not shown again."""
    url = (os.environ.get("EGIDE_PUBLIC_URL") or DEFAULT_URL).rstrip("/")
    with open_identity(home) as identity:
        print(f"{url}/welcome#{identity.people.invite(role)}")


@app.command("list")
def list_(home: HomeOption = None) -> None:
    """List the accounts, one JSON line each."""
    with open_identity(home) as identity:
        for account in identity.people.accounts():
            document = {
                "name": account.name,
                "role": account.role,
                "second_factor": account.two_factors or account.subject is not None,
                "created": account.created,
                "closed": account.disabled,
            }
            print(json.dumps(document))


@app.command()
def role(
    name: NameArgument,
    role: Annotated[
        str,
        typer.Argument(
            metavar="ROLE", help="administrator, moderator or auditor.", show_default=False
        ),
    ],
    home: HomeOption = None,
) -> None:
    """Give somebody another role, and sign them out."""
    with open_identity(home) as identity:
        identity.people.set_role(identity.people.named(name).id, role)
    warn(f"the account is of the role {role} now")


@app.command("close")
def close(name: NameArgument, home: HomeOption = None) -> None:
    """Close an account, and sign it out everywhere."""
    with open_identity(home) as identity:
        identity.people.disable(identity.people.named(name).id)
    warn("closed the account")


@app.command("open")
def open_(name: NameArgument, home: HomeOption = None) -> None:
    """Open a closed account again."""
    with open_identity(home) as identity:
        identity.people.enable(identity.people.named(name).id)
    warn("opened the account again")
