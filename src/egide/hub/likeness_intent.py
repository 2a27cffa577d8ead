"""What a model is meant for, whoever it is of: the third score of `egide.hub.likeness`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from egide.hub.facts import ModelFacts
from egide.hub.intent_terms import Weights
from egide.hub.likeness_fields import Findings

SUREST: Final = 0.99
"""The highest score: nothing that is only told is certain."""
_LEVEL_R, _LEVEL_X = 4, 8 | 16


def sexual_intent(
    records: Sequence[ModelFacts], found: Findings, weights: Weights
) -> tuple[float, tuple[str, ...]]:
    """How likely a model and its versions, `records`, are meant for sexual pictures, 0..1, and the
    terms and ratings that say so."""
    terms = [term for term in found.terms if term.group.startswith("intent.")]
    denials = [term.span for term in terms if term.group == "intent.denied"]
    strongest: dict[tuple[str, str], float] = {}
    for term in terms:
        name = term.group.partition(".")[2]
        if name == "denied" or any(
            denial.start <= term.span.start and term.span.end <= denial.end for denial in denials
        ):
            continue
        place = found.place(term.span)
        strength = weights.strengths[name] * weights.intent_places[place]
        strongest[name, place] = max(strength, strongest.get((name, place), 0.0))
    said = dict.fromkeys(term for term, _ in strongest)
    rated = _rated(records, weights.intent_flags)
    if denials and "explicit" not in said:
        rated = {name: strength / 2 for name, strength in rated.items()}
    score = together([*strongest.values(), max(rated.values(), default=0.0)])
    return min(score, SUREST), (*said, *rated)


def together(scores: Iterable[float]) -> float:
    """What independent scores in 0..1 come to: 1 - (1 - a)(1 - b)…."""
    miss = 1.0
    for score in scores:
        miss *= 1 - score
    return 1 - miss


def _rated(records: Sequence[ModelFacts], flags: dict[str, float]) -> dict[str, float]:
    """What the listing's own rating says, by what says it."""
    found = {}
    for record in records:
        level = record.nsfw_level or 0
        if record.nsfw:
            found["flagged"] = flags["flagged"]
        if level & _LEVEL_X:
            found["rated X"] = flags["level_x"]
        elif level & _LEVEL_R:
            found["rated R"] = flags["level_r"]
    return found
