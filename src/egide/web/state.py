"""All that one serving process has open, and how it is opened and closed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from anyio.to_thread import current_default_thread_limiter
from fastapi import Request
from starlette.concurrency import run_in_threadpool

from egide.bank import Home
from egide.bank.home import BANK_NAME
from egide.bank.open_banks import OpenBanks
from egide.content import Previews, Sources
from egide.desk.desk import Desk
from egide.desk.means import PURPOSES
from egide.desk.settings import DeskSettings
from egide.errors import EgideError, StorageError, UsageError
from egide.identity import Identity
from egide.match import Purpose
from egide.outbox import Outbox, Worker
from egide.records import Answers, Hosted, Ledger, Records
from egide.web.fetching import Fetching
from egide.web.limits import RateLimit, Waiting
from egide.web.logs import log, place
from egide.web.problems import Problem
from egide.web.threads import Threads
from egide.web.upload import Spool
from egide.web.workers import Workers

if TYPE_CHECKING:
    from egide.bank import Bank
    from egide.db import Connection
    from egide.web.metrics import Metrics
    from egide.web.settings import ServeSettings

T = TypeVar("T")

THREADS: Final = 8
"""For what waits for the database: each has a connection of its own."""
QUICK_THREADS: Final = 4
PICTURE_THREADS: Final = 4
REFRESH_SECONDS: Final = 1.0
PRUNE_SECONDS: Final = 600.0
TICK_SECONDS: Final = 1.0
"""So much later than it should something of the desk takes effect."""


class Service:
    """What the routes work with. Opened once in a process, within its event loop."""

    def __init__(self, settings: ServeSettings, metrics: Metrics) -> None:
        self.settings = settings
        self.home = Home(settings.home)
        database = self.home.database
        self.identity = Identity(database, self.home.path)
        self.spool = Spool(self.home.path)
        self.banks = OpenBanks(self.home)
        _check_library(self.banks, settings.library)
        self.answers = Answers(database)
        self.records = Records(database, settings.retention_days)
        self.hosted = Hosted(database)
        self.rate = RateLimit(settings.rate)
        self.waiting = Waiting(settings.queue)
        self.quick = Threads(QUICK_THREADS)
        """For looking something up that is asked for all the time, whatever else waits."""
        self.pictures = Threads(PICTURE_THREADS)
        """For pictures shown to reviewers: a content source may take half a minute for one."""
        self.sources = Sources.from_environment()
        self.fetching = Fetching(self.sources, self.spool, settings.max_upload)
        self.workers = Workers(settings, OpenBanks(self.home, settings.banks, PURPOSES), self.spool)
        self.previews = Previews(self.workers.pool)
        self._plain = Ledger(database, serial=False)
        self._serial = Ledger(database, serial=True)
        self.outbox = Outbox(database, self.identity.secret)
        self._worker = Worker(self.outbox)
        self.desk = Desk(
            database,
            self.identity,
            self.outbox,
            self.hosted,
            self.home,
            DeskSettings.from_environment(settings.url),
            banks=self.banks,
        )
        self.metrics = metrics
        self.stopping = False

    async def write(self, work: Callable[[Connection], T], *, serial: bool = False) -> T:
        """What `work` returns once it is on the disk; see `Ledger.write`."""
        return await (self._serial if serial else self._plain).write(work)

    def library(self) -> Bank:
        """The bank that hosted content is remembered in, made when it is not there.

        Problem 503 when a bank of that name has another purpose: what is hosted is not to be
        blocked, or let through.
        """
        bank = self.banks.made(self.settings.library, Purpose.LIBRARY)
        if bank.purpose is not Purpose.LIBRARY:
            raise Problem(
                503,
                "the bank that would remember it has another purpose, and nothing was stored; have "
                "the administrator name another as --library",
            )
        return bank

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keeps the index fresh and forgets what is old, until the block ends; then closes all."""
        current_default_thread_limiter().total_tokens = THREADS
        tasks = [
            asyncio.create_task(self._every(REFRESH_SECONDS, self._refresh)),
            asyncio.create_task(self._every(REFRESH_SECONDS, self._measure)),
            asyncio.create_task(self._every(TICK_SECONDS, self._tick)),
            asyncio.create_task(self._every(PRUNE_SECONDS, self._prune)),
        ]
        self._worker.__enter__()
        try:
            yield
        finally:
            self.stopping = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await run_in_threadpool(self._close)

    def measured(self) -> bytes:
        """What is counted, in Prometheus' text format."""
        self._measure()
        with contextlib.suppress(StorageError):  # what else is counted is still told
            self.metrics.outbox(self.outbox.deliveries.backlog(), self.outbox.now())
        return self.metrics.text()

    def _measure(self) -> None:
        self.metrics.pool(self.workers.state(), self.waiting.count)

    def _close(self) -> None:
        self._worker.stop()
        self.fetching.close()
        self.workers.close()
        self._plain.close()
        self._serial.close()
        self.identity.close()
        self.home.close()

    async def _every(self, seconds: float, work: Callable[[], None]) -> None:
        """Does `work` again and again; whatever goes wrong is logged, and tried again."""
        while True:
            try:
                await run_in_threadpool(work)
            except EgideError as error:
                log.warning("housekeeping.failed", error=type(error).__name__)
            except Exception as error:  # noqa: BLE001  without it decisions would take no effect
                log.error("housekeeping.failed", error=type(error).__name__, where=place(error))
            await asyncio.sleep(seconds)

    def _refresh(self) -> None:
        for bank in self.banks.all():
            bank.refresh()

    def _tick(self) -> None:
        self.desk.tick()

    def _prune(self) -> None:
        prunes = (
            self.records.prune,
            self.answers.prune,
            self.hosted.prune,
            self.desk.prune,
            self.desk.upkeep,
        )
        for prune in prunes:
            with contextlib.suppress(StorageError):  # told by the next request that needs it
                prune()


def _check_library(banks: OpenBanks, name: str) -> None:
    """UsageError when what is hosted cannot be remembered in the bank called `name`."""
    there = next((bank.purpose for bank in banks.all() if bank.name == name), Purpose.LIBRARY)
    if name in PURPOSES or there is not Purpose.LIBRARY:
        purpose = PURPOSES.get(name, there)
        raise UsageError(
            f"--library {name}: this bank's purpose is {purpose}, and that of the bank that "
            "remembers what is hosted is library; name another"
        )
    if not BANK_NAME.fullmatch(name):
        raise UsageError(
            f"--library {name}: this cannot be a bank's name; use up to 64 lower-case letters, "
            "digits, dots, hyphens and underscores, beginning with a letter or digit"
        )


def service_of(request: Request) -> Service:
    """The service that answers `request`."""
    service: Any = request.app.state.service
    return service  # type: ignore[no-any-return]
