"""One thing handed in: a kind, a reference, and its bytes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedReader, BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Final, TypeVar

from egide.errors import (
    EmptyItem,
    ItemError,
    TooManyBytes,
    UnknownContent,
    UnknownRecord,
    UnreadableItem,
)
from egide.record import Shape, attributes_of, clean, parse, shape_of
from egide.sniff import HEAD_BYTES, Kind, sniff_kind

T = TypeVar("T")

HELD_BYTES: Final = 1 << 27
"""Files up to this size are held in memory while scanned; larger ones are digested only."""

PICTURE_SUFFIXES: Final = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".apng",
        ".webp",
        ".avif",
        ".heic",
        ".heif",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
    ]
)
_SPACE: Final = b" \t\r\n\xef\xbb\xbf"
_NO_ATTRIBUTES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class Item:
    """One thing handed in. Frozen and picklable; make one with `from_path` or `from_bytes`.

    `ref` is what reports call it; `content` its bytes, or the path of the file that holds them
    (read when a detector asks, so that a queue of items costs no memory); `attributes` what the
    platform says about it. An item that could not be opened carries its `problem` instead.
    """

    ref: str
    kind: Kind
    content: bytes | Path = field(repr=False)
    size: int
    attributes: Mapping[str, str] = field(default_factory=lambda: _NO_ATTRIBUTES, hash=False)
    problem: ItemError | None = field(default=None, compare=False)
    _views: dict[object, Any] = field(
        default_factory=dict, init=False, repr=False, compare=False, hash=False
    )

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the derived views, which the receiving process computes for itself."""
        return self.__dict__ | {"attributes": dict(self.attributes), "_views": {}}

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        ref: str = "-",
        attributes: Mapping[str, str] = _NO_ATTRIBUTES,
        *,
        suffix: str = "",
    ) -> Item:
        """The item that `data` is; a JSON record of a listing or a text is one of these.

        `suffix` is that of its file's name, such as `.jpg`, where it has one: what is called a
        picture and is none is damaged.
        """
        head = data[:HEAD_BYTES]
        kind = sniff_kind(head)
        if kind is Kind.TEXT and head.lstrip(_SPACE).startswith(b"{"):
            with suppress(ItemError):
                value = parse(data).value
                return cls.from_record(data, ref, value, attributes)
        return cls(ref, kind, data, len(data), attributes, _problem(head, kind, suffix))

    @classmethod
    def from_path(
        cls, path: str | os.PathLike[str], ref: str | None = None, *, follow: bool = True
    ) -> Item:
        """The item in the file at `path`; one that cannot be opened carries its `problem`.

        Only regular files are opened: a named pipe would wait for ever. With `follow` off a
        symbolic link counts as no regular file.
        """
        file = Path(path)
        ref = os.fspath(path) if ref is None else ref
        try:
            with _opened(file, follow=follow) as handle:
                size = os.fstat(handle.fileno()).st_size
                head = handle.read(HEAD_BYTES)
        except UnreadableItem as error:
            return cls.unreadable(ref, error)
        kind = sniff_kind(head)
        return cls(ref, kind, file, size, problem=_problem(head, kind, file.suffix))

    @classmethod
    def from_record(
        cls, data: bytes, ref: str, value: Any, attributes: Mapping[str, str] = _NO_ATTRIBUTES
    ) -> Item:
        """The listing or text that a JSON record is: its bytes, and what they parse to.

        A text's attributes are the record's fields, and `attributes` besides. UnknownRecord when
        it is neither.
        """
        match shape_of(value):
            case None | Shape.PAGE:
                raise UnknownRecord(
                    "no listing and no text: it has none of their fields; see "
                    "docs/reference/file-formats.md"
                )
            case Shape.TEXT:
                told = attributes_of(value) | dict(attributes)
                return cls(ref, Kind.TEXT, data, len(data), told)
            case _:
                return cls(ref, Kind.LISTING, data, len(data), attributes)

    @classmethod
    def unreadable(cls, ref: str, problem: ItemError) -> Item:
        """An item of which only the reference and the reason why it cannot be read are known."""
        return cls(ref, Kind.OTHER, b"", 0, problem=problem)

    def read(self, limit: int) -> bytes:
        """All bytes; TooManyBytes when there are more than `limit`, UnreadableItem when none come.

        A file is read once, however often it is asked for.
        """
        if self.size > limit:
            raise TooManyBytes(
                f"{self.size:,} bytes, the limit is {limit:,}; raise EGIDE_MAX_BYTES to read it"
            )
        if isinstance(self.content, bytes):
            return self.content
        return self.view(_read_file)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The bytes as a stream, for formats of which only a part is read, whatever their size.

        Raises UnreadableItem when the file cannot be opened, and within the block when it cannot
        be read.
        """
        if isinstance(self.content, bytes):
            yield BytesIO(self.content)
        else:
            with _opened(self.content) as handle:
                yield handle

    def text(self, limit: int) -> str:
        """The text itself: the field `text` of a JSON record, else all bytes; `limit` in bytes.

        Bytes that are no UTF-8 are replaced. Raises as `read` does.
        """
        data = self.read(limit)
        if data[:HEAD_BYTES].lstrip(_SPACE).startswith(b"{"):
            with suppress(ItemError):
                value = parse(data).value
                if shape_of(value) is Shape.TEXT:
                    return clean(value["text"])
        return data.decode("utf-8-sig", "replace")

    def decodes(self, limit: int) -> bool:
        """Whether all bytes are UTF-8; `limit` in bytes. Raises as `read` does."""
        try:
            self.read(limit).decode()
        except UnicodeDecodeError:
            return False
        return True

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the bytes in hexadecimal; None when they cannot be read.

        None, too, for a model of more than HELD_BYTES: to judge it its header alone is read, and
        `egide hash` gives its digests.
        """
        return self.view(_sha256)

    def view(self, compute: Callable[[Item], T]) -> T:
        """What `compute` makes of this item, computed once and shared by all who ask.

        Views are known by `compute`, which is a function or any callable that compares equal when
        it computes the same. An ItemError is kept, and raised again.
        """
        if compute not in self._views:
            try:
                self._views[compute] = compute(self)
            except ItemError as error:
                self._views[compute] = error
        value = self._views[compute]
        if isinstance(value, ItemError):
            raise value
        return value  # type: ignore[no-any-return]


