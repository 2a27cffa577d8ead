"""Characters as numbers: what each is, where tokens begin, digits read as letters, and hashes.

The arithmetic below `egide.hub.names`, over whole arrays at once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]
Classes = NDArray[np.uint8]

SEPARATOR, HARD, LOWER, UPPER, DIGIT, SIGN, KATAKANA, HIRAGANA = range(8)
_HARD_SIGNS: Final = "\n,;、，；"
"""What lists are divided by: no name goes on behind one. All else may hide in a name."""
_BASE: Final = 0x9E3779B97F4A7C15
_LEET: Final = dict(zip("013457892@$!", "oieastbgzasi", strict=True))


def codes_of(text: str) -> Codes:
    """The code point of each character of `text`."""
    return np.frombuffer(text.encode("utf-32-le", "replace"), "<u4").astype(np.uint32)


def classes_of(codes: Codes) -> Classes:
    """What each character is, as far as names are concerned."""
    table = _class_table()
    if int(codes.max(initial=0)) < len(table):
        return table[codes]
    found = table[np.minimum(codes, len(table) - 1)]
    return np.where((codes >= 0x20000) & (codes < 0x32000), SIGN, found).astype(np.uint8)


@cache
def _class_table() -> Classes:
    """The class of every character of the basic plane; its last place is of no use."""
    table = np.zeros(0x10000, np.uint8)
    # Vowel signs are marks, and spell words of their script like any letter.
    spelling = ("L", "M", "N")
    alphabets = (*range(0x80, 0x3400), *range(0xA000, 0xAC00))
    table[[c for c in alphabets if unicodedata.category(chr(c))[0] in spelling]] = LOWER
    table[0x61:0x7B], table[0x41:0x5B], table[0x30:0x3A] = LOWER, UPPER, DIGIT
    for low, high in ((0x3400, 0xA000), (0xAC00, 0xD7A4), (0xF900, 0xFB00)):
        table[low:high] = SIGN
    table[0x3041:0x30A0], table[0x30A1:0x30FB], table[0x30FC:0x3100] = (
        HIRAGANA, KATAKANA, KATAKANA,
    )  # fmt: skip
    table[[ord(sign) for sign in _HARD_SIGNS]] = HARD
    return table


def tokens_of(kind: Classes, source: Places) -> tuple[Places, Places]:
    """Where tokens begin and end among the kept characters of classes `kind` at `source`."""
    begins = np.ones(len(kind), bool)
    before, after = kind[:-1], kind[1:]
    capital = kind == UPPER
    falls = capital[:-1] & (after == LOWER)
    goes_on = (after == before) & (after != SIGN)
    goes_on |= falls
    # In `XLJane` the hump begins at the last capital.
    goes_on[:-1] &= ~(capital[:-2] & falls[1:])
    goes_on &= source[1:] == source[:-1] + 1
    np.logical_not(goes_on, out=begins[1:])
    starts = np.flatnonzero(begins)
    ends = np.empty_like(starts)
    ends[:-1], ends[-1:] = starts[1:], len(kind)
    return starts, ends


def long_runs(
    single: NDArray[np.bool_], group: Places, least: int, most: int
) -> Iterator[tuple[int, int]]:
    """The first and last token of each run of `least` to `most` `single` ones in one group."""
    if int(np.count_nonzero(single)) < least:
        return
    sums = np.append(0, np.cumsum(single))
    if int((sums[least:] - sums[:-least]).max()) < least:
        return
    edges = np.append(True, (single[1:] != single[:-1]) | (group[1:] != group[:-1]))
    firsts = np.flatnonzero(edges)
    lasts = np.append(firsts[1:], len(single)) - 1
    length = lasts - firsts + 1
    long = single[firsts] & (length >= least) & (length <= most)
    yield from zip(firsts[long].tolist(), lasts[long].tolist(), strict=True)


def disguised(codes: Codes, classes: Classes) -> Places:
    """Where a word begins with or has inside a digit or sign that seems to stand for a letter.

    Not so in `v2`, `jane2`, `1girl`, `3d`: a letter must follow, and before it must come another,
    or two more after it.
    """
    signs = np.flatnonzero(_is_leet()[np.minimum(codes, 0x7F)])
    if not len(signs):
        return signs
    letter = np.zeros(len(codes) + 4, bool)
    letter[1:-3] = (classes == LOWER) | (classes == UPPER)
    before, one, two, three = (letter[signs + n] for n in (0, 2, 3, 4))
    is_count = (codes[signs] == ord("1")) | (codes[signs] == ord("2"))
    inside = before & one
    opening = ~before & one & two & three & ~is_count
    found: Places = signs[inside | opening]
    return found


def undisguised(codes: Codes, one: str) -> tuple[Codes, NDArray[np.bool_]]:
    """`codes` with digits and signs turned into letters in words that have letters, and where.

    `one` is what the digit 1 stands for, `i` or `l`.
    """
    turned = np.where(codes < 0x80, _leet_table(one)[np.minimum(codes, 0x7F)], codes)
    changed = turned != codes
    classes = classes_of(codes)
    letter = (classes == LOWER) | (classes == UPPER)
    word = np.cumsum(~(letter | changed))
    is_word = np.zeros(int(word[-1]) + 1, bool)
    is_word[word[letter]] = True
    changed &= is_word[word]
    return np.where(changed, turned, codes).astype(np.uint32), changed


@cache
def _leet_table(one: str) -> Codes:
    table = np.arange(0x80, dtype=np.uint32)
    for sign, letter in _LEET.items():
        table[ord(sign)] = ord(one if sign in "1!" else letter)
    return table


@cache
def _is_leet() -> NDArray[np.bool_]:
    """Which ASCII characters stand for letters."""
    found: NDArray[np.bool_] = _leet_table("i") != np.arange(0x80, dtype=np.uint32)
    return found


@cache
def powers(count: int) -> tuple[Hashes, Hashes]:
    """The first `count` powers of the base of the hash, and of its inverse."""

    def of(base: int) -> Hashes:
        steps = np.full(count, base, np.uint64)
        steps[0] = 1
        return np.cumprod(steps, dtype=np.uint64)

    return of(_BASE), of(pow(_BASE, -1, 1 << 64))


def mixed(letters: NDArray[Any]) -> Hashes:
    """A pseudo-random odd number for each letter (the finaliser of SplitMix64)."""
    value = letters.astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(31)
    value *= np.uint64(0x94D049BB133111EB)
    value ^= value >> np.uint64(29)
    return value | np.uint64(1)


def finished(value: Hashes, length: Hashes) -> Hashes:
    """Spreads `value` over all 64 bits (the finaliser of MurmurHash3)."""
    value = value ^ (length * np.uint64(0x9E3779B97F4A7C15))
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value ^= value >> np.uint64(33)
        value *= np.uint64(factor)
    return value ^ (value >> np.uint64(33))
