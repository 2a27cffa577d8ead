"""How many requests a key may make: the generic cell rate algorithm (ITU-T I.371), in memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from egide.web.problems import Problem

BURST_SECONDS: Final = 2.0
"""So many seconds' worth may come at once."""
MOST_KNOWN: Final = 10_000


class RateLimit:
    """`rate` requests a second for each principal, in this process; 0 for no limit."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._due: dict[str, float] = {}

    def check(self, actor: str) -> None:
        """Counts a request of `actor`; Problem 429 with `Retry-After` when it came too early."""
        if self._rate <= 0:
            return
        now = self._clock()
        due = max(self._due.get(actor, now), now) + 1 / self._rate
        # One request is always let through after a pause, however low the rate is.
        wait = due - now - max(BURST_SECONDS, 1 / self._rate)
        if wait > 1e-9:
            raise Problem(
                429,
                f"more than {self._rate:g} requests a second with this key; ask again later",
                headers={"Retry-After": str(math.ceil(wait))},
            )
        if len(self._due) >= MOST_KNOWN:
            self._due = {known: at for known, at in self._due.items() if at > now}
        self._due[actor] = due


class Waiting:
    """How many scans wait or run in this process; a `with` block is one of them.

    Problem 503 when there are `most` already: whoever asks comes back instead of waiting for ever.
    Several that are asked for together come in together; alone they do so however many they are.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.count = 0

    @contextmanager
    def scans(self, number: int) -> Iterator[None]:
        """So many scans, until the block ends; Problem 503."""
        self._admit(number)
        try:
            yield
        finally:
            self.count -= number

    def _admit(self, number: int) -> None:
        if self.count and self.count + number > self._most:
            raise Problem(
                503,
                "too many scans are waiting; ask again in a moment",
                headers={"Retry-After": "1"},
            )
        self.count += number

    def __enter__(self) -> None:
        self._admit(1)

    def __exit__(self, *_: object) -> None:
        self.count -= 1
