"""How a folded text is cut for the model: words, numbers and the signs that say something.

What is hashed of it, n-grams of words and characters and the families of words, is the kernel's
matter (`egide._kernel.text_blocks`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

WORD_GRAMS: Final = (1, 2, 3)
CHARACTER_GRAMS: Final = (3, 4, 5)
"""The sizes of the n-grams, in the order in which the kernel hashes them."""

# Words, numbers, and the signs that trade, ask and address; other punctuation says little.
# A piece has an end, so that text without spaces can be cut into windows.
_PIECE: Final = re.compile(r"[^\W\d_]{1,64}|\d+|[?$€£@#%/=&+]|[^\x00-\x7f\w\s]")


class Piece(NamedTuple):
    """One word or sign as it is hashed, and its span in the text that it was cut from."""

    text: str
    start: int
    end: int


def canonical(key: str) -> str:
    """`key` as it is hashed: pieces parted by one space, numbers as `0`, a space at both ends."""
    return f" {' '.join(['0' if p.isdigit() else p for p in _PIECE.findall(key)])} "


def pieces(key: str) -> list[Piece]:
    """The pieces of `canonical(key)`, in order, with their spans in `key`."""
    return [
        Piece("0" if found[0].isdigit() else found[0], *found.span())
        for found in _PIECE.finditer(key)
    ]


@lru_cache(maxsize=1 << 14)
def digests(names: Sequence[str]) -> bytes:
    """Names of facts as the kernel takes them: eight bytes each."""
    return b"".join(map(_digest, names))


@lru_cache(maxsize=1 << 12)
def _digest(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=8).digest()
