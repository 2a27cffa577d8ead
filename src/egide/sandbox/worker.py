"""A worker: reads items that strangers made, one after the other, and says what it saw."""

from __future__ import annotations

import os
import pickle
import socket
from functools import lru_cache
from typing import Any, Final

from egide.detector import DetectorSettings, load_detectors
from egide.errors import EgideError, ItemError, TooMuchMemory
from egide.media.embedding import Embedding
from egide.media.fingerprint import fingerprints_of
from egide.media.picture import Limits
from egide.media.preview import preview
from egide.sandbox.channel import Channel
from egide.sandbox.confine import confine
from egide.sandbox.messages import (
    Answer,
    BankView,
    Drawn,
    FingerprintTask,
    Judged,
    PreviewTask,
    Printed,
    Question,
    Ready,
    Refused,
    ScanTask,
    Settings,
    Task,
    packed,
)
from egide.sandbox.remote_bank import RemoteBank, RemoteRegistry
from egide.scan import Scanner

MOST_TOLD: Final = 1 << 31
"""Bytes of a message to a worker: an item, or what a bank answers."""


def serve(endpoint: socket.socket, settings: Settings) -> None:
    """Does what is asked over `endpoint` until the other end is closed. Confines this process."""
    worker = _Worker(Channel(endpoint), settings)
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        means = confine(settings.readable, settings.memory)
    except OSError as error:
        worker.say(Refused("", f"it cannot be confined: {error}"))
        return
    # What decoders print may be what the file's maker wants to stand in a log.
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    worker.say(Ready(means))
    worker.run()


class _Worker:
    def __init__(self, channel: Channel, settings: Settings) -> None:
        self._channel = channel
        self._settings = settings
        self._scanner = lru_cache(maxsize=1)(self._make_scanner)
        self._embedding = Embedding.from_environment()
        self._scanner(())  # what it reads when it is made is read before it is confined

    def run(self) -> None:
        while True:
            try:
                task = pickle.loads(self._channel.receive(MOST_TOLD))  # noqa: S301  from our maker
            except EOFError:
                return
            self.say(self._done(task))

    def say(self, said: Question | Answer) -> None:
        self._channel.send(packed(said))

    def _done(self, task: Task) -> Answer:
        if isinstance(task, ScanTask):
            return Judged(self._scanner(task.banks).scan(task.item))
        try:
            return self._made(task)
        except MemoryError:
            return Refused(TooMuchMemory.code, "")
        except ItemError as error:
            return Refused(error.code, error.detail)

    def _made(self, task: FingerprintTask | PreviewTask) -> Answer:
        if isinstance(task, PreviewTask):
            limits = Limits.from_environment()
            return Drawn(preview(task.item, limits, veiled=task.veiled, still=task.still))
        prints = fingerprints_of(task.item, local=task.local, embedding=self._embedding)
        return Printed(list(prints))

    def _make_scanner(self, views: tuple[BankView, ...]) -> Scanner:
        banks = tuple(RemoteBank(number, view, self._ask) for number, view in enumerate(views))
        settings = DetectorSettings(
            banks,
            self._settings.threshold,
            options=dict(self._settings.options),
            registry=RemoteRegistry(self._ask) if self._settings.registry else None,
        )
        return Scanner(load_detectors(settings), self._settings.policy)

    def _ask(self, question: Question) -> Any:
        self.say(question)
        answer = pickle.loads(self._channel.receive(MOST_TOLD))  # noqa: S301  from our maker
        if isinstance(answer, EgideError):
            raise answer
        return answer
