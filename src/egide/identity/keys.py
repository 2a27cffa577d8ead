"""API keys: made, shown once, rotated with an overlap, revoked, and told from forgeries.

A key reads `egide_<id>_<secret><checksum>`: letters, digits and underscores, so that a double
click takes all of it. The prefix lets scanners for leaked secrets find it, the checksum lets them,
and us, dismiss what only looks like one. What is kept is an HMAC of the whole under the server's
secret: neither the database nor a list of guesses gives a key away.
"""

from __future__ import annotations

import hmac
import re
import secrets
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from egide.errors import KeyExists, KeyNotFound, NotAuthenticated, UsageError
from egide.identity.scopes import CONSOLE, Actor, Principal, Scope, parse_scopes

if TYPE_CHECKING:
    from egide.db import Database, Row
    from egide.identity.audit import AuditLog
    from egide.identity.secret import Secret

PREFIX: Final = "egide"
ID_BYTES: Final = 6
SECRET_LENGTH: Final = 43
"""Letters and digits: 256 bits."""
CHECKSUM_LENGTH: Final = 6
KNOWN_FOR: Final = 1.0
"""Seconds that a key's row is remembered, so that not every request asks the database."""
MOST_KNOWN: Final = 10_000
MOST_DAYS: Final = 3650
MAX_HEADER: Final = 200

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY: Final = re.compile(
    rf"{PREFIX}_([0-9a-f]{{{2 * ID_BYTES}}})_"
    rf"([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})",
    re.ASCII,
)
KEY_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_PURPOSE: Final = "api key"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known of a key; times in seconds since 1970, UTC.

    `current` is false of one that was rotated out or revoked; a rotated one works until `expires`.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    current: bool
    maker: str
    created: int
    expires: int | None
    revoked: int | None

    def works(self, now: float) -> bool:
        """Whether it opens anything at `now`."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def to_json(self) -> dict[str, Any]:
        """What may be shown of it."""
        return {
            "name": self.name,
            "id": self.id,
            "scopes": sorted(self.scopes),
            "current": self.current,
            "maker": self.maker,
            "created": self.created,
            "expires": self.expires,
            "revoked": self.revoked,
        }


class _Known(NamedTuple):
    """A key's row, and since when it is remembered."""

    since: float
    record: KeyRecord
    digest: bytes


