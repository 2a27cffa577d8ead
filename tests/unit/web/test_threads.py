"""A crowd that asks for one thing holds up nobody who asks for another."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import anyio
import httpx2 as httpx
import pytest

from egide.errors import TooManyAttempts
from egide.identity.passwords import AT_ONCE
from egide.web.identity import MOST_AT_THE_DOOR
from egide.web.state import THREADS
from egide.web.threads import Threads
from tests.unit.web.conftest import Serving

ADMITTED = AT_ONCE + MOST_AT_THE_DOOR
TURNED_AWAY = 4
LONG = 60.0
"""Seconds, after which a gate opens by itself: what waits for it then has failed."""


class Gate:
    """What has to be waited for, until it is opened; `late` when nobody opened it."""

    def __init__(self) -> None:
        self.late = False
        self._opened = threading.Event()

    def pass_(self, *_: object) -> bool:
        """Waits; always False."""
        self.late |= not self._opened.wait(LONG)
        return False

    def open(self) -> None:
        """Lets all through."""
        self._opened.set()


def test_a_crowd_that_signs_in_holds_up_nothing_else(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    monkeypatch.setattr("egide.identity.signin.password_fits", gate.pass_)
    serving.text("hello")  # its key is known
    here = "http://localhost"

    def sign_in(number: int) -> httpx.Response:
        form = {"name": f"crowd-{number}", "password": "neutral words for a test"}
        return serving.client.post(f"{here}/signin", data=form, headers={"Origin": here})

    assert ADMITTED > THREADS
    with ThreadPoolExecutor(ADMITTED + TURNED_AWAY) as crowd:
        try:
            waiting: set[Future[httpx.Response]] = {
                crowd.submit(sign_in, number) for number in range(ADMITTED + TURNED_AWAY)
            }
            refused = list[httpx.Response]()
            while len(refused) < TURNED_AWAY:
                done, waiting = wait(waiting, LONG, FIRST_COMPLETED)
                refused += [each.result() for each in done]
                assert done, "nobody was turned away"
            ready = serving.client.get("/readyz")
            bank = serving.ask("GET", "/v1/banks/known")
            keyed = serving.ask(
                "POST",
                "/v1/scan",
                json={"kind": "text", "text": "hello"},
                headers={"Idempotency-Key": "beside-the-crowd"},
            )
        finally:
            gate.open()
        let_in = [each.result() for each in waiting]

    assert not gate.late
    assert {answer.status_code for answer in refused} == {429}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert "try again shortly" in refused[0].text
    assert (ready.status_code, bank.status_code, keyed.status_code) == (200, 200, 200)
    assert [answer.status_code for answer in let_in] == [401] * ADMITTED


def test_the_service_is_ready_while_all_threads_are_taken(serving: Serving) -> None:
    gate = Gate()
    portal = serving.client.portal
    assert portal is not None
    taken = [portal.start_task_soon(anyio.to_thread.run_sync, gate.pass_) for _ in range(THREADS)]
    try:
        ready = serving.client.get("/readyz")
    finally:
        gate.open()
    for each in taken:
        each.result()

    assert (ready.status_code, gate.late) == (200, False)


def test_who_finds_no_place_to_wait_is_told_at_once_and_others_get_their_turn() -> None:
    gate, returned = Gate(), list[bool]()

    async def crowd() -> None:
        threads = Threads(1, waiting=1)

        async def one() -> None:
            returned.append(await threads.run(gate.pass_))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one)
            tasks.start_soon(one)
            await anyio.lowlevel.checkpoint()
            with pytest.raises(TooManyAttempts):
                await threads.run(gate.pass_)
            gate.open()
        returned.append(await threads.run(gate.pass_))

    anyio.run(crowd)
    assert (returned, gate.late) == ([False] * 3, False)


def test_what_goes_wrong_gives_the_place_back() -> None:
    async def wrong() -> None:
        threads = Threads(1, waiting=0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await threads.run(divmod, 1, 0)

    anyio.run(wrong)
