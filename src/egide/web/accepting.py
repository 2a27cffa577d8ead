"""How several processes that listen on one socket share out the connections that come."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING, Any, Final

import uvloop

from egide.web.protocol import GuardedProtocol

if TYPE_CHECKING:
    from collections.abc import Callable

YIELD_SECONDS: Final = 20e-6
"""For each connection that it has, so long a process leaves a new one to those that have fewer."""
MOST_YIELDED: Final = 20
_PAUSE_SECONDS: Final = 1.0
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class FairLoop(uvloop.Loop):
    """uvloop, with sockets from which connections are taken one at a time, after some delay.

    By itself the process that wakes first takes most: of a platform that opens its connections
    together, and keeps them, one process could get all, and the others would have nothing to do.
    """

    async def create_server(self, protocol_factory: Any, *given: Any, **options: Any) -> Any:
        """Listens on the socket `sock` in our way, on all else in that of uvloop."""
        opened = options.get("sock")
        if opened is None:
            return await super().create_server(protocol_factory, *given, **options)
        return _Listener(self, protocol_factory, opened)


class _Listener:
    """Takes connections from a socket that listens, until it is closed."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        factory: Callable[[], asyncio.BaseProtocol],
        opened: socket.socket,
    ) -> None:
        self._loop = loop
        self._factory = factory
        self._socket = opened
        self._beginning: set[asyncio.Task[None]] = set()
        self._closed = False
        opened.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Takes no more; the socket is its owner's."""
        self._closed = True
        self._loop.remove_reader(self._socket.fileno())

    async def wait_closed(self) -> None:
        """Waits for connections that have just been taken to be set up."""
        await asyncio.gather(*self._beginning)

    def _listen(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._socket.fileno(), self._accept)

    def _accept(self) -> None:
        if held := GuardedProtocol.open_count:
            sleep(min(held, MOST_YIELDED) * YIELD_SECONDS)
        try:
            taken, _ = self._socket.accept()
        except OSError as error:  # another process was faster, or the client has gone
            if error.errno in _EXHAUSTED:
                self._loop.remove_reader(self._socket.fileno())
                self._loop.call_later(_PAUSE_SECONDS, self._listen)
            return
        task = self._loop.create_task(self._begin(taken))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    async def _begin(self, taken: socket.socket) -> None:
        with suppress(OSError):  # it has gone already
            taken.setblocking(False)
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(self._factory, taken)
            return
        taken.close()
