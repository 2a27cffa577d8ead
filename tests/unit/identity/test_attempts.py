"""Attempts are counted before they are made, one by one, by whatever many ways they come."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from egide.bank import Home
from egide.errors import TooManyAttempts
from egide.identity.attempts import Attempts, Pace, neighbourhood
from egide.identity.secret import Secret
from tests.unit.identity.conftest import Clock, Together

pytestmark = pytest.mark.both_databases
PACE = Pace(4, 10)


@pytest.fixture
def attempts(home: Home, clock: Clock) -> Attempts:
    return Attempts(home.database, Secret(bytes(32)), clock)


def allowed(attempts: Attempts, subject: str) -> bool:
    try:
        attempts.count(subject, PACE)
    except TooManyAttempts:
        return False
    return True


def test_a_burst_and_then_one_at_a_time(attempts: Attempts, clock: Clock) -> None:
    assert [allowed(attempts, "a") for _ in range(6)] == [True] * 4 + [False] * 2
    assert allowed(attempts, "b")
    clock.pass_(9)
    assert not allowed(attempts, "a")
    clock.pass_(1)
    assert [allowed(attempts, "a") for _ in range(2)] == [True, False]
    clock.pass_(40)
    assert [allowed(attempts, "a") for _ in range(5)] == [True] * 4 + [False]


def test_how_long_to_wait_is_told(attempts: Attempts, clock: Clock) -> None:
    for _ in range(4):
        attempts.count("a", PACE)
    clock.pass_(3)
    with pytest.raises(TooManyAttempts) as caught:
        attempts.count("a", PACE)
    assert caught.value.seconds == 7
    clock.pass_(caught.value.seconds)
    attempts.count("a", PACE)


def test_who_was_right_begins_anew(attempts: Attempts) -> None:
    for _ in range(4):
        attempts.count("a", PACE)
    attempts.forget("a")
    assert [allowed(attempts, "a") for _ in range(5)] == [True] * 4 + [False]


def test_attempts_at_the_same_instant_are_counted_one_by_one(
    attempts: Attempts, together: Together
) -> None:
    results = together(lambda _: allowed(attempts, "a"))

    assert results.count(True) == PACE.burst


@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(pauses=st.lists(st.integers(0, 25), max_size=40))
def test_never_more_than_the_pace(attempts: Attempts, clock: Clock, pauses: list[int]) -> None:
    clock.pass_(1000)
    start, count = clock.now, 0
    for pause in pauses:
        clock.pass_(pause)
        count += allowed(attempts, "a")
        assert count <= PACE.burst + (clock.now - start) / PACE.seconds


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("testclient", "testclient", True),
    ],
)
def test_a_customer_has_one_neighbourhood(one: str, other: str, same: bool) -> None:
    assert (neighbourhood(one) == neighbourhood(other)) is same
