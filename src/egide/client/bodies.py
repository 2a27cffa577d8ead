"""What requests carry: told piece by piece, and again from the beginning when they are repeated."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol
from urllib.parse import quote

CHUNK: Final = 1 << 16

Source = bytes | str | Path | BinaryIO
"""Bytes, the path of a file, or a file that is open for reading and can be rewound."""


class Body(Protocol):
    """The body of a request."""

    @property
    def type(self) -> str:
        """Its content type."""

    def length(self) -> int | None:
        """Bytes of it; None when that is not known before."""

    def chunks(self) -> Iterator[bytes]:
        """All of it, piece by piece; the same again with each call."""


@dataclass(frozen=True, slots=True)
class Json:
    """A document as JSON."""

    document: Any = field(repr=False)

    type = "application/json"

    def length(self) -> int:
        """Bytes of the document."""
        return len(self._encoded())

    def chunks(self) -> Iterator[bytes]:
        """The document in one piece."""
        yield self._encoded()

    def _encoded(self) -> bytes:
        return json.dumps(self.document, ensure_ascii=False).encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Whole:
    """A file as the whole body."""

    source: Source = field(repr=False)
    type: str

    def length(self) -> int:
        """Bytes of the file."""
        return size_of(self.source)

    def chunks(self) -> Iterator[bytes]:
        """The file."""
        yield from read(self.source)


@dataclass(frozen=True, slots=True)
class Part:
    """A file in a form."""

    source: Source = field(repr=False)
    name: str = "file"

    def header(self) -> bytes:
        """What stands before the file: its name, without what would end it."""
        name = quote(self.name[-100:], safe=" ()+,-.@[]_", errors="replace")
        return (
            f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()


class Form:
    """`multipart/form-data`: files that are read while they are sent, and fields before them."""

    def __init__(self, parts: tuple[Part, ...], fields: tuple[tuple[str, str], ...]) -> None:
        self._parts = parts
        self._fields = fields
        self._boundary = secrets.token_hex(16)

    @property
    def type(self) -> str:
        """The content type, with what stands between the parts."""
        return f"multipart/form-data; boundary={self._boundary}"

    def length(self) -> int:
        """Bytes of all, with what stands between."""
        files = sum(size_of(part.source) for part in self._parts)
        return files + sum(len(piece) for piece in self._pieces() if isinstance(piece, bytes))

    def chunks(self) -> Iterator[bytes]:
        """Fields and files."""
        for piece in self._pieces():
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from read(piece.source)

    def _pieces(self) -> Iterator[bytes | Part]:
        between = f"--{self._boundary}\r\n".encode()
        for name, value in self._fields:
            yield between + f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
            yield value.encode("utf-8", "replace") + b"\r\n"
        for part in self._parts:
            yield between + part.header()
            yield part
            yield b"\r\n"
        yield f"--{self._boundary}--\r\n".encode()


def read(source: Source) -> Iterator[bytes]:
    """The bytes of `source` from its beginning."""
    with opened(source) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def size_of(source: Source) -> int:
    """How many bytes `source` has."""
    if isinstance(source, bytes):
        return len(source)
    with opened(source) as file:
        return file.seek(0, io.SEEK_END)


@contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """`source` as a file at its beginning; one that was open before stays open."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            yield file
    else:
        source.seek(0)
        yield source


def name_of(source: Source, given: str | None) -> str:
    """What the service is told that a file is called: it looks at the content alone."""
    if given is not None:
        return given
    path = source if isinstance(source, str | Path) else getattr(source, "name", "")
    return (Path(path).name if isinstance(path, str | Path) else "") or "file"


def without_none(document: Mapping[str, Any]) -> dict[str, Any]:
    """`document` without what was not given."""
    return {name: value for name, value in document.items() if value is not None}
