"""Segments of local features: the same answers however they are built and divided."""

from __future__ import annotations

import struct
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from egide import _kernel
from egide._kernel import LocalBuilder, LocalFeatures
from egide.testing import neutral_pixels

Segment = tuple[NDArray[np.uint32] | NDArray[np.uint64], NDArray[np.uint32]]


def plane(seed: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(neutral_pixels(seed)[:, :, 1])


@cache
def features(seed: int) -> LocalFeatures:
    return LocalFeatures(plane(seed))


@cache
def records() -> tuple[bytes, ...]:
    return tuple(features(seed).record() for seed in range(30))


def divided(word_bits: int, *cuts: int) -> tuple[list[Segment], list[int]]:
    """Segments of the records between the cuts, and the number of the first record of each."""
    ends = [*cuts, len(records())]
    starts = [0, *cuts]
    parts = [list(records()[a:b]) for a, b in zip(starts, ends, strict=True)]
    return [_kernel.local_build(part, word_bits) for part in parts], starts


@pytest.mark.parametrize("word_bits", [0, 5, 12, 20])
def test_division_into_segments_makes_no_difference(word_bits: int) -> None:
    whole, _ = divided(word_bits)
    parts, starts = divided(word_bits, 1, 9, 9, 22)
    query = LocalFeatures(np.ascontiguousarray(plane(11)[50:300, 60:400]))
    expected = query.shortlist(whole, most=40)
    found = query.shortlist(parts, most=40)
    assert [(starts[seg] + slot, *rest) for seg, slot, *rest in found] == [
        (slot, *rest) for _, slot, *rest in expected
    ]
    assert expected[0][1] == 11
    assert expected == sorted(expected, key=lambda hit: -hit[3])
    assert query.shortlist(whole, most=3) == expected[:3]


def test_fewer_words_find_as_much() -> None:
    query = LocalFeatures(np.ascontiguousarray(plane(5)[:260, 100:]))
    votes = []
    for word_bits in (20, 12, 6, 0):
        found = query.shortlist(divided(word_bits)[0], most=60)
        votes.append({(slot, face): vote for _, slot, face, vote, _ in found}[(5, 0)])
    assert votes[0] <= min(votes[1:])


@pytest.mark.parametrize("word_bits", [-1, 0, 7, 20])
def test_the_builder_makes_what_build_does(word_bits: int) -> None:
    whole = _kernel.local_build([*records(), b""], word_bits)
    builder = LocalBuilder(word_bits)
    builder.count(list(records()[:13]))
    builder.count([*records()[13:], b""])
    builder.fill([])
    for record in records():
        builder.fill([record])
    builder.fill([b""])
    for array, expected in zip(builder.finish(), whole, strict=True):
        assert array.dtype == expected.dtype
        assert np.array_equal(array, expected)


def test_the_number_of_words_follows_the_number_of_points() -> None:
    points = sum(_kernel.local_check(record) for record in records())
    starts, postings = _kernel.local_build(list(records()))
    assert postings.shape == (points, 3)
    assert 4 <= points / (len(starts) - 1) < 8
    assert len(_kernel.local_build(list(records()), 9)[0]) == 513
    starts, postings = _kernel.local_build([])
    assert (starts.tolist(), postings.shape) == ([0, 0], (0, 3))
    assert features(0).shortlist([(starts, postings)]) == []
    assert features(0).shortlist([]) == []


def test_an_empty_record_takes_a_slot() -> None:
    segment = _kernel.local_build([b"", records()[0], b"", records()[1]])
    assert [hit[1] for hit in features(1).shortlist([segment], most=1)] == [3]


def test_wide_starts_and_read_only_arrays_are_read() -> None:
    starts, postings = _kernel.local_build(list(records()))
    expected = features(2).shortlist([(starts, postings)])
    wide = starts.astype(np.uint64)
    wide.flags.writeable = postings.flags.writeable = False
    assert features(2).shortlist([(wide, postings)]) == expected


def test_the_builder_refuses_other_records_than_it_counted() -> None:
    one, two, *_ = records()
    builder = LocalBuilder()
    builder.count([one])
    with pytest.raises(ValueError, match="more records than were counted"):
        builder.fill([one, one])
    builder = LocalBuilder(12)
    builder.count([one])
    with pytest.raises(ValueError, match="not those that were counted"):
        builder.fill([two])
    builder = LocalBuilder()
    builder.count([one, two])
    builder.fill([one])
    with pytest.raises(ValueError, match="fewer records"):
        builder.finish()
    with pytest.raises(ValueError, match="counted before"):
        builder.count([one])
    builder.fill([two])
    builder.finish()
    with pytest.raises(ValueError, match="finished"):
        builder.finish()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda r: b"", "cut off"),
        (lambda r: r[:15], "cut off"),
        (lambda r: b"\x02" + r[1:], "version 2"),
        (lambda r: r[:1] + b"\x01" + r[2:], "header"),
        (lambda r: r[:2] + struct.pack("<H", 11) + r[4:], "11 points, not 12 to 400"),
        (lambda r: r[:2] + struct.pack("<H", 401) + r[4:], "401 points"),
        (lambda r: r[:-1], "bytes"),
        (lambda r: r + b"\0", "bytes"),
        (lambda r: r[:4] + b"\0\0" + r[6:], "header"),
        (lambda r: r[:15] + b"\1" + r[16:], "header"),
    ],
)
def test_damaged_records_are_refused(damage: object, said: str) -> None:
    assert callable(damage)
    broken = damage(records()[0])
    for use in (_kernel.local_check, features(0).compare):
        with pytest.raises(ValueError, match=said):
            use(broken)
    if broken:
        with pytest.raises(ValueError, match=said):
            _kernel.local_build([broken])
    with pytest.raises(ValueError, match=said):
        features(0).verify(broken, 0, b"")


