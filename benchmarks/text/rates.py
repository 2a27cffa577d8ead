"""Shares with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

Z: Final = 1.959964
"""Standard deviations of the normal distribution that hold 95 % of it."""


@dataclass(frozen=True)
class Rate:
    """`hits` out of `of`; printed as a percentage with its 95 % Wilson interval.

    Wilson (1927), Journal of the American Statistical Association 22: unlike the normal
    approximation it stays inside 0..1 and says something when nothing was hit.
    """

    hits: int
    of: int

    @classmethod
    def count(cls, outcomes: Iterable[bool]) -> Rate:
        """How many of `outcomes` are true."""
        seen = list(outcomes)
        return cls(sum(seen), len(seen))

    @property
    def share(self) -> float:
        """0..1; 0 when there was nothing to hit."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The bounds of the 95 % interval, 0..1."""
        if not self.of:
            return 0.0, 1.0
        square = Z * Z
        middle = self.share + square / (2 * self.of)
        width = Z * sqrt(self.share * (1 - self.share) / self.of + square / (4 * self.of**2))
        scale = 1 + square / self.of
        # With no hits, or only hits, the bound is 0 or 1; the arithmetic misses it by a hair.
        return max(0.0, (middle - width) / scale), min(1.0, (middle + width) / scale)

    def __str__(self) -> str:
        if not self.of:
            return "none"
        low, high = (bound * 100 for bound in self.interval)
        digits = 1 if self.of < 2000 else 3
        return f"{self.share:.{digits}%} ({low:.{digits}f}–{high:.{digits}f}, n={self.of})"
