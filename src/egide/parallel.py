"""One function over many items on several threads, results in the order of the items."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

IN_FLIGHT: Final = 4
"""Items a thread has waiting: one slow item does not make the others stand still."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(function: Callable[[T], R], items: Iterable[T], jobs: int | None) -> Iterator[R]:
    """`function` of each item, in order, on `jobs` threads (all cores when None).

    Streaming: items are taken only as fast as results are, so memory does not grow with their
    number. What `function` raises is raised in its turn.
    """
    jobs = jobs or cores()
    if jobs == 1:
        yield from map(function, items)
        return
    source = iter(items)
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="egide")
    try:
        pending: deque[Future[R]] = deque(
            pool.submit(function, item) for item in islice(source, jobs * IN_FLIGHT)
        )
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in islice(source, 1))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
