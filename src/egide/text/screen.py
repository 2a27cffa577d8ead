"""Screens one text: folds it, undoes disguises, reads it, and says what it saw where.

    text ─► Folded ─► (disguises undone) ─► tokens ─► intent ─► Screened

`screen` is a pure function of the text, what is said of it, and the lexicon.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from egide.label import Label
from egide.text.characters import ALWAYS, Disguise, character_disguises
from egide.text.disguise import looks_disguised, undo
from egide.text.fold import Folded
from egide.text.intent import CONTEXTS, Asides, Intent, Sighting, contexts_of, facts_of, intent_of
from egide.text.lexicon import Lexicon, load_lexicon
from egide.text.markup import Written, written
from egide.text.rating import is_for_all, youngest
from egide.text.reading import MOST_TOKENS, Reading, language_of
from egide.text.tokens import TOKEN, WORDS, Token
from egide.text.vocabulary import Vocabulary, squeeze, vocabulary_of

MOST_CHARACTERS: Final = 1 << 18
"""Of a longer text its beginning is read."""
_NOTHING: Final = Intent(Reading(()), (), (), Asides(), ())
_LEAST_DISGUISED: Final = 3
_SOFT_KINDS: Final = frozenset({"joined"})
_ABUSE: Final = ("ncii.request.", "ncii.service.", "ncii.commission.")
_SEXUAL: Final = ("undress", "xray", "pornify", "nude", "nudes", "sex")
_SERIOUS: Final = ("medical", "art", "teach", "law", "shop", "support", "negation", "pet")
_ADULT: Final = 18
"""Years of age."""
_DIGIT: Final = re.compile(r"\d")
_TRUE: Final = frozenset({"true", "1", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a text: its context, whether a photo came with it, the rest by name.

    The context is one of `CONTEXTS`, in any case; of another one nothing is kept.
    """

    context: str = ""
    with_photo: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What is no context weighs nothing: nobody's words are told to the model, or remembered.
        context = self.context.strip().lower()
        object.__setattr__(self, "context", context if context in CONTEXTS else "")

    @classmethod
    def of(cls, attributes: Mapping[str, str]) -> Said:
        """What the attributes of an item say."""
        return cls(
            str(attributes.get("context", "")),
            str(attributes.get("with_photo", "")).strip().lower() in _TRUE,
            attributes,
        )


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the original text, in characters, and the classes it was read as."""

    start: int
    end: int
    text: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A label, how sure (0..1), the rule, why it decided so, and where in the text."""

    label: Label
    score: float
    rule: str
    why: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the model made of a text or a part of it, which is its characters `start` to `end`.

    `score` is that of abuse, `least` what it needed; that is less where a rule had found some.
    """

    score: float
    least: float
    ruled: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Screened:
    """Everything seen in one text."""

    found: tuple[Found, ...]
    languages: tuple[str, ...]
    disguises: tuple[Disguise, ...]
    folded: Folded
    tokens: tuple[Token, ...]
    """What disguises were undone to; empty where nothing was to be undone."""
    intent: Intent
    cut: bool = False
    """Whether the text was longer than what was read of it, by the rules or by the model."""
    encoder: str = ""
    """The sentence encoder that weighed in; empty when none did."""
    weighed: tuple[Weighed, ...] = ()
    """Of the whole, then of the part whose closer look decided, if one did; empty without a model.
    """

    @property
    def normal(self) -> str:
        """The text as it was read: folded, disguises undone."""
        if not self.tokens:
            return self.folded.key
        return " ".join(token.text.strip() for token in self.tokens if token.text.strip())

    def judged(self, found: Iterable[Found], *weighed: Weighed) -> Screened:
        """The same with what was found in the end, and what the model made of it."""
        return Screened(
            tuple(found),
            self.languages,
            self.disguises,
            self.folded,
            self.tokens,
            self.intent,
            self.cut,
            self.encoder,
            weighed,
        )


def screen(text: str, said: Said | None = None, lexicon: Lexicon | None = None) -> Screened:
    """What is in `text`. Never raises for what is in it; linear in its length."""
    said = said or Said()
    lexicon = lexicon or load_lexicon()
    cut = len(text) > MOST_CHARACTERS
    text = text[:MOST_CHARACTERS] if cut else text
    markup = written(text)
    folded = Folded(text, [one[:3] for one in markup]) if markup else Folded(text)
    vocabulary = vocabulary_of(lexicon)
    disguises = list(character_disguises(folded.text)) if _unusual(folded.text) else []
    disguises += _marked_up(markup, folded) if markup else ()
    words = WORDS.findall(folded.key)
    tokens: Sequence[Token] = ()
    plain: list[str]
    backwards = False
    if looks_disguised(folded.key, words, vocabulary):
        undone = undo(folded.key, vocabulary)
        tokens, backwards = undone.tokens, undone.backwards or _overridden(disguises)
        plain = [token.text for token in tokens]
        disguises += (
            Disguise(d.kind, *folded.origin(d.start, d.end), d.word) for d in undone.disguises
        )
    elif lexicon.triggers.isdisjoint(words) and not _emoji_trigger(folded.key, lexicon):
        return Screened((), (), tuple(disguises), folded, (), _NOTHING, cut)
    else:
        plain = TOKEN.findall(folded.key)
    cut = cut or len(plain) > MOST_TOKENS
    del plain[MOST_TOKENS:]
    facts = facts_of(folded.key, plain, said.context, said.with_photo, lexicon)
    intent = intent_of(plain, facts, lexicon)
    if backwards:
        other = intent_of(plain[::-1], facts, lexicon)
        if len(other.sightings) > len(intent.sightings):
            intent, tokens, plain = other, tokens[::-1], plain[::-1]
    mismatch = _mismatch(intent, said, lexicon)
    if not intent.sightings and not disguises and not mismatch:
        return Screened((), (), (), folded, tuple(tokens), intent, cut)
    show = _Shower(intent.reading, tokens, folded, lexicon)
    found = [_found(sighting, show) for sighting in intent.sightings]
    found += _evasion(disguises, folded, vocabulary, found)
    if mismatch:
        hits = _sexual(intent, lexicon)
        sighting = Sighting(Label.RATING_MISMATCH, 0.85, "rating", hits, mismatch)
        found.append(_found(sighting, show))
    if intent.kept:
        found = _escalated(found, plain, folded.key, intent.reading.languages, lexicon)
    return Screened(
        tuple(found),
        tuple(dict.fromkeys(intent.reading.languages)),
        tuple(disguises),
        folded,
        tuple(tokens),
        intent,
        cut,
    )


def _unusual(text: str) -> bool:
    return not text.isascii() or not text.isprintable()


def _marked_up(markup: Sequence[Written], folded: Folded) -> Iterator[Disguise]:
    """The words that are hidden by what stands inside them instead of their letters."""
    telling = [one.start for one in markup if one.hides]
    at = 0
    for found in WORDS.finditer(folded.key) if telling else ():
        start, end = folded.origin(*found.span())
        while at < len(telling) and telling[at] < start:
            at += 1
        if at == len(telling):
            return
        if telling[at] < end:
            yield Disguise("markup", start, end, found[0])


def _overridden(disguises: Sequence[Disguise]) -> bool:
    return any(disguise.kind == "bidi" for disguise in disguises)


def _emoji_trigger(key: str, lexicon: Lexicon) -> bool:
    return not key.isascii() and not lexicon.triggers.isdisjoint(key)


class Places:
    """Where in the original text the tokens of a reading stand."""

    def __init__(self, tokens: Sequence[Token], folded: Folded) -> None:
        self._folded = folded
        self._spans = (
            [(token.start, token.end) for token in tokens]
            if tokens
            else [found.span() for found in TOKEN.finditer(folded.key)]
        )

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The span of the text, in characters, from one token to another one, in either order."""
        one, other = self._spans[first], self._spans[last]
        return self._folded.origin(min(one[0], other[0]), max(one[1], other[1]))


