"""Hashes a folded text's words and letters to features, all at once.

The features are words, pairs and threes of words, and runs of 3 to 5 characters that may cross
words. A polynomial hash modulo 2**64 rolls over the code points, so that the cost is a fixed
number of passes over the text, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Buckets = NDArray[np.int64]

WORD_GRAMS: Final = (1, 2, 3)
CHARACTER_GRAMS: Final = (3, 4, 5)
BITS: Final = 17
BUCKETS: Final = 1 << BITS
MOST_CHARACTERS: Final = 1 << 12
"""So many characters are hashed at once: longer texts are read in windows."""

# Words, numbers, and the signs that trade, ask and address; other punctuation says little.
# A piece has an end, so that text without spaces can be cut into windows.
_PIECE: Final = re.compile(r"[^\W\d_]{1,64}|\d+|[?$€£@#%/=&+]|[^\x00-\x7f\w\s]")
_MULTIPLIER: Final = 0x9E3779B97F4A7C15
_INVERSE: Final = pow(_MULTIPLIER, -1, 1 << 64)
_MIXER: Final = 0xD6E8FEB86659FD93
_WORD_SALTS: Final = (0x2545F4914F6CDD1D, 0x8CB92BA72F3D8DD7, 0xC2B2AE3D27D4EB4F)


class Piece(NamedTuple):
    """One word or sign as it is hashed, and its span in the text that it was cut from."""

    text: str
    start: int
    end: int


class Features(NamedTuple):
    """Buckets, in 0..BUCKETS-1, of the n-grams of words, then of characters, shortest first."""

    words: Buckets
    characters: Buckets


def canonical(key: str) -> str:
    """`key` as it is hashed: pieces parted by one space, numbers as `0`, a space at both ends."""
    return f" {' '.join(['0' if p.isdigit() else p for p in _PIECE.findall(key)])} "


def pieces(key: str) -> list[Piece]:
    """The pieces of `canonical(key)`, in order, with their spans in `key`."""
    return [
        Piece("0" if found[0].isdigit() else found[0], *found.span())
        for found in _PIECE.finditer(key)
    ]


def features(text: str) -> Features:
    """The features of a canonical text of at most `MOST_CHARACTERS`."""
    import numpy as np  # noqa: PLC0415  start-up time: only who screens pays for numpy

    powers, inverses, salts, _ = _powers()
    step, word, pair, three = salts[:4]
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    length = len(points)
    sums = np.zeros(length + 1, np.uint64)
    np.add.accumulate(points * powers[:length], out=sums[1:])
    spaces = np.flatnonzero(points == 32)
    starts, ends = spaces[:-1] + 1, spaces[1:]
    words = (sums[ends] - sums[starts]) * inverses[starts]
    pairs = words[:-1] * step + words[1:]
    threes = pairs[:-1] * step + words[2:]
    hashes = [words ^ word, pairs ^ pair, threes ^ three]
    worded = sum(map(len, hashes))
    hashes += [
        (sums[n:] - sums[:-n]) * inverses[: length - n + 1] for n in CHARACTER_GRAMS if length >= n
    ]
    found = _buckets(np.concatenate(hashes))
    return Features(found[:worded], found[worded:])


def named(names: Sequence[str]) -> Buckets:
    """The buckets of features that are known by name, such as a context."""
    return _buckets(_named(tuple(names)))


def named_and_paired(names: Sequence[str]) -> Buckets:
    """The buckets of these names, and of every pair of them in this order."""
    import numpy as np  # noqa: PLC0415  as above

    hashes = _named(tuple(names))
    first, second = _pairs(len(hashes))
    pairs = hashes.take(first) * _powers().salts[0] + hashes.take(second)
    return _buckets(np.concatenate((hashes, pairs)))


def named_in_order(groups: Sequence[Sequence[str]]) -> Buckets:
    """The buckets of each name with each of the next group, and of the one after that."""
    import numpy as np  # noqa: PLC0415  as above

    hashes = [_whole(tuple(group)) for group in groups]
    left: list[int] = []
    right: list[int] = []
    for step in (1, 2):
        for before, after in zip(hashes, hashes[step:], strict=False):
            for one in before:
                left += [one] * len(after)
                right += after
    first, second = np.array(left, np.uint64), np.array(right, np.uint64)
    return _buckets(first * _powers().salts[1] + second)


@lru_cache(maxsize=1 << 12)
def _whole(names: tuple[str, ...]) -> list[int]:
    found: list[int] = _named(names).tolist()
    return found


@lru_cache(maxsize=1 << 12)
def _named(names: tuple[str, ...]) -> Hashes:
    import numpy as np  # noqa: PLC0415  as above

    digests = (blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


@lru_cache(maxsize=64)
def _pairs(count: int) -> tuple[Buckets, Buckets]:
    import numpy as np  # noqa: PLC0415  as above

    first, second = np.triu_indices(count, 1)
    return first, second


def _buckets(hashes: Hashes) -> Buckets:
    mixed = (hashes ^ (hashes >> _powers().shifts[0])) * _powers().salts[-1]
    found: Buckets = (mixed >> _powers().shifts[1]).view("int64")
    return found


class _Powers(NamedTuple):
    """The powers of the multiplier and of its inverse, modulo 2**64, and the other constants."""

    ups: Hashes
    downs: Hashes
    salts: Hashes
    shifts: Hashes


@lru_cache(maxsize=1)
def _powers() -> _Powers:
    import numpy as np  # noqa: PLC0415  as above

    ups, downs = (
        np.full(MOST_CHARACTERS + 2, _MULTIPLIER, np.uint64),
        np.full(MOST_CHARACTERS + 2, _INVERSE, np.uint64),
    )
    ups[0] = downs[0] = 1
    salts = np.array((_MULTIPLIER, *_WORD_SALTS, _MIXER), np.uint64)
    shifts = np.array((29, 64 - BITS), np.uint64)
    return _Powers(np.multiply.accumulate(ups), np.multiply.accumulate(downs), salts, shifts)
