"""Parts of a text to look closer at: the sentences in which something stands that could be meant.

Among sentences about other things a request weighs little, since the model scores the whole; read
by itself it weighs what it weighs alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from egide.text.intent import Intent
from egide.text.lexicon import Lexicon
from egide.text.screen import Places, Screened

MOST_PASSAGES: Final = 32
"""So many parts of a text are looked at closer: the cost stays in proportion to its length."""
_FARTHEST: Final = 2
"""Sentences from the first to the last over which what makes up one act is read together."""
_SAID: Final = 1.0
"""So much of `told` are verbs of saying, which any story has; above it something is condemned."""


def passages(screened: Screened, lexicon: Lexicon) -> list[tuple[int, int]]:
    """Spans of the original text that are worth a look by themselves, the likeliest first.

    None where the text is one sentence, or where what was found in it is held to be only told of.
    """
    intent = screened.intent
    starts = intent.reading.starts
    if len(starts) < 2 or (intent.acts and not intent.kept) or intent.asides.told > _SAID:
        return []
    chosen = list(dict.fromkeys(_sentences(intent, lexicon)))[:MOST_PASSAGES]
    if not chosen:
        return []
    places = Places(screened.tokens, screened.folded)
    ends = [*(start - 1 for start in starts[1:]), len(intent.reading.tokens) - 1]
    return [places.span(starts[first], ends[last]) for first, last in chosen]


def _sentences(intent: Intent, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """The first and the last sentence of each part, counted from 0.

    Acts go first, then sentences with a word that an act could begin with. Looking at the others
    too would cost half as much again.
    """
    sentence = intent.reading.sentence
    for act in intent.kept:
        numbers = [sentence[hit] - 1 for hit in act.hits]
        if max(numbers) - min(numbers) < _FARTHEST:
            yield min(numbers), max(numbers)
    for number, mask in zip(sentence, intent.reading.masks, strict=True):
        if mask & lexicon.starts:
            yield number - 1, number - 1
