"""Uploads: `multipart/form-data`, taken apart as it comes, files held in memory or a spool."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from egide.errors import storage_error
from egide.item import PICTURE_SUFFIXES, Item
from egide.web.bodies import chunks, media_type, too_large
from egide.web.problems import Problem

FORM_TYPE: Final = "multipart/form-data"
HELD_BYTES: Final = 1 << 20
"""A file of up to this size is held in memory; a larger one goes to the spool."""
MOST_RECORD_BYTES: Final = 16 << 20
"""A larger file that begins like a JSON record is read as text."""
MOST_FIELD_BYTES: Final = 8192
MOST_PARTS: Final = 320
FRAMING_BYTES: Final = 1 << 20
"""What boundaries, headers and fields may come to, beside the files."""
SPOOL: Final = "spool"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Spool:
    """A folder that only its owner reads, for files while they are looked at."""

    def __init__(self, home: Path) -> None:
        self.folder = home / SPOOL
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def clear(self) -> None:
        """Removes what processes that have ended left behind."""
        for path in self.folder.iterdir():
            process = path.name.partition("-")[0]
            if not process.isdigit() or process == str(os.getpid()) or not _runs(int(process)):
                path.unlink(missing_ok=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """What goes wrong while something is written here, as StorageError."""
        try:
            yield
        except OSError as error:
            raise storage_error(self.folder, error, "free some space, or mend it") from error

    def path(self, suffix: str) -> Path:
        """Where a new file may be."""
        return self.folder / f"{os.getpid()}-{secrets.token_hex(12)}{suffix}"


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Upload:
    """One file of a form: its name, and its bytes in memory or in the spool until `close`."""

    def __init__(self, name: str, spool: Spool, most: int) -> None:
        self.name = _CONTROL.sub("", name)[:200]
        self.size = 0
        self._most = most
        self._spool = spool
        self._digest = hashlib.sha256()
        self._held: bytearray | None = bytearray()
        self._path: Path | None = None
        self._file = -1

    def write(self, data: bytes) -> None:
        """Takes the next bytes; Problem 413 over the cap, StorageError where they do not fit."""
        self.size += len(data)
        if self.size > self._most:
            raise too_large(self._most)
        self._digest.update(data)
        if self._held is not None and self.size <= HELD_BYTES:
            self._held += data
            return
        if self._held is not None:
            data = bytes(self._held) + data
            self._held = None
            self._path = path = self._spool.path(self.suffix)
            with self._spool.writing():
                self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with self._spool.writing():
            _write(self._file, data)

    @property
    def suffix(self) -> str:
        """That of its name, where it promises a picture; others say nothing."""
        suffix = os.path.splitext(self.name)[1].lower()  # noqa: PTH122  a name, and no path
        return suffix if suffix in PICTURE_SUFFIXES else ""

    @property
    def digest(self) -> bytes:
        """The SHA-256 of its bytes."""
        return self._digest.digest()

    def item(self, ref: str, attributes: Mapping[str, str]) -> Item:
        """The item to be scanned; its bytes may be in the spool, so scan it before `close`."""
        if self._held is not None:
            return Item.from_bytes(bytes(self._held), ref, attributes, suffix=self.suffix)
        assert self._path is not None  # noqa: S101  not held, hence written
        with self._path.open("rb") as file:
            record = self.size <= MOST_RECORD_BYTES and file.read(1) == b"{"
        if record:
            return Item.from_bytes(self._path.read_bytes(), ref, attributes)
        item = Item.from_path(self._path, ref)
        return Item(ref, item.kind, item.content, item.size, attributes, item.problem)

    def close(self) -> None:
        """Lets go of the bytes."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self._held = bytearray()


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


class Form:
    """A form that was read: fields by name, and files. To be used in a `with` block."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}
        self.files: list[Upload] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self.files:
            file.close()

    def field(self, name: str) -> str | None:
        """The value of the field `name`; Problem 422 when it was sent twice."""
        values = self.fields.get(name, [])
        if len(values) > 1:
            raise Problem.of_field(name, "it was sent more than once; send it once")
        return values[0] if values else None

    def only_file(self) -> Upload:
        """The one file; Problem 422 when there is none, or more."""
        if len(self.files) != 1:
            raise Problem.of_field("file", f"{len(self.files)} files were sent; send one")
        return self.files[0]


async def read_form(
    request: Request, spool: Spool, *, fields: Collection[str], most: int, most_files: int = 1
) -> Form:
    """The form in the body, which may have `fields` and up to `most_files` files called `file`.

    Each file has up to `most` bytes, and so have all together times `most_files`. Problem 413,
    415, 422.
    """
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if media_type(request) != FORM_TYPE or not boundary:
        raise Problem(415, f"the body is no {FORM_TYPE} with a boundary; send the file as a form")
    reading = _Reading(spool, frozenset(fields), most, most_files)
    try:
        await reading.run(boundary, chunks(request, most * most_files, FRAMING_BYTES))
    except BaseException:
        reading.form.__exit__()
        raise
    return reading.form


class _Reading:
    """Takes a form apart: the parser calls back with each piece of it."""

    def __init__(self, spool: Spool, fields: frozenset[str], most: int, most_files: int) -> None:
        self.form = Form()
        self._spool = spool
        self._fields = fields
        self._most = most
        self._most_files = most_files
        self._parts = 0
        self._ended = False
        self._name = bytearray()
        self._value = bytearray()
        self._disposition = b""
        self._field = ""
        self._text: bytearray | None = None
        self._file: Upload | None = None

    async def run(self, boundary: bytes, body: AsyncIterable[bytes]) -> None:
        """Reads all of `body`."""
        try:
            parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._header,
                    "on_headers_finished": self._start,
                    "on_part_data": self._data,
                    "on_part_end": self._finish,
                    "on_end": self._end,
                },
            )
            async for chunk in body:
                parser.write(chunk)
        except FormParserError as error:
            raise Problem(400, f"the form is broken ({error}); send it anew") from None
        if not self._ended:
            raise Problem(400, "the form ends before its last boundary; send it whole")

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Problem(413, f"the form has more than {MOST_PARTS} parts; send fewer")
        self._disposition = b""

    def _header(self) -> None:
        if bytes(self._name).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _start(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename")
        if self._field == "file":
            if len(self.form.files) == self._most_files:
                raise Problem.of_field("file", f"more than {self._most_files} files; send fewer")
            name = (filename or b"").decode("utf-8", "replace")
            self._file = Upload(name, self._spool, self._most)
            self.form.files.append(self._file)
            return
        if self._field not in self._fields:
            taken = ", ".join(["file", *sorted(self._fields)])
            raise Problem.of_field(self._field[:60] or "name", f"no such field; there are {taken}")
        self._text = bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
        elif self._text is not None:
            self._text += data[start:end]
            if len(self._text) > MOST_FIELD_BYTES:
                raise Problem.of_field(self._field, f"over {MOST_FIELD_BYTES:,} bytes; shorten it")

    def _finish(self) -> None:
        if self._text is not None:
            try:
                value = self._text.decode()
            except UnicodeDecodeError:
                raise Problem.of_field(self._field, "it is no UTF-8; encode it so") from None
            self.form.fields.setdefault(self._field, []).append(value)
        self._text = self._file = None

    def _end(self) -> None:
        self._ended = True
