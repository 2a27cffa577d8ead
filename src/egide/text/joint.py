"""Joins the rules with the model: each finds, and the model has to agree.

    text ─► screen (rules) ─► model scores ─► combine ─► (sentences by themselves) ─► Screened

The rules that fired are among what the model is told, so that its score for `ABUSE` weighs both.
A finding of the rules needs that score to agree; without any, the bar is higher. Each bar is two:
from the wide one on a text is found (0.5); from the strict one on the finding is as sure as a
policy should ask of what it blocks unseen (0.7). An escalation is never the model's to lower.
Where the sentence encoder is switched on, the score for `ABUSE` and its bars are `semantic`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from egide.label import Label
from egide.text.lexicon import load_lexicon
from egide.text.model import ABUSE, TextModel, Told, load_model
from egide.text.ngrams import Piece, canonical, pieces
from egide.text.passages import passages
from egide.text.rating import is_for_all
from egide.text.screen import (
    MOST_CHARACTERS,
    Found,
    Said,
    Screened,
    Span,
    Weighed,
    contexts_beside,
    escalated,
    screen,
)
from egide.text.semantic import (
    ENCODER,
    MOST_ENCODED,
    load_encoder,
    load_semantic_model,
    switched_on,
)
from egide.text.windows import MOST_READ
from egide.text.wrapped import unwrapped

ALONE: Final = "alone"
WITH_RULE: Final = "with_rule"
"""The uses that thresholds are for: no rule has found abuse, or one has."""
SURE: Final = f"{ABUSE}.sure"
"""The name of the strict threshold of `ABUSE`."""
MODEL: Final = "model"
"""The rule of a finding that the model alone has made."""
CUES: Final = 4
MOST_HITS: Final = 60
"""So many words that the lexicon knows are told to the model one by one."""
_FOUND: Final = 0.5
_SURE: Final = 0.7
"""What the wide and the strict threshold stand for in the score of a finding."""
_AGREES: Final = 0.5
"""A label of the rules needs so much of the score that the model alone would need for it."""
_LIKELIER: Final = 0.5
"""Where the rules have said which request it is, the model adds another one only above this."""
_LEAST_WORDS: Final = 2
"""Of a single word, "her" or "x", the model alone can say nothing."""
_CONTEXTS: Final = (Label.CONTEXT_SUPPORT, Label.CONTEXT_NEWS)
_BESIDE_ABUSE: Final = 0.9
"""A context beside abuse lowers the verdict: so sure the model must be of it."""


@dataclass(frozen=True, slots=True)
class Given:
    """A label, how sure, and the finding of the rules that gave it; None when the model did."""

    label: Label
    score: float
    found: Found | None


def screen_jointly(text: str, said: Said | None = None, model: TextModel | None = None) -> Screened:
    """What rules and model together see in `text`. Never raises for what is in it; linear.

    Of JSON the values are read by themselves too, where the whole does not say enough; of several
    sentences those in which something could be meant.
    With `EGIDE_SEMANTIC` a sentence encoder weighs in, unless a `model` is given; UsageError when
    it is switched on and not installed.
    """
    said = said or Said()
    screened = _screen(text, said, model)
    if _surest(screened) >= _SURE:
        return screened
    if inner := unwrapped(text[:MOST_CHARACTERS]):
        within = replace(_screen(inner, said, model), cut=screened.cut)
        screened = within if _surest(within) > _surest(screened) else screened
    return _closer(screened, said, model)


def _closer(screened: Screened, said: Said, model: TextModel | None) -> Screened:
    """`screened`, with what was found in the part of it where that is surer than in the whole.

    What surrounds it keeps its effect: in a text that was found to be help or a report nothing is
    looked for, and where its words speak of that, a part must be sure and gets the context beside.
    """
    if len(screened.intent.reading.starts) <= 1:
        return screened
    surest = _surest(screened)
    if surest >= _SURE or any(found.label in _CONTEXTS for found in screened.found):
        return screened
    lexicon = load_lexicon()
    # The encoder costs milliseconds, and reads no more windows of a whole text.
    spans = passages(screened, lexicon)[: MOST_ENCODED if screened.encoder else None]
    beside = contexts_beside(screened, lexicon) if spans else []
    decided, at = None, 0
    for start, end in spans:
        part = _screen(screened.folded.text[start:end], said, model)
        own = _surest(part)
        if own > surest and (own >= _SURE or (_is_ruled(part) and not beside)):
            decided, at, surest = part, start, own
    return screened if decided is None else _joined(screened, decided, at, beside)


def _is_ruled(screened: Screened) -> bool:
    """Whether rules are among what found the abuse."""
    return any(one.label.startswith("ncii.") and one.rule != MODEL for one in screened.found)


def _joined(screened: Screened, part: Screened, at: int, beside: Sequence[Found]) -> Screened:
    """`screened` with what was found in the `part` of it that begins at `at`, and `beside` it."""
    found = [
        replace(one, spans=tuple(_moved(span, at) for span in one.spans))
        for one in part.found
        if one.label is not Label.EVASION_TEXT  # which the whole has, with all its disguises
    ]
    for one in (*screened.found, *beside):
        if all(one.label is not other.label for other in found):
            found.append(one)
    found = [one for one in found if one.label is Label.MINOR_ESCALATE] or found
    weighed = (replace(one, start=one.start + at, end=one.end + at) for one in part.weighed)
    found = escalated(found, screened, load_lexicon())
    return screened.judged(found, *screened.weighed, *weighed)


def _moved(span: Span, by: int) -> Span:
    return replace(span, start=span.start + by, end=span.end + by)


def _surest(screened: Screened) -> float:
    """The score of the worst that was found, 0 for no abuse; an escalation goes before all."""
    return max(
        (
            2.0 if found.label is Label.MINOR_ESCALATE else found.score
            for found in screened.found
            if found.label.startswith(("ncii.", Label.MINOR_ESCALATE))
        ),
        default=0.0,
    )


def _screen(text: str, said: Said, model: TextModel | None) -> Screened:
    """What is seen in `text` as it stands."""
    semantic = load_semantic_model() if model is None and switched_on() else None
    model = model or load_model()
    screened = screen(text, said)
    if any(found.label is Label.MINOR_ESCALATE for found in screened.found):
        return screened
    if not screened.cut and _is_cut(screened.normal):
        screened = replace(screened, cut=True)
    told = told_of(screened, said)
    scores, thresholds = model.scores(screened.normal, told), model.thresholds
    if semantic:
        scores[ABUSE] = semantic.abuse(screened, told, load_encoder(), model)
        thresholds = semantic.thresholds(model)
        screened = replace(screened, encoder=ENCODER)
    if scores[ABUSE] >= thresholds[ALONE][ABUSE] and _says_nothing(screened):
        scores[ABUSE] = 0.0
    given = combine(screened.found, scores, said, thresholds)
    ruled = _is_ruled(screened)
    least = thresholds[WITH_RULE if ruled else ALONE][ABUSE]
    weighed = Weighed(scores[ABUSE], least, ruled, 0, len(screened.folded.text))
    if not given and not screened.found:
        return screened.judged((), weighed)
    learned = iter(_learned([one for one in given if one.found is None], screened, model, told))
    kept = [_with(one.score, one.found) if one.found else next(learned) for one in given]
    kept += [found for found in screened.found if found.label is Label.EVASION_TEXT]
    return screened.judged(escalated(kept, screened, load_lexicon()), weighed)


def _is_cut(normal: str) -> bool:
    """Whether the model reads only the beginning of a text that the rules have read."""
    return 2 * len(normal) >= MOST_READ and len(canonical(normal)) > MOST_READ


def _says_nothing(screened: Screened) -> bool:
    """Whether there are too few words for the model, and the rules have found no abuse."""
    return not _is_ruled(screened) and len(canonical(screened.normal).split()) < _LEAST_WORDS


def told_of(screened: Screened, said: Said) -> Told:
    """What the model is told of a text that the rules have read."""
    lexicon, reading = load_lexicon(), screened.intent.reading
    place = f"{said.context}+photo" if said.with_photo else said.context
    names = sorted({found.rule for found in screened.found})
    rules = (
        *sorted({str(found.label) for found in screened.found}),
        *names,
        *(f"{name}@{place}" for name in names),
    )
    hits = tuple(map(lexicon.word_classes, reading.masks[:MOST_HITS]))
    classes = lexicon.class_names(reading.mask)
    # As a class the place counts in pairs with every other: "free" in an advert, "her" in a prompt.
    return Told(said.context, said.with_photo, rules, classes and (*classes, place), hits)


def combine(
    found: Sequence[Found],
    scores: Mapping[str, float],
    said: Said,
    thresholds: Mapping[str, Mapping[str, float]],
) -> list[Given]:
    """The labels that stand: findings of the rules weighed against the scores of the model.

    `thresholds` are the model's. `evasion.text` and `minor.escalate` are left out: they are no
    matter of intent.
    """
    ruled = {one.label: one for one in found}
    given = _abuse(ruled, scores, thresholds)
    mismatch = _mismatch(ruled, bool(given), scores, said, thresholds)
    abusive = bool(given or mismatch)
    contexts = [
        Given(label, scores[label], ruled.get(label))
        for label in _CONTEXTS
        if scores[label] >= _least_of_context(label, abusive, label in ruled, thresholds)
    ]
    return [*given, *mismatch, *contexts]


def _abuse(
    ruled: Mapping[Label, Found],
    scores: Mapping[str, float],
    thresholds: Mapping[str, Mapping[str, float]],
) -> list[Given]:
    """The labels of abuse; empty when the text is none."""
    mine = {label: one for label, one in ruled.items() if label.startswith("ncii.")}
    limits = thresholds[WITH_RULE if mine else ALONE]
    if scores[ABUSE] < limits[ABUSE]:
        return []
    sure = _sureness(scores[ABUSE], limits[ABUSE], limits[SURE])
    least = {n: at for n, at in thresholds[ALONE].items() if n.startswith("ncii.")}
    families = {_family(label) for label in mine}
    given = [
        name
        for name, at in least.items()
        if scores[name] >= _bar(at, ruled=name in mine, beside=_family(name) in families)
    ]
    labels = given or list(mine) or [max(least, key=lambda name: scores[name])]
    return [Given(Label(name), sure, mine.get(Label(name))) for name in labels]


def _bar(least: float, *, ruled: bool, beside: bool) -> float:
    """What a label's score must reach, of whose family the rules have found it, or another."""
    if ruled:
        return least * _AGREES
    return max(least, _LIKELIER) if beside else least