def _problem(head: bytes, kind: Kind, suffix: str) -> ItemError | None:
    """What is wrong with a file that begins with `head`, as far as can be told without reading it.

    The name decides nothing but this: something called a picture that is none is not passed by as
    content of another kind, but reported as damaged.
    """
    if not head:
        return EmptyItem("it has zero bytes; upload it again")
    if suffix.lower() in PICTURE_SUFFIXES and kind in (Kind.TEXT, Kind.OTHER):
        return UnknownContent(f"it is called {suffix}, but its bytes begin no picture we know")
    return None


@contextmanager
def _opened(path: Path, *, follow: bool = True) -> Iterator[BufferedReader]:
    """The regular file at `path`, open; UnreadableItem for anything else, and while reading.

    Nothing that could wait or answer is opened: what it is, is asked first, and once more when it
    is open, since it may have been replaced in between.
    """
    try:
        if not stat.S_ISREG(path.stat(follow_symlinks=follow).st_mode):
            raise UnreadableItem("it is not a regular file; give files or folders")
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
        with open(os.open(path, flags), "rb") as handle:  # noqa: PTH123  Path takes no descriptor
            if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
                raise UnreadableItem("it was replaced by something that is no regular file")
            yield handle
    except OSError as error:
        raise UnreadableItem(error.strerror or type(error).__name__) from error
    except ValueError as error:  # a zero byte in the path
        raise UnreadableItem(str(error)) from error


def _read_file(item: Item) -> bytes:
    path = Path(item.content)  # type: ignore[arg-type]  # read() has ruled the bytes out
    with _opened(path) as handle:
        data = handle.read(item.size + 1)
    if len(data) > item.size:
        raise UnreadableItem("it grew while it was being read; scan it again when it is complete")
    return data


def _sha256(item: Item) -> str | None:
    if isinstance(item.problem, UnreadableItem):
        return None
    if item.problem is not None and item.content == b"" and not isinstance(item.problem, EmptyItem):
        return None  # a record too long to be kept
    if isinstance(item.content, bytes):
        return hashlib.sha256(item.content).hexdigest()
    # Of a model the detectors read the header alone: a small one need not be held in memory for
    # its digest, and a large one not be read.
    return (
        None if item.kind is Kind.MODEL and item.size > HELD_BYTES else _of_file(item, item.content)
    )


def _of_file(item: Item, path: Path) -> str | None:
    """SHA-256 of the file that `item` is; None when it cannot be read."""
    try:
        if item.size <= HELD_BYTES and item.kind is not Kind.MODEL:
            # The bytes that the detectors read: one reading, and one content, for all.
            return hashlib.sha256(item.view(_read_file)).hexdigest()
        with _opened(path) as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except UnreadableItem:
        return None
