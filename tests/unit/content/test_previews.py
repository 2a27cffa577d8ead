"""Previews are small, upright, without metadata; of veiled ones nothing can be told but light."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from egide.content import Previews
from egide.errors import CorruptItem, EmptyItem, ItemError, TooMuchTime, UnknownContent
from egide.media.preview import CLEAR_SIDE, VEILED_SIDE, is_preview
from egide.sandbox import Pool, SandboxLimits
from tests import pictures
from tests.videos import footage, video

RED = (200, 30, 30)


@pytest.fixture(scope="module")
def previews() -> Iterator[Previews]:
    with Pool(lambda: (), limits=SandboxLimits(workers=1, seconds=20)) as pool:
        yield Previews(pool)


def encoded(picture: Image.Image, format_: str = "JPEG", **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, format_, **options)
    return out.getvalue()


def opened(jpeg: bytes) -> Image.Image:
    picture = Image.open(BytesIO(jpeg))
    assert picture.format == "JPEG"
    picture.load()
    return picture


def halves(size: tuple[int, int] = (400, 200)) -> Image.Image:
    """Red on the left, white on the right."""
    picture = Image.new("RGB", size, "white")
    picture.paste(RED, (0, 0, size[0] // 2, size[1]))
    return picture


def near(picture: Image.Image, at: tuple[int, int], colour: tuple[int, ...]) -> bool:
    found = picture.getpixel(at)
    return bool(np.abs(np.array(found) - np.array(colour)).max() < 12)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_a_clear_preview_is_the_picture_in_colour(previews: Previews, format_: str) -> None:
    shown = opened(previews.render(encoded(halves(), format_), veiled=False))

    assert (shown.size, shown.mode) == ((400, 200), "RGB")
    assert near(shown, (50, 100), RED)
    assert near(shown, (350, 100), (255, 255, 255))


@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_a_large_picture_is_reduced_and_keeps_its_colour(previews: Previews, format_: str) -> None:
    shown = opened(previews.render(encoded(halves((4000, 1500)), format_), veiled=False))

    assert (shown.size, shown.mode) == ((CLEAR_SIDE, 600), "RGB")
    assert near(shown, (100, 300), RED)


def test_it_is_upright_and_has_no_metadata(previews: Previews) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned to the right
    exif[0x010E] = "a name"
    data = encoded(halves(), exif=exif, comment=b"a name", icc_profile=b"a name" * 30)
    for veiled in (False, True):
        jpeg = previews.render(data, veiled=veiled)
        shown = opened(jpeg)
        assert shown.size == ((100, 200) if veiled else (200, 400))
        assert not shown.getexif()
        assert b"a name" not in jpeg
    assert near(opened(previews.render(data, veiled=False)), (100, 50), RED)


def test_a_veiled_preview_shows_no_detail(previews: Previews) -> None:
    stripes = np.zeros((600, 900), np.uint8)
    stripes[:, np.arange(900) // 30 % 2 == 0] = 255
    shown = opened(previews.render(encoded(Image.fromarray(stripes)), veiled=True))
    middle = np.asarray(shown, np.int16)[30:-30, 30:-30]

    assert (shown.size, shown.mode) == ((VEILED_SIDE, 133), "L")
    assert int(middle.max() - middle.min()) < 8


def test_a_veiled_preview_still_tells_light_from_dark(previews: Previews) -> None:
    shown = opened(previews.render(encoded(halves()), veiled=True))

    assert shown.getpixel((10, 50)) < 110  # type: ignore[operator]
    assert shown.getpixel((190, 50)) > 220  # type: ignore[operator]


def test_transparency_is_over_white(previews: Previews) -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    assert near(opened(previews.render(encoded(clear, "PNG"), veiled=False)), (32, 32), (255,) * 3)


def test_four_inks_are_shown_in_colour(previews: Previews) -> None:
    data = encoded(halves().convert("CMYK"))
    shown = opened(previews.render(data, veiled=False))
    assert (shown.mode, near(shown, (50, 100), RED)) == ("RGB", True)


def test_a_small_picture_is_not_enlarged(previews: Previews) -> None:
    data = encoded(halves((20, 10)), "PNG")
    for veiled in (False, True):
        assert opened(previews.render(data, veiled=veiled)).size == (20, 10)


def test_the_frame_of_an_animation_can_be_chosen(previews: Previews) -> None:
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in (40, 120, 240)]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    reds = [
        opened(previews.render(data, veiled=False, still=still)).getpixel((32, 32))[0]  # type: ignore[index]
        for still in (0, 1, 2, 9)
    ]
    assert np.abs(np.array(reds) - [40, 120, 240, 240]).max() < 12


def test_stills_of_a_video(previews: Previews) -> None:
    data = video(footage(4.0))
    stills = [opened(previews.render(data, veiled=False, still=n)) for n in (0, 1, 10_000)]

    assert {shown.mode for shown in stills} == {"RGB"}
    assert max(stills[0].size) <= CLEAR_SIDE
    assert len({shown.tobytes() for shown in stills}) == 3
    assert opened(previews.render(data, veiled=True)).mode == "L"


def test_what_is_left_of_a_broken_picture_is_shown(previews: Previews) -> None:
    whole = pictures.encode(pictures.smooth_noise(seed=3), "JPEG")
    assert opened(previews.render(whole[: len(whole) // 2], veiled=False)).mode in ("RGB", "L")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EmptyItem),
        (b"a text", UnknownContent),
        (b"\xff\xd8\xff\xe0" + b"broken" * 99, ItemError),
        (b"\0\0\0\x18ftypmp42" + bytes(999), ItemError),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), (CorruptItem, ItemError)),
    ],
)
def test_what_shows_nothing_is_told(
    previews: Previews, data: bytes, error: type[ItemError]
) -> None:
    for veiled in (False, True):
        with pytest.raises(error):
            previews.render(data, veiled=veiled)


def test_drawing_ends_in_time() -> None:
    large = encoded(Image.new("L", (9000, 9000)), "PNG", compress_level=1)
    limits = SandboxLimits(workers=1, seconds=0.05)
    with Pool(lambda: (), limits=limits) as pool, pytest.raises(TooMuchTime):
        Previews(pool).render(large, veiled=True)


def test_what_a_worker_draws_is_not_believed() -> None:
    grey, colour = Image.new("L", (200, 100)), Image.new("RGB", (200, 100))

    assert is_preview(encoded(grey), veiled=True)
    assert is_preview(encoded(colour), veiled=False)
    assert not is_preview(encoded(colour), veiled=True)
    assert not is_preview(encoded(Image.new("L", (201, 100))), veiled=True)
    assert not is_preview(encoded(Image.new("RGB", (100, 1601))), veiled=False)
    assert not is_preview(encoded(grey, "PNG"), veiled=True)
    assert not is_preview(b"<script>", veiled=False)
    assert not is_preview(b"\xff\xd8", veiled=False)
