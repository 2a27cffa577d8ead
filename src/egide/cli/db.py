"""`egide db`: the schema of the database, and the space in it."""

from __future__ import annotations

import json

import typer

from egide.cli.options import EXIT_CLEAN, EXIT_FOUND, HomeOption, open_home, warn

app = typer.Typer(
    help="Bring the database to this version's schema, and compact it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def upgrade(home: HomeOption = None) -> None:
    """Bring the database of EGIDE_DATABASE_URL to the schema of this égide.

    All at once or not at all. To be run once for each new version, before its processes start; they
    refuse another schema. Without EGIDE_DATABASE_URL there is nothing to do: the embedded database
    is brought up to date whenever it is opened.
    """
    from egide.bank.home import default_home
    from egide.db.opening import database_url, upgrade_database

    if database_url() is None:
        open_home(home).close()
    before, after = upgrade_database(home or default_home())
    warn(f"schema {after}" if before == after else f"schema {before} is now {after}")


@app.command()
def current(home: HomeOption = None) -> None:
    """Print the version of the database's schema and the one that this égide knows.

    Exit code 1 when they differ.
    """
    from egide.bank.home import default_home
    from egide.db.opening import database_url, schema_versions

    if database_url() is None:
        open_home(home).close()
    version, known = schema_versions(home or default_home())
    database = "sqlite" if database_url() is None else "postgresql"
    print(json.dumps({"database": database, "schema": version, "known": known}))
    raise typer.Exit(EXIT_CLEAN if version == known else EXIT_FOUND)


@app.command()
def compact(home: HomeOption = None) -> None:
    """Write the database anew without what was deleted from it; others wait meanwhile.

    With PostgreSQL this is what takes withdrawn fingerprints out of its data files for good, and it
    needs as much free space again as the tables take.
    """
    opened = open_home(home)
    opened.database.compact()
    opened.close()
