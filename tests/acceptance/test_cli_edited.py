"""Edited copies and odd pictures, as the engineer of a platform meets them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from egide.testing import neutral_pixels
from tests.acceptance.conftest import Egide
from tests.pictures import encode


def text_only() -> Image.Image:
    page = Image.new("L", (900, 1200), 255)
    draw = ImageDraw.Draw(page)
    for line in range(40):
        draw.text((60, 30 * line + 10), f"{line} the quick brown fox jumps over the lazy dog " * 2)
    return page


def panorama() -> bytes:
    """100 megapixels, 25,000 wide: the same view again and again, each time a little brighter."""
    view = neutral_pixels(3, 500, 625)[..., 0]
    row = np.concatenate([np.clip(view * (0.6 + 0.05 * n), 0, 255) for n in range(8)], 1)
    tall = Image.fromarray(row.astype(np.uint8)).resize((25_000, 4_000), Image.Resampling.NEAREST)
    out = io.BytesIO()
    tall.save(out, "JPEG", quality=60)
    return out.getvalue()


ODD: dict[str, Callable[[], bytes]] = {
    "one-pixel.png": lambda: encode(np.full((1, 1, 3), 7, np.uint8), "PNG"),
    "one-colour.png": lambda: encode(np.full((400, 500, 3), 90, np.uint8), "PNG"),
    "noise.png": lambda: encode(
        np.random.default_rng(1).integers(0, 256, (600, 800, 3), np.uint8), "PNG"
    ),
    "text.png": lambda: encode(np.asarray(text_only().convert("RGB")), "PNG"),
    "panorama.jpg": panorama,
    "strip.png": lambda: encode(np.asarray(neutral_pixels(4, 64, 9_000))[:12], "PNG"),
}
DULL = {"one-pixel.png", "one-colour.png"}


@pytest.fixture
def bank(egide: Egide, tmp_path: Path) -> Path:
    """A home whose bank `known` holds a picture, and every odd one."""
    folder = tmp_path / "known"
    folder.mkdir()
    (folder / "picture.jpg").write_bytes(encode(neutral_pixels(1, 600, 800), "JPEG"))
    for name, make in ODD.items():
        (folder / name).write_bytes(make())
    home = tmp_path / "home"
    assert egide("bank", "create", "known", "--home", home).code == 0
    done = egide("bank", "add", "known", folder, "--home", home)
    assert done.code == 0, done.err
    lines = {Path(line["ref"]).name: line for line in map(json.loads, done.out.splitlines())}
    assert set(lines) == {*ODD, "picture.jpg"}
    assert {
        name for name, line in lines.items() if "only identical" in line.get("note", "")
    } == DULL
    return home


def verdicts(egide: Egide, home: Path, *paths: Path) -> dict[str, Any]:
    done = egide("scan", *paths, "--home", home, "--format", "jsonl")
    return {Path(v["item"]["ref"]).name: v for v in map(json.loads, done.out.splitlines())}


def test_odd_pictures_are_banked_and_found_and_match_nothing_else(
    egide: Egide, bank: Path, tmp_path: Path
) -> None:
    found = verdicts(egide, bank, tmp_path / "known")

    for name, verdict in found.items():
        assert verdict["errors"] == [], name
        assert {f["evidence"]["method"] for f in verdict["findings"]} >= {"sha256"}, name
        entries = {f["evidence"]["entry"] for f in verdict["findings"]}
        assert len(entries) == 1, (name, verdict["findings"])


def test_crops_of_odd_pictures_end_clearly(egide: Egide, bank: Path, tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    Image.MAX_IMAGE_PIXELS = None
    for name in ODD:
        picture = Image.open(tmp_path / "known" / name).convert("RGB")
        width, height = picture.size
        box = (
            width // 5,
            height // 5,
            max(width // 5 + 1, width * 4 // 5),
            max(1, height * 4 // 5),
        )
        picture.crop(box).save(folder / name)
    Image.open(tmp_path / "known" / "picture.jpg").crop((100, 80, 500, 400)).save(folder / "p.jpg")

    found = verdicts(egide, bank, folder)

    assert found["p.jpg"]["action"] == "block"
    assert all(verdict["errors"] == [] for verdict in found.values())
    for name in DULL - {"one-pixel.png"}:  # a pixel cannot be cropped: the same file
        assert found[name]["findings"] == []
        assert "too little detail" in found[name]["skipped"][0]["reason"]
    first = {f["evidence"]["entry"] for f in found["p.jpg"]["findings"]}
    for name in ODD:
        assert not first & {f["evidence"]["entry"] for f in found[name]["findings"]}, name


def test_no_local_keeps_to_pdq(egide: Egide, tmp_path: Path) -> None:
    file = tmp_path / "picture.jpg"
    file.write_bytes(encode(neutral_pixels(1, 600, 800), "JPEG"))
    home = tmp_path / "home"
    egide("bank", "create", "known", "--home", home)
    egide("bank", "add", "known", file, "--no-local", "--home", home)
    stats = json.loads(egide("bank", "stats", "known", "--home", home).out)

    assert set(stats["fingerprints"]) == {"pdq", "sha256"}
    Image.open(file).crop((100, 80, 500, 400)).save(tmp_path / "crop.jpg")
    assert verdicts(egide, home, tmp_path / "crop.jpg")["crop.jpg"]["findings"] == []
