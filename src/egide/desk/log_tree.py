"""Merkle trees as RFC 6962 (section 2.1) has them: hashes, roots, and checking proofs.

Nothing here is kept anywhere; `log` keeps the tree. A hash is SHA-256, 32 bytes. Trees have up to
2^63 leaves, numbered from 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf that holds these bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node, of those below it."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def joined(subtrees: Sequence[bytes]) -> bytes:
    """The root over complete subtrees, the largest, and leftmost, first; that of an empty tree."""
    if not subtrees:
        return EMPTY_ROOT
    return reduce(lambda right, left: node_hash(left, right), reversed(subtrees))


def complete(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Level and position of the complete subtrees that leaves begin..end-1 are made of, in order.

    `begin` is a multiple of the largest power of two that is not greater than end - begin.
    """
    while begin < end:
        level = (end - begin).bit_length() - 1
        yield level, begin >> level
        begin += 1 << level


class Frontier:
    """The root of leaves that come one by one, in memory of log2 of their number."""

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []

    def add(self, leaf: bytes) -> list[bytes]:
        """Takes the hash of one more leaf; hashes of the nodes it completes, lowest first."""
        made: list[bytes] = []
        position = self.size
        while position & 1:
            leaf = node_hash(self._subtrees.pop(), leaf)
            made.append(leaf)
            position >>= 1
        self._subtrees.append(leaf)
        self.size += 1
        return made

    def root(self) -> bytes:
        """The root of what came so far."""
        return joined(self._subtrees)


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that `path` leads to from the hash of leaf `index` of `size`; None: it cannot be.

    RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        return None
    last = size - 1
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            leaf = node_hash(sibling, leaf)
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            leaf = node_hash(leaf, sibling)
        index >>= 1
        last >>= 1
    return leaf if last == 0 else None


def extends(
    first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether `path` shows that the tree of `second` leaves begins with that of `first`.

    RFC 9162, section 2.1.4.2; and every tree begins with the empty one.
    """
    if not 0 <= first <= second:
        return False
    if first in (0, second):
        return not path and (first == 0 or first_root == second_root) and _empty(first, first_root)
    proof = list(path) if first & (first - 1) else [first_root, *path]
    if not proof:
        return False
    index, last = first - 1, second - 1
    while index & 1:
        index >>= 1
        last >>= 1
    old = new = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        index >>= 1
        last >>= 1
    return last == 0 and old == first_root and new == second_root


def _empty(size: int, root: bytes) -> bool:
    """Whether the root can be that of so many leaves, as far as that is known beforehand."""
    return size > 0 or root == EMPTY_ROOT
