"""Letters as pages: one file, its own style sheet, no script, nothing loaded."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from egide.desk.letters.letter import Letter

_FOLDER: Final = "templates"


def page_of(letter: Letter) -> str:
    """The page of `letter`; everything in it is escaped."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    blocks = [(type(block).__name__.lower(), block) for block in letter.blocks]
    template = _environment().get_template("letter.html.j2")
    return template.render(
        letter=letter, blocks=blocks, style=style, style_hash=f"'sha256-{digest}'"
    )


@cache
def _style() -> str:
    folder = files("egide.desk.letters").joinpath(_FOLDER)
    return folder.joinpath("letter.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("egide.desk.letters", _FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
