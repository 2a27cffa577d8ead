"""`egide worker`: does what the service does beside answering requests."""

from __future__ import annotations

import threading
from contextlib import suppress
from itertools import count

from egide.cli.desk import open_desk
from egide.cli.options import HomeOption, warn
from egide.errors import StorageError

TICK_SECONDS = 1.0
UPKEEP_TICKS = 600


def worker(home: HomeOption = None) -> None:
    """Send the outbox's messages and keep the desk's time until told to stop (Ctrl-C, SIGTERM).

    `egide serve` does so by itself. Any number of workers, here and on other machines, share the
    work: none of it is done by two at once, and what a killed one had is taken over in two minutes.
    """
    # Leaving the block finishes what is being sent. An end that comes while it begins is one too.
    with suppress(KeyboardInterrupt):
        from egide.outbox import Worker

        with open_desk(home) as desk, Worker(desk.book.outbox):
            pause = threading.Event()
            for number in count():
                try:
                    desk.tick()
                    if number % UPKEEP_TICKS == 0:
                        desk.upkeep()
                        desk.prune()
                except StorageError as error:
                    warn(f"the desk waits for the database: {error}")
                pause.wait(TICK_SECONDS)
