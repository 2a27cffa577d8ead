"""One look at a picture is one look, of one session."""

from __future__ import annotations

import pytest

from egide.errors import CaseNotFound, NotAllowed
from egide.identity import Identity
from egide.identity.passkeys import Site
from egide.identity.sessions import Method
from egide.web import console_looks as looks
from egide.web.console_looks import Look
from egide.web.identity_access import Visit
from tests.unit.identity.conftest import Clock, clock, database, identity, quick_hashes

__all__ = ["clock", "database", "identity", "quick_hashes"]

VEILED = Look("EG-BCDF-GHJK", "cp_1", veiled=True)
CLEAR = Look("EG-BCDF-GHJK", "cp_1", veiled=False)


@pytest.fixture
def visit(identity: Identity) -> Visit:
    return visiting(identity, "ada")


def visiting(identity: Identity, name: str) -> Visit:
    """A visit of somebody new."""
    _, token = identity.people.accept(identity.people.invite("moderator"), name, "words for a test")
    return visit_by(identity, token)


def visit_by(identity: Identity, token: str) -> Visit:
    return Visit(identity, identity.sessions.resume(token), token, Site("https://egide.example"))


def test_a_look_is_good_once(visit: Visit) -> None:
    token = looks.offer(visit, VEILED)

    assert looks.taken(visit, token) == VEILED
    with pytest.raises(CaseNotFound):
        looks.taken(visit, token)


def test_a_look_ends_after_half_a_minute(visit: Visit, clock: Clock) -> None:
    token = looks.offer(visit, VEILED)
    clock.pass_(30)

    with pytest.raises(CaseNotFound):
        looks.taken(visit, token)


def test_a_look_is_void_once_somebody_else_has_tried_it(visit: Visit, identity: Identity) -> None:
    token = looks.offer(visit, VEILED)

    with pytest.raises(NotAllowed):
        looks.taken(visiting(identity, "grace"), token)
    with pytest.raises(CaseNotFound):
        looks.taken(visit, token)


def test_another_session_of_the_same_person_is_somebody_else(
    visit: Visit, identity: Identity
) -> None:
    token = looks.offer(visit, VEILED)
    with identity.sessions._database.write(serial=False) as connection:
        elsewhere = identity.sessions.begin(connection, visit.principal.id, Method.PASSKEY)

    with pytest.raises(NotAllowed):
        looks.taken(visit_by(identity, elsewhere), token)


def test_the_first_look_opens_the_way_to_the_clear_one_and_is_not_it(visit: Visit) -> None:
    permission = looks.offer_clearer(visit, VEILED)

    with pytest.raises(CaseNotFound):
        looks.taken(visit, permission)
    assert looks.taken_clearer(visit, permission) == CLEAR
    with pytest.raises(CaseNotFound):
        looks.taken_clearer(visit, permission)


@pytest.mark.parametrize("token", ["", "x", "…" * 300, "\udce9"])
def test_what_is_no_token_opens_nothing(visit: Visit, token: str) -> None:
    with pytest.raises(CaseNotFound):
        looks.taken(visit, token)
