"""A database, an identity on it, and a clock that goes when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from argon2 import PasswordHasher

from egide.bank import Home
from egide.db import Database
from egide.errors import EgideError
from egide.identity import Identity, passwords

AT_ONCE = 12
Together = Callable[[Callable[[int], object]], list[object]]


class Clock:
    """Stands at `now` until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with next to no work: there are hundreds of passwords in these tests."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: quick)
    monkeypatch.setattr(passwords, "_nobodys", lambda: quick.hash("nobody's"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(home: Home) -> Database:
    return home.database


@pytest.fixture
def identity(home: Home, clock: Clock) -> Iterator[Identity]:
    with Identity(home.database, home.path, clock) as opened:
        yield opened


@pytest.fixture
def together(home: Home) -> Together:
    """Calls a function from many threads at the same instant; what those returned that did."""

    def called(function: Callable[[int], object]) -> list[object]:
        gate, returned = threading.Barrier(AT_ONCE), list[object]()

        def call(number: int) -> None:
            gate.wait()
            try:
                returned.append(function(number))
            except EgideError:
                pass
            finally:
                home.close()

        threads = [threading.Thread(target=call, args=(n,)) for n in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return returned

    return called
