"""One file with everything of an installation that cannot be made again.

It is a tar archive whose first member, `manifest.json`, names all others in their order, with
sizes and checksums; or such an archive under a passphrase (`sealed`). What is read is compared with
the manifest header by header, byte by byte: there is nothing in it that could name a path, a link
or a size of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

from egide.errors import ArchiveError, UsageError
from egide.operations.sealed import MAGIC, OpeningReader, SealingWriter

SCHEMA: Final = "egide.backup/1"
MANIFEST: Final = "manifest.json"
BLOCK: Final = 512
CHUNK: Final = 1 << 20
MOST_MANIFEST: Final = 16 << 20
MOST_MEMBERS: Final = 10_000
MOST_BYTES: Final = 1 << 44
_NAME: Final = re.compile(r"(?:database|home)(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,127}){1,8}", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its name there, its size in bytes, its SHA-256."""

    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, name: str, path: Path) -> Member:
        """The file at `path`, to be called `name`."""
        if not _NAME.fullmatch(name):
            raise UsageError(f"{path} has a name that no backup can hold; move it out of the home")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(name, file.tell(), digest)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive is of.

    Attributes:
        made: when, RFC 3339, UTC.
        version: of the égide that made it.
        database: `kind` (sqlite or postgresql) and `schema`; of PostgreSQL `tables` too.
        members: the files, in their order.
    """

    made: str
    version: str
    database: dict[str, Any]
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """Bytes of all members."""
        return sum(member.size for member in self.members)

    def encoded(self) -> bytes:
        """The manifest as it stands in the archive."""
        return _encoded(
            {
                "schema": SCHEMA,
                "made": self.made,
                "egide": self.version,
                "database": self.database,
                "members": [
                    {"name": each.name, "size": each.size, "sha256": each.sha256}
                    for each in self.members
                ],
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """The manifest that `data` is; ArchiveError for anything that égide would not write."""
        try:
            document = json.loads(data)
            if document["schema"] != SCHEMA:
                raise ArchiveError(
                    f"it is of version {str(document['schema'])[:40]!r}, known is {SCHEMA}; "
                    "restore it with the égide that made it"
                )
            members = tuple(map(_member, document["members"]))
            database = document["database"]
            made, version = document["made"], document["egide"]
            whole = _encoded({k: v for k, v in document.items() if k != "sha256"}) == data
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ArchiveError("its manifest is damaged; try another copy of it") from None
        names = {member.name for member in members}
        told = isinstance(database, dict) and isinstance(database.get("schema"), int)
        if not (told and _is_word(made) and _is_word(version)):
            raise ArchiveError("its manifest is damaged; try another copy of it")
        if len(names) != len(members) or not 0 < len(members) <= MOST_MEMBERS:
            raise ArchiveError("its manifest names files twice, none, or too many")
        if any(str(parent) in names for name in names for parent in PurePosixPath(name).parents):
            raise ArchiveError("its manifest has a file for a folder")
        if not whole:
            raise ArchiveError("its manifest is damaged; try another copy of it")
        return cls(made, version, database, members)


def write_archive(
    target: Path,
    manifest: Manifest,
    path_of: Callable[[Member], Path],
    passphrase: bytes | None,
) -> None:
    """Writes the archive at `target`, readable by its owner alone; UsageError, ArchiveError.

    It is there when it is complete, and never takes the place of another file.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            if passphrase is None:
                _write(file, manifest, path_of)
            else:
                sealing = SealingWriter(file, passphrase)
                _write(sealing, manifest, path_of)  # type: ignore[arg-type]  # it writes bytes
                sealing.finish()
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, target)  # unlike a rename, never replaces what is there
        except FileExistsError:
            raise UsageError(f"{target} is there already; give another name") from None
        _sync_folder(target.parent)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}; give another place") from error
    finally:
        part.unlink(missing_ok=True)


