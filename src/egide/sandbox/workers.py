"""The service's side of a worker, and of the nursery that forks them."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Final, NamedTuple

from egide.errors import SandboxError
from egide.sandbox.answering import Asked
from egide.sandbox.channel import Channel
from egide.sandbox.messages import (
    END,
    MOST_SAID,
    NUMBER_BYTES,
    START,
    Answer,
    Drawn,
    Judged,
    Printed,
    Ready,
    Refused,
    Settings,
    unpacked,
)

_START_SECONDS: Final = 60.0
_ORDER_SECONDS: Final = 60.0
_PASSED_ON: Final = (
    "EGIDE_HOME",
    "EGIDE_MAX_",
    "EGIDE_SSCD_MODEL",
    "EGIDE_C2PA_TRUST",
    "EGIDE_SEMANTIC",
    "EGIDE_LEXICON",
    "LANG",
    "LC_",
    "HOME",
    "PATH",
    "TZ",
)
_PASSED_ON_PYTHON: Final = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "XDG_CACHE_HOME")


class WorkerLost(Exception):
    """The worker ended, or said what no worker says, while it had an item."""


class Worker(NamedTuple):
    """A worker process; `confined` tells by what means."""

    process: int
    channel: Channel
    confined: tuple[str, ...]

    def run(self, task: bytes, asked: Asked, until: float) -> Answer:
        """The answer to a pickled task; what it asks meanwhile is answered by `asked`.

        TimeoutError when it is not done at `until`, a time of `time.monotonic`; WorkerLost. After
        either it must not be used again.
        """
        try:
            self.channel.send(task, until)
            while True:
                said = unpacked(self.channel.receive(MOST_SAID, until))
                if isinstance(said, Judged | Printed | Drawn | Refused):
                    return said
                self.channel.send(asked.answer(said), until)
        except TimeoutError:
            raise
        except (OSError, EOFError, ValueError) as error:
            raise WorkerLost(str(error)) from error


class Nursery:
    """Starts and ends workers. Thread-safe.

    The process that forks them is started anew when it has ended, or has left an order without an
    answer. UsageError when a detector cannot be made with these settings.
    """

    def __init__(self, settings: Settings, environment: dict[str, str]) -> None:
        self._settings = settings
        self._environment = environment
        self._lock = threading.Lock()
        self._control, self._process = self._begin()

    def start(self) -> Worker:
        """A new worker; SandboxError when none can be had."""
        ours, theirs = socket.socketpair()
        channel = Channel(ours)
        try:
            with theirs, self._lock:
                process = self._order(START, 0, theirs)
            until = time.monotonic() + _START_SECONDS
            ready = unpacked(channel.receive(MOST_SAID, until))
        except (OSError, EOFError, ValueError) as error:
            channel.close()
            raise SandboxError(f"no process that reads uploads can be started: {error}") from error
        if not isinstance(ready, Ready):
            channel.close()
            why = ready.detail if isinstance(ready, Refused) else "it is not confined"
            raise SandboxError(f"no process that reads uploads can be started: {why}")
        return Worker(process, channel, tuple(ready.confined))

    def end(self, worker: Worker) -> str:
        """Ends a worker in whatever state it is; in a word how it ended, empty when that is lost.

        The word is a signal's name, such as SIGSEGV, or `exit 1`.
        """
        worker.channel.close()
        try:
            with self._lock:
                status = self._order(END, worker.process, None, again=False)
        except (OSError, EOFError):
            return ""
        return _ending(status)

    def close(self) -> None:
        """Ends the nursery, and with it all workers."""
        with self._lock:
            self._stop()

    def _begin(self) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, "-P", "-m", "egide.sandbox.nursery", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=self._environment,
                start_new_session=True,  # Ctrl-C is for the service
            )
        channel = Channel(ours)
        try:
            channel.send(pickle.dumps(self._settings))
            problem = pickle.loads(  # noqa: S301  the nursery opens no item
                channel.receive(1 << 20, time.monotonic() + _START_SECONDS)
            )
        except (OSError, EOFError) as error:
            _end_process(ours, process)
            raise SandboxError(
                "the process that forks workers did not start; see what it wrote on standard error"
            ) from error
        if problem is not None:
            _end_process(ours, process)
            raise problem
        return ours, process

    def _order(
        self, order: bytes, number: int, endpoint: socket.socket | None, *, again: bool = True
    ) -> int:
        """Has the nursery do something; the number it answers. Started anew, once, if it failed."""
        message = order + number.to_bytes(NUMBER_BYTES, "big")
        try:
            self._control.settimeout(_ORDER_SECONDS)
            descriptors = [] if endpoint is None else [endpoint.fileno()]
            socket.send_fds(self._control, [message], descriptors)
            answer = self._control.recv(NUMBER_BYTES, socket.MSG_WAITALL)
            if len(answer) < NUMBER_BYTES:
                raise EOFError("the process that forks workers has ended")
        except (OSError, EOFError):
            # An answer that comes late would be taken for the one to the next order.
            self._control.close()
            if not again:
                raise
            self._stop()
            self._control, self._process = self._begin()
            return self._order(order, number, endpoint, again=False)
        return int.from_bytes(answer, "big", signed=True)

    def _stop(self) -> None:
        _end_process(self._control, self._process)


def _end_process(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    control.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ending(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def environment_of_workers(seconds: float) -> dict[str, str]:
    """What of this process's environment workers see: no addresses of databases, no secrets.

    Decoding a video ends, with what was seen so far, before the item's `seconds` are over.
    """
    passed = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_PASSED_ON) or name in _PASSED_ON_PYTHON
    }
    within = 0.8 * seconds
    try:
        given = float(passed["EGIDE_MAX_VIDEO_SECONDS"])
    except (KeyError, ValueError):
        given = within
    passed["EGIDE_MAX_VIDEO_SECONDS"] = f"{min(given, within):.3f}"
    # One item, one thread: the cores are shared by the workers.
    return passed | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
