"""Letters made comparable, one by one, for names: `egide.text.fold` with two differences.

Latin letters keep their case, since `JaneDoe` is cut by it; kana keep the marks that make other
syllables of them, and Korean syllables stay whole. The same folding makes the keys of a gazetteer
and reads the text they are sought in, so that a name in any script finds itself.
"""

from __future__ import annotations

import hashlib
import unicodedata
from functools import cache
from typing import Final

from egide.text.fold import KEPT_FOLDS, fold_character, lookalikes

FOLDING_VERSION: Final = 1
"""Raised when a change here gives other keys."""
_WHOLE_BLOCKS: Final = ((0x3040, 0x30FF), (0xAC00, 0xD7A3))


class _Folding(dict[int, str]):
    """A table for `str.translate` that works each character out when it is first met."""

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code))
        if len(self) < KEPT_FOLDS:
            self[code] = folded
        return folded


_FOLDING: Final = _Folding()


def fold_letters(text: str) -> str:
    """`text` with every character outside ASCII folded; Latin letters keep their case. Linear."""
    return text if text.isascii() else text.translate(_FOLDING)


@cache
def folding_digest() -> str:
    """Eight hexadecimal digits that change when the folding does: keys made by it are then void."""
    table = repr((FOLDING_VERSION, sorted(lookalikes().items())))
    return hashlib.sha256(table.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _fold(character: str) -> str:
    if character.isascii():
        return character
    whole = unicodedata.normalize("NFKC", character)
    if any(low <= ord(whole[0]) <= high for low, high in _WHOLE_BLOCKS):
        return whole  # half-width kana come out whole here too
    folded = fold_character(character)
    is_capital = character.isupper() or unicodedata.normalize("NFKD", character)[0].isupper()
    return folded.upper() if is_capital and folded.isascii() else folded
