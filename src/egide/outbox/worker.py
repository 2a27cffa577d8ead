"""Sends what is due, as often as it takes. Any number of workers share the work."""

from __future__ import annotations

import http.client
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Final, Self, TypeVar

from egide.errors import AddressRefused, StorageError
from egide.outbox.deliveries import HOUR, LONGEST_DELAY, SECOND, Claimed, State
from egide.outbox.outbox import Outbox, Sent
from egide.outbox.sending import REQUEST_SECONDS, Answered, post
from egide.outbox.signing import headers_of

T = TypeVar("T")

POLL_SECONDS: Final = 1.0
THREADS: Final = 8
MOST_TO_ONE: Final = 4
"""Requests at once to one webhook: one that hangs leaves threads for the others."""

_log: Final = logging.getLogger(__name__)
_GONE: Final = 410
_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "egide"}


class Worker:
    """Sends the messages of `outbox`; `with` runs it in the background.

    A delivery is one worker's at a time. One that is killed loses its deliveries to the others when
    their leases end; what it had sent by then is sent twice, under the same `webhook-id`.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="outbox")
        self._running: dict[str, set[Future[None]]] = {}
        self._purged = 0
        self._loop = threading.Thread(target=self.run, name="outbox")

    def run(self) -> None:
        """Sends until `stop` is called; errors of the database are waited out."""
        while not self._stop.is_set():
            try:
                self.step()
            except StorageError as error:
                _log.warning("the outbox waits for the database: %s", error)
            except Exception:  # noqa: BLE001  a bug must not stop what others wait for
                _log.exception("a step of the outbox failed; it goes on")
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()

    def stop(self) -> None:
        """Takes nothing more; what is being sent is sent, which takes half a minute at most."""
        self._stop.set()
        self._wake.set()
        if self._loop.ident is not None:
            self._loop.join()
        self._threads.shutdown(wait=True)

    def __enter__(self) -> Self:
        self._loop.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def step(self) -> None:
        """Begins to send what is due, as far as there are threads."""
        still = {
            webhook: {each for each in running if not each.done()}
            for webhook, running in self._running.items()
        }
        self._running = {webhook: running for webhook, running in still.items() if running}
        for webhook in self._outbox.deliveries.due_webhooks():
            running = self._running.setdefault(webhook, set())
            for claimed in self._outbox.deliveries.claim(webhook, MOST_TO_ONE - len(running)):
                sending = self._threads.submit(self._deliver, claimed)
                running.add(sending)
                sending.add_done_callback(lambda _: self._wake.set())  # there is room for another
        if self._outbox.now() - self._purged > HOUR:
            self._outbox.deliveries.purge()
            self._purged = self._outbox.now()

    def drain(self) -> None:
        """Sends all that is due now and waits for it."""
        while True:
            self.step()
            waiting = [future for running in self._running.values() for future in running]
            if not waiting:
                return
            for future in waiting:
                future.result()

    def _deliver(self, claimed: Claimed) -> None:
        """Sends one message; where that cannot even be noted, the lease ends by itself."""
        deliveries = self._outbox.deliveries
        try:
            sent = self._persist(
                claimed, lambda: self._outbox.to_send(claimed.message, claimed.webhook)
            )
            # Waiting for a thread may have taken most of the lease: whoever is next has it then.
            late = self._outbox.now() + 2 * REQUEST_SECONDS * SECOND > claimed.leased
            if sent is None or late:
                self._persist(claimed, lambda: deliveries.release(claimed))
                return
            note = self._sent(claimed, sent)
            self._persist(claimed, note)
        except StorageError as error:
            _log.warning("delivery %d: %s", claimed.seq, error)
        except Exception:  # noqa: BLE001  as above: nobody looks at what a thread raised
            _log.exception("delivery %d could not be tried", claimed.seq)

    def _persist(self, claimed: Claimed, work: Callable[[], T]) -> T:
        """What `work` returns; where the database is away, once it is back.

        StorageError when it does not come back before the lease ends, or the worker stops.
        """
        while True:
            try:
                return work()
            except StorageError:
                if self._outbox.now() > claimed.leased or self._stop.wait(POLL_SECONDS):
                    raise

    def _sent(self, claimed: Claimed, sent: Sent) -> Callable[[], object]:
        """Sends one message; what is to be noted about it."""
        deliveries = self._outbox.deliveries
        try:
            answered = self._answer(sent)
        except AddressRefused as error:
            return partial(self._failed, claimed, str(error))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return partial(self._failed, claimed, _reason(error))
        said = f"it answered {answered.status}"
        if 200 <= answered.status < 300:
            return partial(deliveries.delivered, claimed, said)
        least = min((answered.retry_after or 0) * SECOND, LONGEST_DELAY)
        if answered.status == _GONE:
            return partial(self._gone, claimed, said, least)
        return partial(self._failed, claimed, said, least)

    def _gone(self, claimed: Claimed, said: str, least: int) -> None:
        """Nothing more is sent to a webhook that says so."""
        self._failed(claimed, said, least)
        _log.warning("webhook %s is gone (410); it is disabled", claimed.webhook)
        self._outbox.set_disabled(claimed.webhook, disabled=True)

    def _failed(self, claimed: Claimed, said: str, least: int = 0) -> None:
        state = self._outbox.deliveries.failed(claimed, said, least=least)
        if state is State.DEAD:
            _log.error(
                "delivery %d to webhook %s was given up: %s; see `egide outbox replay`",
                claimed.seq,
                claimed.webhook,
                said,
            )

    def _answer(self, sent: Sent) -> Answered:
        """What the other side says."""
        numeric = self._outbox.guard.resolve(sent.address)
        seconds = self._outbox.now() // SECOND
        signed = headers_of(sent.message, seconds, sent.body, sent.keys)
        return post(sent.address, numeric, sent.body, _HEADERS | signed)


def _reason(error: Exception) -> str:
    """What went wrong, in words that name no address."""
    if isinstance(error, TimeoutError):
        return f"no answer within {REQUEST_SECONDS:.0f} s"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__
