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
KEPT: Final = 1 << 12
"""So many names are remembered with their hashes."""
MOST_CHARACTERS: Final = 1 << 12
"""So many characters are hashed at once: longer texts are read in windows."""

# Words, numbers, and the signs that trade, ask and address; other punctuation says little.
# A piece has an end, so that text without spaces can be cut into windows.
_PIECE: Final = re.compile(r"[^\W\d_]{1,64}|\d+|[?$€£@#%/=&+]|[^\x00-\x7f\w\s]")
_MULTIPLIER: Final = 0x9E3779B97F4A7C15
_INVERSE: Final = pow(_MULTIPLIER, -1, 1 << 64)
_MIXER: Final = 0xD6E8FEB86659FD93
_SHIFT: Final = 29
_ALL: Final = (1 << 64) - 1
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
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    length = len(points)
    sums = np.zeros(length + 1, np.uint64)
    np.add.accumulate(points * powers[:length], out=sums[1:])
    spaces = (points == 32).nonzero()[0]
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


@lru_cache(maxsize=KEPT)
def named(names: tuple[str, ...]) -> Buckets:
    """The buckets of features that are known by name, such as a context."""
    found = _buckets(_named(names).copy())
    found.flags.writeable = False
    return found


def named_and_paired(names: Sequence[str]) -> Buckets:
    """The buckets of these names, and of every pair of them in this order."""
    import numpy as np  # noqa: PLC0415  as above

    own = _named(names)
    count = len(own)
    first, second = _pairs(count)
    hashes = np.empty(count + len(first), np.uint64)
    hashes[:count] = own
    paired = hashes[count:]
    np.multiply(own.take(first), _powers().salts[0], out=paired)
    paired += own.take(second)
    return _buckets(hashes)


def named_in_order(groups: Sequence[tuple[str, ...]]) -> Buckets:
    """The buckets of each name with each of the next group, and of the one after that."""
    import numpy as np  # noqa: PLC0415  as above

    found: list[int] = []
    for step in (1, 2):
        for before, after in zip(groups, groups[step:], strict=False):
            found += _ordered(before, after)
    return np.array(found, np.int64)


@lru_cache(maxsize=1 << 14)
def _ordered(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[int, ...]:
    """The buckets of each name of `before` with each of `after`."""
    return tuple(
        _bucket((_hash(one) * _WORD_SALTS[0] + _hash(other)) & _ALL)
        for one in before
        for other in after
    )


def _bucket(value: int) -> int:
    """What `_buckets` gives for one hash."""
    return (((value ^ (value >> _SHIFT)) * _MIXER) & _ALL) >> (64 - BITS)


def _named(names: Sequence[str]) -> Hashes:
    import numpy as np  # noqa: PLC0415  as above

    return np.frombuffer(b"".join(map(_digest, names)), "<u8").astype(np.uint64, copy=False)


def _hash(name: str) -> int:
    return int.from_bytes(_digest(name), "little")


@lru_cache(maxsize=KEPT)
def _digest(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=8).digest()


@lru_cache(maxsize=64)
def _pairs(count: int) -> tuple[Buckets, Buckets]:
    import numpy as np  # noqa: PLC0415  as above

    first, second = np.triu_indices(count, 1)
    return first, second


def _buckets(hashes: Hashes) -> Buckets:
    """The buckets of `hashes`, which are used up."""
    shift, rest = _powers().shifts
    hashes ^= hashes >> shift
    hashes *= _powers().salts[-1]
    hashes >>= rest
    return hashes.view("int64")


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
    shifts = np.array((_SHIFT, 64 - BITS), np.uint64)
    return _Powers(np.multiply.accumulate(ups), np.multiply.accumulate(downs), salts, shifts)
