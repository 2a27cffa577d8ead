"""SARIF 2.1.0, for code-scanning dashboards and whatever else reads findings by file.

Follows the OASIS standard "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, TextIO
from urllib.parse import quote

from egide.finding import Finding
from egide.label import DSA_KEYWORD, Label
from egide.report.baseline import finding_digest, item_key
from egide.report.clean import json_text, visible
from egide.report.reporter import Summary
from egide.report.words import LABELS, evidence_of, explain
from egide.verdict import Action, Verdict

SARIF_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
FINGERPRINT: Final = "egideFinding/v1"
MOST_NOTIFICATIONS: Final = 5_000

_LEVELS: Final = {
    Action.ALLOW: "note",
    Action.REVIEW: "warning",
    Action.BLOCK: "error",
    Action.ESCALATE: "error",
}


class SarifLog:
    """Writes each result as it comes; what is told of the tool and the run stands at the end.

    Errors of items become notifications of level `error`, which tells the reader that the results
    are not complete; skips become `note`s. `MOST_NOTIFICATIONS` are kept, the rest are counted.
    """

    def __init__(self, out: TextIO, *, reveal: bool = False) -> None:
        self._out = out
        self._reveal = reveal
        self._rules: dict[Label, int] = {}
        self._notifications: list[dict[str, Any]] = []
        self._unlisted = 0
        self._results = 0
        self._begun = False

    def verdict(self, verdict: Verdict) -> None:
        """Writes one result for each finding."""
        for finding in verdict.findings:
            self._begin()
            self._out.write(",\n" if self._results else "\n")
            self._out.write(json_text(self._result(verdict, finding), self._out))
            self._results += 1
        for fault in verdict.errors:
            self._notify("error", verdict, fault.detector, fault.error, fault.message)
        for skip in verdict.skipped:
            self._notify("note", verdict, skip.detector, "skipped", skip.reason)

    def finish(self, summary: Summary) -> None:
        """Writes the rules, the invocation, and the end of the document."""
        self._begin()
        run = {
            "tool": {"driver": self._driver()},
            "invocations": [self._invocation(summary)],
            "columnKind": "unicodeCodePoints",
        }
        self._out.write("\n]," + json_text(run, self._out)[1:] + "]}\n")
        self._out.flush()

    def _begin(self) -> None:
        """Opens the document, once."""
        if not self._begun:
            self._begun = True
            self._out.write(f'{{"$schema":"{SARIF_SCHEMA}","version":"2.1.0","runs":[{{"results":[')

    def _result(self, verdict: Verdict, finding: Finding) -> dict[str, Any]:
        index = self._rules.setdefault(finding.label, len(self._rules))
        evidence = evidence_of(finding, reveal=self._reveal)
        result: dict[str, Any] = {
            "ruleId": str(finding.label),
            "ruleIndex": index,
            "level": _LEVELS[verdict.action],
            "message": {"text": visible(explain(finding, reveal=self._reveal))},
            "locations": [_location(verdict.ref)],
            "partialFingerprints": {
                FINGERPRINT: finding_digest(item_key(verdict), finding).hex(),
            },
            "properties": {
                "action": str(verdict.action),
                "rule": verdict.rule,
                "detector": finding.detector,
                "score": round(finding.score, 4),
                "evidence": dict(evidence),
            },
        }
        if evidence.get("silenced"):
            result["suppressions"] = [
                {"kind": "external", "justification": "a known false match, by an allow bank"}
            ]
        return result

    def _notify(
        self, level: str, verdict: Verdict, detector: str, descriptor: str, text: str
    ) -> None:
        if len(self._notifications) >= MOST_NOTIFICATIONS:
            self._unlisted += 1
            return
        self._notifications.append(
            {
                "descriptor": {"id": descriptor},
                "level": level,
                "message": {"text": visible(f"{detector}: {text}")},
                "locations": [_location(verdict.ref)],
            }
        )

    def _invocation(self, summary: Summary) -> dict[str, Any]:
        notifications = list(self._notifications)
        if self._unlisted:
            text = f"{self._unlisted:,} more errors and skips are not listed; see the JSON Lines."
            notifications.append({"level": "error", "message": {"text": text}})
        if summary.interrupted:
            text = "Interrupted: these are the results so far."
            notifications.append({"level": "error", "message": {"text": text}})
        return {
            "executionSuccessful": not summary.interrupted,
            "toolExecutionNotifications": notifications,
            "properties": {
                "items": summary.items,
                "actions": {str(action): number for action, number in summary.actions.items()},
                "policy": summary.policy,
                "banks": list(summary.banks),
                "seconds": round(summary.seconds, 3),
                "suppressedByBaseline": summary.suppressed,
            },
        }

    def _driver(self) -> dict[str, Any]:
        return {
            "name": "egide",
            "version": installed_version(),
            "rules": [_rule(label) for label in self._rules],
        }


def installed_version() -> str:
    """The version of the installed package; `0` when égide runs uninstalled."""
    try:
        return version("egide")
    except PackageNotFoundError:
        return "0"


def _rule(label: Label) -> dict[str, Any]:
    title, meaning = LABELS[label]
    rule: dict[str, Any] = {
        "id": str(label),
        "name": "".join(part.capitalize() for part in label.replace("-", ".").split(".")),
        "shortDescription": {"text": title.capitalize()},
        "fullDescription": {"text": meaning},
        "help": {"text": f"{meaning} The action comes from the policy; see its rules."},
        "properties": {"tags": ["trust-and-safety"]},
    }
    if label in DSA_KEYWORD:
        rule["properties"]["dsaKeyword"] = DSA_KEYWORD[label]
    return rule


def _location(ref: str) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": uri_of(ref)}}}


def uri_of(ref: str) -> str:
    """`ref` as a URI reference, percent-encoded: relative, or `file://` for an absolute path.

    Bytes of a file name that are no UTF-8 are encoded as they are on the disk.
    """
    try:
        raw = ref.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = ref.encode("utf-8", "surrogatepass")
    path = quote(raw, safe="/")
    return f"file://{path}" if path.startswith("/") else path
