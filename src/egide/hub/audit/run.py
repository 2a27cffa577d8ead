"""Reads dumps and judges their listings, on several processes, in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from egide.errors import EgideError, ItemError
from egide.hub.audit.row import Kept, Source, Unread, rows_of
from egide.hub.audit.tally import Tally
from egide.hub.gazetteer import Gazetteer
from egide.hub.gazetteer_sample import open_gazetteer
from egide.hub.pseudonyms import Pseudonyms
from egide.item import Item
from egide.parallel import cores
from egide.record_file import Raw
from egide.sniff import Kind
from egide.source import files_in, may_hold_records, records_in

BATCH: Final = 512
BATCH_BYTES: Final = 4 << 20
IN_FLIGHT: Final = 3
"""Batches a process has waiting."""


class Audit(NamedTuple):
    """The outcome of an audit, complete or not."""

    tally: Tally
    dumps: tuple[str, ...]
    gazetteer: int | None
    """How many people were looked for; None without a gazetteer."""


def audit(
    paths: Iterable[str | os.PathLike[str]],
    gazetteer: str | None = None,
    *,
    jobs: int | None = None,
    sample: int = 0,
    seed: str = "",
    excerpts: bool = False,
) -> Audit:
    """Every listing in the dumps at `paths` counted, on `jobs` processes (all cores).

    A dump is a file of records, compressed or not, or a folder of such files and of model cards.
    What cannot be read is counted, never fatal; GazetteerError for a gazetteer that is none. The
    result is the same on any number of processes.
    """
    dumps = tuple(os.fspath(path) for path in paths)
    tally = Tally(sample, seed)
    people = None if gazetteer is None else len(open_gazetteer(gazetteer))
    for kept in kept_of(dumps, gazetteer, jobs=jobs, excerpts=excerpts):
        tally.add(kept)
    return Audit(tally, tuple(Path(dump).name for dump in dumps), people)


def kept_of(
    dumps: Iterable[str],
    gazetteer: str | None = None,
    *,
    jobs: int | None = None,
    excerpts: bool = False,
    register: Pseudonyms | None = None,
) -> Iterator[Kept]:
    """What is kept of every listing, in order, streaming.

    With `register`, rows hold what the registry keeps of them under these pseudonyms.
    """
    batches = _batches(records_of(dumps))
    jobs = jobs or cores()
    prepared = gazetteer, excerpts, register
    if jobs == 1:
        _prepare(*prepared)
        for batch in batches:
            yield from _judge(batch)
        return
    # Spawned, not forked: the parent may have threads.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _prepare, prepared)
    try:
        waiting: deque[Future[list[Kept]]] = deque(
            pool.submit(_judge, batch) for batch in islice(batches, jobs * IN_FLIGHT)
        )
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(pool.submit(_judge, batch) for batch in islice(batches, 1))
            yield from done
    except BrokenProcessPool as error:
        raise EgideError(
            "a process that judges listings was ended from outside; give it more memory, or "
            "fewer --jobs"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def records_of(dumps: Iterable[str]) -> Iterator[Source]:
    """Every record of `dumps`, not parsed, with the file it is from."""
    for dump in dumps:
        if Path(dump).is_dir():
            for item in files_in(dump):
                if item.problem is not None or item.kind is Kind.LISTING or may_hold_records(item):
                    yield from _records(item)
        else:
            yield from _records(Item.from_path(dump))


def _records(item: Item) -> Iterator[Source]:
    try:
        if item.problem is not None:
            raise item.problem
        if item.kind is Kind.LISTING:
            yield Source(item.ref, Raw(item.read(BATCH_BYTES), 1))
            return
        with records_in(item) as raws:
            for raw in raws:
                yield Source(item.ref, raw)
    except ItemError as error:
        yield Source(item.ref, Raw(b"", 0, error))


def _batches(records: Iterator[Source]) -> Iterator[list[Source]]:
    """Records in portions that are worth a message between processes."""
    batch: list[Source] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.raw.data)
        if len(batch) == BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


# In every process that judges: what was prepared once.
_prepared: tuple[Gazetteer | None, bool, Pseudonyms | None] = (None, False, None)


def _prepare(gazetteer: str | None, excerpts: bool, register: Pseudonyms | None) -> None:
    global _prepared  # noqa: PLW0603  what a process is prepared with has nowhere else to be
    people = None if gazetteer is None else open_gazetteer(gazetteer)
    _prepared = (people, excerpts, register)


def _judge(batch: list[Source]) -> list[Kept]:
    gazetteer, excerpts, register = _prepared
    return rows_of(batch, gazetteer, excerpts=excerpts, register=register)


__all__ = ["Audit", "Unread", "audit", "kept_of", "records_of"]
