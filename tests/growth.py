"""How long work takes, told so that chance cannot make it too long.

Processor time of the thread counts, so that other processes do not, with the garbage collector
held off: a full collection in a process with a million objects costs more than most of what is
measured here. What may still fall into a measurement (a cold cache, a slower clock) makes it longer
and never shorter, so that the shortest of a few tells what the work itself takes.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

ROUNDS: Final = 5
"""How often what took too long is measured, until it is believed."""


def in_proportion(
    work: Callable[[T], object],
    small: T,
    large: T,
    *,
    times: float,
    least: float = 0,
    spare: float = 0,
) -> None:
    """Fails unless `work(large)` takes less than `times` as long as `work(small)`, and `spare`.

    `least` is what the small one counts for at the least. Everything is in seconds. Both are
    measured next to each other, the small one on both sides of the large one: otherwise whatever
    lengthened it would forgive the large one everything.
    """
    shortest = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for each, value in enumerate((small, large, small)):
            taken, _ = seconds_of(lambda value=value: work(value))  # type: ignore[misc]
            shortest[each % 2] = min(shortest[each % 2], taken)
        allowed = times * max(shortest[0], least) + spare
        if shortest[1] < allowed:
            return
    raise AssertionError(
        f"{shortest[0]:.4f} s for the small one, {shortest[1]:.4f} s for the large one: "
        f"{allowed:.4f} s would be in proportion"
    )


def within(
    seconds: float, work: Callable[[], R], clock: Callable[[], float] = time.thread_time
) -> R:
    """What `work` returns; fails unless it takes less than `seconds` once in a few times.

    The work must be as much each time: what it keeps for later is no part of it. `clock` is
    `time.process_time` for work on several threads.
    """
    taken = []
    for _ in range(ROUNDS):
        one, result = seconds_of(work, clock)
        if one < seconds:
            return result
        taken.append(one)
    raise AssertionError(f"{min(taken):.4f} s, and {seconds} s at most was allowed")


def seconds_of(
    work: Callable[[], R], clock: Callable[[], float] = time.thread_time
) -> tuple[float, R]:
    """How long `work` takes by `clock` when nothing is collected meanwhile, and what it returns."""
    with uncollected():
        began = clock()
        result = work()
        return clock() - began, result


@contextmanager
def uncollected() -> Iterator[None]:
    """Holds the garbage collector off, where it is on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
