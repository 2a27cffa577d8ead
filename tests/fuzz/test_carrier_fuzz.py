"""A few seconds of every fuzz target for carriers of metadata, the same inputs each time."""

from __future__ import annotations

import pytest

from egide.item import Item
from egide.provenance.carriers import read_blocks
from tests import pictures
from tests.fuzz.carrier_targets import CARRIERS, check_carrier

ROUNDS = 300


@pytest.mark.parametrize("name", CARRIERS)
def test_damaged_files_are_read_as_far_as_they_go(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    sound = CARRIERS[name]()
    result = read_blocks(Item.from_bytes(sound))
    assert (result.faults, bool(result.blocks)) == ((), True)
    for broken in pictures.mutations(sound, ROUNDS):
        check_carrier(broken)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", CARRIERS)
def test_files_cut_anywhere_are_read_up_to_there(name: str) -> None:
    sound = CARRIERS[name]()
    for size in range(0, len(sound), max(1, len(sound) // 60)):
        check_carrier(sound[:size])
