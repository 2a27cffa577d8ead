"""The hashes that hubs know a model's file by, all in one reading of it.

| name | of what |
|---|---|
| `SHA256` | the whole file |
| `AutoV1` | 64 KiB at 1 MiB: SHA-256, the first 8 digits |
| `AutoV2` | the whole file: SHA-256, the first 10 digits |
| `AutoV3` | what follows the header of a safetensors file, which is the tensors alone: SHA-256 |
| `BLAKE3` | the whole file |

`AutoV3` stays the same when names, descriptions or dates in the header are taken out or changed: it
finds re-uploads. It is given in full; hubs show its first 12 digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import blake3

from egide.errors import ItemError, TruncatedItem
from egide.hub.safetensors import header_length
from egide.item import Item
from egide.sniff import HEAD_BYTES, ModelFormat, sniff_model

if TYPE_CHECKING:
    from io import BufferedIOBase

AUTOV1_AT: Final = 0x100000
AUTOV1_BYTES: Final = 0x10000
AUTOV3_SHOWN: Final = 12
"""Digits of AutoV3 that hubs show, and so the most that two of them can be compared by."""

_BLOCK: Final = 1 << 20
_AHEAD: Final = 4


def model_hashes(item: Item) -> dict[str, str]:
    """The hashes of the file in `item` by their names, in lower-case hexadecimal.

    The file is read once, in blocks; each hash has a thread of its own, so that two processor cores
    take as long as the slowest, SHA-256, does alone. AutoV1 is left out of files that end before
    it, AutoV3 of files that are not safetensors or have a header that cannot be true.

    Raises ItemError when the file cannot be read.
    """
    if item.problem is not None:
        raise item.problem
    with item.opened() as stream:
        body = _body(stream, item.size)
        whole, tensors, blake = hashlib.sha256(), hashlib.sha256(), blake3.blake3()
        window = bytearray()
        at = 0
        with ExitStack() as running:
            threads = [running.enter_context(ThreadPoolExecutor(1, "egide-hash")) for _ in range(3)]
            for block, pending in _blocks(stream):
                pending.append(threads[0].submit(whole.update, block))
                if body is not None:
                    rest = block[max(0, body - at) :]
                    pending.append(threads[1].submit(tensors.update, rest))
                pending.append(threads[2].submit(blake.update, block))
                window += block[max(0, AUTOV1_AT - at) : max(0, AUTOV1_AT + AUTOV1_BYTES - at)]
                at += len(block)
    if at != item.size:
        raise TruncatedItem(f"it had {item.size:,} bytes and has {at:,}; is it being written?")
    digest = whole.hexdigest()
    hashes = {"AutoV2": digest[:10], "SHA256": digest, "BLAKE3": blake.hexdigest()}
    if window:
        hashes["AutoV1"] = hashlib.sha256(window).hexdigest()[:8]
    if body is not None:
        hashes["AutoV3"] = tensors.hexdigest()
    return hashes


def _blocks(stream: BinaryIO) -> Iterator[tuple[memoryview, list[Future[object]]]]:
    """The blocks of `stream`, each with a list to put in what is under way with it.

    When that is done the block's memory is used again: fresh memory costs as much as hashing.
    """
    buffers: list[tuple[bytearray, list[Future[object]]]] = [
        (bytearray(_BLOCK), []) for _ in range(_AHEAD)
    ]
    for buffer, pending in cycle(buffers):
        _finish(pending)
        size = cast("BufferedIOBase", stream).readinto(buffer)
        if not size:
            break
        yield memoryview(buffer)[:size], pending
    for _, pending in buffers:
        _finish(pending)


def _finish(pending: list[Future[object]]) -> None:
    while pending:
        pending.pop().result()


def _body(stream: BinaryIO, size: int) -> int | None:
    """Where the tensors of a safetensors file begin; None in other files. Leaves it rewound."""
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    if sniff_model(head) is not ModelFormat.SAFETENSORS:
        return None
    try:
        return 8 + header_length(head[:8], size, most=size)
    except ItemError:
        return None
