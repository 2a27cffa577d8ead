"""Cuts a folded text into tokens: words, signs, handles, and the ends of sentences."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

# Every alternative consumes what it has looked at, so that the whole is linear in the length.
TOKEN: Final = re.compile(r"@\w[\w.]*+|[^\W_]++|[.!?]++\s?|\n++|[^\w\s'\-]")
"""Words and single signs; apostrophes, hyphens and underscores only part words."""

WORDS: Final = re.compile(r"[^\W_]++")


class Token(NamedTuple):
    """A token and its span in the key."""

    text: str
    start: int
    end: int


def ends_sentence(token: str) -> bool:
    """Whether `token` ends a sentence: a stop before a space, or a line break."""
    return token[0] == "\n" or (token[0] in ".!?" and token[-1] in " \n")


def term_tokens(term: str) -> tuple[str, ...]:
    """The tokens of a lexicon's folded term; `..` in it stays, for any few words."""
    parts: list[str] = []
    for chunk in term.split():
        parts += [chunk] if chunk == ".." else TOKEN.findall(chunk)
    return tuple(part.strip() for part in parts)