def _family(label: str) -> str:
    """`ncii.request` of `ncii.request.nudify`."""
    return label.rpartition(".")[0]


def _sureness(score: float, least: float, sure: float) -> float:
    """`score` as that of a finding: `_FOUND` at `least`, `_SURE` at `sure`, 1 at most."""
    if score < sure:
        return _FOUND + (_SURE - _FOUND) * (score - least) / (sure - least)
    return _SURE + (1 - _SURE) * (score - sure) / (1 - sure)


def _mismatch(
    ruled: Mapping[Label, Found],
    abusive: bool,
    scores: Mapping[str, float],
    said: Said,
    thresholds: Mapping[str, Mapping[str, float]],
) -> list[Given]:
    rating = str(said.attributes.get("age_rating", ""))
    if not rating or not is_for_all(rating):
        return []
    label = Label.RATING_MISMATCH
    known = ruled.get(label)
    least = thresholds[ALONE][label] * (_AGREES if known else 1)
    if abusive or scores[label] >= least:
        return [Given(label, max(scores[label], known.score if known else 0.5), known)]
    return []


def _least_of_context(
    label: Label, abusive: bool, ruled: bool, thresholds: Mapping[str, Mapping[str, float]]
) -> float:
    if abusive:
        return _BESIDE_ABUSE
    return thresholds[ALONE][label] * (_AGREES if ruled else 1)


