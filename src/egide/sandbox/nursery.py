"""The process that workers are forked from: everything is loaded in it, and shared by them.

    python -m egide.sandbox.nursery DESCRIPTOR

It has one thread and opens no item, so that forking it is safe and takes milliseconds: a worker
that died is replaced at once, however often files that kill one are sent. Commands come over the
socket DESCRIPTOR: `S` with a socket attached starts a worker at its other end and answers with its
process id, `E` with such an id ends one and answers with how it ended, as `os.waitpid` does.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import socket
import sys
from contextlib import suppress
from typing import Final, NoReturn

from egide.errors import EgideError
from egide.sandbox.channel import Channel
from egide.sandbox.confine import die_with_parent
from egide.sandbox.messages import COMMAND_BYTES, NUMBER_BYTES, START, Settings
from egide.sandbox.worker import serve

_MOST_SETTINGS: Final = 1 << 24


def main() -> None:
    """Forks workers until the other end is closed."""
    # The service stops its workers by closing; a signal to all of its processes must not do so
    # while requests are still being answered.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)
    control = socket.socket(fileno=int(sys.argv[1]))
    channel = Channel(control)
    settings = pickle.loads(channel.receive(_MOST_SETTINGS))  # noqa: S301  from the pool
    try:
        _load(settings)
    except EgideError as error:
        channel.send(pickle.dumps(error))
        return
    channel.send(pickle.dumps(None))
    gc.collect()
    gc.freeze()  # else the first collection in each worker copies all pages
    with suppress(ConnectionError):  # the pool has gone, or waits for an answer no longer
        while command := _next(control):
            order, number, endpoint = command
            if order == START and endpoint is not None:
                answer = _start(control, endpoint, settings)
            else:
                answer = _end(number)
            control.sendall(answer.to_bytes(NUMBER_BYTES, "big", signed=True))


def _load(settings: Settings) -> None:
    """Imports and reads what scans need; UsageError when a detector cannot be made."""
    import numpy as np  # noqa: PLC0415  all of this is what the first scan would do
    import simplejpeg  # type: ignore[import-untyped]  # noqa: PLC0415

    import egide.media.video  # noqa: F401, PLC0415
    from egide.detector import DetectorSettings, load_detectors  # noqa: PLC0415
    from egide.item import Item  # noqa: PLC0415
    from egide.scan import Scanner  # noqa: PLC0415

    detectors = load_detectors(DetectorSettings((), settings.threshold, options=settings.options))
    scanner = Scanner(detectors, settings.policy)
    scanner.scan(Item.from_bytes(b"A text."))
    scanner.scan(Item.from_bytes(b'{"id": 1, "name": "A model", "modelVersions": []}'))
    grey = np.zeros((64, 64, 1), np.uint8)
    scanner.scan(Item.from_bytes(simplejpeg.encode_jpeg(grey, colorspace="GRAY")))


def _next(control: socket.socket) -> tuple[bytes, int, socket.socket | None] | None:
    """The next command; None when the pool is gone."""
    message, descriptors, _, _ = socket.recv_fds(control, COMMAND_BYTES, 1)
    if len(message) < COMMAND_BYTES:
        return None
    endpoint = socket.socket(fileno=descriptors[0]) if descriptors else None
    return message[:1], int.from_bytes(message[1:], "big"), endpoint


def _start(control: socket.socket, endpoint: socket.socket, settings: Settings) -> int:
    process = os.fork()
    if process == 0:
        _work(control, endpoint, settings)
    endpoint.close()
    return process


def _work(control: socket.socket, endpoint: socket.socket, settings: Settings) -> NoReturn:
    status = 1
    try:
        die_with_parent()
        control.close()
        serve(endpoint, settings)
        status = 0
    except BrokenPipeError:  # the pool has gone
        status = 0
    except BaseException:  # noqa: BLE001  nothing may return to the nursery's own work
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(BaseException):
            sys.stderr.flush()
        os._exit(status)


def _end(process: int) -> int:
    """Kills a worker that may have ended by itself; how it ended, 0 for one that is not ours."""
    try:
        ended, status = os.waitpid(process, os.WNOHANG)
        if not ended:
            os.kill(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
    except (ChildProcessError, ProcessLookupError):
        return 0
    return status


if __name__ == "__main__":
    main()
