"""People: how they are invited, what they may do, and how they leave."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from egide.errors import AccountExists, AccountNotFound, NotAllowed, NotAuthenticated, UsageError
from egide.identity.passwords import hash_password
from egide.identity.scopes import ACCOUNT_NAME, CONSOLE, ROLE_SCOPES, Actor, Principal, Role, Scope
from egide.identity.sessions import Method, Sessions
from egide.identity.tickets import TicketKind, Tickets

if TYPE_CHECKING:
    from egide.db import Connection, Database, Row
    from egide.identity.audit import AuditLog

ID_BYTES: Final = 8
_ID: Final = re.compile(rf"[0-9a-f]{{{2 * ID_BYTES}}}", re.ASCII)

_COLUMNS: Final = (
    "id, name, role, created, disabled, subject, password IS NOT NULL AS password, "
    "totp IS NOT NULL AS totp, "
    "(SELECT COUNT(*) FROM passkey WHERE passkey.account = account.id) AS passkeys, "
    "(SELECT COUNT(*) FROM recovery_code WHERE recovery_code.account = account.id) AS recovery"
)


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account; times in seconds since 1970, UTC. `recovery` counts codes left."""

    id: str
    name: str
    role: Role
    created: int
    disabled: int | None
    subject: str | None
    password: bool
    totp: bool
    passkeys: int
    recovery: int

    @property
    def two_factors(self) -> bool:
        """Whether more than a password is needed to sign in."""
        return self.totp or self.passkeys > 0


