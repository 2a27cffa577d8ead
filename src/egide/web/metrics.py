"""What is counted, for Prometheus: requests, verdicts, what waits. No names, no contents."""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 60)
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


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

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an answer; status 0 when the client went away first."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def verdict(self, kind: str, action: str, *, complete: bool) -> None:
        """Counts a verdict; `complete` unless something was skipped or could not be read."""
        self._verdicts.labels(kind, action, str(complete).lower()).inc()

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        if not os.environ.get(FOLDER):
            return generate_latest(self._registry)
        everywhere = CollectorRegistry()
        MultiProcessCollector(everywhere)  # type: ignore[no-untyped-call]
        return generate_latest(everywhere)