class _Shower:
    """Shows where in the original text the hits of a reading stand; each is looked for once."""

    def __init__(
        self, reading: Reading, tokens: Sequence[Token], folded: Folded, lexicon: Lexicon
    ) -> None:
        self.reading, self.folded, self.lexicon = reading, folded, lexicon
        self.places = Places(tokens, folded)
        self.shown: dict[int, Span] = {}

    def span(self, hit: int) -> Span:
        """Where the hit stands in the text, and its classes."""
        span = self.shown.get(hit)
        if span is None:
            reading = self.reading
            first = reading.first[hit]
            start, stop = self.places.span(first, first + reading.width[hit] - 1)
            names = self.lexicon.word_classes(reading.masks[hit])
            span = self.shown[hit] = Span(start, stop, self.folded.text[start:stop], names)
        return span


def _found(sighting: Sighting, show: _Shower) -> Found:
    spans = tuple(map(show.span, sorted(set(sighting.hits))))
    return Found(sighting.label, round(sighting.score, 4), sighting.rule, sighting.why, spans)


def contexts_beside(screened: Screened, lexicon: Lexicon) -> list[Found]:
    """The contexts that the text speaks of, also where what it asks for outweighs them."""
    intent = screened.intent
    sightings = contexts_of(intent.asides)
    if not sightings:
        return []
    show = _Shower(intent.reading, screened.tokens, screened.folded, lexicon)
    return [_found(sighting, show) for sighting in sightings]


