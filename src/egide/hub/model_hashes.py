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
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Final

import blake3

from egide.errors import ItemError, TruncatedItem
from egide.hub.safetensors import header_length
from egide.item import Item
from egide.sniff import HEAD_BYTES, ModelFormat, sniff_model

AUTOV1_AT: Final = 0x100000
AUTOV1_BYTES: Final = 0x10000
AUTOV3_SHOWN: Final = 12
"""Digits of AutoV3 that hubs show, and so the most that two of them can be compared by."""

_BLOCK: Final = 1 << 21


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
        hashing: list[Future[object]] = []
        with ThreadPoolExecutor(3, thread_name_prefix="egide-hash") as pool:
            while block := stream.read(_BLOCK):  # reads while the block before is hashed
                for each in hashing:
                    each.result()
                view = memoryview(block)
                hashing = [pool.submit(whole.update, view), pool.submit(blake.update, view)]
                if body is not None:
                    hashing.append(pool.submit(tensors.update, view[max(0, body - at) :]))
                window += view[max(0, AUTOV1_AT - at) : max(0, AUTOV1_AT + AUTOV1_BYTES - at)]
                at += len(block)
            for each in hashing:
                each.result()
    if at != item.size:
        raise TruncatedItem(f"it had {item.size:,} bytes and has {at:,}; is it being written?")
    digest = whole.hexdigest()
    hashes = {"AutoV2": digest[:10], "SHA256": digest, "BLAKE3": blake.hexdigest()}
    if window:
        hashes["AutoV1"] = hashlib.sha256(window).hexdigest()[:8]
    if body is not None:
        hashes["AutoV3"] = tensors.hexdigest()
    return hashes


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
