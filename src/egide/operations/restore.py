"""`egide restore`: an installation put back from a backup, its index made anew."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from egide.bank import Home
from egide.db.copying import check_sqlite, fill_postgresql, is_in_use
from egide.db.opening import DATABASE_FILE, database_url
from egide.db.scripts import newest
from egide.errors import ArchiveError, EgideError, StorageError, UsageError
from egide.identity.secret import SECRET_FILE, open_secret
from egide.operations.archive import Archive, Manifest, open_archive
from egide.operations.backup import DATABASE, HOME
from egide.operations.belonging import belongs
from egide.operations.kept import DATABASE as DATABASE_FILES
from egide.operations.kept import ELSEWHERE, is_rebuildable, kept_files, place_of

SPARE: Final = 64 << 20
"""Bytes that stay free beside what is restored."""
INDEX: Final = ("index", "index.sqlite*")


class Restored(NamedTuple):
    """What was restored: the manifest, and how many banks were indexed anew."""

    manifest: Manifest
    banks: int


def verify(path: Path, passphrase: bytes | None = None) -> Manifest:
    """Reads all of the backup at `path`, writes nothing; its manifest. UsageError, ArchiveError."""
    with open_archive(path, passphrase) as archive:
        _check_shape(archive.manifest)
        for _, chunks in archive.members():
            for _ in chunks:
                pass
        return archive.manifest


def restore(
    path: Path, home: Path, passphrase: bytes | None = None, *, force: bool = False
) -> Restored:
    """Puts the backup at `path` into `home`, and into EGIDE_DATABASE_URL if it is of PostgreSQL.

    Everything is read, verified and written beside its place before anything is changed. What is
    there already is replaced with `force` alone. Ends when the index was made anew. UsageError,
    ArchiveError, StorageError.
    """
    with open_archive(path, passphrase) as archive:
        manifest = archive.manifest
        _check_shape(manifest)
        _check_kind(manifest)
        _check_free(home, force=force)
        with _staging(home, manifest.size) as staged:
            _extract(archive, staged)
            _check_free(home, force=force)  # unpacking takes a while
            sqlite = manifest.database["kind"] == "sqlite"
            if sqlite:
                _check_copy(staged / DATABASE / DATABASE_FILE, manifest)
            _check_secret(home, staged)
            if sqlite:
                _replace_database(home, staged)
            else:
                url = database_url() or ""
                fill_postgresql(url, manifest.database, staged / DATABASE, force=force)
            _remove(home, INDEX)
            _replace_files(home, staged)
    banks = _index(home)
    _give_to_owner(home)
    return Restored(manifest, banks)


def _check_shape(manifest: Manifest) -> None:
    """ArchiveError unless the members are those that such a backup has."""
    database = manifest.database
    held = {each.name for each in manifest.members if each.name.startswith(f"{DATABASE}/")}
    if database.get("kind") == "sqlite":
        wanted = {f"{DATABASE}/{DATABASE_FILE}"}
    elif database.get("kind") == "postgresql":
        tables = database.get("tables")
        named = isinstance(tables, list) and all(
            isinstance(table, dict)
            and isinstance(table.get("name"), str)
            and isinstance(table.get("columns"), list)
            for table in tables
        )
        if not named or not isinstance(database.get("sequences"), dict):
            raise ArchiveError("its manifest does not say which tables it has")
        wanted = {f"{DATABASE}/{table['name']}.copy" for table in tables or ()}
    else:
        raise ArchiveError("it is of a database that is not known; upgrade égide")
    if held != wanted:
        raise ArchiveError("it lacks files of the database, or has others; try another copy")
    for member in manifest.members:
        place, _, name = member.name.partition("/")
        if place == HOME and is_rebuildable(name.partition("/")[0]):
            raise ArchiveError(f"{member.name} is no file that a backup has")
    if database["schema"] > newest():
        raise ArchiveError(
            f"it was made by a newer égide ({manifest.version}: schema {database['schema']}, known "
            f"{newest()}); upgrade égide"
        )


def _check_kind(manifest: Manifest) -> None:
    kind = manifest.database["kind"]
    if kind == "postgresql" and database_url() is None:
        raise UsageError(
            "the backup is of PostgreSQL; name an empty database in EGIDE_DATABASE_URL"
        )
    if kind == "sqlite" and database_url() is not None:
        raise UsageError("the backup is of SQLite; unset EGIDE_DATABASE_URL to restore it")


def _check_free(home: Path, *, force: bool) -> None:
    """UsageError when the home has something that would be lost, or a process works with it."""
    database = home / DATABASE_FILE
    if database.exists() and is_in_use(database):
        raise UsageError(
            f"{database} is open in another process; stop the service, then do this again"
        )
    if force:
        return
    filled = database.exists() and database.stat().st_size > 0
    kept = next(kept_files(home), None)
    if filled or kept is not None:
        there = database if filled or kept is None else kept.path
        raise UsageError(
            f"{there} is there already; give another {_given(there, home)}, or --force to replace "
            "what is there"
        )


def _given(there: Path, home: Path) -> str:
    """What says where `there` is: a variable, where it is outside the home."""
    named = (variable for name, variable in ELSEWHERE.items() if place_of(home, name) == there)
    return "--home" if there.is_relative_to(home) else next(named, "--home")


@contextmanager
def _staging(home: Path, size: int) -> Iterator[Path]:
    """A folder in `home` for `size` bytes, removed at the end."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(home).free
        if free < size + SPARE:
            raise UsageError(
                f"{home} has {free >> 20:,} MiB free, the backup takes "
                f"{(size + SPARE) >> 20:,} MiB; free some space"
            )
        folder = Path(tempfile.mkdtemp(prefix=".egide-restore-", dir=home))
    except OSError as error:
        raise UsageError(f"{home}: {error.strerror}; give another --home") from error
    try:
        yield folder
    except OSError as error:
        raise StorageError(
            f"{home}: {error.strerror or error}; mend that, then restore again with --force"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _extract(archive: Archive, folder: Path) -> None:
    """Writes all members into `folder`: their names were checked to stay within it."""
    for member, chunks in archive.members():
        path = folder / member.name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())


