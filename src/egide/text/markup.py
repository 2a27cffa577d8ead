"""Undoes what markup and addresses write for characters, and what they put inside words.

HTML's character references (`r&#101;move`), bytes as addresses write them (`%20`), and what shows
nothing between two letters: elements without content, comments, `<wbr>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_SIGNS: Final = ("&", "<", "%")
# Whatever repeats has an end: linear in the length.
_REFERENCE: Final = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});"
_BYTES: Final = r"(?:%[0-9a-fA-F]{2}){1,16}"
_NOTHING: Final = (
    r"(?:<!--[^>]{0,256}-->"
    r"|<(?P<element>[a-zA-Z]{1,10})(?: [^<>]{0,128})?></(?P=element)>"
    r"|<[wW][bB][rR] ?/?>)"
)
_WRITTEN: Final = re.compile(
    rf"(?P<reference>{_REFERENCE})"
    rf"|(?P<bytes>(?<=[^\W\d_]){_BYTES}|(?<![0-9%]){_BYTES}(?=[^\W\d_]))"
    rf"|(?<=[\w;]){_NOTHING}(?=[\w&<])"
)


class Written(NamedTuple):
    """The span of a text that stands for the characters `shown`, and whether that can hide a word.

    Nobody has to write letters of the alphabet, or nothing, like that; accents and spaces are
    written so by honest pages and addresses.
    """

    start: int
    end: int
    shown: str
    hides: bool


def written(text: str) -> Sequence[Written]:
    """What stands for other characters in `text`, in order; linear in the length."""
    return tuple(_found(text)) if any(sign in text for sign in _SIGNS) else ()


def _found(text: str) -> Iterator[Written]:
    for found in _WRITTEN.finditer(text):
        shown: str | None = ""
        if found["reference"]:
            shown = _referred(found[0])
        elif found["bytes"]:
            shown = _decoded(found[0])
        if shown is not None:
            hides = not shown or (shown.isascii() and any(map(str.isalnum, shown)))
            yield Written(found.start(), found.end(), shown, hides)


def _referred(reference: str) -> str | None:
    from html import unescape  # noqa: PLC0415  start-up time
    from html.entities import html5  # noqa: PLC0415  start-up time

    return unescape(reference) if reference[1] == "#" else html5.get(reference[1:])


def _decoded(escaped: str) -> str | None:
    try:
        return bytes.fromhex(escaped.replace("%", "")).decode()
    except UnicodeDecodeError:  # "50%de"
        return None
