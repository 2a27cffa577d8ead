"""What the parts of identity have in common: one database, one secret, one clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from egide.db import Database
    from egide.identity.secret import Secret


class Kept:
    """Something that is kept in `database`, with digests under `secret`, by `clock`.

    The clock gives seconds since 1970, UTC. Thread-safe, as the database is.
    """

    def __init__(
        self, database: Database, secret: Secret, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._secret = secret
        self._clock = clock
