"""Reads letters as the words that they stand for: "n4ked", "nuuude", "n u d e"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from egide.text.fold import LEET
from egide.text.tokens import Token
from egide.text.vocabulary import Vocabulary, squeeze

SPELT: Final = r"[a-z0-9@$!|+€]"
"""What letters are written with."""
REPEATED: Final = re.compile(r"([a-z])\1(?:\1|([a-z])\2)")  # nuuude, nnuuddee
LONGEST_CHUNK: Final = 64
MOST_SPACED: Final = 4096
"""So many letters are read together."""
_SPARE: Final = 0.2
"""The share of letters spaced out that need not fit into any word."""
_LEAST_SPACED: Final = 3
_LEAST_CUT: Final = 4
_VOWELS: Final = "aeiouy"
_LETTER: Final = re.compile(SPELT)
_FIRST: Final = re.compile(rf"[(\"'¿¡]{{0,3}}({SPELT})")
_LAST: Final = re.compile(rf"({SPELT})[.,!?:;)\"']{{1,3}}")
"""The letters with which a run begins and ends; signs may stand around it."""


def decoded(word: str, vocabulary: Vocabulary) -> str | None:
    """The known word that `word` stands for; None when there is none."""
    if word in vocabulary.known:
        return word
    if word.isdigit() or not 3 <= len(word) <= LONGEST_CHUNK or word in vocabulary.images:
        return None  # mirrored words are turned round together, later
    if "*" in word:
        filled = (word.replace("*", vowel) for vowel in _VOWELS)
        found = next((w for w in filled if w in vocabulary.sought), None)
        return found or decoded(word.replace("*", ""), vocabulary)
    if word.isalpha() and REPEATED.search(word) is None:
        return None  # nothing in it stands for anything else
    squeezed = squeeze(word)
    return vocabulary.squeezed.get(squeezed)


def words_in(letters: str, vocabulary: Vocabulary) -> list[tuple[str, int]] | None:
    """The known words that `letters` are, each with how many of the letters it takes."""
    word = decoded(letters, vocabulary)
    if word is not None:
        return [(word, len(letters))]
    read = _read(letters)
    if len(read) != len(letters) or len(letters) < _LEAST_CUT:
        return None
    found: list[tuple[str, int]] = []
    for begin in range(0, len(read), MOST_SPACED):
        cut = vocabulary.segment(read[begin : begin + MOST_SPACED], _SPARE)
        if cut is None:
            return None
        found += ((part, len(part)) for part in cut)
    return found


def _read(letters: str) -> str:
    return re.sub(r"[^a-z]", lambda sign: LEET.get(sign[0], sign[0]), letters)


class Spaced(NamedTuple):
    """The words that chunks `begin` to `end` spell, which are single letters; none of no words."""

    begin: int
    end: int
    words: list[Token]


def spelled(chunks: Sequence[tuple[str, int]], position: int, vocabulary: Vocabulary) -> Spaced:
    """What the single letters from `position` on spell, where they end; wider gaps part words.

    What belongs to no word may stand before them. Signs may stand before the first and after the
    last where they hide a word that matters: not in "from 1 a 4, ". Linear: what comes before the
    end that is given needs not be looked at again.
    """
    if _FIRST.fullmatch(chunks[position][0]) is None:
        return Spaced(position, position, [])
    end, most = position + 1, min(len(chunks), position + MOST_SPACED)
    while end < most and len(chunks[end][0]) == 1 and _LETTER.match(chunks[end][0]):
        end += 1
    opened = len(chunks[position][0]) > 1
    closed = end < most and _LAST.fullmatch(chunks[end][0]) is not None
    if opened or closed:
        found = _spelled(chunks, position, end + closed, vocabulary)
        ends = [token.text for token in (found.words[:opened] + found.words[-1:] * closed)]
        if ends and vocabulary.sought.issuperset(ends) and not (opened and found.begin > position):
            return found
    return Spaced(position, position, []) if opened else _spelled(chunks, position, end, vocabulary)


def _spelled(
    chunks: Sequence[tuple[str, int]], begin: int, end: int, vocabulary: Vocabulary
) -> Spaced:
    letters = [_bare(*chunk) for chunk in chunks[begin:end]]
    pieces: list[list[tuple[str, int]]] = []
    for number, letter in enumerate(letters):
        if not number or letter[1] - letters[number - 1][1] > 2:
            pieces.append([])
        pieces[-1].append(letter)
    found: list[list[Token]] = []
    first = end
    for piece in reversed(pieces):
        left_out, words = _last_words("".join(letter for letter, _ in piece), vocabulary)
        first -= len(piece) - left_out
        found.append(_tokens(piece[left_out:], words))
        if left_out:
            break
    if end - first < _LEAST_SPACED:
        return Spaced(end, end, [])
    return Spaced(first, end, [token for tokens in reversed(found) for token in tokens])


def _bare(chunk: str, start: int) -> tuple[str, int]:
    """The letter that stands between signs, and where."""
    found = None if len(chunk) == 1 else _FIRST.match(chunk)
    return (found[1], start + found.start(1)) if found else (chunk, start)


def _last_words(letters: str, vocabulary: Vocabulary) -> tuple[int, list[tuple[str, int]]]:
    """How many of `letters` to leave out, so that the others are words; and those words.

    One letter or two may stand for themselves.
    """
    size = len(letters)
    words = words_in(letters, vocabulary)
    if words is not None or size < _LEAST_SPACED:
        return 0, words or [(letters, size)]
    spare = vocabulary.spare(_read(letters))
    for first in range(1, size):
        rest = size - first
        if rest < _LEAST_SPACED:
            break
        fits = rest >= _LEAST_CUT and spare[first] <= _SPARE * rest
        if fits or (rest <= LONGEST_CHUNK and decoded(letters[first:], vocabulary) is not None):
            words = words_in(letters[first:], vocabulary)
            if words is not None:
                return first, words
    first = size - _LEAST_SPACED + 1
    return first, words_in(letters[first:], vocabulary) or [(letters[first:], size - first)]


def _tokens(piece: Sequence[tuple[str, int]], words: Sequence[tuple[str, int]]) -> list[Token]:
    """The words of a piece, each from its first letter to its last."""
    tokens, at = [], 0
    for word, width in words:
        tokens.append(Token(word, piece[at][1], piece[at + width - 1][1] + 1))
        at += width
    return tokens
