"""A few seconds of every fuzz target for generation metadata, the same inputs each time."""

from __future__ import annotations

import pytest

from tests import pictures
from tests.fuzz.family_targets import FAMILIES, check_family

ROUNDS = 60


@pytest.mark.parametrize("name", FAMILIES)
def test_damaged_metadata_is_read_as_far_as_it_goes(name: str) -> None:
    sound = FAMILIES[name]()
    check_family(sound)
    for broken in pictures.mutations(sound, ROUNDS):
        check_family(broken)
