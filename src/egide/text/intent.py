"""Says what a text intends: acts weighed against the help, news or law that surround them.

    folded text ─► tokens ─► reading ─► acts ─► asides, roles ─► Sighting

An act that is only told of, in a text that asks for help or reports on the matter, is no finding;
one that is asked for stays one, with the context beside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from egide.label import Label
from egide.text.acts import Act, find_acts
from egide.text.lexicon import Lexicon
from egide.text.reading import Reading, read

CONTEXTS: Final = (
    "prompt",
    "ad",
    "app_listing",
    "post",
    "chat",
    "profile",
    "bounty",
    "search",
)
"""What an item may say that it is."""

# One digit beside a sign decides: no repetition that could be tried in more ways than one.
_PRICE: Final = re.compile(
    r"[$€£₹][ ]?\d|\d[ ]?[$€£₹]|\d[ ]?(?:usd|eur|euros?|bucks|dollars?|quid|usdt|credits?|tokens?|"
    r"coins?|dolares|pesos|balles|pavos|jetons|tacker)\b"
)
_LINK: Final = re.compile(r"https?://|www\.|\bt\.me/|\.(?:example|com|net|org|app|io|ai|bot|xyz)\b")
_REFERRAL: Final = re.compile(
    r"[?&/](?:ref|refer|referral|invite|inv|aff|affiliate|start|startapp|promo|code|via|r)[=/_-]"
    r"|[?&]start=|\bref_"
)
_OPENING: Final = 4
"""Among so many first words that the lexicon knows stands who acts, or what is asked for."""
_TOLD_OF_ME: Final = 3.0
_LED: Final = 1.4
_DIGIT: Final = re.compile(r"\d")
_INERTIA: Final = 1.6
"""A bare mention in a post or a chat needs some sign of trade besides to count."""
_TRADE: Final = (
    "price",
    "pay",
    "contact",
    "link",
    "upload",
    "free",
    "growth",
    "offer",
    "seek",
    "anyone",
    "private",
    "proof",
    "superb",
)
_ASIDES: Final = (
    "support",
    "news",
    "law",
    "plight",
    "mine",
    "teach",
    "condemn",
    "consent",
    "reported",
    "me",
    "did",
)
_MATTER: Final = ("undress", "deepfake", "pornify", "nudes", "fakes")
_TOPIC: Final = (
    "undress",
    "xray",
    "deepfake",
    "pornify",
    "nude",
    "nudes",
    "body",
    "sex",
    "fakes",
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A label, how sure, the rule that gave it, and the hits of the reading that it rests on."""

    label: Label
    score: float
    rule: str
    hits: tuple[int, ...]
    why: str


@dataclass(slots=True)
class Asides:
    """How much a text speaks of help, of reporting, of consent: weights, 0 for not at all."""

    support: float = 0.0
    news: float = 0.0
    consent: float = 0.0
    told: float = 0.0
    support_hits: list[int] = field(default_factory=list)
    news_hits: list[int] = field(default_factory=list)

    @property
    def weight(self) -> float:
        """What speaks against an act being meant."""
        return self.support + self.news + self.consent + self.told


@dataclass(frozen=True, slots=True)
class Intent:
    """All that was seen in one text."""

    reading: Reading
    acts: tuple[Act, ...]
    kept: tuple[Act, ...]
    asides: Asides
    sightings: tuple[Sighting, ...]


def facts_of(key: str, tokens: Sequence[str], context: str, photo: bool, lexicon: Lexicon) -> int:
    """The bits of what is true of the text as a whole."""
    bits = lexicon.bits
    facts = bits[f"ctx.{context}"] if context in CONTEXTS else 0
    if photo:
        facts |= bits["ctx.photo"]
    if tokens and tokens[0][0] == "@" and len(tokens[0]) > 1:
        facts |= bits["ctx.called"]  # whoever is named first is asked to do it
    if _DIGIT.search(key) and _PRICE.search(key):
        facts |= bits["price"]
    if "/" in key or "." in key:
        if _LINK.search(key):
            facts |= bits["url"] | bits["link"]
        if _REFERRAL.search(key):
            facts |= bits["referral-link"]
    if "?" in tokens or "? " in tokens:
        facts |= bits["question"]
    return facts


