"""`egide backup` and `egide restore`: one file with all that cannot be made again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from egide.cli.options import HomeOption, warn
from egide.errors import UsageError

MOST_PASSPHRASE = 4096

PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        envvar="EGIDE_PASSPHRASE_FILE",
        help="File whose first line is the passphrase; '-' reads it from standard input.",
        show_default=False,
    ),
]


def backup(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="The file to be made.", show_default=False)
    ],
    passphrase_file: PassphraseOption = None,
    home: HomeOption = None,
) -> None:
    """Write all that cannot be made again into one new file, while the service goes on.

    That is the database as it is at one moment, and the files of the home beside it, secrets
    included: whoever has the file has everything, so give a passphrase, or keep it as safe. Prints
    one JSON line of what is in it.
    """
    from egide.bank.home import default_home
    from egide.operations.backup import back_up

    made = back_up(home or default_home(), path, _passphrase(passphrase_file))
    names = [each.name for each in made.manifest.members]
    if passphrase_file is None and any(name.endswith(".key") for name in names):
        warn(f"{path} has the secrets of this installation in the clear; keep it safe")
    print(
        json.dumps(
            {
                "backup": str(path),
                "bytes": made.size,
                "sealed": passphrase_file is not None,
                "database": made.manifest.database["kind"],
                "schema": made.manifest.database["schema"],
                "files": names,
            }
        )
    )


def restore(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="What `backup` made.", show_default=False)
    ],
    passphrase_file: PassphraseOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read and verify all of it, and write nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is there already, for good.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Put a backup back: into a new home, or with --force in the place of one.

    All of it is verified before anything is changed, and the index is made anew at the end. One of
    PostgreSQL goes into the empty database of EGIDE_DATABASE_URL. Stop the service before. Prints
    one JSON line of what was restored.
    """
    from egide.bank.home import default_home
    from egide.operations import restore as restoring

    passphrase = _passphrase(passphrase_file)
    line: dict[str, object] = {}
    if check:
        manifest = restoring.verify(path, passphrase)
    else:
        manifest, banks = restoring.restore(path, home or default_home(), passphrase, force=force)
        line = {"home": str(home or default_home()), "banks": banks}
    line |= {
        "backup": str(path),
        "made": manifest.made,
        "egide": manifest.version,
        "database": manifest.database["kind"],
        "schema": manifest.database["schema"],
    }
    print(json.dumps(line))


def _passphrase(file: Path | None) -> bytes | None:
    """The first line of `file`; UsageError."""
    if file is None:
        return None
    try:
        if str(file) == "-":
            line = sys.stdin.buffer.readline(MOST_PASSPHRASE)
        else:
            with file.open("rb") as opened:
                line = opened.readline(MOST_PASSPHRASE)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}; give another file") from error
    passphrase = line.rstrip(b"\r\n")
    if not passphrase:
        raise UsageError(f"{file} has no passphrase in its first line")
    return passphrase
