"""What a worker is told, and what it says.

To the worker goes what pickle makes, for it trusts us. What comes from it may have been made by
whoever wrote the file that it was reading: it is MessagePack of the types below, checked against
them, and nothing in it can be made to run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from egide.fingerprint import Fingerprint, FingerprintType
from egide.item import Item
from egide.match import Purpose
from egide.policy import Policy
from egide.provenance.statements import NamedModel
from egide.verdict import Verdict

MOST_SAID: Final = 1 << 28
"""Bytes of a worker's message: a video of some hours has tens of thousands of fingerprints."""

START: Final = b"S"
END: Final = b"E"
NUMBER_BYTES: Final = 4
COMMAND_BYTES: Final = 1 + NUMBER_BYTES
"""What the nursery is told: to start a worker or end one, and which."""


class Settings(NamedTuple):
    """What all workers of a pool have in common.

    `readable` are files and folders that they may read beside Python's own; `memory` is in bytes;
    `registry` tells whether there is a home whose registry may be asked.
    """

    policy: Policy
    threshold: int
    options: dict[str, str]
    readable: tuple[str, ...]
    memory: int
    registry: bool = False


class BankView(NamedTuple):
    """What a detector knows of a bank before it asks."""

    name: str
    purpose: Purpose
    held: frozenset[FingerprintType]


class ScanTask(NamedTuple):
    """An item to give a verdict on, and the banks that may be asked."""

    item: Item
    banks: tuple[BankView, ...]


class FingerprintTask(NamedTuple):
    """An item to make fingerprints of; `local` as `fingerprints_of` has it."""

    item: Item
    local: bool


class PreviewTask(NamedTuple):
    """An item to draw a preview of; the rest as `egide.media.preview.preview` has it."""

    item: Item
    veiled: bool
    still: int


Task = ScanTask | FingerprintTask | PreviewTask


class _Message(msgspec.Struct, frozen=True, array_like=True, tag=str.lower, tag_field="message"):
    """What is said; its class is told by its first element."""


class Search(_Message, frozen=True):
    """Asks a bank, told by its number in the task, what is near."""

    bank: int
    queries: list[Fingerprint]
    threshold: int


class Align(_Message, frozen=True):
    """Asks a bank which pictures share a part with those that local features are of."""

    bank: int
    queries: list[bytes]


class Duration(_Message, frozen=True):
    """Asks a bank how long the video of an entry is."""

    bank: int
    entry: str


class Links(_Message, frozen=True):
    """Asks the registry which listings models are of."""

    models: list[NamedModel]


class Ready(_Message, frozen=True):
    """The first that a worker says: it is confined, by these means."""

    confined: list[str]


class Judged(_Message, frozen=True):
    """The answer to a ScanTask."""

    verdict: Verdict


class Printed(_Message, frozen=True):
    """The answer to a FingerprintTask."""

    fingerprints: list[Fingerprint]


class Drawn(_Message, frozen=True):
    """The answer to a PreviewTask: a JPEG."""

    jpeg: bytes


class Refused(_Message, frozen=True):
    """What cannot be done: the `code` of an ItemError, or none, and the detail."""

    code: str
    detail: str


Question = Search | Align | Duration | Links
Answer = Ready | Judged | Printed | Drawn | Refused

_DECODER: Final = msgspec.msgpack.Decoder(Question | Answer)


def packed(said: Question | Answer) -> bytes:
    """`said` as bytes."""
    return msgspec.msgpack.encode(said, enc_hook=_plain)


def unpacked(message: bytes) -> Question | Answer:
    """What `packed` was given; ValueError for anything else."""
    try:
        said: Question | Answer = _DECODER.decode(message)
    except RecursionError:
        raise ValueError("a message is nested too deeply") from None
    return said


def _plain(value: Any) -> Any:
    """What MessagePack has no type for, as something it has."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} cannot be sent")
