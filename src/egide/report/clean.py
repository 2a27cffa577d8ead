"""Makes text that others wrote safe to show: file names and messages are hostile until cleaned."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any, Final, TextIO

_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_UNSAFE_IN_JSON: Final = re.compile(
    "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""`text` on one line, everything that does not print written as `\x1b`, `\u202e`, `\udcff`.

    Control characters, terminal escapes, line breaks, bidirectional overrides, invisible marks,
    lone surrogates (bytes of a file name that are no UTF-8) and unassigned code points are escaped.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escaped(character) if unicodedata.category(character) in _HIDDEN_CATEGORIES else character
        for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def json_text(document: Any, out: TextIO) -> str:
    r"""`document` as JSON on one line that `out` can encode and a terminal shows unharmed.

    What JSON leaves raw and should not be (C1 controls, bidirectional overrides, Unicode line
    breaks, lone surrogates) is escaped as `\uXXXX`: it reads back as the same text.
    """
    text = json.dumps(
        document,
        ensure_ascii=not writes_utf8(out),
        separators=(",", ":"),
        default=str,  # evidence of somebody else's detector must not cost the report
    )
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def writes_utf8(out: TextIO) -> bool:
    """Whether `out` takes every character; a stream without an encoding holds text as it is."""
    encoding = getattr(out, "encoding", None)
    return encoding is None or encoding.lower().replace("_", "-") in {"utf-8", "utf8"}
