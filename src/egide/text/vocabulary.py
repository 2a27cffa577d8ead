"""The words that disguises are undone to: squeezed, mirrored, and cut out of joined letters."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
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
KEPT: Final = 1 << 14
LONGEST_KEPT: Final = 48
"""Characters; longer chunks are not remembered."""
LEAST_MIRRORED: Final = 4
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
    stems: AhoCorasick
    cuts: dict[str, Cut] = field(default_factory=dict, repr=False)
    _begins: dict[str, bool] = field(default_factory=dict, repr=False)

    @cached_property
    def squeezed(self) -> dict[str, str]:
        """Words by their squeezed keys; those that matter go before others of the same key."""
        held: dict[str, str] = {}
        for words in (self.sensitive, self.classed, self.known):
            for word in filter(words.__contains__, self.classes):
                if len(key := squeeze(word)) >= _LEAST_SQUEEZED:
                    held.setdefault(key, word)
        return held

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
        best: list[tuple[int, int, int]] = [(0, 0, 0)]
        for end in range(1, len(letters) + 1):
            left, words, _ = best[end - 1]
            choice = (left + 1, words + 1, end - 1)
            for start in range(max(0, end - LONGEST_WORD), end):
                word = letters[start:end]
                if word in self.known and (len(word) > 1 or word in "aiy"):
                    left, words, _ = best[start]
                    choice = min(choice, (left, words + 1, start))
            best.append(choice)
        if best[-1][0] > spare * len(letters):
            return None
        cuts, end = [], len(letters)
        while end:
            start = best[end][2]
            cuts.append(letters[start:end])
            end = start
        return cuts[::-1]


@lru_cache(maxsize=4)
def vocabulary_of(lexicon: Lexicon) -> Vocabulary:
    """The vocabulary of `lexicon`."""
    sensitive_bits, stem_bits = lexicon.mask(*_SENSITIVE), lexicon.mask(*_STEM_CLASSES)
    known = _known_words(lexicon)
    ranked = sorted(known, key=lambda word: (not known[word] & sensitive_bits, not known[word]))
    mirrored: dict[str, str] = {}
    for word in ranked:
        if known[word] and len(word) >= LEAST_MIRRORED:
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
        stems=AhoCorasick(
            sorted(w for w, bits in known.items() if bits & stem_bits and len(w) >= _LEAST_STEM)
        ),
    )


def _known_words(lexicon: Lexicon) -> dict[str, int]:
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
    return {word: bits for word, bits in known.items() if word.isalpha()}
