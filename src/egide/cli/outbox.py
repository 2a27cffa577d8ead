"""`egide outbox`: who is told what happens, and what is still on its way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from egide.cli.options import EXIT_CLEAN, EXIT_FOUND, HomeOption, open_home, warn
from egide.errors import UsageError

if TYPE_CHECKING:
    from egide.outbox import Outbox

app = typer.Typer(
    help="Tell others by webhooks, and send again what did not arrive.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

WebhookArgument = Annotated[
    str, typer.Argument(metavar="WEBHOOK", help="The webhook's id.", show_default=False)
]


@app.command("list", short_help="List deliveries, newest first.")
def list_(
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="Those that are waiting, delivered or dead alone.",
            show_default=False,
        ),
    ] = None,
    before: Annotated[
        int | None,
        typer.Option(
            "--before",
            metavar="DELIVERY",
            help="Those with a smaller number: how to go on after a list has ended.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=1000, help="As many at most.")
    ] = 100,
    home: HomeOption = None,
) -> None:
    """List deliveries, one JSON line each, newest first: never what is in them."""
    from egide.outbox import State

    if state is not None and state not in list(State):
        raise UsageError(f"--state takes one of {', '.join(State)}, not {state!r}")
    with open_outbox(home) as outbox:
        wanted = None if state is None else State(state)
        for delivery in outbox.deliveries.listed(wanted, before=before, most=limit):
            print(json.dumps(delivery.to_json()))


@app.command(short_help="Send again what did not arrive.")
def replay(
    deliveries: Annotated[
        list[int] | None,
        typer.Argument(metavar="DELIVERY", help="Numbers that `list` shows.", show_default=False),
    ] = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that were given up.")] = False,
    webhook: Annotated[
        str | None,
        typer.Option(
            "--webhook",
            metavar="WEBHOOK",
            help="With --dead: those to this webhook alone.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Send deliveries again, as if they were new: at once, and then for three days.

    Exit code: 0 when all were there, 1 when some were not, or are being sent at this moment.
    """
    chosen = deliveries or []
    if bool(chosen) == dead or (webhook is not None and not dead):
        raise UsageError("give the numbers of deliveries, or --dead, with --webhook or without")
    with open_outbox(home) as outbox:
        if dead:
            warn(f"{outbox.deliveries.replay_dead(webhook)} are sent again")
            return
        found = outbox.deliveries.replay(chosen)
    missing = [str(each) for each in chosen if each not in found]
    if missing:
        warn(f"not there, or being sent: {', '.join(missing)}; see `egide outbox list`")
    raise typer.Exit(EXIT_FOUND if missing else EXIT_CLEAN)


@app.command()
def webhooks(home: HomeOption = None) -> None:
    """List webhooks, one JSON line each: without secrets, and without the path of the address."""
    with open_outbox(home) as outbox:
        for webhook in outbox.webhooks():
            print(json.dumps(webhook.to_json()))


@app.command(short_help="Add a webhook and print its secret, this once.")
def add(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Where messages are posted.", show_default=False)
    ],
    events: Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            metavar="TYPE",
            help="A type of event, such as verdict.block; may repeat. All when absent.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Add a webhook. Prints one JSON line with its id and the secret that messages are signed with.

    The address is under https and public, or in EGIDE_WEBHOOK_ALLOW.
    """
    with open_outbox(home) as outbox:
        added, secret = outbox.add(url, events or ["*"])
    print(json.dumps({"webhook": added.id, "secret": secret}))


@app.command(short_help="Give a webhook a new secret and print it, this once.")
def rotate(
    webhook: WebhookArgument,
    overlap: Annotated[
        float,
        typer.Option("--overlap", metavar="HOURS", help="Hours for which the old one signs too."),
    ] = 24,
    home: HomeOption = None,
) -> None:
    """Sign with another secret, printed alone, and for some hours with the old one too."""
    with open_outbox(home) as outbox:
        print(outbox.rotate(webhook, overlap))


@app.command()
def disable(webhook: WebhookArgument, home: HomeOption = None) -> None:
    """Send nothing more to a webhook. What waits stays; what happens meanwhile is not kept."""
    with open_outbox(home) as outbox:
        outbox.set_disabled(webhook, disabled=True)


@app.command()
def enable(webhook: WebhookArgument, home: HomeOption = None) -> None:
    """Send to a webhook again."""
    with open_outbox(home) as outbox:
        outbox.set_disabled(webhook, disabled=False)


@app.command()
def remove(webhook: WebhookArgument, home: HomeOption = None) -> None:
    """Remove a webhook, with all that was on its way to it."""
    with open_outbox(home) as outbox:
        outbox.remove(webhook)


@contextmanager
def open_outbox(home: Path | None) -> Iterator[Outbox]:
    """The outbox of a home, for a `with` block."""
    from egide.identity.secret import open_secret
    from egide.outbox import Outbox

    opened = open_home(home)
    try:
        yield Outbox(opened.database, open_secret(opened.database, opened.path))
    finally:
        opened.close()
