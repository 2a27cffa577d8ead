"""The tamper-evident log: commitments to all events of all cases, as leaves of a Merkle tree.

The tree is that of RFC 6962. Roots of complete subtrees are kept, so that a leaf is added and
anything of the tree is proved in O(log n) steps. The log is append-only by its own account alone:
what keeps its keepers honest is a signed head (`log_checkpoint`) that is kept elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egide.desk.log_tree import complete, joined, leaf_hash, node_hash
from egide.errors import StorageError, UsageError

if TYPE_CHECKING:
    from egide.db import Connection


class Log:
    """The log in the database of the connections that its methods are given."""

    def append(
        self, connection: Connection, commitment: bytes, case: str, event: int, epoch: int = 0
    ) -> int:
        """Adds a leaf, in a serial write; its number, from 0.

        `case` and `event` are the numbers of the case and of the event in it that the commitment,
        of 32 bytes, is to; `epoch` that of its key. AlreadyThere when that event is in the log.
        """
        leaf = self.size(connection)
        connection.execute(
            "INSERT INTO log_leaf (leaf, commitment, number, event, epoch) VALUES (?, ?, ?, ?, ?)",
            (leaf, commitment, case, event, epoch),
        )
        level, position, node = 0, leaf, leaf_hash(commitment)
        while position & 1:
            node = node_hash(self._node(connection, level, position - 1), node)
            level, position = level + 1, position >> 1
            connection.execute(
                # One that is there is left over from a log that was cut: notices must come in all
                # the same, and `verify` tells.
                "INSERT INTO log_node (level, position, hash) VALUES (?, ?, ?)"
                " ON CONFLICT (level, position) DO UPDATE SET hash = excluded.hash",
                (level, position, node),
            )
        return leaf

    def size(self, connection: Connection) -> int:
        """How many leaves there are."""
        last = connection.execute("SELECT max(leaf) FROM log_leaf").fetchone()[0]
        return 0 if last is None else int(last) + 1

    def root(self, connection: Connection, size: int) -> bytes:
        """The root over the first `size` leaves, 32 bytes; UsageError when there are fewer."""
        self._check(connection, size)
        return self._subtree(connection, 0, size)

    def leaf(self, connection: Connection, case: str, event: int) -> tuple[int, int] | None:
        """The leaf of an event, and the epoch of its key; None when it is not in the log."""
        row = connection.execute(
            "SELECT leaf, epoch FROM log_leaf WHERE number = ? AND event = ?", (case, event)
        ).fetchone()
        return None if row is None else (row["leaf"], row["epoch"])

    def inclusion(self, connection: Connection, leaf: int, size: int) -> list[bytes]:
        """Hashes that lead from a leaf to the root over the first `size`, the lowest first.

        RFC 6962, section 2.1.1. UsageError when the leaf is not among them.
        """
        self._check(connection, size)
        if not 0 <= leaf < size:
            raise UsageError(f"leaf {leaf} is not among the first {size} of the log")
        path: list[bytes] = []
        begin, end = 0, size
        while end - begin > 1:
            middle = begin + _half(end - begin)
            if leaf < middle:
                path.append(self._subtree(connection, middle, end))
                end = middle
            else:
                path.append(self._subtree(connection, begin, middle))
                begin = middle
        return path[::-1]

    def consistency(self, connection: Connection, first: int, second: int) -> list[bytes]:
        """Hashes that show that the first `second` leaves begin with the first `first`.

        RFC 6962, section 2.1.2; none when one is empty or they are the same. UsageError when there
        are not so many leaves.
        """
        self._check(connection, second)
        if not 0 <= first <= second:
            raise UsageError(f"the log of {first} leaves does not come before that of {second}")
        if first in (0, second):
            return []
        path: list[bytes] = []
        begin, end, whole = 0, second, True
        while first != end:
            middle = begin + _half(end - begin)
            if first <= middle:
                path.append(self._subtree(connection, middle, end))
                end = middle
            else:
                path.append(self._subtree(connection, begin, middle))
                begin, whole = middle, False
        if not whole:
            path.append(self._subtree(connection, begin, end))
        return path[::-1]

    def _check(self, connection: Connection, size: int) -> None:
        there = self.size(connection)
        if not 0 <= size <= there:
            raise UsageError(f"the log has {there} leaves, not {size}")

    def _subtree(self, connection: Connection, begin: int, end: int) -> bytes:
        return joined([self._node(connection, *node) for node in complete(begin, end)])

    def _node(self, connection: Connection, level: int, position: int) -> bytes:
        row = (
            connection.execute(
                "SELECT hash FROM log_node WHERE level = ? AND position = ?", (level, position)
            )
            if level
            else connection.execute("SELECT commitment FROM log_leaf WHERE leaf = ?", (position,))
        ).fetchone()
        if row is None:
            raise StorageError(
                f"the log lacks a hash (level {level}, place {position}); "
                "`egide desk log verify` tells what is wrong"
            )
        return bytes(row[0]) if level else leaf_hash(bytes(row[0]))


def _half(count: int) -> int:
    """The largest power of two that is less than `count`."""
    return 1 << (count - 1).bit_length() - 1