def intent_of(tokens: list[str], facts: int, lexicon: Lexicon) -> Intent:
    """What the text of these tokens intends."""
    reading = read(tokens, lexicon)
    present = reading.mask | facts
    if not present & lexicon.anchor:
        return Intent(reading, (), (), Asides(), ())
    acts = [] if _informs(reading, facts, lexicon) else find_acts(reading, facts, lexicon)
    topic = present & lexicon.mask(*_TOPIC)
    context = lexicon.mask("support", "news", "law")
    if present & lexicon.mask(*_MATTER):
        context |= lexicon.mask("institution", "report", "me")
    if not acts and not (topic and present & context):
        return Intent(reading, (), (), Asides(), ())
    asides = _asides(reading, facts, lexicon)
    kept = tuple(act for act in acts if _pull(act, present, lexicon) > asides.weight)
    sightings = [*_requests_and_roles(kept, present, lexicon)]
    sightings += contexts_of(asides, kept)
    return Intent(reading, tuple(acts), kept, asides, tuple(sightings))


def _informs(reading: Reading, facts: int, lexicon: Lexicon) -> bool:
    """Whether words about the matter are asked for, and no picture: reports, help, statistics."""
    if facts & lexicon.mask("ctx.photo", "ctx.ad", "ctx.app_listing", "ctx.bounty"):
        return False
    about = lexicon.mask("report", "law", "news", "support", "teach", "institution")
    if facts & lexicon.mask("ctx.search"):
        return bool(reading.mask & about)
    compose = lexicon.bits["compose"]
    asked = any(mask & compose for mask in reading.masks[:_OPENING])
    return asked and bool(reading.mask & about)


def _leads(reading: Reading, lexicon: Lexicon) -> list[int]:
    """Hits of institutions with which a sentence begins: it is they who act."""
    bit = lexicon.bits["institution"]
    seen: dict[int, int] = {}
    leads = []
    for hit, mask in enumerate(reading.masks):
        sentence = reading.sentence[hit]
        seen[sentence] = seen.get(sentence, 0) + 1
        if mask & bit and seen[sentence] <= _OPENING:
            leads.append(hit)
    return leads


def _asides(reading: Reading, facts: int, lexicon: Lexicon) -> Asides:
    bits = lexicon.bits
    asides = Asides()
    law = 0.0
    plight = mine = teach = condemn = 0
    consent = reported = 0
    telling = lexicon.mask(*_ASIDES)
    for hit, mask in enumerate(reading.masks):
        if not mask & telling:
            continue
        if mask & bits["support"]:
            asides.support += 1.4 if reading.width[hit] > 1 else 0.9
            asides.support_hits.append(hit)
        if mask & bits["news"]:
            asides.news += 0.8
            asides.news_hits.append(hit)
        if mask & bits["law"]:
            law += 0.7
            asides.news_hits.append(hit)
        plight += bool(mask & bits["plight"])
        mine += bool(mask & bits["mine"])
        teach += bool(mask & bits["teach"])
        condemn += bool(mask & bits["condemn"])
        consent += bool(mask & bits["consent"])
        reported += bool(mask & bits["reported"])
    asides.support = min(asides.support, 4.0)
    if mine and (plight or reported or reading.mask & lexicon.mask("nudes", "deepfake")):
        asides.support += 1.2
    asides.support += min(0.4 * plight, 0.8) if asides.support else 0.0
    asides.news = min(asides.news, 3.2) + min(law, 2.1) + min(0.9 * teach, 1.8)
    asides.consent = min(1.6 * consent, 3.2)
    _weigh_sayings(asides, reading, facts, lexicon)
    asides.told = min(0.5 * reported, 1.0) + min(0.8 * condemn, 1.6)
    return asides


