"""The fingerprint that browsers compute, held to the kernel's in a real browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Error, Page, Route

from egide import _kernel
from egide.fingerprint import MIN_QUALITY
from egide.item import Item
from egide.media.fingerprint import LEAST_SIDE, Detail, Pdq, picture_prints
from egide.media.picture import Limits
from egide.media.video import Sampling, video_prints
from egide.web.public_pages import STATIC
from tests import pictures, videos
from tests.browser import browser
from tests.unit.test_kernel_pdq import KNOWN, clouds, distance, pattern

__all__ = ["browser"]

EXAMPLES = Path(__file__).parents[2] / "examples"
EQUAL_PIXELS = 2
REAL_FILES = 10
"""Bits that may differ, of 256."""
SIZES = [(5, 5), (5, 300), (63, 64), (64, 64), (65, 63), (129, 127), (375, 500), (1111, 777)]

HASH = """([rows, cols, data]) => {
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  const picture = new pdq.Picture(rows, cols);
  const half = Math.ceil(rows / 2);  // in two strips, as from a canvas
  picture.add(0, half, bytes.subarray(0, 4 * cols * half));
  picture.add(half, rows - half, bytes.subarray(4 * cols * half));
  return picture.finish();
}"""
CHOSEN = "document.querySelector('input').files[0]"


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page that has the module as `pdq`, and a field for a file."""
    opened = browser.new_page()

    def serve(route: Route) -> None:
        if route.request.url.endswith(".js"):
            script = (STATIC / "pdq.js").read_text(encoding="utf-8")
            route.fulfill(body=script, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><input type=file>", content_type="text/html")

    opened.route("**/*", serve)
    opened.goto("http://localhost:1/")
    opened.evaluate("import('/pdq.js').then((module) => { window.pdq = module; })")
    opened.wait_for_function("window.pdq")
    yield opened
    opened.close()


def hashed(page: Page, rgb: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """What the browser makes of these very pixels."""
    rows, cols = rgb.shape[:2]
    rgba = np.dstack([rgb, np.full((rows, cols), 255, np.uint8)])
    data = base64.b64encode(rgba.tobytes()).decode()
    views: list[dict[str, Any]] = page.evaluate(HASH, [rows, cols, data])
    return views


def read(page: Page, data: bytes, name: str = "a.jpg", mime: str = "") -> list[dict[str, Any]]:
    """What the browser makes of a picture's file."""
    page.set_input_files("input", {"name": name, "mimeType": mime, "buffer": data})
    views: list[dict[str, Any]] = page.evaluate(f"pdq.viewsOfPicture({CHOSEN})")
    return views


def apart(view: dict[str, Any], hashes: NDArray[np.uint8]) -> int:
    """By how many bits the browser's hashes differ from the kernel's, in the worst orientation."""
    mine = [np.frombuffer(bytes.fromhex(value), np.uint8) for value in view["hashes"]]
    assert len(mine) == len(hashes) == 8
    return max(distance(one, other) for one, other in zip(mine, hashes, strict=True))


def drawn(kind: str, rows: int, cols: int) -> NDArray[np.uint8]:
    if kind == "clouds":
        return np.stack([clouds(seed, rows, cols) for seed in (1, 2, 3)], axis=2)
    if kind == "noise":
        return np.random.default_rng(rows).integers(0, 256, (rows, cols, 3), dtype=np.uint8)
    return pictures.smooth_noise(cols, rows, seed=cols)


@pytest.mark.parametrize("kind", ["clouds", "noise", "smooth"])
@pytest.mark.parametrize("size", SIZES)
def test_equal_pixels_have_the_kernels_hashes(page: Page, kind: str, size: tuple[int, int]) -> None:
    rgb = drawn(kind, *size)
    hashes, quality = _kernel.pdq_rgb(rgb)
    whole, *_ = hashed(page, rgb)
    assert apart(whole, hashes) <= EQUAL_PIXELS
    assert abs(whole["quality"] - quality) <= 1


@pytest.mark.parametrize(("size", "known"), KNOWN.items())
def test_the_vectors_of_the_reference_hold(page: Page, size: tuple[int, int], known: str) -> None:
    rgb = np.repeat(pattern(*size)[..., None], 3, axis=2)
    mine = np.frombuffer(bytes.fromhex(hashed(page, rgb)[0]["hashes"][0]), np.uint8)
    assert distance(mine, np.frombuffer(bytes.fromhex(known), np.uint8)) <= EQUAL_PIXELS


@pytest.mark.parametrize("border", [(40, 0, 0, 0), (30, 30, 30, 30), (0, 0, 61, 17), (3, 9, 0, 0)])
def test_the_same_border_is_cut_off(page: Page, border: tuple[int, int, int, int]) -> None:
    top, bottom, left, right = border
    inside = pictures.noise(320, 240, seed=3)
    rgb = np.pad(inside, ((top, bottom), (left, right), (0, 0)), constant_values=17)
    box = _kernel.trim(pictures.luma(rgb))
    assert box == (top, top + 240, left, left + 320)
    whole, trimmed = hashed(page, rgb)
    assert (whole["edit"], trimmed["edit"]) == ("none", "border")
    assert apart(trimmed, _kernel.pdq(pictures.luma(inside))[0]) <= EQUAL_PIXELS


def test_a_thin_rest_within_a_border_is_no_picture(page: Page) -> None:
    rgb = np.zeros((200, 200, 3), np.uint8)
    rgb[100 : 100 + LEAST_SIDE - 1] = pictures.noise(200, LEAST_SIDE - 1)
    assert [view["edit"] for view in hashed(page, rgb)] == ["none"]


def test_a_plain_picture_is_told_by_its_quality(page: Page) -> None:
    assert hashed(page, np.full((90, 120, 3), 77, np.uint8))[0]["quality"] < MIN_QUALITY
    assert hashed(page, np.full((4, 120, 3), 77, np.uint8))[0]["hashes"] == ["0" * 64] * 8


def kernels(data: bytes) -> list[Pdq]:
    """What the service banks of a file's first frame."""
    frame = picture_prints(Item.from_bytes(data), Limits(), Detail.BANK).frames[0]
    return [frame.whole, *([frame.trimmed] if frame.trimmed else [])]


UNREADABLE = {"cut-off.jpg", "empty.jpg", "no-picture.jpg"}
FILES = sorted(
    path
    for path in [*(EXAMPLES / "known").iterdir(), *(EXAMPLES / "uploads").iterdir()]
    if path.suffix in {".jpg", ".png", ".webp", ".gif"}
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_bundled_examples_have_the_kernels_hashes(page: Page, path: Path) -> None:
    data = path.read_bytes()
    if path.name in UNREADABLE:
        with pytest.raises(Error, match="unreadable"):
            read(page, data)
        return
    views = read(page, data)
    expected = kernels(data)
    assert [view["edit"] for view in views] == [pdq.edit for pdq in expected]
    for view, pdq in zip(views, expected, strict=True):
        assert apart(view, pdq.hashes) <= REAL_FILES
        assert (view["quality"] >= MIN_QUALITY) == pdq.usable


@pytest.mark.parametrize(
    ("format_", "options"),
    [
        ("JPEG", {"quality": 90}),
        ("JPEG", {"quality": 40, "subsampling": 2}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {"quality": 80}),
        ("AVIF", {"quality": 70}),
        ("GIF", {}),
        ("BMP", {}),
    ],
)
@pytest.mark.parametrize("size", [(301, 977), (1300, 975)])
def test_formats_and_sizes_have_the_kernels_hashes(
    page: Page, format_: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    data = pictures.encode(pictures.noise(*size, seed=7), format_, **options)
    assert apart(read(page, data)[0], kernels(data)[0].hashes) <= REAL_FILES


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_upright_as_their_exif_says(page: Page, orientation: int) -> None:
    data = pictures.encode(pictures.smooth_noise(seed=9), "JPEG", exif=pictures.exif(orientation))
    assert apart(read(page, data)[0], kernels(data)[0].hashes) <= REAL_FILES


def test_the_eight_hashes_are_those_of_the_picture_laid_in_eight_ways(page: Page) -> None:
    rgb = pictures.smooth_noise(seed=11)
    hashes = hashed(page, rgb)[0]["hashes"]
    turned = hashed(page, np.rot90(rgb).copy())[0]["hashes"]
    mirrored = hashed(page, rgb[:, ::-1].copy())[0]["hashes"]
    assert _kernel.PDQ_ORIENTATIONS[1] == "rotate90"
    assert _kernel.PDQ_ORIENTATIONS[4] == "mirror"
    for one, other in ((hashes[1], turned[0]), (hashes[4], mirrored[0])):
        bits = (np.frombuffer(bytes.fromhex(each), np.uint8) for each in (one, other))
        assert distance(*bits) <= EQUAL_PIXELS


def test_what_is_transparent_is_laid_over_white(page: Page) -> None:
    rgba = np.dstack([pictures.smooth_noise(), pictures.luma(pictures.smooth_noise(seed=1))])
    data = pictures.encode(Image.fromarray(rgba), "PNG")
    assert apart(read(page, data)[0], kernels(data)[0].hashes) <= REAL_FILES


def test_a_large_photograph_is_read_in_strips(page: Page) -> None:
    data = pictures.encode(pictures.smooth_noise(4000, 3000, seed=5), "JPEG")
    assert apart(read(page, data)[0], kernels(data)[0].hashes) <= REAL_FILES


@pytest.mark.parametrize(
    "make", [lambda: b"", lambda: b"no picture", pictures.png_bomb, lambda: b"GIF89a"]
)
def test_what_is_no_picture_is_told(page: Page, make: Callable[[], bytes]) -> None:
    with pytest.raises(Error, match=r"unreadable|large"):
        read(page, make())


def in_a_video(page: Page, data: bytes, most: int = 16) -> list[dict[str, Any]]:
    page.set_input_files("input", {"name": "a.mp4", "mimeType": "video/mp4", "buffer": data})
    views: list[dict[str, Any]] = page.evaluate(f"pdq.viewsOfVideo({CHOSEN}, {most})")
    return views


def test_a_video_has_a_fingerprint_of_each_view_that_differs(page: Page) -> None:
    data = videos.video(videos.shots(3))
    views = [view for view in in_a_video(page, data) if view["edit"] == "none"]
    assert len(views) == 3
    prints = video_prints(Item.from_bytes(data), Limits(), Sampling.DENSE)
    known = [frame.whole.hashes for frame in prints.frames]
    for view in views:
        assert min(apart(view, hashes) for hashes in known) <= REAL_FILES


def test_of_a_long_video_so_many_frames_are_kept_as_there_is_room_for(page: Page) -> None:
    data = videos.video(videos.shots(6, 0.6))
    assert len({view["hashes"][0] for view in in_a_video(page, data, 2)}) == 2


def test_what_is_no_video_is_told(page: Page) -> None:
    with pytest.raises(Error, match="unreadable"):
        in_a_video(page, io.BytesIO(b"no video" * 100).getvalue())
