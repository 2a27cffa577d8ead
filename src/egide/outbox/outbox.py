"""Messages for others, and who they are for."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol

from egide.db import Connection, Database, Row
from egide.errors import UsageError, WebhookNotFound
from egide.outbox.allowed import webhook_guard
from egide.outbox.deliveries import HOUR, Deliveries, enqueue
from egide.outbox.signing import key_of, new_secret
from egide.outgoing import Address, AddressGuard

ALL: Final = "*"
MOST_WEBHOOKS: Final = 100
MOST_BODY: Final = 1 << 18
_ADDRESS: Final = "webhook address"
_SECRET: Final = "webhook secret"  # noqa: S105  a purpose
EVENT: Final = r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*"
"""What a type of event is written like."""
_EVENT: Final = re.compile(EVENT)


class Vault(Protocol):
    """Encrypts what the database holds: `egide.identity.secret.Secret` does."""

    def encrypt(self, purpose: str, plain: bytes) -> bytes:
        """`plain`, for `purpose`, so that only `decrypt` opens it."""

    def decrypt(self, purpose: str, sealed: bytes) -> bytes:
        """What `encrypt` was given; StorageError."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where messages go; `events` are their types, or `*` alone. Times in ms since 1970."""

    id: str
    host: str
    events: tuple[str, ...]
    created: int
    disabled: int | None
    secrets: int

    def to_json(self) -> dict[str, Any]:
        """The webhook as `egide outbox webhooks` prints it, without its secrets and its path."""
        return {
            "webhook": self.id,
            "host": self.host,
            "events": list(self.events),
            "created": self.created,
            "disabled": self.disabled,
            "secrets": self.secrets,
        }


class Sent(NamedTuple):
    """What a worker needs to send a message: where, what, signed with which keys."""

    address: Address
    message: str
    body: bytes
    keys: tuple[bytes, ...]


