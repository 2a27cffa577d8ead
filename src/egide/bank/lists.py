"""Fingerprint lists: the formats that banks read and write.

Read, told apart by their first line: CSV or TSV with a header `type,hash[,label,ref]`; lines of
`<type> <hash>` as ThreatExchange's tools write them; and our own JSON Lines, schema
`egide.bank/1`, which keep everything, tombstones included. A line that cannot be read is reported
and costs nothing but itself; the report does not repeat what stands in it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, TextIO

from egide.bank.entry import Draft, Entry, parse_entry_id
from egide.errors import EntryNotFound, ImportFormatError
from egide.fingerprint import EDIT_BORDER, EDIT_NONE, Fingerprint, FingerprintType
from egide.match import EntryState

BANK_SCHEMA: Final = "egide.bank/1"
MAX_LINE: Final = 1 << 26
"""The longest line that is read; the entry of a video with 2,000 local records takes half of it."""


_OURS: Final = frozenset({FingerprintType.LOCAL, FingerprintType.SSCD})
"""The types that only égide reads: they are left out of the formats of others."""

_TYPES: Final = {str(type_): type_ for type_ in FingerprintType}
_COLUMN_NAMES: Final = {"signal_type": "type", "signal_str": "hash"}
"""What ThreatExchange's tools call the columns of their CSV."""

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,19}")


class ListFormat(StrEnum):
    """What `egide bank export` can write."""

    JSONL = "jsonl"
    CSV = "csv"
    TX = "threatexchange"


def read_list(lines: TextIO, source: str) -> Iterator[Draft | ImportFormatError]:
    """The drafts that `lines` write, and an error for every line that writes none; streaming.

    Raises ImportFormatError when nothing of the list can be understood.
    """
    numbered = _numbered(lines, source)
    first = next(numbered, None)
    if first is None:
        raise ImportFormatError(f"{source} is empty; give a list of fingerprints")
    number, line = first
    if isinstance(line, ImportFormatError):
        raise line
    parse: Callable[[str], Draft]
    if line.startswith("{"):
        parse = _parse_json
    elif (delimiter := _delimiter(line)) is not None:
        parse = _Columns(_header(line, delimiter), delimiter)
        first = None
    elif line.split()[0].lower() in _TYPES:
        parse = _parse_pair
    else:
        raise ImportFormatError(
            f"{source}, line {number}: neither a header like 'type,hash,label,ref', nor "
            "'<type> <hash>', nor a line that `egide bank export` wrote"
        )
    if first is not None:
        yield _parsed(parse, number, line, source)
    for number, line in numbered:
        if isinstance(line, ImportFormatError):
            yield line
        else:
            yield _parsed(parse, number, line, source)


def _numbered(lines: TextIO, source: str) -> Iterator[tuple[int, str | ImportFormatError]]:
    """The lines that are not blank, with their numbers from 1; over-long ones as errors."""
    number = 0
    while line := lines.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            line = line.removeprefix("\ufeff")
        if len(line) > MAX_LINE:
            while line and not line.endswith("\n"):
                line = lines.readline(MAX_LINE)
            yield (
                number,
                ImportFormatError(
                    f"{source}, line {number} is longer than {MAX_LINE:,} characters; left out"
                ),
            )
        elif line.strip() and not line.startswith("#"):
            yield number, line.strip("\r\n")


def _parsed(
    parse: Callable[[str], Draft], number: int, line: str, source: str
) -> Draft | ImportFormatError:
    try:
        return parse(line)
    except (ValueError, RecursionError, csv.Error) as error:
        return ImportFormatError(f"{source}, line {number}: {error}; left out")


def _delimiter(header: str) -> str | None:
    for delimiter in (",", "\t", ";"):
        with suppress(csv.Error):
            if {"type", "hash"} <= set(_header(header, delimiter)):
                return delimiter
    return None


def _header(line: str, delimiter: str) -> list[str]:
    names = [cell.lower() for cell in _cells(line, delimiter)]
    return [_COLUMN_NAMES.get(name, name) for name in names]


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, strict=True), [])]


class _Columns:
    """Parses the lines of one CSV or TSV list by its header."""

    def __init__(self, names: list[str], delimiter: str) -> None:
        self.delimiter = delimiter
        self.type = names.index("type")
        self.hash = names.index("hash")
        self.label = names.index("label") if "label" in names else None
        self.ref = names.index("ref") if "ref" in names else None

    def __call__(self, line: str) -> Draft:
        cells = _cells(line, self.delimiter)
        if len(cells) <= max(self.type, self.hash):
            raise ValueError(f"{len(cells)} columns, the header has more")
        return Draft(
            (_fingerprint(cells[self.type], cells[self.hash]),),
            self._optional(cells, self.label),
            self._optional(cells, self.ref),
        )

    @staticmethod
    def _optional(cells: list[str], column: int | None) -> str | None:
        if column is None or column >= len(cells):
            return None
        return cells[column] or None


