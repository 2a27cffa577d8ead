"""Takes the listings out of a request as they were sent: what is in them, workers read.

Built as Python's objects, a listing takes up to forty times its bytes, and seconds of a process
that is to answer others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import msgspec

from egide.web.problems import Problem

MOST_PARTS: Final = 1 << 17
"""Values in a request, its listings left out: of texts and what is said of them."""
_PARTS: Final = (b'"', b"{", b"[", b",")
_PART: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[{\[,]', re.DOTALL)


class _Listing(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    listing: msgspec.Raw
    content_id: msgspec.Raw = msgspec.Raw(b"null")


def outlined(item: bytes) -> tuple[bytes, bytes | None]:
    """One item as JSON with an empty listing, and the bytes of its listing if it has one.

    What is not as it must be is left as it is, for whoever says so. Problem 413 when it has more
    parts than can be looked at.
    """
    light, listing = _without(item)
    _check_parts(light)
    return light, listing


def outlined_batch(body: bytes, most: int) -> tuple[bytes, Sequence[bytes | None]]:
    """The same for the items of a batch; of more than `most`, those after the next are left out."""
    try:
        items = msgspec.json.decode(body, type=_batch(most)).items
    except (ValueError, RecursionError):
        _check_parts(body)
        return body, [None] * most
    raw = (bytes(getattr(items, name)) for name in items.__struct_fields__)
    parted = [_without(each) for each in raw if each]
    light = b'{"items":[%s]}' % b",".join(each for each, _ in parted)
    _check_parts(light)
    return light, [listing for _, listing in parted]


@lru_cache(maxsize=4)
def _batch(most: int) -> Any:
    # As fields, of which there are so many, where a list would be built to its end.
    fields = [(f"item{number}", msgspec.Raw, msgspec.Raw()) for number in range(most + 1)]
    items = msgspec.defstruct("_Items", fields, array_like=True)
    return msgspec.defstruct("_Batch", [("items", items)], forbid_unknown_fields=True)


def _without(item: bytes) -> tuple[bytes, bytes | None]:
    try:
        told = msgspec.json.decode(item, type=_Listing)
    except (ValueError, RecursionError):
        return item, None
    listing = bytes(told.listing)
    if told.kind != "listing" or listing[:1] != b"{":
        return item, None
    light = {"kind": told.kind, "listing": {}, "content_id": told.content_id}
    return msgspec.json.encode(light), listing


def _check_parts(body: bytes) -> None:
    """Problem 413 when `body` has more parts than `MOST_PARTS`; what is within strings is none."""
    if sum(map(body.count, _PARTS)) <= MOST_PARTS:
        return
    if sum(1 for _ in islice(_PART.finditer(body), MOST_PARTS + 1)) > MOST_PARTS:
        raise Problem(
            413, f"more than {MOST_PARTS:,} values, listings left out; send fewer at once"
        )
