"""What a method found among edited copies, counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.edits import HARD, MEANING, USUAL
from benchmarks.results import Table, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.copies import Copies

TIERS: Final = {"usual": tuple(USUAL), "hard": tuple(HARD)}


@dataclass(frozen=True)
class Answers:
    """What one method said of every query.

    Attributes:
        method: its name.
        threshold: what counts as a match, in words.
        found: (queries,) whether the picture that was edited is among the answers.
        false: (query, banked) of the answers that show another scene, by number.
        describe: seconds of processor time to fingerprint a file, decoding included.
    """

    method: str
    threshold: str
    found: NDArray[np.bool_]
    false: list[tuple[int, int]]
    describe: float

    def recall(self, copies: Copies, edits: Iterable[str]) -> list[float]:
        """The share 0..1 of the copies found, for each of `edits`."""
        names = np.array([edit for _, edit in copies.queries])
        return [float(self.found[names == edit].mean()) for edit in edits]


def matched(
    method: str, threshold: str, near: NDArray[np.bool_], copies: Copies, describe: float
) -> Answers:
    """The answers of a method that took the (query, banked) pairs where `near` is true."""
    pairs = [(int(query), int(banked)) for query, banked in np.argwhere(near)]
    return of_pairs(method, threshold, pairs, copies, describe)


def of_pairs(
    method: str, threshold: str, pairs: Sequence[tuple[int, int]], copies: Copies, describe: float
) -> Answers:
    """The answers of a method that took these (query, banked) pairs for copies."""
    found = np.zeros(len(copies.queries), bool)
    false = []
    for query, banked in pairs:
        asked, known = copies.queries[query][0], copies.banked[banked]
        found[query] |= asked.id == known.id
        if asked.scene != known.scene:
            false.append((query, banked))
    return Answers(method, threshold, found, false, describe)


def other_scene(copies: Copies) -> NDArray[np.bool_]:
    """(queries, banked): whether the two show different scenes, so that a match is a false one."""
    scenes: dict[str, int] = {}
    asked = [scenes.setdefault(picture.scene, len(scenes)) for picture, _ in copies.queries]
    known = [scenes.setdefault(picture.scene, len(scenes)) for picture in copies.banked]
    return np.asarray(np.array(asked)[:, None] != np.array(known), bool)


def scene_pairs(copies: Copies) -> int:
    """How many pairs of different scenes, one queried and one banked, there are."""
    asked = {picture.scene for picture, _ in copies.queries}
    known = {picture.scene for picture in copies.banked}
    return len(asked) * len(known) - len(asked & known)


def upper_bound(events: int, trials: int) -> float:
    """The rate that `events` in `trials` leave possible: one-sided 95 % bound, Poisson."""
    low, high = 0.0, 10.0 + 4.0 * events
    while high - low > 1e-9 * high:
        mean = (low + high) / 2
        log_terms = (k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(events + 1))
        if sum(math.exp(term) for term in log_terms) > 0.05:
            low = mean
        else:
            high = mean
    return high / trials


def table(copies: Copies, every: Sequence[Answers]) -> Table:
    """Recall for each edit and method, with the means and the lowest of either tier."""
    rows: list[tuple[str, ...]] = [("a match is", *(answers.threshold for answers in every))]
    for tier, edits in TIERS.items():
        shares = [answers.recall(copies, edits) for answers in every]
        for number, edit in enumerate(edits):
            rows.append((MEANING[edit], *(_percent(one[number]) for one in shares)))
        rows.append((f"**{tier}: mean**", *(_percent(float(np.mean(one))) for one in shares)))
        rows.append((f"**{tier}: lowest**", *(_percent(min(one)) for one in shares)))
    pairs = int(other_scene(copies).sum())
    rows += [
        ("false matches", *(str(len(one.false)) for one in every)),
        ("scene pairs falsely matched", *(str(len(_scenes(one, copies))) for one in every)),
        ("false matches a pair, 95 % bound",
         *(f"{upper_bound(len(one.false), pairs):.2g}" for one in every)),
        ("fingerprint of a file", *(milliseconds(one.describe) for one in every)),
    ]  # fmt: skip
    return Table(
        "Share of the copies in which the picture that was edited is found, in %:",
        ("edit", *(answers.method for answers in every)),
        rows,
    )


def _scenes(answers: Answers, copies: Copies) -> set[tuple[str, str]]:
    return {
        (copies.queries[query][0].scene, copies.banked[banked].scene)
        for query, banked in answers.false
    }


def _percent(share: float) -> str:
    return f"{share * 100:.1f}"
