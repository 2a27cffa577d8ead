"""Detectors for tests, at module level so that they pickle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from egide.detector import Example
from egide.finding import Finding, Observation
from egide.item import Item
from egide.label import Label
from egide.sniff import Kind


@dataclass
class Scripted:
    """Yields `seen`, then raises `error` when there is one."""

    seen: tuple[Any, ...] = ()
    error: BaseException | None = None
    name: str = "scripted.v1"
    kinds: frozenset[Kind] = frozenset(Kind)
    labels: frozenset[Label] = frozenset(Label)
    examples: tuple[Example, ...] = ()
    asked: list[str] = field(default_factory=list)

    def detect(self, item: Item) -> Iterator[Observation]:
        self.asked.append(item.ref)
        yield from self.seen
        if self.error is not None:
            raise self.error


@dataclass
class Computed(Scripted):
    """Yields what `look` makes of the item."""

    look: Callable[[Item], Observation] | None = None

    def detect(self, item: Item) -> Iterator[Observation]:
        assert self.look is not None
        yield self.look(item)


def by_length(item: Item) -> Finding:
    """A finding that differs from item to item, and takes longer for the shorter ones."""
    return Finding(
        "computed.v1", Label.NCII_KNOWN, (item.size % 97) / 97, {"purpose": "block", "n": item.size}
    )
