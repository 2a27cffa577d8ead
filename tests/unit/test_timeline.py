"""Stretches of two videos that are the same, from the frames that match."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.media.timeline import MOST_PAIRS, FramePair, Shared, Stretch, shared


def samples(start: int, end: int, step: int, offset: int = 0) -> list[FramePair]:
    """Frames every `step` ms of a copy that begins `offset` ms into the banked video."""
    return [FramePair(at, step, at + offset, step) for at in range(start, end, step)]


def test_nothing_is_shared_without_a_pair() -> None:
    assert shared([]) == Shared((), 0)


def test_a_whole_copy_is_one_stretch() -> None:
    found = shared(samples(0, 10_000, 500))

    assert found.stretches == (Stretch(0, 10_000, 0, 10_000),)
    assert (found.milliseconds, found.banked_milliseconds, found.frames) == (10_000, 10_000, 20)


def test_an_excerpt_is_where_it_was_taken_from() -> None:
    found = shared(samples(0, 5_000, 500, offset=62_250))

    assert found.stretches == (Stretch(0, 5_000, 62_250, 67_250),)


def test_padding_is_not_shared() -> None:
    found = shared([FramePair(40_000 + at, 500, at, 500) for at in range(0, 8_000, 500)])

    assert found.stretches == (Stretch(40_000, 48_000, 0, 8_000),)


def test_parts_in_another_order_are_told_apart() -> None:
    swapped = samples(0, 6_000, 500, offset=6_000) + [
        FramePair(at, 500, at - 6_000, 500) for at in range(6_000, 12_000, 500)
    ]

    found = shared(swapped)

    assert found.stretches == (Stretch(0, 6_000, 6_000, 12_000), Stretch(6_000, 12_000, 0, 6_000))
    assert found.milliseconds == found.banked_milliseconds == 12_000


def test_a_gap_parts_a_stretch_in_two() -> None:
    found = shared(samples(0, 4_000, 500) + samples(9_000, 12_000, 500))

    assert [(s.start, s.end) for s in found.stretches] == [(0, 4_000), (9_000, 12_000)]
    assert found.milliseconds == 7_000


def test_few_frames_of_the_query_cover_the_many_of_the_bank() -> None:
    """A large video is looked at by its key frames, the banked one twice a second."""
    found = shared([FramePair(at, 4_000, at + 150, 500) for at in range(0, 20_000, 4_000)])

    # The last one counts as far as the banked video was seen to go.
    assert found.stretches == (Stretch(0, 16_500, 150, 16_650),)


def test_a_still_shot_matches_at_every_moment_and_is_laid_on_itself() -> None:
    """One banked frame stands for a minute; the copy shows ten seconds of it, frame by frame."""
    found = shared([FramePair(at, 500, 0, 60_000) for at in range(0, 10_000, 500)])

    assert found.milliseconds == 10_000
    assert found.banked_milliseconds == 10_000


def test_the_shift_that_fits_best_is_taken_among_those_that_fit() -> None:
    """Neighbours alike match too, half a second off."""
    pairs = [
        FramePair(at, 500, other, 500, 0 if other == at else 6)
        for at in range(0, 8_000, 500)
        for other in (at - 500, at, at + 500)
        if other >= 0
    ]

    assert shared(pairs).stretches[0] == Stretch(0, 8_000, 0, 8_000)


def test_a_chance_match_does_not_bend_the_stretch() -> None:
    found = shared([*samples(0, 10_000, 500), FramePair(3_000, 500, 90_000, 500)])

    assert found.stretches == (Stretch(0, 10_000, 0, 10_000),)


pairs = st.builds(
    FramePair,
    st.integers(0, 100_000),
    st.integers(0, 5_000),
    st.integers(0, 100_000),
    st.integers(0, 5_000),
    st.integers(0, 63),
)


@given(st.lists(pairs, min_size=1, max_size=60))
def test_stretches_lie_within_what_was_seen(found: list[FramePair]) -> None:
    result = shared(found)

    last = max(p.at + max(p.span, 1) for p in found)
    banked_last = max(p.banked_at + p.banked_span for p in found)
    for stretch in result.stretches:
        assert 0 <= stretch.start < stretch.end <= last
        assert 0 <= stretch.banked_start < stretch.banked_end <= banked_last
        assert stretch.end - stretch.start == stretch.banked_end - stretch.banked_start
    assert list(result.stretches) == sorted(result.stretches)
    assert result.frames == len({p.at for p in found})


@pytest.mark.parametrize("count", [MOST_PAIRS, 3 * MOST_PAIRS])
def test_a_million_pairs_of_a_flicker_end(count: int) -> None:
    pairs = [FramePair(500 * (n % 300), 500, 500 * (n // 300), 500) for n in range(count)]

    assert shared(pairs).milliseconds <= 150_000
