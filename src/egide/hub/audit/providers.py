"""Offers put together by provider: those that share a mark, and those that share one with these.

Union-find (Tarjan 1975) over the marks, after everything was read: the outcome does not depend on
the order, nor on how many processes read. A mark that ordinary texts name more often than offers
do ties nothing, nor does a code that offers with other hosts and other accounts name too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from egide.hub.audit.text_tally import Marks, month_of


@dataclass(slots=True)
class Provider:
    """The offers that hang together; `name` is the mark most of them have, `kind:name`."""

    name: str = ""
    offers: int = 0
    marks: Counter[str] = field(default_factory=Counter)
    """How many different marks of each kind."""
    first: str = ""
    last: str = ""
    """The months of the first and of the last offer; empty when not told."""


@dataclass(slots=True)
class Providers:
    """All providers, most offers first; `alone` is how many offers nothing ties to any."""

    listed: list[Provider]
    alone: int
    by_month: Counter[str]
    """How many different ones made offers in a month."""
    marks: Counter[str]
    """How many offers have a mark that ties."""


def providers_of(marks: Marks) -> Providers:
    """The providers of all offers. Linear in their marks."""
    names = list(marks.numbers)
    counts = Counter(marks.held)
    ties = [counts[number] >= marks.elsewhere[name] for number, name in enumerate(names)]
    kinds = [name.partition(":")[0] for name in names]
    parents = list(range(len(names)))
    for held, _ in _offers(marks, ties):
        _join_all(parents, [number for number in held if kinds[number] != "code"])
    for number in _of_many(marks, ties, kinds, parents):
        ties[number] = False
    for held, _ in _offers(marks, ties):
        _join_all(parents, held)
    found: dict[int, Provider] = {}
    active: dict[int, set[int]] = {}
    alone = 0
    for held, month in _offers(marks, ties):
        if not held:
            alone += 1
            continue
        root = _root(parents, held[0])
        _add(found.setdefault(root, Provider()), month)
        active.setdefault(month, set()).add(root)
    _name(found, parents, names, counts, ties)
    return Providers(
        sorted(found.values(), key=lambda one: (-one.offers, one.name)),
        alone,
        Counter({month_of(month): len(roots) for month, roots in active.items() if month}),
        Counter({name: counts[number] for number, name in enumerate(names) if ties[number]}),
    )


def _of_many(marks: Marks, ties: list[bool], kinds: list[str], parents: list[int]) -> set[int]:
    """The codes that several give out: offers name them that nothing else puts together.

    Only offers with a host and an account count: these differ when their groups in `parents` do.
    """
    first: dict[int, int] = {}
    found: set[int] = set()
    for held, _ in _offers(marks, ties):
        if not {"host", "channel"}.issubset(kinds[number] for number in held):
            continue
        root = next(_root(parents, number) for number in held if kinds[number] != "code")
        for number in held:
            if kinds[number] == "code" and first.setdefault(number, root) != root:
                found.add(number)
    return found


def _offers(marks: Marks, ties: list[bool]) -> Iterator[tuple[list[int], int]]:
    """The marks that tie, and the month, of every offer."""
    start = 0
    for end, month in zip(marks.ends, marks.months, strict=True):
        yield [number for number in marks.held[start:end] if ties[number]], month
        start = end


def _root(parents: list[int], number: int) -> int:
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number


def _join_all(parents: list[int], numbers: list[int]) -> None:
    for other in numbers[1:]:
        _join(parents, numbers[0], other)


def _join(parents: list[int], one: int, other: int) -> None:
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first


def _add(provider: Provider, month: int) -> None:
    provider.offers += 1
    if month:
        told = month_of(month)
        provider.first = min(provider.first or told, told)
        provider.last = max(provider.last, told)


def _name(
    found: dict[int, Provider],
    parents: list[int],
    names: list[str],
    counts: Counter[int],
    ties: list[bool],
) -> None:
    """Gives providers the marks that they have, and the name of the most frequent."""
    most: dict[int, tuple[int, str]] = {}
    for number, name in enumerate(names):
        root = _root(parents, number)
        if not ties[number] or root not in found:
            continue
        found[root].marks[name.partition(":")[0]] += 1
        best = (-counts[number], name)
        if root not in most or best < most[root]:
            most[root] = best
            found[root].name = name
