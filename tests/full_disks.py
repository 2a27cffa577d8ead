"""Small disks of the tests' own, which can be filled and freed again."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

REFILL_SECONDS = 0.02
BLOCK = bytes(1 << 16)


class Disk:
    """A disk; `fill` leaves no byte on it until `free`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        self._freed = threading.Event()
        self._filling: threading.Thread | None = None

    @property
    def room(self) -> int:
        """How many bytes are free."""
        return shutil.disk_usage(self.folder).free

    def fill(self) -> None:
        """Takes all that is free, and from now on what others let go of."""
        self._freed.clear()
        self._fill()
        self._filling = threading.Thread(target=self._keep_full)
        self._filling.start()

    def free(self) -> None:
        """Lets go of it."""
        if self._filling is not None:
            self._freed.set()
            self._filling.join()
            self._filling = None
            self._ballast.unlink()

    def _keep_full(self) -> None:
        while not self._freed.wait(REFILL_SECONDS):
            self._fill()

    def _fill(self) -> None:
        with suppress(OSError):
            file = os.open(self._ballast, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
            try:
                while os.write(file, BLOCK):
                    pass
            finally:
                os.close(file)


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Disk]:
    """A file system in memory with so much room, mounted at `folder`, until the block ends."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a small disk to be filled: run this test as root")
    folder.mkdir(exist_ok=True)
    options = f"size={mebibytes}m,mode=755"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    disk = Disk(folder)
    try:
        yield disk
    finally:
        disk.free()
        subprocess.run(["umount", "--lazy", folder], check=True)
