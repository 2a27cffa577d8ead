"""Folds text to plain lower-case Latin letters, and keeps the way back to the original.

Each character is folded by itself: compatibility forms (full-width, styled, circled), case,
accents, look-alikes of other scripts, invisible marks. What takes more than one character to see
(letters spaced out, digits for letters) is undone by `egide.text.disguise`.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from importlib.resources import files
from itertools import accumulate, repeat
from typing import Final

KEPT_FOLDS: Final = 1 << 16
"""So many characters are remembered with their folds; memory stays bounded on hostile input."""

LEET: Final = {
    "0": "o",
    "1": "i",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "g",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "i",
    "|": "i",
    "+": "t",
    "€": "e",
    "£": "l",
    "¥": "y",
    "¢": "c",
    "§": "s",
}
"""Digits and signs that stand for letters inside words."""
LEET_TABLE: Final = str.maketrans(LEET)

_LEET_TOKEN: Final = re.compile(r"[a-z0-9@$!|+€£¥¢§]+")
_PUNCTUATION: Final = {
    **dict.fromkeys("‘’‚‛ʼʻ′`´＇", "'"),
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("。．｡·•∙⋅‧・ᐧ᛫⸱ꞏ⦁◦‣●○▪", "."),
    **dict.fromkeys("，、", ","),
    **dict.fromkeys("\u2028\u2029\r\x0b\x0c\x85", "\n"),
    "\t": " ",
    "\u2800": " ",  # a braille cell without dots
    "\n": "\n",
}
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u3164\uffa0")
# Marks of these blocks are laid on any letter; those of other blocks spell words of their script.
_MARK_BLOCKS: Final = (
    (0x0300, 0x036F),
    (0x0483, 0x0489),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F),
    (0xFE20, 0xFE2F),
    (0xE0100, 0xE01EF),
)


def is_ignorable(character: str) -> bool:
    """Whether `character` shows nothing: controls, joiners, bidi marks, fillers, soft hyphens."""
    category = unicodedata.category(character)
    return (
        category in ("Cf", "Cs") or (category == "Cc" and character not in "\t\n\r\x0b\x0c\x85")
    ) or character in _FILLERS


def is_mark(character: str) -> bool:
    """Whether `character` is a mark that may be laid on any letter: accents, strokes, selectors."""
    code = ord(character)
    return any(first <= code <= last for first, last in _MARK_BLOCKS)


@cache
def lookalikes() -> dict[str, str]:
    """What passes for Latin letters, by the character that does."""
    table = files("egide.text").joinpath("data", "lookalikes.txt").read_text(encoding="utf-8")
    lines = (line.split(" ", 1) for line in table.splitlines() if not line.startswith("#"))
    return {character: letters for letters, characters in lines for character in characters}


def fold_character(character: str) -> str:
    """The plain letters that one character stands for; nothing for what shows nothing."""
    if character in _PUNCTUATION:
        return _PUNCTUATION[character]
    if is_ignorable(character):
        return ""
    if character.isspace():
        return " "
    if character.isdigit() and not character.isdecimal():  # circled on black, Ethiopic
        return str(unicodedata.digit(character))
    known = lookalikes()
    folded = []
    for part in known.get(character) or unicodedata.normalize("NFKD", character):
        if is_mark(part):
            continue
        plain = known.get(part) or part.casefold()
        folded.append("".join(known.get(c, c) for c in plain if not is_mark(c)))
    return "".join(folded)


class _Folds(dict[int, str]):
    """Folds by code point, as `str.translate` wants them, made when first met."""

    def __missing__(self, code: int) -> str:
        folded = fold_character(chr(code))
        if len(self) < KEPT_FOLDS:
            self[code] = folded
        return folded


_FOLDS: Final = _Folds()


class Folded:
    """A text and its `key`: the same folded, character by character.

    `instead` are spans of the text that stand for other characters, in order: for those the first
    of each span counts, and the others show nothing.
    """

    def __init__(self, text: str, instead: Sequence[tuple[int, int, str]] = ()) -> None:
        self.text = text
        self._instead = instead
        self.key = "".join(self._folds()) if instead else text.translate(_FOLDS)

    def _folds(self) -> Iterator[str]:
        """What each character of the text became."""
        done = 0
        for start, end, shown in self._instead:
            yield from map(_FOLDS.__getitem__, map(ord, self.text[done:start]))
            yield shown.translate(_FOLDS)
            yield from repeat("", end - start - 1)
            done = end
        yield from map(_FOLDS.__getitem__, map(ord, self.text[done:]))

    @cached_property
    def _ends(self) -> list[int] | None:
        """Where in `key` each character of the text ends; None when the two run in parallel."""
        if self.text.isascii() and len(self.text) == len(self.key):
            return None
        return list(accumulate(map(len, self._folds())))

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The span of the text, in characters, that became `key[start:end]`; never empty there."""
        if self._ends is None:
            return start, end
        first = bisect_right(self._ends, start)
        last = bisect_right(self._ends, end - 1) + 1 if end > start else first
        # Marks and invisible characters that follow belong to what they follow.
        while last < len(self._ends) and self._ends[last] == self._ends[last - 1]:
            last += 1
        return first, min(last, len(self.text))

    def accented(self, start: int, end: int) -> str:
        """`key[start:end]` in the parallel view that keeps accents: composed, lower case."""
        first, last = self.origin(start, end)
        shown = "".join(c for c in self.text[first:last] if not is_ignorable(c))
        return unicodedata.normalize("NFC", shown).casefold()


def skeleton(text: str) -> str:
    """`text` as a plain key to compare by: folded, and digits inside words read as letters.

    Look-alikes, accents, styled alphabets, case and invisible characters are undone. Spaces and
    punctuation stay, as do digits at the end of a word (`anna2024`) and numbers. Linear in the
    length.
    """
    return _LEET_TOKEN.sub(_read_leet, text.translate(_FOLDS))


def _read_leet(found: re.Match[str]) -> str:
    token = found[0]
    if token.isalpha():
        return token
    stem = token.rstrip("0123456789@$!|+€£¥¢§")
    if stem.isalpha() or not any(map(str.isalpha, stem)):
        return token
    tail = token[len(stem) :]
    read = stem.translate(LEET_TABLE)
    return read + (tail.translate(LEET_TABLE) if len(tail) == 1 and tail not in "!|+" else tail)
