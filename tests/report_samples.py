"""Verdicts of every sort, for the tests of the reports."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, Final

from egide.finding import Fault, Finding, Skip
from egide.label import Label
from egide.report import Summary, make_reporter
from egide.sniff import Kind
from egide.verdict import Action, Verdict

DETECTOR: Final = "known-media.v1"
SHA256: Final = "ab" * 32

HOSTILE_REFS: Final = (
    "red\x1b[31m\x1b]0;title\x07.jpg",
    "over\u202egpj.exe",
    "two\nlines\r.jpg",
    "c1\x9b31m.jpg",
    "bytes\udcff\udc80.jpg",
    "</script><script>alert(1)</script>.jpg",
    "'\"><img src=x onerror=alert(1)>.jpg",
    "{{ 7 * 7 }}{% raw %}.jpg",
    "[bold red]markup[/] :smile:.jpg",
    "line\u2028para\u2029next\x85.jpg",
    "iso\u2066late\u2069\u200b\ufeff.jpg",
    "long/" + "x" * 5_000 + ".jpg",
    "marks" + "\u0301" * 5_000 + ".jpg",
    "",
)


def match(score: float = 1.0, **evidence: Any) -> Finding:
    """A match in a bank, its evidence overridden by what is given."""
    usual = {
        "bank": "demo",
        "entry": "3f2a91c0-12",
        "method": "pdq",
        "distance": 12,
        "edit": "none",
        "purpose": "block",
    }
    return Finding(DETECTOR, Label.NCII_KNOWN, score, usual | evidence)


def plain(ref: str = "plain.jpg") -> Verdict:
    """A verdict with nothing to say."""
    return Verdict(ref, Kind.IMAGE, SHA256, Action.ALLOW, "default", "default@1")


def blocked(ref: str = "copy.jpg", *findings: Finding, sha256: str | None = SHA256) -> Verdict:
    """A copy of a known picture."""
    found = findings or (match(edit="mirror"),)
    return Verdict(ref, Kind.IMAGE, sha256, Action.BLOCK, "known-ncii", "default@1", found)


def silenced(ref: str = "fake.jpg") -> Verdict:
    """A known false match."""
    by = {"bank": "false-matches", "entry": "77aa00bb-1", "distance": 3}
    finding = match(0.0, distance=27, silenced=True, silenced_by=by)
    return Verdict(
        ref, Kind.IMAGE, SHA256, Action.ALLOW, "known-false-match", "default@1", (finding,)
    )


def doubtful(ref: str = "perhaps.jpg") -> Verdict:
    """A match that somebody disputes."""
    finding = match(0.5, distance=47, edit="border+rotate90", disputed=True, entry_ref="Jane Roe")
    return Verdict(
        ref,
        Kind.IMAGE,
        SHA256,
        Action.REVIEW,
        "perhaps-known-ncii",
        "default@1",
        (finding,),
        shadow=("strict-block",),
    )


def broken(ref: str = "broken.jpg", message: str = "The item is truncated: jpeg") -> Verdict:
    """An item that could not be read in full."""
    fault = Fault(DETECTOR, "truncated", message)
    return Verdict(
        ref, Kind.IMAGE, SHA256, Action.REVIEW, "incomplete", "default@1", errors=(fault,)
    )


def skipped(ref: str = "clip.mp4", reason: str = "only identical files are found") -> Verdict:
    """An item of which something was left out."""
    skip = Skip(DETECTOR, reason)
    return Verdict(ref, Kind.VIDEO, SHA256, Action.ALLOW, "default", "default@1", skipped=(skip,))


def escalated(ref: str = "item-7") -> Verdict:
    """The bare record of the escalation lane."""
    finding = Finding("other.v1", Label.MINOR_ESCALATE, 1.0)
    return Verdict(
        ref, Kind.IMAGE, None, Action.ESCALATE, "minor-escalate", "default@1", (finding,)
    )


def one_of_each() -> list[Verdict]:
    """Every sort of verdict there is."""
    return [
        blocked(),
        plain(),
        blocked("same.png", match(method="sha256", distance=0)),
        silenced(),
        doubtful(),
        broken(),
        skipped(),
        escalated(),
    ]


def summary_of(verdicts: Iterable[Verdict], **fields: Any) -> Summary:
    """The summary of a scan that gave `verdicts`."""
    usual: dict[str, Any] = {"policy": "default@1", "banks": ("demo",), "seconds": 2.0}
    summary = Summary(**usual | fields)
    for verdict in verdicts:
        summary.add(verdict)
    return summary


def report(
    format: str,  # noqa: A002
    verdicts: Iterable[Verdict],
    *,
    reveal: bool = False,
    verbose: bool = False,
    **fields: Any,
) -> str:
    """What the reporter of `format` writes of `verdicts`."""
    verdicts = list(verdicts)
    out = io.StringIO()
    reporter = make_reporter(format, out, reveal=reveal, verbose=verbose)
    for verdict in verdicts:
        reporter.verdict(verdict)
    reporter.finish(summary_of(verdicts, **fields))
    return out.getvalue()
