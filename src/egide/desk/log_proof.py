"""Proofs that a person can take along: that an event of her case is in the log, and since when.

Files are those of C2SP: tlog-proof for an event, and for the growth of the log from one checkpoint
to another what tlog-witness hands to a witness. Whoever checks them needs the log's public key and
nothing else of the desk.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from egide.desk.case_keys import commitment
from egide.desk.log_checkpoint import Checkpoint
from egide.desk.log_event import SCHEMA, document
from egide.desk.log_note import Verifier, unbase64
from egide.desk.log_tree import HASH_BYTES, extends, included, leaf_hash
from egide.errors import LogError

if TYPE_CHECKING:
    from egide.db import Connection
    from egide.desk.case_keys import CaseKeys
    from egide.desk.events import Event
    from egide.desk.log import Log

HEADER: Final = "c2sp.org/tlog-proof@v1"
MOST_PROOF: Final = 100_000
MOST_HASHES: Final = 64
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That leaf `index` of the tree of a checkpoint commits to an event.

    `event` is its document and `opening` what shows that the commitment is to it (`log_event`).
    """

    event: bytes
    opening: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    @classmethod
    def of(
        cls, connection: Connection, keys: CaseKeys, log: Log, event: Event, checkpoint: Checkpoint
    ) -> Self:
        """The proof for an event; CaseErased, LogError when the checkpoint is older than it."""
        found = log.leaf(connection, event.case, event.seq)
        if found is None or found[0] >= checkpoint.size:
            raise LogError(
                f"event {event.seq} of case {event.case} is not among the {checkpoint.size} leaves "
                "of the checkpoint; sign another by `egide desk log checkpoint`"
            )
        leaf, epoch = found
        key = keys.key(connection, event.case, epoch)
        said = document(event, key)
        path = tuple(log.inclusion(connection, leaf, checkpoint.size))
        return cls(said, key.opening(said), leaf, path, checkpoint.note)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The proof in a file; LogError when it is none."""
        head, note = _parts(text)
        lines = head.split("\n")
        if len(lines) < 3 or lines[0] != HEADER:
            raise _no_proof()
        extra, index = _after("extra", lines[1]), _after("index", lines[2])
        if not _NUMBER.fullmatch(index):
            raise _no_proof()
        try:
            said = json.loads(unbase64(extra))
            event, opening = said["event"].encode(), bytes.fromhex(said["opening"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise _no_proof() from None
        return cls(event, opening, int(index), _hashes(lines[3:]), note)

    def text(self) -> str:
        """The file."""
        extra = json.dumps({"event": self.event.decode(), "opening": self.opening.hex()})
        lines = [
            HEADER,
            f"extra {base64.b64encode(extra.encode()).decode()}",
            f"index {self.index}",
            *(base64.b64encode(each).decode() for each in self.path),
        ]
        return "\n".join(lines) + f"\n\n{self.checkpoint}"

    def check(self, verifiers: Sequence[Verifier]) -> tuple[dict[str, Any], Checkpoint]:
        """What the event is, and the checkpoint by which it was in the log; LogError."""
        checkpoint = Checkpoint.opened(self.checkpoint, verifiers)
        leaf = leaf_hash(commitment(self.event, self.opening))
        if included(leaf, self.index, checkpoint.size, self.path) != checkpoint.root:
            raise LogError(
                "the proof does not lead from this event to the checkpoint; one of both was changed"
            )
        try:
            said = json.loads(self.event)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or said.get("schema") != SCHEMA:
            raise LogError(f"the proof is not of an event ({SCHEMA})")
        return said, checkpoint


@dataclass(frozen=True, slots=True)
class GrowthProof:
    """That the log of a checkpoint grew out of one that had `old` leaves."""

    old: int
    path: tuple[bytes, ...]
    checkpoint: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The proof in a file; LogError when it is none."""
        head, note = _parts(text)
        lines = head.split("\n")
        old = _after("old", lines[0])
        if not _NUMBER.fullmatch(old):
            raise _no_proof()
        return cls(int(old), _hashes(lines[1:]), note)

    def text(self) -> str:
        """The file."""
        lines = [f"old {self.old}", *(base64.b64encode(each).decode() for each in self.path)]
        return "\n".join(lines) + f"\n\n{self.checkpoint}"

    def check(self, verifiers: Sequence[Verifier], before: Checkpoint) -> Checkpoint:
        """The checkpoint that the log of `before` grew to; LogError."""
        after = Checkpoint.opened(self.checkpoint, verifiers)
        if before.size != self.old or not extends(
            before.size, before.root, after.size, after.root, self.path
        ):
            raise LogError(
                f"the log of {after.size} leaves did not grow out of the one of {before.size}"
            )
        return after


def is_growth(text: str) -> bool:
    """Whether the file promises a proof of growth, and not one of an event."""
    return text.startswith("old ")


def _parts(text: str) -> tuple[str, str]:
    head, blank, note = text.partition("\n\n")
    if len(text) > MOST_PROOF or not blank:
        raise _no_proof()
    return head, note


def _after(word: str, line: str) -> str:
    before, blank, rest = line.partition(" ")
    if before != word or not blank:
        raise _no_proof()
    return rest


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    hashes = tuple(unbase64(line) for line in lines)
    if len(hashes) > MOST_HASHES or any(len(each) != HASH_BYTES for each in hashes):
        raise _no_proof()
    return hashes


def _no_proof() -> LogError:
    return LogError("this is no proof of the log; give the file as it was written")
