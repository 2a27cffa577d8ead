"""A worker gives up what it does not need: memory, files, sockets, other processes."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import egide

_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG
_NOT_DUMPABLE: Final = 4  # PR_SET_DUMPABLE
MOST_FILES: Final = 128

_SYSTEM: Final = (
    # What the interpreter and C libraries read when something is imported late.
    "/usr",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/dev/null",
    "/dev/urandom",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
)


def confine(readable: Iterable[str], memory: int) -> list[str]:
    """Confines this process for good; by which means, in words that logs may show.

    `memory` is in bytes, beyond what is in use already. What the system does not have is passed
    over; OSError when it has it and refuses.
    """
    means = ["limits"]
    _limit(memory)
    if sys.platform == "linux":
        # Not at the top: these are of Linux alone.
        from egide.sandbox import landlock, seccomp  # noqa: PLC0415

        _expose_to_the_reaper()
        if landlock.restrict([*_SYSTEM, *_python(), *readable]):
            means.append("landlock")
        if seccomp.restrict():
            means.append("seccomp")
    return means


def die_with_parent(by: signal.Signals = signal.SIGKILL) -> None:
    """Has the kernel send this process a signal when the one that started it ends."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_DIE_WITH_PARENT, by, 0, 0, 0)


def _limit(memory: int) -> None:
    # No core files: there would be pictures in them.
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, MOST_FILES),
        (resource.RLIMIT_AS, _in_use() + memory),
    ):
        _, hard = resource.getrlimit(kind)
        lowest = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(ValueError):  # macOS does not take RLIMIT_AS
            resource.setrlimit(kind, (lowest, lowest))


def _in_use() -> int:
    """Bytes of address space that this process has."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return 1 << 30
    return pages * resource.getpagesize()


def _expose_to_the_reaper() -> None:
    """When memory runs out the kernel is to take a worker, and not the service."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NOT_DUMPABLE, 0, 0, 0, 0)


def _python() -> Iterable[str]:
    """Where modules come from: those that are imported late, and the files beside them."""
    yield from {sys.prefix, sys.base_prefix, *filter(os.path.isabs, sys.path)}
    yield from map(os.fspath, egide.__path__)
