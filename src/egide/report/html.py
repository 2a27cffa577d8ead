"""One self-contained page: no picture, nothing from elsewhere, works without its script.

The page allows itself nothing but its own style sheet and script, each named by its hash in the
content security policy; text from outside is escaped by the template engine and cleaned before.
"""

from __future__ import annotations

import heapq
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TextIO

from markupsafe import Markup

from egide.finding import Finding
from egide.report.clean import visible
from egide.report.page import asset, csp_hash, drawing, write_page
from egide.report.reporter import Summary
from egide.report.sarif import installed_version
from egide.report.words import ACTIONS, LABELS, brief, count, cure_of, duration, explain, facts
from egide.verdict import Action, Verdict

MOST_ROWS: Final = 5_000
MOST_FINDINGS: Final = 10
"""Findings shown of one item."""

GAUGE_BITS: Final = 64
"""Distances under this one are drawn."""

_MOST_URGENT_FIRST: Final = tuple(reversed(Action))

_CARD_NOTES: Final = {
    Action.ESCALATE: "for trained staff only",
    Action.BLOCK: "keep off the platform",
    Action.REVIEW: "for a person to see",
    Action.ALLOW: "nothing against them",
}


class _Kept(NamedTuple):
    """A verdict with its place in line: the lowest of all is the first to be left out."""

    urgency: int
    order: int
    verdict: Verdict


class HtmlPage:
    """Keeps the verdicts that have something to say, and writes the page at the end.

    At most `most_rows` are kept, the most urgent ones; the page says how many it leaves out.
    """

    def __init__(self, out: TextIO, *, reveal: bool = False, most_rows: int = MOST_ROWS) -> None:
        self._out = out
        self._reveal = reveal
        self._most_rows = most_rows
        self._kept: list[_Kept] = []
        self._seen = 0
        self._left_out = 0
        self._troubles: Counter[str] = Counter()
        self._shadow: Counter[str] = Counter()

    def verdict(self, verdict: Verdict) -> None:
        """Keeps `verdict` unless there is nothing to say of it."""
        self._seen += 1
        self._troubles.update({fault.error for fault in verdict.errors})
        self._shadow.update(verdict.shadow)
        if verdict.plain:
            return
        kept = _Kept(_urgency(verdict), -self._seen, verdict)
        if len(self._kept) < self._most_rows:
            heapq.heappush(self._kept, kept)
        else:
            heapq.heappushpop(self._kept, kept)
            self._left_out += 1

    def finish(self, summary: Summary) -> None:
        """Writes the page."""
        write_page("report.html.j2", self._page(summary), self._out)

    def _page(self, summary: Summary) -> dict[str, Any]:
        style, script = asset("report.css"), asset("report.js")
        shown = [kept.verdict for kept in sorted(self._kept, reverse=True)]
        return {
            "style": Markup(style),  # noqa: S704  our own file, no text from outside
            "script": Markup(script),  # noqa: S704
            "style_hash": csp_hash(style),
            "script_hash": csp_hash(script),
            "summary": summary,
            "policy": visible(summary.policy),
            "card_actions": [
                action
                for action in _MOST_URGENT_FIRST
                if action is not Action.ESCALATE or summary.actions[action]
            ],
            "card_notes": _CARD_NOTES,
            "headline": headline(summary),
            "banks": [visible(bank) for bank in summary.banks],
            "version": installed_version(),
            "made": datetime.now(UTC).strftime("%-d %B %Y, %H:%M UTC"),
            "duration": duration(summary.seconds),
            "shares": _shares(summary),
            "labels": [(label, LABELS[label], n) for label, n in summary.labels.most_common()],
            "most_label": max(summary.labels.values(), default=1),
            "troubles": [
                (cure_of(code), visible(code), n) for code, n in self._troubles.most_common()
            ],
            "shadow": [(visible(rule), n) for rule, n in self._shadow.most_common()],
            "rows": (_row(verdict, reveal=self._reveal) for verdict in shown),
            "row_count": len(shown),
            "left_out": self._left_out,
            "row_actions": [a for a in _MOST_URGENT_FIRST if any(v.action is a for v in shown)],
            "row_labels": sorted({f.label for verdict in shown for f in verdict.findings}),
            "action_words": ACTIONS,
            "label_words": LABELS,
        }


