"""What `egide bank add` makes of every item, and the portions in which it is written."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from egide.item import Item
    from egide.media.embedding import Embedding
    from egide.media.picture import Limits
    from egide.registry import Registry

ADD_SECONDS: Final = 1.0
ADD_BATCH: Final = 256


class Fingerprinted(NamedTuple):
    """What became of one item: its fingerprints and models, or why there are none."""

    ref: str
    fingerprints: tuple[Any, ...]
    note: str | None
    problem: str | None
    models: tuple[int, ...] = ()


def fingerprinted(
    item: Item,
    limits: Limits,
    local: bool,
    embedding: Embedding | None,
    registry: Registry | None,
) -> Fingerprinted:
    """The fingerprints of `item`, and with a `registry` what stands for its models."""
    from egide.errors import ItemError, UnknownContent
    from egide.fingerprint import FingerprintType
    from egide.media.fingerprint import fingerprints_of
    from egide.sniff import Kind

    try:
        if item.problem is None and item.kind not in (Kind.IMAGE, Kind.VIDEO):
            raise UnknownContent(f"it is {item.kind}; banks take pictures and videos")
        found = fingerprints_of(item, limits, local=local, embedding=embedding)
    except ItemError as error:
        return Fingerprinted(item.ref, (), None, str(error))
    types = {f.type for f in found}
    note = None
    if FingerprintType.PDQ not in types:
        note = (
            "too little detail for PDQ: found by its local fingerprint and as an identical file"
            if FingerprintType.LOCAL in types
            else "too little detail: only identical files will be found"
        )
    return Fingerprinted(item.ref, found, note, None, _models(item, registry))


def _models(item: Item, registry: Registry | None) -> tuple[int, ...]:
    """What stands for the models that `item` names; nothing without a registry."""
    from egide.provenance.trace import models_named

    return () if registry is None else registry.digests(models_named(item))


def in_batches(results: Iterable[Fingerprinted]) -> Iterator[list[Fingerprinted]]:
    """Groups results for one transaction: a second's worth, so that each costs one disk sync."""
    batch: list[Fingerprinted] = []
    since = time.monotonic()
    for result in results:
        batch.append(result)
        if len(batch) >= ADD_BATCH or time.monotonic() - since > ADD_SECONDS:
            yield batch
            batch, since = [], time.monotonic()
    if batch:
        yield batch
