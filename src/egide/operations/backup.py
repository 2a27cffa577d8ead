"""`egide backup`: everything of an installation that cannot be made again, in one file."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

from egide.db.copying import copy_postgresql, copy_sqlite
from egide.db.opening import DATABASE_FILE, database_url
from egide.errors import StorageError, UsageError
from egide.identity.secret import SECRET_FILE
from egide.operations.archive import Manifest, Member, write_archive
from egide.operations.belonging import belongs
from egide.operations.kept import kept_files, place_of

DATABASE: Final = "database"
HOME: Final = "home"
LEAST_PASSPHRASE: Final = 12


class BackedUp(NamedTuple):
    """What a backup came to: its manifest, and its size in bytes."""

    manifest: Manifest
    size: int


def back_up(home: Path, target: Path, passphrase: bytes | None = None) -> BackedUp:
    """Backs the installation of `home` up into the new file `target`; others go on working.

    The database is of one moment: that of EGIDE_DATABASE_URL, or SQLite's. It is copied beside
    `target` first, with all else, which takes as much space again. UsageError, StorageError.
    """
    if target.exists():
        raise UsageError(f"{target} is there already; give another name")
    if passphrase is not None and len(passphrase) < LEAST_PASSPHRASE:
        raise UsageError(f"a passphrase has {LEAST_PASSPHRASE} bytes or more; give a longer one")
    if not home.is_dir():
        raise UsageError(f"{home} is no folder; give the home with --home")
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with _staging(target) as folder:
        (folder / DATABASE).mkdir()
        database = _copy_database(home, folder / DATABASE)
        _check_secret(home, folder / DATABASE)
        _copy_files(home, target, folder / HOME)
        paths = {
            path.relative_to(folder).as_posix(): path
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        members = tuple(Member.of(name, path) for name, path in paths.items())
        manifest = Manifest(made, version("egide"), database, members)
        write_archive(target, manifest, lambda member: paths[member.name], passphrase)
    return BackedUp(manifest, target.stat().st_size)


def _check_secret(home: Path, copied: Path) -> None:
    """StorageError unless the backup would have the secret that its database works with."""
    place = place_of(home, SECRET_FILE)
    if not belongs(copied, place):
        what = "is not the secret that" if place.exists() else "is not there, the secret that"
        raise StorageError(
            f"{place} {what} this database's keys were made with, and a backup without it opens "
            "nothing; put it back, or name it in EGIDE_SECRET_FILE"
        )


def _copy_files(home: Path, target: Path, folder: Path) -> None:
    """Copies what is kept of the home: some files grow while the service works."""
    for name, path in kept_files(home):
        if path.resolve() != target.resolve():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def _copy_database(home: Path, folder: Path) -> dict[str, Any]:
    if url := database_url():
        return {"kind": "postgresql", **copy_postgresql(url, folder)}
    schema = copy_sqlite(home / DATABASE_FILE, folder / DATABASE_FILE)
    return {"kind": "sqlite", "schema": schema}


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """A folder beside `target` that only its owner reads, removed at the end."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=".egide-backup-", dir=target.absolute().parent))
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}; give another place") from error
    try:
        yield folder
    except OSError as error:
        raise UsageError(f"cannot back up to {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
