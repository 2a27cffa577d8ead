"""`egide hash`: one JSON line for each file."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests import pictures
from tests.acceptance.conftest import COPY, KNOWN, OTHER, Egide

Write = Callable[[dict[str, bytes]], None]

pdqhash = pytest.importorskip("pdqhash")  # which says nothing of its types


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("draw", [pictures.smooth_noise, pictures.shapes])
def test_the_hash_of_a_png_is_that_of_pdqhash(
    egide: Egide, write: Write, seed: int, draw: Callable[..., Any]
) -> None:
    pixels = draw(seed=seed)
    write({"a.png": pictures.encode(pixels, "PNG")})
    done = egide("hash", "a.png")
    assert (done.code, done.err) == (0, "")
    (line,) = done.lines
    bits, quality = pdqhash.compute(pixels)
    expected = int("".join(map(str, np.asarray(bits).astype(int))), 2)
    assert (int(line["pdq"], 16) ^ expected).bit_count() <= 2
    assert abs(line["quality"] - quality) <= 1


def test_the_fields_are_in_order_and_the_digest_is_of_the_bytes(egide: Egide, write: Write) -> None:
    write({"a.png": KNOWN})
    (line,) = egide("hash", "a.png").lines
    assert list(line) == ["ref", "pdq", "quality", "sha256"]
    assert len(line["pdq"]) == 64
    assert line["sha256"] == hashlib.sha256(KNOWN).hexdigest()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"words\n", "no known format"),
        (b"\x89PNG\r\n\x1a\n and nothing more", ""),
    ],
)
def test_what_is_no_picture_is_a_line_with_the_reason(
    egide: Egide, write: Write, data: bytes, says: str
) -> None:
    write({"a.png": OTHER, "b.jpg": data, "c.png": OTHER})
    done = egide("hash", "a.png", "b.jpg", "c.png")
    assert done.code == 3
    line = done.lines[1]
    assert (line["pdq"], line["quality"]) == (None, None)
    assert line["sha256"] == hashlib.sha256(data).hexdigest()
    assert says in line["error"]
    assert ["error" in line for line in done.lines] == [False, True, False]


def test_half_a_picture_has_a_hash_and_an_error(egide: Egide, write: Write) -> None:
    write({"a.jpg": COPY[: len(COPY) // 2]})
    done = egide("hash", "a.jpg")
    (line,) = done.lines
    assert (done.code, len(line["pdq"])) == (3, 64)
    assert "truncated" in line["error"]


def test_a_missing_file_is_a_line_with_the_reason(egide: Egide) -> None:
    done = egide("hash", "none.jpg")
    assert done.code == 3
    assert done.lines[0]["sha256"] is None
    assert "No such file" in done.lines[0]["error"]


def test_the_first_frame_of_an_animation_is_hashed(egide: Egide, write: Write) -> None:
    frames = [pictures.smooth_noise(seed=seed) for seed in (5, 6)]
    write({"a.gif": pictures.animation("GIF", frames)})
    with Image.open("a.gif") as first:
        out = io.BytesIO()
        first.convert("RGB").save(out, "PNG")
    write({"b.png": out.getvalue()})
    one, other = egide("hash", "a.gif", "b.png").lines
    assert (int(one["pdq"], 16) ^ int(other["pdq"], 16)).bit_count() <= 2


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_lines_come_in_the_order_of_the_files(egide: Egide, write: Write, jobs: str) -> None:
    names = [f"d/{number:02}.jpg" for number in range(20)]
    write(dict.fromkeys(names, OTHER))
    assert [line["ref"] for line in egide("hash", "d", "-j", jobs).lines] == names
    assert [
        line["ref"] for line in egide("hash", "-", stdin="\n".join(names).encode()).lines
    ] == names


def test_nothing_to_hash_is_told_by_the_exit_code(egide: Egide) -> None:
    Path("d").mkdir()
    assert egide("hash", "d").code == 4


@pytest.mark.parametrize("args", [[], ["a.jpg", "--jobs", "0"], ["a.jpg", "--nonsense"]])
def test_wrong_usage(egide: Egide, args: list[str]) -> None:
    assert egide("hash", *args).code == 2


def test_a_bad_limit_is_wrong_usage(egide: Egide, write: Write) -> None:
    write({"a.jpg": OTHER})
    done = egide("hash", "a.jpg", EGIDE_MAX_PIXELS="many")
    assert done.code == 2
    assert "EGIDE_MAX_PIXELS='many'" in done.err


def test_odd_names_come_back_from_the_json(egide: Egide, write: Write) -> None:
    write({"d/\udcff\n.jpg": OTHER})
    done = egide.spawn("hash", "d")
    assert json.loads(done.out)["ref"] == "d/\udcff\n.jpg"
