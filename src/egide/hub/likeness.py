"""Is this model of a real person, named or not, and is it meant for sexual pictures?

Three scores in 0..1, each with its reasons. *Named*: a name of a gazetteer, weighed by where it
stands and by the words around it. *Unnamed*: signs that a real person is meant, added up in
log-odds. *Sexual*: terms and ratings. All weights stand in `data/likeness.toml`; what each means,
and what they find and miss, in docs/how-to/gazetteer.md.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import exp
from typing import Final, NamedTuple

from egide.hub.facts import ModelFacts
from egide.hub.gazetteer import Gazetteer, Person, Sighting
from egide.hub.gazetteer_people import ordinary_words
from egide.hub.intent_terms import Found, Weights, load_weights
from egide.hub.likeness_fields import Findings, fields_of, find_all
from egide.hub.likeness_intent import SUREST, sexual_intent, together
from egide.hub.names import LONGEST, ways

SURE: Final = 0.5
"""From this score on a model counts as a likeness; the default policy asks for as much."""
HISTORICAL_YEARS: Final = 100
"""Somebody dead for so long is a figure of history, whose likeness is not protected by default."""

_BATCH: Final = 256
_FAR: Final = 60
"""Characters between a name and a word that says something of it, at most."""
_MOST_SIGHTINGS: Final = 300
"""Weighed of one model: whoever repeats a name does not make it truer."""
_ARTISTS: Final = (
    "painter", "artist", "illustrator", "photographer", "cartoonist", "comics", "sculptor",
    "animator", "director", "architect", "designer", "mangaka", "engraver", "printmaker",
)  # fmt: skip
_FOREIGN: Final = 0.6
"""What is left of "in the style of" somebody who makes no pictures: perhaps their looks."""


class Mention(NamedTuple):
    """A name in a model's texts: who has it, where, how it is written, what the words around it
    say of it, and what it counts."""

    person: Person
    place: str
    how: tuple[str, ...]
    context: tuple[str, ...]
    score: float


class Reason(NamedTuple):
    """A signal of the structure: its name, its weight in log-odds, where it was seen."""

    signal: str
    weight: float
    place: str


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a model is of. `sexual` says what it is for, whoever it is of.

    `person` is whom it is of by name, `mentions` are the ones that count and the ones that do not;
    `traps` say why a name counts less: `fiction`, `style`, `history`, … `intents` are the terms
    and ratings behind `sexual`.
    """

    named: float
    unnamed: float
    sexual: float
    person: Person | None = None
    mentions: tuple[Mention, ...] = ()
    traps: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    intents: tuple[str, ...] = ()

    @property
    def is_person(self) -> bool:
        """Whether it is of a real person, as far as can be told."""
        return max(self.named, self.unnamed) >= SURE


def likeness(
    facts: ModelFacts,
    gazetteer: Gazetteer | None = None,
    *,
    historical_years: int = HISTORICAL_YEARS,
) -> Likeness:
    """What the model that `facts` tell of is of. Without a gazetteer `named` is 0."""
    return next(likeness_all([facts], gazetteer, historical_years=historical_years))


def likeness_all(
    models: Iterable[ModelFacts],
    gazetteer: Gazetteer | None = None,
    *,
    historical_years: int = HISTORICAL_YEARS,
) -> Iterator[Likeness]:
    """`likeness` of each of `models`, in order: the same, at less than half the time each."""
    batch: list[ModelFacts] = []
    for facts in models:
        batch.append(facts)
        if len(batch) == _BATCH:
            yield from _judged(batch, gazetteer, historical_years)
            batch = []
    yield from _judged(batch, gazetteer, historical_years)


def _judged(
    batch: Sequence[ModelFacts], gazetteer: Gazetteer | None, historical_years: int
) -> Iterator[Likeness]:
    weights = load_weights()
    found = find_all([fields_of(facts) for facts in batch], weights.book, gazetteer)
    before = 0 if gazetteer is None else gazetteer.year - historical_years
    for facts, findings in zip(batch, found, strict=True):
        yield _Judge(facts, findings, weights, before).verdict()


