"""Rules that turn findings into a verdict.

A policy is a list of rules tried in order; the first `live` rule whose condition holds decides.
`shadow` rules are tried alike and only noted, so that a new rule can be watched before it acts.
Two things are not a policy's to decide: `minor.escalate` escalates, and an item with an error is
never `allow`. The file format is read by `egide.policy_file`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from egide.finding import Fault, Finding
from egide.label import Label
from egide.sniff import Kind
from egide.verdict import INCOMPLETE_RULE, Action

ESCALATE_RULE = "minor-escalate"
BASELINE_RULE = "baseline"
"""The rule named when all that was found is known from the baseline: `allow`."""
DEFAULT_RULE = "default"
"""The rule named when no rule of the policy holds: `allow`."""


class Mode(StrEnum):
    """Whether a rule decides or is only watched."""

    LIVE = "live"
    SHADOW = "shadow"


class Facts(NamedTuple):
    """All that a condition may look at."""

    kind: Kind
    attributes: Mapping[str, str]
    findings: Sequence[Finding]


class Ruling(NamedTuple):
    """What a policy decided, by which rule, and which shadow rules would have held."""

    action: Action
    rule: str
    shadow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelIs:
    """Whether a finding's label is one of `patterns`, in which `*` stands for anything."""

    patterns: tuple[str, ...]

    def passes(self, finding: Finding) -> bool:
        """Whether `finding` passes."""
        return any(fnmatchcase(finding.label, pattern) for pattern in self.patterns)

    def __str__(self) -> str:
        return f"label {' or '.join(self.patterns)}"


@dataclass(frozen=True, slots=True)
class DetectorIs:
    """Whether a finding's detector is one of `patterns`, in which `*` stands for anything."""

    patterns: tuple[str, ...]

    def passes(self, finding: Finding) -> bool:
        """Whether `finding` passes."""
        return any(fnmatchcase(finding.detector, pattern) for pattern in self.patterns)

    def __str__(self) -> str:
        return f"detector {' or '.join(self.patterns)}"


@dataclass(frozen=True, slots=True)
class ScoreIn:
    """Whether a finding's score lies in `at_least` (included) to `below` (excluded)."""

    at_least: float
    below: float | None

    def passes(self, finding: Finding) -> bool:
        """Whether `finding` passes."""
        return self.at_least <= finding.score and (self.below is None or finding.score < self.below)

    def __str__(self) -> str:
        return f"score ≥ {self.at_least:g}" + (
            "" if self.below is None else f" and < {self.below:g}"
        )


@dataclass(frozen=True, slots=True)
class EvidenceIs:
    """Whether a finding's evidence has one of `values` under `key`."""

    key: str
    values: tuple[Any, ...]

    def passes(self, finding: Finding) -> bool:
        """Whether `finding` passes."""
        return self.key in finding.evidence and finding.evidence[self.key] in self.values

    def __str__(self) -> str:
        return f"{self.key} {' or '.join(map(str, self.values))}"


@dataclass(frozen=True, slots=True)
class KindIs:
    """Whether the item's kind is one of `kinds`."""

    kinds: tuple[Kind, ...]

    def passes(self, facts: Facts) -> bool:
        """Whether the item passes."""
        return facts.kind in self.kinds

    def __str__(self) -> str:
        return f"kind {' or '.join(self.kinds)}"


@dataclass(frozen=True, slots=True)
class AttributeIs:
    """Whether the item's attribute `key` has one of `values`."""

    key: str
    values: tuple[str, ...]

    def passes(self, facts: Facts) -> bool:
        """Whether the item passes."""
        return facts.attributes.get(self.key) in self.values

    def __str__(self) -> str:
        return f"attribute {self.key} {' or '.join(self.values)}"


ItemTest = KindIs | AttributeIs
FindingTest = LabelIs | DetectorIs | ScoreIn | EvidenceIs


@dataclass(frozen=True, slots=True)
class Exists:
    """Holds when the item passes, and one and the same finding passes every finding test.

    With no finding test it is about the item alone.
    """

    item_tests: tuple[ItemTest, ...]
    finding_tests: tuple[FindingTest, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether the condition holds for `facts`."""
        if not all(test.passes(facts) for test in self.item_tests):
            return False
        return not self.finding_tests or any(self.of(finding) for finding in facts.findings)

    def of(self, finding: Finding) -> bool:
        """Whether `finding` passes every finding test."""
        return all(test.passes(finding) for test in self.finding_tests)

    def __str__(self) -> str:
        parts = [str(test) for test in self.item_tests]
        if self.finding_tests:
            parts.append("a finding with " + ", ".join(map(str, self.finding_tests)))
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds when every part does."""

    parts: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether the condition holds for `facts`."""
        return all(part.holds(facts) for part in self.parts)

    def __str__(self) -> str:
        return "(" + " and ".join(map(str, self.parts)) + ")"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds when one part does."""

    parts: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether the condition holds for `facts`."""
        return any(part.holds(facts) for part in self.parts)

    def __str__(self) -> str:
        return "(" + " or ".join(map(str, self.parts)) + ")"


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when its part does not."""

    part: Condition

    def holds(self, facts: Facts) -> bool:
        """Whether the condition holds for `facts`."""
        return not self.part.holds(facts)

    def __str__(self) -> str:
        return f"not {self.part}"


Condition = Exists | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy; `line` is where it stands in its file."""

    name: str
    mode: Mode
    when: Condition
    action: Action
    line: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in order, with a name and a version that every verdict carries."""

    name: str
    version: int
    rules: tuple[Rule, ...]

    @property
    def id(self) -> str:
        """Name and version as verdicts write them: `default@1`."""
        return f"{self.name}@{self.version}"

    def decide(
        self,
        kind: Kind,
        attributes: Mapping[str, str],
        findings: Sequence[Finding],
        errors: Sequence[Fault],
    ) -> Ruling:
        """The action that these findings and errors call for. Pure."""
        if any(finding.label is Label.MINOR_ESCALATE for finding in findings):
            return Ruling(Action.ESCALATE, ESCALATE_RULE)
        facts = Facts(kind, attributes, findings)
        holding = [rule for rule in self.rules if rule.when.holds(facts)]
        shadow = tuple(rule.name for rule in holding if rule.mode is Mode.SHADOW)
        first = next((rule for rule in holding if rule.mode is Mode.LIVE), None)
        action, name = (first.action, first.name) if first else (Action.ALLOW, DEFAULT_RULE)
        if errors and action is Action.ALLOW:
            action, name = Action.REVIEW, INCOMPLETE_RULE
        return Ruling(action, name, shadow)
