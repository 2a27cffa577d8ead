"""`egide serve`: the service over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from egide.cli.options import (
    EXIT_USAGE,
    GazetteerOption,
    HomeOption,
    PolicyOption,
    ThresholdOption,
    open_home,
    warn,
)
from egide.fingerprint import DEFAULT_THRESHOLD


def serve(
    host: Annotated[
        str,
        typer.Option("--host", metavar="ADDRESS", envvar="EGIDE_HOST", help="Where to listen."),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="N", envvar="EGIDE_PORT", min=0, max=65535, help="And on which port."
        ),
    ] = 8080,
    processes: Annotated[
        int,
        typer.Option(
            "--processes",
            metavar="N",
            envvar="EGIDE_PROCESSES",
            min=1,
            max=64,
            help="Processes that answer requests.",
        ),
    ] = 1,
    bank: Annotated[
        list[str] | None,
        typer.Option(
            "--bank",
            "-b",
            metavar="NAME",
            envvar="EGIDE_BANK",
            help="Bank to look in; may be repeated. All block and allow banks when absent, also "
            "those made later.",
            show_default=False,
        ),
    ] = None,
    policy: PolicyOption = None,
    threshold: ThresholdOption = DEFAULT_THRESHOLD,
    gazetteer: GazetteerOption = None,
    library: Annotated[
        str,
        typer.Option(
            "--library",
            metavar="NAME",
            envvar="EGIDE_LIBRARY",
            help="Bank that remember=true adds to; made when it is not there.",
        ),
    ] = "library",
    max_upload: Annotated[
        int,
        typer.Option(
            "--max-upload",
            metavar="MIB",
            envvar="EGIDE_MAX_UPLOAD",
            min=1,
            max=1 << 20,
            help="Largest file that is taken, in MiB.",
        ),
    ] = 256,
    rate: Annotated[
        float,
        typer.Option(
            "--rate",
            metavar="N",
            envvar="EGIDE_RATE",
            min=0,
            help="Requests a second that one key may make of each process; 0 for no limit.",
        ),
    ] = 0,
    queue: Annotated[
        int,
        typer.Option(
            "--queue",
            metavar="N",
            envvar="EGIDE_QUEUE",
            min=1,
            help="Scans that may wait in each process; more are told to come back.",
        ),
    ] = 256,
    retention: Annotated[
        float,
        typer.Option(
            "--retention",
            metavar="DAYS",
            envvar="EGIDE_RETENTION",
            min=0,
            help="How long records of verdicts are kept; 0 keeps none.",
        ),
    ] = 90,
    home: HomeOption = None,
) -> None:
    """Screen uploads, texts and models over HTTP, until Ctrl-C or SIGTERM.

    Reading uploads is left to confined processes: EGIDE_SANDBOX_WORKERS of them.
    """
    from egide.identity import Identity
    from egide.text.lexicon_folder import check_own
    from egide.web.serving import listening
    from egide.web.serving import serve as run
    from egide.web.settings import MIB, ServeSettings

    check_own()  # before anybody is told that it serves
    socket = listening(host, port)
    opened = open_home(home)
    settings = ServeSettings(
        host=host,
        port=socket.getsockname()[1],
        home=opened.path.resolve(),
        processes=processes,
        banks=tuple(bank or ()),
        policy=None if policy is None else policy.resolve(),
        threshold=threshold,
        gazetteer=None if gazetteer is None else str(Path(gazetteer).resolve()),
        library=library,
        max_upload=max_upload * MIB,
        rate=rate,
        queue=queue,
        retention_days=retention,
    )
    with Identity(opened.database, opened.path) as identity:
        code = identity.people.invite_first()
    warn(f"serving {opened.path} on {settings.url}")
    if code is not None:
        # A fragment: browsers do not send it, so that no log has it.
        warn(f"become the first administrator: {settings.browser_url}/welcome#{code}")
    if not run(settings, socket):
        raise typer.Exit(EXIT_USAGE)
