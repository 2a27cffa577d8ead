"""The tests of proportion fail what is quadratic, always, and nothing that is linear."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator

import pytest

from tests import growth
from tests.growth import in_proportion, seconds_of, uncollected, within


def linear(count: int) -> int:
    return sum(range(200 * count))


def quadratic(count: int) -> int:
    return sum(sum(range(count)) for _ in range(count))


@pytest.mark.parametrize("least", [0, 1e-4])
@pytest.mark.parametrize("again", range(3))
def test_linear_work_is_in_proportion(least: float, again: int) -> None:
    in_proportion(linear, 100, 800, times=12, least=least)


@pytest.mark.parametrize("times", [12, 24])
@pytest.mark.parametrize("again", range(3))
def test_quadratic_work_never_is(times: float, again: int) -> None:
    with pytest.raises(AssertionError, match=r"would be in proportion$"):
        in_proportion(quadratic, 100, 800, times=times)


class Clock:
    """A thread's time that only work and what falls into it take."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(growth.seconds_of, "__defaults__", (clock,))
    return clock


def timed(
    clock: Clock, cost: Callable[[int], float], hiccups: Iterator[float]
) -> Callable[..., None]:
    """Work that takes `cost` of its size, and each time the next of `hiccups` more."""

    def work(size: int) -> None:
        clock.now += cost(size) + next(hiccups)

    return work


@pytest.mark.parametrize("bad", [0, 1, 2, 3, 4, 5, 10])
def test_what_falls_into_one_measurement_fails_nothing_and_forgives_nothing(
    clock: Clock, bad: int
) -> None:
    def hiccups() -> Iterator[float]:
        for number in range(1000):
            yield 100.0 if number == bad else 0.0

    in_proportion(timed(clock, lambda size: size, hiccups()), 1, 8, times=12)
    with pytest.raises(AssertionError, match="in proportion"):
        in_proportion(timed(clock, lambda size: size * size, hiccups()), 1, 8, times=12)


def test_the_least_and_the_spare_time_are_allowed(clock: Clock) -> None:
    def work(size: int) -> None:
        clock.now += size

    in_proportion(work, 1, 30, times=8, least=4)
    in_proportion(work, 1, 30, times=8, spare=23)
    with pytest.raises(AssertionError):
        in_proportion(work, 1, 30, times=8, least=3, spare=5)


def test_nothing_is_collected_meanwhile_and_everything_is_afterwards() -> None:
    assert gc.isenabled()
    assert seconds_of(gc.isenabled)[1] is False
    assert gc.isenabled()
    with uncollected():
        assert seconds_of(gc.isenabled)[1] is False
        assert not gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        seconds_of(lambda: 1 / 0)
    assert gc.isenabled()


def test_what_is_once_within_its_time_is_within_it() -> None:
    taken = iter([0.1, 0.001])
    clock = Clock()

    def work() -> str:
        clock.now += next(taken)
        return "done"

    assert within(0.01, work, clock) == "done"


def test_what_never_is_within_its_time_fails() -> None:
    def work() -> None:
        until = time.thread_time() + 0.01
        while time.thread_time() < until:
            pass

    with pytest.raises(AssertionError, match=r"^0\.01\d\d s, and 0\.005 s at most was allowed$"):
        within(0.005, work)