class _Judge:
    """Weighs what was found in one model."""

    def __init__(
        self, facts: ModelFacts, findings: Findings, weights: Weights, historical: int
    ) -> None:
        self.facts = facts
        self.records = (facts, *facts.versions)
        self.found = findings
        self.weights = weights
        self.historical = historical
        self.around = sorted(
            (term for term in findings.terms if term.group.startswith("around.")),
            key=lambda term: term.span.start,
        )
        self.around_starts = [term.span.start for term in self.around]
        self.seen: dict[str, str] = {}
        """Groups of terms found, and the first place of each."""
        for term in findings.terms:
            kind, _, name = term.group.partition(".")
            if kind == "signal" and self._counts(term, name):
                self.seen.setdefault(name, self.found.place(term.span))

    def verdict(self) -> Likeness:
        """The scores and their reasons."""
        reasons = list(self._reasons())
        unnamed = _logistic(self.weights.bias + sum(reason.weight for reason in reasons))
        person, named, mentions, traps = self._named(unnamed)
        sexual, intents = sexual_intent(self.records, self.found, self.weights)
        return Likeness(named, unnamed, sexual, person, mentions, traps, tuple(reasons), intents)

    # structure

    def _counts(self, term: Found, name: str) -> bool:
        signal = self.weights.signals[name]
        if self.found.place(term.span) not in signal.places:
            return False
        return term.span.whole or not signal.whole

    def _reasons(self) -> Iterator[Reason]:
        """Every signal that holds, each once."""
        holding = self.seen | dict(self._from_numbers()) | dict(self._from_kind())
        if self._looks_like_a_name():
            holding["name_shape"] = "title"
        if "rare_token" not in holding and self._has_odd_token():
            holding |= {"odd_token": "trigger"}
        if "rare_token" not in holding and self._is_class_of_a_name():
            holding["named_class"] = "concept"
        for name, place in holding.items():
            yield Reason(name, self.weights.signals[name].weight, place)

    def _from_numbers(self) -> Iterator[tuple[str, str]]:
        """Signals of how it was trained, with the place of each."""
        signals = self.weights.signals
        images = next((record.images for record in self.records if record.images), None)
        for name in ("few_pictures", "many_pictures"):
            if images is not None and signals[name].holds(images):
                yield name, "images"
        if any(len(record.concepts) == 1 for record in self.records):
            yield "one_concept", "concept"
        ranks = [record.rank for record in self.records if record.rank is not None]
        if any(signals["low_rank"].holds(rank) for rank in ranks):
            yield "low_rank", "rank"

    def _from_kind(self) -> Iterator[tuple[str, str]]:
        """Signals of what kind of model it is and what the hub says, with the place of each."""
        if any(record.poi for record in self.records):
            yield "flagged", "flag"
        bases = [(record.base_model or "").lower() for record in self.records]
        if any(base.startswith(self.weights.drawn_bases) for base in bases):
            yield "drawn_base", "base model"
        if any((record.adapter or "") in self.weights.no_adapters for record in self.records):
            yield "no_adapter", "adapter"

    def _looks_like_a_name(self) -> bool:
        """Whether the title is two or three capitalised words that are no ordinary ones."""
        words = (self.facts.title or "")[:200].replace("_", " ").split()
        kept = [word for word in words if word.isalpha() and word.lower() not in _JARGON]
        if not 2 <= len(kept) <= 3 or len(words) - len(kept) > 3:
            return False
        ordinary = ordinary_words()
        return all(
            word[0].isupper() and word[1:].islower() and word.lower() not in ordinary
            for word in kept
        )

    def _is_class_of_a_name(self) -> bool:
        """Whether a concept or trigger is what looks like a full name, then a class of people."""
        ends = {found.term for found in self.found.terms if found.group == "signal.class_word"}
        if not ends:
            return False
        said = (
            text for one in self.records for text in (*one.concepts[:8], *one.trigger_words[:8])
        )
        for text in said:
            *name, last = text[:100].lower().replace("_", " ").split() or [""]
            if last in ends and 2 <= len(name) <= 3 and self._are_names(name):
                return True
        return False

    def _are_names(self, words: list[str]) -> bool:
        return all(
            len(word) >= 3
            and word.isalpha()
            and word not in ordinary_words()
            and word not in self.weights.no_names
            for word in words
        )

    def _has_odd_token(self) -> bool:
        """Whether a trigger begins with letters that cannot be spoken, or digits among letters."""
        words = (trigger.split() for trigger in self.facts.trigger_words[:8] if trigger.strip())
        return any(_is_odd(first[0].strip(",.").lower()) for first in words)

    # names

    def _named(
        self, unnamed: float
    ) -> tuple[Person | None, float, tuple[Mention, ...], tuple[str, ...]]:
        is_public = "public" in self.seen or "private" in self.seen or "flagged" in self.seen
        has_context = is_public or bool(self.facts.poi) or unnamed >= SURE
        by_person: dict[str, list[Mention]] = {}
        alone: dict[str, bool] = {}
        for sighting in self.found.names[:_MOST_SIGHTINGS]:
            mention, needs = self._mention(sighting)
            by_person.setdefault(mention.person.id, []).append(mention)
            alone[mention.person.id] = alone.get(mention.person.id, True) and needs
        best: tuple[float, Person, tuple[str, ...]] | None = None
        for id_, mentions in by_person.items():
            person = mentions[0].person
            score, traps = self._weighed(mentions, alone[id_], has_context)
            if best is None or score > best[0]:
                best = score, person, traps
        every = tuple(mention for mentions in by_person.values() for mention in mentions)
        if best is None:
            return None, 0.0, (), ()
        return best[1], best[0], every, best[2]

    def _weighed(
        self, mentions: list[Mention], alone: bool, has_context: bool
    ) -> tuple[float, tuple[str, ...]]:
        """What all mentions of one person count together, and what takes away from it."""
        score = together(_strongest(mentions))
        traps = dict(self._traps(mentions, alone=alone, has_context=has_context))
        for factor in traps.values():
            score *= factor
        if any(record.poi for record in self.records) and score >= SURE / 2:
            score = max(score, 0.9)
        return min(score, SUREST), tuple(traps)

    def _traps(
        self, mentions: list[Mention], *, alone: bool, has_context: bool
    ) -> Iterator[tuple[str, float]]:
        """What speaks against a name being meant, and what it leaves of the score."""
        person = mentions[0].person
        contexts = {word for mention in mentions for word in mention.context}
        if person.fictional:
            yield "fiction", 0.0
        if person.dead and person.died is not None and person.died < self.historical:
            yield "history", 0.3
        if alone and not has_context and "likeness" not in contexts:
            yield "ordinary words", 0.35
        if "animal" in self.seen:
            yield "animal", 0.3
        if self._is_creator(person):
            yield "creator", 0.3
        if not has_context and not person.fictional:
            if {"fiction", "fiction_prose"} & self.seen.keys():
                yield "fiction", 0.45
            elif "from" in contexts:
                yield "fiction", 0.5
            if {"things", "things_title"} & self.seen.keys():
                yield "thing or style", 0.3 if _makes_pictures(person) else 0.5

    def _mention(self, sighting: Sighting) -> tuple[Mention, bool]:
        """What one sighting counts, and whether the name needs more evidence than itself."""
        person = sighting.people[0]
        others = [one for one in sighting.people if one.fictional != person.fictional]
        if others and not person.added and ("fiction" in self.seen or "drawn_base" in self.seen):
            person = person if person.fictional else others[0]
        place = self.found.place(sighting.span)
        context = sorted(set(self._contexts(sighting)))
        score = self.weights.places.get(place, 0.5)
        rules = [(name, self.weights.around[name]) for name in context]
        for name, rule in rules:
            factor = rule.factor
            if name in ("style", "style_of") and person.occupations and not _makes_pictures(person):
                factor = _FOREIGN
            if name != "from":  # weighed over all mentions
                score *= factor
        if all(rule.factor == 1 for _, rule in rules):
            score = max([score, *(rule.least for _, rule in rules)])
        span = sighting.span
        is_short = len(span.letters) <= (2 if _is_sign(span.letters[0]) else 5)
        is_one_word = sighting.words == 1 and not _is_sign(span.letters[0])
        needs = (sighting.ordinary or is_one_word or is_short) and not person.added
        return Mention(person, place, ways(span.how), tuple(context), score), needs

    def _contexts(self, sighting: Sighting) -> Iterator[str]:
        """The groups of words around a name that say something of it."""
        span, text = sighting.span, self.found.text
        # Only what is near: a text that repeats itself must not cost the square of its length.
        near = (
            bisect_left(self.around_starts, span.start - 2 * LONGEST - _FAR),
            bisect_right(self.around_starts, span.end + _FAR),
        )
        for term in self.around[slice(*near)]:
            name = term.group.partition(".")[2]
            rule, other = self.weights.around[name], term.span
            if other.field != span.field:
                continue
            gap = text[other.end : span.start] if rule.before else text[span.end : other.start]
            ahead = other.end <= span.start if rule.before else other.start >= span.end
            if ahead and len(gap) < _FAR and not _breaks(gap) and _words(gap) <= rule.within:
                yield name

    def _is_creator(self, person: Person) -> bool:
        if not self.facts.creator:
            return False
        handle = "".join(filter(str.isalnum, self.facts.creator.lower()))
        name = "".join(filter(str.isalnum, person.name.lower()))
        return len(name) >= 5 and name in handle