def _evasion(
    disguises: Sequence[Disguise], folded: Folded, vocabulary: Vocabulary, found: Sequence[Found]
) -> list[Found]:
    """The finding that disguise itself is, when it hides what matters or cannot be an accident."""
    telling = []
    hides = 0
    for disguise in disguises:
        word = disguise.word or Folded(folded.text[disguise.start : disguise.end]).key
        sensitive = not vocabulary.sensitive.isdisjoint(WORDS.findall(word))
        sensitive = sensitive or vocabulary.squeezed.get(squeeze(word)) in vocabulary.sensitive
        if disguise.kind in _SOFT_KINDS:
            continue
        hides += sensitive
        if sensitive or disguise.kind in ALWAYS:
            telling.append(disguise)
    abuse = any(one.label.startswith(_ABUSE) for one in found)
    many = len([d for d in disguises if d.kind not in _SOFT_KINDS]) >= _LEAST_DISGUISED
    if not telling and not (abuse and many):
        return []
    shown = telling or [d for d in disguises if d.kind not in _SOFT_KINDS]
    kinds = sorted({disguise.kind for disguise in shown})
    score = 0.9 if abuse else 0.7 if hides else 0.5
    spans = tuple(Span(d.start, d.end, folded.text[d.start : d.end], (d.kind,)) for d in shown[:16])
    return [Found(Label.EVASION_TEXT, score, "disguise", ", ".join(kinds), spans)]


def _mismatch(intent: Intent, said: Said, lexicon: Lexicon) -> str:
    """Why the rating does not go with the words; empty when it does."""
    rating = str(said.attributes.get("age_rating", ""))
    if not rating or not is_for_all(rating):
        return ""
    asides = intent.asides
    if asides.support or asides.news or asides.consent:
        return ""
    if any(sighting.label.startswith(_ABUSE) for sighting in intent.sightings):
        return f"rated {youngest(rating)}+, with what the other findings say"
    mask = intent.reading.mask
    if mask & lexicon.mask(*_SEXUAL) and not mask & lexicon.mask(*_SERIOUS):
        return f"rated {youngest(rating)}+, with sexual wording"
    return ""


def _sexual(intent: Intent, lexicon: Lexicon) -> tuple[int, ...]:
    wanted = lexicon.mask(*_SEXUAL)
    return tuple(hit for hit, mask in enumerate(intent.reading.masks) if mask & wanted)


def escalated(found: list[Found], screened: Screened, lexicon: Lexicon) -> list[Found]:
    """`found` of a text that was screened; the escalation alone where its abuse is of a minor."""
    key = screened.folded.key
    plain = [token.text for token in screened.tokens] or TOKEN.findall(key)
    del plain[MOST_TOKENS:]
    languages = screened.intent.reading.languages or (language_of(plain, lexicon).name,)
    return _escalated(found, plain, key, languages, lexicon)


def _escalated(
    found: list[Found], plain: Sequence[str], key: str, languages: Sequence[str], lexicon: Lexicon
) -> list[Found]:
    """`found`, and the escalation alone where an act is about a minor."""
    if not any(one.label.startswith(_ABUSE) for one in found):
        return found
    terms = lexicon.escalation["terms"]
    for language in set(languages):
        terms |= lexicon.escalation.get(f"terms.{language}", frozenset())
    if not terms.isdisjoint(plain) or (_DIGIT.search(key) and _tells_age(plain, lexicon)):
        return [Found(Label.MINOR_ESCALATE, 1.0, "minor", "", ())]
    return found


def _tells_age(plain: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether the age of a minor is among these words: "9 yrs", but not "9 yrs of experience"."""
    ages, years = lexicon.escalation["ages"], lexicon.escalation["years"]
    for number, token in enumerate(plain):
        if not token[0].isdecimal():
            continue
        digits = token.rstrip("abcdefghijklmnopqrstuvwxyz")
        if not digits.isdecimal() or len(digits) > 2 or int(digits) >= _ADULT:
            continue
        joined = token[len(digits) :]
        after = [*([joined] if joined else ()), *plain[number + 1 : number + 4]]
        told = {" ".join(after[:count]) for count in (1, 2, 3)}
        lasts = not lexicon.escalation["lasting"].isdisjoint(after[1:3])
        if not ages.isdisjoint(told) or (not years.isdisjoint(told) and not lasts):
            return True
    return False


def titled(text: str, said: Said) -> str:
    """A text with the title that its record has before it: both are what people see."""
    title = str(said.attributes.get("title", ""))
    return f"{title}\n{text}" if title else text
