"""Two items compared: for a terminal, and as a page."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from markupsafe import Markup

from egide.compare import Comparison, Distance
from egide.finding import Fault, Skip
from egide.fingerprint import DEFAULT_THRESHOLD, LEAST_SIMILARITY
from egide.report.clean import visible
from egide.report.page import asset, csp_hash, drawing, write_page
from egide.report.sarif import installed_version
from egide.report.words import (
    SURE,
    clock,
    how_edited,
    how_matched,
    what_was_edited,
    when_matched,
)

WAYS: Final = {
    "upright": "PDQ, both as they are",
    "turned": "PDQ, the nearest of eight orientations",
    "border": "PDQ, plain borders cut off",
}
FIRST_SECOND: Final = ("the first", "the second")
"""What the two items are called."""

NO_DISTANCE: Final = "no distance, since one of them shows nothing that it could compare"
_BY: Final = {"pdq": "PDQ", "local": "local features", "sscd": "your model"}
_WHOLE: Final = 0.9
"""Share of a video from which on it is spoken of as a copy of the other."""


def headline(found: Comparison) -> str:
    """What the comparison came to, in one sentence."""
    if found.same_file:
        return "The same file"
    if not found.findings:
        return (
            "Not compared in full; nothing found" if _faults(found) else "Nothing found in common"
        )
    best = max(found.findings, key=lambda finding: finding.score)
    part = best.evidence["method"] == "local" or best.evidence.get("share", 1) < _WHOLE
    if best.score < SURE:
        return "Perhaps they share a part" if part else "Perhaps a copy"
    return "One shows the other, or a part of it" if part else "A copy"


def print_comparison(found: Comparison, out: TextIO | None = None) -> None:
    """Writes `found` for a person at a terminal."""
    out = sys.stdout if out is None else out
    lines = [_said(distance) for distance in _worth_telling(found.distances)]
    if lines:
        lines.append(f"Up to {DEFAULT_THRESHOLD} bits is held to be the same picture.")
    else:
        lines.append(f"PDQ: {NO_DISTANCE}")
    if (alike := _alike(found)) is not None:
        lines.append(f"By your model: {alike}")
    for finding in found.findings:
        told = " ".join(_told(finding.evidence))
        lines.append(f"Local features: {told}" if _by_parts(finding.evidence) else told)
    lines += _troubles(found)
    width = min(max(shutil.get_terminal_size().columns, 60), 160)
    print(f"{headline(found)} (score {found.score:.2f}).\n", file=out)
    for line in lines:
        told = textwrap.fill(
            visible(line).replace(" %", "\u00a0%"),  # a number stays with its unit
            width,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
        )
        print(told, file=out)


def write_comparison(found: Comparison, out: TextIO) -> None:
    """Writes `found` as a self-contained page with the matching parts drawn as outlines."""
    style = asset("report.css")
    values: dict[str, Any] = {
        "style": Markup(style),  # noqa: S704  our own file, no text from outside
        "style_hash": csp_hash(style),
        "version": installed_version(),
        "made": datetime.now(UTC).strftime("%-d %B %Y, %H:%M UTC"),
        "headline": headline(found),
        "score": f"{found.score:.2f}",
        "items": [
            {"ref": visible(item.ref), "kind": str(item.kind), "sha256": item.sha256}
            for item in (found.one, found.other)
        ],
        "distances": [(WAYS[d.way], d.bits, _where(d)) for d in _worth_telling(found.distances)],
        "no_distance": visible(NO_DISTANCE),
        "near": DEFAULT_THRESHOLD,
        "alike": _alike(found),
        "findings": [
            {
                "text": visible(" ".join(_told(finding.evidence))),
                "score": f"{finding.score:.2f}",
                "by": _BY[finding.evidence["method"]],
                "drawing": drawing(finding.evidence, *FIRST_SECOND),
            }
            for finding in found.findings
        ],
        "troubles": [visible(message) for message in _troubles(found)],
    }
    write_page("compared.html.j2", values, out)


def _worth_telling(distances: Sequence[Distance]) -> list[Distance]:
    """The distances, less those that another way of looking does not make smaller."""
    told: list[Distance] = []
    for distance in distances:
        if not told or distance.bits < told[-1].bits:
            told.append(distance)
    return told


def _said(distance: Distance) -> str:
    where = _where(distance)
    return f"{WAYS[distance.way]}: {distance.bits} of 256 bits" + (f" ({where})" if where else "")


def _where(distance: Distance) -> str:
    parts = how_edited(distance.edit)
    if distance.at is not None:
        parts.append(f"at {clock(distance.at)} of {FIRST_SECOND[0]}")
    if distance.other_at is not None:
        parts.append(f"at {clock(distance.other_at)} of {FIRST_SECOND[1]}")
    return ", ".join(parts)


def _alike(found: Comparison) -> str | None:
    """How alike the user's model finds the two, where no finding tells it."""
    if found.similarity is None or any(f.evidence["method"] == "sscd" for f in found.findings):
        return None
    return (
        f"{found.similarity:.2f} alike, where 1 is the same and {LEAST_SIMILARITY} the least that "
        "is reported"
    )


def _by_parts(evidence: Mapping[str, Any]) -> bool:
    return bool(evidence["method"] == "local")


def _told(evidence: Mapping[str, Any]) -> list[str]:
    first, second = FIRST_SECOND
    return [
        how_matched(evidence, first, second),
        *what_was_edited(evidence, second),
        *when_matched(evidence, first, second),
    ]


def _faults(found: Comparison) -> list[Fault]:
    return [seen for seen in found.observations if isinstance(seen, Fault)]


def _troubles(found: Comparison) -> list[str]:
    """What was left out and what went wrong; all of it is of the first."""
    skips = [seen.reason for seen in found.observations if isinstance(seen, Skip)]
    faults = [fault.message for fault in _faults(found)]
    return [f"Of {FIRST_SECOND[0]}: {message}" for message in (*skips, *faults)]
