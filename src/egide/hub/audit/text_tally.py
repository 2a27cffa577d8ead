"""What an audit counts of texts: how many offer what, where, when, for how much; what ties them.

Memory grows with the different marks and prices found, up to fixed numbers of them, and by some
tens of bytes a text.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from egide.hub.audit.text_row import EscalatedText, TextRow
from egide.label import Label

MOST_MARKS: Final = 1 << 20
MOST_PLACES: Final = 1 << 18
MOST_PRICES: Final = 1 << 17
MOST_MONTHS: Final = 1_200
_SOUGHT: Final = Label.COMMISSION_SOLICIT


@dataclass(slots=True)
class Marks:
    """What ties offers together: `numbers` by mark, and the marks of all offers, one after another.

    `ends` says where the marks of each offer end, `months` when it was, as a number of `month_of`.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    held: array[int] = field(default_factory=lambda: array("I"))
    ends: array[int] = field(default_factory=lambda: array("Q"))
    months: array[int] = field(default_factory=lambda: array("H"))
    elsewhere: Counter[str] = field(default_factory=Counter)
    """How many ordinary texts name the same: a platform that all use ties nobody to anybody."""

    def add_offer(self, ties: tuple[str, ...], month: str) -> None:
        """Keeps what ties one offer to others."""
        for tie in ties:
            number = self.numbers.get(tie)
            if number is None:
                if len(self.numbers) >= MOST_MARKS:
                    continue
                number = self.numbers[tie] = len(self.numbers)
            self.held.append(number)
        self.ends.append(len(self.held))
        self.months.append(_number_of(month))

    def add_ordinary(self, places: tuple[str, ...]) -> None:
        """Counts what an ordinary text names."""
        for place in places:
            if place in self.elsewhere or len(self.elsewhere) < MOST_PLACES:
                self.elsewhere[place] += 1


class TextTally:
    """The texts of a dump, counted."""

    def __init__(self) -> None:
        self.total = 0
        self.repeated = 0
        self.escalated = 0
        self.offers = 0
        self.sought = 0
        self.requests = 0
        self.undated = 0
        self.rated = 0
        self.mismatched = 0
        self.labels: Counter[str] = Counter()
        self.contexts: Counter[str] = Counter()
        self.offers_in: Counter[str] = Counter()
        self.offers_of: Counter[str] = Counter()
        """Offers by month."""
        self.rated_of: Counter[str] = Counter()
        self.mismatched_of: Counter[str] = Counter()
        self.payments: Counter[str] = Counter()
        self.claims: Counter[str] = Counter()
        self.prices: Counter[tuple[str, str, Decimal]] = Counter()
        """By month, currency and amount."""
        self.priced: Counter[tuple[str, str]] = Counter()
        """Offers that name a price, by month and currency."""
        self.marks = Marks()
        self._seen: set[int] = set()

    def add(self, kept: TextRow | EscalatedText) -> None:
        """Counts one text."""
        if kept.key in self._seen:
            self.repeated += 1
            return
        self._seen.add(kept.key)
        self.total += 1
        if isinstance(kept, EscalatedText):
            self.escalated += 1
        else:
            self._add(kept)

    def _add(self, row: TextRow) -> None:
        self.labels.update(row.labels)
        self.contexts[row.context] += 1
        self.sought += row.has(_SOUGHT)
        self.requests += any(label.startswith("ncii.request.") for label in row.labels)
        self.undated += not row.month
        mismatched = row.has(Label.RATING_MISMATCH)
        if row.rated:
            self.rated += 1
            self.mismatched += mismatched
            self._count(self.rated_of, row.month)
            self._count(self.mismatched_of, row.month, mismatched)
        if row.offers:
            self._add_offer(row)
        elif row.places:
            self.marks.add_ordinary(row.places)

    def _add_offer(self, row: TextRow) -> None:
        self.offers += 1
        self.offers_in[row.context] += 1
        self._count(self.offers_of, row.month)
        self.payments.update(row.payments)
        self.claims.update(row.claims)
        self.marks.add_offer(row.ties, row.month)
        for currency in dict.fromkeys(price.currency for price in row.prices):
            self.priced[row.month, currency] += 1
        for price in row.prices:
            what = (row.month, price.currency, price.amount)
            if what in self.prices or len(self.prices) < MOST_PRICES:
                self.prices[what] += 1

    @staticmethod
    def _count(counts: Counter[str], month: str, number: int = 1) -> None:
        if month and number:
            counts[month] += number


def _number_of(month: str) -> int:
    """`month` as a number, 0 when it is not told; `month_of` turns it back."""
    return 1 + (int(month[:4]) - 2000) * 12 + int(month[5:]) - 1 if month else 0


def month_of(number: int) -> str:
    """The month with this number, `2025-05`; empty for 0."""
    return f"{2000 + (number - 1) // 12}-{(number - 1) % 12 + 1:02}" if number else ""
