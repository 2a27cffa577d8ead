"""How right an audit is: a sheet to label by hand, and what the labels say.

Listings are drawn by stratum (named, unnamed, none), so that few labels tell precision and recall
of rare labels. Estimates weigh each row by how many listings it stands for (Horvitz and Thompson
1952); intervals are Wilson's (1927), 95 %, at Kish's effective sample size (1965).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from math import sqrt
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from egide.errors import UsageError
from egide.hub.audit.cells import safe_cell
from egide.hub.audit.tally import STRATA, Tally

MOST_SHEET: Final = 64 << 20
_Z: Final = 1.959964
_FOUND: Final = ("listing", "hub", "stratum", "of", "named", "unnamed", "sexual")
_EXCERPT: Final = ("title", "tags", "triggers", "description")
_TO_FILL: Final = ("is_named", "is_unnamed", "is_sexual")
_YES: Final = frozenset({"yes", "y", "1", "true", "x", "oui"})
_NO: Final = frozenset({"no", "n", "0", "false", "non"})

Row = Mapping[str, str]


class Rate(NamedTuple):
    """A share with its 95 % interval, all 0..1, and of how many labelled rows; None of none."""

    value: float | None
    low: float
    high: float
    rows: int


class Score(NamedTuple):
    """How right the audit is on one label."""

    label: str
    precision: Rate
    recall: Rate


def write_sheet(out: TextIO, tally: Tally) -> int:
    """Writes the sheet of the listings drawn, and gives how many there are.

    `is_named`, `is_unnamed` and `is_sexual` are to be filled with yes or no; a row left empty does
    not count.
    """
    writer = csv.writer(out)
    drawn = sorted(
        (-rank, stratum, row) for stratum in STRATA for rank, _, row in tally.sampled[stratum]
    )
    excerpts = any(row.excerpt for _, _, row in drawn)
    writer.writerow([*_FOUND, *(_EXCERPT if excerpts else ()), *_TO_FILL])
    for _, stratum, row in drawn:
        found = ["yes" if label else "no" for label in row.has_labels]
        told = [row.ref, row.source, stratum, str(tally.strata[stratum]), *found]
        writer.writerow([safe_cell(cell) for cell in (*told, *row.excerpt, "", "", "")])
    return len(drawn)


def score_sheet(path: Path) -> list[Score]:
    """What the labels in the sheet at `path` say of the audit; UsageError, with the line."""
    rows = list(_labelled(path))
    if not rows:
        raise UsageError(
            f"{path}: no row is labelled; fill in {', '.join(_TO_FILL)} with yes or no"
        )
    labelled = Counter(row["stratum"] for row in rows)
    weights = [int(row["of"]) / labelled[row["stratum"]] for row in rows]
    return [
        Score(
            label,
            _rate(rows, weights, among=found, which=truly),
            _rate(rows, weights, among=truly, which=found),
        )
        for label, found, truly in _LABELS
    ]


def _rate(rows: list[Row], weights: list[float], among: _Test, which: _Test) -> Rate:
    """Which share of the rows that are `among` are `which`, weighted."""
    chosen = [(weight, which(row)) for row, weight in zip(rows, weights, strict=True) if among(row)]
    total = sum(weight for weight, _ in chosen)
    if not total:
        return Rate(None, 0.0, 1.0, 0)
    share = sum(weight for weight, holds in chosen if holds) / total
    effective = total**2 / sum(weight**2 for weight, _ in chosen)
    return Rate(share, *wilson(share, effective), len(chosen))


def wilson(share: float, count: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a `share` seen in `count` cases."""
    spread = _Z**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def _labelled(path: Path) -> Iterator[Row]:
    """The rows of the sheet that are labelled."""
    try:
        if path.stat().st_size > MOST_SHEET:
            raise UsageError(f"{path} is too large for a sheet that somebody labelled by hand")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, dialect=_dialect(file))
            missing = {*_FOUND, *_TO_FILL} - set(reader.fieldnames or ())
            if missing:
                raise UsageError(f"{path} has no column {sorted(missing)[0]!r}; keep them all")
            for row in reader:
                filled = [row[name] for name in _TO_FILL if row[name] and row[name].strip()]
                if filled:
                    _check(row, f"{path}, line {reader.line_num}")
                    yield row
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no CSV in UTF-8 ({error}); export it again") from error


def _dialect(file: TextIO) -> type[csv.Dialect]:
    """Comma or semicolon: spreadsheets write what their language is used to."""
    header = file.readline()
    file.seek(0)

    class Dialect(csv.excel):
        delimiter = max(",;\t", key=header.count)

    return Dialect


def _check(row: Row, where: str) -> None:
    for name in _TO_FILL:
        word = (row[name] or "").strip().lower()
        if word not in _YES | _NO:
            raise UsageError(f"{where}: {name} is {row[name]!r}; write yes or no")
    if row["stratum"] not in STRATA or not row["of"].isascii() or not row["of"].isdigit():
        raise UsageError(f"{where}: the columns that the audit wrote were changed; restore them")


def _holds(name: str) -> _Test:
    return lambda row: row[name].strip().lower() in _YES


_Test = Callable[[Row], bool]
_NAMED, _UNNAMED, _SEXUAL = _holds("named"), _holds("unnamed"), _holds("sexual")
_IS_NAMED, _IS_UNNAMED, _IS_SEXUAL = map(_holds, _TO_FILL)


def _found_person(row: Row) -> bool:
    return _NAMED(row) or _UNNAMED(row)


def _is_person(row: Row) -> bool:
    return _IS_NAMED(row) or _IS_UNNAMED(row)


_LABELS: Final[tuple[tuple[str, _Test, _Test], ...]] = (
    ("likeness", _found_person, _is_person),
    ("likeness.named", _NAMED, _IS_NAMED),
    ("likeness.unnamed", _UNNAMED, _IS_UNNAMED),
    ("likeness.sexual", _SEXUAL, lambda row: _is_person(row) and _IS_SEXUAL(row)),
)
