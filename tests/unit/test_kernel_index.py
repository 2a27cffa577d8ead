"""The kernel's Hamming index: always the answer of brute force, on hostile sets and arrays too."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from egide import _kernel

Hashes = NDArray[np.uint8]
Matches = list[tuple[int, int, int]]

BANDED = 16_384  # from this many hashes on, the index has bands


def random_hashes(seed: int, n: int) -> Hashes:
    return np.random.default_rng(seed).integers(0, 256, (n, 32), dtype=np.uint8)


def near(rng: np.random.Generator, base: Hashes, most: int) -> Hashes:
    """Copies of the rows of ``base``, each with 0 to ``most`` bits changed."""
    bits = np.unpackbits(base, axis=1)
    for row in bits:
        row[rng.choice(256, rng.integers(0, most + 1), replace=False)] ^= 1
    return np.packbits(bits, axis=1)


def brute_force(hashes: Hashes, queries: Hashes, radius: int) -> Matches:
    matches: Matches = []
    for number, query in enumerate(queries):
        distances = np.bitwise_count(hashes ^ query).sum(axis=1, dtype=np.int64)
        slots = np.flatnonzero(distances <= radius)
        order = np.lexsort((slots, distances[slots]))
        matches += [(number, int(slot), int(distances[slot])) for slot in slots[order]]
    return matches


def as_list(found: tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint16]]) -> Matches:
    assert [array.dtype for array in found] == [np.uint32, np.uint32, np.uint16]
    return list(zip(*(array.tolist() for array in found), strict=True))


def check(hashes: Hashes, queries: Hashes, radius: int) -> Matches:
    expected = brute_force(hashes, queries, radius)
    assert as_list(_kernel.index_lookup(*_kernel.index_build(hashes), queries, radius)) == expected
    assert as_list(_kernel.scan(hashes, queries, radius)) == expected
    return expected


@pytest.fixture(scope="module")
def crowd() -> Hashes:
    """Random hashes, and 40 at every distance from 0 to 79 of one of them."""
    rng = np.random.default_rng(3)
    hashes = random_hashes(1, 30_000)
    for slot in range(3200):
        bits = np.unpackbits(hashes[0])
        bits[rng.choice(256, slot % 80, replace=False)] ^= 1
        hashes[29_999 - slot] = np.packbits(bits)
    return hashes


@pytest.mark.parametrize("radius", range(64))
def test_every_radius_is_exact(crowd: Hashes, radius: int) -> None:
    queries = np.concatenate([crowd[:1], random_hashes(9, 1), crowd[-3:]])
    matches = check(crowd, queries, radius)
    assert sum(query == 0 for query, _, _ in matches) == 40 * (radius + 1) + 1


@pytest.mark.parametrize("copies", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("others", [0, 20_000])
def test_identical_entries_are_all_found(copies: int, others: int) -> None:
    same = random_hashes(5, 1)
    hashes = np.concatenate([random_hashes(6, others), np.repeat(same, copies, axis=0)])
    matches = check(hashes, same, 31)
    assert matches == [(0, others + copy, 0) for copy in range(copies)]


@pytest.mark.parametrize("n", [100, BANDED + 1])
@pytest.mark.parametrize("byte", [0, 255, 90])
def test_all_entries_equal(n: int, byte: int) -> None:
    hashes = np.full((n, 32), byte, np.uint8)
    queries = np.concatenate([hashes[:1], hashes[:1] ^ np.uint8(1), ~hashes[:1]])
    for radius in (0, 31, 63):
        assert len(check(hashes, queries, radius)) == n * (1 if radius < 32 else 2)


@pytest.mark.parametrize("shared", [8, 128, 240])
def test_entries_that_share_bands_are_told_apart(shared: int) -> None:
    rng = np.random.default_rng(shared)
    base = np.unpackbits(random_hashes(7, 1)[0])
    bits = rng.integers(0, 2, (20_000, 256), dtype=np.uint8)
    bits[:, :shared] = base[:shared]
    codes = np.packbits(bits, axis=1, bitorder="little")
    hashes = _kernel.unpermute(codes)  # so that whole bands are shared
    queries = near(rng, hashes[:4], 40)
    for radius in (15, 31, 47):
        check(hashes, queries, radius)


def test_few_bits_set() -> None:
    rng = np.random.default_rng(11)
    hashes = near(rng, np.zeros((20_000, 32), np.uint8), 3)
    for radius in (0, 2, 6, 31):
        check(hashes, hashes[:3], radius)


@given(
    n=st.one_of(st.integers(0, 300), st.integers(BANDED - 2, BANDED + 3000)),
    count=st.integers(0, 17),
    radius=st.integers(0, 63),
    most=st.integers(0, 90),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_lookup_and_scan_equal_brute_force(
    n: int, count: int, radius: int, most: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 256, (n, 32), dtype=np.uint8)
    queries = rng.integers(0, 256, (count, 32), dtype=np.uint8)
    if n and count:
        slots = rng.integers(0, n, min(n, 200))
        hashes[slots] = near(rng, queries[rng.integers(0, count, slots.size)], most)
    check(hashes, queries, radius)


def test_codes_are_hashes_with_permuted_bits() -> None:
    hashes = random_hashes(13, 1000)
    codes, _, _ = _kernel.index_build(hashes)
    assert (_kernel.unpermute(codes) == hashes).all()
    assert (codes != hashes).any()
    ours = np.bitwise_count(codes[:-1] ^ codes[1:]).sum(axis=1)
    assert (ours == np.bitwise_count(hashes[:-1] ^ hashes[1:]).sum(axis=1)).all()
    single = np.packbits(np.eye(256, dtype=np.uint8), axis=1)
    assert (np.unpackbits(_kernel.index_build(single)[0], axis=1).sum(axis=0) == 1).all()


def test_the_index_takes_little_room() -> None:
    index = _kernel.index_build(random_hashes(14, 200_000))
    assert sum(array.nbytes for array in index) / 200_000 < 120
    assert index[2].shape[1] == 200_000


def test_threads_give_the_same_answers(crowd: Hashes) -> None:
    index = _kernel.index_build(crowd)
    batches = [np.concatenate([crowd[i : i + 1], random_hashes(i, 7)]) for i in range(40)]
    alone = [as_list(_kernel.index_lookup(*index, batch, 31)) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        for found in (
            pool.map(lambda b: as_list(_kernel.index_lookup(*index, b, 31)), batches * 5),
            pool.map(lambda b: as_list(_kernel.scan(crowd, b, 31)), batches * 5),
        ):
            assert list(found) == alone * 5


def test_a_read_only_index_serves(crowd: Hashes) -> None:
    index = _kernel.index_build(crowd)
    expected = as_list(_kernel.index_lookup(*index, crowd[:8], 31))
    for array in index:
        array.flags.writeable = False
    assert as_list(_kernel.index_lookup(*index, crowd[:8], 31)) == expected


def test_arrays_that_cannot_belong_together_are_refused(crowd: Hashes) -> None:
    codes, offsets, postings = _kernel.index_build(crowd)
    for damaged in (
        (codes[:-1], offsets, postings),
        (codes, offsets[:-1], postings),
        (codes, offsets, postings[:-1]),
        (codes, offsets[:0], postings[:0]),
        (codes[:10], offsets, postings[:, :10].copy()),
    ):
        with pytest.raises(ValueError, match="damaged"):
            _kernel.index_lookup(*damaged, crowd[:1], 31)


@pytest.mark.parametrize("value", [0, 1, 29_999, 30_000, 2**31, 2**32 - 1])
def test_damage_out_of_range_is_never_followed(crowd: Hashes, value: int) -> None:
    codes, offsets, postings = _kernel.index_build(crowd)
    damaged_offsets = np.full_like(offsets, value)
    damaged_postings = np.full_like(postings, value)
    for damaged in ((codes, damaged_offsets, postings), (codes, offsets, damaged_postings)):
        try:
            found = _kernel.index_lookup(*damaged, crowd[:64], 31)
        except ValueError as error:
            assert "damaged" in str(error)  # noqa: PT017
        else:
            assert (found[1] < 30_000).all()


def test_unusable_arguments_are_refused(crowd: Hashes) -> None:
    index = _kernel.index_build(crowd[:100])
    for radius in (-1, 64, 2**31 - 1):
        with pytest.raises(ValueError, match="radius"):
            _kernel.index_lookup(*index, crowd[:1], radius)
        with pytest.raises(ValueError, match="radius"):
            _kernel.scan(crowd, crowd[:1], radius)
    for wrong in (crowd[:, :31].copy(), crowd[::2], crowd[0], crowd.astype(np.int32)):
        with pytest.raises(TypeError):
            _kernel.index_build(wrong)  # type: ignore[arg-type]
    codes, offsets, postings = _kernel.index_build(crowd)
    shifted = np.zeros(offsets.nbytes + 1, np.uint8)[1:].view(np.uint32)
    with pytest.raises(ValueError, match="four bytes"):
        _kernel.index_lookup(codes, shifted, postings, crowd[:1], 31)