class Keys:
    """The API keys of one database. Thread-safe.

    A revocation is seen by this process at once, by others within KNOWN_FOR seconds.
    """

    def __init__(
        self,
        database: Database,
        secret: Secret,
        audit: AuditLog,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._secret = secret
        self._audit = audit
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def authenticate(self, authorization: str | None) -> Principal:
        """Whose key the header `Authorization: Bearer KEY` carries; NotAuthenticated.

        Why it was refused is told only where nothing is given away by it.
        """
        id_, digest = self._presented(authorization)
        now = self._clock()
        return self._admitted(self._remembered(id_, now) or self._look_up(id_, now), digest, now)

    def recall(self, authorization: str | None) -> Principal | None:
        """As `authenticate`, without waiting: None when the database has to be asked."""
        id_, digest = self._presented(authorization)
        now = self._clock()
        known = self._remembered(id_, now)
        return None if known is None else self._admitted(known, digest, now)

    @staticmethod
    def _admitted(known: _Known | None, digest: bytes, now: float) -> Principal:
        if known is None or not hmac.compare_digest(known.digest, digest):
            raise NotAuthenticated("this API key is not known here; make one: `egide key create`")
        record = known.record
        if not record.works(now):
            ended = "was revoked" if record.revoked is not None else "has expired"
            raise NotAuthenticated(f"this API key {ended}; ask for another one")
        return Principal(Actor.KEY, record.id, record.name, record.scopes)

    def create(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        days: float | None = None,
        maker: Principal = CONSOLE,
    ) -> str:
        """A new key called `name`, shown this once; UsageError, KeyExists, NotAllowed.

        It holds `scopes`, none that `maker` has not, and ends after `days`, or never.
        """
        if not KEY_NAME.fullmatch(name):
            raise UsageError(
                f"{name[:80]!r} cannot be a key's name; use up to 64 letters, digits, dots, "
                "hyphens and underscores, beginning with a letter or digit"
            )
        wanted = parse_scopes(scopes)
        for scope in wanted:
            maker.require(scope)
        now = int(self._clock())
        expires = None if days is None else now + _seconds(days, "days")
        id_, key = _new_key()
        with self._database.write(serial=False) as connection:
            connection.execute(
                "UPDATE api_key SET current = 0 WHERE name = ? AND current = 1 AND expires <= ?",
                (name, now),
            )
            made = connection.execute(
                "INSERT INTO api_key (id, name, scopes, digest, current, maker, created, expires) "
                "VALUES (?, ?, ?, ?, 1, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
                (id_, name, _joined(wanted), self._digest(key), maker.actor, now, expires),
            ).fetchall()
            if not made:
                raise KeyExists(f"{name!r}; `egide key rotate {name}` gives it a new secret")
            self._audit.write(connection, maker, "key.create", f"key:{id_}")
        return key

    def rotate(self, name: str, *, overlap_hours: float = 24, maker: Principal = CONSOLE) -> str:
        """A new key of the same name and scopes, shown this once; KeyNotFound, NotAllowed.

        The one before works for `overlap_hours` more. What was left of its days, the new one has
        anew.
        """
        _known_name(name)
        now = int(self._clock())
        overlap = _seconds(overlap_hours / 24, "hours of overlap")
        id_, key = _new_key()
        with self._database.write(serial=False) as connection:
            rows = connection.execute(
                "UPDATE api_key SET current = 0 WHERE name = ? AND current = 1 RETURNING *", (name,)
            ).fetchall()
            if not rows:
                raise KeyNotFound(f"{name[:80]!r}; `egide key list` shows what there is")
            old = _record(rows[0])
            for scope in old.scopes:
                maker.require(scope)
            ends = now + overlap if old.expires is None else min(old.expires, now + overlap)
            connection.execute("UPDATE api_key SET expires = ? WHERE id = ?", (ends, old.id))
            expires = None if old.expires is None else now + (old.expires - old.created)
            connection.execute(
                "INSERT INTO api_key (id, name, scopes, digest, current, maker, created, expires) "
                "VALUES (?, ?, ?, ?, 1, ?, ?, ?)",
                (id_, name, rows[0]["scopes"], self._digest(key), maker.actor, now, expires),
            )
            self._audit.write(connection, maker, "key.rotate", f"key:{id_}")
        self._known.clear()
        return key

    def revoke(self, name: str, *, maker: Principal = CONSOLE) -> int:
        """Ends all keys called `name`, rotated ones too; how many worked. KeyNotFound."""
        _known_name(name)
        now = int(self._clock())
        with self._database.write(serial=False) as connection:
            ended = connection.execute(
                "UPDATE api_key SET current = 0, revoked = ? WHERE name = ? AND revoked IS NULL "
                "AND (expires IS NULL OR expires > ?) RETURNING id",
                (now, name, now),
            ).fetchall()
            if not ended:
                raise KeyNotFound(f"{name[:80]!r} that works; `egide key list` shows what there is")
            for row in ended:
                self._audit.write(connection, maker, "key.revoke", f"key:{row['id']}")
        self._known.clear()
        return len(ended)

    def records(self) -> list[KeyRecord]:
        """All keys, also those that no longer work, by name and age."""
        rows = self._database.fetch("SELECT * FROM api_key ORDER BY name, created, id")
        return [_record(row) for row in rows]

    def _presented(self, authorization: str | None) -> tuple[str, bytes]:
        """The id of the key in the header, and the digest it should have."""
        if not authorization:
            raise NotAuthenticated("send the header `Authorization: Bearer KEY` with an API key")
        scheme, _, key = authorization[:MAX_HEADER].partition(" ")
        match = _KEY.fullmatch(key.strip())
        if scheme.lower() != "bearer" or match is None or match[3] != _checksum(match[1], match[2]):
            raise NotAuthenticated(
                "the header Authorization carries no API key; send `Authorization: Bearer KEY` "
                "with a key whole, as `egide key create` printed it"
            )
        return match[1], self._digest(match[0])

    def _remembered(self, id_: str, now: float) -> _Known | None:
        known = self._known.get(id_)
        return known if known is not None and 0 <= now - known.since < KNOWN_FOR else None

    def _look_up(self, id_: str, now: float) -> _Known | None:
        rows = self._database.fetch("SELECT * FROM api_key WHERE id = ?", (id_,))
        if not rows:
            return None
        known = _Known(now, _record(rows[0]), bytes(rows[0]["digest"]))
        with self._lock:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[id_] = known
        return known

    def _digest(self, key: str) -> bytes:
        return self._secret.digest(_PURPOSE, key.encode())


def _known_name(name: str) -> None:
    """KeyNotFound for what can be no key's name, and what a database may not be asked for."""
    if not KEY_NAME.fullmatch(name):
        raise KeyNotFound(f"{name[:80]!r}; `egide key list` shows what there is")


def _seconds(days: float, what: str) -> int:
    if not 0 <= days <= MOST_DAYS:  # also refuses what is not a number
        raise UsageError(f"the {what} must come to between 0 and {MOST_DAYS} days")
    return int(days * 86_400)


def _new_key() -> tuple[str, str]:
    id_ = secrets.token_hex(ID_BYTES)
    secret = "".join(secrets.choice(_DIGITS) for _ in range(SECRET_LENGTH))
    return id_, f"{PREFIX}_{id_}_{secret}{_checksum(id_, secret)}"


def _checksum(id_: str, secret: str) -> str:
    number = zlib.crc32(f"{id_}_{secret}".encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


def _joined(scopes: Iterable[Scope]) -> str:
    return " ".join(sorted(scopes))


def _record(row: Row) -> KeyRecord:
    # A scope that an older version knew opens nothing, and does not keep the key from working.
    scopes = frozenset(Scope(word) for word in row["scopes"].split() if word in list(Scope))
    return KeyRecord(
        row["id"],
        row["name"],
        scopes,
        bool(row["current"]),
        row["maker"],
        row["created"],
        row["expires"],
        row["revoked"],
    )
