"""A few seconds of every fuzz target for models, the same inputs each time."""

from __future__ import annotations

import pytest

from egide.hub.model_file import read_model
from egide.item import Item
from tests import pictures
from tests.fuzz.model_targets import MODELS, check_model

ROUNDS = 400


@pytest.mark.parametrize("name", MODELS)
def test_damaged_models_have_a_reading(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    sound = MODELS[name]()
    assert read_model(Item.from_bytes(sound)).faults == ()
    for broken in pictures.mutations(sound, ROUNDS):
        check_model(broken)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", MODELS)
def test_models_cut_anywhere_have_a_reading(name: str) -> None:
    sound = MODELS[name]()
    for size in range(0, len(sound), max(1, len(sound) // 60)):
        check_model(sound[:size])
