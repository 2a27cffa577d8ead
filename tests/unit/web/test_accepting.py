"""A process leaves connections to those that have fewer, so that each gets its share of them."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from egide.web import accepting
from egide.web.accepting import YIELD_SECONDS, FairLoop
from egide.web.protocol import GuardedProtocol
from egide.web.serving import listening

WAITING = 3
MOST_TURNS = 100_000


class Taken(asyncio.Protocol):
    """What is taken: in which turn of the loop, and over which transport."""

    def __init__(self, note: Callable[[Any], None]) -> None:
        self._note = note

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._note(transport)


def turns_of(loop: asyncio.AbstractEventLoop, wait: float = 0) -> list[int]:
    """In which turns of `loop` it takes connections that wait, each answered to its client."""

    async def run() -> list[int]:
        turn, turns = 0, []

        def note(transport: Any) -> None:
            transport.write(b"hello")
            turns.append(turn)

        with ExitStack() as stack:
            opened = stack.enter_context(listening("127.0.0.1", 0))
            clients = [
                stack.enter_context(socket.create_connection(opened.getsockname(), 10))
                for _ in range(WAITING)
            ]
            server = await loop.create_server(lambda: Taken(note), sock=opened)
            while len(turns) < WAITING and turn < MOST_TURNS:
                await asyncio.sleep(wait)
                turn += 1
            await asyncio.sleep(0.01)
            assert [client.recv(9) for client in clients] == [b"hello"] * WAITING
            server.close()
            await server.wait_closed()
        return turns

    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()


def test_connections_are_taken_one_at_a_time() -> None:
    assert len(set(turns_of(FairLoop()))) == WAITING


def test_who_has_many_leaves_them_to_others_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("egide.web.accepting.sleep", slept.append)
    for held in (0, 1, 7, 20, 5_000):
        slept.clear()
        monkeypatch.setattr(GuardedProtocol, "open_count", held)
        turns_of(FairLoop())
        assert slept[:WAITING] == [min(held, 20) * YIELD_SECONDS] * (WAITING if held else 0)


@contextmanager
def no_file_to_be_had() -> Iterator[None]:
    """As when this process has all the files that it may have."""
    next_ = os.dup(0)
    os.close(next_)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_that_has_no_file_left_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "_PAUSE_SECONDS", 0.01)
    asked: list[int] = []
    begun = accepting._Listener._accept

    def limited(listener: accepting._Listener) -> None:
        asked.append(0)
        if len(asked) == 1:
            with no_file_to_be_had():
                begun(listener)
        else:
            begun(listener)

    monkeypatch.setattr(accepting._Listener, "_accept", limited)
    assert len(turns_of(FairLoop(), 0.001)) == WAITING
    assert len(asked) > WAITING


def test_nothing_is_taken_once_it_is_closed() -> None:
    async def run() -> None:
        with listening("127.0.0.1", 0) as opened:
            taken: list[Any] = []
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: Taken(taken.append), sock=opened)
            server.close()
            with socket.create_connection(opened.getsockname()):
                await asyncio.sleep(0.05)
            await server.wait_closed()
            assert taken == []

    loop = FairLoop()
    loop.run_until_complete(run())
    loop.close()


def test_other_servers_are_as_uvloop_makes_them() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        assert server.sockets
        server.close()
        await server.wait_closed()

    loop = FairLoop()
    loop.run_until_complete(run())
    loop.close()
