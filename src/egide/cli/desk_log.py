"""`egide desk log`: the tamper-evident log of the desk, its checkpoints and proofs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from egide.cli.desk_log_home import (
    AgainstOption,
    KeyOption,
    TrustOption,
    bytes_of,
    fail,
    opened_home,
    outside_head,
    require_growth,
    signed_head,
    stamp_troubles,
    text_of,
    verifiers_of,
)
from egide.cli.options import EXIT_CLEAN, EXIT_FOUND, HomeOption
from egide.errors import LogError, UsageError

app = typer.Typer(
    help="Check the log of what the desk did, and prove from it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(short_help="Check the whole log.")
def verify(
    against: AgainstOption = None,
    key: KeyOption = None,
    trust: TrustOption = None,
    home: HomeOption = None,
) -> None:
    """Make the tree anew from all events and hold it to every checkpoint that was signed.

    Says in a line each what is wrong, and where: an event that was changed, a leaf that is missing,
    a log that was cut, a checkpoint that is forged, a case whose row says something else than its
    events. That an older state was put in the place of the
    whole database is seen only with --against. Exit code: 0 when the log holds, 1 when not.
    """
    from egide.desk.case_keys import CaseKeys
    from egide.desk.log import Log
    from egide.desk.log_cases import case_troubles
    from egide.desk.log_checkpoint import Checkpoints
    from egide.desk.log_verify import verify as verify_log
    from egide.identity.secret import open_secret

    outside = [(str(path), text_of(path)) for path in against or []]
    with opened_home(home) as opened:
        keys = CaseKeys(open_secret(opened.database, opened.path))
        verifiers = verifiers_of(opened, key)
        checkpoints = Checkpoints(opened.database, Log())
        with opened.database.read() as connection:
            kept = checkpoints.all(connection)
            found = verify_log(connection, keys, verifiers, kept, outside)
            for trouble in case_troubles(connection):
                found.note(trouble)
        for trouble in stamp_troubles(opened, trust):
            found.note(trouble)
    for trouble in found.troubles:
        print(trouble)
    said = "the log holds" if not found.troubles else "THE LOG DOES NOT HOLD"
    print(
        f"{said}: {found.leaves} leaves, {found.opened} of them opened, {found.erased} of erased "
        f"cases (their commitments cannot be opened), {found.checkpoints} checkpoints"
    )
    raise typer.Exit(EXIT_FOUND if found.troubles else EXIT_CLEAN)


@app.command(short_help="Sign the head of the log and print it.")
def checkpoint(against: AgainstOption = None, home: HomeOption = None) -> None:
    """Sign the present head of the log and print it, to be kept where nobody of the desk writes.

    With --against the log must go on from a checkpoint that was kept so; exit code 1 when not.
    """
    with opened_home(home) as opened:
        verifiers = verifiers_of(opened, None)
        for path in against or []:  # before anything is signed that would contradict it
            require_growth(opened, path, outside_head(path, verifiers))
        print(signed_head(opened).note, end="")


@app.command(short_help="List the checkpoints that were signed.")
def checkpoints(home: HomeOption = None) -> None:
    """List the checkpoints that were signed, one JSON line each."""
    from egide.desk.log import Log
    from egide.desk.log_checkpoint import Checkpoints, to_json

    with opened_home(home) as opened, opened.database.read() as connection:
        for kept in Checkpoints(opened.database, Log()).all(connection):
            print(json.dumps(to_json(kept)))


@app.command(short_help="Prove that the log grew out of a checkpoint.")
def growth(
    old: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A checkpoint, kept elsewhere.", show_default=False),
    ],
    home: HomeOption = None,
) -> None:
    """Print a proof that the log, as a new checkpoint has it, grew out of an older one.

    In the form in which witnesses take it (C2SP tlog-witness); `verify-proof` checks it.
    """
    from egide.desk.log import Log
    from egide.desk.log_proof import GrowthProof

    with opened_home(home) as opened:
        before = outside_head(old, verifiers_of(opened, None))
        made = signed_head(opened)
        with opened.database.read() as connection:
            path = Log().consistency(connection, before.size, made.size)
    print(GrowthProof(before.size, tuple(path), made.note).text(), end="")


@app.command(short_help="Print the log's public key.")
def key(home: HomeOption = None) -> None:
    """Print the public key that the log's checkpoints are signed under: publish it."""
    from egide.desk.log_key import open_signer

    with opened_home(home) as opened:
        print(open_signer(opened.database, opened.path).verifier)


@app.command("new-key", short_help="Sign with another key from now on.")
def new_key(home: HomeOption = None) -> None:
    """Make another key for the log and print its public half: when the one is lost or stolen.

    The old file must have been moved away. What it signed is checked as before.
    """
    from egide.desk.log_key import new_signer

    with opened_home(home) as opened:
        print(new_signer(opened.database, opened.path).verifier)