def _write(file: BinaryIO, manifest: Manifest, path_of: Callable[[Member], Path]) -> None:
    encoded = manifest.encoded()
    file.write(_header(MANIFEST, len(encoded)) + encoded + _padding(len(encoded)))
    for member in manifest.members:
        file.write(_header(member.name, member.size))
        digest = hashlib.sha256()
        with path_of(member).open("rb") as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != member.sha256:
            raise ArchiveError(f"{member.name} changed while it was being written; do it again")
        file.write(_padding(member.size))
    file.write(bytes(2 * BLOCK))


class Archive:
    """An archive that is being read: its manifest, then its members, once and in order."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.manifest = self._read_manifest()

    def members(self) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Every member with its bytes, which are to be used up before the next.

        ArchiveError when something is not as the manifest says: only then, at the end of a member,
        is it known whether its bytes were right.
        """
        for member in self.manifest.members:
            header = _header(member.name, member.size)
            if self._file.read(len(header)) != header:
                raise ArchiveError(f"{member.name} is not where its manifest says; {_DAMAGED}")
            yield member, self._content(member)
        if self._file.read(2 * BLOCK) != bytes(2 * BLOCK) or self._file.read(1):
            raise ArchiveError(f"there is more in it than its manifest says; {_DAMAGED}")

    def _content(self, member: Member) -> Iterator[bytes]:
        digest = hashlib.sha256()
        left = member.size
        while left:
            chunk = self._file.read(min(left, CHUNK))
            if not chunk:
                raise ArchiveError(f"it ends within {member.name}; {_DAMAGED}")
            digest.update(chunk)
            left -= len(chunk)
            yield chunk
        padding = _padding(member.size)
        if self._file.read(len(padding)) != padding or digest.hexdigest() != member.sha256:
            raise ArchiveError(f"{member.name} is not as it was backed up; {_DAMAGED}")

    def _read_manifest(self) -> Manifest:
        header = self._file.read(BLOCK)
        size = int(text, 8) if (text := header[124:135]).isdigit() and _octal(text) else 0
        if not 0 < size <= MOST_MANIFEST or header != _header(MANIFEST, size):
            raise ArchiveError("it is no backup of égide, or a damaged one")
        data = self._file.read(size)
        padding = _padding(size)
        if len(data) != size or self._file.read(len(padding)) != padding:
            raise ArchiveError(f"it ends within its manifest; {_DAMAGED}")
        return Manifest.parse(data)


_DAMAGED: Final = "try another copy of it"


@contextmanager
def open_archive(path: Path, passphrase: bytes | None) -> Iterator[Archive]:
    """The archive at `path`, for a `with` block; UsageError, ArchiveError."""
    try:
        with path.open("rb") as file:
            sealed = file.read(len(MAGIC)) == MAGIC
            if sealed and passphrase is None:
                raise UsageError(f"{path} is under a passphrase; give --passphrase-file")
            if not sealed:
                file.seek(0)
            opened = OpeningReader(file, passphrase or b"") if sealed else file
            yield Archive(opened)  # type: ignore[arg-type]  # it reads bytes
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; give the path of a backup") from (
            error
        )
    except ArchiveError as error:
        raise ArchiveError(f"{path}: {error.detail}") from error


def _member(document: dict[str, Any]) -> Member:
    name, size, sha256 = document["name"], document["size"], document["sha256"]
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise ArchiveError("its manifest names a file that is none of a backup")
    if type(size) is not int or not 0 <= size <= MOST_BYTES:
        raise ArchiveError(f"its manifest gives {name} a size that cannot be")
    if not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        raise ArchiveError(f"its manifest has no checksum of {name}")
    return Member(name, size, sha256)


def _encoded(document: dict[str, Any]) -> bytes:
    """The manifest with its own SHA-256 as the last field."""
    digest = hashlib.sha256(json.dumps(document, indent=1).encode()).hexdigest()
    return json.dumps({**document, "sha256": digest}, indent=1).encode()


def _is_word(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 40 and value.isprintable()


def _header(name: str, size: int) -> bytes:
    """The header of a plain file, the same for the same name and size."""
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


def _octal(digits: bytes) -> bool:
    return all(digit in b"01234567" for digit in digits)


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
