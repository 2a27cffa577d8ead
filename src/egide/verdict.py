"""What the machine says of an item."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from egide.errors import UsageError
from egide.finding import Fault, Finding, Skip
from egide.label import Label
from egide.sniff import Kind

VERDICT_SCHEMA: Final = "egide.verdict/1"
INCOMPLETE_RULE: Final = "incomplete"
"""The rule named when nothing was found and something could not be read: never `allow`."""


class Action(StrEnum):
    """What to do with an item, mildest first."""

    ALLOW = "allow"
    REVIEW = "review"
    BLOCK = "block"
    ESCALATE = "escalate"

    @property
    def severity(self) -> int:
        """0 for `allow` up to 3 for `escalate`."""
        return list(Action).index(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the machine says of one item, and everything it saw on the way. Picklable."""

    ref: str
    kind: Kind
    sha256: str | None
    action: Action
    rule: str
    policy: str
    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skip, ...] = ()
    errors: tuple[Fault, ...] = ()
    shadow: tuple[str, ...] = ()
    """Rules that would have decided were they `live`."""

    @property
    def incomplete(self) -> bool:
        """Whether something was skipped or could not be read."""
        return bool(self.skipped or self.errors)

    @property
    def plain(self) -> bool:
        """Whether there is nothing to say of the item: allowed, nothing found, nothing left out."""
        return self.action is Action.ALLOW and not (self.findings or self.incomplete)

    def reaches(self, action: Action) -> bool:
        """Whether something found here calls for `action` or more.

        An error alone makes an item `review`, but nothing was found: that does not count.
        """
        return self.rule != INCOMPLETE_RULE and self.action.severity >= action.severity

    def to_json(self, *, reveal: bool = False) -> dict[str, Any]:
        """The verdict as one JSON object of schema `egide.verdict/1`."""
        document = {
            "schema": VERDICT_SCHEMA,
            "item": {"ref": self.ref, "kind": str(self.kind), "sha256": self.sha256},
            "action": str(self.action),
            "rule": self.rule,
            "policy": self.policy,
            "findings": [finding.to_json(reveal=reveal) for finding in self.findings],
            "skipped": [skip.to_json() for skip in self.skipped],
            "errors": [fault.to_json() for fault in self.errors],
        }
        if self.shadow:
            document["shadow"] = list(self.shadow)
        return document

    @classmethod
    def from_json(cls, line: str) -> Verdict:
        """The verdict that one JSON line holds; UsageError when it holds none."""
        try:
            return _verdict(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError(
                f"a line is no {VERDICT_SCHEMA} verdict ({type(error).__name__}: {error}); "
                "give what `egide scan --format jsonl` wrote"
            ) from error


def _verdict(document: dict[str, Any]) -> Verdict:
    if document["schema"] != VERDICT_SCHEMA:
        raise ValueError(f"schema is {document['schema']!r}")
    item = document["item"]
    return Verdict(
        ref=_text(item, "ref"),
        kind=Kind(item["kind"]),
        sha256=None if item["sha256"] is None else _text(item, "sha256"),
        action=Action(document["action"]),
        rule=_text(document, "rule"),
        policy=_text(document, "policy"),
        findings=tuple(
            Finding(_text(f, "detector"), Label(f["label"]), f["score"], dict(f["evidence"]))
            for f in document["findings"]
        ),
        skipped=tuple(Skip(_text(s, "detector"), _text(s, "reason")) for s in document["skipped"]),
        errors=tuple(
            Fault(_text(e, "detector"), _text(e, "error"), _text(e, "message"))
            for e in document["errors"]
        ),
        shadow=tuple(map(str, document.get("shadow", ()))),
    )


def _text(document: dict[str, Any], key: str) -> str:
    text = document[key]
    if not isinstance(text, str):
        raise TypeError(f"{key!r} is no text")
    return text
