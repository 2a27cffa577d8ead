"""Reads tokens by the lexicon: which words have which classes, in which language, where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from operator import add
from typing import Final

from egide._kernel import SentenceReader
from egide.text.lexicon import Language, Lexicon
from egide.text.tokens import ends_sentence

SENTENCE_STEP: Final = 5
"""A sentence's end counts as so many tokens of distance."""
BLOCKED: Final = 1000
MOST_TOKENS: Final = 1 << 17
"""Longer texts are read up to here: what is meant for people is shorter."""
_GAP: Final = 7
_COUNT: Final = 0xFFFF
_SURE_VOTES: Final = 3
_FEW_TOKENS: Final = 48
_SIGNS: Final = frozenset(".!?\n")


@dataclass(slots=True)
class Reading:
    """The words of a text that the lexicon knows, in order, as parallel lists.

    `at` is a word's place in tokens, sentence ends counted longer; `unknown` how many words that
    no rule may skip stand before it; `masks` its classes; `first` and `width` its tokens.
    """

    tokens: Sequence[str]
    at: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    width: list[int] = field(default_factory=list)
    sentence: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    mask: int = 0

    def words(self, hit: int) -> str:
        """The tokens of a hit, as they were matched."""
        return " ".join(self.tokens[self.first[hit] : self.first[hit] + self.width[hit]])


def read(tokens: list[str], lexicon: Lexicon) -> Reading:
    """The reading of `tokens`, each sentence in its own language."""
    reading = Reading(tokens)
    start, at, unknown = 0, 0, 0
    ends = [n for n, token in enumerate(tokens) if token[0] in _SIGNS and ends_sentence(token)]
    for end in (*ends, len(tokens)):
        if end > start:
            language = language_of(tokens[start:end], lexicon)
            reading.languages.append(language.name)
            reading.starts.append(start)
            at, unknown, seen = _reader(lexicon, language.name).read(
                tokens, start, end, at, unknown, _term,
                reading.at, reading.unknown, reading.masks, reading.first, reading.width,
            )  # fmt: skip
            reading.mask |= seen
            number = len(reading.starts)
            reading.sentence += repeat(number, len(reading.at) - len(reading.sentence))
        start = end + 1
        at += SENTENCE_STEP
        unknown += 1
    return reading


def language_of(tokens: Sequence[str], lexicon: Lexicon) -> Language:
    """The language most of whose stopwords are there; by known words when that does not tell."""
    names = lexicon.names
    votes = _votes(sum(map(lexicon.stop_counts.get, tokens, repeat(0))), len(names))
    best = max(votes)
    if votes.count(best) == 1 and best >= _SURE_VOTES:
        return lexicon.languages[names[votes.index(best)]]
    known = _votes(sum(map(lexicon.known_counts.__getitem__, tokens[:_FEW_TOKENS])), len(names))
    both = list(map(add, votes, known))
    return lexicon.languages[names[both.index(max(both))]]


def _votes(counts: int, languages: int) -> list[int]:
    """`counts`, fields of 16 bits, one by one."""
    return [counts >> 16 * number & _COUNT for number in range(languages)]


@lru_cache(maxsize=16)
def _reader(lexicon: Lexicon, name: str) -> SentenceReader:
    language = lexicon.languages[name]
    return SentenceReader(
        language.words,
        language.terms,
        lexicon.bits["handle"],
        lexicon.transparent,
        lexicon.blocks,
        ~lexicon.silent,
        BLOCKED,
    )


def _term(
    tokens: Sequence[str],
    position: int,
    end: int,
    seconds: Mapping[str, list[tuple[tuple[str, ...], int]]],
) -> tuple[int, int]:
    """The classes of the longest term that begins here, and its width in tokens (0: none).

    A term with a gap has width 1: the words in its gap are read by themselves.
    """
    gapped = 0
    for tail, bits in seconds.get("..", ()):
        if _after_gap(tokens, position + 2, end, tail):
            gapped |= bits
    after = position + 2
    if after > end:
        return gapped, 1 if gapped else 0
    for rest, bits in seconds.get(tokens[position + 1], ()):
        if not rest:
            return bits | gapped, 2
        if rest[0] == "..":
            if _after_gap(tokens, after + 1, end, rest[1:]):
                gapped |= bits
        elif tokens[after] == rest[0] if after < end else False:
            width = len(rest)
            if after + width <= end and tuple(tokens[after : after + width]) == rest:
                return bits | gapped, width + 2
    return gapped, 1 if gapped else 0


def _after_gap(tokens: Sequence[str], begin: int, end: int, tail: tuple[str, ...]) -> bool:
    """Whether `tail` stands within `_GAP` tokens from `begin` on."""
    size = len(tail)
    return any(
        tokens[place] == tail[0] and tuple(tokens[place : place + size]) == tail
        for place in range(begin, min(begin + _GAP, end - size + 1))
    )
