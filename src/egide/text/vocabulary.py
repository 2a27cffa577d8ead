"""The words that disguises are undone to: squeezed, mirrored, and cut out of joined letters."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

from ahocorasick_rs import AhoCorasick

from egide.text.fold import LEET
from egide.text.lexicon import Lexicon

# In squeezed keys i and l are one: 1, | and ! stand for both.
_SQUEEZED: Final = str.maketrans({**LEET, "l": "i"})
_RUN: Final = re.compile(r"(.)\1+")
_UPSIDE_DOWN: Final = str.maketrans("bdpqnuwm", "qpdbunmw")
LONGEST_WORD: Final = 18
_OPENING: Final = 3
"""By so many letters words are told that need not be tried."""
KEPT: Final = 1 << 14
LONGEST_KEPT: Final = 48
"""Characters; longer chunks are not remembered."""
LEAST_MIRRORED: Final = 4
LEAST_HIDDEN_TERM: Final = 5
"""Letters of a term of the escalation lane that is sought turned round, or in two words."""
_SENSITIVE: Final = (
    "undress",
    "strip",
    "xray",
    "deepfake",
    "pornify",
    "garment",
    "skimpy",
    "nude",
    "nudes",
    "body",
    "sex",
)
_STEM_CLASSES: Final = ("undress", "deepfake", "nude", "nudes", "garment", "sex")
_LEAST_STEM: Final = 4
_LEAST_SQUEEZED: Final = 2
"""`xxx` squeezed is any x."""


def squeeze(word: str) -> str:
    """`word` with digits and signs read as letters, i for l, and repeated letters once."""
    return _RUN.sub(r"\1", word.translate(_SQUEEZED))


Cut = tuple[tuple[tuple[str, int, int], ...], tuple[tuple[str, int, int, str], ...]]
"""What a chunk is cut into: tokens, and disguises; with their spans in the chunk."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """All words of all languages, and the forms that disguises give them.

    What it was asked about words is kept, up to `KEPT` of them: most texts use the same words.
    """

    classes: Mapping[str, int]
    """The bits of the classes of every known word."""
    classed: frozenset[str]
    known: frozenset[str]
    sensitive: frozenset[str]
    mirrored: dict[str, str]
    images: frozenset[str]
    """The keys of `mirrored`, as a set: asking a set about many words is faster."""
    long: frozenset[str]
    telling: frozenset[str]
    """Words of four letters and more that have a class."""
    escalating: frozenset[str]
    """The terms of the escalation lane: hidden they are sought as if they were sensitive."""
    apart: frozenset[tuple[str, str]]
    """Two words that are such a term in two, and may follow each other in some language."""
    stems: AhoCorasick
    cuts: dict[str, Cut] = field(default_factory=dict, repr=False)
    _begins: dict[str, bool] = field(default_factory=dict, repr=False)

    @cached_property
    def squeezed(self) -> dict[str, str]:
        """Words by their squeezed keys; those that matter go before others of the same key."""
        held: dict[str, str] = {}
        for words in (self.sensitive, self.classed, self.escalating, self.known):
            for word in filter(words.__contains__, self.classes):
                if len(key := squeeze(word)) >= _LEAST_SQUEEZED:
                    held.setdefault(key, word)
        return held

    @cached_property
    def sought(self) -> frozenset[str]:
        """The words that a star is filled in for, and that are turned round where one is alone."""
        return self.sensitive | self.escalating

    @cached_property
    def wholes(self) -> frozenset[str]:
        """The words that two may be, when something parts them."""
        return self.long | self.escalating

    @cached_property
    def openings(self) -> frozenset[str]:
        """All that a term of the escalation lane begins with, to its end."""
        return frozenset(term[:end] for term in self.escalating for end in range(1, len(term) + 1))

    @cached_property
    def _split_keys(self) -> list[str]:
        wanted = self.long | self.telling
        return sorted(key for key, word in self.squeezed.items() if word in wanted)

    def begins(self, letters: str) -> bool:
        """Whether a word that splitting would hide may begin with `letters`, squeezed or not."""
        known = self._begins.get(letters)
        if known is None:
            key = squeeze(letters)
            at = bisect_left(self._split_keys, key)
            known = at < len(self._split_keys) and self._split_keys[at].startswith(key)
            if len(self._begins) < KEPT and len(letters) < LONGEST_KEPT:
                self._begins[letters] = known
        return known

    def stem_in(self, letters: str) -> int:
        """Where the first stem that matters begins in `letters`; -1 when there is none."""
        return next((start for _, start, _ in self.stems.find_matches_as_indexes(letters)), -1)

    def inside(self, key: str) -> Iterator[str]:
        """The words of `key` that are longer than a stem in them."""
        end = 0
        for _, start, stop in self.stems.find_matches_as_indexes(key):
            alone = not key[start - 1 : start].isalnum() and not key[stop : stop + 1].isalnum()
            if alone or stop <= end:
                continue
            begin, end = start, stop
            while begin and key[begin - 1].isalnum() and start - begin < LONGEST_WORD:
                begin -= 1
            while key[end : end + 1].isalnum() and end - stop < LONGEST_WORD:
                end += 1
            yield key[begin:end]

    def segment(self, letters: str, spare: float = 0.2) -> list[str] | None:
        """`letters` cut into known words; None when more than `spare` of them fits nowhere.

        Dynamic programming over the cuts: fewest letters left over, then fewest words. Linear in
        the length, since no word is longer than `LONGEST_WORD`.
        """
        size = len(letters)
        # What is worse than any stands where nothing was tried yet.
        best: list[tuple[int, int, int]] = [(0, 0, 0), *[(size + 1, 0, 0)] * size]
        for start in range(size):
            left, words, _ = best[start]
            best[start + 1] = min(best[start + 1], (left + 1, words + 1, start))
            for end in self._ends(letters, start):
                best[end] = min(best[end], (left, words + 1, start))
        if best[-1][0] > spare * len(letters):
            return None
        cuts, end = [], len(letters)
        while end:
            start = best[end][2]
            cuts.append(letters[start:end])
            end = start
        return cuts[::-1]

    def spare(self, letters: str) -> list[int]:
        """How many letters fit into no known word, of `letters` from each of them on."""
        left = [0] * (len(letters) + 1)
        for start in range(len(letters) - 1, -1, -1):
            ends = map(left.__getitem__, self._ends(letters, start))
            left[start] = min(left[start + 1] + 1, min(ends, default=len(letters)))
        return left

    def _ends(self, letters: str, start: int) -> Iterator[int]:
        """Where the known words end that begin at `start`."""
        longest = self._longest.get(letters[start : start + _OPENING], _OPENING - 1)
        for end in range(start + 1, min(len(letters), start + longest) + 1):
            word = letters[start:end]
            if word in self.known and (len(word) > 1 or word in "aiy"):
                yield end

    @cached_property
    def _longest(self) -> dict[str, int]:
        """How long a word may be, `LONGEST_WORD` at most, by its first letters."""
        held: dict[str, int] = {}
        for word in self.known:
            if len(word) >= _OPENING:
                opening = word[:_OPENING]
                held[opening] = max(held.get(opening, 0), min(len(word), LONGEST_WORD))
        return held


@lru_cache(maxsize=4)
def vocabulary_of(lexicon: Lexicon) -> Vocabulary:
    """The vocabulary of `lexicon`."""
    sensitive_bits, stem_bits = lexicon.mask(*_SENSITIVE), lexicon.mask(*_STEM_CLASSES)
    escalating = _escalating(lexicon)
    known = _known_words(lexicon, escalating)
    ranked = sorted(known, key=lambda word: (not known[word] & sensitive_bits, not known[word]))
    mirrored: dict[str, str] = {}
    for word in ranked:
        hidden = word in escalating and len(word) >= LEAST_HIDDEN_TERM
        if hidden or (known[word] and len(word) >= LEAST_MIRRORED):
            for image in (word[::-1], word.translate(_UPSIDE_DOWN)[::-1]):
                if image not in known:
                    mirrored.setdefault(image, word)
    return Vocabulary(
        classes=known,
        classed=frozenset(word for word, bits in known.items() if bits),
        known=frozenset(known),
        sensitive=frozenset(w for w in known if known[w] & sensitive_bits and len(w) > 2),
        mirrored=mirrored,
        images=frozenset(mirrored),
        long=frozenset(
            w for w, bits in known.items() if bits and len(w) >= (4 if bits & sensitive_bits else 6)
        ),
        telling=frozenset(w for w, bits in known.items() if len(w) >= 4 and bits),
        escalating=escalating,
        apart=frozenset(
            (term[:cut], term[cut:])
            for term in escalating
            for cut in range(1, len(term))
            if _may_follow(term[:cut], term[cut:], lexicon)
        ),
        stems=AhoCorasick(
            sorted(w for w, bits in known.items() if bits & stem_bits and len(w) >= _LEAST_STEM)
        ),
    )


def _escalating(lexicon: Lexicon) -> frozenset[str]:
    """The words that are terms of the escalation lane in some language."""
    held = (terms for name, terms in lexicon.escalation.items() if name.startswith("terms"))
    return frozenset(filter(str.isalpha, frozenset().union(*held)))


def _may_follow(first: str, second: str, lexicon: Lexicon) -> bool:
    """Whether a language has both words, and one of them stands beside any other."""
    return any(
        (first in language.stopwords and (second in language.words or second in language.stopwords))
        or (second in language.stopwords and first in language.words)
        for language in lexicon.languages.values()
    )


def _known_words(lexicon: Lexicon, escalating: Iterable[str]) -> dict[str, int]:
    """Every word that stands in a lexicon, by itself or in a term, with its classes."""
    known: dict[str, int] = {}
    for language in lexicon.languages.values():
        for word, bits in language.words.items():
            known[word] = known.get(word, 0) | bits
        for first, held in language.terms.items():
            for second, tails in held.items():
                for rest, _ in tails:
                    for word in (first, second, *rest):
                        known.setdefault(word, 0)
        for word in language.stopwords:
            known.setdefault(word, 0)
    for word in escalating:
        known.setdefault(word, 0)
    return {word: bits for word, bits in known.items() if word.isalpha()}
