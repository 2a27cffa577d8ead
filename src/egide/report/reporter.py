"""What every report is: a sink that takes verdicts one by one, and a summary at the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Protocol, TextIO

from egide.errors import UsageError
from egide.label import Label
from egide.verdict import Action, Verdict

FORMATS: Final = ("table", "jsonl", "html", "sarif")
"""The words that `make_reporter` and `--format` take."""


@dataclass
class Summary:
    """What a scan came to. Every count is of items; an item may have several findings.

    Args:
        policy: the policy's name and version, `default@1`.
        banks: names of the banks that were asked.
        seconds: how long the scan took.
        interrupted: whether it was stopped before its end.
        suppressed: findings left out because the baseline knows them.
        items: items scanned.
        actions: items by action, every action present.
        labels: items by label; findings that were silenced (score 0) do not count.
        skipped: items of which something was left out on purpose.
        errors: items that could not be read in full.
    """

    policy: str = ""
    banks: tuple[str, ...] = ()
    seconds: float = 0.0
    interrupted: bool = False
    suppressed: int = 0
    items: int = 0
    actions: Counter[Action] = field(default_factory=lambda: Counter(dict.fromkeys(Action, 0)))
    labels: Counter[Label] = field(default_factory=Counter)
    skipped: int = 0
    errors: int = 0

    def add(self, verdict: Verdict) -> None:
        """Counts `verdict`."""
        self.items += 1
        self.actions[verdict.action] += 1
        self.labels.update({finding.label for finding in verdict.findings if finding.score > 0})
        self.skipped += bool(verdict.skipped)
        self.errors += bool(verdict.errors)

    @property
    def rate(self) -> float:
        """Items a second; 0 when no time passed."""
        return self.items / self.seconds if self.seconds > 0 else 0.0


class Reporter(Protocol):
    """Takes the verdicts of one scan in order, and writes them as they come or at the end."""

    def verdict(self, verdict: Verdict) -> None:
        """Takes one verdict; called for every item."""

    def finish(self, summary: Summary) -> None:
        """Ends the report; called once, after an interruption too. Leaves the stream open."""


def make_reporter(
    format: str,  # noqa: A002
    out: TextIO,
    *,
    reveal: bool = False,
    verbose: bool = False,
) -> Reporter:
    """The reporter that writes `format` (one of `FORMATS`) to `out`; UsageError for another word.

    `reveal` shows names, handles and addresses that are masked otherwise. `verbose` makes the table
    list items with nothing to say, too; the other formats have no use for it.
    """
    # Imported only when asked for: JSON Lines must not cost the start-up of rich or Jinja.
    match format:
        case "jsonl":
            from egide.report.jsonl import JsonLines  # noqa: PLC0415

            return JsonLines(out, reveal=reveal)
        case "table":
            from egide.report.table import Table  # noqa: PLC0415

            return Table(out, reveal=reveal, verbose=verbose)
        case "html":
            from egide.report.html import HtmlPage  # noqa: PLC0415

            return HtmlPage(out, reveal=reveal)
        case "sarif":
            from egide.report.sarif import SarifLog  # noqa: PLC0415

            return SarifLog(out, reveal=reveal)
        case _:
            raise UsageError(f"no report format {format!r}; give one of {', '.join(FORMATS)}")
