"""The rules that combine classes of words into findings: their form, and reading them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Final

from egide.errors import LexiconError
from egide.label import Label
from egide.text.lexicon_file import check_keys, instead, line_of, load_yaml, refused

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
_PARTS: Final[Mapping[str, tuple[type, str]]] = {
    "groups": (dict, "a mapping, of each group its classes"),
    "acts": (list, "a list of rules"),
    "roles": (dict, "a mapping, of each role its weights"),
}
_ACT: Final = (
    "rule",
    "label",
    "anchor",
    "then",
    "gap",
    "span",
    "near",
    "text",
    "within",
    "unless",
    "never",
    "beaten_by",
    "score",
)
_ROLE: Final = ("label", "given", "least", "add", "less")
_FARTHEST: Final = 1_000
"""Tokens; no rule looks farther."""


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
    for part, (kind, how) in _PARTS.items():
        if not isinstance(document, dict) or not isinstance(document.get(part), kind):
            raise LexiconError(f"{path.name}: {part}: write {how}")
    check_keys(path, "the file", document, _PARTS)
    told = _Told(path, "groups", document["groups"], bits)
    names = {**bits, **{name: told.one(name) for name in document["groups"]}}
    acts: dict[str, Any] = {}
    for number, act in enumerate(document["acts"], 1):
        name = act.get("rule") if isinstance(act, dict) else None
        if not isinstance(name, str) or not name:
            raise refused(path, f"rule {number}", "write a mapping with `rule`, its name")
        told = _Told(path, f"rule {name}", act, names)
        if name in acts or name in document["roles"]:
            raise told.wrong("rule", "another one is called so; give it a name of its own")
        acts[name] = told.act()
    roles = []
    for name, role in document["roles"].items():
        if not isinstance(role, dict):
            raise refused(path, f"role {name}", "write a mapping", line_of(document["roles"], name))
        roles.append({"rule": name, **_Told(path, f"role {name}", role, bits).role()})
    return {"acts": list(acts.values()), "roles": roles}


@dataclass(frozen=True, slots=True)
class _Told:
    """A part of the file: what it is called, what it says, and the bits of what it may name."""

    path: Path
    name: str
    told: Mapping[str, Any]
    bits: Mapping[str, int]

    def wrong(self, key: str, why: str) -> LexiconError:
        line = line_of(self.told, key if key in self.told else next(iter(self.told), ""))
        return refused(self.path, f"{self.name}.{key}", why, line)

    def act(self) -> dict[str, Any]:
        check_keys(self.path, self.name, self.told, _ACT)
        if not self.told.get("anchor"):
            raise self.wrong("anchor", "it is missing; write the class that the rule begins with")
        needs = (self.one("anchor"), *((self.one("then"),) if "then" in self.told else ()))
        return {
            "rule": self.told["rule"],
            "label": self.label(),
            "anchor": self.one("anchor"),
            "then": self.one("then"),
            "gap": self.whole("gap", 99),
            "span": self.whole("span", 12),
            "near": self.many("near"),
            "text": self.many("text"),
            "within": self.whole("within", 10),
            "unless": self.one("unless"),
            "never": self.one("never"),
            "beaten_by": self.one("beaten_by"),
            "score": self.number("score", 1),
            "needs": (*needs, *self.many("near"), *self.many("text")),
        }

    def role(self) -> dict[str, Any]:
        check_keys(self.path, self.name, self.told, _ROLE)
        if self.told.get("given", "act") != "act":
            raise self.wrong("given", "write `act`: a role counts where a rule of acts holds")
        return {
            "label": self.label(),
            "least": self.number("least"),
            "add": self.weights("add"),
            "less": self.weights("less"),
        }

    def label(self) -> str:
        label = self.told.get("label")
        if label not in tuple(Label):
            raise self.wrong("label", f"{label!r} is no label; {instead(str(label), tuple(Label))}")
        return str(label)

    def one(self, key: str) -> int:
        """The bits of a group of classes; 0 when none is told."""
        return self._group(key, self.told[key]) if key in self.told else 0

    def many(self, key: str) -> tuple[int, ...]:
        told = self.told.get(key, [])
        if not isinstance(told, list):
            raise self.wrong(key, "write a list of groups, [photo|upload, make]")
        return tuple(self._group(key, group) for group in told)

    def _group(self, key: str, told: object) -> int:
        if not isinstance(told, str):
            raise self.wrong(key, "write classes with | between")
        mask = 0
        for part in told.split("|"):
            mask |= self._bit(key, part.strip())
        return mask

    def _bit(self, key: str, name: str) -> int:
        if name not in self.bits:
            known = [name for name in self.bits if not name.startswith("form.")]
            raise self.wrong(key, f"there is no class or group `{name}`; {instead(name, known)}")
        return self.bits[name]

    def whole(self, key: str, default: int) -> int:
        told = self.told.get(key, default)
        if isinstance(told, bool) or not isinstance(told, int) or not 0 <= told <= _FARTHEST:
            raise self.wrong(key, f"write a whole number, 0 to {_FARTHEST:,}")
        return told

    def number(self, key: str, most: float = 0) -> float:
        return self._number(key, self.told.get(key), most)

    def _number(self, key: str, told: object, most: float = 0) -> float:
        number = not isinstance(told, bool) and isinstance(told, int | float) and isfinite(told)
        if not number or told < 0 or (most and told > most):  # type: ignore[operator]
            raise self.wrong(key, f"write a number, {f'0 to {most:g}' if most else '0 or more'}")
        return float(told)  # type: ignore[arg-type]

    def weights(self, key: str) -> list[tuple[int, float]]:
        told = self.told.get(key, {})
        if not isinstance(told, dict):
            raise self.wrong(key, "write a mapping of classes and their weights")
        return [(self._bit(key, name), self._number(key, weight)) for name, weight in told.items()]
