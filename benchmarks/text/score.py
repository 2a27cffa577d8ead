"""Counting right and wrong, as LABELLING.md says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.text.rates import Rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.text.records import Record

REQUESTS: Final = frozenset(
    f"ncii.request.{act}" for act in ("nudify", "sexualize", "faceswap", "intimate")
)
SERVICES: Final = frozenset(["ncii.service.promotion", "ncii.service.referral"])
COMMISSIONS: Final = frozenset(["ncii.commission.solicit", "ncii.commission.offer"])
MISMATCH: Final = "rating.mismatch"
SUPPORT: Final = "context.support"
NEWS: Final = "context.news"
CONTEXTS: Final = frozenset([SUPPORT, NEWS])
EVASION: Final = "evasion.text"
ABUSIVE: Final = REQUESTS | SERVICES | COMMISSIONS | {MISMATCH}
LABELS: Final = (
    *sorted(REQUESTS), *sorted(SERVICES), *sorted(COMMISSIONS), MISMATCH, SUPPORT, NEWS
)  # fmt: skip
_ALSO_RIGHT: Final = {
    "law": frozenset([NEWS, SUPPORT]),
    "education": frozenset([NEWS, SUPPORT]),
    "parents": frozenset([SUPPORT, NEWS]),
    "support": frozenset([NEWS]),
    "news": frozenset([SUPPORT]),
}


@dataclass(frozen=True)
class Judged:
    """A record and the labels that it was given."""

    record: Record
    found: frozenset[str]

    @property
    def abusive(self) -> bool:
        """Whether the text is labelled as abuse."""
        return bool(self.record.labels & ABUSIVE)

    @property
    def flagged(self) -> bool:
        """Whether it was taken for abuse."""
        return bool(self.found & ABUSIVE)

    @property
    def excused(self) -> bool:
        """Whether it was taken for abuse that is only told of: the policy lowers that to review."""
        return self.flagged and bool(self.found & CONTEXTS)


def also_right(record: Record) -> frozenset[str]:
    """Labels that count neither for nor against when the text is given them."""
    labels, also = record.labels, _ALSO_RIGHT.get(record.group, frozenset[str]())
    if labels & (SERVICES | COMMISSIONS | REQUESTS | {MISMATCH}):
        also |= REQUESTS
    if "ncii.service.referral" in labels:
        also |= {"ncii.service.promotion"}
    if labels & COMMISSIONS:
        also |= COMMISSIONS
    return also - labels


def recall(judged: Iterable[Judged]) -> Rate:
    """Abusive texts that were taken for abuse of whichever kind."""
    return Rate.count(one.flagged for one in judged if one.abusive)


def false_positives(judged: Iterable[Judged]) -> Rate:
    """Other texts that were taken for abuse."""
    return Rate.count(one.flagged for one in judged if not one.abusive)


def unexcused(judged: Iterable[Judged]) -> Rate:
    """Other texts that were taken for abuse without a context that lowers the verdict."""
    return Rate.count(one.flagged and not one.excused for one in judged if not one.abusive)


def lowered(judged: Iterable[Judged]) -> Rate:
    """Abusive texts that were wrongly given a context, which lowers their verdict to review."""
    return Rate.count(bool(one.found & CONTEXTS) for one in judged if one.abusive)


def label_rates(judged: Sequence[Judged], label: str) -> tuple[Rate, Rate, Rate]:
    """Recall, precision and false-positive rate of `label`.

    The false positives of an abusive label are counted on texts that are no abuse, those of a
    context on texts that are: there each does its harm.
    """
    given = [one for one in judged if label in one.found and label not in also_right(one.record)]
    harmed = [
        one for one in judged
        if one.abusive == (label in CONTEXTS) and label not in one.record.labels
    ]  # fmt: skip
    return (
        Rate.count(label in one.found for one in judged if label in one.record.labels),
        Rate.count(label in one.record.labels for one in given),
        Rate.count(label in one.found for one in harmed),
    )
