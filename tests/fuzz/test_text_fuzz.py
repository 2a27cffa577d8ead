"""A few seconds of every text target, the same inputs each time."""

from __future__ import annotations

import pytest

from tests import pictures
from tests.fuzz.text_targets import TEXTS, check_text

ROUNDS = 400


@pytest.mark.parametrize("name", TEXTS)
def test_damaged_texts_are_screened(name: str) -> None:
    sound = TEXTS[name]()
    check_text(sound)
    for broken in pictures.mutations(sound, ROUNDS):
        check_text(broken)
