"""Which statements in one file cannot both be true.

Each statement is compared with every other. Of two that exclude each other the less trusted one is
contradicted; where both are trusted alike, each is. Tools that write the same making down twice, in
their own words and in another tool's, do not contradict themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from typing import Final, NamedTuple

from egide.hub.aliases import file_stem
from egide.provenance.source_types import CAPTURED, SYNTHETIC
from egide.provenance.statements import (
    NO_CREDENTIALS,
    Credentials,
    Declaration,
    Generation,
    Role,
    Trust,
)

_RANK: Final = {
    Trust.SIGNED_TRUSTED: 3,
    Trust.SIGNED: 2,
    Trust.PIXELS: 1,
    Trust.TEXT: 0,
    Trust.CONTRADICTED: -1,
}
_APART: Final = timedelta(days=2)
"""Moments without a time zone may be a day apart and be the same."""
_ALIKE: Final = 0.5
"""Share of words in common from which on two prompts are held to be one, written differently."""
_TAG: Final = re.compile(r"<[^<>]{1,200}>")
_WORD: Final = re.compile(r"\w+")
_DATE: Final = re.compile(r"\A(\d{4}):(\d\d):(\d\d)")
_MOST_PROMPT: Final = 20_000
_MOST_STATEMENTS: Final = 32
"""Compared with one another; a file with more was made to be slow."""


@dataclass(slots=True)
class Statements:
    """The statements of one file; `camera` is where a camera says that it took it."""

    generations: list[Generation] = field(default_factory=list)
    declarations: list[Declaration] = field(default_factory=list)
    credentials: Credentials = NO_CREDENTIALS
    camera: str | None = None


class _Clash(NamedTuple):
    """Two statements that exclude each other; one of them may be none of `Statements`' lists."""

    sentence: str
    one: Generation | Declaration
    other: Generation | Declaration | None
    least: Trust = Trust.TEXT
    """How far to believe what speaks against `one` where it is not in the lists."""


def mark_contradicted(said: Statements) -> tuple[str, ...]:
    """Marks in `said` what is contradicted; which statements, in a sentence each."""
    clashes = list(_clashes(said))
    losing = {id(loser) for clash in clashes for loser in _losers(clash)}
    said.generations = [
        replace(one, trust=Trust.CONTRADICTED) if id(one) in losing else one
        for one in said.generations
    ]
    said.declarations = [
        replace(one, trust=Trust.CONTRADICTED) if id(one) in losing else one
        for one in said.declarations
    ]
    return tuple(dict.fromkeys(clash.sentence for clash in clashes))


def by_trust(trust: Trust) -> int:
    """For sorting: the most trusted comes first."""
    return -_RANK[trust]


def _losers(clash: _Clash) -> Iterator[Generation | Declaration]:
    rank = _RANK[clash.one.trust]
    against = _RANK[clash.least if clash.other is None else clash.other.trust]
    if rank <= against:
        yield clash.one
    if clash.other is not None and against <= rank:
        yield clash.other


def _clashes(said: Statements) -> Iterator[_Clash]:
    generations = said.generations[:_MOST_STATEMENTS]
    declarations = said.declarations[:_MOST_STATEMENTS]
    for one, other in combinations(generations, 2):
        if reason := _difference(one, other):
            yield _Clash(f"{_place(one)} and {_place(other)} {reason}", one, other)
    for claim, rival in combinations(declarations, 2):
        types = {claim.source_type, rival.source_type}
        if types & CAPTURED and types & SYNTHETIC:
            said_of = f"{claim.where} says {claim.source_type}, {rival.where} {rival.source_type}"
            yield _Clash(said_of, claim, rival)
    for claim, made in product(declarations, generations):
        if claim.source_type in CAPTURED:
            said_of = f"{claim.where} says {claim.source_type}, {_place(made)} {made.generator}"
            yield _Clash(said_of, claim, made)
    for made in generations:
        if said.camera is not None:
            yield _Clash(
                f"{said.camera} names a camera, {_place(made)} {made.generator}", made, None
            )
        if _is_later(made.created, said.credentials.created):
            told = f"{_place(made)} is dated later than the signature over it"
            yield _Clash(told, made, None, Trust.SIGNED)


def _place(generation: Generation) -> str:
    return " + ".join(generation.where[:2]) or generation.generator


def _difference(one: Generation, other: Generation) -> str | None:
    """Why `one` and `other` cannot be of the same picture; None when they can."""
    if one.seed is not None and other.seed is not None and one.seed != other.seed:
        return "give different seeds"
    if one.prompt and other.prompt and not _alike(one.prompt, other.prompt):
        return "give different prompts"
    if _have_different_bases(one, other):
        return "name different base models"
    moments = _moment(one.created), _moment(other.created)
    if moments[0] and moments[1] and abs(moments[0] - moments[1]) > _APART:
        return "give different dates"
    return None


def _alike(one: str, other: str) -> bool:
    """Whether two prompts have most of their words in common, tags of adapters aside."""
    words, others = _words(one), _words(other)
    return len(words & others) >= _ALIKE * min(len(words), len(others))


def _words(prompt: str) -> set[str]:
    return set(_WORD.findall(_TAG.sub(" ", prompt[:_MOST_PROMPT]).casefold()))


def _have_different_bases(one: Generation, other: Generation) -> bool:
    """Whether both name base models, and none of them is of both, whatever it is known by."""
    bases = [[model for model in each.models if model.role is Role.BASE] for each in (one, other)]
    for name in ("sha256", "autov2", "autov3", "blake3"):
        digests = [_distinct(model.hashes.get(name) for model in group) for group in bases]
        if all(digests):
            return not digests[0] & digests[1]
    names = [_distinct(model.name and file_stem(model.name) for model in group) for group in bases]
    # One says `lake`, the other `lake_v2`: that may be the same.
    return all(names) and not any(a in b or b in a for a, b in product(*names))


def _distinct(values: Iterable[str | None]) -> set[str]:
    return {value for value in values if value}


def _is_later(made: str | None, signed: str | None) -> bool:
    at, until = _moment(made), _moment(signed)
    return at is not None and until is not None and at - until > _APART


def _moment(text: str | None) -> datetime | None:
    """The moment that `text` names, as ISO 8601 or as EXIF write it; None for anything else."""
    try:
        moment = datetime.fromisoformat(_DATE.sub(r"\1-\2-\3", (text or "").strip()[:40]))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
