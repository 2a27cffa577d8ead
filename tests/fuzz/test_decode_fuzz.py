"""A few seconds of every fuzz target, the same inputs each time."""

from __future__ import annotations

import pytest

from egide.media.decode import decode
from tests import pictures
from tests.fuzz.targets import TARGETS, check

ROUNDS = 400


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_give_a_picture_or_one_clear_error(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    sound = TARGETS[name]()
    assert decode(sound).problems == ()
    for broken in pictures.mutations(sound, ROUNDS):
        check(broken)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", TARGETS)
def test_files_cut_anywhere_give_a_picture_or_one_clear_error(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    sound = TARGETS[name]()
    for size in range(0, len(sound), max(1, len(sound) // 60)):
        check(sound[:size])
    assert capfd.readouterr() == ("", "")
