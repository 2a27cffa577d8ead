"""The counting behind the benchmarks of edited copies: bounds, scenes, edits."""

import random

import numpy as np
import pytest
from benchmarks import edits, recall
from benchmarks.copies import Copies
from benchmarks.corpus import Picture, Split
from PIL import Image

from egide.testing import neutral_pixels


def picture(name: str, scene: str) -> Picture:
    return Picture(name, f"{name}.jpg", "package", "MIT", name, scene, Split.TEST)


ONE, TILE, OTHER = picture("p1", "hill"), picture("p1-0", "hill"), picture("p2", "lake")
COPIES = Copies([ONE, TILE, OTHER], [], [(ONE, "grey"), (OTHER, "grey")], [])


def test_no_event_in_n_trials_leaves_three_in_n_possible() -> None:
    assert recall.upper_bound(0, 1000) == pytest.approx(2.9957e-3, rel=1e-3)


def test_more_events_leave_more_possible() -> None:
    assert recall.upper_bound(2, 1) == pytest.approx(6.2958, rel=1e-3)


def test_a_tile_of_the_picture_is_neither_found_nor_false() -> None:
    answers = recall.of_pairs("m", "t", [(0, 1)], COPIES, 0.0)
    assert not answers.found.any()
    assert answers.false == []


def test_a_match_of_another_scene_is_false() -> None:
    answers = recall.of_pairs("m", "t", [(0, 0), (0, 2)], COPIES, 0.0)
    assert answers.found.tolist() == [True, False]
    assert answers.false == [(0, 2)]
    assert answers.recall(COPIES, ["grey"]) == [0.5]


def test_pairs_within_a_scene_are_not_counted() -> None:
    assert recall.other_scene(COPIES).tolist() == [[False, False, True], [True, True, False]]
    assert recall.scene_pairs(COPIES) == 2


@pytest.mark.parametrize("name", edits.EDITS)
def test_an_edit_is_the_same_each_time(name: str) -> None:
    original = Image.fromarray(neutral_pixels(1, 240, 320))
    back = Image.fromarray(neutral_pixels(2, 240, 320))

    def host(dice: random.Random) -> Image.Image:
        dice.random()
        return back.copy()

    once = np.asarray(edits.edited(original, "p1", name, host))
    again = np.asarray(edits.edited(original, "p1", name, host))
    assert once.shape == again.shape
    assert (once == again).all()
    assert once.shape[:2] != (240, 320) or (once != np.asarray(original)).any()
