"""Finds acts: who is to do what to whom. Pure functions of a reading and the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from egide.text.lexicon import Lexicon
from egide.text.reading import BLOCKED, Reading
from egide.text.rules import ActRule

MOST_TRIED: Final = 64
"""So many anchors are tried for each rule: the cost of a text stays linear in its length."""
_REACH: Final = 40
_CLAUSE_SIGNS: Final = frozenset(",;:")
_OTHERS: Final = ("relation", "family", "partner", "person", "anyone", "pronoun", "handle")
_ASKED_WITHIN: Final = 5
"""So many unknown words may stand between a request and what it asks for."""


@dataclass(frozen=True, slots=True)
class Act:
    """An act that a rule has found: the hits it is made of, and how directly it is asked for.

    `force` is 2 for a command or a wish, 1 for a bare mention, 0 for something told.
    """

    rule: ActRule
    hits: tuple[int, ...]
    force: int
    why: str


def find_acts(reading: Reading, facts: int, lexicon: Lexicon) -> list[Act]:
    """Every act, the first that each rule finds and that is not denied."""
    present = reading.mask | facts
    if present & lexicon.mask("self", "mine") and not present & lexicon.mask(*_OTHERS):
        return []  # what people do with their own picture is theirs to do
    found = []
    starts = lexicon.starts
    anchors = [(hit, mask) for hit, mask in enumerate(reading.masks) if mask & starts]
    if not anchors:
        return []
    for rule in lexicon.acts:
        for group in rule.needs:
            if not present & group:
                break
        else:
            if present & rule.never and not present & rule.beaten_by:
                continue
            if (act := _try(rule, anchors, reading, facts, lexicon)) is not None:
                found.append(act)
    return found


def _try(
    rule: ActRule,
    anchors: Sequence[tuple[int, int]],
    reading: Reading,
    facts: int,
    lexicon: Lexicon,
) -> Act | None:
    tried = 0
    anchor = rule.anchor
    best: Act | None = None
    for hit, mask in anchors:
        if not mask & anchor:
            continue
        tried += 1
        if tried > MOST_TRIED:
            break
        hits = _holds(rule, reading, hit, facts, lexicon.transparent)
        if hits is not None and not _denied(reading, hits[0], lexicon):
            force, why = _force(reading, hits, facts, lexicon)
            if best is None or force > best.force:
                best = Act(rule, hits, force, why)
            if force == 2:
                break
    return best


def _holds(
    rule: ActRule, reading: Reading, hit: int, facts: int, transparent: int
) -> tuple[int, ...] | None:
    """The hits that fulfil `rule` around its anchor; None when one is wanting."""
    hits = [hit]
    if rule.then:
        follower = _follower(rule, reading, hit, transparent)
        if follower < 0:
            return None
        hits.append(follower)
    if rule.near or rule.unless:
        window = _window(reading, hits[0], hits[-1], rule.within)
        if rule.unless and any(reading.masks[other] & rule.unless for other in window):
            return None
        for group in rule.near:
            if facts & group or (reading.width[hit] > 1 and reading.masks[hit] & group):
                continue  # a term of several words may say it all: "deepfake porn"
            for other in window:
                if reading.masks[other] & group and other not in hits:
                    hits.append(other)
                    break
            else:
                return None
    return tuple(hits)


def _follower(rule: ActRule, reading: Reading, hit: int, transparent: int) -> int:
    """The first hit of `then` after `hit`, or -1 when too much stands between."""
    start = reading.at[hit]
    # The anchor itself is counted unless it is a word that may be skipped.
    after = reading.unknown[hit] + (0 if reading.masks[hit] & transparent else 1)
    for other in range(hit + 1, len(reading.at)):
        if reading.at[other] - start > rule.span:
            return -1
        if reading.masks[other] & rule.then:
            between = reading.unknown[other] - after
            return other if between <= rule.gap else -1
        if reading.unknown[other] - after > BLOCKED // 2:
            return -1
    return -1


def _window(reading: Reading, first: int, last: int, within: int) -> list[int]:
    """The hits within `within` tokens of what lies from `first` to `last`, nearest side first."""
    at = reading.at
    low, high = at[first] - within, at[last] + within
    begin = first
    while begin > 0 and at[begin - 1] >= low and first - begin < _REACH:
        begin -= 1
    end = last + 1
    while end < len(at) and at[end] <= high and end - last < _REACH:
        end += 1
    return [*range(first, end), *range(begin, first)]


def _denied(reading: Reading, hit: int, lexicon: Lexicon) -> bool:
    """Whether a negation stands shortly before `hit` in its own clause."""
    negation = lexicon.bits["negation"]
    ask = lexicon.bits["ask"]
    at, sentence = reading.at[hit], reading.sentence[hit]
    for other in range(hit - 1, max(-1, hit - 8), -1):
        if reading.sentence[other] != sentence or at - reading.at[other] > 5:
            return False
        if reading.masks[other] & ask:
            return False
        if reading.masks[other] & negation:
            between = reading.tokens[reading.first[other] : reading.first[hit]]
            return _CLAUSE_SIGNS.isdisjoint(between)
    return False


def _force(
    reading: Reading, hits: tuple[int, ...], facts: int, lexicon: Lexicon
) -> tuple[int, str]:
    """How directly the act of these hits is asked for, and what says so."""
    thing = _is_thing(reading, hits[0], lexicon)
    said = _said_before(reading, min(hits[:2]), 2 if thing else _ASKED_WITHIN, lexicon)
    if said is not None:
        return said
    bits, masks = lexicon.bits, reading.masks
    if thing:
        searched = facts & bits["ctx.search"]
        return (2, "searched for") if searched else (0, "named, not asked for")
    base = [hit for hit in hits[:4] if masks[hit] & bits["form.base"]]
    for hit in base:
        if (subject := _subject_of(reading, hit, lexicon)) and not facts & bits["ctx.search"]:
            return 0, f"told of: {subject!r}"
    if base:
        return 2, "a command"
    if facts & lexicon.mask("ctx.prompt", "ctx.bounty", "ctx.search"):
        return 2, "a prompt"
    told = lexicon.mask("form.past", "form.third", "form.gerund")
    return (0, "told, not asked for") if any(masks[h] & told for h in hits) else (1, "a mention")


def _said_before(
    reading: Reading, first: int, reach: int, lexicon: Lexicon
) -> tuple[int, str] | None:
    """What the words before say of the act: told, or asked for within `reach` unknown words."""
    asking = lexicon.mask("ask", "seek", "offer")
    unknown, sentence = reading.unknown[first], reading.sentence[first]
    for other in range(first, max(-1, first - 12), -1):
        if reading.sentence[other] != sentence:
            return None
        if reading.masks[other] & lexicon.bits["reported"]:
            return 0, f"told: {reading.words(other)!r}"
        if reading.masks[other] & asking and unknown - reading.unknown[other] <= reach:
            return 2, f"asked: {reading.words(other)!r}"
    return None


def _subject_of(reading: Reading, hit: int, lexicon: Lexicon) -> str:
    """The subject that stands right before a verb; empty when there is none: a command."""
    before = hit - 1
    if before < 0 or reading.first[before] + reading.width[before] != reading.first[hit]:
        return ""
    return reading.words(before) if reading.masks[before] & lexicon.bits["subject"] else ""


def _is_thing(reading: Reading, hit: int, lexicon: Lexicon) -> bool:
    """Whether the act is but part of a name for a thing: "undress app", "apps that undress"."""
    masks, first, width = reading.masks, reading.first, reading.width
    service = lexicon.bits["service"]
    after = hit + 1
    if masks[hit] & lexicon.bits["undress"] and after < len(masks):
        thing = lexicon.mask("service", "photo", "blocker", "news", "plight", "condemn")
        if first[hit] + width[hit] == first[after] and masks[after] & thing:
            return True
    for linked in range(hit - 1, max(0, hit - 5), -1):
        if reading.sentence[linked] != reading.sentence[hit] or first[hit] - first[linked] > 6:
            return False
        if masks[linked] & lexicon.bits["subject"] and masks[linked - 1] & service:
            return first[linked] - first[linked - 1] <= width[linked - 1] + 1
    return False
