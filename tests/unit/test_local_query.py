"""A banked record as a query: what it tells of the picture, and of its mirror image."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from egide._kernel import LocalFeatures
from egide.bank.local_query import features_of, mirrored_codes, signs_of
from egide.match import ALIGNED_SCORE
from egide.testing import neutral_pixels

HEADER, SPOT, MARGINS = 24, 16, 80


def plane(seed: int) -> NDArray[np.uint8]:
    """A picture of nothing, grey."""
    return np.ascontiguousarray(neutral_pixels(seed)[:, :, 0])


def codes(features: LocalFeatures, face: int) -> NDArray[np.uint8]:
    """The codes (n, 16) of a picture's points as it is, or mirrored, as the kernel has them."""
    packed = features.pack()
    count = int.from_bytes(packed[4:8], "little")
    at = HEADER + count * (SPOT + face * (16 + MARGINS))
    return np.frombuffer(packed, np.uint8, count * 16, at).reshape(count, 16)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_codes_of_the_mirror_image_are_told_by_those_of_the_picture(seed: int) -> None:
    features = LocalFeatures(plane(seed))
    told, sureness = mirrored_codes(codes(features, 0))
    wrong = signs_of(told) != signs_of(codes(features, 1))

    assert wrong.mean() < 0.25
    assert wrong[:, :20].mean() < 0.18
    assert sureness.shape == (len(told), 20)
    # What is unsure is wrong more often: the index turns that over first.
    unsure = sureness < np.median(sureness)
    assert wrong[:, :20][unsure].mean() > 2 * wrong[:, :20][~unsure].mean()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_record_finds_parts_of_its_picture_mirrored_or_not_and_no_other(seed: int) -> None:
    whole = plane(seed)
    height, width = whole.shape
    part = whole[height // 6 : height * 5 // 6, width // 6 : width * 5 // 6]
    asked = features_of(LocalFeatures(whole).record())

    for laid in (part, part[:, ::-1], part[::-1], np.rot90(part)[:, ::-1]):
        found = asked.compare(LocalFeatures(np.ascontiguousarray(laid)).record())
        assert found is not None
        assert found[0] >= 2 * ALIGNED_SCORE
    other = LocalFeatures(np.ascontiguousarray(plane(seed + 3)[:, ::-1])).record()
    found = asked.compare(other)
    assert found is None or found[0] < ALIGNED_SCORE


def test_what_is_no_record_is_refused() -> None:
    with pytest.raises(ValueError, match="record"):
        features_of(b"\x01" * 400)
