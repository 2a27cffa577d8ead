"""All that concerns identity in one home, opened together."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from egide.identity.audit import AuditLog
from egide.identity.keys import Keys
from egide.identity.passkeys import Passkeys
from egide.identity.people import People
from egide.identity.secret import open_secret
from egide.identity.sessions import Sessions
from egide.identity.signin import SignIn
from egide.identity.tickets import Tickets

if TYPE_CHECKING:
    from egide.db import Database


class Identity:
    """Keys, people and the audit log of `database`, with the secret that belongs to it.

    `home` is the folder of the secret. StorageError when the secret is another one's. To be used in
    a `with` block, or closed: the audit log writes in the background.
    """

    def __init__(
        self, database: Database, home: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self.secret = open_secret(database, home)
        self.audit = AuditLog(database, self.secret, clock)
        self.keys = Keys(database, self.secret, self.audit, clock)
        self.tickets = Tickets(database, self.secret, clock)
        self.sessions = Sessions(database, self.secret, clock)
        self.people = People(database, self.audit, self.tickets, self.sessions, clock)
        self.signin = SignIn(database, self.secret, self.audit, self.tickets, self.sessions, clock)
        self.passkeys = Passkeys(database, self.audit, self.tickets, self.signin, clock)
        self.clock = clock

    def close(self) -> None:
        """Writes what the audit log still holds."""
        self.audit.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
