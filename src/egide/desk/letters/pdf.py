"""Letters as PDF, by Typst: tagged for screen readers, its own fonts, the same bytes each time.

Text reaches the typesetter as strings of a JSON document, never as markup, and a folder without
anything in it is all that the typesetter may read.
"""

from __future__ import annotations

import json
import re
import tempfile
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import typst

from egide.desk.letters.letter import Block, Facts, Points, Quote

if TYPE_CHECKING:
    from egide.desk.letters.letter import Letter

PDF_UA: Final = "ua-1"
"""PDF/UA-1, ISO 14289-1: what a screen reader needs is there."""
_RUN: Final = re.compile(r"\S{36}(?=\S)")
_LONG_AGO: Final = 0
"""In place of the time of making, which would change the bytes."""


def pdf_of(letter: Letter) -> bytes:
    """The PDF of `letter`.

    PDF/UA forbids signs that no font has. A letter that quotes some is tagged all the same, and
    does not claim to be PDF/UA.
    """
    document = json.dumps(
        {
            "language": letter.language,
            "subject": letter.subject,
            "author": letter.sender,
            "sender": _pieces(letter.sender),
            "dated": letter.dated,
            "title": _pieces(letter.title),
            "blocks": [_block(block) for block in letter.blocks],
        }
    )
    try:
        return _typeset(document, [PDF_UA])
    except typst.TypstError:
        return _typeset(document, [])


def _typeset(document: str, standards: list[str]) -> bytes:
    typeset: Any = typst.compile  # its types want a root of the type of the source
    with tempfile.TemporaryDirectory(prefix="egide-letter-") as empty:
        made = typeset(
            _template(),
            root=empty,
            format="pdf",
            font_paths=_fonts(),
            sys_inputs={"letter": document},
            pdf_standards=standards,
            timestamp=_LONG_AGO,
        )
    return bytes(made)


def _block(block: Block) -> dict[str, Any]:
    kind = type(block).__name__.lower()
    match block:
        case Facts(rows):
            return {"kind": kind, "rows": [(_pieces(name), _pieces(value)) for name, value in rows]}
        case Points(items):
            return {"kind": kind, "items": [_pieces(item) for item in items]}
        case Quote():
            return {"kind": kind, "lines": [_pieces(line) for line in block.paragraphs]}
        case _:
            return {"kind": kind, "text": _pieces(block.text)}


def _pieces(text: str) -> list[str]:
    """`text` cut within runs without a space, so that a line can end there."""
    return _RUN.sub(lambda run: f"{run[0]}\n", text).split("\n")


@cache
def _fonts() -> typst.Fonts:
    """The fonts that come with the typesetter: those of the machine would change the bytes."""
    return typst.Fonts(include_system_fonts=False)


@cache
def _template() -> bytes:
    return files("egide.desk.letters").joinpath("templates", "letter.typ").read_bytes()
