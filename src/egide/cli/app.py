"""Puts the commands together, and turns errors into one line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from copy import copy
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from egide.cli import (
    account,
    audit,
    backup,
    bank,
    compare,
    db,
    demo,
    desk,
    doctor,
    gazetteer,
    hash,  # noqa: A004
    key,
    outbox,
    policy,
    scan,
    serve,
    text,
    trace,
    worker,
)
from egide.cli.options import EXIT_INCOMPLETE, EXIT_USAGE, warn
from egide.errors import EgideError


class _Commands(TyperGroup):
    """The commands. Whatever ends one of them ends in an exit code of ours, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that the arguments name."""
        try:
            # Not before: until here a signal ends the process as it ends any other.
            for ending in (signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(ending) is not signal.SIG_IGN:  # as `nohup` has it
                    signal.signal(ending, _interrupt)
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except EgideError as error:
            warn(str(error))
            code = EXIT_USAGE
        except KeyboardInterrupt:
            warn("interrupted")
            code = EXIT_INCOMPLETE
        except OSError as error:
            # The reader of a pipe went away (`egide scan … | head`), or the disk is full.
            if not isinstance(error, BrokenPipeError):
                warn(f"cannot go on: {error.strerror or error}")
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = EXIT_INCOMPLETE
        raise typer.Exit(code)


app = typer.Typer(
    name="egide",
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Keeps non-consensual intimate deepfakes off platforms.",
)
app.command("scan")(scan.scan)
app.command("hash", short_help="Print the fingerprints of pictures.")(hash.hash_)
app.command("compare", short_help="Explain how two pictures or videos are alike.")(compare.compare)
app.command("trace", short_help="Tell what files say of their making.")(trace.trace)
app.add_typer(account.app, name="account")
app.add_typer(audit.app, name="audit")
app.add_typer(bank.app, name="bank")
app.add_typer(db.app, name="db")
app.add_typer(desk.app, name="desk")
app.add_typer(key.app, name="key")
app.add_typer(outbox.app, name="outbox")
app.add_typer(policy.app, name="policy")
app.add_typer(text.app, name="text")
app.add_typer(gazetteer.app, name="gazetteer")
app.command("serve", short_help="Screen uploads over HTTP.")(serve.serve)
app.command("worker", short_help="Send the outbox, apart from `serve`.")(worker.worker)
app.command("backup", short_help="Write what cannot be made again into a file.")(backup.backup)
app.command("restore", short_help="Put a backup back.")(backup.restore)
app.command("doctor", short_help="Say what is wrong here, and how to mend it.")(doctor.doctor)
app.command("demo", short_help="Bank and scan the examples that come along.")(demo.demo)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"egide {version('egide')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            callback=_print_version,
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    pass


def run() -> NoReturn:
    """Runs the command that the arguments name and exits with its code."""
    _without_others(sys.argv[1:2])(prog_name="egide")
    sys.exit()


def _without_others(names: list[str]) -> typer.Typer:
    """`app` with no command but the one in `names`: to build the others takes a tenth of a second.

    With all of them when none is named, or one that is not there: then they are listed.
    """
    commands = [each for each in app.registered_commands if each.name in names]
    groups = [each for each in app.registered_groups if each.name in names]
    if not commands and not groups:
        return app
    named = copy(app)
    named.registered_commands, named.registered_groups = commands, groups
    return named


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM ends a run as Ctrl-C does: what was found is printed."""
    raise KeyboardInterrupt