@given(st.data())
def test_flipped_bits_never_do_harm(data: st.DataObject) -> None:
    record = bytearray(records()[0])
    for at in data.draw(st.lists(st.integers(0, len(record) - 1), max_size=8)):
        record[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        answer = features(0).compare(bytes(record))
    except ValueError:
        return
    assert answer is not None
    assert answer[0] > 3.5


def test_segments_that_cannot_be_are_refused() -> None:
    starts, postings = _kernel.local_build(list(records()))
    query = features(0)
    with pytest.raises(ValueError, match="power of two"):
        query.shortlist([(starts[:-1], postings)])
    with pytest.raises(ValueError, match="power of two"):
        query.shortlist([(starts[:0], postings)])
    with pytest.raises(TypeError):
        query.shortlist([(starts.astype(np.int64), postings)])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        query.shortlist([(starts, postings[:, :2])])
    with pytest.raises(TypeError):
        query.shortlist([(starts[::2], postings)])
    with pytest.raises(ValueError, match=r"is \(starts, postings\)"):
        query.shortlist([(starts,)])  # type: ignore[list-item]
    shifted = np.frombuffer(b"\0" + postings.tobytes(), np.uint8)[1:].view(np.uint32)
    with pytest.raises(ValueError, match="multiples"):
        query.shortlist([(starts, shifted.reshape(-1, 3))])
    for options in ({"most": 0}, {"most": 1025}, {"probes": 0}, {"most_signature": 44}):
        with pytest.raises(ValueError, match="is not"):
            query.shortlist([(starts, postings)], **options)
    with pytest.raises(ValueError, match="word_bits"):
        _kernel.local_build([], 21)


def test_starts_that_point_outside_are_noticed() -> None:
    starts, postings = _kernel.local_build(list(records()))
    with pytest.raises(ValueError, match="damaged"):
        features(0).shortlist([(starts, postings[:-100])])
    with pytest.raises(ValueError, match="damaged"):
        features(0).shortlist([(starts[::-1].copy(), postings)])


def test_seeds_that_belong_elsewhere_are_refused() -> None:
    record = records()[0]
    beyond = struct.pack("<HHH", 0, _kernel.local_check(record), 4)
    with pytest.raises(ValueError, match="do not belong together"):
        features(0).verify(record, 0, beyond)
    with pytest.raises(ValueError, match="do not belong together"):
        features(0).verify(record, 1, struct.pack("<HHH", features(0).count, 0, 4))
    for seeds in (b"12345", bytes(6 * 161)):
        with pytest.raises(ValueError, match="not those of a shortlist"):
            features(0).verify(record, 0, seeds)
    with pytest.raises(ValueError, match="face"):
        features(0).verify(record, 2, b"")
    assert features(0).verify(record, 0, b"") is None
