"""A letter: a subject and blocks of plain text, which text, HTML and PDF are made of.

What goes into a block is cleaned once, here: control characters, bidirectional overrides and
anything a font or a terminal could stumble over are gone before a form of the letter is made.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST_PASSAGE: Final = 20_000
"""Characters of one block that are printed; what people write to the desk is shorter."""
CUT: Final = " […]"
_WIDTH: Final = 78
MOST_MARKS: Final = 4
"""Accents on one letter: no language has more, and a pile of them hides the lines around it."""
_MARKS: Final = frozenset({"Mn", "Me"})
_INVISIBLE: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_DIRECTIONS: Final = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_BREAK: Final = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")


class LetterKind(StrEnum):
    """What a letter is about; the last two go to whoever put the content up."""

    RECEIPT = "receipt"
    ASKED = "asked"
    DECISION = "decision"
    REFUSAL = "refusal"
    APPEAL = "appeal"
    WITHDRAWN = "withdrawn"
    STATEMENT = "statement"
    OBJECTION = "objection"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, such as a case number."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Points:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """What a person wrote: shown apart from our own words; its line breaks are kept."""

    text: str

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The lines that are not empty."""
        return tuple(line for line in self.text.split("\n") if line.strip())


Block = Heading | Paragraph | Facts | Points | Quote


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter in one language.

    Attributes:
        kind: what it is about.
        language: a tag such as `fr`.
        subject: neutral: whoever reads it over a shoulder learns nothing.
        sender: the platform's name.
        dated: the day it is written, in words.
        title: its first line, which says what it is about.
        blocks: what it says.
    """

    kind: LetterKind
    language: str
    subject: str
    sender: str
    dated: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def text(self) -> str:
        """The letter as plain text, for an e-mail; addresses are never broken."""
        parts = [f"{self.sender}\n{self.dated}", self.title.upper(), *map(_plain, self.blocks)]
        return "\n\n".join(part for part in parts if part) + "\n"

    def html(self) -> str:
        """The letter as a page that stands alone and loads nothing."""
        from egide.desk.letters.page import page_of  # noqa: PLC0415  only a page needs templates

        return page_of(self)

    def pdf(self) -> bytes:
        """The letter as a tagged PDF; the same bytes each time."""
        from egide.desk.letters.pdf import pdf_of  # noqa: PLC0415  loads the typesetter

        return pdf_of(self)


def letter(
    kind: LetterKind,
    language: str,
    *,
    subject: str,
    sender: str,
    dated: str,
    title: str,
    blocks: Iterable[Block],
) -> Letter:
    """The letter with everything in it cleaned, and empty blocks left out."""
    kept = (_cleaned(block) for block in blocks)
    return Letter(
        kind,
        language,
        clean_line(subject),
        clean_line(sender),
        clean_line(dated),
        clean_line(title),
        tuple(block for block in kept if block is not None),
    )


def clean(text: str) -> str:
    r"""`text` as it may be printed: of what does not print only `\n` stays, long ones are cut."""
    cut = text if len(text) <= MOST_PASSAGE else text[:MOST_PASSAGE] + CUT
    lines = _DIRECTIONS.sub("", _BREAK.sub("\n", cut)).replace("\t", " ")
    return "".join(_printed(lines)).strip()


def _printed(text: str) -> Iterator[str]:
    marks = 0
    for each in text:
        category = unicodedata.category(each)
        marks = marks + 1 if category in _MARKS else 0
        if each == "\n" or category not in _INVISIBLE:
            if marks <= MOST_MARKS:
                yield each
        else:
            yield "\ufffd"


def clean_line(text: str) -> str:
    """As `clean`, on one line."""
    return " ".join(clean(text).split())


def _cleaned(block: Block) -> Block | None:
    match block:
        case Heading(text):
            return Heading(clean_line(text))
        case Paragraph(text):
            return Paragraph(line) if (line := clean_line(text)) else None
        case Quote(text):
            return Quote(lines) if (lines := clean(text)) else None
        case Points(items):
            found = tuple(line for item in items if (line := clean_line(item)))
            return Points(found) if found else None
        case Facts(rows):
            pairs = tuple((clean_line(name), clean_line(value)) for name, value in rows)
            return Facts(pairs) if pairs else None


def _plain(block: Block) -> str:
    match block:
        case Heading(text):
            return text.upper()
        case Paragraph(text):
            return _wrapped(text)
        case Facts(rows):
            return "\n".join(f"{name}: {value}" for name, value in rows)
        case Points(items):
            return "\n".join(_wrapped(item, "- ", "  ") for item in items)
        case Quote():
            return "\n".join(_wrapped(each, "> ", "> ") for each in block.paragraphs)


def _wrapped(text: str, first: str = "", rest: str = "") -> str:
    return "\n".join(_lines(text, first, rest))


def _lines(text: str, first: str, rest: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
