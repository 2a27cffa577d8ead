"""The rules that combine classes of words into findings: their form, and reading them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from egide.errors import LexiconError
from egide.label import Label
from egide.text.lexicon_file import load_yaml

FACTS: Final = (
    "ctx.prompt",
    "ctx.photo",
    "ctx.ad",
    "ctx.app_listing",
    "ctx.post",
    "ctx.chat",
    "ctx.profile",
    "ctx.bounty",
    "ctx.search",
    "url",
    "referral-link",
    "ctx.called",
    "question",
)
"""What is true of a text as a whole rather than of a word of it; bits like those of classes."""


@dataclass(frozen=True, slots=True)
class ActRule:
    """Who does what to whom: an anchor, what follows it, and what stands near. Bits of classes.

    `gap` counts unknown words, `span` and `within` tokens. `near` and `text` are groups, of each
    of which one word must be there.
    """

    rule: str
    label: str
    anchor: int
    then: int
    gap: int
    span: int
    near: tuple[int, ...]
    text: tuple[int, ...]
    within: int
    unless: int
    never: int
    beaten_by: int
    score: float
    needs: tuple[int, ...]
    """Every group of the rule: where one has no word in the text, the rule need not be tried."""


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Who speaks: weights of the classes that a text has, against the least that is enough."""

    rule: str
    label: str
    least: float
    add: tuple[tuple[int, float], ...]
    less: tuple[tuple[int, float], ...]


def read_rules(path: Path, bits: Mapping[str, int]) -> dict[str, Any]:
    """The rules at `path` as keyword arguments of `ActRule` and `RoleRule`; LexiconError."""
    document = load_yaml(path)
    try:
        groups = {name: _group(told, bits, {}) for name, told in document["groups"].items()}
        acts = [_act(told, bits, groups) for told in document["acts"]]
        roles = [_role(name, told, bits) for name, told in document["roles"].items()]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise LexiconError(
            f"{path.name}: {type(error).__name__}: {error}; mend the rule"
        ) from error
    return {"acts": acts, "roles": roles}


def _group(told: str, bits: Mapping[str, int], groups: Mapping[str, int]) -> int:
    mask = 0
    for part in told.split("|"):
        name = part.strip()
        mask |= groups[name] if name in groups else bits[name]
    return mask


def _act(told: Mapping[str, Any], bits: Mapping[str, int], groups: Mapping[str, int]) -> Any:
    def one(key: str) -> int:
        return _group(told[key], bits, groups) if key in told else 0

    def many(key: str) -> tuple[int, ...]:
        return tuple(_group(group, bits, groups) for group in told.get(key, ()))

    Label(told["label"])
    needs = (one("anchor"), *((one("then"),) if "then" in told else ()), *many("near"))
    return {
        "rule": told["rule"],
        "label": told["label"],
        "anchor": one("anchor"),
        "then": one("then"),
        "gap": told.get("gap", 99),
        "span": told.get("span", 12),
        "near": many("near"),
        "text": many("text"),
        "within": told.get("within", 10),
        "unless": one("unless"),
        "never": one("never"),
        "beaten_by": one("beaten_by"),
        "score": float(told["score"]),
        "needs": (*needs, *many("text")),
    }


def _role(name: str, told: Mapping[str, Any], bits: Mapping[str, int]) -> Any:
    Label(told["label"])

    def weights(key: str) -> list[tuple[int, float]]:
        return [(bits[c], float(w)) for c, w in told.get(key, {}).items()]

    return {
        "rule": name,
        "label": told["label"],
        "least": float(told["least"]),
        "add": weights("add"),
        "less": weights("less"),
    }
