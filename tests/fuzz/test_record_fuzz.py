"""A few seconds of every fuzz target for records, the same inputs each time."""

from __future__ import annotations

import pytest

from tests import pictures
from tests.fuzz.record_targets import RECORDS, check_records

ROUNDS = 60


@pytest.mark.parametrize("name", RECORDS)
def test_damaged_records_are_named_and_the_rest_is_read(name: str) -> None:
    sound = RECORDS[name]()
    check_records(sound)
    for broken in pictures.mutations(sound, ROUNDS):
        check_records(broken)


@pytest.mark.parametrize("name", RECORDS)
def test_records_cut_anywhere_are_read_up_to_there(name: str) -> None:
    sound = RECORDS[name]()
    for size in range(0, len(sound), max(1, len(sound) // 40)):
        check_records(sound[:size])
