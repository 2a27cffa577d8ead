"""Sessions: who is signed in, in which browser, since when and how."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from egide.errors import NotAuthenticated
from egide.identity.kept import Kept
from egide.identity.scopes import ROLE_SCOPES, Actor, Principal, Role

if TYPE_CHECKING:
    from egide.db import Connection

IDLE_SECONDS: Final = 3600
LONGEST_SECONDS: Final = 12 * 3600
FRESH_SECONDS: Final = 900
"""How long after signing in one may still change who gets in, and how."""
SEEN_EVERY: Final = 60
TOKEN_BYTES: Final = 32


class Method(StrEnum):
    """How somebody signed in. A password alone opens only the page where the rest is set up."""

    PASSWORD = "password"  # noqa: S105
    TOTP = "password and code"
    RECOVERY = "password and recovery code"
    PASSKEY = "passkey"
    OIDC = "OpenID Connect"


@dataclass(frozen=True, slots=True)
class Session:
    """One browser's session; times in seconds since 1970, UTC. `id` is not its token."""

    id: str
    principal: Principal
    method: Method
    created: int
    seen: int

    def fresh(self, now: float) -> bool:
        """Whether it began lately enough to change who gets in."""
        return now - self.created < FRESH_SECONDS


class Sessions(Kept):
    """The sessions of one database. Thread-safe."""

    def begin(self, connection: Connection, account: str, method: Method) -> str:
        """A session of the account; its token, of which only a keyed digest is kept."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = int(self._clock())
        connection.execute("DELETE FROM session WHERE expires <= ?", (now,))
        connection.execute(
            "INSERT INTO session (digest, account, method, created, seen, expires) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (self._digest(token), account, method, now, now, now + IDLE_SECONDS),
        )
        return token

    def resume(self, token: str) -> Session:
        """The session of `token`; NotAuthenticated when it ended or its account is closed."""
        now, digest = int(self._clock()), self._digest(token)
        rows = self._database.fetch(
            "SELECT session.*, account.name, account.role FROM session JOIN account "
            "ON account.id = session.account "
            "WHERE session.digest = ? AND session.expires > ? AND account.disabled IS NULL",
            (digest, now),
        )
        if not rows:
            raise NotAuthenticated("the session has ended; sign in again")
        row = rows[0]
        if now - row["seen"] >= SEEN_EVERY:
            self._see(digest, now, row["created"])
        method, role = Method(row["method"]), Role(row["role"])
        scopes = frozenset() if method is Method.PASSWORD else ROLE_SCOPES[role]
        principal = Principal(Actor.ACCOUNT, row["account"], row["name"], scopes, role)
        return Session(digest[:8].hex(), principal, method, row["created"], row["seen"])

    def of(self, account: str) -> list[tuple[str, Method, int, int]]:
        """Id, method, beginning and last use of the account's sessions, the newest first."""
        rows = self._database.fetch(
            "SELECT digest, method, created, seen FROM session WHERE account = ? AND expires > ? "
            "ORDER BY created DESC",
            (account, int(self._clock())),
        )
        return [
            (bytes(row["digest"])[:8].hex(), Method(row["method"]), row["created"], row["seen"])
            for row in rows
        ]

    def raise_to(self, connection: Connection, token: str, method: Method) -> None:
        """Counts the session of `token` as begun by `method`: a second factor was just shown."""
        connection.execute(
            "UPDATE session SET method = ? WHERE digest = ?", (method, self._digest(token))
        )

    def end(self, token: str) -> None:
        """Ends the session of `token`, if there is one."""
        with self._database.write(serial=False) as connection:
            connection.execute("DELETE FROM session WHERE digest = ?", (self._digest(token),))

    def end_others(self, account: str, token: str) -> None:
        """Ends all sessions of the account but that of `token`."""
        with self._database.write(serial=False) as connection:
            self.end_all(connection, account, but=token)

    def end_all(self, connection: Connection, account: str, *, but: str | None = None) -> None:
        """Ends all sessions of the account, except that of the token `but`."""
        connection.execute(
            "DELETE FROM session WHERE account = ? AND digest <> ?",
            (account, self._digest(but) if but else b""),
        )

    def _see(self, digest: bytes, now: int, created: int) -> None:
        with self._database.write(serial=False) as connection:
            connection.execute(
                "UPDATE session SET seen = ?, expires = ? WHERE digest = ?",
                (now, min(now + IDLE_SECONDS, created + LONGEST_SECONDS), digest),
            )

    def _digest(self, token: str) -> bytes:
        return self._secret.digest("session", token[:100].encode(errors="replace"))