class Outbox:
    """The outbox in `database`. Thread-safe; `clock` gives seconds since 1970."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        guard: AddressGuard | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.guard = guard or webhook_guard()
        self._database = database
        self._vault = vault
        self._clock = clock
        self.deliveries = Deliveries(database, self.now)

    def now(self) -> int:
        """The time in milliseconds since 1970."""
        return round(self._clock() * 1000)

    # ── messages ────────────────────────────────────────────────────────────────────────────────

    def enqueue(self, connection: Connection, type: str, data: Mapping[str, Any]) -> str | None:  # noqa: A002
        """Writes a message in the transaction of what it tells; its id, None if nobody wants it.

        It is sent if, and only if, that transaction is committed. ValueError for a type that is
        none or data of over 256 kB of JSON.
        """
        if not _EVENT.fullmatch(type):
            raise ValueError(f"{type!r} is no type of event")
        rows = connection.execute(
            "SELECT id, events FROM webhook WHERE disabled IS NULL"
        ).fetchall()
        wanted = [row["id"] for row in rows if {type, ALL} & set(row["events"].split())]
        if not wanted:
            return None
        now = self.now()
        told = {"type": type, "timestamp": _written(now), "data": data}
        body = json.dumps(told, allow_nan=False, separators=(",", ":"))
        if len(body) > MOST_BODY:
            raise ValueError(f"a message of {len(body):,} characters, the limit is {MOST_BODY:,}")
        message = f"msg_{secrets.token_hex(12)}"
        connection.execute(
            "INSERT INTO message (id, type, body, created) VALUES (?, ?, ?, ?)",
            (message, type, body, now),
        )
        enqueue(connection, message, wanted, now)
        return message

    def to_send(self, message: str, webhook: str) -> Sent | None:
        """A message as it goes to a webhook now; None when that is disabled or gone."""
        now = self.now()
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT w.address, m.body FROM webhook w JOIN message m ON m.id = ?"
                " WHERE w.id = ? AND w.disabled IS NULL",
                (message, webhook),
            ).fetchone()
            held = connection.execute(
                "SELECT sealed FROM webhook_secret WHERE webhook = ?"
                " AND (expires IS NULL OR expires > ?) ORDER BY seq DESC",
                (webhook, now),
            ).fetchall()
        if row is None:
            return None
        address = Address.parse(self._vault.decrypt(_ADDRESS, bytes(row["address"])).decode())
        keys = (key_of(self._vault.decrypt(_SECRET, bytes(each[0])).decode()) for each in held)
        return Sent(address, message, row["body"].encode(), tuple(keys))

    # ── webhooks ────────────────────────────────────────────────────────────────────────────────

    def add(self, url: str, events: Sequence[str] = (ALL,)) -> tuple[Webhook, str]:
        """A new webhook, and the secret that its messages are signed with, told this once.

        AddressRefused; UsageError for events that are none, and for the hundred and first webhook.
        """
        address = Address.parse(url)
        self.guard.check(address)
        wanted = _checked(events)
        made, now, secret = f"wh_{secrets.token_hex(8)}", self.now(), new_secret()
        with self._database.write() as connection:
            (count,) = connection.execute("SELECT count(*) FROM webhook").fetchone()
            if count >= MOST_WEBHOOKS:
                raise UsageError(f"there are {count} webhooks already; remove one")
            connection.execute(
                "INSERT INTO webhook (id, address, host, events, created) VALUES (?, ?, ?, ?, ?)",
                (
                    made,
                    self._vault.encrypt(_ADDRESS, address.url.encode()),
                    address.shown,
                    " ".join(wanted),
                    now,
                ),
            )
            self._add_secret(connection, made, secret, now)
        return self.webhook(made), secret

    def rotate(self, webhook: str, overlap_hours: float = 24) -> str:
        """Another secret, told this once; messages are signed with the old ones too for so long."""
        if not 0 <= overlap_hours <= 24 * 365:
            raise UsageError("an overlap lies between no hour and a year")
        now, secret = self.now(), new_secret()
        with self._database.write() as connection:
            self._row(connection, webhook)
            connection.execute("DELETE FROM webhook_secret WHERE expires <= ?", (now,))
            connection.execute(
                "UPDATE webhook_secret SET expires = ? WHERE webhook = ? AND expires IS NULL",
                (now + round(overlap_hours * HOUR), webhook),
            )
            self._add_secret(connection, webhook, secret, now)
        return secret

    def remove(self, webhook: str) -> None:
        """Removes a webhook, and what was on its way to it; WebhookNotFound."""
        with self._database.write() as connection:
            self._row(connection, webhook)
            connection.execute("DELETE FROM delivery WHERE webhook = ?", (webhook,))
            connection.execute("DELETE FROM webhook WHERE id = ?", (webhook,))

    def set_disabled(self, webhook: str, *, disabled: bool) -> None:
        """Stops sending to a webhook, or goes on with what waits; WebhookNotFound.

        What happens while it is disabled is not kept for it.
        """
        with self._database.write() as connection:
            self._row(connection, webhook)
            connection.execute(
                "UPDATE webhook SET disabled = ? WHERE id = ?",
                (self.now() if disabled else None, webhook),
            )

    def webhook(self, webhook: str) -> Webhook:
        """The webhook with this id; WebhookNotFound."""
        with self._database.read() as connection:
            return _webhook(self._row(connection, webhook))

    def webhooks(self) -> list[Webhook]:
        """All of them, oldest first."""
        rows = self._database.fetch(f"{_WEBHOOKS} ORDER BY w.created, w.id")
        return [_webhook(row) for row in rows]

    def _row(self, connection: Connection, webhook: str) -> Row:
        row: Row | None = connection.execute(f"{_WEBHOOKS} WHERE w.id = ?", (webhook,)).fetchone()
        if row is None:
            raise WebhookNotFound(f"{webhook[:40]!r}; `egide outbox webhooks` lists them")
        return row

    def _add_secret(self, connection: Connection, webhook: str, secret: str, now: int) -> None:
        connection.execute(
            "INSERT INTO webhook_secret (webhook, sealed, created) VALUES (?, ?, ?)",
            (webhook, self._vault.encrypt(_SECRET, secret.encode()), now),
        )


_WEBHOOKS: Final = (
    "SELECT w.id, w.host, w.events, w.created, w.disabled,"
    " (SELECT count(*) FROM webhook_secret s WHERE s.webhook = w.id) AS secrets FROM webhook w"
)


def _webhook(row: Row) -> Webhook:
    id_, host, events, created, disabled, count = row
    return Webhook(id_, host, tuple(events.split()), created, disabled, count)


def _checked(events: Sequence[str]) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(events))
    for event in wanted:
        if event != ALL and (len(event) > 100 or not _EVENT.fullmatch(event)):
            raise UsageError(f"{event[:100]!r} is no type of event; write it like verdict.block")
    if not wanted:
        raise UsageError("it is for no event; give some, or *")
    return wanted


def _written(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
