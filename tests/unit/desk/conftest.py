"""A desk for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from egide.bank import Home
from tests.unit.desk.office import Office


@pytest.fixture
def office(home: Home) -> Iterator[Office]:
    """A desk in an empty home, of PostgreSQL when the test is for both databases."""
    opened = Office(home)
    yield opened
    opened.identity.close()
