"""The tables of a transparency report: what Regulation (EU) 2024/2835 has platforms count, as CSV.

The counts are exact, for those who report; `transparency_public` leaves out what could point to
somebody.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from egide.desk.laws import JURISDICTIONS
from egide.desk.transparency import (
    PERSON,
    UPLOADER,
    Counts,
    Judged,
    Story,
    counts_of,
    median_of,
    read_judged,
    read_stories,
)
from egide.errors import UsageError
from egide.hub.audit.cells import safe_cell

if TYPE_CHECKING:
    from egide.db import Database

CATEGORY: Final = "STATEMENT_CATEGORY_CYBER_VIOLENCE"
KEYWORD: Final = "KEYWORD_NON_CONSENSUAL_IMAGE_SHARING"
"""Of the DSA's lists: what all content at this desk is reported under."""
NOTIFIERS: Final = (PERSON, "agent", "flagger")
ORDERED: Final = "authority"
SCREENED: Final = "screening"

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `name` is its file's."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def csv(self) -> str:
        """The table with a heading; cells that a spreadsheet would compute are disarmed."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow(["" if cell is None else safe_cell(cell) for cell in row])
        return text.getvalue()


def tables_of(
    stories: Sequence[Story], judged: Sequence[Judged], begin: int, end: int
) -> tuple[Table, ...]:
    """The tables of the period from `begin` to just before `end`, in ms since 1970, UTC."""
    return (
        _summary(counts_of(stories, begin, end)),
        _notices(stories, begin, end),
        _orders(stories, begin, end),
        _own_initiative(stories, begin, end),
        _complaints(counts_of(stories, begin, end)),
        _automation(stories, judged, begin, end),
    )


def write_report(database: Database, begin: int, end: int, out: Path) -> list[Path]:
    """Writes one file a table into the folder `out`, for its owner alone; UsageError."""
    stories, judged = read_stories(database, begin, end), read_judged(database, begin, end)
    written = []
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        for table in tables_of(stories, judged, begin, end):
            path = out / f"{table.name}.csv"
            _write(path, table.csv())
            written.append(path)
    except OSError as error:
        raise UsageError(
            f"cannot write into {out}: {error.strerror}; give another --out"
        ) from error
    return written


def _summary(counts: Counts) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = (
        ("received", counts.received),
        ("decided", counts.decided),
        ("removed", counts.removed),
        ("removed_under_terms_alone", counts.removed_by_terms),
        ("not_removed", counts.refused),
        ("withdrawn", counts.withdrawn),
        ("decided_within_the_clock", counts.on_time),
        ("copies_removed", counts.gone),
        ("copies_put_back_after_a_complaint", counts.restored),
        ("wrong_removals", counts.wrong_removals),
        ("wrong_refusals", counts.reversed.get(PERSON, 0)),
        ("median_hours_to_decision", counts.median_hours),
    )
    return Table("summary", ("what", "number"), rows)


_NOTICE_COLUMNS: Final = (
    "jurisdiction",
    "notifier",
    "category",
    "keyword",
    "notices",
    "removed_under_law",
    "removed_under_terms",
    "not_removed",
    "decided_by_a_program_alone",
    "median_hours_to_decision",
)


def _notices(stories: Sequence[Story], begin: int, end: int) -> Table:
    """Article 15(1)(b): no notice here is decided by a program alone."""
    rows = []
    for jurisdiction, notifier, counts in _by(stories, NOTIFIERS, begin, end):
        law = counts.removed - counts.removed_by_terms
        rows.append((
            jurisdiction, notifier, CATEGORY, KEYWORD, counts.received, law,
            counts.removed_by_terms, counts.refused, 0, counts.median_hours,
        ))  # fmt: skip
    return Table("notices", _NOTICE_COLUMNS, tuple(rows))


def _orders(stories: Sequence[Story], begin: int, end: int) -> Table:
    """Article 15(1)(a)."""
    rows = tuple(
        (jurisdiction, CATEGORY, each.received, each.removed, each.refused, each.withdrawn,
         each.median_hours)
        for jurisdiction, _, each in _by(stories, (ORDERED,), begin, end)
    )  # fmt: skip
    columns = (
        "jurisdiction", "category", "orders", "removed", "not_removed", "lifted",
        "median_hours_to_effect",
    )  # fmt: skip
    return Table("orders", columns, rows)


def _own_initiative(stories: Sequence[Story], begin: int, end: int) -> Table:
    """Article 15(1)(c): what screening found and a person looked at."""
    rows = tuple(
        (CATEGORY, KEYWORD, "removal", each.received, each.removed, each.refused,
         each.median_hours)
        for _, _, each in _by(stories, (SCREENED,), begin, end, together=True)
    )  # fmt: skip
    columns = (
        "category", "keyword", "restriction", "found_by_a_program", "removed", "not_removed",
        "median_hours_to_decision",
    )  # fmt: skip
    return Table("own_initiative", columns, rows)


def _complaints(counts: Counts) -> Table:
    """Article 15(1)(d)."""
    rows = tuple(
        (
            side,
            counts.complaints.get(side, 0),
            decided := counts.complaints_decided.get(side, 0),
            decided - (reverse := counts.reversed.get(side, 0)),
            reverse,
            median_of(counts.complaint_hours.get(side, ())),
        )
        for side in (PERSON, UPLOADER)
    )
    columns = ("by", "complaints", "decided", "upheld", "reversed", "median_hours_to_decision")
    return Table("complaints", columns, rows)


def _automation(stories: Sequence[Story], judged: Sequence[Judged], begin: int, end: int) -> Table:
    """Article 15(1)(e): what programs found, and how much of that people found to be wrong."""
    counts = counts_of(stories, begin, end)
    total, wrong = counts.matched, counts.mismatched
    rate = round(wrong / total, 4) if total else None
    rows: list[tuple[Cell, ...]] = [("search for copies", "", total, total - wrong, wrong, rate)]
    for each in judged:
        share = None if each.error_rate is None else round(each.error_rate, 4)
        total = each.confirmed + each.denied
        rows.append((each.detector, each.label, total, each.confirmed, each.denied, share))
    columns = ("program", "label", "looked_at_by_people", "right", "wrong", "error_rate")
    return Table("automation", columns, tuple(rows))


def _by(
    stories: Sequence[Story],
    sources: Sequence[str],
    begin: int,
    end: int,
    *,
    together: bool = False,
) -> Iterator[tuple[str, str, Counts]]:
    """Counts by jurisdiction and source; a line of nothing is left out unless all is one line."""
    for jurisdiction in ("all",) if together else JURISDICTIONS:
        for source in sources:

            def fits(story: Story, place: str = jurisdiction, of: str = source) -> bool:
                return story.source == of and (together or story.jurisdiction == place)

            counts = counts_of(stories, begin, end, fits)
            if together or counts.received or counts.decided or counts.withdrawn:
                yield jurisdiction, source, counts


def _write(path: Path, text: str) -> None:
    """Writes a file that takes its place when it is complete."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123  no path
            file.write(text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
