"""Local features go from a process that is not trusted to one that is."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide._kernel import LocalFeatures
from egide.testing import neutral_pixels

FEATURES = LocalFeatures(neutral_pixels(1)[..., 1])
PACKED = FEATURES.pack()
HEADER = 24


def test_they_are_the_same_afterwards() -> None:
    again = LocalFeatures.unpack(PACKED)
    assert again.pack() == PACKED
    assert (again.count, again.width, again.height) == (
        FEATURES.count,
        FEATURES.width,
        FEATURES.height,
    )
    assert again.record() == FEATURES.record()
    for record in (FEATURES.record(), LocalFeatures(neutral_pixels(2)[..., 1]).record()):
        assert again.compare(record) == FEATURES.compare(record)


def test_a_picture_without_points_can_be_packed() -> None:
    plain = LocalFeatures(neutral_pixels(1)[:9, :9, 1])
    assert plain.count == 0
    assert LocalFeatures.unpack(plain.pack()).count == 0


@pytest.mark.parametrize("length", [0, 1, HEADER - 1, HEADER, len(PACKED) - 1])
def test_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="packed features"):
        LocalFeatures.unpack(PACKED[:length])


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 1e30, -1e30])
@pytest.mark.parametrize("at", range(4))
def test_a_point_that_lies_nowhere_is_refused(at: int, number: float) -> None:
    packed = bytearray(PACKED)
    struct.pack_into("<f", packed, HEADER + 4 * at, number)
    with pytest.raises(ValueError, match="lies nowhere"):
        LocalFeatures.unpack(bytes(packed))


@given(st.lists(st.tuples(st.integers(0, len(PACKED) - 1), st.integers(0, 255)), max_size=40))
def test_whatever_passes_can_be_matched(changes: list[tuple[int, int]]) -> None:
    packed = bytearray(PACKED)
    for at, value in changes:
        packed[at] = value
    try:
        features = LocalFeatures.unpack(bytes(packed))
    except ValueError:
        return
    features.compare(FEATURES.record())
