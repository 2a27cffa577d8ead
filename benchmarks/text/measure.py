"""Measures égide's text screening and its peers on the labelled, disguised and ordinary texts."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import partial
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from benchmarks import machine
from benchmarks.results import Goal, Part, Settings, Table, milliseconds
from benchmarks.text import score, screens
from benchmarks.text.among import by_surroundings
from benchmarks.text.beside import Peer, beside, measured
from benchmarks.text.disguise import DISGUISES, disguise
from benchmarks.text.rates import Rate
from benchmarks.text.records import LANGUAGES, OUTSIDE, Record, labelled, ordinary, outside
from benchmarks.text.score import Judged
from benchmarks.timing import processor_seconds
from benchmarks.timing import run as run_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

RECALL: Final = 0.95
FALSE_POSITIVES: Final = 0.01
ORDINARY: Final = 0.0005
DROP: Final = 0.03
PER_SECOND: Final = 20_000
LONG: Final = 1_000
WORST_SECONDS: Final = 1e-3
START_SECONDS: Final = 0.3
SHORT_WORDS: Final = 30
WAYS: Final[dict[str, Callable[[Record], object]]] = {
    "rules and model": screens.labels_of,
    "rules alone": screens.ruled,
}
_START: Final = "import egide; egide.screen_text('Good morning', context='post')"


def run(settings: Settings) -> Part:
    """Everything, on the test set; the texts that went wrong are listed in the cache by id."""
    sets = {language: labelled("test", language) for language in LANGUAGES}
    judged = {language: judge(records) for language, records in sets.items()}
    hidden = {name: _judge_hidden(sets, name) for name in DISGUISES}
    plain = _ordinary(settings)
    peers = measured(sets, settings)
    speed_goals = _speed(sets, settings, peers)
    _keep_misses(settings, judged, hidden)
    goals = [
        *_recall_goals(judged, peers),
        *_disguise_goals(judged, hidden),
        *_ordinary_goals(plain),
        *speed_goals,
    ]
    tables = [
        by_language(judged),
        by_action(sets),
        by_label(judged),
        by_group(judged),
        _by_disguise(judged, hidden),
        by_surroundings(sets, judged),
        _by_source(plain),
        beside(_as_peer(judged, hidden, speed_goals), peers),
    ]
    return Part("Screening text", _how(sets), goals, tables)


def judge(records: Iterable[Record]) -> list[Judged]:
    """What égide makes of each record."""
    return [Judged(record, frozenset(screens.labels_of(record))) for record in records]


def by_language(judged: dict[str, list[Judged]]) -> Table:
    """Recall and false positives of a language."""
    columns = (
        "language", "recall, any abusive label", "false positives on hard negatives",
        "the same without a context beside", "abuse given a context",
    )  # fmt: skip
    rows: list[tuple[str, ...]] = [
        (language, str(score.recall(each)), str(score.false_positives(each)),
         str(score.unexcused(each)), str(score.lowered(each)))
        for language, each in judged.items()
    ]  # fmt: skip
    return Table("Shares with their 95 % intervals:", columns, rows)


def by_action(sets: dict[str, list[Record]]) -> Table:
    """What the default policy does about abuse and about hard negatives."""
    rows: list[tuple[str, ...]] = []
    for language, records in sets.items():
        done = [(bool(one.labels & score.ABUSIVE), screens.action_of(one)) for one in records]
        rows.append(
            (
                language,
                *(
                    str(Rate.count(action == wanted for abusive, action in done if abusive is bad))
                    for bad in (True, False)
                    for wanted in ("block", "review")
                ),
            )
        )
    columns = (
        "language", "abuse blocked", "abuse reviewed", "hard negatives blocked",
        "hard negatives reviewed",
    )  # fmt: skip
    return Table("What the default policy does:", columns, rows)


def by_label(judged: dict[str, list[Judged]]) -> Table:
    """Recall, precision and false positives of every label in every language."""
    rows: list[tuple[str, ...]] = []
    for label in score.LABELS:
        for language, each in judged.items():
            found = score.label_rates(each, label)
            rows.append((f"`{label}`", language, *map(str, found)))
    columns = ("label", "language", "recall", "precision", "false positives")
    return Table("By label (false positives of a context: on texts that are abuse):", columns, rows)


def by_group(judged: dict[str, list[Judged]]) -> Table:
    """False positives by the reason why a text is hard."""
    everything = [one for each in judged.values() for one in each if not one.abusive]
    rows: list[tuple[str, ...]] = []
    for group in sorted({one.record.group for one in everything}):
        each = [one for one in everything if one.record.group == group]
        rows.append((group, str(score.false_positives(each)), str(score.unexcused(each))))
    columns = ("group", "false positives", "without a context beside")
    return Table("Hard negatives by group, all languages:", columns, rows)


def _judge_hidden(sets: dict[str, list[Record]], name: str) -> dict[str, list[Judged]]:
    return {
        language: [
            Judged(one, frozenset(screens.labels_of(one, disguise(name, one.text))))
            for one in records
        ]
        for language, records in sets.items()
    }


def _ordinary(settings: Settings) -> dict[str, list[Judged]]:
    count = settings.few(1_000, 10_000)
    found = {f"captions and talk, {code}": judge(ordinary(code, count)) for code in ("en", "fr")}
    for code, (package, _, what) in OUTSIDE.items():
        found[f"{what} ({package}), {code}"] = judge(outside(settings, code, count))
    return found


def _recall_goals(judged: dict[str, list[Judged]], peers: list[Peer]) -> list[Goal]:
    goals = []
    for language, each in judged.items():
        found, wrong = score.recall(each), score.false_positives(each)
        best = max(peers, key=lambda peer: score.recall(peer.judged[language]).share)
        theirs = best.judged[language]
        goals += [
            Goal(
                f"recall on abusive texts, {language}", f"≥ {RECALL:.0%}", str(found),
                f"{best.name} {score.recall(theirs).share:.1%}", met=found.share >= RECALL,
            ),
            Goal(
                f"false positives on hard negatives, {language}", f"≤ {FALSE_POSITIVES:.0%}",
                str(wrong), f"{best.name} {score.false_positives(theirs).share:.1%}",
                met=wrong.share <= FALSE_POSITIVES,
            ),
        ]  # fmt: skip
    return goals


def _disguise_goals(
    judged: dict[str, list[Judged]], hidden: dict[str, dict[str, list[Judged]]]
) -> list[Goal]:
    goals = []
    for language, each in judged.items():
        before = score.recall(each).share
        after = {name: score.recall(found[language]).share for name, found in hidden.items()}
        mean, worst = sum(after.values()) / len(after), min(after, key=lambda name: after[name])
        goals.append(
            Goal(
                f"recall lost to disguise, mean of {len(after)}, {language}",
                f"≤ {DROP * 100:.0f} points",
                f"{(before - mean) * 100:.1f} points; at worst {(before - after[worst]) * 100:.1f}"
                f" ({worst})",
                met=before - mean <= DROP,
            )
        )
    return goals


def _ordinary_goals(plain: dict[str, list[Judged]]) -> list[Goal]:
    goals = []
    for name, each in plain.items():
        wrong = score.false_positives(each)
        met = wrong.share <= ORDINARY
        goals.append(Goal(f"false positives, {name}", f"≤ {ORDINARY:.2%}", str(wrong), met=met))
    return goals


def _by_disguise(
    judged: dict[str, list[Judged]], hidden: dict[str, dict[str, list[Judged]]]
) -> Table:
    rows: list[tuple[str, ...]] = []
    for name, found in {"none": judged, **hidden}.items():
        everything = [one for each in found.values() for one in each]
        noticed = Rate.count(score.EVASION in one.found for one in everything)
        rows.append(
            (
                name,
                *(f"{score.recall(each).share:.1%}" for each in found.values()),
                *(f"{score.false_positives(each).share:.1%}" for each in found.values()),
                f"{noticed.share:.1%}",
            )
        )
    columns = (
        "disguise", *(f"recall {code}" for code in LANGUAGES),
        *(f"false positives {code}" for code in LANGUAGES), "`evasion.text`",
    )  # fmt: skip
    return Table("Before and after disguise, the same texts:", columns, rows)


def _by_source(plain: dict[str, list[Judged]]) -> Table:
    rows: list[tuple[str, ...]] = [
        (name, f"{len(each):,}", str(score.false_positives(each)),
         str(Rate.count(score.EVASION in one.found for one in each)))
        for name, each in plain.items()
    ]  # fmt: skip
    columns = ("source", "texts", "taken for abuse", "`evasion.text`")
    return Table("Ordinary text:", columns, rows)


def _as_peer(
    judged: dict[str, list[Judged]],
    hidden: dict[str, dict[str, list[Judged]]],
    speed: list[Goal],
) -> Peer:
    everything = [one for found in hidden.values() for each in found.values() for one in each]
    return Peer("égide", judged, everything, float(speed[0].egide.split()[0].replace(",", "")))


def _speed(sets: dict[str, list[Record]], settings: Settings, peers: list[Peer]) -> list[Goal]:
    records = [one for each in sets.values() for one in each]
    short = [one for one in records if len(one.text.split()) <= SHORT_WORDS]
    plain = [one for code in ("en", "fr") for one in ordinary(code, settings.few(100, 1_000))]
    texts = long_texts(records, settings.few(100, 1_000))
    rounds = settings.few(3, 15)
    fastest = max(peers, key=lambda peer: peer.pace)
    goals = []
    with machine.cores(1):
        for kind, each in (("of the test set", short), ("that are captions and talk", plain)):
            for how, call in WAYS.items():
                taken = [processor_seconds(partial(_all, call, each)) for _ in range(rounds)]
                pace = len(each) / median(taken)
                other = f"{fastest.name} {fastest.pace:,.0f}" if each is short else ""
                name = f"texts of up to {SHORT_WORDS} words {kind} a second, one core, {how}"
                goals.append(
                    Goal(name, f"≥ {PER_SECOND:,}", f"{pace:,.0f}", other, met=pace >= PER_SECOND)
                )
        for how, call in WAYS.items():
            waits = [processor_seconds(partial(call, text)) for text in texts]
            slow = quantiles(waits, n=100)[98]
            name = f"the slowest hundredth of texts of {LONG:,} characters, {how}"
            least = f"< {WORST_SECONDS * 1e3:g} ms"
            goals.append(Goal(name, least, milliseconds(slow), met=slow < WORST_SECONDS))
        starts = [run_command([sys.executable, "-c", _START]).seconds for _ in range(rounds)]
    started = median(starts)
    goals.append(
        Goal(
            "a process that starts, screens one text and ends", f"< {START_SECONDS:g} s",
            milliseconds(started), met=started < START_SECONDS,
        )
    )  # fmt: skip
    return goals


def _all(call: Callable[[Record], object], records: Iterable[Record]) -> None:
    for record in records:
        call(record)


def long_texts(records: list[Record], count: int) -> list[Record]:
    """`count` records of 1,000 characters: texts of one language and context, one after another."""
    texts = []
    for number in range(count):
        first = records[number * 7 % len(records)]
        same = [one.text for one in records if one.language == first.language]
        start = number * 11 % len(same)
        joined = ". ".join(same[start:] + same[:start])[:LONG]
        texts.append(replace(first, text=joined))
    return texts


def _keep_misses(
    settings: Settings,
    judged: dict[str, list[Judged]],
    hidden: dict[str, dict[str, list[Judged]]],
) -> None:
    """By id, not by text: whoever writes rules should not learn the test set by heart."""
    lines = [
        json.dumps({"id": one.record.ref, "disguise": name, "labels": sorted(one.record.labels),
                    "found": sorted(one.found)})
        for name, found in {"": judged, **hidden}.items()
        for each in found.values()
        for one in each
        if one.abusive != one.flagged
    ]  # fmt: skip
    folder = settings.cache / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text-wrong.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _how(sets: dict[str, list[Record]]) -> str:
    sizes = ", ".join(
        f"{len(each)} {code} ({sum(bool(one.labels & score.ABUSIVE) for one in each)} abusive)"
        for code, each in sets.items()
    )
    return (
        f"The test set of benchmarks/text, written apart from the rules: {sizes}; how it is "
        "labelled and counted is in benchmarks/text/LABELLING.md. Everything that égide finds "
        "counts, whatever its score. Percentages have their 95 % Wilson interval. Processor time, "
        "one core; the start-up by the clock. The peers have one answer, stop or not, which is "
        "counted as if it named the right label; beside a goal stands the peer of best recall."
    )
