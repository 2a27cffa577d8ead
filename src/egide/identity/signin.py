"""Signing in by password and code, and changing what one signs in with."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from egide.errors import (
    AccountExists,
    AlreadyThere,
    NotAllowed,
    NotAuthenticated,
    UsageError,
)
from egide.identity import totp
from egide.identity.attempts import BY_NAME, Attempts
from egide.identity.audit import DENIED, NOBODY
from egide.identity.passwords import hash_password, password_fits
from egide.identity.scopes import ACCOUNT_NAME, Actor, Principal
from egide.identity.sessions import Method, Session, Sessions
from egide.identity.tickets import TicketKind, Tickets

if TYPE_CHECKING:
    from egide.db import Connection, Database, Row
    from egide.identity.audit import AuditLog
    from egide.identity.secret import Secret

RECOVERY_CODES: Final = 10
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that looks like another: 12 of them are 59 bits."""
_TOTP: Final = "TOTP secret"


class SignIn:
    """Signing in to the accounts of one database. Thread-safe."""

    def __init__(
        self,
        database: Database,
        secret: Secret,
        audit: AuditLog,
        tickets: Tickets,
        sessions: Sessions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._secret = secret
        self._audit = audit
        self._tickets = tickets
        self._sessions = sessions
        self._clock = clock
        self.attempts = Attempts(database, secret, clock)

    def by_password(self, name: str, password: str, code: str, address: str) -> str:
        """The token of a new session; NotAuthenticated, TooManyAttempts.

        `code` is of the app, or a recovery code; needed when the account has a second factor.
        What of the three was wrong is not told, nor whether there is such an account.
        """
        name = name.strip().lower()
        self.attempts.count_address(address)
        self.attempts.count(f"name {name!a}", BY_NAME)
        row = self._row(name)
        method = None
        if password_fits(row["password"] if row else None, password) and row is not None:
            method = self._second_factor(row, code)
        if row is None or method is None:
            who = NOBODY if row is None else person(row["id"])
            self._audit.note(who, "signin", outcome=DENIED, reason="wrong", address=address)
            raise NotAuthenticated("name, password or code is wrong; see that all three are there")
        token = self.begin(row["id"], method, address)
        self.attempts.forget(f"name {name!a}")
        return token

    def begin(self, account: str, method: Method, address: str) -> str:
        """The token of a new session of somebody who proved to be `account`."""
        with self._database.write(serial=False) as connection:
            token = self._sessions.begin(connection, account, method)
            self._audit.write(connection, person(account), "signin", reason=method, address=address)
        return token

    def by_subject(self, issuer: str, subject: str, address: str) -> str:
        """The token of a new session of whom an OpenID provider names; NotAuthenticated."""
        rows = self._database.fetch(
            "SELECT id FROM account WHERE issuer = ? AND subject = ? AND disabled IS NULL",
            (issuer, subject),
        )
        if not rows:
            self._audit.note(NOBODY, "signin", outcome=DENIED, reason="oidc", address=address)
            raise NotAuthenticated("no account here is linked with that one; ask for an invitation")
        return self.begin(rows[0]["id"], Method.OIDC, address)

    def link(self, session: Session, issuer: str, subject: str) -> None:
        """Lets the session's account sign in by an OpenID provider too; AccountExists."""
        account = session.principal.id
        try:
            with self._database.write(serial=False) as connection:
                connection.execute(
                    "UPDATE account SET issuer = ?, subject = ? WHERE id = ?",
                    (issuer, subject, account),
                )
                self._audit.write(connection, session.principal, "account.oidc")
        except AlreadyThere as error:
            raise AccountExists("another account here is linked with that one already") from error

    def set_password(self, session: Session, token: str, old: str, new: str) -> None:
        """Another password; other sessions end. UsageError, NotAllowed, TooManyAttempts."""
        account = session.principal.id
        self.attempts.count(f"name {session.principal.name!a}", BY_NAME)
        row = self._database.fetch("SELECT password FROM account WHERE id = ?", (account,))[0]
        if row["password"] is not None and not password_fits(row["password"], old):
            raise NotAllowed("the password that you have now is another one; type it again")
        hash_ = hash_password(new, session.principal.name)
        with self._database.write(serial=False) as connection:
            connection.execute("UPDATE account SET password = ? WHERE id = ?", (hash_, account))
            self._sessions.end_all(connection, account, but=token)
            self._audit.write(connection, session.principal, "account.password")
        self.attempts.forget(f"name {session.principal.name!a}")

    def offer_totp(self, session: Session) -> tuple[str, bytes]:
        """A ticket and the secret to put into an app; nothing is changed until `confirm_totp`."""
        secret = totp.new_secret()
        body = {"account": session.principal.id, "secret": secret.hex()}
        return self._tickets.issue(TicketKind.TOTP, body), secret

    def offered_totp(self, session: Session, ticket: str) -> bytes:
        """The secret of the ticket, to be shown again; NotAuthenticated."""
        body = self._tickets.look(TicketKind.TOTP, ticket)
        if body["account"] != session.principal.id:
            raise NotAuthenticated("this offer was made to somebody else; begin again")
        return bytes.fromhex(body["secret"])

    def confirm_totp(self, session: Session, token: str, ticket: str, code: str) -> list[str]:
        """Asks for codes from now on; recovery codes, shown this once.

        UsageError, NotAuthenticated. The session of `token` counts as one signed in
        with a code; the others end.
        """
        secret = self.offered_totp(session, ticket)
        step = totp.matching_step(secret, code, self._clock())
        if step is None:
            raise UsageError("this code does not fit; see that the telephone's clock is right")
        account = session.principal.id
        with self._database.write(serial=False) as connection:
            self._tickets.redeem(connection, TicketKind.TOTP, ticket)
            connection.execute(
                "UPDATE account SET totp = ?, totp_step = ? WHERE id = ?",
                (self._secret.encrypt(_TOTP, secret), step, account),
            )
            codes = self.second_factor_added(connection, session, token, Method.TOTP)
            self._audit.write(connection, session.principal, "account.totp")
        return codes

    def remove_totp(self, session: Session, token: str) -> None:
        """No codes any more; UsageError when nothing else would be left beside the password."""
        account = session.principal.id
        with self._database.write() as connection:
            removed = connection.execute(
                "UPDATE account SET totp = NULL WHERE id = ? AND EXISTS "
                "(SELECT 1 FROM passkey WHERE passkey.account = account.id) RETURNING id",
                (account,),
            ).fetchall()
            if not removed:
                raise UsageError("a password alone is not enough here; add a passkey first")
            self._sessions.end_all(connection, account, but=token)
            self._audit.write(connection, session.principal, "account.totp.remove")

    def new_recovery_codes(self, session: Session) -> list[str]:
        """Other recovery codes, shown this once; the earlier ones are void."""
        with self._database.write(serial=False) as connection:
            codes = self._renew_codes(connection, session.principal.id)
            self._audit.write(connection, session.principal, "account.recovery")
        return codes

    def second_factor_added(
        self, connection: Connection, session: Session, token: str, method: Method
    ) -> list[str]:
        """What follows from a second factor: this session counts in full, the others end.

        Recovery codes, when there were none.
        """
        account = session.principal.id
        self._sessions.end_all(connection, account, but=token)
        self._sessions.raise_to(connection, token, method)
        left = connection.execute(
            "SELECT COUNT(*) AS n FROM recovery_code WHERE account = ?", (account,)
        ).fetchone()
        return [] if left["n"] else self._renew_codes(connection, account)

    def _row(self, name: str) -> Row | None:
        if not ACCOUNT_NAME.fullmatch(name):
            return None  # nor is the database asked: not all of them take all characters
        rows = self._database.fetch(
            "SELECT *, (SELECT COUNT(*) FROM passkey WHERE passkey.account = account.id) AS keys "
            "FROM account WHERE name = ? AND disabled IS NULL",
            (name,),
        )
        return rows[0] if rows else None

    def _second_factor(self, row: Row, code: str) -> Method | None:
        """How the account's second factor was shown; None when it was not."""
        # Whoever is linked with a provider shows the second factor there: a password that opened
        # a session could add a factor of its own, and so take over an account that has two.
        if row["totp"] is None and not row["keys"] and row["subject"] is None:
            return Method.PASSWORD
        if row["totp"] is not None and self._code_fits(row, code):
            return Method.TOTP
        return Method.RECOVERY if self._recovery_fits(row["id"], code) else None

    def _code_fits(self, row: Row, code: str) -> bool:
        secret = self._secret.decrypt(_TOTP, bytes(row["totp"]))
        step = totp.matching_step(secret, code, self._clock())
        if step is None:
            return False
        # No code works twice, also when two come at once.
        with self._database.write(serial=False) as connection:
            used = connection.execute(
                "UPDATE account SET totp_step = ? WHERE id = ? AND totp_step < ? RETURNING id",
                (step, row["id"], step),
            ).fetchall()
        return bool(used)

    def _recovery_fits(self, account: str, code: str) -> bool:
        if not code.strip():
            return False
        with self._database.write(serial=False) as connection:
            used = connection.execute(
                "DELETE FROM recovery_code WHERE account = ? AND digest = ? RETURNING account",
                (account, self._code_digest(account, code)),
            ).fetchall()
        return bool(used)

    def _renew_codes(self, connection: Connection, account: str) -> list[str]:
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        connection.execute("DELETE FROM recovery_code WHERE account = ?", (account,))
        connection.executemany(
            "INSERT INTO recovery_code (account, digest) VALUES (?, ?)",
            [(account, self._code_digest(account, code)) for code in codes],
        )
        return codes

    def _code_digest(self, account: str, code: str) -> bytes:
        plain = "".join(code[:100].lower().replace("-", "").split())
        return self._secret.digest("recovery code", f"{account} {plain}".encode(errors="replace"))


def person(account: str) -> Principal:
    """Whom the audit log names when somebody signs in, or fails to."""
    return Principal(Actor.ACCOUNT, account, "", frozenset())


def _recovery_code() -> str:
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
    return "-".join(groups)
