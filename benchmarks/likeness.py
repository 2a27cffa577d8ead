"""How well likenesses are told from everything else: labelled listings of invented people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any, Final

from benchmarks.results import Part, Settings, Table
from egide.hub.gazetteer import Gazetteer
from egide.hub.gazetteer_sample import sample_gazetteer
from egide.hub.likeness import SURE, Likeness, likeness
from egide.hub.listing import listing_facts
from egide.item import Item
from egide.label import Label

LISTINGS: Final = Path(__file__).with_name("listings")
LABELS: Final = (Label.LIKENESS_NAMED, Label.LIKENESS_UNNAMED, Label.LIKENESS_SEXUAL)
Z: Final = 1.96


@dataclass
class Tally:
    """Right and wrong answers for one label."""

    hits: int = 0
    misses: int = 0
    false: int = 0

    @property
    def recall(self) -> str:
        """Share of the likenesses that are found, with its interval."""
        return interval(self.hits, self.hits + self.misses)

    @property
    def precision(self) -> str:
        """Share of the findings that are right, with its interval."""
        return interval(self.hits, self.hits + self.false)


def run(_settings: Settings) -> Part:
    """Judges the development set and the test set."""
    rows: list[tuple[str, ...]] = []
    for name in ("dev", "test"):
        tallies, others, harmless = measured(name)
        for label, tally in tallies.items():
            count = tally.hits + tally.misses
            rows.append((name, str(label), str(count), tally.precision, tally.recall))
        rows.append((name, "nothing", str(others), "", interval(harmless, others)))
    return Part(
        "Likeness",
        "Listings of invented people and things, labelled by hand, judged with the gazetteer of "
        "invented people that ships: the development set, which the weights were set by, and the "
        "test set, labelled before that and looked at once (a name with a quotation mark inside "
        "was missed; signs no longer divide names). Both were written by the authors "
        "of the detector: on a real hub's listings the figures will be lower; `egide audit` draws "
        "a sample to measure them there. Intervals are Wilson's at 95 %.",
        [],
        [
            Table(
                "Recall for “nothing” is the share of harmless listings that stay without a label:",
                ("set", "label", "listings", "precision", "recall"),
                rows,
            )
        ],
    )


def measured(name: str, gazetteer: Gazetteer | None = None) -> tuple[dict[Label, Tally], int, int]:
    """Tallies by label for the set `name`; how many listings have no label, and how many of them
    were given none."""
    tallies = {label: Tally() for label in LABELS}
    others = harmless = 0
    for wanted, found, _ in judged(name, gazetteer):
        for label, tally in tallies.items():
            tally.hits += label in wanted and label in found
            tally.misses += label in wanted and label not in found
            tally.false += label in found and label not in wanted
        others += not wanted
        harmless += not wanted and not found
    return tallies, others, harmless


def judged(
    name: str, gazetteer: Gazetteer | None = None
) -> Iterator[tuple[frozenset[str], frozenset[str], dict[str, Any]]]:
    """Of each listing of the set `name`: the labels wanted, those given, and its line."""
    known = gazetteer or sample_gazetteer()
    for line in (LISTINGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        item = Item.from_bytes(json.dumps(row["listing"]).encode(), "listing")
        yield frozenset(row["labels"]), given(likeness(listing_facts(item), known)), row


def given(found: Likeness) -> frozenset[str]:
    """The labels that the detector gives for `found`."""
    labels: set[str] = set()
    if found.named >= SURE:
        labels.add(Label.LIKENESS_NAMED)
    elif found.unnamed >= SURE:
        labels.add(Label.LIKENESS_UNNAMED)
    if labels and found.sexual >= SURE:
        labels.add(Label.LIKENESS_SEXUAL)
    return frozenset(labels)


def interval(part: int, whole: int) -> str:
    """`part` of `whole` in percent with Wilson's 95 % interval."""
    if not whole:
        return "–"
    share = part / whole
    middle = (share + Z * Z / (2 * whole)) / (1 + Z * Z / whole)
    spread = Z * sqrt(share * (1 - share) / whole + Z * Z / (4 * whole * whole))
    spread /= 1 + Z * Z / whole
    low, high = max(0.0, middle - spread), min(1.0, middle + spread)
    return f"{100 * share:.1f} % ({100 * low:.1f}–{100 * high:.1f})"