def _with(score: float, found: Found) -> Found:
    return replace(found, score=round(min(1.0, score), 4))


def _learned(
    given: Sequence[Given], screened: Screened, model: TextModel, told: Told
) -> list[Found]:
    """Findings of the model alone, with the parts of the text that weighed most for each.

    `told` is what the model was told.
    """
    if not given:
        return []
    found = []
    cues = model.explain(_pieces(screened), [one.label for one in given], CUES, told)
    for one, heaviest in zip(given, cues, strict=True):
        spans = []
        for cue in heaviest:
            start, end = screened.folded.origin(cue.start, cue.end)
            spans.append(Span(start, end, screened.folded.text[start:end], (MODEL,)))
        score = round(min(1.0, one.score), 4)
        found.append(Found(one.label, score, MODEL, "learned", tuple(sorted(spans, key=_start))))
    return found


def _start(span: Span) -> int:
    return span.start


def _pieces(screened: Screened) -> list[Piece]:
    """The pieces of the text as it was read, with their spans in the folded key."""
    if not screened.tokens:
        return pieces(screened.folded.key)
    found = []
    for token in screened.tokens:
        shown = screened.folded.key[token.start : token.end] == token.text
        for piece in pieces(token.text):
            start, end = piece.start + token.start, piece.end + token.start
            found.append(Piece(piece.text, *((start, end) if shown else token[1:])))
    return found
