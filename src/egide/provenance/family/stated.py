"""Blocks as statements by name: the same text is found in a PNG chunk, a tag or a JSON envelope.

Tools write one text under one name; carriers then put it into an EXIF tag, converters into a JSON
object of all chunks. Families ask for a name and need not know where it stood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from egide.errors import CorruptItem, ItemError, TooManyBytes
from egide.provenance.statements import Block, Generation, Trust
from egide.record import parse

MOST_JSON: Final = 16 << 20
"""Characters of JSON that are parsed; the largest graphs in the wild have two million."""
MOST_JSON_OF_ALL: Final = 2 * MOST_JSON
"""Of one file: a graph stands in it twice, as it was run and as it was drawn."""
MOST_STATEMENTS: Final = 4096

_QUICKTIME: Final = "com.apple.quicktime."

MAIN: Final = (
    "parameters",
    "usercomment",
    "comment",
    "description",
    "imagedescription",
    "xpcomment",
    "stealth",
)
"""The names that a tool's whole text stands under, in whatever carrier."""

_ENVELOPED: Final = frozenset(
    {
        "prompt",
        "workflow",
        "parameters",
        "parameters-json",
        "smproj",
        "generation_data",
        "invokeai_metadata",
        "sd-metadata",
        "dream",
        "comment",
        "description",
        "software",
        "source",
        "title",
        "extrametadata",
    }
)
"""Names of chunks that converters and hidden text put as keys of one JSON object."""
_PREFIXED: Final = re.compile(r"\s{0,9}(prompt|workflow)\s{0,9}:\s{0,9}(?=\{)", re.IGNORECASE)
_BEGINS_AS_JSON: Final = re.compile(r'\{\s{0,99}"|\[\s{0,99}[{"]')
_AROUND: Final = " \t\r\n\0\ufeff"


@dataclass(frozen=True, slots=True)
class Statement:
    """One text, or one JSON value, by the name that a tool gives it.

    `name` is lower-case without carrier; hidden text is named `stealth`. `value` is None where the
    text is no JSON object or list.
    """

    name: str
    where: str
    trust: Trust
    text: str
    value: Any = None

    def generation(self, generator: str) -> Generation:
        """An empty account by `generator`, standing here."""
        return Generation(generator, (self.where,), self.trust)


class Stated:
    """All statements of one file, to be asked for by name, and the faults met in reading them."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.faults: list[ItemError] = []
        self.broken: list[Statement] = []
        """Statements that begin as JSON and are none."""
        self._named: dict[str, list[Statement]] = {}
        self._left = MOST_JSON_OF_ALL
        for number, block in enumerate(blocks):
            if number == MOST_STATEMENTS:
                said = f"more than {MOST_STATEMENTS:,} pieces of metadata; the rest is not read"
                self.faults.append(TooManyBytes(said))
                break
            self._add(self._read(block))

    def named(self, *names: str) -> Iterator[Statement]:
        """The statements under `names`, by the order of the names."""
        for name in names:
            yield from self._named.get(name, ())

    def texts(self, *names: str) -> Iterator[Statement]:
        """Those of them that are plain text."""
        broken = {id(each) for each in self.broken}
        for each in self.named(*names):
            if each.value is None and id(each) not in broken:
                yield each

    def objects(self, *names: str) -> Iterator[tuple[Statement, dict[str, Any]]]:
        """Those of them that are JSON objects."""
        for each in self.named(*names):
            if isinstance(each.value, dict):
                yield each, each.value

    def parsed(self, value: Any, where: str) -> Any:
        """The JSON in a text, any other `value` as it is; None and a fault where it is damaged."""
        if not isinstance(value, str):
            return value
        try:
            return self._parsed(value)
        except ItemError as error:
            self.faults.append(type(error)(f"{where}: {_said(error)}"))
            return None

    def _parsed(self, text: str) -> Any:
        self._left -= len(text)
        if len(text) > MOST_JSON or self._left < 0:
            raise TooManyBytes(f"more than {MOST_JSON >> 20} MiB of JSON; look at where it is from")
        return parse(text.strip(_AROUND).encode("utf-8", "replace")).value

    def _read(self, block: Block) -> Statement:
        carrier, _, rest = block.where.partition(":")
        key = rest.rpartition(":")[2].lower()
        name = "stealth" if carrier == "stealth" else key.removeprefix(_QUICKTIME)
        text = block.text.strip(_AROUND)
        if carrier == "exif" and (prefixed := _PREFIXED.match(text)):
            name, text = prefixed[1].lower(), text[prefixed.end() :]
        return Statement(name, block.where, block.trust, text)

    def _add(self, statement: Statement, depth: int = 2) -> None:
        if statement.value is None and statement.text.startswith(("{", "[")):
            try:
                statement = replace(statement, value=self._parsed(statement.text))
            except ItemError as error:
                if _BEGINS_AS_JSON.match(statement.text):  # a prompt may begin with a bracket too
                    self.faults.append(type(error)(f"{statement.where}: {_said(error)}"))
                    self.broken.append(statement)
        self._named.setdefault(statement.name, []).append(statement)
        if depth and isinstance(statement.value, dict) and statement.name in MAIN:
            for inner in _enveloped(statement, statement.value):
                self._add(inner, depth - 1)


def _enveloped(outer: Statement, value: dict[str, Any]) -> Iterator[Statement]:
    """What stands in a JSON object under the names of chunks."""
    for key, held in value.items():
        name = key.lower()
        if name not in _ENVELOPED:
            continue
        if isinstance(held, dict):
            yield replace(outer, name=name, text="", value=held)
        elif isinstance(held, str):
            yield replace(outer, name=name, text=held.strip(_AROUND), value=None)


def _said(error: ItemError) -> str:
    if isinstance(error, CorruptItem):
        return "its JSON is damaged; what it says is not read"
    return error.detail
