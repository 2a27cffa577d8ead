"""What works with the database: secrets, keys, the outbox, and the service that answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from egide.bank import Home
from egide.errors import EgideError
from egide.identity.secret import open_secret
from egide.operations.kept import place_of
from egide.operations.lines import Line, fail, ok, warn

DAY: Final = 86_400.0
SOON: Final = 14 * DAY
LATE: Final = 3_600.0
UNSENT: Final = 600.0
AHEAD: Final = 60.0
ANSWER_SECONDS: Final = 5.0
AUDIT_KEY_BYTES: Final = 32
_LATEST: Final = (
    ("audit", "SELECT max(at) * 1000 FROM audit"),
    ("verdict_record", "SELECT max(at) FROM verdict_record"),
    ("message", "SELECT max(created) FROM message"),
)


def look_at_belonging(home: Home) -> Iterator[Line]:
    """Whether the secrets are those that this database was made with."""
    if home.database.fetch("SELECT 1 FROM secret_check"):
        if not place_of(home.path, "secret.key").exists():
            yield fail(
                "secrets.lost",
                "the server's secret is not there: no key, session or webhook opens",
                "restore it from a backup, or name it in EGIDE_SECRET_FILE",
            )
        else:
            try:
                open_secret(home.database, home.path)
                yield ok("secrets.database", "the secret is this database's")
            except EgideError as error:
                yield fail("secrets.wrong", str(error), "restore the secret from a backup")
    audit = home.path / "audit.key"
    if audit.exists() and audit.stat().st_size != AUDIT_KEY_BYTES:
        yield fail(
            "secrets.audit",
            f"{audit} is no key of {AUDIT_KEY_BYTES} bytes",
            "restore it from a backup: pseudonyms and the registry are made with it",
        )
    yield from _look_at_log_key(home)


def _look_at_log_key(home: Home) -> Iterator[Line]:
    """The key of the desk's log, once there is a log."""
    from egide.desk.log_key import open_signer, verifiers  # noqa: PLC0415  of the desk alone

    if not verifiers(home.database):
        return
    try:
        open_signer(home.database, home.path)
        yield ok("secrets.signer", "the log's key is this database's")
    except EgideError as error:
        yield fail("secrets.log", str(error), "restore log.key from a backup")


def look_at_keys(home: Home, now: float) -> Iterator[Line]:
    """API keys that have ended, or soon will, though nobody rotated them."""
    rows = home.database.fetch(
        "SELECT name, expires FROM api_key WHERE current = 1 AND revoked IS NULL"
    )
    yield ok("keys", f"{len(rows)} API keys")
    ended = sorted(row["name"] for row in rows if row["expires"] and row["expires"] <= now)
    soon = sorted(
        row["name"] for row in rows if row["expires"] and now < row["expires"] <= now + SOON
    )
    if ended:
        yield warn(
            "keys.ended",
            f"{len(ended)} API keys have ended: {_few(ended)}",
            "`egide key rotate NAME`, or `egide key revoke NAME`",
        )
    if soon:
        yield warn(
            "keys.ending",
            f"{len(soon)} API keys end within two weeks: {_few(soon)}",
            "`egide key rotate NAME`",
        )


def look_at_times(home: Home, now: float) -> Iterator[Line]:
    """Whether the database has times that have not come yet: then a clock was moved back."""
    for table, sql in _LATEST:
        latest = home.database.fetch(sql)[0][0]
        if latest is not None and latest / 1000 > now + AHEAD:
            ahead = latest / 1000 - now
            yield fail(
                "clocks.back",
                f"table {table} has times {ahead / 60:,.0f} minutes ahead of this machine",
                "set the clock: leases, expiry and retention go by it",
            )
            return
    yield ok("clocks.past", "nothing in the database is ahead of this machine")


def look_at_outbox(home: Home, now: float) -> Iterator[Line]:
    """Messages that were given up, that wait for long, that nobody sends; `now` in seconds."""
    fetch = home.database.fetch
    counts = {
        row[0]: row[1] for row in fetch("SELECT state, count(*) FROM delivery GROUP BY state")
    }
    says = ", ".join(f"{counts.get(state, 0):,} {state}" for state in ("waiting", "dead"))
    yield ok("outbox", says)
    if counts.get("dead"):
        yield warn(
            "outbox.dead",
            f"{counts['dead']:,} messages were given up",
            "`egide outbox list --state dead`, mend the receiver, `egide outbox replay --dead`",
        )
    silent = (
        "AND NOT EXISTS (SELECT 1 FROM webhook w WHERE w.id = d.webhook AND w.disabled IS NULL)"
    )
    asked = (
        "SELECT min(d.begun), min(d.due), min(d.attempts) FROM delivery d WHERE d.state = 'waiting'"
    )
    begun, due, attempts = fetch(f"{asked} {silent.replace('NOT ', '')}")[0]
    if begun is not None:
        waited, overdue = now - begun / 1000, now - due / 1000
        if attempts == 0 and overdue > UNSENT:
            yield fail(
                "outbox.unsent",
                f"a message has been due for {overdue / 60:,.0f} minutes and nobody sends it",
                "start `egide serve` or `egide worker` with this home or database",
            )
        elif waited > LATE:
            yield warn(
                "outbox.waiting",
                f"the oldest message has been waiting for {waited / LATE:,.1f} h",
                "`egide outbox list --state waiting` says how the last attempts ended",
            )
    disabled = fetch("SELECT host FROM webhook WHERE disabled IS NOT NULL ORDER BY host")
    if disabled:
        yield warn(
            "outbox.disabled",
            f"{len(disabled)} webhooks are told nothing: {_few([row[0] for row in disabled])}",
            "`egide outbox enable ID`, or `egide outbox remove ID`",
        )


def look_at_answers(url: str, *, asked_for: bool) -> Iterator[Line]:
    """Whether the service at `url` is ready; a failure alone when it was `asked_for`."""
    import httpx2 as httpx  # noqa: PLC0415  slow, and not for the other lines

    began = time.monotonic()
    try:
        answer = httpx.get(f"{url.rstrip('/')}/readyz", timeout=ANSWER_SECONDS, trust_env=False)
        document = answer.json()
        checks = dict(document["checks"])
        status = document["status"]
    except httpx.InvalidURL as error:
        yield fail("service.address", f"{url} is no address: {error}", "give another --url")
        return
    except httpx.HTTPError as error:
        said = f"{url} does not answer: {str(error) or type(error).__name__}"
        if asked_for:
            yield fail("service.unreachable", said, "start `egide serve`; see its log")
        else:
            yield warn("service.silent", said, "name it with --url, if it runs elsewhere")
        return
    except (ValueError, KeyError, TypeError):
        yield fail("service.foreign", f"what answers at {url} is no égide", "give another --url")
        return
    if answer.status_code != 200 or status != "ready":
        wrong = ", ".join(sorted(name for name, good in checks.items() if not good))
        yield fail("service.not-ready", f"{url} is not ready: {wrong}", "see its log")
        return
    yield ok("service", f"{url} is ready, {(time.monotonic() - began) * 1000:.0f} ms")


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
