"""Servers to fetch from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.origins import Serves, started


@pytest.fixture
def serves() -> Iterator[Serves]:
    """Starts content sources and ends them."""
    with started() as serve:
        yield serve
