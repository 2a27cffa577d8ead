"""Results in the order of the items, streaming, whatever the number of threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from egide.parallel import IN_FLIGHT, cores, ordered_map


@pytest.mark.parametrize("jobs", [1, 2, 8, None])
@pytest.mark.parametrize("count", [0, 1, 5, 100])
def test_results_come_in_the_order_of_the_items(jobs: int | None, count: int) -> None:
    def slow_when_early(number: int) -> int:
        time.sleep(0.0005 * (count - number) / max(count, 1))
        return number * 2

    assert list(ordered_map(slow_when_early, range(count), jobs)) == [2 * n for n in range(count)]


@pytest.mark.parametrize("jobs", [2, 8])
def test_items_are_worked_on_at_once(jobs: int) -> None:
    together = threading.Barrier(jobs, timeout=5)
    assert len(list(ordered_map(lambda _: together.wait(), range(jobs), jobs))) == jobs


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_items_are_taken_only_as_fast_as_results_are(jobs: int) -> None:
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = ordered_map(lambda number: number, endless(), jobs)
    for seen in range(1, 50):
        assert next(results) == seen
        assert taken <= seen + jobs * IN_FLIGHT
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_the_function_raises_is_raised_in_its_turn(jobs: int) -> None:
    def fail_at_three(number: int) -> int:
        if number == 3:
            raise ZeroDivisionError
        return number

    results = ordered_map(fail_at_three, range(100), jobs)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_no_thread_is_left_when_it_is_abandoned() -> None:
    before = threading.active_count()
    results = ordered_map(lambda _: time.sleep(0.01), range(1000), 4)
    next(results)
    assert threading.active_count() > before
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_there_is_a_core() -> None:
    assert cores() >= 1