@app.command(short_help="Print a proof that an event is in the log.")
def proof(
    case: Annotated[
        str, typer.Argument(metavar="CASE", help="The case's number.", show_default=False)
    ],
    event: Annotated[
        int, typer.Argument(metavar="EVENT", help="The event's number in the case: 0, the receipt.")
    ] = 0,
    home: HomeOption = None,
) -> None:
    """Print a proof that an event of a case is in the log: a file for the person to take along.

    It tells case, time and kind of the event, and not who acted; whoever has the log's public key
    checks it by `verify-proof`, without the desk.
    """
    from egide.desk.case_keys import CaseKeys
    from egide.desk.log import Log
    from egide.desk.log_event import stored_event
    from egide.desk.log_proof import InclusionProof
    from egide.desk.numbers import number_of
    from egide.identity.secret import open_secret

    with opened_home(home) as opened:
        keys = CaseKeys(open_secret(opened.database, opened.path))
        made = signed_head(opened)
        with opened.database.read() as connection:
            found = stored_event(connection, number_of(case) or case, event)
            if found is None:
                raise UsageError(f"no event {event} of a case {case}; give another number")
            print(InclusionProof.of(connection, keys, Log(), found, made).text(), end="")


@app.command("verify-proof", short_help="Check a proof, without the desk.")
def verify_proof(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The proof.", show_default=False)],
    key: KeyOption = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            help="Of a proof of growth: the older checkpoint.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Check a proof that `proof` or `growth` printed, and print what it shows as one JSON line.

    With --key nothing else is needed: no home, no database. Exit code: 0 when it holds, 1 when not.
    """
    from egide.desk.log_note import Verifier
    from egide.desk.log_proof import GrowthProof, InclusionProof, is_growth

    if key:
        verifiers = [Verifier.parse(each) for each in key]
    else:
        with opened_home(home) as opened:
            verifiers = verifiers_of(opened, None)
    text = text_of(file)
    try:
        if is_growth(text):
            if against is None:
                raise UsageError("give the older checkpoint by --against")
            old = outside_head(against, verifiers)
            new = GrowthProof.parse(text).check(verifiers, old)
            print(json.dumps({"log": new.origin, "from": old.size, "to": new.size}))
            return
        given = InclusionProof.parse(text)
        event, head = given.check(verifiers)
    except LogError as error:
        fail(str(error))
    print(json.dumps({"log": head.origin, "size": head.size, "leaf": given.index, "event": event}))


@app.command(short_help="Have the head of the log stamped with the time.")
def stamp(
    tsa: Annotated[
        str,
        typer.Option(
            "--tsa",
            metavar="URL",
            help="The time-stamping authority (RFC 3161): under https and public, or in "
            "EGIDE_TSA_ALLOW.",
            show_default=False,
        ),
    ],
    trust: TrustOption = None,
    home: HomeOption = None,
) -> None:
    """Have the present head of the log stamped with the time by an authority, and keep the stamp.

    It learns a digest of the checkpoint and nothing else. With --trust the stamp must be one of
    that authority's; without, it is kept as it came.
    """
    from egide.desk import log_stamp
    from egide.outgoing import Address

    roots = log_stamp.trusted(trust) if trust else []
    with opened_home(home) as opened:
        made = signed_head(opened)
        response = log_stamp.asked(tsa, made.note, log_stamp.tsa_guard())
        at = log_stamp.timed(response, made.note, roots)
        with opened.database.write() as connection:
            seq = connection.execute(
                "SELECT max(seq) FROM log_checkpoint WHERE note = ?", (made.note,)
            ).fetchone()[0]
            host = Address.parse(tsa).authority
            log_stamp.keep(connection, seq, host, response, int(at.timestamp() * 1000))
    print(json.dumps({"checkpoint": seq, "size": made.size, "tsa": host, "at": at.isoformat()}))


@app.command("verify-stamp", short_help="Check a time stamp over a checkpoint.")
def verify_stamp(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The stamp, in DER.", show_default=False)
    ],
    checkpoint: Annotated[
        Path,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="The checkpoint, as it was printed.",
            show_default=False,
        ),
    ],
    trust: Annotated[
        Path,
        typer.Option(
            "--trust",
            metavar="FILE",
            help="Certificates (PEM) that the authority's must lead to.",
            show_default=False,
        ),
    ],
) -> None:
    """Check a time stamp that was made elsewhere over a checkpoint, and print its time.

    Exit code: 0 when it holds, 1 when not.
    """
    from egide.desk import log_stamp

    try:
        at = log_stamp.timed(bytes_of(file), text_of(checkpoint), log_stamp.trusted(trust))
    except LogError as error:
        fail(str(error))
    print(at.isoformat())
