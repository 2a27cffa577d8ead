"""A table taken apart into records: CSV, in order, streaming."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO, Final

from egide.errors import CorruptItem, ItemError
from egide.record import MAX_RECORD_BYTES, parse
from egide.record_file import BOM, CHUNK, Raw, skip_line

MAX_FIELDS: Final = 1024
_WRITTEN: Final = frozenset({"text", "title", "id", "context"})
"""Cells of a table that stay what was written, JSON or not."""
_NO_ROW: Final = '"a line"that is too long\n'
_MORE_CELLS: Final = (
    "the row has more cells than the first one; put texts with a separator in them into quotes"
)


def csv_records(stream: BinaryIO) -> Iterator[Raw]:
    """The rows of a stream of CSV, each as a JSON object with the names of the first row.

    Separated by comma, semicolon or tabulator, whichever the first row has most of. Fields that
    hold JSON objects and lists are taken as such, but for texts and what they are called. A row
    that says more than the first one has names for is a problem, and so is a quote without an end.
    """
    header = _decoded(stream.readline(CHUNK).removeprefix(BOM))
    delimiter = max(",;\t", key=header.count)
    csv.field_size_limit(MAX_RECORD_BYTES)
    rows = csv.reader(chain([header], _text_lines(stream)), delimiter=delimiter, strict=True)
    names: list[str] | None = None
    while True:
        number = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Raw(b"", number, CorruptItem(f"it is no row of CSV ({error}); export it again"))
            continue
        if names is None:
            names = [_known(name) for name in row[:MAX_FIELDS]]
        elif any(row[len(names) :]):
            yield Raw(b"", number, CorruptItem(_MORE_CELLS))
        elif row:
            yield Raw(_row_json(names, row), number)


def _text_lines(stream: BinaryIO) -> Iterator[str]:
    """The lines of `stream`; in the place of one that is too long what can be no part of a row."""
    while line := stream.readline(MAX_RECORD_BYTES + 1):
        if len(line) > MAX_RECORD_BYTES and not line.endswith(b"\n"):
            skip_line(stream)
            yield _NO_ROW
        else:
            yield _decoded(line)


def _decoded(line: bytes) -> str:
    """UTF-8, or else what spreadsheets write where it is not asked for."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _known(name: str) -> str:
    """A column's name as records have it."""
    plain = name.strip().lower()
    return plain if plain in _WRITTEN else name


def _row_json(names: list[str], row: list[str]) -> bytes:
    import msgspec  # noqa: PLC0415  most scans meet no record

    cells = {
        name: cell if name in _WRITTEN else _cell(cell)
        for name, cell in zip(names, row, strict=False)
        if cell or name == "text"  # which may be empty, as in other records
    }
    return msgspec.json.encode(cells)


def _cell(cell: str) -> Any:
    if cell[0] not in "[{":
        return cell
    try:
        return parse(cell.encode("utf-8", "replace")).value
    except ItemError:
        return cell
