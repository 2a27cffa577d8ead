"""Edited copies of pictures: what égide and its peers find and mistake, and what it costs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks import local_cost, methods, own, peers, recall, templates
from benchmarks.copies import copies
from benchmarks.corpus import Split
from benchmarks.edits import MEANING
from benchmarks.recall import TIERS, scene_pairs, upper_bound
from benchmarks.results import Goal, Part, Table
from egide.match import ALIGNED_SCORE

if TYPE_CHECKING:
    from benchmarks.copies import Copies
    from benchmarks.own import Own
    from benchmarks.recall import Answers
    from benchmarks.results import Settings

GOALS: Final = {"usual": (98.0, 92.0), "hard": (85.0, None)}
LOW_TEXTURE: Final = 100
"""Points under which a picture is reported apart; a record has 400 at the most."""
TAIL: Final = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.5, 4.5)
BANKS: Final = (1_000, 100_000, 1_000_000)


def run(settings: Settings) -> Part:
    """Every method on the same files, in one run."""
    asked = copies(settings, Split.TEST)
    mine = own.scan(settings, asked)
    finds, blocks = mine.answers(asked, sure=False), mine.answers(asked, sure=True)
    every = [
        methods.plain_pdq(asked),
        methods.dihedral_pdq(asked),
        *methods.thorn_hashes(settings, asked),
        methods.thorn_sift(settings, asked),
        blocks,
        finds,
    ]
    cost = local_cost.measure(settings, asked)
    tables = [
        recall.table(asked, every),
        _false(asked, mine),
        _texture(asked, mine, finds),
        templates.measure(settings),
        *cost.tables,
        _sizes(mine),
    ]
    goals = [*_recall_goals(asked, finds), _false_goal(asked, mine), *cost.goals]
    versions = peers.versions(settings)
    how = f"{_how(asked)} Beside the packages named below: perception {versions['Perception']}."
    return Part("Edited copies of pictures", how, goals, tables)


def _how(asked: Copies) -> str:
    whole = sum(picture.whole for picture in asked.banked)
    tiles = sum(picture.box is not None for picture in asked.banked)
    sky = len(asked.banked) - whole - tiles
    scenes = len({picture.scene for picture, _ in asked.queries})
    return (
        f"{len(asked.banked):,} pictures are banked: {whole} whole photographs, {tiles} tiles of "
        f"480 pixels or more cut out of the larger of them, and {sky} "
        f"pictures of the sky. One photograph of each of {scenes} scenes is queried in "
        f"{len(MEANING)} edits: {len(asked.queries):,} queries. Pictures that show the same scene, "
        "as geometry tells, are no false matches of one another. All of them are TEST: tables and "
        "thresholds were learned on other scenes; see README.md beside this file. Every method "
        "gets the same JPEG files. égide: a bank in a home of its own, `fingerprints_of`, "
        "`Scanner.scan`; *finds* is any finding of the picture that was edited, *blocks* those "
        "that need no person to look. PDQ is compared at 31 bits, in quality 50 and over. Thorn's "
        "hashes have no threshold of their own and are given the largest that makes no false match "
        "in this very run, which no other method is; its deduplication by SIFT has its defaults."
    )


def _recall_goals(asked: Copies, finds: Answers) -> list[Goal]:
    goals = []
    for tier, (mean, least) in GOALS.items():
        shares = np.array(finds.recall(asked, TIERS[tier])) * 100
        goals.append(_percent(f"recall, {tier} edits, mean", mean, float(shares.mean())))
        if least is not None:
            goals.append(_percent(f"recall, {tier} edits, lowest", least, float(shares.min())))
    return goals


def _percent(what: str, least: float, found: float) -> Goal:
    return Goal(what, f"≥ {least:g} %", f"{found:.1f} %", met=found >= least)


def _false_goal(asked: Copies, mine: Own) -> Goal:
    count = len(_false_scores(asked, mine))
    false = sum(score >= ALIGNED_SCORE for score in _false_scores(asked, mine))
    highest = max(_false_scores(asked, mine), default=0.0)
    return Goal(
        f"false matches by local features among {count:,} pairs compared", "0",
        f"{false}; highest score {highest:.2f}", met=not false,
    )  # fmt: skip


def _false_scores(asked: Copies, mine: Own) -> list[float]:
    """Scores of the pairs of different scenes that came onto a shortlist and were compared."""
    return [
        near.score
        for (picture, _), scanned in zip(asked.queries, mine.scanned, strict=True)
        for near in scanned.near
        if asked.banked[near.banked].scene != picture.scene
    ]


def _false(asked: Copies, mine: Own) -> Table:
    scores = np.array(_false_scores(asked, mine))
    pairs = int(recall.other_scene(asked).sum())
    apart = scene_pairs(asked)
    rows: list[tuple[str, ...]] = []
    for least in TAIL:
        count = int((scores >= least).sum())
        scenes = len(_scenes_at(asked, mine, least))
        rate = upper_bound(count, pairs)
        rows.append(
            (f"{least:g}", str(count), f"{rate:.2g}", f"{scenes}",
             f"{upper_bound(scenes, apart):.2g}", *(f"{rate * size:.2g}" for size in BANKS))
        )  # fmt: skip
    return Table(
        f"Pairs of different scenes by the score of their alignment: {pairs:,} pairs of a query "
        f"and a banked picture, of {apart:,} pairs of scenes. Those that came onto no shortlist "
        "count as 0. Bounds are one-sided, 95 %; queries of one photograph are not independent, so "
        "the bound by scenes is the careful one. False matches to be expected of one query are the "
        "bound by pairs times the bank; the truth is between 0 and that.",
        ("score from", "pairs", "bound a pair", "scene pairs", "bound a scene pair",
         *(f"at most in a bank of {size:,}" for size in BANKS)),
        rows,
    )  # fmt: skip


def _scenes_at(asked: Copies, mine: Own, least: float) -> set[tuple[str, str]]:
    return {
        (picture.scene, asked.banked[near.banked].scene)
        for (picture, _), scanned in zip(asked.queries, mine.scanned, strict=True)
        for near in scanned.near
        if near.score >= least and asked.banked[near.banked].scene != picture.scene
    }


def _texture(asked: Copies, mine: Own, finds: Answers) -> Table:
    """Recall of photographs with little to hold on to, apart from the others'."""
    points = dict(zip((picture.id for picture in asked.banked), mine.points, strict=True))
    of_query = np.array([points[picture.id] for picture, _ in asked.queries])
    rows: list[tuple[str, ...]] = []
    for name, chosen in (
        (f"under {LOW_TEXTURE} points", of_query < LOW_TEXTURE),
        (f"{LOW_TEXTURE} points and more", of_query >= LOW_TEXTURE),
    ):
        shares = [_share(finds, asked, chosen, edits) for edits in TIERS.values()]
        rows.append((name, f"{chosen.mean():.1%}", *shares))
    kinds = Counter[str]()
    poor = Counter[str]()
    for picture, count in zip(asked.banked, mine.points, strict=True):
        kind = "whole photographs" if picture.whole else "tiles" if picture.box else "of the sky"
        kinds[kind] += 1
        poor[kind] += count == 0
    without = ", ".join(f"{poor[kind]} of {kinds[kind]} {kind}" for kind in kinds)
    return Table(
        "Photographs with little texture. Too little for any local fingerprint in the bank have "
        f"{without}; of these only the whole photographs are queried:",
        ("photographs queried", "share", *(f"{tier}: mean recall, %" for tier in TIERS)),
        rows,
    )


def _share(finds: Answers, asked: Copies, chosen: np.ndarray, edits: tuple[str, ...]) -> str:
    inside = np.array([edit in edits for _, edit in asked.queries]) & chosen
    return f"{finds.found[inside].mean() * 100:.1f}" if inside.any() else ""


def _sizes(mine: Own) -> Table:
    with_local = mine.points[mine.points > 0]
    row = (
        f"{len(mine.points):,}", f"{with_local.mean():.0f}",
        f"{mine.record_bytes / max(1, len(with_local)):,.0f} B",
        f"{mine.home_bytes / len(mine.points):,.0f} B", f"{mine.adding * 1e3:.3g} ms",
    )  # fmt: skip
    return Table(
        "What a bank costs; on the disk: database, PDQ index and local index together:",
        ("pictures", "points in a record", "record", "on the disk, a picture",
         "adding a picture, processor time"),
        [row],
    )  # fmt: skip
