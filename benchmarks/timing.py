"""How time is taken."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

P = ParamSpec("P")
R = TypeVar("R")


def in_turns(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of processor time that each of `calls` takes, over `rounds` of them all.

    Taken in turns, so that a busy moment of the machine falls on all alike. Processor time, since
    everything timed so runs on one thread and waits for nothing: on an idle machine it is the time
    on the clock, on a busy one it leaves out what other programs took.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            taken[name].append(processor_seconds(call))
    return {name: median(seconds) for name, seconds in taken.items()}


def processor_seconds(call: Callable[[], object]) -> float:
    """Seconds of processor time of one call."""
    started = time.process_time()
    call()
    return time.process_time() - started


def clock_seconds(call: Callable[[], object]) -> float:
    """Seconds on the clock of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def in_child(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What `function` returns in a fresh process, whose memory is then free again."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


class Ran(NamedTuple):
    """A command that has ended: seconds by the clock and of processor time, its exit code, and the
    most bytes of memory it held."""

    seconds: float
    processor: float
    code: int
    memory: int


_LAUNCHER: Final = """
import os, sys, time
null = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_RDWR, 0) for n in range(3)]
started = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=null)
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, status >> 8, usage.ru_maxrss)
"""
"""Starts the command from a small process: Linux counts the memory of the one that starts it."""


def run(command: Sequence[str], env: Mapping[str, str] | None = None) -> Ran:
    """Runs `command`, a path and arguments, with its output thrown away."""
    launch = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command]
    printed = subprocess.run(launch, env=env, check=True, capture_output=True, text=True).stdout
    seconds, processor, code, kilobytes = printed.split()
    return Ran(float(seconds), float(processor), int(code), int(kilobytes) * 1024)
