"""What the record needs now and then: a checkpoint of the log, and, if switched on, retention."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from egide.desk.log_checkpoint import Checkpoints
from egide.desk.log_key import open_signer
from egide.desk.retention import Retention, read_policy
from egide.errors import LogError, StorageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from egide.desk.casebook import Casebook

CHECKPOINT_SECONDS: Final = 3600.0
RETENTION_SECONDS: Final = 86_400.0
SWITCH: Final = "EGIDE_DESK_RETENTION"
POLICY: Final = "EGIDE_DESK_RETENTION_POLICY"

_log: Final = logging.getLogger(__name__)


class Upkeep:
    """Keeps the record of `book`; the log's key is in `home`. `clock`: seconds since 1970, UTC.

    UsageError for a retention policy that is wrong: told at once, not when the day has come.
    """

    def __init__(self, book: Casebook, home: Path, clock: Callable[[], float]) -> None:
        self._book = book
        self._home = home
        self._clock = clock
        self._checkpoints = Checkpoints(book.database, book.log, clock)
        self._retention = _retention(book, clock)
        self._let_go: float | None = None

    def step(self) -> None:
        """Does what is due; any number of processes may. StorageError.

        Why nothing is signed, if so, is logged; and why what was erased lingers, which is tried
        again by the next step.
        """
        if self._checkpoints.due(CHECKPOINT_SECONDS):
            try:
                self._checkpoints.sign(open_signer(self._book.database, self._home))
            except (LogError, StorageError, UsageError) as error:  # also of a key that is not there
                _log.error("the desk's log is not signed: %s", error)
        try:
            if self._retention is not None and self._is_day():
                self._apply(self._retention)
            elif self._book.lingers:
                self._book.scrub()
        except StorageError as error:
            _log.error("what is to go is not all gone: %s", error)
            raise

    def _apply(self, retention: Retention) -> None:
        gone = 0
        try:
            for _ in retention.apply():
                gone += 1
        finally:
            if gone:
                _log.info("retention: %d records are gone", gone)
        self._let_go = self._clock()

    def _is_day(self) -> bool:
        return self._let_go is None or self._clock() - self._let_go >= RETENTION_SECONDS


def _retention(book: Casebook, clock: Callable[[], float]) -> Retention | None:
    """What EGIDE_DESK_RETENTION switches on; UsageError."""
    switch = os.environ.get(SWITCH, "").strip().lower()
    if switch not in ("", "0", "false", "1", "true"):
        raise UsageError(f"{SWITCH} must be 1 or 0")
    path = os.environ.get(POLICY)
    policy = read_policy(Path(path) if path else None) if switch in ("1", "true") else None
    return None if policy is None else Retention(book, policy, clock)
