"""Copies that show the same picture, so that one look serves for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from egide.desk.banking import prints_within
from egide.desk.laws import laws
from egide.fingerprint import FingerprintType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egide.db import Row
    from egide.desk.casebook import Writing

_ONES: Final = np.array([number.bit_count() for number in range(256)], np.int64)
MOST_GROUPED: Final = 500
"""Copies that are compared with each other; later ones stand for themselves."""


def groups_of(writing: Writing, copies: Sequence[Row]) -> list[int]:
    """The number of the group of each copy, from 0: alike by PDQ within the usual threshold.

    Copies are joined in chains: a group may hold two that are further apart.
    """
    parents = list(range(len(copies)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    owners: list[int] = []
    values: list[bytes] = []
    for number, copy in enumerate(copies[:MOST_GROUPED]):
        if copy["entry"] is None:
            continue
        for each in prints_within(writing, copy["entry"]):
            if each.type is FingerprintType.PDQ:
                owners.append(number)
                values.append(each.value)
                break
    if values:
        bits = np.frombuffer(b"".join(values), np.uint8).reshape(-1, 32)
        threshold = laws()["EU"].copies.threshold
        for place, owner in enumerate(owners):
            near = _ONES[bits[place + 1 :] ^ bits[place]].sum(axis=1) <= threshold
            for other in np.flatnonzero(near):
                parents[root(owners[place + 1 + int(other)])] = root(owner)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(number), len(numbers)) for number in range(len(copies))]
