"""The terms and weights of `data/likeness.toml`, sought in text as names are.

Terms are found in one pass with the names: the same hashes of the same runs of words, so that
what hides a name (spaces, look-alikes, digits for letters) does not hide a term either.
"""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from egide.hub.names import How, NameKey, Reading, Span, check_of, name_keys

PLACES: Final = (
    "title", "version", "file", "concept", "trigger", "tag", "caption", "prompt", "text",
    "description",
)  # fmt: skip
"""The fields of a model, as the weights know them."""
_FILTER_BITS: Final = 18
_REVERSED: Final = int(How.REVERSED)


class Found(NamedTuple):
    """A term in a text: the group it belongs to (`signal.relation`), and where it stands."""

    group: str
    term: str
    span: Span


class _Term(NamedTuple):
    group: str
    term: str
    key: NameKey
    is_around: bool


@dataclass(frozen=True)
class Around:
    """What words before or after a name make of it; see the data file."""

    before: bool
    within: int
    factor: float
    least: float


@dataclass(frozen=True)
class Signal:
    """One sign that an unnamed real person is meant, or is not: a weight in log-odds."""

    name: str
    weight: float
    why: str
    places: frozenset[str]
    whole: bool
    least: int = 0
    most: int | None = None

    def holds(self, number: int) -> bool:
        """Whether a signal of a number holds for `number`."""
        return self.least <= number and (self.most is None or number <= self.most)


@dataclass(frozen=True)
class Weights:
    """All of `data/likeness.toml` but the terms, which are in `book`."""

    places: dict[str, float]
    around: dict[str, Around]
    bias: float
    signals: dict[str, Signal]
    drawn_bases: tuple[str, ...]
    no_adapters: frozenset[str]
    no_names: frozenset[str]
    """Words that are no ordinary ones and no names either, before a class of people."""
    intent_places: dict[str, float]
    strengths: dict[str, float]
    intent_flags: dict[str, float]
    book: TermBook


class TermBook:
    """Terms by their hashes; at most a few thousand."""

    def __init__(self, groups: dict[str, list[str]]) -> None:
        pairs = [(group, term) for group, terms in groups.items() for term in dict.fromkeys(terms)]
        keys = name_keys([term for _, term in pairs])
        self._terms: dict[int, list[_Term]] = {}
        for (group, term), key in zip(pairs, keys, strict=True):
            if key is None:
                raise ValueError(f"the term {term!r} of {group} cannot be looked for")
            is_around = group.startswith("around.")
            self._terms.setdefault(key.hash, []).append(_Term(group, term, key, is_around))
        for terms in self._terms.values():
            terms.sort(key=lambda term: term.is_around)
        self._filter: NDArray[np.bool_] = np.zeros(1 << _FILTER_BITS, bool)
        hashes = np.array(list(self._terms), np.uint64)
        self._filter[hashes & np.uint64((1 << _FILTER_BITS) - 1)] = True

    def search(self, reading: Reading, named: Container[int] = ()) -> Iterator[Found]:
        """Every term among the runs of `reading`; what words around a name make of it, only in
        the fields `named`, which have one."""
        hashes = reading.hashes
        likely = np.flatnonzero(self._filter[hashes & np.uint64((1 << _FILTER_BITS) - 1)])
        held = [self._terms.get(value) for value in hashes[likely].tolist()]
        fields = reading.fields_at(likely)
        wanted = [
            number
            for number, terms in enumerate(held)
            if terms is not None and (not terms[0].is_around or fields[number] in named)
        ]
        for number, span in zip(wanted, reading.spans(likely[wanted]), strict=True):
            terms = held[number]
            if terms is None or span.how & _REVERSED:
                continue
            if check_of(span.letters) != terms[0].key.check:
                continue
            for group, term, key, is_around in terms:
                fits = span.is_written_as(key.words, key.first)
                if fits and (not is_around or span.field in named):
                    yield Found(group, term, span)


@cache
def load_weights() -> Weights:
    """What the data file says; read once."""
    text = files("egide.hub").joinpath("data", "likeness.toml").read_text(encoding="utf-8")
    document: dict[str, Any] = tomllib.loads(text)
    signals, intent = document["signal"], document["intent"]
    strengths = {name: part["strength"] for name, part in intent.items() if _has_terms(part)}
    groups = {
        f"{kind}.{name}": part["terms"]
        for kind in ("around", "signal", "intent")
        for name, part in document[kind].items()
        if _has_terms(part)
    }
    for name, part in signals.items():
        if "terms_of" in part:
            groups[f"signal.{name}"] = signals[part["terms_of"]]["terms"]
    return Weights(
        places=document["places"],
        around={name: _around(part) for name, part in document["around"].items()},
        bias=document["structure"]["bias"],
        signals={name: _signal(name, part) for name, part in signals.items()},
        drawn_bases=tuple(signals["drawn_base"]["bases"]),
        no_adapters=frozenset(signals["no_adapter"]["adapters"]),
        no_names=frozenset(signals["named_class"]["no_names"]),
        intent_places=intent["places"],
        strengths=strengths,
        intent_flags={name: intent[name] for name in ("flagged", "level_x", "level_r")},
        book=TermBook(groups),
    )


def _has_terms(part: Any) -> bool:
    return isinstance(part, dict) and "terms" in part


def _around(part: dict[str, Any]) -> Around:
    return Around(
        part["side"] == "before", part["within"], part.get("factor", 1.0), part.get("least", 0.0)
    )


def _signal(name: str, part: dict[str, Any]) -> Signal:
    return Signal(
        name,
        part["weight"],
        part["why"],
        frozenset(part.get("in", ())),
        part.get("whole", False),
        part.get("from", 0),
        part.get("to"),
    )
