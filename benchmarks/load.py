"""Load on a server: as many connections as asked for, each sending its next request when the last
was answered."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

import numpy as np
import uvloop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from multiprocessing.connection import Connection

BOUNDARY: Final = "c4f1a0b2d9e83756"
ANSWER_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Load:
    """What a load came to: seconds in all, seconds each request took, how many got which status.

    Status 0 is a connection that broke.
    """

    seconds: float
    latencies: Sequence[float]
    statuses: Mapping[int, int]

    @property
    def rate(self) -> float:
        """Requests that were answered with 200, a second."""
        return self.statuses.get(200, 0) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency, in seconds, that `share` percent of the requests stay under."""
        return float(np.percentile(self.latencies, share)) if self.latencies else float("nan")


def post(path: str, host: str, kind: str, body: bytes, key: str | None = None) -> bytes:
    """A POST request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Type: {kind}"]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def form(field: str, data: bytes, kind: str) -> tuple[str, bytes]:
    """A form with one file: its content type, and its body."""
    head = (
        f"--{BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="{field}"; filename="upload"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    body = head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    return f"multipart/form-data; boundary={BOUNDARY}", body


def drive(
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: float = float("inf"),
    count: int | None = None,
) -> Load:
    """Sends `requests` round and round to 127.0.0.1, for `seconds` or until `count` were sent.

    From a process of its own, so that nothing that measures is in its way.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_drive, args=(theirs, port, list(requests), connections, seconds, count)
    )
    process.start()
    theirs.close()  # so that its death is seen here
    load: Load = ours.recv()
    process.join()
    return load


def _drive(
    answer: Connection,
    port: int,
    requests: list[bytes],
    connections: int,
    seconds: float,
    count: int | None,
) -> None:
    numbers = iter(range(count)) if count is not None else _forever()
    latencies: list[float] = []
    statuses: Counter[int] = Counter()

    async def run() -> float:
        started = time.perf_counter()
        until = started + seconds
        await asyncio.gather(
            *(_client(port, requests, numbers, until, latencies, statuses)
              for _ in range(connections))
        )  # fmt: skip
        return time.perf_counter() - started

    took = uvloop.run(run())
    answer.send(Load(took, latencies, dict(statuses)))


async def _client(
    port: int,
    requests: list[bytes],
    numbers: Iterator[int],
    until: float,
    latencies: list[float],
    statuses: Counter[int],
) -> None:
    opened = None
    for number in numbers:
        started = time.perf_counter()
        if started >= until:
            break
        try:
            if opened is None:
                opened = await asyncio.open_connection("127.0.0.1", port)
            reader, writer = opened
            writer.write(requests[number % len(requests)])
            status, kept = await asyncio.wait_for(_answer(reader), ANSWER_SECONDS)
            latencies.append(time.perf_counter() - started)
        except (OSError, EOFError, TimeoutError):
            status, kept = 0, False
        statuses[status] += 1
        if not kept and opened is not None:
            opened[1].close()
            opened = None
    if opened is not None:
        opened[1].close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status of one answer, and whether the connection goes on; the body is thrown away."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    _, found, rest = head.partition(b"content-length:")
    if found:
        await reader.readexactly(int(rest.partition(b"\r\n")[0]))
    return status, bool(found) and b"connection: close" not in head


def _forever() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1
