"""What happened is told, once it has happened, to those who want to hear it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from egide.bank import Home
from egide.errors import AddressRefused, StorageError, UsageError, WebhookNotFound
from egide.outbox import Outbox, State, Worker
from egide.outbox.deliveries import (
    DAY,
    LEASED_FOR,
    LONGEST_DELAY,
    SECOND,
    TRIED_FOR,
    Claimed,
    delay,
)
from tests.unit.outbox.conftest import Clock, Listener, Tell

pytestmark = pytest.mark.both_databases


@pytest.fixture
def worker(outbox: Outbox) -> Iterator[Worker]:
    made = Worker(outbox)
    yield made
    made.stop()


def states(outbox: Outbox) -> list[State]:
    return [delivery.state for delivery in outbox.deliveries.listed()]


def test_a_message_is_signed_and_sent_once(
    outbox: Outbox, worker: Worker, listener: Listener, tell: Tell, clock: Clock
) -> None:
    _, secret = outbox.add(listener.url)
    message = tell("scan.recorded", content_id="größe-1", count=2)
    worker.drain()
    worker.drain()
    (request,) = listener.requests
    assert request.path == "/hooks/secret-path"
    assert request.headers["webhook-id"] == message
    told = Verifier(secret).verify(request.body, dict(request.headers))
    assert told["type"] == "scan.recorded"
    assert told["data"] == {"content_id": "größe-1", "count": 2}
    assert told["timestamp"].endswith("Z")
    (delivery,) = outbox.deliveries.listed()
    assert (delivery.state, delivery.attempts) == (State.DELIVERED, 1)
    assert delivery.said == "it answered 204"


def test_what_waits_is_told_with_its_age(
    outbox: Outbox, worker: Worker, tell: Tell, listener: Listener, clock: Clock
) -> None:
    assert outbox.deliveries.backlog() == (0, 0, None)
    outbox.add(listener.url)
    began = outbox.now()
    tell(number=1)
    clock.pass_(60)
    tell(number=2)
    assert outbox.deliveries.backlog() == (2, 0, began)
    worker.drain()
    assert outbox.deliveries.backlog() == (0, 0, None)


def test_what_is_taken_back_is_not_told(
    home: Home, outbox: Outbox, worker: Worker, listener: Listener
) -> None:
    outbox.add(listener.url)
    with suppress(ZeroDivisionError), home.database.write(serial=False) as connection:
        assert outbox.enqueue(connection, "scan.recorded", {})
        raise ZeroDivisionError
    worker.drain()
    assert not listener.requests
    assert not outbox.deliveries.listed()


def test_each_hears_what_it_wants(
    outbox: Outbox, worker: Worker, listener: Listener, tell: Tell
) -> None:
    outbox.add(f"{listener.url}/all")
    outbox.add(f"{listener.url}/scans", ["scan.recorded", "scan.failed"])
    outbox.add(f"{listener.url}/banks", ["bank.changed"])
    tell("scan.recorded")
    worker.drain()
    paths = sorted(request.path.rpartition("/")[2] for request in listener.requests)
    assert paths == ["all", "scans"]


def test_nothing_is_kept_for_nobody(outbox: Outbox, listener: Listener, tell: Tell) -> None:
    assert tell() is None
    webhook, _ = outbox.add(listener.url, ["bank.changed"])
    assert tell() is None
    outbox.set_disabled(webhook.id, disabled=True)
    assert tell("bank.changed") is None


@pytest.mark.parametrize("type_", ["", "Scan", "scan.", ".scan", "scan recorded", "*"])
def test_what_is_no_event_is_refused(outbox: Outbox, tell: Tell, type_: str) -> None:
    with pytest.raises(ValueError, match="no type of event"):
        tell(type_)


def test_what_is_too_long_is_refused(outbox: Outbox, listener: Listener, tell: Tell) -> None:
    outbox.add(listener.url)
    with pytest.raises(ValueError, match="the limit is"):
        tell(text="x" * 300_000)


def test_both_secrets_sign_while_they_overlap(
    outbox: Outbox, worker: Worker, listener: Listener, tell: Tell, clock: Clock
) -> None:
    webhook, first = outbox.add(listener.url)
    second = outbox.rotate(webhook.id, overlap_hours=1)
    tell()
    worker.drain()
    for secret in (first, second):
        Verifier(secret).verify(listener.requests[0].body, dict(listener.requests[0].headers))
    assert outbox.webhook(webhook.id).secrets == 2
    clock.pass_(3601)
    tell()
    worker.drain()
    assert len(listener.requests[1].headers["webhook-signature"].split()) == 1
    assert outbox.rotate(webhook.id, 0) not in (first, second)
    assert outbox.webhook(webhook.id).secrets == 2


def test_neither_secrets_nor_paths_are_kept_in_clear(
    home: Home, outbox: Outbox, listener: Listener
) -> None:
    webhook, secret = outbox.add(listener.url)
    shown = json.dumps(outbox.webhook(webhook.id).to_json())
    rows = [
        tuple(row)
        for table in ("webhook", "webhook_secret")
        for row in home.database.fetch(f"SELECT * FROM {table}")
    ]
    for text in (shown, repr(rows)):
        assert "secret-path" not in text
        assert secret.removeprefix("whsec_") not in text
    assert f"127.0.0.1:{listener.port}" in shown


def test_only_allowed_addresses_are_added(outbox: Outbox) -> None:
    for url in ("http://127.0.0.1:1/hooks/", "https://10.0.0.1/", "https://user@hooks.example/"):
        with pytest.raises(AddressRefused):
            outbox.add(url)
    assert not outbox.webhooks()


@pytest.mark.parametrize("events", [[], ["Scan"], ["a b"], ["x" * 101]])
def test_only_events_are_wanted(outbox: Outbox, listener: Listener, events: list[str]) -> None:
    with pytest.raises(UsageError):
        outbox.add(listener.url, events)


def test_an_unknown_webhook_is_told(outbox: Outbox) -> None:
    for use in (
        outbox.webhook,
        outbox.remove,
        outbox.rotate,
        lambda name: outbox.set_disabled(name, disabled=True),
    ):
        with pytest.raises(WebhookNotFound, match="egide outbox webhooks"):
            use("wh_none")


# ── when it does not arrive ─────────────────────────────────────────────────────────────────────


def test_it_is_tried_for_days_and_arrives_when_they_are_back(
    outbox: Outbox, worker: Worker, listener: Listener, tell: Tell, clock: Clock
) -> None:
    outbox.add(listener.url)
    listener.status = 503
    tell(number=1)
    for _ in range(3):
        for _ in range(2 * 24):
            worker.drain()
            clock.pass_(1800)
        if len(listener.requests) > 6:
            break
    assert 6 < len(listener.requests) < 12
    assert states(outbox) == [State.WAITING]
    listener.status = 200
    clock.pass_(LONGEST_DELAY / SECOND * 1.3)
    worker.drain()
    assert states(outbox) == [State.DELIVERED]
    assert len({request.headers["webhook-id"] for request in listener.requests}) == 1


def test_it_is_given_up_after_three_days_and_can_be_replayed(
    outbox: Outbox,
    worker: Worker,
    listener: Listener,
    tell: Tell,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    webhook, _ = outbox.add(listener.url)
    listener.status = 500
    tell(number=1)
    began = clock.now
    with caplog.at_level(logging.ERROR, "egide.outbox"):
        while states(outbox) == [State.WAITING]:
            worker.drain()
            clock.pass_(3600)
    assert clock.now - began <= TRIED_FOR / SECOND + 3600
    assert "given up: it answered 500" in caplog.text
    assert outbox.deliveries.counts() == {State.WAITING: 0, State.DELIVERED: 0, State.DEAD: 1}
    sent = len(listener.requests)
    clock.pass_(3600)
    worker.drain()
    assert len(listener.requests) == sent
    listener.status = 200
    assert outbox.deliveries.replay_dead("wh_another") == 0
    assert outbox.deliveries.replay_dead(webhook.id) == 1
    worker.drain()
    assert states(outbox) == [State.DELIVERED]


def test_what_arrived_can_be_replayed(
    outbox: Outbox, worker: Worker, listener: Listener, tell: Tell
) -> None:
    outbox.add(listener.url)
    tell()
    worker.drain()
    (delivery,) = outbox.deliveries.listed()
    assert outbox.deliveries.replay([delivery.seq, delivery.seq + 1]) == [delivery.seq]
    worker.drain()
    first, second = listener.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def test_it_waits_for_as_long_as_they_ask(
    outbox: Outbox, worker: Worker, listener: Listener, tell: Tell, clock: Clock
) -> None:
    outbox.add(listener.url)
    listener.status = 429
    listener.headers = {"Retry-After": "600"}
    tell()
    worker.drain()
    clock.pass_(599)
    worker.drain()
    assert len(listener.requests) == 1
    clock.pass_(1)
    worker.drain()
    assert len(listener.requests) == 2


def test_who_is_gone_is_told_nothing_more(
    outbox: Outbox, worker: Worker, listener: Listener, tell: Tell, clock: Clock
) -> None:
    webhook, _ = outbox.add(listener.url)
    listener.status = 410
    tell()
    worker.drain()
    assert outbox.webhook(webhook.id).disabled is not None
    clock.pass_(3600)
    worker.drain()
    assert len(listener.requests) == 1
    outbox.set_disabled(webhook.id, disabled=False)
    listener.status = 200
    worker.drain()
    assert states(outbox) == [State.DELIVERED]


def test_an_address_that_leads_inside_by_now_is_tried_later(
    outbox: Outbox, worker: Worker, listener: Listener, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.add("https://hooks.example/")
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("169.254.169.254", 443))]
    )
    tell()
    worker.drain()
    (delivery,) = outbox.deliveries.listed()
    assert delivery.state is State.WAITING
    assert "not public" in delivery.said
    assert not listener.requests


def test_a_listener_that_is_away_is_told_of_in_a_word(
    outbox: Outbox, worker: Worker, listener: Listener, tell: Tell
) -> None:
    outbox.add(listener.url)
    listener.close()
    tell()
    worker.drain()
    (delivery,) = outbox.deliveries.listed()
    assert delivery.said == "ConnectionRefusedError: Connection refused"


def test_removing_a_webhook_removes_what_was_on_its_way(
    outbox: Outbox, worker: Worker, listener: Listener, tell: Tell
) -> None:
    webhook, _ = outbox.add(listener.url)
    tell()
    outbox.remove(webhook.id)
    worker.drain()
    assert not listener.requests
    assert not outbox.deliveries.listed()


@pytest.mark.parametrize("attempt", range(1, 30))
def test_delays_grow_and_differ(attempt: int) -> None:
    drawn = [delay(attempt) for _ in range(200)]
    middle = min(5 * SECOND * 4 ** (attempt - 1), LONGEST_DELAY)
    assert all(0.8 * middle <= each <= 1.2 * middle for each in drawn)
    assert len(set(drawn)) > 100


# ── several workers ─────────────────────────────────────────────────────────────────────────────


def test_no_delivery_is_claimed_twice(outbox: Outbox, listener: Listener, tell: Tell) -> None:
    webhook, _ = outbox.add(listener.url)
    for number in range(60):
        tell(number=number)
    ready = threading.Barrier(6)

    def claim() -> list[int]:
        ready.wait()
        claimed: list[int] = []
        while len(claimed) < 60:
            try:
                new = outbox.deliveries.claim(webhook.id, 3)
            except StorageError:
                continue
            if not new:
                return claimed
            claimed += [each.seq for each in new]
        return claimed

    with ThreadPoolExecutor(6) as threads:
        claims = [each.result() for each in [threads.submit(claim) for _ in range(6)]]
    everything = [seq for claimed in claims for seq in claimed]
    assert len(everything) == len(set(everything)) == 60


def test_the_deliveries_of_a_dead_worker_are_taken_over(
    outbox: Outbox, worker: Worker, listener: Listener, tell: Tell, clock: Clock
) -> None:
    webhook, _ = outbox.add(listener.url)
    tell()
    (lost,) = outbox.deliveries.claim(webhook.id, 9)
    clock.pass_(LEASED_FOR / SECOND - 1)
    worker.drain()
    assert not listener.requests
    clock.pass_(1)
    worker.drain()
    assert len(listener.requests) == 1
    # Whoever was only thought to be dead changes nothing any more.
    assert outbox.deliveries.failed(lost, "too late") is None
    assert not outbox.deliveries.delivered(lost, "too late")
    assert states(outbox) == [State.DELIVERED]


def test_what_is_being_sent_is_not_replayed(outbox: Outbox, listener: Listener, tell: Tell) -> None:
    webhook, _ = outbox.add(listener.url)
    tell()
    (claimed,) = outbox.deliveries.claim(webhook.id, 9)
    assert outbox.deliveries.replay([claimed.seq]) == []


def test_a_lease_that_is_nearly_over_is_given_back(
    outbox: Outbox, worker: Worker, listener: Listener, tell: Tell, clock: Clock
) -> None:
    webhook, _ = outbox.add(listener.url)
    tell()
    (claimed,) = outbox.deliveries.claim(webhook.id, 9)
    clock.pass_(LEASED_FOR / SECOND - 20)
    worker._deliver(claimed)
    assert not listener.requests
    worker.drain()
    assert len(listener.requests) == 1


def test_one_that_hangs_leaves_room_for_others(
    outbox: Outbox, listener: Listener, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener.seconds = 0.3
    outbox.add(f"{listener.url}/hangs")
    for number in range(9):
        tell(number=number)
    worker = Worker(outbox)
    worker.step()
    outbox.add(f"{listener.url}/another")
    tell(number=9)
    worker.step()
    worker.stop()
    paths = [request.path.rpartition("/")[2] for request in listener.requests]
    assert sorted(paths) == ["another", "hangs", "hangs", "hangs", "hangs"]
    assert listener.most_at_once == 5


def test_in_the_background_it_goes_on_by_itself(
    home: Home, outbox: Outbox, listener: Listener, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("egide.outbox.worker.POLL_SECONDS", 0.02)
    outbox.add(listener.url)
    with Worker(outbox):
        tell(number=1)
        for _ in range(500):
            if states(outbox) == [State.DELIVERED]:
                break
            threading.Event().wait(0.02)
    assert len(listener.requests) == 1


def test_many_are_sent_one_after_the_other_without_a_pause(
    outbox: Outbox, listener: Listener, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("egide.outbox.worker.POLL_SECONDS", 60)
    outbox.add(listener.url)
    for number in range(40):
        tell(number=number)
    with Worker(outbox):
        for _ in range(1500):
            if len(listener.requests) == 40:
                break
            threading.Event().wait(0.02)
    assert len(listener.requests) == 40
    assert states(outbox) == [State.DELIVERED] * 40


# ── keeping ─────────────────────────────────────────────────────────────────────────────────────


def test_what_is_done_is_removed_after_a_while(
    home: Home, outbox: Outbox, worker: Worker, listener: Listener, tell: Tell, clock: Clock
) -> None:
    outbox.add(listener.url)
    tell(number=1)
    worker.drain()
    clock.pass_(6 * DAY / SECOND)
    assert outbox.deliveries.purge() == 0
    clock.pass_(1.1 * DAY / SECOND)
    tell(number=2)
    assert outbox.deliveries.purge() == 1
    assert states(outbox) == [State.WAITING]
    assert len(home.database.fetch("SELECT id FROM message")) == 1


def test_lists_go_on_where_they_ended(outbox: Outbox, listener: Listener, tell: Tell) -> None:
    outbox.add(listener.url)
    for number in range(7):
        tell(number=number)
    seen: list[int] = []
    while page := outbox.deliveries.listed(before=seen[-1] if seen else None, most=3):
        seen += [delivery.seq for delivery in page]
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 7
    assert outbox.deliveries.listed(State.DEAD) == []


def test_what_cannot_be_noted_is_noted_when_the_database_is_back(
    outbox: Outbox,
    worker: Worker,
    listener: Listener,
    tell: Tell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It arrived: nobody else takes it for undelivered, and it is not sent again."""
    monkeypatch.setattr("egide.outbox.worker.POLL_SECONDS", 0.01)
    outbox.add(listener.url)
    tell()
    away = iter([StorageError("away"), StorageError("away"), None])
    delivered = outbox.deliveries.delivered

    def unsteady(claimed: Claimed, said: str) -> bool:
        if (error := next(away)) is not None:
            raise error
        return delivered(claimed, said)

    monkeypatch.setattr(outbox.deliveries, "delivered", unsteady)
    worker.drain()
    assert outbox.deliveries.counts()[State.DELIVERED] == 1
    assert len(listener.requests) == 1
    assert next(away, "none left") == "none left"


def test_a_worker_that_stops_does_not_wait_for_the_database(
    outbox: Outbox,
    worker: Worker,
    listener: Listener,
    tell: Tell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    webhook, _ = outbox.add(listener.url)
    tell()
    (claimed,) = outbox.deliveries.claim(webhook.id, 1)

    def away(*_: object) -> None:
        raise StorageError("away")

    monkeypatch.setattr(outbox.deliveries, "delivered", away)
    worker.stop()
    worker._deliver(claimed)
    assert len(listener.requests) == 1
