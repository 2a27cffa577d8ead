"""Local features: copies are found whatever was done to them, other pictures are not."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from egide import _kernel
from egide._kernel import LOCAL_LEAST_POINTS, LOCAL_MOST_POINTS, LOCAL_RECORD_BYTES, LocalFeatures
from egide.testing import neutral_pixels
from tests import pictures

EXAMPLES = Path(__file__).parents[3] / "examples"
MATCH = 3.5
Plane = NDArray[np.uint8]
Edit = Callable[[Image.Image], Image.Image]


def luma(picture: Image.Image) -> Plane:
    return np.asarray(picture.convert("L"))


def neutral(seed: int) -> Image.Image:
    return Image.fromarray(neutral_pixels(seed))


@cache
def bank() -> dict[str, bytes]:
    """Records of the bundled photographs and of drawn pictures."""
    planes = {path.stem: luma(Image.open(path)) for path in (EXAMPLES / "known").glob("*.jpg")}
    planes |= {f"neutral {seed}": luma(neutral(seed)) for seed in range(20)}
    return {name: LocalFeatures(plane).record() for name, plane in planes.items()}


@cache
def segment() -> tuple[NDArray[np.uint32] | NDArray[np.uint64], NDArray[np.uint32]]:
    return _kernel.local_build(list(bank().values()))


def best(query: LocalFeatures) -> tuple[str, float, int]:
    """The banked picture with the highest score, that score and the face."""
    found = []
    for _, slot, face, _, seeds in query.shortlist([segment()]):
        name = list(bank())[slot]
        if evidence := query.verify(bank()[name], face, seeds):
            found.append((name, evidence[0], face))
    return max(found, key=lambda match: match[1], default=("", 0.0, 0))


def saved(quality: int) -> Edit:
    def save(picture: Image.Image) -> Image.Image:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality)
        return Image.open(out)

    return save


def cropped(share: float) -> Edit:
    def crop(picture: Image.Image) -> Image.Image:
        width, height = (round(side * share**0.5) for side in picture.size)
        left, top = (picture.width - width) // 3, (picture.height - height) // 2
        return picture.crop((left, top, left + width, top + height))

    return crop


def bordered(times: float) -> Edit:
    def border(picture: Image.Image) -> Image.Image:
        width, height = (round(side * times) for side in picture.size)
        out = Image.new("RGB", (width, height), (240, 240, 240))
        out.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
        return out

    return border


def pasted(picture: Image.Image) -> Image.Image:
    """Inside another picture, at half of its width."""
    out = Image.fromarray(pictures.shapes(1000, 800))
    out.paste(picture.resize((500, round(picture.height * 500 / picture.width))), (130, 170))
    return out


def captioned(picture: Image.Image) -> Image.Image:
    out = picture.copy()
    draw = ImageDraw.Draw(out)
    draw.rectangle((0, 0, out.width, out.height // 8), "white")
    draw.rectangle((0, out.height * 7 // 8, out.width, out.height), "white")
    draw.text((10, 10), "several words of a caption", "black")
    return out


EDITS: dict[str, Edit] = {
    "untouched": lambda p: p,
    "JPEG 20": saved(20),
    "half size": lambda p: p.resize((p.width // 2, p.height // 2)),
    "blur": lambda p: p.filter(ImageFilter.GaussianBlur(1.5)),
    "brighter": lambda p: p.point(lambda value: min(255, int(value * 1.4))),
    "crop 50 %": cropped(0.5),
    "crop 25 %": cropped(0.25),
    "border": bordered(1.4),
    "mirror": lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "quarter turn": lambda p: p.transpose(Image.Transpose.ROTATE_90),
    "upside down": lambda p: p.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    "turned by 20°": lambda p: p.rotate(20, Image.Resampling.BICUBIC, expand=True),
    "wider": lambda p: p.resize((round(p.width * 1.3), p.height)),
    "pasted": pasted,
    "captions": captioned,
    "mirrored crop, JPEG 40": lambda p: saved(40)(
        cropped(0.6)(p.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    ),
}
MIRRORING = {"mirror", "upside down", "mirrored crop, JPEG 40"}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_edited_photographs_are_found(name: str, edit: str) -> None:
    picture = Image.open(EXAMPLES / "known" / f"{name}.jpg").convert("RGB")
    found, score, face = best(LocalFeatures(luma(EDITS[edit](picture))))
    assert found == name
    assert score >= MATCH
    assert face == (edit in MIRRORING)


@pytest.mark.parametrize("edit", EDITS)
def test_edited_drawings_are_found(edit: str) -> None:
    scores = [best(LocalFeatures(luma(EDITS[edit](neutral(seed))))) for seed in range(5)]
    assert [name for name, _, _ in scores] == [f"neutral {seed}" for seed in range(5)]
    assert min(score for _, score, _ in scores) >= MATCH


def test_other_pictures_stay_below_every_threshold() -> None:
    others = [luma(neutral(seed)) for seed in range(100, 140)]
    others += [pictures.noise(seed=seed)[:, :, 0] for seed in range(5)]
    others += [pictures.shapes(seed=seed)[:, :, 1] for seed in range(10)]
    others += [
        luma(Image.open(EXAMPLES / "uploads" / name))
        for name in ("chelsea.jpg", "grass.jpg", "gravel.jpg", "hubble_deep_field.jpg")
    ]
    assert max(best(LocalFeatures(plane))[1] for plane in others) < 2.5


def test_compare_answers_as_a_look_up_does() -> None:
    mirrored = np.ascontiguousarray(luma(neutral(3))[:, ::-1])
    query = LocalFeatures(mirrored)
    alike = query.compare(bank()["neutral 3"])
    assert alike is not None
    assert alike[0] > MATCH
    assert alike[-1] == 1
    other = query.compare(bank()["neutral 4"])
    assert other is None or other[0] < 2.5


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_matched_region_is_given_in_both_pictures(mirrored: bool) -> None:
    whole = luma(neutral(7))
    height, width = whole.shape
    top, left, bottom, right = 60, 100, 300, 420
    part = whole[top:bottom, left:right]
    query = LocalFeatures(np.ascontiguousarray(part[:, ::-1]) if mirrored else part)
    answer = query.compare(bank()["neutral 7"])
    assert answer is not None
    _, inliers, model, of_query, of_banked, matched, visible, face = answer
    assert face == mirrored
    assert inliers > 20
    assert 10 < matched <= visible <= 64
    for polygon in (of_query, of_banked):
        assert len(polygon) >= 3
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in polygon)
    slack = 0.02
    assert min(x for x, _ in of_banked) > left / width - slack
    assert max(x for x, _ in of_banked) < right / width + slack
    assert min(y for _, y in of_banked) > top / height - slack
    assert max(y for _, y in of_banked) < bottom / height + slack
    # The model takes every corner of the banked polygon to where the query shows it.
    a, b, c, d, e, f = model
    for x, y in of_banked:
        u = (a * x * 1023 + b * y * 1023 * height / width + e) / query.width
        v = (c * x * 1023 + d * y * 1023 * height / width + f) / query.height
        shown = ((x * width - left) / (right - left), (y * height - top) / (bottom - top))
        assert u == pytest.approx(1 - shown[0] if mirrored else shown[0], abs=slack)
        assert v == pytest.approx(shown[1], abs=slack)


def test_strides_make_no_difference() -> None:
    plane = luma(neutral(1))
    record = LocalFeatures(plane).record()
    assert LocalFeatures(np.asfortranarray(plane)).record() == record
    assert LocalFeatures(np.repeat(plane, 3, axis=1)[:, ::3]).record() == record
    assert LocalFeatures(np.ascontiguousarray(plane[::-1])[::-1]).record() == record


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (3, 2), (20_000, 2), (2, 20_000), (17, 640)])
@pytest.mark.parametrize("shade", [0, 255, None])
def test_pictures_of_any_shape(shape: tuple[int, int], shade: int | None) -> None:
    random = np.random.default_rng(1)
    plane = random.integers(0, 256, shape) if shade is None else np.full(shape, shade)
    features = LocalFeatures(plane.astype(np.uint8))
    assert 0 <= features.count <= 600
    assert max(features.width, features.height) == pytest.approx(1023)
    if shade is not None:
        assert (features.count, features.record()) == (0, b"")
        assert features.shortlist([segment()]) == []
        assert features.compare(bank()["coffee"]) is None


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_a_plane_without_pixels_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no pixels"):
        LocalFeatures(np.zeros(shape, np.uint8))


def test_planes_of_another_kind_are_refused() -> None:
    with pytest.raises(TypeError):
        LocalFeatures(np.zeros((20, 20), np.float32))
    with pytest.raises(TypeError):
        LocalFeatures(np.zeros((20, 20, 3), np.uint8))


def test_records_are_stable_and_bounded() -> None:
    blocks = np.random.default_rng(3).integers(0, 256, (70, 90), np.uint8)
    plane = np.kron(blocks, np.ones((10, 10), np.uint8))
    features = LocalFeatures(plane)
    assert features.count == 600
    record = features.record()
    assert len(record) == LOCAL_RECORD_BYTES
    assert _kernel.local_check(record) == LOCAL_MOST_POINTS
    assert record[:16] == b"\x01\0\x90\x01" + (900).to_bytes(2, "little") + (700).to_bytes(
        2, "little"
    ) + bytes(8)
    assert LocalFeatures(plane).record() == record


def test_threads_share_objects_and_agree() -> None:
    planes = [luma(neutral(seed)) for seed in range(8)]
    alone = [LocalFeatures(plane) for plane in planes]
    expected = [(f.record(), best(f)) for f in alone]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(LocalFeatures, planes * 4))
        assert [f.record() for f in made] == [record for record, _ in expected] * 4
        assert list(pool.map(best, alone * 4)) == [answer for _, answer in expected] * 4


def test_few_points_make_no_record() -> None:
    plane = np.full((200, 200), 128, np.uint8)
    plane[90:110, 90:110] = 255
    features = LocalFeatures(plane)
    assert 0 < features.count < LOCAL_LEAST_POINTS
    assert features.record() == b""


KERNEL = Path(__file__).parents[3] / "src" / "kernel"


@pytest.fixture(scope="module")
def plain_records(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Records of drawn pictures by a kernel without vector instructions."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "main.cpp").write_text(
        """
        #include <cstdio>
        #include <vector>
        #include "local_features.hpp"
        int main(int, char** arguments) {
          std::FILE* file = std::fopen(arguments[1], "rb");
          std::vector<std::uint8_t> plane(384 * 512);
          while (std::fread(plane.data(), 1, plane.size(), file) == plane.size()) {
            const egide::local::LocalFeatures features({plane.data(), 384, 512, 512, 1}, true);
            const std::string record = features.record();
            const auto size = static_cast<std::uint32_t>(record.size());
            std::fwrite(&size, 4, 1, stdout);
            std::fwrite(record.data(), 1, record.size(), stdout);
          }
        }
        """
    )
    sources = [str(p) for p in KERNEL.glob("local_*.cpp") if p.name != "local_module.cpp"]
    compiler = os.environ.get("CXX", "g++")
    subprocess.run(
        [compiler, "-std=c++17", "-O2", "-DEGIDE_PLAIN", f"-I{KERNEL}", "-o", str(folder / "main"),
         str(folder / "main.cpp"), *sources],
        check=True,
    )  # fmt: skip
    planes = folder / "planes"
    planes.write_bytes(b"".join(luma(neutral(seed)).tobytes() for seed in range(8)))
    out = subprocess.run([str(folder / "main"), str(planes)], check=True, capture_output=True)
    records, rest = [], out.stdout
    while rest:
        size = int.from_bytes(rest[:4], sys.byteorder)
        records.append(rest[4 : 4 + size])
        rest = rest[4 + size :]
    return records


def test_records_of_another_processor_are_matched(plain_records: list[bytes]) -> None:
    """Sums round differently with other instructions; nothing may hang on that."""
    assert len(plain_records) == 8
    for seed, record in enumerate(plain_records):
        same, crop = LocalFeatures(luma(neutral(seed))), cropped(0.5)(neutral(seed))
        native = same.record()
        assert abs(_kernel.local_check(record) - _kernel.local_check(native)) <= 4
        whole, part = same.compare(record), LocalFeatures(luma(crop)).compare(record)
        own = same.compare(native)
        assert whole is not None
        assert own is not None
        assert part is not None
        assert whole[0] > 0.9 * own[0]
        assert part[0] > MATCH
