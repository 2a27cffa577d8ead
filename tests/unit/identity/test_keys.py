"""API keys open what they were made for, as long as they were made for, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from egide.bank import Home
from egide.db import Database
from egide.errors import KeyExists, KeyNotFound, NotAllowed, NotAuthenticated, UsageError
from egide.identity import Identity, Principal, Scope
from egide.identity.keys import KNOWN_FOR, _checksum
from egide.identity.scopes import Actor
from tests.unit.identity.conftest import Clock

pytestmark = pytest.mark.both_databases

HOUR = 3600
DAY = 24 * HOUR


def bearer(key: str) -> str:
    return f"Bearer {key}"


def test_a_key_opens_what_it_was_made_for(identity: Identity) -> None:
    key = identity.keys.create("uploads", ["scan:write", "bank:read"])

    principal = identity.keys.authenticate(bearer(key))

    assert principal.name == "uploads"
    assert principal.scopes == {Scope.SCAN_WRITE, Scope.BANK_READ}
    principal.require(Scope.SCAN_WRITE)
    with pytest.raises(NotAllowed, match="takes the scope bank:write; make a key with"):
        principal.require(Scope.BANK_WRITE)


def test_a_key_is_not_kept(identity: Identity, database: Database) -> None:
    key = identity.keys.create("uploads", ["scan:write"])
    secret = key.rpartition("_")[2]

    with database.read() as connection:
        kept = [tuple(row) for row in connection.execute("SELECT * FROM api_key").fetchall()]
        logged = [tuple(row) for row in connection.execute("SELECT * FROM audit").fetchall()]

    assert secret not in repr(kept) + repr(logged)
    assert secret.encode() not in b"".join(v for row in kept for v in row if isinstance(v, bytes))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer egide_0123456789ab_short",
        "Bearer " + "x" * 100_000,
        "Bearer \x00\r\nX: y",
    ],
)
def test_what_is_no_key_is_told_how_to_send_one(identity: Identity, header: str | None) -> None:
    with pytest.raises(NotAuthenticated, match="Authorization: Bearer KEY"):
        identity.keys.authenticate(header)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_character_closes_the_key(identity: Identity, data: st.DataObject) -> None:
    name = f"k{len(identity.keys.records())}"
    key = identity.keys.create(name, ["scan:write"])
    place = data.draw(st.integers(0, len(key) - 1))
    other = data.draw(st.characters().filter(lambda c: c != key[place]))

    with pytest.raises(NotAuthenticated):
        identity.keys.authenticate(bearer(key[:place] + other + key[place + 1 :]))


def test_a_key_of_another_server_is_not_known(identity: Identity) -> None:
    key = identity.keys.create("uploads", ["scan:write"])
    record = identity.keys.records()[0]
    secret = "A" * 43
    forged = f"egide_{record.id}_{secret}{_checksum(record.id, secret)}"

    assert len(forged) == len(key)
    with pytest.raises(NotAuthenticated, match="not known here"):
        identity.keys.authenticate(bearer(forged))


def test_a_key_ends_on_its_day(identity: Identity, clock: Clock) -> None:
    key = identity.keys.create("uploads", ["scan:write"], days=2)

    clock.pass_(2 * DAY - 1)
    identity.keys.authenticate(bearer(key))
    clock.pass_(1)
    with pytest.raises(NotAuthenticated, match="has expired"):
        identity.keys.authenticate(bearer(key))


def test_a_key_that_is_remembered_ends_on_its_second_all_the_same(
    identity: Identity, clock: Clock
) -> None:
    key = identity.keys.create("uploads", ["scan:write"], days=1 / DAY)

    identity.keys.authenticate(bearer(key))
    clock.pass_(1)
    with pytest.raises(NotAuthenticated, match="has expired"):
        identity.keys.authenticate(bearer(key))


def test_a_rotated_key_works_beside_the_new_one_for_a_while(
    identity: Identity, clock: Clock
) -> None:
    old = identity.keys.create("uploads", ["scan:write"])
    new = identity.keys.rotate("uploads", overlap_hours=1)

    assert new != old
    assert identity.keys.authenticate(bearer(old)).scopes == {Scope.SCAN_WRITE}
    assert identity.keys.authenticate(bearer(new)).scopes == {Scope.SCAN_WRITE}
    clock.pass_(HOUR)
    identity.keys.authenticate(bearer(new))
    with pytest.raises(NotAuthenticated, match="has expired"):
        identity.keys.authenticate(bearer(old))


def test_an_overlap_does_not_prolong_a_key(identity: Identity, clock: Clock) -> None:
    old = identity.keys.create("uploads", ["scan:write"], days=1)
    clock.pass_(DAY - HOUR)
    identity.keys.rotate("uploads", overlap_hours=24)

    clock.pass_(HOUR)
    with pytest.raises(NotAuthenticated, match="has expired"):
        identity.keys.authenticate(bearer(old))


def test_revoking_ends_the_rotated_ones_too_and_at_once(identity: Identity) -> None:
    old = identity.keys.create("uploads", ["scan:write"])
    new = identity.keys.rotate("uploads")
    for key in (old, new):
        identity.keys.authenticate(bearer(key))

    assert identity.keys.revoke("uploads") == 2

    for key in (old, new):
        with pytest.raises(NotAuthenticated, match="was revoked"):
            identity.keys.authenticate(bearer(key))
    with pytest.raises(KeyNotFound):
        identity.keys.revoke("uploads")
    with pytest.raises(KeyNotFound):
        identity.keys.rotate("uploads")


def test_another_process_sees_a_revocation_within_a_second(
    identity: Identity, home: Home, clock: Clock
) -> None:
    key = identity.keys.create("uploads", ["scan:write"])
    with Identity(home.database, home.path, clock) as other:
        other.keys.authenticate(bearer(key))
        identity.keys.revoke("uploads")
        clock.pass_(KNOWN_FOR)
        with pytest.raises(NotAuthenticated, match="was revoked"):
            other.keys.authenticate(bearer(key))


def test_a_name_is_taken_while_its_key_works(identity: Identity, clock: Clock) -> None:
    identity.keys.create("uploads", ["scan:write"], days=1)
    with pytest.raises(KeyExists, match="egide key rotate uploads"):
        identity.keys.create("uploads", ["scan:write"])

    clock.pass_(DAY)
    identity.keys.create("uploads", ["scan:write"])
    identity.keys.revoke("uploads")
    identity.keys.create("uploads", ["bank:read"])


@pytest.mark.parametrize("name", ["", "a b", "-a", "x" * 65, "é", "a\n", "../a"])
def test_names_that_cannot_be(identity: Identity, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a key's name"):
        identity.keys.create(name, ["scan:write"])


@pytest.mark.parametrize("scopes", [[], ["scan"], ["account:write"], ["scan:write", "root"]])
def test_scopes_that_cannot_be(identity: Identity, scopes: list[str]) -> None:
    with pytest.raises(UsageError):
        identity.keys.create("uploads", scopes)
    assert identity.keys.records() == []


@pytest.mark.parametrize("days", [-1, 1e9, float("nan"), float("inf")])
def test_days_that_cannot_be(identity: Identity, days: float) -> None:
    with pytest.raises(UsageError, match="between 0 and"):
        identity.keys.create("uploads", ["scan:write"], days=days)


def test_nobody_hands_out_more_than_they_hold(identity: Identity) -> None:
    maker = Principal(Actor.KEY, "1", "maker", frozenset({Scope.KEY_WRITE, Scope.SCAN_WRITE}))

    identity.keys.create("less", ["scan:write"], maker=maker)
    with pytest.raises(NotAllowed):
        identity.keys.create("more", ["scan:write", "bank:write"], maker=maker)
    identity.keys.create("strong", ["bank:write"])
    with pytest.raises(NotAllowed):
        identity.keys.rotate("strong", maker=maker)
    assert [record.name for record in identity.keys.records()] == ["less", "strong"]


def test_what_is_done_to_keys_is_in_the_audit_log_without_their_names(identity: Identity) -> None:
    identity.keys.create("jane-doe-laptop", ["scan:write"])
    identity.keys.rotate("jane-doe-laptop")
    identity.keys.revoke("jane-doe-laptop")

    rows = identity.audit.rows()

    assert [row.action for row in rows] == ["key.revoke"] * 2 + ["key.rotate", "key.create"]
    assert {row.actor for row in rows} == {"console"}
    assert "jane" not in repr(rows)
