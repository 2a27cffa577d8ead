"""What a detector reports of an item: findings, skips, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from egide.errors import ItemError
from egide.label import Label

Evidence = Mapping[str, Any]
"""JSON values by name. Keys listed in `MASKED_EVIDENCE` are masked in reports by default."""

MASKED_EVIDENCE: Final = frozenset({"entry_ref", "name", "handle", "address", "prompt"})
MASK: Final = "***"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a detector saw: a label, a score in 0..1 (how sure), and the evidence for it."""

    detector: str
    label: Label
    score: float
    evidence: Evidence = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"a score lies in 0..1, {self.detector} gave {self.score}")

    def to_json(self, *, reveal: bool = False) -> dict[str, Any]:
        """The finding as verdicts print it; masked unless `reveal`."""
        evidence = dict(self.evidence) if reveal else _masked(self.evidence)
        return {
            "detector": self.detector,
            "label": str(self.label),
            "score": round(self.score, 4),
            "evidence": evidence,
        }


@dataclass(frozen=True, slots=True)
class Skip:
    """Something a detector left out on purpose, and why."""

    detector: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The skip as verdicts print it."""
        return {"detector": self.detector, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Fault:
    """What kept a detector from reading the item: `error` is a stable code of `egide.errors`."""

    detector: str
    error: str
    message: str

    @classmethod
    def of(cls, detector: str, error: ItemError) -> Fault:
        """The fault that `error` is, its message on one line."""
        return cls(detector, error.code, " ".join(str(error).split()))

    def to_json(self) -> dict[str, Any]:
        """The fault as verdicts print it."""
        return {"detector": self.detector, "error": self.error, "message": self.message}


Observation = Finding | Skip | Fault
"""What `Detector.detect` yields."""


def _masked(value: Any) -> Any:
    """`value` with whatever stands under a key of `MASKED_EVIDENCE` masked, at every depth."""
    match value:
        case Mapping():
            return {
                key: MASK if _is_masked(key) and inner is not None else _masked(inner)
                for key, inner in value.items()
            }
        case list() | tuple():
            return [_masked(inner) for inner in value]
        case _:
            return value


def _is_masked(key: object) -> bool:
    """Whether `key` is one of `MASKED_EVIDENCE`, in any case, in the singular or plural."""
    word = str(key).lower()
    return word in MASKED_EVIDENCE or word.removesuffix("s") in MASKED_EVIDENCE
