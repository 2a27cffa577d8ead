"""`egide worker`: does what the service does beside answering requests."""

from __future__ import annotations

import threading
from contextlib import suppress

from egide.cli.options import HomeOption
from egide.cli.outbox import open_outbox


def worker(home: HomeOption = None) -> None:
    """Send the outbox's messages until told to stop (Ctrl-C, SIGTERM).

    `egide serve` does so by itself. Any number of workers, here and on other machines, share the
    work: none of it is done by two at once, and what a killed one had is taken over in two minutes.
    """
    # Leaving the block finishes what is being sent. An end that comes while it begins is one too.
    with suppress(KeyboardInterrupt):
        from egide.outbox import Worker

        with open_outbox(home) as outbox, Worker(outbox):
            threading.Event().wait()
