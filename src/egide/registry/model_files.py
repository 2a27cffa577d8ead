"""Model files as the registry keeps them: under their hashes, for which each is read in full."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from egide.errors import ItemError
from egide.finding import Finding
from egide.hub.likeness import Likeness
from egide.hub.model_file import read_model
from egide.hub.model_hashes import model_hashes
from egide.hub.pseudonyms import Pseudonyms
from egide.hub.registered import FILE_HUB, Registered, registered
from egide.item import Item
from egide.label import Label
from egide.registry.registry import Registry
from egide.sniff import Kind
from egide.verdict import Verdict

MODEL_DIGITS: Final = 16
"""Digits of its SHA-256 that a model file is called by."""


class Registering:
    """Registers the model files of a scan once their verdicts have come, in a `with` block.

    `expect` is told of every item, `take` of every verdict, in the same order. What the hub says
    shows a minor is not registered.
    """

    def __init__(self, home: Path) -> None:
        self._registry = Registry(home)
        self._items: deque[Item] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._registry.flush()

    def expect(self, item: Item) -> None:
        """Keeps `item` until its verdict comes."""
        self._items.append(item)

    def take(self, verdict: Verdict) -> None:
        """Registers the item of `verdict`, if it is a model file that can be read."""
        item = self._items.popleft()
        if item.kind is not Kind.MODEL or item.problem is not None:
            return
        if any(finding.label is Label.MINOR_ESCALATE for finding in verdict.findings):
            return
        try:
            one = registered_file(item, verdict.findings, self._registry.pseudonyms)
        except ItemError:
            return  # the verdict says what is wrong with it
        if one is not None:
            self._registry.add(one)


def registered_file(
    item: Item, findings: Iterable[Finding], pseudonyms: Pseudonyms
) -> Registered | None:
    """What is kept of the model file `item`, with the scores that a scan gave it.

    ItemError when it cannot be read.
    """
    hashes = model_hashes(item)
    facts = read_model(item).facts
    facts = replace(facts, source=FILE_HUB, hashes=hashes, texts=(("file", item.ref),), versions=())
    scores = {finding.label: finding.score for finding in findings}
    judged = Likeness(
        named=scores.get(Label.LIKENESS_NAMED, 0.0),
        unnamed=scores.get(Label.LIKENESS_UNNAMED, 0.0),
        sexual=scores.get(Label.LIKENESS_SEXUAL, 0.0),
    )
    return registered(facts, judged, pseudonyms, hashes["SHA256"][:MODEL_DIGITS])
