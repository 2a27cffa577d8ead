"""Finds disguise in single characters: mixed scripts, invisible marks, stacked accents, styles.

Honest Cyrillic, Greek, Arabic, Han, mathematics and emoji sequences are none: what counts is what
stands inside one word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from egide.text.fold import KEPT_FOLDS, is_ignorable, is_mark, lookalikes

_OVERLAYS: Final = range(0x0334, 0x0339)
_BIDI: Final = frozenset("\u202a\u202b\u202d\u202e")
_JOINERS: Final = frozenset("\u200c\u200d\u2060")
_SCRIPTS: Final = {"LATIN": "L", "CYRILLIC": "C", "GREEK": "C", "ARMENIAN": "C", "COPTIC": "C"}
_STYLED: Final = frozenset({"<font>", "<circle>", "<square>", "<super>", "<sub>"})


class Disguise(NamedTuple):
    """One thing that was undone: what it was, where in the text (or the key), what it hid."""

    kind: str
    start: int
    end: int
    word: str = ""


def _class_of(character: str) -> str:
    r"""One letter for what `character` is.

    `L` Latin, `C` a script that has look-alikes of Latin letters, `O` another script, `S` styled,
    `W` full-width, `R` regional indicator, `I` invisible, `J` joiner, `H` soft hyphen, `B` bidi
    override, `M` mark, `K` overlaid stroke, `D` digit, `\ ` anything else.
    """
    code = ord(character)
    if hidden := _class_of_hidden(character, code):
        return hidden
    if 0x1F1E6 <= code <= 0x1F1FF:
        return "R"
    category = unicodedata.category(character)
    if category == "Nd":
        return "D"
    if unicodedata.decomposition(character).partition(" ")[0] in _STYLED:
        return "S"
    if category.startswith("L"):
        script = _SCRIPTS.get(unicodedata.name(character, "").partition(" ")[0])
        wide = 0xFF01 <= code <= 0xFF5E
        return "W" if wide else script or ("S" if character in lookalikes() else "O")
    return "S" if category == "So" and character in lookalikes() else " "


def _class_of_hidden(character: str, code: int) -> str:
    """The class of what is seen as no letter of its own; empty for everything else."""
    if character in _BIDI:
        return "B"
    if character in _JOINERS:
        return "J"
    if character == "\u00ad":
        return "H"
    if is_mark(character):
        return "K" if code in _OVERLAYS else " " if 0xFE00 <= code <= 0xFE0F else "M"
    return "I" if is_ignorable(character) else ""


class _Classes(dict[int, str]):
    def __missing__(self, code: int) -> str:
        found = _class_of(chr(code))
        if len(self) < KEPT_FOLDS:
            self[code] = found
        return found


_CLASSES: Final = _Classes()
_HOT: Final = frozenset("CSWRIJHBMK")
_WORD: Final = re.compile(r"[LCOSWRIJHMKD]++")


def character_disguises(text: str) -> Iterator[Disguise]:
    """What is disguised in `text`, word by word; spans are of the text. Linear in the length."""
    if text.isascii():
        if "\0" in text or not text.isprintable():
            yield from _controls(text)
        return
    classes = text.translate(_CLASSES)
    if _HOT.isdisjoint(classes):
        return
    if "B" in classes and "L" in classes:
        at = classes.index("B")
        yield Disguise("bidi", at, at + 1)
    for found in _WORD.finditer(classes):
        kind = _kind(found[0])
        if kind:
            yield Disguise(kind, *found.span())


def _controls(text: str) -> Iterator[Disguise]:
    for found in re.finditer(r"[A-Za-z][\x00-\x08\x0e-\x1f\x7f][A-Za-z]", text):
        yield Disguise("invisible", *found.span())


def _kind(word: str) -> str:
    """How the word of these classes is disguised; an empty text when it is not."""
    present = set(word)
    if len(present) == 1 and present <= {"L", "C", "O", "D"}:
        return "look-alikes" if present == {"C"} else ""
    bare = word.strip("IJHMK")
    if "I" in bare or ("J" in bare and "O" not in present and "R" not in present):
        return "invisible"
    if present >= {"L", "C"}:
        return "mixed-script"
    if (
        "MMM" in word
        or "K" in present
        or (word.count("M") >= 4 and 2 * word.count("M") >= len(word))
    ):
        return "stacked-marks"
    if "H" in bare:
        return "soft-hyphen"
    styles = {"S": "styled", "W": "full-width", "R": "regional-letters", "C": "look-alikes"}
    return next((kind for style, kind in styles.items() if style in present), "")


ALWAYS: Final = frozenset({"invisible", "mixed-script", "stacked-marks", "bidi"})
"""Kinds that nobody types by accident; the others count where they hide a word that matters."""
