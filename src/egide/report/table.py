"""A table for a person at a terminal: one line for each item that has something to say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, TextIO

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.console import Console
from rich.text import Text

from egide.report.clean import visible, writes_utf8
from egide.report.reporter import Summary
from egide.report.words import brief_all, count, cure_of, duration
from egide.verdict import INCOMPLETE_RULE, Action, Verdict

LEAST_WIDTH: Final = 60
MOST_WIDTH: Final = 160
MOST_ALIKE: Final = 3
"""Items listed for which the same thing was skipped, and nothing else; the rest are counted."""

_ACTION_WIDTH: Final = 8
_GAP: Final = "  "
_LONGEST: Final = 2_000
_STYLES: Final[dict[str, str]] = {
    Action.ESCALATE: "bold magenta",
    Action.BLOCK: "bold red",
    Action.REVIEW: "yellow",
    Action.ALLOW: "green",
    "skipped": "dim",
}


class Table:
    """Writes each line as it comes, in columns whose width is settled from the start.

    Colours go to a terminal only; NO_COLOR takes them away, FORCE_COLOR brings them to a pipe.
    `verbose` lists every item.
    """

    def __init__(self, out: TextIO, *, reveal: bool = False, verbose: bool = False) -> None:
        self._out = out
        self._reveal = reveal
        self._verbose = verbose
        self._console = Console(file=out, highlight=False, markup=False, emoji=False)
        width = min(max(self._console.width, LEAST_WIDTH), MOST_WIDTH)
        left = width - _ACTION_WIDTH - 2 * len(_GAP)
        self._ref_width = left * 3 // 8
        self._said_width = left - self._ref_width
        self._alike: Counter[tuple[str, ...]] = Counter()
        self._unlisted = 0

    def verdict(self, verdict: Verdict) -> None:
        """Writes the item's line when there is anything to say of it."""
        if verdict.findings:
            self._line(verdict.action, verdict.ref, brief_all(verdict, reveal=self._reveal))
        elif verdict.errors:
            titles = dict.fromkeys(cure_of(fault.error).title for fault in verdict.errors)
            self._line(verdict.action, verdict.ref, f"not fully checked: {', '.join(titles)}")
        elif verdict.action is not Action.ALLOW:
            self._line(verdict.action, verdict.ref, f"rule {verdict.rule}")
        elif verdict.skipped:
            self._skipped(verdict)
            return
        elif self._verbose:
            self._line(verdict.action, verdict.ref, "")
        for fault in verdict.errors:
            self._note(fault.message)
        if verdict.rule != INCOMPLETE_RULE or self._verbose:
            for skip in verdict.skipped:
                self._note(f"skipped: {skip.reason}")

    def finish(self, summary: Summary) -> None:
        """Writes the summary."""
        if self._unlisted:
            more = count(self._unlisted, "more item")
            self._print(Text(f"{more} skipped for the same reasons"), "dim")
        if summary.interrupted:
            self._print(Text("interrupted: this is what was found so far"), "yellow")
        self._print(Text(summary_line(summary)), "bold")
        self._out.flush()

    def _skipped(self, verdict: Verdict) -> None:
        reasons = tuple(skip.reason for skip in verdict.skipped)
        if not self._verbose:
            # Reasons that carry figures are all different: past a few of them, one is as another.
            key = reasons if reasons in self._alike or len(self._alike) < 100 else ("",)
            self._alike[key] += 1
            if self._alike[key] > MOST_ALIKE:
                self._unlisted += 1
                return
        first, *more = reasons
        self._line("skipped", verdict.ref, first)
        for reason in more:
            self._note(reason)

    def _line(self, word: str, ref: str, said: str) -> None:
        """Action, reference and what was found, in columns; the last one wraps."""
        lines = list(self._wrapped(said)) or [""]
        ref = set_cell_size(shorten(visible(ref), self._ref_width), self._ref_width)
        line = Text(word.ljust(_ACTION_WIDTH) + _GAP + ref + _GAP + lines[0])
        line.stylize(_STYLES[word], 0, len(word))
        self._print(line)
        indent = " " * (_ACTION_WIDTH + self._ref_width + 2 * len(_GAP))
        for rest in lines[1:]:
            self._print(Text(indent + rest))

    def _note(self, text: str) -> None:
        """A dimmed line of its own under an item's."""
        indent = " " * _ACTION_WIDTH + _GAP
        width = self._ref_width + len(_GAP) + self._said_width
        for line in self._wrapped(text, width):
            self._print(Text(indent + line), "dim")

    def _wrapped(self, text: str, width: int | None = None) -> Iterator[str]:
        """`text`, cleaned, in lines of at most `width` cells."""
        width = width or self._said_width
        line = ""
        for word in visible(shorten(" ".join(text.split()), _LONGEST)).split(" "):
            for piece in chop_cells(word, width) or [""]:
                joined = f"{line} {piece}" if line else piece
                if cell_len(joined) <= width:
                    line = joined
                else:
                    yield line
                    line = piece
        if line:
            yield line

    def _print(self, text: Text, style: str = "") -> None:
        text.rstrip()
        text.stylize(style)
        if not writes_utf8(self._out):
            encoding = self._out.encoding
            text.plain = text.plain.encode(encoding, "replace").decode(encoding)
        self._console.print(text, soft_wrap=True)


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` terminal cells; what is too long loses its middle, not its end."""
    if cell_len(text) <= width and len(text) <= 4 * width:
        return text
    text = text if len(text) <= 4 * width else text[: 2 * width] + text[-2 * width :]
    tail = (width - 1) * 2 // 3
    head = width - 1 - tail
    pieces = chop_cells(text[::-1], tail)
    return set_cell_size(text, head).rstrip() + "…" + pieces[0][::-1]


def summary_line(summary: Summary) -> str:
    """`1,204 items in 12.3 s (98/s): 3 block, 1 review, 1,200 allow; 2 errors, 1 skipped`."""
    pace = f"{count(summary.items, 'item')} in {duration(summary.seconds)}"
    if summary.rate:
        pace += f" ({summary.rate:,.{0 if summary.rate >= 10 else 1}f}/s)"
    actions = [
        f"{summary.actions[action]:,} {action}"
        for action in reversed(Action)
        if summary.actions[action] or action is Action.ALLOW
    ]
    rest = [count(summary.errors, "error")] if summary.errors else []
    if summary.skipped:
        rest.append(f"{summary.skipped:,} skipped")
    if summary.suppressed:
        rest.append(f"{summary.suppressed:,} known from the baseline")
    return f"{pace}: {', '.join(actions)}" + (f"; {', '.join(rest)}" if rest else "")
