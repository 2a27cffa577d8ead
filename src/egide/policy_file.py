"""Reads a policy from YAML; every mistake is reported with its line.

The grammar is documented in docs/reference/policy.md. Only plain YAML is accepted: anchors would
let a small file grow without bound, tags would name Python objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import yaml

from egide.errors import PolicyError
from egide.label import Label
from egide.policy import (
    BASELINE_RULE,
    DEFAULT_RULE,
    ESCALATE_RULE,
    AllOf,
    AnyOf,
    AttributeIs,
    Condition,
    DetectorIs,
    EvidenceIs,
    Exists,
    FindingTest,
    ItemTest,
    KindIs,
    LabelIs,
    Mode,
    Not,
    Policy,
    Rule,
    ScoreIn,
)
from egide.sniff import Kind
from egide.verdict import INCOMPLETE_RULE, Action

T = TypeVar("T")
C = TypeVar("C", bound=StrEnum)

MAX_POLICY_BYTES: Final = 1 << 18
MAX_DEPTH: Final = 32
MAX_NESTING: Final = 100
"""How deep YAML may be nested at all: its parser calls itself for each level."""
MAX_DIGITS: Final = 9
RESERVED_RULES: Final = (ESCALATE_RULE, DEFAULT_RULE, BASELINE_RULE, INCOMPLETE_RULE)
"""Names by which a verdict says that no rule of the policy decided."""

_RULE_KEYS: Final = ("rule", "mode", "when", "action")
_LEAF_KEYS: Final = ("kind", "attributes", "label", "detector", "score", "purpose", "evidence")


def load_policy(path: Path | None = None) -> Policy:
    """The policy in the file at `path`, or the one that égide ships when None; PolicyError."""
    if path is None:
        text = files("egide").joinpath("policies/default.yaml").read_text(encoding="utf-8")
        return parse_policy(text, "default.yaml")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_POLICY_BYTES + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}; give a readable file") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PolicyError(f"{path}, line {line}: this is not UTF-8; save it as UTF-8") from error
    if len(data) > MAX_POLICY_BYTES:
        raise PolicyError(f"{path} is over {MAX_POLICY_BYTES:,} bytes; a policy is shorter")
    return parse_policy(text, str(path))


def parse_policy(text: str, source: str = "policy") -> Policy:
    """The policy that `text` writes; PolicyError naming `source` and the line."""
    return _Reader(source).policy(text)


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source

    def fail(self, node: yaml.Node | int, message: str) -> NoReturn:
        line = node if isinstance(node, int) else node.start_mark.line + 1
        raise PolicyError(f"{self.source}, line {line}: {message}")

    def policy(self, text: str) -> Policy:
        try:
            self.plain(text)
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = error.problem or "this is no YAML"
            if problem.startswith("but "):
                problem = f"{error.context} {problem}"
            self.fail(mark.line + 1 if mark else 1, problem)
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            self.fail(line, f"the character U+{error.character:04X} is not accepted")
        if root is None:
            self.fail(1, "the file is empty; start from the policy that égide ships")
        top = self.mapping(root, ("policy", "version", "rules"), required=("policy", "rules"))
        rules = tuple(self.rule(node) for node in self.sequence(top["rules"]))
        seen: dict[str, int] = {}
        for rule in rules:
            if rule.name in seen:
                self.fail(rule.line, f"rule {rule.name!r} is on line {seen[rule.name]} already")
            seen[rule.name] = rule.line
        version = self.integer(top["version"]) if "version" in top else 1
        return Policy(self.string(top["policy"]), version, rules)

    def plain(self, text: str) -> None:
        """Refuses what goes beyond plain YAML, before anything is made of it."""
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if getattr(event, "anchor", None):  # an alias has one too
                self.fail(line, "anchors are not accepted; write it out")
            if tag := getattr(event, "tag", None):
                self.fail(line, f"tags such as {tag!r} are not accepted; leave it out")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_NESTING:
                self.fail(line, f"this is nested more than {MAX_NESTING} deep")

    def rule(self, node: yaml.Node) -> Rule:
        parts = self.mapping(node, _RULE_KEYS, required=("rule", "when", "action"))
        name = self.string(parts["rule"])
        if name in RESERVED_RULES:
            self.fail(parts["rule"], f"a rule cannot be called {name!r}; verdicts use that word")
        return Rule(
            name=name,
            mode=self.choice(parts["mode"], Mode) if "mode" in parts else Mode.LIVE,
            when=self.condition(parts["when"]),
            action=self.choice(parts["action"], Action),
            line=node.start_mark.line + 1,
        )

    def condition(self, node: yaml.Node, depth: int = 0) -> Condition:
        if depth > MAX_DEPTH:
            self.fail(node, f"conditions are nested more than {MAX_DEPTH} deep")
        parts = self.mapping(node, ("all", "any", "not", *_LEAF_KEYS))
        if not parts:
            self.fail(node, "the condition is empty; name a label, a kind or another test")
        composite = [key for key in ("all", "any", "not") if key in parts]
        if composite and len(parts) > 1:
            self.fail(node, f"'{composite[0]}' stands alone; move the other keys into it")
        if "not" in parts:
            return Not(self.condition(parts["not"], depth + 1))
        for key, make in (("all", AllOf), ("any", AnyOf)):
            if key in parts:
                members = self.sequence(parts[key])
                if not members:
                    self.fail(parts[key], f"'{key}' needs at least one condition")
                return make(tuple(self.condition(member, depth + 1) for member in members))
        return self.leaf(parts)

    def leaf(self, parts: dict[str, yaml.Node]) -> Exists:
        item_tests: list[ItemTest] = []
        finding_tests: list[FindingTest] = []
        for key, node in parts.items():
            match key:
                case "kind":
                    kinds = self.several(node, lambda n: self.choice(n, Kind))
                    item_tests.append(KindIs(kinds))
                case "attributes":
                    item_tests += [
                        AttributeIs(name, self.several(value, self.string))
                        for name, value in self.named(node).items()
                    ]
                case "label":
                    finding_tests.append(LabelIs(self.several(node, self.label)))
                case "detector":
                    finding_tests.append(DetectorIs(self.several(node, self.string)))
                case "score":
                    finding_tests.append(self.score(node))
                case "purpose":
                    purposes = self.several(node, self.string)
                    finding_tests.append(EvidenceIs("purpose", purposes))
                case "evidence":
                    finding_tests += [
                        EvidenceIs(name, self.several(value, self.scalar))
                        for name, value in self.named(node).items()
                    ]
        return Exists(tuple(item_tests), tuple(finding_tests))

    def score(self, node: yaml.Node) -> ScoreIn:
        if isinstance(node, yaml.ScalarNode):
            return ScoreIn(self.fraction(node), None)
        parts = self.mapping(node, ("at_least", "below"))
        if not parts:
            self.fail(node, "give at_least, below, or both")
        low = self.fraction(parts["at_least"]) if "at_least" in parts else 0.0
        high = self.fraction(parts["below"]) if "below" in parts else None
        if high is not None and high <= low:
            self.fail(node, f"no score is at least {low:g} and below {high:g}")
        return ScoreIn(low, high)

    def label(self, node: yaml.Node) -> str:
        pattern = self.string(node)
        if not any(fnmatchcase(label, pattern) for label in Label):
            self.fail(node, f"{pattern!r} is no label; labels are in docs/reference/labels.md")
        return pattern

    def mapping(
        self, node: yaml.Node, known: tuple[str, ...] = (), required: tuple[str, ...] = ()
    ) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, "a mapping (key: value) is expected here")
        parts: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = self.string(key_node)
            if known and key not in known:
                self.fail(key_node, f"unknown key {key!r}; known here: {', '.join(known)}")
            if key in parts:
                self.fail(key_node, f"{key!r} stands here twice")
            parts[key] = value
        for key in required:
            if key not in parts:
                self.fail(node, f"{key!r} is missing")
        return parts

    def named(self, node: yaml.Node) -> dict[str, yaml.Node]:
        """A mapping of names that are the author's own; one at least, or the test would be none."""
        parts = self.mapping(node)
        if not parts:
            self.fail(node, "name at least one here")
        return parts

    def sequence(self, node: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            self.fail(node, "a list is expected here")
        return list(node.value)

    def several(self, node: yaml.Node, read: Callable[[yaml.Node], T]) -> tuple[T, ...]:
        if isinstance(node, yaml.SequenceNode):
            if not node.value:
                self.fail(node, "the list is empty")
            return tuple(read(member) for member in node.value)
        return (read(node),)

    def choice(self, node: yaml.Node, enum: type[C]) -> C:
        word = self.string(node)
        members = [str(member) for member in enum]
        if word not in members:
            self.fail(node, f"{word!r} is not one of {', '.join(members)}")
        return enum(word)

    def string(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value:
            self.fail(node, "a word is expected here")
        return str(node.value)

    def scalar(self, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            self.fail(node, "a single value is expected here")
        # Evidence is JSON, in which `no` and 2024-01-01 are words; YAML 1.1 has other ideas.
        try:
            return node.value if node.style else json.loads(node.value.lower())
        except ValueError:
            return node.value

    def integer(self, node: yaml.Node) -> int:
        text = self.string(node)
        if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS:
            self.fail(node, f"{text[:20]!r} is no whole number of at most {MAX_DIGITS} digits")
        return int(text)

    def fraction(self, node: yaml.Node) -> float:
        text = self.string(node)
        try:
            value = float(text)
        except ValueError:
            self.fail(node, f"{text!r} is no number")
        if not 0.0 <= value <= 1.0:
            self.fail(node, f"a score lies in 0..1, not {text}")
        return value