def headline(summary: Summary) -> str:
    """What the scan came to, in one line."""
    if not summary.items:
        return "Nothing was scanned"
    asked = [
        (summary.actions[action], f"to {action}")
        for action in _MOST_URGENT_FIRST
        if summary.actions[action] and action is not Action.ALLOW
    ]
    if asked:
        (number, what), *more = asked
        return ", ".join([f"{count(number, 'item')} {what}", *(f"{n:,}\u00a0{w}" for n, w in more)])
    if summary.skipped:
        return f"Nothing found; {count(summary.skipped, 'item')} not checked in full"
    return f"Nothing found in {count(summary.items, 'item')}"


class Share(NamedTuple):
    """One part of the bar: `start` and `width` in percent of its length, `percent` in words."""

    action: Action
    number: int
    start: float
    width: float
    percent: str


def _shares(summary: Summary) -> list[Share]:
    """The bar of actions, allow first. What is there is at least a sliver wide."""
    present = [action for action in Action if summary.actions[action]]
    widths = [max(100 * summary.actions[action] / summary.items, 0.8) for action in present]
    scale = 100 / sum(widths) if widths else 1
    shares, start = [], 0.0
    for action, width in zip(present, widths, strict=True):
        number = summary.actions[action]
        percent = _percent(number, summary.items)
        shares.append(Share(action, number, round(start, 3), round(width * scale, 3), percent))
        start += width * scale
    return shares


def _percent(number: int, total: int) -> str:
    percent = 100 * number / total
    if number and percent < 0.1:
        return "under 0.1 %"
    if number < total and percent > 99.9:
        return "over 99.9 %"
    return f"{percent:.1f} %".replace(".0 ", " ")


def _urgency(verdict: Verdict) -> int:
    """Which verdicts are listed first, and left out last."""
    loud = any(finding.score > 0 for finding in verdict.findings)
    return 4 * verdict.action.severity + 2 * loud + bool(verdict.errors)


def _row(verdict: Verdict, *, reveal: bool) -> dict[str, Any]:
    """What the template needs to know of one verdict; every text clean."""
    shown = verdict.findings[:MOST_FINDINGS]
    *folders, name = visible(verdict.ref).split("/")
    return {
        "action": verdict.action,
        "labels": " ".join(sorted({str(finding.label) for finding in verdict.findings})),
        "folders": folders,
        "name": name,
        "kind": verdict.kind,
        "rule": visible(verdict.rule),
        "shadow": [visible(rule) for rule in verdict.shadow],
        "findings": [_finding(finding, reveal=reveal) for finding in shown],
        "more": len(verdict.findings) - len(shown),
        "errors": [
            (cure_of(fault.error), visible(fault.message), visible(fault.detector))
            for fault in verdict.errors
        ],
        "skipped": [(visible(skip.reason), visible(skip.detector)) for skip in verdict.skipped],
    }


def _finding(finding: Finding, *, reveal: bool) -> dict[str, Any]:
    evidence = finding.evidence
    distance = evidence.get("distance") if evidence.get("method", "pdq") == "pdq" else None
    drawn = isinstance(distance, int) and 0 <= distance < GAUGE_BITS
    return {
        "brief": visible(brief(finding, reveal=reveal)),
        "text": visible(explain(finding, reveal=reveal)),
        "label": finding.label,
        "score": f"{finding.score:.2f}",
        "silenced": finding.score == 0,
        "detector": visible(finding.detector),
        "distance": distance if drawn else None,
        "drawing": drawing(evidence),
        "facts": [
            (visible(name), visible(value))
            for name, value in facts(finding, reveal=reveal)
            if not (drawn and name == "distance")
        ],
    }
