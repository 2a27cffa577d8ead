"""Banks and the registry as a worker has them: all questions go to the process that started it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from egide.fingerprint import Fingerprint, FingerprintType
from egide.match import Match
from egide.provenance.account import Link
from egide.provenance.statements import NamedModel
from egide.sandbox.messages import Align, BankView, Duration, Links, Question, Search

if TYPE_CHECKING:
    from egide._kernel import LocalFeatures

Ask = Callable[[Question], Any]
"""Sends a question and waits for the answer; raises the EgideError that the bank raised."""


class RemoteBank:
    """The bank with the number `number` in the task at hand: an `egide.match.Lookup`."""

    def __init__(self, number: int, view: BankView, ask: Ask) -> None:
        self.name = view.name
        self.purpose = view.purpose
        self._held = view.held
        self._number = number
        self._ask = ask

    def holds(self, type: FingerprintType) -> bool:  # noqa: A002
        """Whether there is any fingerprint of `type`."""
        return type in self._held

    def held(self) -> frozenset[FingerprintType]:
        """The types that there were fingerprints of when the item came in."""
        return self._held

    def search(self, queries: Sequence[Fingerprint], threshold: int) -> list[Match]:
        """Every live entry within `threshold` bits of a query, by query, then distance."""
        found: list[Match] = self._ask(Search(self._number, list(queries), threshold))
        return found

    def align(self, queries: Sequence[LocalFeatures]) -> list[Match]:
        """Every live entry whose picture shares a part with a query, by query, then score."""
        packed = [features.pack() for features in queries]
        found: list[Match] = self._ask(Align(self._number, packed))
        return found

    def duration(self, entry: str) -> int | None:
        """How long the frames of the video that `entry` is stand for, in ms; None of a picture."""
        length: int | None = self._ask(Duration(self._number, entry))
        return length


class RemoteRegistry:
    """The registry of the home: an `egide.provenance.account.Asked`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def links(self, models: Sequence[NamedModel]) -> tuple[Link, ...]:
        """The listings of `models`, each with the number of its model among them."""
        found: tuple[Link, ...] = self._ask(Links(list(models)))
        return found