def _parse_pair(line: str) -> Draft:
    type_, *rest = line.split(maxsplit=2)  # what may follow is ThreatExchange's own description
    if not rest:
        raise ValueError("there is no fingerprint behind the type")
    return Draft((_fingerprint(type_, rest[0]),))


def _parse_json(line: str) -> Draft:
    try:
        document = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(document, dict) or document.get("schema") != BANK_SCHEMA:
        raise ValueError(f"no JSON object of the schema {BANK_SCHEMA}")
    state = document.get("state")
    if not isinstance(state, str) or state not in list(EntryState):
        raise ValueError(f"state is none of {', '.join(EntryState)}")
    try:
        parse_entry_id(_string(document, "entry"))
    except EntryNotFound:
        raise ValueError("entry is no entry id") from None
    if state == EntryState.WITHDRAWN:
        return Draft((), origin=document["entry"], state=EntryState.WITHDRAWN)
    fingerprints = document.get("fingerprints")
    if not isinstance(fingerprints, list) or not fingerprints:
        raise ValueError("fingerprints is no list with something in it")
    return Draft(
        tuple(_json_fingerprint(fingerprint) for fingerprint in fingerprints),
        None if document.get("label") is None else _string(document, "label"),
        None if document.get("ref") is None else _string(document, "ref"),
        document["entry"],
        EntryState(state),
    )


def _json_fingerprint(document: object) -> Fingerprint:
    if not isinstance(document, dict):
        raise ValueError("a fingerprint is no JSON object")  # noqa: TRY004  one kind for all lines
    quality = document.get("quality", 100)
    if type(quality) is not int or not 0 <= quality <= 100:
        raise ValueError("quality is no whole number from 0 to 100")
    edit = document.get("edit", EDIT_NONE)
    if edit not in (EDIT_NONE, EDIT_BORDER):
        raise ValueError(f"edit is neither {EDIT_NONE} nor {EDIT_BORDER}")
    at, span = (_milliseconds(document, key) for key in ("at", "span"))
    type_, digits = _string(document, "type"), _string(document, "hash")
    return replace(_fingerprint(type_, digits, quality, edit), at=at, span=span)


def _milliseconds(document: dict[str, Any], key: str) -> int | None:
    value = document.get(key)
    if value is not None and (type(value) is not int or not 0 <= value < 1 << 53):
        raise ValueError(f"{key} is no whole number of milliseconds")
    return value


def _string(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004
            f"{key} is no text" if key in document else f"{key} is missing"
        )
    return value


def _fingerprint(type_: str, digits: str, quality: int = 100, edit: str = EDIT_NONE) -> Fingerprint:
    known = _TYPES.get(type_) or _TYPES.get(type_.strip().lower())
    if known is None:
        # In a list with its columns exchanged this would be the fingerprint: not to be shown.
        what = f"type {type_!r}" if _WORD.fullmatch(type_) else "this type"
        raise ValueError(f"fingerprints of {what} are not held here")
    try:
        value = bytes.fromhex(digits)
    except ValueError:
        raise ValueError(f"the {known} is not written in pairs of hexadecimal digits") from None
    return Fingerprint(known, value, quality, edit)


def write_list(entries: Iterable[Entry], out: TextIO, format: ListFormat) -> int:  # noqa: A002
    """Writes `entries` to `out`; how many entries were written. Streaming.

    CSV and ThreatExchange lines hold what others can read: live PDQ hashes and digests. JSON Lines
    hold everything, tombstones too, so that whoever imports them withdraws what was withdrawn here.
    """
    out.write(list_header(format))
    count = 0
    for entry in entries:
        if text := list_entry(entry, format):
            out.write(text)
            count += 1
    return count


def list_header(format: ListFormat) -> str:  # noqa: A002
    """What a list begins with."""
    return "type,hash,label,ref\n" if format is ListFormat.CSV else ""


def list_entry(entry: Entry, format: ListFormat) -> str:  # noqa: A002
    """The lines that `entry` is in a list; empty when it has nothing that others can read."""
    if format is ListFormat.JSONL:
        return json.dumps(_document(entry), ensure_ascii=False) + "\n"
    if entry.state is EntryState.WITHDRAWN:
        return ""
    readable = [f for f in entry.fingerprints if f.type not in _OURS]
    if format is ListFormat.TX:
        return "".join(f"{f.type} {f.hex}\n" for f in readable)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerows([f.type, f.hex, _cell(entry.label), _cell(entry.ref)] for f in readable)
    return lines.getvalue()


def _cell(text: str | None) -> str:
    """`text` on one line, and so that no spreadsheet takes it for a formula."""
    text = " ".join((text or "").splitlines())
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text


def _document(entry: Entry) -> dict[str, Any]:
    return {
        "schema": BANK_SCHEMA,
        "entry": entry.id,
        "state": str(entry.state),
        "label": entry.label,
        "ref": entry.ref,
        "fingerprints": [
            {"type": str(f.type), "hash": f.hex, "quality": f.quality, "edit": f.edit}
            | ({} if f.at is None else {"at": f.at, "span": f.span})
            for f in entry.fingerprints
        ],
    }