def _check_copy(database: Path, manifest: Manifest) -> None:
    """ArchiveError unless the database is whole and of the schema that the manifest says."""
    try:
        version = check_sqlite(database)
    except StorageError as error:
        raise ArchiveError(f"its database is damaged: {error.detail}") from error
    if version != manifest.database["schema"]:
        raise ArchiveError("its database is of another schema than its manifest says")


def _check_secret(home: Path, staged: Path) -> None:
    """ArchiveError unless what is restored will have the secret that its database works with."""
    own = staged / HOME / SECRET_FILE
    try:
        fits = belongs(staged / DATABASE, own if own.exists() else place_of(home, SECRET_FILE))
    except EgideError as error:
        raise ArchiveError(f"its {SECRET_FILE} is none: {error.detail}") from error
    if not fits:
        raise ArchiveError(
            "it has not the secret that its database works with, and would open nothing; try "
            "another copy, or name that secret in EGIDE_SECRET_FILE"
        )


def _replace_database(home: Path, staged: Path) -> None:
    database = home / DATABASE_FILE
    # A log that is left beside another database would be played into it.
    _remove(home, (DATABASE_FILES.replace("*", "-*"),))
    (staged / DATABASE / DATABASE_FILE).replace(database)


def _replace_files(home: Path, staged: Path) -> None:
    """Puts the files of the home where they belong on this machine."""
    root = staged / HOME
    for path in sorted(root.rglob("*")) if root.is_dir() else ():
        if path.is_file():
            place = place_of(home, path.relative_to(root).as_posix())
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if place.is_relative_to(home):
                path.replace(place)
            else:
                _write_elsewhere(path, place)


def _write_elsewhere(path: Path, place: Path) -> None:
    """A file that a variable puts outside the home, perhaps on another disk, unless it is there."""
    content = path.read_bytes()
    if place.exists() and place.read_bytes() == content:
        return
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(place)


def _remove(home: Path, patterns: tuple[str, ...]) -> None:
    for pattern in patterns:
        for path in home.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _give_to_owner(home: Path) -> None:
    """Lets the owner of the folder have what root has restored: the service runs as them."""
    owner = home.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        for path in home.rglob("*"):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _index(home: Path) -> int:
    """Opens what was restored, with its secret, and writes its index; how many banks there are."""
    opened = Home(home)
    try:
        open_secret(opened.database, home)
        banks = opened.banks()
        for bank in banks:
            bank.refresh()
            bank.store_index()
        return len(banks)
    finally:
        opened.close()