class People:
    """The accounts of one database. Thread-safe."""

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        tickets: Tickets,
        sessions: Sessions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._audit = audit
        self._tickets = tickets
        self._sessions = sessions
        self._clock = clock

    def invite_first(self) -> str | None:
        """The code for whoever is to be the first administrator; None when there is one.

        It makes one administrator at most, however many codes were given out.
        """
        if self._administrators():
            return None
        return self._tickets.issue(
            TicketKind.INVITATION, {"role": Role.ADMINISTRATOR, "first": True}
        )

    def invite(self, role: str, maker: Principal = CONSOLE) -> str:
        """The code of an invitation to `role`, good once for two days; UsageError, NotAllowed."""
        maker.require(Scope.ACCOUNT_WRITE)
        wanted = _role(role)
        account = maker.id if maker.kind is Actor.ACCOUNT else None
        body = {"role": wanted, "first": False, "maker": account}
        code = self._tickets.issue(TicketKind.INVITATION, body)
        with self._database.write(serial=False) as connection:
            self._audit.write(connection, maker, "account.invite", f"role:{wanted}")
        return code

    def accept(self, code: str, name: str, password: str) -> tuple[Account, str]:
        """The account that the invitation makes, and the token of its first session.

        Another code is not needed when it fails. NotAuthenticated for the code; UsageError for
        the name or the password; AccountExists.
        """
        self._tickets.look(TicketKind.INVITATION, code)  # before the work of a hash is done
        account_name = _account_name(name)
        return self._make(code, account_name, hash_password(password, account_name), None)

    def accept_from(self, code: str, name: str, identity: tuple[str, str]) -> tuple[Account, str]:
        """As `accept`, for who signs in by OpenID Connect; `identity` is issuer, subject."""
        return self._make(code, _account_name(name), None, identity)

    def account(self, id_: str) -> Account:
        """The account `id_`; AccountNotFound."""
        rows = self._database.fetch(f"SELECT {_COLUMNS} FROM account WHERE id = ?", (id_,))  # noqa: S608
        if not rows:
            raise AccountNotFound(f"{id_[:40]!r}; the page of accounts shows what there is")
        return _account(rows[0])

    def named(self, name: str) -> Account:
        """The account called `name`; AccountNotFound."""
        lowered = name.lower()
        rows = []
        if ACCOUNT_NAME.fullmatch(lowered):
            query = f"SELECT {_COLUMNS} FROM account WHERE name = ?"  # noqa: S608
            rows = self._database.fetch(query, (lowered,))
        if not rows:
            raise AccountNotFound(f"{name[:100]!r}; `egide account list` shows what there is")
        return _account(rows[0])

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        rows = self._database.fetch(f"SELECT {_COLUMNS} FROM account ORDER BY name")  # noqa: S608
        return [_account(row) for row in rows]

    def set_role(self, id_: str, role: str, maker: Principal = CONSOLE) -> None:
        """Gives the account another role and signs it out. AccountNotFound, NotAllowed."""
        wanted = _role(role)
        self._change(id_, "role = ?", wanted, maker, f"account.role:{wanted}")

    def disable(self, id_: str, maker: Principal = CONSOLE) -> None:
        """Closes the account and signs it out. AccountNotFound, NotAllowed."""
        self._change(id_, "disabled = ?", int(self._clock()), maker, "account.disable")

    def enable(self, id_: str, maker: Principal = CONSOLE) -> None:
        """Opens a closed account again. AccountNotFound, NotAllowed."""
        self._change(id_, "disabled = ?", None, maker, "account.enable")

    def _change(
        self, id_: str, setting: str, value: str | int | None, maker: Principal, action: str
    ) -> None:
        maker.require(Scope.ACCOUNT_WRITE)
        if not _ID.fullmatch(id_):
            raise AccountNotFound(f"{id_[:40]!r}; the page of accounts shows what there is")
        with self._database.write() as connection:
            administrators = self._administrators(connection)
            changed = connection.execute(
                f"UPDATE account SET {setting} WHERE id = ? RETURNING id",  # noqa: S608  fixed words
                (value, id_),
            ).fetchall()
            if not changed:
                raise AccountNotFound(f"{id_[:40]!r}; the page of accounts shows what there is")
            if administrators and not self._administrators(connection):
                raise NotAllowed("it would leave no administrator; make another one first")
            self._sessions.end_all(connection, id_)
            self._audit.write(connection, maker, action, f"account:{id_}")

    def _make(
        self, code: str, name: str, password: str | None, identity: tuple[str, str] | None
    ) -> tuple[Account, str]:
        issuer, subject = identity or (None, None)
        id_ = secrets.token_hex(ID_BYTES)
        # Serial: of two who hold codes for the first administrator, one comes second.
        with self._database.write() as connection:
            invitation = self._tickets.redeem(connection, TicketKind.INVITATION, code)
            if invitation["first"] and self._administrators(connection):
                raise NotAuthenticated("there is an administrator already; ask for an invitation")
            self._check_maker(connection, invitation)
            made = connection.execute(
                "INSERT INTO account (id, name, role, password, created, issuer, subject) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
                (id_, name, invitation["role"], password, int(self._clock()), issuer, subject),
            ).fetchall()
            if not made:
                raise AccountExists(f"{name!r}, or one for this sign-in; take another name")
            method = Method.PASSWORD if identity is None else Method.OIDC
            token = self._sessions.begin(connection, id_, method)
            self._audit.write(connection, CONSOLE, "account.create", f"account:{id_}")
        return self.account(id_), token

    def _check_maker(self, connection: Connection, invitation: dict[str, Any]) -> None:
        """NotAuthenticated when an account made the invitation that may invite no more.

        What the console made stays good; so does what was made before makers were kept.
        """
        maker = invitation.get("maker")
        if maker is None:
            return
        rows = connection.execute(
            "SELECT role FROM account WHERE id = ? AND disabled IS NULL", (maker,)
        ).fetchall()
        if not rows or Scope.ACCOUNT_WRITE not in ROLE_SCOPES[Role(rows[0]["role"])]:
            raise NotAuthenticated(
                "whoever made this invitation may invite nobody any more; ask for another one"
            )

    def _administrators(self, connection: Connection | None = None) -> int:
        query = "SELECT COUNT(*) AS n FROM account WHERE role = ? AND disabled IS NULL"
        parameters = (Role.ADMINISTRATOR.value,)
        if connection is None:
            rows = self._database.fetch(query, parameters)
        else:
            rows = connection.execute(query, parameters).fetchall()
        count: int = rows[0]["n"]
        return count


def _role(word: str) -> Role:
    if word not in list(Role):
        raise UsageError(f"{word[:40]!r} is no role; use {', '.join(Role)}")
    return Role(word)


def _account_name(name: str) -> str:
    lowered = name.strip().lower()
    if not ACCOUNT_NAME.fullmatch(lowered):
        raise UsageError(
            "that cannot be an account's name; use up to 100 letters from a to z, digits and "
            ". _ @ + -, beginning with a letter or digit"
        )
    return lowered


def _account(row: Row) -> Account:
    return Account(
        row["id"],
        row["name"],
        Role(row["role"]),
        row["created"],
        row["disabled"],
        row["subject"],
        bool(row["password"]),
        bool(row["totp"]),
        row["passkeys"],
        row["recovery"],
    )
