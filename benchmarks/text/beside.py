"""The filters beside égide on the same texts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.results import Settings, Table
from benchmarks.text import score, screens
from benchmarks.text.disguise import DISGUISES, disguise
from benchmarks.text.score import Judged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.text.records import Record

_STOPPED: Final = frozenset(["ncii.request.nudify"])
"""A filter that stops a text names no label; it is taken to have meant a right one."""


@dataclass(frozen=True)
class Peer:
    """What a filter made of the test set, plain and disguised, and the texts it read a second."""

    name: str
    judged: dict[str, list[Judged]]
    hidden: list[Judged]
    pace: float

    @property
    def everything(self) -> list[Judged]:
        """The plain test set, all languages."""
        return [one for each in self.judged.values() for one in each]


def measured(sets: dict[str, list[Record]], settings: Settings) -> list[Peer]:
    """Every peer, on the whole test set plain and on a sample of it in every disguise."""
    records = [one for each in sets.values() for one in each]
    sample = records[:: settings.few(40, 4)]
    found = []
    for screen in screens.peers():
        judged = {code: _judge(each, screen.flags) for code, each in sets.items()}
        hidden = [one for name in DISGUISES for one in _judge(sample, screen.flags, name)]
        started = time.process_time()
        _judge(sample, screen.flags)
        pace = len(sample) / (time.process_time() - started)
        found.append(Peer(screen.name, judged, hidden, pace))
    return found


def beside(egide: Peer, peers: list[Peer]) -> Table:
    """All of them in one table, all languages together."""
    rows: list[tuple[str, ...]] = [
        (
            each.name,
            str(score.recall(each.everything)),
            str(score.false_positives(each.everything)),
            str(score.recall(each.hidden)),
            str(score.false_positives(each.hidden)),
            f"{each.pace:,.0f}",
        )
        for each in (egide, *peers)
    ]
    columns = (
        "", "recall", "false positives on hard negatives", "recall, all disguises",
        "false positives, all disguises", "texts a second",
    )  # fmt: skip
    return Table(
        "Beside others, all languages; the peers' disguised texts are a sample:", columns, rows
    )


def _judge(
    records: Iterable[Record], flags: Callable[[str, str], bool], hidden: str = ""
) -> list[Judged]:
    judged = []
    for one in records:
        text = disguise(hidden, one.text) if hidden else one.text
        stopped = flags(text, one.language)
        judged.append(Judged(one, _STOPPED if stopped else frozenset()))
    return judged
