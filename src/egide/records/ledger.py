"""Writes of many requests in one transaction: each waits for the disk, together they wait once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from egide.errors import AlreadyThere, StorageError

if TYPE_CHECKING:
    from egide.db import Connection, Database

T = TypeVar("T")

MOST_AT_ONCE: Final = 256


class _Entry(NamedTuple):
    """What one request wants to be done, and where it waits for it."""

    work: Callable[[Connection], Any]
    future: asyncio.Future[Any]


class Ledger:
    """One thread that commits what the requests of one event loop hand in.

    `serial` ledgers are for what adds or withdraws fingerprints: see `Database.write`. `close` when
    nobody hands in more.
    """

    def __init__(self, database: Database, *, serial: bool) -> None:
        self._database = database
        self._serial = serial
        self._queue: SimpleQueue[_Entry | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, once it is on the disk, or the error that kept it from there.

        `work` runs in a transaction that is not its own, and once more if another one failed in
        it: it does nothing but read and write by its connection.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_Entry(work, future))
        return await future

    def close(self) -> None:
        """Writes what was handed in, and ends."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._next()
            if batch:
                self._commit(batch)
        self._database.close()

    def _next(self) -> tuple[list[_Entry], bool]:
        """What was handed in by now, waiting for the first; and whether it was the last."""
        batch: list[_Entry] = []
        entry = self._queue.get()
        while entry is not None:
            batch.append(entry)
            if len(batch) == MOST_AT_ONCE:
                return batch, False
            try:
                entry = self._queue.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: Sequence[_Entry]) -> None:
        """Writes `batch` in one transaction; when one of it fails, each in its own."""
        try:
            with self._database.write(serial=self._serial) as connection:
                results = [entry.work(connection) for entry in batch]
        except Exception as error:  # noqa: BLE001  told to whoever handed it in
            lost = isinstance(error, StorageError) and not isinstance(error, AlreadyThere)
            if len(batch) == 1 or lost:
                _settle(batch, [error] * len(batch))
                return
            for entry in batch:
                self._commit([entry])
            return
        _settle(batch, results)


def _settle(batch: Sequence[_Entry], results: Sequence[Any]) -> None:
    """Gives every request its result, or the error that it came to, in its own thread."""

    def settle() -> None:
        for entry, result in zip(batch, results, strict=True):
            if entry.future.done():  # whoever asked has gone
                continue
            if isinstance(result, Exception):
                entry.future.set_exception(result)
            else:
                entry.future.set_result(result)

    batch[0].future.get_loop().call_soon_threadsafe(settle)
