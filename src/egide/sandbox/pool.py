"""A pool of confined processes that give verdicts on what strangers upload."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from egide.errors import (
    Busy,
    DecoderDied,
    EgideError,
    ItemError,
    TooMuchTime,
    UsageError,
    item_error,
)
from egide.finding import Fault
from egide.fingerprint import DEFAULT_THRESHOLD, Fingerprint, FingerprintType
from egide.item import Item
from egide.match import Lookup
from egide.media.preview import is_preview
from egide.parallel import cores
from egide.policy import Policy
from egide.policy_file import load_policy
from egide.registry import Registry
from egide.sandbox.answering import Asked
from egide.sandbox.messages import (
    Answer,
    BankView,
    Drawn,
    FingerprintTask,
    Judged,
    PreviewTask,
    Printed,
    Refused,
    ScanTask,
    Settings,
    Task,
)
from egide.sandbox.workers import Nursery, Worker, WorkerLost, environment_of_workers
from egide.scan import SCANNER_NAME
from egide.verdict import Verdict

DEFAULT_MEMORY: Final = 2 << 30
DEFAULT_SECONDS: Final = 60.0
DEFAULT_WAIT: Final = 10.0

ITEMS_EACH: Final = 2_000
"""Items after which a worker is replaced: whatever an upload left in it does not stay for ever."""

_VARIABLES: Final[Mapping[str, tuple[str, Callable[[str], int | float]]]] = {
    "memory": ("EGIDE_SANDBOX_MEMORY", int),
    "seconds": ("EGIDE_SANDBOX_SECONDS", float),
    "wait": ("EGIDE_SANDBOX_WAIT", float),
    "workers": ("EGIDE_SANDBOX_WORKERS", int),
}

_ATTEMPTS: Final = 2
"""A worker may have been killed for what was not in the item: then another one reads it again."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What reading one upload may cost.

    Attributes:
        memory: bytes that a worker may use beyond what all of them share.
        seconds: wall-clock time for an item; the worker is killed then.
        wait: seconds for which an item waits for a worker to be free; Busy afterwards.
        workers: processes; as many as there are cores when None.
    """

    memory: int = DEFAULT_MEMORY
    seconds: float = DEFAULT_SECONDS
    wait: float = DEFAULT_WAIT
    workers: int | None = None

    @classmethod
    def from_environment(cls) -> SandboxLimits:
        """The defaults, changed by EGIDE_SANDBOX_MEMORY and so on.

        UsageError, naming the variable, for what is not a number over 0.
        """
        found: dict[str, int | float] = {}
        for field, (variable, kind) in _VARIABLES.items():
            text = os.environ.get(variable, "").strip()
            if text:
                found[field] = _positive(variable, text, kind)
        return cls(**found)  # type: ignore[arg-type]  # each has its field's kind


@dataclass(frozen=True, slots=True)
class PoolState:
    """What a pool is doing, and what it has been through.

    `busy` of `workers` have an item, `waiting` items have no worker; `lost` workers died, and
    `overdue` ones were killed because an item took too long.
    """

    workers: int
    busy: int
    waiting: int
    started: int
    lost: int
    overdue: int
    confined: tuple[str, ...]


class Pool:
    """Gives verdicts on items in worker processes. Thread-safe; to be closed, or used in `with`.

    `banks` says which banks are asked, anew for each item; workers ask them through this process,
    and have neither the database nor the index; so they do the registry of `home`, if it is given.
    `readable` are files and folders that workers may read, such as a spool of uploads. Takes a
    second or two: everything is loaded. UsageError when a detector cannot be made with `options`.
    """

    def __init__(
        self,
        banks: Callable[[], Sequence[Lookup]],
        *,
        policy: Policy | None = None,
        threshold: int = DEFAULT_THRESHOLD,
        options: Mapping[str, str] | None = None,
        home: Path | None = None,
        readable: Sequence[Path] = (),
        limits: SandboxLimits | None = None,
    ) -> None:
        self.policy = policy or load_policy()
        self.limits = limits or SandboxLimits.from_environment()
        self._banks = banks
        self._home = home
        self._registry: Registry | None = None
        self._most = self.limits.workers or cores()
        self._changed = threading.Condition()
        self._idle: list[tuple[Worker, int]] = []
        self._live = self._waiting = self._started = self._lost = self._overdue = 0
        self._confined: tuple[str, ...] = ()
        self._closed = False
        options = dict(options or {})
        files = [*readable, *map(Path, filter(None, _files_of(options)))]
        settings = Settings(
            self.policy,
            threshold,
            options,
            tuple(str(path.resolve()) for path in files),
            self.limits.memory,
            home is not None,
        )
        self._nursery = Nursery(settings, environment_of_workers(self.limits.seconds))
        try:
            self._give_back(self._borrow(time.monotonic() + self.limits.wait))
        except BaseException:
            self.close()
            raise

    # ── what it is for ──────────────────────────────────────────────────────────────────────────

    def scan(self, item: Item) -> Verdict:
        """The verdict on `item`, as `Scanner.scan` gives it. Never raises for what is in the item.

        A worker that dies of it, or takes too long, is an error in the verdict. Busy when no worker
        becomes free in time; SandboxError when no worker can be started.
        """
        banks = tuple(self._banks())
        views = tuple(map(_view, banks))
        try:
            answer = self._run(ScanTask(item, views), Asked(banks, self._registry_now))
        except ItemError as error:
            return self._unread(item, error)
        if not isinstance(answer, Judged) or answer.verdict.ref != item.ref:
            return self._unread(item, DecoderDied("its worker gave no verdict on it"))
        return replace(answer.verdict, kind=item.kind, policy=self.policy.id)

    def fingerprints(self, item: Item, *, local: bool = True) -> tuple[Fingerprint, ...]:
        """What a bank keeps of `item`, as `egide.media.fingerprint.fingerprints_of` gives it.

        ItemError when it cannot be read; Busy and SandboxError as for `scan`.
        """
        if item.problem is not None:
            raise item.problem
        match self._run(FingerprintTask(item, local), Asked(())):
            case Printed(fingerprints):
                return tuple(fingerprints)
            case Refused(code, detail):
                raise item_error(code, detail)
            case _:
                raise DecoderDied("its worker gave no fingerprints of it")

    def preview(self, item: Item, *, veiled: bool, still: int = 0) -> bytes:
        """A JPEG of what `item` shows, as `egide.media.preview.preview` draws it.

        ItemError when nothing can be shown; Busy and SandboxError as for `scan`.
        """
        if item.problem is not None:
            raise item.problem
        match self._run(PreviewTask(item, veiled, still), Asked(())):
            case Drawn(jpeg) if is_preview(jpeg, veiled=veiled):
                return jpeg
            case Refused(code, detail):
                raise item_error(code, detail)
            case _:
                raise DecoderDied("its worker gave no preview of it")

    def state(self) -> PoolState:
        """What it is doing now."""
        with self._changed:
            return PoolState(
                self._live,
                self._live - len(self._idle),
                self._waiting,
                self._started,
                self._lost,
                self._overdue,
                self._confined,
            )

    def close(self) -> None:
        """Ends all workers; items that they have are errors in their verdicts."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._changed.notify_all()
        for worker, _ in idle:
            worker.channel.close()
        self._nursery.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _registry_now(self) -> Registry | None:
        """The registry of the home, once something was put into it."""
        if self._registry is None and self._home is not None:
            self._registry = Registry.existing(self._home)
        return self._registry

    # ── workers ─────────────────────────────────────────────────────────────────────────────────

    def _run(self, task: Task, asked: Asked) -> Answer:
        """What a worker answers; DecoderDied, TooMuchTime."""
        message = pickle.dumps(task, pickle.HIGHEST_PROTOCOL)
        waits_until = time.monotonic() + self.limits.wait
        ending = ""
        for _ in range(_ATTEMPTS):
            worker, items = self._borrow(waits_until)
            until = time.monotonic() + self.limits.seconds
            try:
                answer = worker.run(message, asked, until)
            except WorkerLost:
                ending = self._drop(worker)
                with self._changed:
                    self._lost += 1
            except TimeoutError:
                self._drop(worker)
                with self._changed:
                    self._overdue += 1
                raise TooMuchTime(
                    f"over {self.limits.seconds:g} s; raise EGIDE_SANDBOX_SECONDS to wait longer"
                ) from None
            except BaseException:
                self._drop(worker)
                raise
            else:
                self._give_back((worker, items + 1))
                return answer
        told = f" with {ending}" if ending else ""
        raise DecoderDied(f"the process that was reading it ended{told}, {_ATTEMPTS} times")

    def _borrow(self, until: float) -> tuple[Worker, int]:
        """A worker for one item, with the number of items it has had."""
        with self._changed:
            self._waiting += 1
            try:
                while not self._idle and self._live >= self._most and not self._closed:
                    if not self._changed.wait(until - time.monotonic()):
                        raise Busy(
                            f"all {self._most} processes that read uploads have been at work for "
                            f"{self.limits.wait:g} s; try again later"
                        )
            finally:
                self._waiting -= 1
            if self._closed:
                raise Busy("the service is stopping; try again")
            if self._idle:
                return self._idle.pop()
            self._live += 1
        try:
            worker = self._nursery.start()
        except BaseException:
            self._forget()
            raise
        with self._changed:
            self._started += 1
            self._confined = worker.confined
        return worker, 0

    def _give_back(self, held: tuple[Worker, int]) -> None:
        worker, items = held
        with self._changed:
            if items < ITEMS_EACH and not self._closed:
                self._idle.append(held)
                self._changed.notify()
                return
        self._drop(worker)

    def _drop(self, worker: Worker) -> str:
        try:
            return self._nursery.end(worker)
        finally:
            self._forget()

    def _forget(self) -> None:
        with self._changed:
            self._live -= 1
            self._changed.notify()

    def _unread(self, item: Item, error: ItemError) -> Verdict:
        """The verdict on an item that no worker could read."""
        fault = Fault.of(SCANNER_NAME, error)
        ruling = self.policy.decide(item.kind, item.attributes, [], [fault])
        return Verdict(
            item.ref,
            item.kind,
            item.sha256,
            ruling.action,
            ruling.rule,
            self.policy.id,
            errors=(fault,),
            shadow=ruling.shadow,
        )


def _view(bank: Lookup) -> BankView:
    """What is told of `bank`; one that cannot say what it holds is asked, and then says why."""
    try:
        held = bank.held()
    except EgideError:
        held = frozenset(FingerprintType)
    return BankView(bank.name, bank.purpose, held)


def _files_of(options: Mapping[str, str]) -> tuple[str, ...]:
    """What detectors read when they are made: anew when banks, or types they hold, change."""
    named = (os.environ.get(name, "") for name in ("EGIDE_SSCD_MODEL", "EGIDE_C2PA_TRUST"))
    return options.get("gazetteer", ""), *named


def _positive(variable: str, text: str, kind: Callable[[str], int | float]) -> int | float:
    try:
        value = kind(text)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise UsageError(f"{variable} is {text[:40]!r}; give a number above 0")
    return value
