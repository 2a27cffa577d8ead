"""Workers are processes that are killed; what they had is sent all the same, by one at a time."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from egide.bank import Home
from egide.identity.secret import open_secret
from egide.outbox import Outbox, State
from egide.outgoing import Address, AddressGuard
from tests.unit.outbox.conftest import Listener, listener

__all__ = ["listener"]

ROOT = Path(__file__).parents[2]
WORKER = """
import sys
from egide.cli import main
sys.argv = ["egide", "worker"]
main()
"""
IMPATIENT = f"""
from egide.outbox import deliveries, worker, sending
deliveries.LEASED_FOR = 2_000
worker.REQUEST_SECONDS = sending.REQUEST_SECONDS = 0.5
worker.POLL_SECONDS = 0.02
{WORKER}
"""
"""A worker whose leases end after seconds, so that the test does not take minutes."""


def outbox_of(home: Home, listener: Listener) -> Outbox:
    guard = AddressGuard((Address.parse(listener.url),))
    return Outbox(home.database, open_secret(home.database, home.path), guard)


def tell(home: Home, outbox: Outbox, number: int) -> None:
    with home.database.write(serial=False) as connection:
        outbox.enqueue(connection, "scan.recorded", {"number": number})


def worker(home: Home, listener: Listener, code: str = IMPATIENT) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "EGIDE_HOME": str(home.path),
        "EGIDE_WEBHOOK_ALLOW": listener.url,
    }
    return subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=ROOT)


def wait_until_delivered(outbox: Outbox, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (counts := outbox.deliveries.counts())[State.WAITING]:
        assert time.monotonic() < until, counts
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.both_databases
def test_nothing_is_lost_however_often_workers_are_killed(home: Home, listener: Listener) -> None:
    outbox = outbox_of(home, listener)
    outbox.add(listener.url)
    listener.seconds = 0.02
    chance = random.Random(7)
    workers = [worker(home, listener) for _ in range(2)]
    numbers = 0
    try:
        for _ in range(12):
            for _ in range(10):
                tell(home, outbox, numbers)
                numbers += 1
            time.sleep(chance.uniform(0.3, 1.2))
            victim = chance.randrange(len(workers))
            workers[victim].send_signal(signal.SIGKILL)
            workers[victim].wait()
            workers[victim] = worker(home, listener)
        wait_until_delivered(outbox, 60)
    finally:
        for process in workers:
            process.terminate()
        endings = [process.wait(timeout=30) for process in workers]
    # One that had only just been started ends before it hears of endings.
    assert set(endings) <= {0, -signal.SIGTERM}
    told = Counter(json.loads(request.body)["data"]["number"] for request in listener.requests)
    assert set(told) == set(range(numbers))
    # Twice only what a killed worker was just sending: four at once at most.
    assert sum(told.values()) - numbers <= 12 * 4
    assert outbox.deliveries.counts()[State.DELIVERED] == numbers


def test_a_worker_that_is_told_to_stop_finishes_what_it_sends(
    home: Home, listener: Listener
) -> None:
    outbox = outbox_of(home, listener)
    outbox.add(listener.url)
    listener.seconds = 0.4
    tell(home, outbox, 1)
    process = worker(home, listener, WORKER)
    until = time.monotonic() + 30
    while not listener.requests:
        assert time.monotonic() < until
        time.sleep(0.02)
    process.terminate()
    assert process.wait(timeout=30) == 0
    (delivery,) = outbox.deliveries.listed()
    assert delivery.state is State.DELIVERED
