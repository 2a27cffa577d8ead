"""Threads that are set aside for one kind of work, so that a crowd of it holds up nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, ParamSpec, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from egide.errors import TooManyAttempts

P = ParamSpec("P")
T = TypeVar("T")

RETRY_SECONDS: Final = 5


class Threads:
    """So many calls `at_once`, beside the threads that all routes share.

    With `waiting`, no more than so many wait for their turn. Who waits holds no thread.
    """

    def __init__(self, at_once: int, waiting: int | None = None) -> None:
        self._limiter = CapacityLimiter(at_once)
        self._most = None if waiting is None else at_once + waiting
        self._count = 0

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns; TooManyAttempts at once when as many wait as may."""
        if self._most is not None and self._count >= self._most:
            raise TooManyAttempts(
                "many people ask for this at this moment; try again shortly", RETRY_SECONDS
            )
        self._count += 1
        try:
            return await run_sync(partial(work, *args, **kwargs), limiter=self._limiter)
        finally:
            self._count -= 1
