"""Runs the server: one process, or several on one socket."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from egide.errors import UsageError
from egide.web.metrics import FOLDER
from egide.web.protocol import GuardedProtocol, allow_connections, most_connections

if TYPE_CHECKING:
    from egide.web.settings import ServeSettings

GRACE_SECONDS: Final = 30
KEEP_ALIVE_SECONDS: Final = 15
BACKLOG: Final = 1024
MEMORY: Final = "/dev/shm"  # noqa: S108  a folder of ours is made in it


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; UsageError when none can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        opened = socket.socket(family, kind, protocol)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise UsageError(f"cannot listen on {host}:{port}: {said}; give another --port") from error
    opened.set_inheritable(True)
    return opened


def serve(settings: ServeSettings, opened: socket.socket) -> bool:
    """Serves on a socket until SIGTERM or Ctrl-C, having answered what was under way.

    False when it could not start, which was told on standard error.
    """
    settings.pass_on()
    allow_connections()
    config = uvicorn.Config(
        "egide.web.app:passed_on",
        factory=True,
        workers=settings.processes,
        loop="uvloop" if settings.processes == 1 else "egide.web.accepting:FairLoop",
        http=GuardedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        limit_concurrency=most_connections(),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    try:
        # A signal that ends them is passed on to us, and is no error of the command.
        with suppress(KeyboardInterrupt):
            if settings.processes == 1:
                uvicorn.Server(config).run([opened])
            else:
                together = Multiprocess(config, [opened])
                with _counted_together():
                    together.run()
                return all(each.exitcode != STARTUP_FAILURE for each in together.processes)
    except SystemExit:
        return False
    return True


@contextmanager
def _counted_together() -> Iterator[None]:
    """A folder by which processes put together what they count."""
    # In memory where there is some: who writes to a mapped file on a full disk is killed.
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="egide-metrics-", dir=place)
    os.environ[FOLDER] = folder
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
