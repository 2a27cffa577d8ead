"""The progress bar: on standard error, on a terminal, once it takes more than a second.

None is drawn when standard output is a pipe: whoever reads there writes to the same terminal, and
what it wrote onto the line of the bar would be taken away with the bar.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from egide.source import count_files
from egide.verdict import Verdict

if TYPE_CHECKING:
    from rich.progress import Progress

T = TypeVar("T")

_DELAY = 1.0


class ProgressBar:
    """Counts what is done; draws nothing unless standard error is a terminal.

    `paths` are counted meanwhile, for the share and the time that is left. `listing` tells that
    standard output gets a line for every item: on a terminal these are progress enough.
    """

    def __init__(self, paths: Iterable[str], *, listing: bool) -> None:
        self._paths = list(paths)
        self._wanted = sys.stderr.isatty() and not _is_crossed(listing)
        self._since = time.monotonic()
        self._done = 0
        self._total: int | None = None
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        if self._wanted:
            threading.Thread(target=self._count, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def track(self, results: Iterable[T]) -> Iterator[T]:
        """`results`, counted as they pass."""
        for result in results:
            self._done += 1
            if self._wanted:
                self._draw()
            yield result

    @contextmanager
    def paused_for(self, verdict: Verdict) -> Iterator[None]:
        """Takes the bar off the terminal while the block writes there, if it is going to.

        A clean item prints nothing in a table: the bar is left alone for it.
        """
        if self._bar is None or not sys.stdout.isatty() or verdict.plain:
            yield
            return
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()

    def _count(self) -> None:
        self._total = count_files(self._paths)

    def _draw(self) -> None:
        seconds = time.monotonic() - self._since
        rate = f"{self._done / seconds:,.0f}/s" if seconds else ""
        if self._bar is not None:
            task = self._bar.task_ids[0]
            self._bar.update(task, completed=self._done, total=self._total, rate=rate)
        elif seconds >= _DELAY:
            self._bar = _new_bar()
            self._bar.add_task("scan", completed=self._done, total=self._total, rate=rate)
            self._bar.start()


def _is_crossed(listing: bool) -> bool:
    """Whether standard output writes across a bar: a line for every item, or through a pipe."""
    if sys.stdout.isatty():
        return listing
    try:
        return stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):  # closed, or no file
        return False


def _new_bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # what is printed meanwhile goes where it was to go
    )
