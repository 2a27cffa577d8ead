"""What the figures were measured on."""

from __future__ import annotations

import ctypes
import gc
import hashlib
import os
import platform
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from egide import _kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = (
    "egide", "threatexchange", "faiss-cpu", "pdqhash", "numpy", "pillow", "simplejpeg", "av",
    "msgspec", "blake3", "picklescan",
    "better-profanity", "alt-profanity-check", "glin-profanity",
)  # fmt: skip


def describe() -> dict[str, str]:
    """Processor, cores, memory, system, Python and the version of every package measured."""
    kernel = Path(_kernel.__file__ or "").read_bytes()
    versions = {name: _version(name) for name in PACKAGES}
    versions["egide"] += f" (kernel {hashlib.sha256(kernel).hexdigest()[:8]})"
    return {
        "processor": _field("/proc/cpuinfo", "model name"),
        "instructions": " ".join(
            flag
            for flag in ("avx2", "avx512bw", "avx512_vpopcntdq")
            if flag in _field("/proc/cpuinfo", "flags").split()
        ),
        "cores": str(os.cpu_count()),
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.1f} GiB",
        "system": f"{_field('/etc/os-release', 'PRETTY_NAME')}, Linux {platform.release()}",
        "python": platform.python_version(),
        **versions,
    }


def load() -> str:
    """Load average of the last minute: over 1, something else was running too."""
    return f"{os.getloadavg()[0]:.1f}"


@contextmanager
def cores(count: int) -> Iterator[None]:
    """Keeps this process and the children it starts on the last `count` cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[-count:]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def resident() -> int:
    """Bytes of memory this process holds now; what it has freed is given back before."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(_field("/proc/self/status", "VmRSS").split()[0]) * 1024


def resident_peak() -> int:
    """The most bytes of memory this process has held since `forget_peak`."""
    return int(_field("/proc/self/status", "VmHWM").split()[0]) * 1024


def forget_peak() -> None:
    """Makes `resident_peak` count from here."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _field(file: str, name: str) -> str:
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        key, _, value = line.replace("=", ":", 1).partition(":")
        if key.strip() == name:
            return value.strip().strip('"')
    return "unknown"
