"""Puts words together that were split: "un dress", "clo-thes"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from egide.text.characters import Disguise
from egide.text.fold import LEET_TABLE
from egide.text.tokens import Token
from egide.text.vocabulary import LEAST_HIDDEN_TERM, Vocabulary, squeeze

LEAST_PARTED: Final = 4
PREFIXES: Final = frozenset({"un", "re"})
"""Words by themselves in some language, and halves of words that matter: "un dress"."""
_MOST_HALVES: Final = 4
"""So many tokens may be one word that was split."""
_LONGEST_PREFIX: Final = 3
_LONGEST_SPLIT: Final = 24
"""Characters, from the beginning of the first part to the end of the last."""


def all_known(parts: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Whether every part is a word by itself, so that nothing says that they were one."""
    return parts[0] not in PREFIXES and vocabulary.known.issuperset(parts)


def rejoined(
    key: str, tokens: list[Token], vocabulary: Vocabulary, disguises: list[Disguise]
) -> list[Token]:
    """`tokens` with the halves and thirds of words that were split put together."""
    joined: list[Token] = []
    position = 0
    while position < len(tokens):
        text = tokens[position].text
        if term := _term(key, tokens, position, vocabulary):
            joined.append(term)
            disguises.append(Disguise("split", term.start, term.end, term.text))
            while position < len(tokens) and tokens[position].start < term.end:
                position += 1
            continue
        whole_word = len(text) > _LONGEST_PREFIX and text in vocabulary.known
        most = 0 if whole_word else _most_parts(tokens, position, vocabulary)
        for count in range(most, 1, -1):
            parts = tokens[position : position + count]
            if all_known([part.text for part in parts], vocabulary):
                continue
            word = "".join(part.text for part in parts)
            whole = word if word in vocabulary.long else vocabulary.squeezed.get(squeeze(word), "")
            between = key[parts[0].end : parts[1].start]
            enough = whole in vocabulary.long or (
                count == 2 and len(word) >= LEAST_PARTED and word in vocabulary.telling
            )
            if enough and word.isalnum() and between != "'":
                joined.append(Token(whole, parts[0].start, parts[-1].end))
                if between != "-":  # a hyphen is no disguise
                    disguises.append(Disguise("split", parts[0].start, parts[-1].end, whole))
                position += count
                break
        else:
            joined.append(tokens[position])
            position += 1
    return joined


def _term(key: str, tokens: Sequence[Token], position: int, vocabulary: Vocabulary) -> Token | None:
    """The term of the escalation lane whose parts begin at `position`; None when none does."""
    letters = ""
    for count, token in enumerate(tokens[position : position + _MOST_HALVES], 1):
        letters += token.text.translate(LEET_TABLE)
        if letters not in vocabulary.openings:
            return None
        parts = tokens[position : position + count]
        if count > 1 and letters in vocabulary.escalating and _was_one(key, parts, vocabulary):
            return Token(letters, parts[0].start, token.end)
    return None


def _was_one(key: str, parts: Sequence[Token], vocabulary: Vocabulary) -> bool:
    """Whether these parts of a term cannot be words of their own.

    Signs part it anywhere, unless there are two words that may follow each other. Spaces part it
    where its longest part is no word, and the others are none, or letters: not "5 min or less".
    """
    texts = tuple(part.text for part in parts)
    between = key[parts[0].start : parts[-1].end]
    if not any(map(str.isspace, between)):
        return "'" not in between and texts not in vocabulary.apart
    longest = max(texts, key=len)
    return sum(map(len, texts)) >= LEAST_HIDDEN_TERM and not any(
        text in vocabulary.known and (text == longest or len(text) > 1) for text in texts
    )


def _most_parts(tokens: Sequence[Token], position: int, vocabulary: Vocabulary) -> int:
    """How many tokens from `position` on a word may have been split into: up to 4."""
    letters = tokens[position].text
    count = 1
    if not letters.isalnum() or not vocabulary.begins(letters):
        return 0
    for token in tokens[position + 1 : position + _MOST_HALVES]:
        if token.end - tokens[position].start > _LONGEST_SPLIT or not token.text.isalnum():
            break
        letters += token.text
        if not vocabulary.begins(letters):
            break
        count += 1
    return count
