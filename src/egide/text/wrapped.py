"""Texts inside JSON: what a request says is in its values, and keys and signs only dilute it."""

from __future__ import annotations

import re
from typing import Final

# What has been looked at is consumed, a string without an end too: linear in the length.
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*+)"?+(\s*+:)?', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\[^u]")
_OPENING: Final = ("{", "[")


def unwrapped(text: str) -> str:
    """`text` with blanks for all but the values of its JSON strings; empty when it has no JSON.

    As long as `text`: what is found in it stands at the same place in the original.
    """
    if '"' not in text or text.lstrip()[:1] not in _OPENING:
        return ""
    parts: list[str] = []
    end = 0
    for found in _STRING.finditer(text):
        if found[2] is None:
            start, stop = found.span(1)
            parts += (" " * (start - end), _ESCAPE.sub("  ", found[1]))
            end = stop
    if not end:
        return ""
    return "".join(parts) + " " * (len(text) - end)
