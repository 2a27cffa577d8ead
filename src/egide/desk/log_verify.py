"""Checking the log: the tree is made anew from what the events are, and held to what was signed.

One pass over the leaves in their order, in memory of a few hundred rows.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from egide.desk.log_checkpoint import Checkpoint, Kept
from egide.desk.log_event import document, read_event
from egide.desk.log_tree import Frontier, leaf_hash
from egide.errors import CaseErased, LogError, StorageError

if TYPE_CHECKING:
    from egide.db import Connection
    from egide.desk.case_keys import CaseKey, CaseKeys
    from egide.desk.log_note import Verifier

BATCH: Final = 500
MOST_TROUBLES: Final = 100
KEYS_KEPT: Final = 1000

_LEAVES: Final = (
    "SELECT l.leaf, l.commitment, l.number, l.event AS seq, l.epoch,"
    " e.at, e.kind, e.actor, e.data, e.sealed"
    " FROM log_leaf l LEFT JOIN desk_event e ON e.number = l.number AND e.seq = l.event"
    " WHERE l.leaf > ? ORDER BY l.leaf LIMIT ?"
)
_UNLOGGED: Final = (
    "SELECT e.number, e.seq FROM desk_event e LEFT JOIN log_leaf l"
    " ON l.number = e.number AND l.event = e.seq WHERE l.leaf IS NULL ORDER BY e.at LIMIT ?"
)


@dataclass(slots=True)
class Verification:
    """What was found: how many leaves and checkpoints, and what is wrong, a line each.

    `erased` leaves are of cases whose key is destroyed: they are in the tree, and cannot be opened.
    """

    leaves: int = 0
    opened: int = 0
    erased: int = 0
    checkpoints: int = 0
    root: bytes = b""
    troubles: list[str] = field(default_factory=list)

    def note(self, trouble: str) -> None:
        """Adds what is wrong, unless there is too much already."""
        if len(self.troubles) < MOST_TROUBLES:
            self.troubles.append(trouble)


@dataclass(frozen=True, slots=True)
class _Head:
    """A signed head that the log is held to, and what it is called."""

    name: str
    checkpoint: Checkpoint


def verify(
    connection: Connection,
    keys: CaseKeys,
    verifiers: Sequence[Verifier],
    kept: Iterable[Kept],
    outside: Iterable[tuple[str, str]] = (),
) -> Verification:
    """Checks the log in a read transaction: events, leaves, hashes, checkpoints.

    `verifiers` are the log's public keys, `kept` its own checkpoints, `outside` names and notes of
    checkpoints that were kept elsewhere.
    """
    found = Verification()
    heads = _heads(found, verifiers, kept, outside)
    walk = _Pass(connection, keys, found, heads)
    walk.run()
    for number, epoch in sorted(walk.erased):
        if not _is_erasure(connection, keys, number, epoch):
            found.note(
                f"case {number}: its key is destroyed, and the log has no erasure of it: what its "
                "leaves were cannot be told"
            )
        if _stands(connection, number, epoch):
            found.note(f"case {number}: its key was to be destroyed, and still stands there")
    for number, seq in connection.execute(_UNLOGGED, (MOST_TROUBLES,)).fetchall():
        found.note(f"event {seq} of case {number} has no leaf: the log was cut, or it was put in")
    return found


def _heads(
    found: Verification,
    verifiers: Sequence[Verifier],
    kept: Iterable[Kept],
    outside: Iterable[tuple[str, str]],
) -> dict[int, list[_Head]]:
    """The checkpoints whose signatures hold, by their size."""
    heads: dict[int, list[_Head]] = defaultdict(list)
    before = 0
    for one in kept:
        name = f"checkpoint {one.seq} of {_day(one.at)}"
        head = _opened(found, name, one.note, verifiers)
        if head is not None:
            heads[head.checkpoint.size].append(head)
            if head.checkpoint.size < before:
                found.note(f"{name} is smaller than the one before it: the head was rolled back")
            before = max(before, head.checkpoint.size)
        found.checkpoints += 1
    for name, note in outside:
        head = _opened(found, name, note, verifiers)
        if head is not None:
            heads[head.checkpoint.size].append(head)
    return heads


def _opened(
    found: Verification, name: str, note: str, verifiers: Sequence[Verifier]
) -> _Head | None:
    try:
        return _Head(name, Checkpoint.opened(note, verifiers))
    except LogError as error:
        found.note(f"{name}: {error.detail}; it is forged, or the key is another")
        return None


def _is_erasure(connection: Connection, keys: CaseKeys, number: str, epoch: int) -> bool:
    """Whether the log has the event that destroyed the key of an epoch."""
    row = connection.execute(
        "SELECT l.commitment, d.document FROM log_erasure d JOIN log_leaf l ON l.number = d.number"
        " AND l.event = d.event AND l.epoch = d.epoch + 1 WHERE d.number = ? AND d.epoch = ?",
        (number, epoch),
    ).fetchone()
    if row is None:
        return False
    try:
        key = keys.key(connection, number, epoch + 1)
    except CaseErased:
        return True  # erased once more: that erasure is looked at, too
    except StorageError:
        return False
    said = str(row["document"]).encode()
    return bytes(row["commitment"]) == key.commit(said) and b'"kind":"erased"' in said


def _stands(connection: Connection, number: str, epoch: int) -> bool:
    """Whether anything is left of a key that is marked as destroyed."""
    row = connection.execute(
        "SELECT sealed FROM case_key WHERE number = ? AND epoch = ?", (number, epoch)
    ).fetchone()
    return any(bytes(row["sealed"]))


class _Pass:
    """One way through all leaves. `erased`: cases and epochs whose keys are destroyed."""

    def __init__(
        self,
        connection: Connection,
        keys: CaseKeys,
        found: Verification,
        heads: dict[int, list[_Head]],
    ) -> None:
        self._connection = connection
        self._keys = _Keys(connection, keys)
        self._found = found
        self._heads = heads
        self.erased: set[tuple[str, int]] = set()
        self._frontier = Frontier()
        self._held = 0
        """The largest size up to which a checkpoint was found to hold."""
        self._whole = True
        """Whether every leaf so far was there: without one, no root can be made."""
        self._hashed = True
        """Whether the hashes that are kept fitted so far: one change alters all above it."""

    def run(self) -> None:
        self._hold(0)
        for rows in self._batches():
            kept = self._nodes(rows[0]["leaf"], rows[-1]["leaf"])
            for row in rows:
                self._leaf(row, kept)
        self._found.root = self._frontier.root()
        for size in sorted(size for size in self._heads if size > self._found.leaves):
            for head in self._heads[size]:
                self._found.note(
                    f"{head.name} is of {size} leaves and the log has {self._found.leaves}: the "
                    "log was cut, or an older state was put in its place"
                )

    def _batches(self) -> Iterator[list[Any]]:
        last = -1
        while rows := self._connection.execute(_LEAVES, (last, BATCH)).fetchall():
            yield rows
            last = rows[-1]["leaf"]

    def _leaf(self, row: Any, kept: dict[tuple[int, int], bytes]) -> None:
        expected = self._found.leaves
        if self._whole and row["leaf"] != expected:
            gone = row["leaf"] - expected
            which = (
                f"leaf {expected} is"
                if gone == 1
                else f"leaves {expected} to {row['leaf'] - 1} are"
            )
            self._found.note(f"{which} missing; nothing signed after it can be checked")
            self._whole = False
        self._found.leaves = row["leaf"] + 1
        self._open(row)
        if not self._whole:
            return
        made = self._frontier.add(leaf_hash(bytes(row["commitment"])))
        for level, node in enumerate(made, 1):
            if self._hashed and kept.get((level, row["leaf"] >> level)) != node:
                self._hashed = False
                first = row["leaf"] >> level << level
                self._found.note(
                    f"leaves {first} to {row['leaf']} are not what they were when their hash was "
                    "kept, or the hash was changed"
                )
        self._hold(self._frontier.size)

    def _nodes(self, first: int, last: int) -> dict[tuple[int, int], bytes]:
        """The hashes that leaves first..last complete."""
        kept: dict[tuple[int, int], bytes] = {}
        for level in range(1, (last + 1).bit_length()):
            rows = self._connection.execute(
                "SELECT position, hash FROM log_node WHERE level = ? AND position BETWEEN ? AND ?",
                (level, first >> level, last >> level),
            )
            kept.update({(level, row["position"]): bytes(row["hash"]) for row in rows})
        return kept

    def _hold(self, size: int) -> None:
        for head in self._heads.get(size, ()):
            if head.checkpoint.root == self._frontier.root():
                self._held = size
            else:
                self._found.note(
                    f"{head.name} has another root: of leaves {self._held} to {size - 1} at least "
                    "one was changed since"
                )

    def _open(self, row: Any) -> None:
        name = f"leaf {row['leaf']} (event {row['seq']} of case {row['number']})"
        try:
            key = self._keys[row["number"], row["epoch"]]
        except CaseErased:
            self._found.erased += 1
            self.erased.add((row["number"], row["epoch"]))
            return
        except StorageError as error:
            self._found.note(f"{name}: {error.detail}")
            return
        said = self._said(row, key)
        if said is None:
            self._found.note(f"{name}: the event is gone, and its case was not erased")
        elif bytes(row["commitment"]) != key.commit(said):
            self._found.note(f"{name}: the event is not the one that was logged")
        else:
            self._found.opened += 1

    def _said(self, row: Any, key: CaseKey) -> bytes | None:
        """The document of a leaf's event; of an erasure also when the event itself is gone."""
        if row["at"] is not None:
            return document(read_event(row), key)
        kept = self._connection.execute(
            "SELECT document FROM log_erasure WHERE number = ? AND event = ?",
            (row["number"], row["seq"]),
        ).fetchone()
        return None if kept is None else str(kept["document"]).encode()


class _Keys:
    """The keys of the cases met last."""

    def __init__(self, connection: Connection, keys: CaseKeys) -> None:
        self._connection = connection
        self._keys = keys
        self._kept: OrderedDict[tuple[str, int], CaseKey] = OrderedDict()

    def __getitem__(self, which: tuple[str, int]) -> CaseKey:
        """The key of a case and an epoch; errors as of `CaseKeys.key`."""
        if which not in self._kept:
            self._kept[which] = self._keys.key(self._connection, *which)
            if len(self._kept) > KEYS_KEPT:
                self._kept.popitem(last=False)
        return self._kept[which]


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
