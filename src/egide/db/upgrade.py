"""Brings a PostgreSQL database to the present schema, with Alembic.

Every script of the schema is a revision, called by its number; the table `alembic_version` has the
last one. All that are missing run in one transaction: an upgrade happens whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import psycopg
import sqlalchemy
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from alembic.script.base import Script as Revision
from alembic.script.revision import RevisionMap
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from egide.db.postgresql import WRITERS_LOCK
from egide.db.postgresql_pool import describe, parameters
from egide.db.scripts import Script, newest, scripts
from egide.errors import StorageError


def upgrade(url: str, last: int | None = None) -> tuple[int, int]:
    """Runs the scripts that the database at `url` lacks; its versions before and after.

    0 is a database without tables of égide. Several upgrades at once follow one another. Stops
    after the script with the number `last`, when it is given.
    StorageError when it is newer than this égide, or cannot be changed.
    """
    wanted = parameters(url)
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(**wanted), poolclass=NullPool
    )
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
            steps = _Steps(describe(wanted), newest() if last is None else last)
            MigrationContext.configure(connection, opts={"fn": steps}).run_migrations(
                connection=connection
            )
    except (DBAPIError, psycopg.Error) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        said = str(original).strip().partition("\n")[0]
        raise StorageError(
            f"{describe(wanted)}: {said}; nothing was changed, see docs/how-to/postgresql.md"
        ) from error
    return steps.before, max(steps.before, steps.last)


class _Steps:
    """Which scripts are missing, as Alembic asks for them."""

    def __init__(self, name: str, last: int) -> None:
        self.before = 0
        self.last = last
        self._name = name

    def __call__(self, heads: tuple[str, ...], _: MigrationContext) -> list[RevisionStep]:
        self.before = max(map(int, heads), default=0)
        if self.before > newest():
            raise StorageError(
                f"{self._name} was written by a newer égide (schema {self.before}, "
                f"known {newest()}); upgrade égide"
            )
        revisions = RevisionMap(_revisions)
        missing = [
            revision
            for revision in revisions.iterate_revisions("head", "base")
            if isinstance(revision, Revision) and self.before < int(revision.revision) <= self.last
        ]
        return [MigrationStep.upgrade_from_script(revisions, one) for one in reversed(missing)]


def _revisions() -> Iterator[Revision]:
    """The scripts as Alembic has its revisions: modules, each with the one before it."""
    before: str | None = None
    for script in scripts():
        number = f"{script.number:04}"
        module = ModuleType(f"egide.db.schema.{number}")
        module.__dict__.update(revision=number, down_revision=before, upgrade=_Upgrade(script))
        yield Revision(module, number, script.name)
        before = number


class _Upgrade:
    def __init__(self, script: Script) -> None:
        self._script = script

    def __call__(self, connection: sqlalchemy.Connection) -> None:
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)  # noqa: S101  made above
        for statement in self._script.postgresql():
            raw.execute(statement.encode())