_JARGON: Final = frozenset(
    {
        *("lora", "locon", "lycoris", "loha", "dora", "embedding", "ti", "model", "ai"),
        *("flux", "sdxl", "sd", "xl", "pony", "v", "by", "for", "the"),
    }
)


def _strongest(mentions: list[Mention]) -> list[float]:
    """The best mention of each place: a name said ten times in a description is said once."""
    best: dict[str, float] = {}
    for mention in mentions:
        best[mention.place] = max(mention.score, best.get(mention.place, 0.0))
    return list(best.values())


def _logistic(log_odds: float) -> float:
    return 1 / (1 + exp(-log_odds))


def _makes_pictures(person: Person) -> bool:
    return any(artist in word.lower() for word in person.occupations for artist in _ARTISTS)


def _is_sign(letter: str) -> bool:
    return ord(letter) >= 0x3400


def _breaks(gap: str) -> bool:
    return "\n" in gap or ". " in gap


def _words(gap: str) -> int:
    return sum(any(map(str.isalnum, word)) for word in gap.split())


def _is_odd(word: str) -> bool:
    if not 3 <= len(word) <= 12 or not word.isascii() or not word.isalnum():
        return False
    digits = sum(map(str.isdigit, word))
    if digits:
        inside = any(c.isdigit() for c in word[1:-1].rstrip("0123456789"))
        return inside and digits < len(word) and not word[0].isdigit()
    return len(word) <= 6 and not set(word) & set("aeiouy")
