"""Where uploads are read: in confined processes, while this one goes on answering."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from egide.detector import DetectorSettings, load_detectors
from egide.errors import ItemError
from egide.item import Item
from egide.parallel import cores
from egide.policy_file import load_policy
from egide.sandbox import Pool, PoolState, SandboxLimits
from egide.scan import Scanner
from egide.sniff import Kind
from egide.verdict import Action, Verdict

if TYPE_CHECKING:
    from egide.bank.open_banks import OpenBanks
    from egide.fingerprint import Fingerprint
    from egide.policy import Policy
    from egide.web.settings import ServeSettings
    from egide.web.upload import Spool

T = TypeVar("T")

SHORT_BYTES: Final = 1024
"""Texts of up to this size are screened where they came: for most it takes less than the way to a
worker and back, and a few milliseconds for the worst.
"""

MEDIA: Final = frozenset({Kind.IMAGE, Kind.VIDEO})


class Examined(NamedTuple):
    """The verdict on an item, and its fingerprints if they were asked for."""

    verdict: Verdict
    fingerprints: tuple[Fingerprint, ...] = ()


class Workers:
    """Gives verdicts and fingerprints, a thread for each confined process."""

    def __init__(self, settings: ServeSettings, banks: OpenBanks, spool: Spool) -> None:
        limits = SandboxLimits.from_environment()
        count = settings.workers or limits.workers or max(1, cores() // settings.processes)
        policy = load_policy(settings.policy)
        self.pool = Pool(
            banks.screened,
            policy=policy,
            threshold=settings.threshold,
            options={} if settings.gazetteer is None else {"gazetteer": settings.gazetteer},
            home=spool.folder.parent,
            readable=[spool.folder],
            limits=replace(limits, workers=count),
        )
        self._texts = _text_scanner(settings, policy)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="scan")

    async def examine(self, item: Item, *, remember: bool) -> Examined:
        """The verdict on `item`; with `remember` its fingerprints, unless it must not be hosted."""
        if self._texts is not None and self.reads_here(item):
            return Examined(self._texts.scan(item))
        return await self._run(lambda: self._examined(item, remember))

    def reads_here(self, item: Item) -> bool:
        """Whether it is a short text, which nothing else is answered beside."""
        return self._texts is not None and item.kind is Kind.TEXT and item.size <= SHORT_BYTES

    async def fingerprints(self, item: Item, *, local: bool) -> tuple[Fingerprint, ...]:
        """What a bank keeps of a picture or video; ItemError."""
        return await self._run(lambda: self.pool.fingerprints(item, local=local))

    def state(self) -> PoolState:
        """What the processes are doing."""
        return self.pool.state()

    def close(self) -> None:
        """Ends them when they have done what they do."""
        self._threads.shutdown()
        self.pool.close()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _examined(self, item: Item, remember: bool) -> Examined:
        verdict = self.pool.scan(item)
        hosted = verdict.action not in (Action.BLOCK, Action.ESCALATE)
        if not (remember and hosted and item.kind in MEDIA):
            return Examined(verdict)
        try:
            return Examined(verdict, self.pool.fingerprints(item))
        except ItemError:
            return Examined(verdict)  # which tells the error already


def _text_scanner(settings: ServeSettings, policy: Policy) -> Scanner | None:
    """The scanner of short texts; None when a detector of others reads texts too.

    Ours read characters, with nothing compiled that a text could break. Others may do anything.
    """
    options = {} if settings.gazetteer is None else {"gazetteer": settings.gazetteer}
    detectors = load_detectors(DetectorSettings(home=settings.home, options=options))
    readers = [detector for detector in detectors if Kind.TEXT in detector.kinds]
    if any(not type(detector).__module__.startswith("egide.") for detector in readers):
        return None
    scanner = Scanner(readers, policy)
    scanner.scan(Item.from_bytes(b"A text."))  # what it loads is not waited for by a request
    return scanner
