"""Tickets: random tokens handed out once and good for one use, within a short time.

Invitations, the challenges of passkeys, half-done sign-ins by OpenID Connect and single views of a
picture are tickets. What is kept is a keyed digest of the token and, encrypted, what it was issued
for.
"""

from __future__ import annotations

import json
import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from egide.errors import NotAuthenticated
from egide.identity.kept import Kept

if TYPE_CHECKING:
    from egide.db import Connection, Row

TOKEN_BYTES: Final = 32
MAX_TOKEN: Final = 100


class TicketKind(StrEnum):
    """What a ticket is good for."""

    INVITATION = "invitation"
    REGISTRATION = "registration"
    PASSKEY = "passkey"
    OIDC = "oidc"
    TOTP = "totp"
    VIEW = "view"
    CLEARER_VIEW = "clearer view"


SECONDS: Final = {
    TicketKind.INVITATION: 2 * 86_400,
    TicketKind.REGISTRATION: 300,
    TicketKind.PASSKEY: 300,
    TicketKind.OIDC: 600,
    TicketKind.TOTP: 900,
    TicketKind.VIEW: 30,
    TicketKind.CLEARER_VIEW: 600,
}


class Tickets(Kept):
    """The tickets of one database. Thread-safe."""

    def issue(self, kind: TicketKind, body: dict[str, Any] | None = None) -> str:
        """A token for `body`, which is JSON: 43 letters, digits, hyphens and underscores."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = int(self._clock())
        with self._database.write(serial=False) as connection:
            connection.execute("DELETE FROM ticket WHERE expires <= ?", (now,))
            connection.execute(
                "INSERT INTO ticket (digest, kind, body, expires) VALUES (?, ?, ?, ?)",
                (self._digest(token), kind, self._sealed(body or {}), now + SECONDS[kind]),
            )
        return token

    def redeem(self, connection: Connection, kind: TicketKind, token: str) -> dict[str, Any]:
        """What the ticket was issued with, which is void from now on; NotAuthenticated."""
        rows = connection.execute(
            "DELETE FROM ticket WHERE digest = ? AND kind = ? AND expires > ? RETURNING body",
            (self._digest(token), kind, int(self._clock())),
        ).fetchall()
        if not rows:
            raise _void(kind)
        return self._opened(rows[0])

    def use(self, kind: TicketKind, token: str) -> dict[str, Any]:
        """As `redeem`, in a transaction of its own."""
        with self._database.write(serial=False) as connection:
            return self.redeem(connection, kind, token)

    def look(self, kind: TicketKind, token: str) -> dict[str, Any]:
        """What the ticket was issued with; it stays good. NotAuthenticated."""
        rows = self._database.fetch(
            "SELECT body FROM ticket WHERE digest = ? AND kind = ? AND expires > ?",
            (self._digest(token), kind, int(self._clock())),
        )
        if not rows:
            raise _void(kind)
        return self._opened(rows[0])

    def _sealed(self, body: dict[str, Any]) -> bytes:
        return self._secret.encrypt("ticket", json.dumps(body).encode())

    def _opened(self, row: Row) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self._secret.decrypt("ticket", bytes(row["body"])))
        return body

    def _digest(self, token: str) -> bytes:
        return self._secret.digest("ticket", token[:MAX_TOKEN].encode(errors="replace"))


def _void(kind: TicketKind) -> NotAuthenticated:
    remedy = "ask for another one" if kind is TicketKind.INVITATION else "begin again"
    return NotAuthenticated(f"this {kind} was used, has expired or never was; {remedy}")
