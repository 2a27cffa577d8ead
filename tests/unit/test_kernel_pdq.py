"""The kernel's PDQ and border trimming, held to the reference and to pictures made here."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pdqhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from egide import _kernel

Picture = NDArray[np.uint8]

SIZES = (
    *((5, 5), (5, 300), (63, 64), (64, 64), (64, 65), (65, 63), (127, 128), (129, 127)),
    *((135, 241), (375, 500), (480, 640), (257, 1023), (1000, 3), (1111, 777), (1536, 2048)),
)

EDITS: dict[str, Callable[[Picture], Picture]] = {
    "none": lambda p: p,
    "rotate90": np.rot90,
    "rotate180": lambda p: np.rot90(p, 2),
    "rotate270": lambda p: np.rot90(p, 3),
    "mirror": lambda p: p[:, ::-1],
    "flip": lambda p: p[::-1],
    "transpose": lambda p: p.T,
    "transverse": lambda p: np.rot90(p, 2).T,
}

# From pdqhash 0.2.8, for the planes of `pattern` below.
KNOWN = {
    (512, 512): "6b002b1f6a7f4a7e7ee04ec07ec7468f7e9f449e7e9c44987cb844987c90c490",
    (300, 401): "6b002b1f6a7f6a7f6ae06ac04ec7428f7e9f449e7e9cc4987eb8c4987e904490",
    (64, 64): "ad80ab052b3fea7f2a70eae02ac0e2cf3ecf669f369eee983e9862982698c890",
    (37, 90): "2dc0ab04231fea7f2a71eec09ac462cf5ecfb29e0fdc689899b87698bc9862b0",
}


def pattern(height: int, width: int) -> Picture:
    """Integer arithmetic only, so that it is the same everywhere."""
    y, x = np.mgrid[:height, :width]
    y, x = y * 1000 // height, x * 1000 // width
    shades: Picture = ((x * y // 700 + (x * x + 3 * y * y) // 1500) % 251).astype(np.uint8)
    return shades


def clouds(seed: int, height: int, width: int) -> Picture:
    """Smooth noise: strongest in the lowest frequencies, as pictures are."""
    rng = np.random.default_rng(seed)
    frequencies = np.arange(20)
    strength = rng.normal(size=(20, 20)) / (1 + frequencies[:, None] + frequencies)
    waves = [
        np.cos(np.pi * frequencies * np.linspace(0, 1, side)[:, None] + rng.uniform(0, 6, 20))
        for side in (height, width)
    ]
    sky = waves[0] @ strength @ waves[1].T
    low, high = sky.min(), sky.max()
    shades: Picture = ((sky - low) / max(float(high - low), 1e-9) * 255).astype(np.uint8)
    return shades


def reference(picture: Picture) -> tuple[Picture, int]:
    rgb = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    bits, quality = pdqhash.compute(np.ascontiguousarray(rgb))
    return np.packbits(bits.astype(np.uint8)), quality


def distance(one: Picture, other: Picture) -> int:
    return int(np.bitwise_count(one ^ other).sum())


def jpeg(picture: Picture, quality: int) -> Picture:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["clouds", "noise", "gradient", "symmetric"])
def test_luma_hash_is_the_references(size: tuple[int, int], kind: str) -> None:
    height, width = size
    plane = clouds(height, height, width)
    if kind == "noise":
        plane = np.random.default_rng(width).integers(0, 256, size, dtype=np.uint8)
    elif kind == "gradient":
        plane = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8), size)
    elif kind == "symmetric":
        plane = np.minimum(plane, plane[:, ::-1])
    hashes, quality = _kernel.pdq(plane)
    expected, expected_quality = reference(plane)
    assert distance(hashes[0], expected) == 0
    assert quality == expected_quality


@pytest.mark.parametrize("size", SIZES)
def test_colour_hash_is_the_references(size: tuple[int, int]) -> None:
    image = np.stack([clouds(seed, *size) for seed in (1, 2, 3)], axis=2)
    hashes, quality = _kernel.pdq_rgb(image)
    expected, expected_quality = reference(image)
    assert distance(hashes[0], expected) == 0
    assert quality == expected_quality


@given(
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    seed=st.integers(0, 2**32 - 1),
    colour=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_hash_is_the_references_at_any_size(
    height: int, width: int, seed: int, colour: bool
) -> None:
    rng = np.random.default_rng(seed)
    shape = (height, width, 3) if colour else (height, width)
    picture = rng.integers(0, rng.integers(1, 257), shape, dtype=np.uint8)
    hashes, quality = (_kernel.pdq_rgb if colour else _kernel.pdq)(picture)
    expected, expected_quality = reference(picture)
    assert distance(hashes[0], expected) <= 2
    assert abs(quality - expected_quality) <= 1


@pytest.mark.parametrize(("size", "known"), KNOWN.items())
def test_known_hashes(size: tuple[int, int], known: str) -> None:
    assert _kernel.pdq(pattern(*size))[0][0].tobytes().hex() == known


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (4, 4), (4, 900)])
def test_too_small_a_picture_has_no_hash(size: tuple[int, int]) -> None:
    for hashes, quality in (
        _kernel.pdq(np.full(size, 200, np.uint8)),
        _kernel.pdq_rgb(np.full((*size, 3), 200, np.uint8)),
    ):
        assert not hashes.any()
        assert quality == 0


@pytest.mark.parametrize("shade", [0, 77, 255])
def test_uniform_picture_has_no_quality(shade: int) -> None:
    plane = np.full((123, 456), shade, np.uint8)
    assert _kernel.pdq(plane)[1] == 0
    assert _kernel.pdq(plane[::4, ::4], 123, 456)[1] == 0
    assert _kernel.pdq_rgb(np.repeat(plane[..., None], 3, axis=2))[1] == 0


@pytest.mark.parametrize("size", [(640, 512), (100, 333), (250, 251), (64, 64), (30, 41)])
@pytest.mark.parametrize("colour", [False, True])
def test_orientations_are_hashes_of_the_edited_picture(size: tuple[int, int], colour: bool) -> None:
    assert tuple(EDITS) == _kernel.PDQ_ORIENTATIONS
    for seed in range(4):
        planes = [clouds(seed + k, *size) for k in range(3 if colour else 1)]
        picture = np.stack(planes, axis=2) if colour else planes[0]
        hashes, _ = (_kernel.pdq_rgb if colour else _kernel.pdq)(picture)
        for row, edit in zip(hashes, EDITS.values(), strict=True):
            edited = np.stack([edit(plane) for plane in planes], axis=2)
            expected, _ = reference(edited if colour else edited[:, :, 0])
            assert distance(row, expected) <= 2


@pytest.mark.parametrize("size", [(1000, 1500), (1003, 1499)])
def test_orientations_of_a_reduced_plane(size: tuple[int, int]) -> None:
    full = clouds(31, *size)
    padded = np.pad(full, ((0, -size[0] % 4), (0, -size[1] % 4)), mode="edge")
    rows, cols = padded.shape[0] // 4, padded.shape[1] // 4
    means = padded.reshape(rows, 4, cols, 4).mean(axis=(1, 3)).round().astype(np.uint8)
    hashes, _ = _kernel.pdq(means, *size)
    for row, edit in zip(hashes, EDITS.values(), strict=True):
        assert distance(row, reference(edit(full))[0]) <= 6


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_reduced_plane_hashes_as_the_full_picture(scale: int) -> None:
    distances = []
    for seed in range(9):
        height, width = 200 * scale - seed % 5, 256 * scale + seed % 7
        full = clouds(seed, height, width)
        padded = np.pad(full, ((0, -height % scale), (0, -width % scale)), mode="edge")
        rows, cols = padded.shape[0] // scale, padded.shape[1] // scale
        means = padded.reshape(rows, scale, cols, scale).mean(axis=(1, 3))
        hashes, _ = _kernel.pdq(means.round().astype(np.uint8), height, width)
        distances.append(distance(hashes[0], reference(full)[0]))
    assert max(distances) <= 10
    assert np.median(distances) <= 2


def test_any_strides_give_the_same_hash() -> None:
    image = np.stack([clouds(seed, 301, 402) for seed in (4, 5, 6)], axis=2)
    plane = image[:, :, 1]
    for view in (plane, plane.T, plane[::-1], plane[:, ::-1], plane[10:250:2, 7:390:3]):
        copy = np.ascontiguousarray(view)
        assert (_kernel.pdq(view)[0] == _kernel.pdq(copy)[0]).all()
        assert (_kernel.pdq(view, 900, 1600)[0] == _kernel.pdq(copy, 900, 1600)[0]).all()
    part = np.concatenate([image, image], axis=2)[5:200, 3:, :3]
    assert (_kernel.pdq_rgb(part)[0] == _kernel.pdq_rgb(np.ascontiguousarray(part))[0]).all()


def test_unusable_planes_are_refused() -> None:
    plane = clouds(1, 50, 60)
    for wrong in (plane.astype(np.float32), plane[None], plane.astype(np.int8)):
        with pytest.raises(TypeError):
            _kernel.pdq(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no pixels"):
        _kernel.pdq(plane[:0])
    for full in ((49, 60), (50, 0), (0, 60), (50 * 65, 60), (2**40, 2**40)):
        with pytest.raises(ValueError, match="full size"):
            _kernel.pdq(plane, *full)
    with pytest.raises(ValueError, match="adjacent"):
        _kernel.pdq_rgb(np.zeros((3, 50, 60), np.uint8).transpose(1, 2, 0))
    with pytest.raises(ValueError, match="tolerance"):
        _kernel.trim(plane, 256)


def test_threads_give_the_same_hashes() -> None:
    planes = [clouds(seed, 200 + seed, 300) for seed in range(40)]
    alone = [_kernel.pdq(plane)[0].tobytes() for plane in planes]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda plane: _kernel.pdq(plane)[0].tobytes(), planes * 5))
    assert together == alone * 5


@pytest.mark.parametrize("quality", [0, 90, 60, 40])
@pytest.mark.parametrize("shade", [0, 255, 90])
@pytest.mark.parametrize("border", [(9, 9, 9, 9), (60, 40, 0, 0), (0, 0, 33, 70), (200, 0, 5, 0)])
def test_uniform_borders_are_trimmed(
    border: tuple[int, int, int, int], shade: int, quality: int
) -> None:
    top, bottom, left, right = border
    content = np.clip(clouds(21, 240, 320).astype(int) + 60 * (shade == 0), 0, 255)
    content = np.where(np.abs(content - shade) < 40, 128 if shade != 90 else 200, content)
    framed = np.pad(content.astype(np.uint8), ((top, bottom), (left, right)), constant_values=shade)
    plane = jpeg(framed, quality) if quality else framed
    expected = np.array([top, top + 240, left, left + 320])
    box = _kernel.trim(plane)
    assert np.abs(np.array(box) - expected).max() <= (1 if quality else 0)
    inner = np.ascontiguousarray(plane[box[0] : box[1], box[2] : box[3]])
    original = _kernel.pdq(content.astype(np.uint8))[0][0]
    assert distance(_kernel.pdq(inner)[0][0], original) <= 10


def test_each_side_may_have_its_own_shade() -> None:
    framed = np.pad(np.full((200, 300), 128, np.uint8) + clouds(2, 200, 300) // 8, 0)
    framed = np.pad(framed, ((0, 0), (20, 0)), constant_values=255)
    framed = np.pad(framed, ((30, 0), (0, 0)), constant_values=0)
    framed = np.pad(framed, ((0, 10), (0, 0)), constant_values=240)
    assert _kernel.trim(framed) == (30, 230, 20, 320)


@pytest.mark.parametrize("shade", [0, 130, 255])
def test_a_uniform_plane_is_left_whole(shade: int) -> None:
    assert _kernel.trim(np.full((70, 90), shade, np.uint8)) == (0, 70, 0, 90)


def test_pictures_without_a_border_are_left_whole() -> None:
    for seed in range(20):
        for plane in (clouds(seed, 300, 400), jpeg(clouds(seed, 300, 400), 60)):
            assert _kernel.trim(plane) == (0, 300, 0, 400)
    sky = np.repeat(np.linspace(180, 250, 300).astype(np.uint8)[:, None], 400, axis=1)
    assert _kernel.trim(sky) == (0, 300, 0, 400)


@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_something_is_always_left(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    plane = rng.integers(0, 2, (height, width), dtype=np.uint8) * np.uint8(255)
    plane[: rng.integers(0, height + 1)] = 0
    plane[:, : rng.integers(0, width + 1)] = 255
    top, bottom, left, right = _kernel.trim(plane)
    assert 0 <= top < bottom <= height
    assert 0 <= left < right <= width
