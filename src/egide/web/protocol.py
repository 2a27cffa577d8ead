"""HTTP with a client that may mean harm: what uvicorn leaves without a limit has one here.

A head comes within its time and size, a client reads what it asked for, and of connections that
ask nothing the oldest make room. What ends early ends with an answer, or closed. Bodies have their
limits in `bodies`.
"""

from __future__ import annotations

import asyncio
import json
import resource
from asyncio import TimerHandle
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from egide.web.problems import PROBLEM_TYPE, Problem

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

HEAD_SECONDS: Final = 20.0
"""From the first byte of a request, or from connecting, to the end of its head."""
MOST_HEAD: Final = 1 << 16
"""Bytes of a head; and of all that is around a body, such as what chunks say of themselves."""
LINGER_SECONDS: Final = 30.0
"""For so long more of a body is taken that nobody wants: who is cut off sees no answer."""
MOST_QUEUED: Final = 64
"""Requests that a client may send before the first of them is answered."""
CLOSE_SECONDS: Final = 5.0
"""For so long a client may take to read the last of what was sent."""
READ_SECONDS: Final = 120.0
"""For so long a client may read nothing of an answer that is waiting for it."""
MOST_OPEN: Final = 1 << 16
_FEWEST: Final = 64

_TOLD: Final = {
    400: "this is no request that can be read; send it anew",
    408: "the head of the request did not come in time; send it again over a better line",
    431: f"the head of the request has more than {MOST_HEAD:,} bytes; send less",
}


@cache
def most_connections() -> int:
    """How many connections a process may have; the rest of its descriptors is for its own files.

    Over it a request is answered by 503.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(_FEWEST, min(soft, MOST_OPEN) * 3 // 4)


def most_idle() -> int:
    """How many of them may ask nothing."""
    return most_connections() * 2 // 3


def allow_connections() -> None:
    """Has the system allow this process as many open files as it may have, up to `MOST_OPEN`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN)
    if soft < wanted:
        with suppress(ValueError, OSError):  # a system that has another limit still
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which trusts its clients to be there, with limits."""

    idle: ClassVar[dict[GuardedProtocol, None]] = {}
    """Connections of this process that have no request, those that came first first."""
    open_count: ClassVar[int] = 0
    """How many connections this process has."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._in_head = False
        self._whole = True
        self._apart = 0
        self._said_close = False
        self._answering: RequestResponseCycle | None = None
        self._head_timer: TimerHandle | None = None
        self._end_timer: TimerHandle | None = None
        self._write_timer: TimerHandle | None = None

    # ── of the connection ───────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for a head."""
        super().connection_made(transport)
        GuardedProtocol.open_count += 1
        self._wait_for_head()
        self._is_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets go of all timers."""
        GuardedProtocol.open_count -= 1
        self.idle.pop(self, None)
        for timer in (self._head_timer, self._end_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        if self._answering is not None and not self._answering.response_complete:
            # Of several requests in a row the base class knows the last.
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes the next bytes, unless they are too many for what they are."""
        if self.transport.is_closing():
            return
        self._apart += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._apart > MOST_HEAD:
            self._refuse(431 if self._in_head else 400)
        elif self._in_head or (self._whole and not self._under_way):
            self._wait_for_head()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keeps the connection when an answer to all that was sent is still to come."""
        awaited = self._whole and self._under_way
        if awaited:
            self.cycle.keep_alive = False
        return awaited

    def pause_writing(self) -> None:
        """The client does not read as fast as is written."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read some."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing more was asked."""
        self._end()

    # ── of a request ────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        self._in_head, self._whole = True, False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; what comes after a body is none, whatever it is called."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The end of a head, which must be one that all servers read alike (RFC 9112, 3.2)."""
        version = self.parser.get_http_version()
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (version == "1.1" and not hosts) or version not in ("1.0", "1.1"):
            raise ValueError("one host, and HTTP/1.1 or 1.0")  # which the parser makes a 400 of
        if len(self.pipeline) >= MOST_QUEUED:
            raise ValueError("too many requests before the first was answered")
        self._in_head, self._apart = False, 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        self.idle.pop(self, None)
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering, self._said_close = cycle, False

        async def answering(scope: Any, receive: Any, send: Any) -> None:
            async def answer(message: Any) -> None:
                if message["type"] == "http.response.start" and cycle.more_body:
                    message = self._early(message)
                    keeps = cycle.keep_alive
                    await send(message)
                    # The base class would cut off who still sends: see `on_response_complete`.
                    cycle.keep_alive = keeps
                else:
                    await send(message)

            await app(scope, receive, answer)

        super()._start_asgi_task(cycle, answering)

    def _early(self, start: Any) -> Any:
        """The beginning of an answer that does not wait for the body, which says that it is the
        last: else the next request would be on its way when the connection is closed.
        """
        self._said_close = True
        return {**start, "headers": [*start.get("headers", ()), (b"connection", b"close")]}

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._apart = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        self._whole, self._apart = True, 0
        super().on_message_complete()
        if self.cycle.response_complete:
            self._end()  # its body was not waited for; what comes next would be

    def on_response_complete(self) -> None:
        """Waits for the next request, or a little for the end of a body that was not read."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()  # the base class goes on reading what it has to queue
        if not self.cycle.response_complete:
            return
        if self._said_close and self._whole:
            self._end()
        elif self._whole:
            self._is_idle()
        else:
            self._end_timer = self.loop.call_later(LINGER_SECONDS, self._end)

    def _unsupported_upgrade_warning(self) -> None:
        """Answers as if nothing else had been asked for; nothing more can be read after that."""
        self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  said in our words
        """What came is no HTTP."""
        self._refuse(400)

    # ── what ends it ────────────────────────────────────────────────────────────────────────────

    @property
    def _under_way(self) -> bool:
        """Whether the last request that came is still to be answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_head(self) -> None:
        """Gives the next head its time, from now on, unless it has it already."""
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._late)

    def _late(self) -> None:
        self._head_timer = None
        if self._under_way:
            self._wait_for_head()  # an answer is still to come
        elif self._in_head:
            self._refuse(408)
        else:
            self._end()

    def _refuse(self, status: int) -> None:
        """Says why, unless that would stand within another answer, and closes."""
        if not self._under_way:
            document = Problem(status, _TOLD[status]).document("")
            body = json.dumps(document).encode()
            head = (
                f"content-type: {PROBLEM_TYPE}\r\ncontent-length: {len(body)}\r\n"
                "connection: close\r\n\r\n"
            )
            self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self._end()

    def _end(self) -> None:
        if self.transport.is_closing():
            return
        self.transport.close()
        # Closing waits until all is sent: not for ever, for a client that reads nothing.
        self._end_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def _is_idle(self) -> None:
        """Counts this connection among those that ask nothing; the oldest makes room."""
        self.idle[self] = None
        if len(self.idle) > most_idle():
            oldest = next(iter(self.idle))
            del self.idle[oldest]
            oldest._end()  # noqa: SLF001  of this class
