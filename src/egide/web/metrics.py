"""What is counted, for Prometheus: requests, verdicts, what waits. No names, no contents.

Numbers that go up and down are set anew before they are shown; of several processes each sets its
own every second, and they are added up.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

if TYPE_CHECKING:
    from egide.outbox.deliveries import Backlog
    from egide.sandbox import PoolState

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 60)
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


_TURNOVER: Final = ("started", "lost", "overdue")
_Mode = Literal["livesum", "livemax", "mostrecent"]


class Metrics:
    """The counters of one process, or, with FOLDER set, of all that serve together."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "egide_requests_total",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "egide_request_seconds",
            "How long requests took.",
            ["route"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._verdicts = Counter(
            "egide_verdicts_total",
            "Verdicts given.",
            ["kind", "action", "complete"],
            registry=self._registry,
        )

        self._waiting = self._gauge("egide_scans_under_way", "Scans that wait or run.")
        self._processes = self._gauge(
            "egide_sandbox_processes", "Processes that read uploads.", ["state"]
        )
        self._queued = self._gauge("egide_sandbox_waiting", "Items that no process is free for.")
        self._turnover = Counter(
            "egide_sandbox_turnover_total",
            "Processes that read uploads: started, lost (died), overdue (killed for time).",
            ["what"],
            registry=self._registry,
        )
        self._confined = self._gauge(
            "egide_sandbox_confined", "By what they are confined.", ["by"], "livemax"
        )
        self._deliveries = self._gauge(
            "egide_outbox_deliveries", "Messages that were not delivered.", ["state"], "mostrecent"
        )
        self._oldest = self._gauge(
            "egide_outbox_oldest_seconds", "For how long the oldest waits.", mode="mostrecent"
        )
        self._before: tuple[int, ...] = (0, 0, 0)
        self._lock = Lock()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an answer; status 0 when the client went away first."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def verdict(self, kind: str, action: str, *, complete: bool) -> None:
        """Counts a verdict; `complete` unless something was skipped or could not be read."""
        self._verdicts.labels(kind, action, str(complete).lower()).inc()

    def pool(self, state: PoolState, under_way: int) -> None:
        """Sets what the processes that read uploads are doing; `under_way` scans wait or run."""
        self._waiting.set(under_way)
        self._processes.labels("busy").set(state.busy)
        self._processes.labels("idle").set(state.workers - state.busy)
        self._queued.set(state.waiting)
        now = (state.started, state.lost, state.overdue)
        with self._lock:
            for what, count, before in zip(_TURNOVER, now, self._before, strict=True):
                self._turnover.labels(what).inc(max(0, count - before))
            self._before = tuple(map(max, now, self._before))
        for means in state.confined:
            self._confined.labels(means).set(1)

    def outbox(self, backlog: Backlog, now: int) -> None:
        """Sets what was not delivered, at `now` in milliseconds since 1970."""
        self._deliveries.labels("waiting").set(backlog.waiting)
        self._deliveries.labels("dead").set(backlog.dead)
        since = now if backlog.oldest is None else backlog.oldest
        self._oldest.set(max(0, now - since) / 1000)

    def _gauge(
        self, name: str, told: str, labels: Sequence[str] = (), mode: _Mode = "livesum"
    ) -> Gauge:
        return Gauge(name, told, labels, registry=self._registry, multiprocess_mode=mode)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        folder = os.environ.get(FOLDER)
        if not folder:
            return generate_latest(self._registry)
        _forget_dead(Path(folder))
        everywhere = CollectorRegistry()
        MultiProcessCollector(everywhere)  # type: ignore[no-untyped-call]
        return generate_latest(everywhere)


def _forget_dead(folder: Path) -> None:
    """Removes what processes that have ended had set; what they counted stays."""
    for path in folder.glob("gauge_live*_*.db"):
        process = path.stem.rpartition("_")[2]
        with suppress(ValueError, PermissionError):
            try:
                os.kill(int(process), 0)
            except ProcessLookupError:
                mark_process_dead(int(process))  # type: ignore[no-untyped-call]
