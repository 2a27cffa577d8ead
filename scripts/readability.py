"""How plain the words of the public pages are: Flesch (English), Kandel and Moles (French).

`python scripts/readability.py` prints a table: 100 is very easy, 60 is plain, 30 is hard. With
`--least 60` it exits with 1 when a language as a whole is under that, and names its hardest texts.

Flesch 1948: 206.835 - 1.015 words a sentence - 84.6 syllables a word. Kandel and Moles 1958, for
French: 207 - 1.015 words a sentence - 73.6 syllables a word. Syllables are counted by the groups of
vowels, which is near enough for a mean over thousands of words.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import Final, NamedTuple

from catalogues import texts

from egide.language import SOURCE, available, catalogue

DOMAIN: Final = "public"
SENTENCE: Final = re.compile(r"[^.!?]+[.!?]?")
WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
MARKUP: Final = re.compile(r"<[^>]*>|%\(\w+\)s|#\d")
VOWELS: Final = re.compile(r"[aeiouyàâäéèêëîïôöùûüœæ]+")
LEAST_WORDS: Final = 8
"""A text with fewer is a label or a button: a figure for it would say nothing."""


class Counts(NamedTuple):
    """Sentences, words and syllables of a text."""

    sentences: int
    words: int
    syllables: int

    def ease(self, language: str) -> float:
        """The reading ease, about 0 to 100."""
        a, b = (207.0, 73.6) if language == "fr" else (206.835, 84.6)
        return a - 1.015 * self.words / self.sentences - b * self.syllables / self.words


def syllables(word: str, language: str) -> int:
    """About how many; one at least."""
    lower = word.lower()
    groups = len(VOWELS.findall(lower))
    # A final e is not spoken, in either language; nor is es in French or ed in English.
    silent = r"[^aeiouyé](?:es?|ent)$" if language == "fr" else r"[^aeiouyl](?:e|ed|es)$"
    spoken = re.search(r"(?:[td]ed|[sxz]es|[cg]es|ches|shes)$", lower) and language == "en"
    return max(1, groups - bool(re.search(silent, lower) and not spoken and groups > 1))


def count(text: str, language: str) -> Counts:
    """The counts of one text."""
    plain = MARKUP.sub(" ", text)
    sentences = [each for each in SENTENCE.findall(plain) if WORD.search(each)]
    words = WORD.findall(plain)
    return Counts(len(sentences), len(words), sum(syllables(word, language) for word in words))


def measured(language: str) -> tuple[Counts, list[tuple[float, str]]]:
    """All sentences of the public pages together, and each text, the hardest first."""
    words = catalogue(language, DOMAIN)
    total, found = Counts(0, 0, 0), []
    for message in texts(DOMAIN):
        if not isinstance(message.id, str) or not message.id:
            continue
        text = words.gettext(message.id)
        one = count(text, language)
        if one.words < LEAST_WORDS:
            continue
        total = Counts(*(a + b for a, b in zip(total, one, strict=True)))
        found.append((one.ease(language), text))
    return total, sorted(found)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--least", type=float, default=0, help="exit with 1 under this")
    parser.add_argument("--hardest", type=int, default=3, help="so many texts are named")
    given = parser.parse_args()
    wrong = False
    for language in available():
        total, found = measured(language)
        ease = total.ease(language)
        wrong |= ease < given.least
        print(
            f"{language}{' (source)' if language == SOURCE else ''}: ease {ease:.0f}, "
            f"{total.words:,} words, {total.words / total.sentences:.1f} a sentence, "
            f"{total.syllables / total.words:.2f} syllables a word"
        )
        for one, text in found[: given.hardest]:
            print(f"  {one:.0f}  {text[:110]}")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