def _weigh_sayings(asides: Asides, reading: Reading, facts: int, lexicon: Lexicon) -> None:
    """Adds what no single word says: somebody did it to the author; an institution acts."""
    sells = facts & lexicon.mask("ctx.ad", "ctx.app_listing", "ctx.bounty", "ctx.called")
    me, did = lexicon.mask("me"), lexicon.mask("did", "plight", "reported")
    if sells:
        return
    if reading.mask & me and reading.mask & did and not facts & lexicon.bits["ctx.photo"]:
        asides.support += _TOLD_OF_ME
        asides.support_hits += (h for h, mask in enumerate(reading.masks) if mask & (me | did))
    elif reading.mask & me and reading.mask & lexicon.mask("support", "question"):
        asides.support += 0.6
    if facts & lexicon.mask("ctx.prompt", "ctx.search"):
        leads = [h for h, m in enumerate(reading.masks) if m & lexicon.mask("report")]
    else:
        leads = _leads(reading, lexicon)
    if leads and not reading.mask & lexicon.mask("seek", "contact", "growth", "upload"):
        asides.news += _LED
        asides.news_hits += leads


def _pull(act: Act, present: int, lexicon: Lexicon) -> float:
    """What speaks for an act being meant."""
    bits = lexicon.bits
    pull = act.force + act.rule.score - 0.5
    if present & (bits["ctx.prompt"] | bits["ctx.search"]):
        pull += 0.6
    elif present & (bits["ctx.ad"] | bits["ctx.app_listing"] | bits["ctx.bounty"]):
        pull += 1.4
    elif act.force < 2:
        pull -= _INERTIA
    if present & lexicon.mask("growth", "referral-link", "ctx.profile"):
        pull += 0.8
    return pull + min(0.4 * sum(bool(present & bits[name]) for name in _TRADE), 2.4)


def contexts_of(asides: Asides, kept: Sequence[Act] = ()) -> list[Sighting]:
    """The contexts that a text speaks of, clearly enough beside the acts that it asks for."""
    # Whoever asks outright must not get off lightly for one word of help or law.
    spared = 1.2 if any(act.force == 2 for act in kept) else 0.0
    found = []
    if asides.support >= 0.9 + spared:
        score = min(1.0, 0.5 + 0.15 * asides.support)
        hits = tuple(asides.support_hits)
        found.append(
            Sighting(Label.CONTEXT_SUPPORT, score, "support", hits, "asks for or gives help")
        )
    if asides.news >= 1.4 + spared:
        score = min(1.0, 0.5 + 0.12 * asides.news)
        hits = tuple(asides.news_hits)
        found.append(Sighting(Label.CONTEXT_NEWS, score, "news", hits, "reports or rules on it"))
    return found


def _requests_and_roles(kept: Sequence[Act], present: int, lexicon: Lexicon) -> list[Sighting]:
    if not kept:
        return []
    best: dict[str, Act] = {}
    for act in kept:
        known = best.get(act.rule.label)
        if known is None or (act.rule.score, act.force) > (known.rule.score, known.force):
            best[act.rule.label] = act
    strongest = max(best.values(), key=lambda act: act.rule.score)
    roles = []
    for role in lexicon.roles:
        weight = sum(w for bit, w in role.add if present & bit)
        weight -= sum(w for bit, w in role.less if present & bit)
        if weight >= role.least:
            score = min(1.0, strongest.rule.score + 0.05 * (weight - role.least))
            roles.append(
                Sighting(
                    Label(role.label), score, role.rule, strongest.hits, f"weight {weight:.1f}"
                )
            )
    requests = [
        Sighting(Label(label), act.rule.score, act.rule.rule, act.hits, act.why)
        for label, act in best.items()
    ]
    return [*requests, *roles]
