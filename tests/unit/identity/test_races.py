"""What is good once is good once, also when twelve come with it at the same instant."""

from __future__ import annotations

import pytest

from egide.identity import Identity
from egide.identity.sessions import Method
from egide.identity.tickets import TicketKind
from egide.identity.totp import STEP, code_at
from tests.unit.identity.conftest import AT_ONCE, Clock, Together

pytestmark = pytest.mark.both_databases

PASSWORD = "neutral words for a test"


def account(identity: Identity) -> tuple[str, bytes]:
    """An account called ada, and the secret of its codes."""
    made, token = identity.people.accept(identity.people.invite("moderator"), "ada", PASSWORD)
    session = identity.sessions.resume(token)
    ticket, secret = identity.signin.offer_totp(session)
    code = code_at(secret, int(identity.clock()) // STEP)
    identity.signin.confirm_totp(session, token, ticket, code)
    return made.id, secret


def test_a_ticket_is_redeemed_once(identity: Identity, together: Together) -> None:
    ticket = identity.tickets.issue(TicketKind.PASSKEY, {"a": 1})

    assert together(lambda _: identity.tickets.use(TicketKind.PASSKEY, ticket)) == [{"a": 1}]


def test_there_is_one_first_administrator(identity: Identity, together: Together) -> None:
    codes = [identity.people.invite_first() or "" for _ in range(AT_ONCE)]

    made = together(lambda n: identity.people.accept(codes[n], f"person-{n}", PASSWORD))

    assert len(made) == 1
    assert len(identity.people.accounts()) == 1


def test_a_name_is_given_once(identity: Identity, together: Together) -> None:
    codes = [identity.people.invite("auditor") for _ in range(AT_ONCE)]

    made = together(lambda n: identity.people.accept(codes[n], "ada", PASSWORD))

    assert len(made) == 1
    assert len(identity.people.accounts()) == 1


def test_a_code_signs_in_once(identity: Identity, together: Together, clock: Clock) -> None:
    _, secret = account(identity)
    clock.pass_(STEP)
    code = code_at(secret, int(clock()) // STEP)

    signed_in = together(
        lambda n: identity.signin.by_password("ada", PASSWORD, code, f"192.0.2.{n}")
    )

    assert len(signed_in) == 1


def test_a_recovery_code_signs_in_once(identity: Identity, together: Together) -> None:
    id_, _ = account(identity)
    session = identity.sessions.resume(identity.signin.begin(id_, Method.PASSKEY, ""))
    code = identity.signin.new_recovery_codes(session)[0]

    signed_in = together(
        lambda n: identity.signin.by_password("ada", PASSWORD, code, f"192.0.2.{n}")
    )

    assert len(signed_in) == 1
    assert identity.people.account(id_).recovery == 9


def test_a_key_is_made_once(identity: Identity, together: Together) -> None:
    made = together(lambda _: identity.keys.create("uploads", ["scan:write"]))

    assert len(made) == 1
    assert len(identity.keys.records()) == 1


def test_one_key_is_current_however_often_it_is_rotated(
    identity: Identity, together: Together
) -> None:
    identity.keys.create("uploads", ["scan:write"])
    keys = together(lambda _: identity.keys.rotate("uploads", overlap_hours=1))

    records = identity.keys.records()
    assert len(records) == len(keys) + 1
    assert sum(record.current for record in records) == 1
    for key in keys:
        identity.keys.authenticate(f"Bearer {key}")


def test_an_administrator_stays(identity: Identity, together: Together) -> None:
    ids = []
    for number in range(AT_ONCE):
        code = identity.people.invite("administrator")
        ids.append(identity.people.accept(code, f"person-{number}", PASSWORD)[0].id)

    together(lambda n: identity.people.disable(ids[n]))

    assert sum(made.disabled is None for made in identity.people.accounts()) == 1
