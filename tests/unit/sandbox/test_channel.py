"""Messages arrive whole or not at all, and waiting for them ends."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.sandbox.channel import Channel


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """Both ends of a connection: ours, and the other side's."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    yield channel, theirs
    channel.close()
    theirs.close()


Ends = tuple[Channel, socket.socket]


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 5_000_000])
def test_a_message_arrives_as_it_was_sent(ends: Ends, size: int) -> None:
    ours, theirs = ends[0], Channel(ends[1])
    message = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    sending = threading.Thread(target=ours.send, args=(message,))
    sending.start()
    assert theirs.receive(size) == message
    sending.join()


def test_one_that_is_too_long_is_not_read(ends: Ends) -> None:
    ours, theirs = ends
    theirs.sendall(b"\xff\xff\xff\xff")
    with pytest.raises(ValueError, match="4,294,967,295 bytes, the limit is 1,000"):
        ours.receive(1000)


@pytest.mark.parametrize("said", [b"", b"\0", b"\0\0\0\5", b"\0\0\0\5four"])
def test_the_end_within_a_message_is_told(ends: Ends, said: bytes) -> None:
    ours, theirs = ends
    theirs.sendall(said)
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(EOFError):
        ours.receive(1000)


def test_waiting_ends_although_bytes_keep_coming(ends: Ends) -> None:
    ours, theirs = ends
    stop = threading.Event()

    def drip() -> None:
        theirs.sendall(b"\0\0\1\0")
        while not stop.wait(0.05):
            theirs.sendall(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        ours.receive(1000, began + 0.4)
    stop.set()
    dripping.join()
    assert time.monotonic() - began < 3


def test_sending_ends_although_nobody_reads(ends: Ends) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        ends[0].send(b"x" * 10_000_000, began + 0.2)
    assert time.monotonic() - began < 3


def test_what_is_over_is_not_waited_for(ends: Ends) -> None:
    with pytest.raises(TimeoutError):
        ends[0].receive(1000, time.monotonic() - 1)


@given(st.binary(max_size=40), st.integers(0, 40))
def test_whatever_comes_is_a_message_or_an_error(said: bytes, most: int) -> None:
    one, other = socket.socketpair()
    ours = Channel(one)
    try:
        other.sendall(said)
        other.close()
        message = ours.receive(most)
    except (EOFError, ValueError):
        return
    finally:
        ours.close()
        other.close()
    assert said[:4] == len(message).to_bytes(4, "big")
    assert said[4:].startswith(message)
    assert len(message) <= most
