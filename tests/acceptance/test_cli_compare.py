"""`egide compare`: how two pictures or videos are alike."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from egide.testing import neutral_pixels
from tests import pictures, videos
from tests.acceptance.conftest import COPY, KNOWN, OTHER, Egide, Outcome

EXAMPLES = Path(__file__).parents[2] / "examples"
COFFEE = EXAMPLES / "known" / "coffee.jpg"
CAMERA = EXAMPLES / "known" / "camera.jpg"
ROCKET = EXAMPLES / "known" / "rocket.jpg"
UPLOADS = EXAMPLES / "uploads"
PLAIN = pictures.encode(np.full((200, 200, 3), 90, np.uint8), "PNG")
DOT = pictures.encode(np.full((1, 1, 3), 90, np.uint8), "PNG")

Write = Callable[[dict[str, bytes]], None]


@pytest.fixture(scope="module")
def clip() -> bytes:
    return videos.video(videos.footage(8))


@pytest.fixture(scope="module")
def padded() -> bytes:
    """The middle five seconds of `clip` between others, encoded anew."""
    frames, foreign = list(videos.footage(8)), list(videos.footage(6, seed=3))
    mixed = [*foreign[:75], *frames[50:175], *foreign[75:]]
    return videos.video(mixed, codec_options={"crf": "32"})


def result(done: Outcome) -> dict[str, Any]:
    (line,) = done.lines
    return line


def by_method(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {match["method"]: match for match in found["matches"]}


def test_a_copy_is_near_by_pdq_and_its_points_agree(egide: Egide) -> None:
    done = egide("compare", UPLOADS / "thumbnail.jpg", COFFEE)
    found = result(done)
    assert (done.code, done.err) == (0, "")
    assert found["schema"] == "egide.compare/1"
    assert [item["kind"] for item in found["items"]] == ["image", "image"]
    assert not found["same_file"]
    assert found["score"] == 1.0
    assert [(d["way"], d["edit"]) for d in found["distances"]] == [
        ("upright", "none"),
        ("turned", "none"),
    ]
    assert all(d["bits"] <= 31 for d in found["distances"])
    assert set(by_method(found)) == {"pdq", "local"}
    assert found["skipped"] == found["errors"] == []


def test_nothing_of_a_bank_is_in_the_result(egide: Egide) -> None:
    found = result(egide("compare", UPLOADS / "cropped.jpg", COFFEE))
    assert not {"bank", "entry", "purpose"} & set(found["matches"][0])


def test_a_crop_is_far_by_pdq_and_found_by_its_points(egide: Egide) -> None:
    found = result(egide("compare", UPLOADS / "cropped.jpg", COFFEE))
    assert all(distance["bits"] > 31 for distance in found["distances"])
    (match,) = found["matches"]
    assert match["method"] == "local"
    assert match["score"] >= 0.9
    # The right 70 % of the width and the lower 75 % of the height were kept.
    xs, ys = zip(*match["banked_region"], strict=True)
    assert 0.28 <= min(xs) < 0.5
    assert 0.23 <= min(ys) < 0.5
    xs, ys = zip(*match["region"], strict=True)
    assert max(xs) - min(xs) > 0.7
    assert max(ys) - min(ys) > 0.7


def test_a_mirrored_part_is_told_in_words_and_not_by_pdq(egide: Egide) -> None:
    done = egide("compare", UPLOADS / "pasted.jpg", CAMERA, "--format", "table")
    assert done.code == 0
    assert done.out.startswith("One shows the other, or a part of it (score 0.95).\n\n")
    told = " ".join(done.out.split())
    assert "Compared with the second, left and right were exchanged." in told
    assert re.search(r"\d+ distinct points of the first lie in the second too", told)
    assert "Their PDQ" not in told


def test_other_pictures_have_nothing_in_common(egide: Egide) -> None:
    done = egide("compare", UPLOADS / "chelsea.jpg", COFFEE, "--format", "table")
    assert done.code == 0
    assert done.out.startswith("Nothing found in common (score 0.00).")
    assert re.search(r"PDQ, both as they are: 1\d\d of 256 bits", done.out)


def test_the_same_file_is_the_same_file(egide: Egide, write: Write) -> None:
    write({"a.png": KNOWN, "b.png": KNOWN})
    assert result(egide("compare", "a.png", "b.png"))["same_file"]
    table = egide("compare", "a.png", "b.png", "--format", "table").out
    assert table.startswith("The same file (score 1.00).")


def test_on_a_terminal_it_is_a_text_and_in_a_pipe_json(egide: Egide, write: Write) -> None:
    write({"a.png": KNOWN, "b.jpg": COPY})
    code, seen = egide.on_terminal("compare", "a.png", "b.jpg")
    assert code == 0
    assert seen.startswith("A copy (score 1.00).")
    assert max(map(len, seen.splitlines())) <= 100
    assert json.loads(egide.spawn("compare", "a.png", "b.jpg").out)["score"] == 1.0


# ── videos ──────────────────────────────────────────────────────────────────────────────────────


def test_the_stretch_that_two_videos_share_is_told(
    egide: Egide, write: Write, clip: bytes, padded: bytes
) -> None:
    write({"one.mp4": padded, "other.mp4": clip})
    match = by_method(result(egide("compare", "one.mp4", "other.mp4")))["pdq"]
    (stretch,) = match["stretches"]
    assert stretch["at"] == pytest.approx([3000, 8000], abs=700)
    assert stretch["banked_at"] == pytest.approx([2000, 7000], abs=700)
    assert match["share"] == pytest.approx(5 / 11, abs=0.08)
    assert match["banked_share"] == pytest.approx(5 / 8, abs=0.08)
    table = egide("compare", "one.mp4", "other.mp4", "--format", "table").out
    assert "One shows the other, or a part of it" in table
    assert re.search(r"of the first and \d+ % of the second", " ".join(table.split()))


def test_a_banked_still_is_found_in_a_video_that_shows_it(egide: Egide) -> None:
    found = result(egide("compare", UPLOADS / "clip.mp4", ROCKET))
    assert [item["kind"] for item in found["items"]] == ["video", "image"]
    assert all(2000 <= match["at"] < 4500 for match in found["matches"])
    assert set(by_method(found)) == {"pdq", "local"}


def test_a_still_is_found_in_a_banked_video(egide: Egide) -> None:
    found = result(egide("compare", ROCKET, UPLOADS / "clip.mp4"))
    assert found["score"] == 1.0
    assert all(2000 <= match["banked_at"] < 4500 for match in found["matches"])


def test_other_videos_have_nothing_in_common(egide: Egide, write: Write, clip: bytes) -> None:
    write({"one.mp4": videos.video(videos.footage(4, seed=5)), "other.mp4": clip})
    found = result(egide("compare", "one.mp4", "other.mp4"))
    assert (found["score"], found["matches"]) == (0.0, [])


# ── what cannot be compared ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "The item could not be opened: bad: No such file or directory"),
        (b"", "The item is empty: bad: it has zero bytes"),
        (b"words\n", "The content is no known format: bad: it is text; give pictures or videos"),
        (b"\x89PNG\r\n\x1a\n and nothing more", "bad: "),
        (COPY[: len(COPY) // 2], "The item is truncated: bad: "),
    ],
)
def test_what_the_second_is_not_stops_it_with_its_name(
    egide: Egide, write: Write, data: bytes | None, says: str
) -> None:
    write({"good.png": KNOWN} | ({} if data is None else {"bad": data}))
    done = egide("compare", "good.png", "bad")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("egide: cannot compare good.png with bad: ")
    assert says in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [(None, "bad: No such file"), (b"", "bad: it has zero bytes"), (b"words\n", "bad: it is text")],
)
def test_so_does_what_the_first_is_not(
    egide: Egide, write: Write, data: bytes | None, says: str
) -> None:
    write({"good.png": KNOWN} | ({} if data is None else {"bad": data}))
    done = egide("compare", "bad", "good.png")
    assert (done.code, done.out) == (3, "")
    assert says in done.err


def test_half_a_first_picture_is_compared_and_said_to_be_half(egide: Egide) -> None:
    done = egide("compare", UPLOADS / "cut-off.jpg", EXAMPLES / "known" / "astronaut.jpg")
    found = result(done)
    assert done.code == 3
    assert found["score"] >= 0.9
    assert [fault["error"] for fault in found["errors"]] == ["truncated"]


def test_half_a_video_is_compared_as_far_as_it_goes(egide: Egide, write: Write) -> None:
    whole = videos.video(videos.footage(8), "matroska")
    write({"half.mkv": whole[: len(whole) * 2 // 3], "whole.mkv": whole})
    done = egide("compare", "half.mkv", "whole.mkv")
    assert done.code == 3
    assert by_method(result(done))["pdq"]["share"] > 0.9
    assert egide("compare", "whole.mkv", "half.mkv").code == 3


def test_a_video_of_which_nothing_can_be_read_is_not_called_different(
    egide: Egide, write: Write, clip: bytes
) -> None:
    write({"broken.mp4": clip[:40] + bytes(3000), "clip.mp4": clip})
    done = egide("compare", "broken.mp4", "clip.mp4", "--format", "table")
    assert done.code == 3
    assert done.out.startswith("Not compared in full; nothing found")
    assert "Of the first: " in done.out


@pytest.mark.parametrize("data", [PLAIN, DOT], ids=["one colour", "one pixel"])
def test_a_picture_of_nothing_has_no_distance(egide: Egide, write: Write, data: bytes) -> None:
    write({"nothing.png": data, "good.png": KNOWN})
    found = result(egide("compare", "nothing.png", "good.png"))
    assert (found["score"], found["distances"], found["matches"]) == (0.0, [], [])
    assert "too little detail" in found["skipped"][0]
    table = egide("compare", "good.png", "nothing.png", "--format", "table").out
    assert "one of them shows nothing" in table


def test_nothing_is_still_the_same_file_as_itself(egide: Egide, write: Write) -> None:
    write({"a.png": DOT, "b.png": DOT})
    assert result(egide("compare", "a.png", "b.png"))["same_file"]


@pytest.mark.parametrize(
    "args",
    [[], ["a.png"], ["a.png", "a.png", "a.png"], ["a.png", "a.png", "--format", "sarif"]],
)
def test_wrong_usage(egide: Egide, write: Write, args: list[str]) -> None:
    write({"a.png": KNOWN})
    done = egide("compare", *args)
    assert (done.code, done.out) == (2, "")


def test_a_folder_is_wrong_usage(egide: Egide) -> None:
    done = egide("compare", UPLOADS, COFFEE)
    assert (done.code, done.out) == (2, "")
    assert "is a folder; give two pictures or videos" in done.err


# ── the page ────────────────────────────────────────────────────────────────────────────────────


def test_the_page_is_private_and_outlines_the_parts(egide: Egide) -> None:
    done = egide("compare", UPLOADS / "pasted.jpg", CAMERA, "--out", "page.html")
    assert done.code == 0
    assert done.err == "egide: wrote page.html\n"
    page = Path("page.html")
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    text = page.read_text(encoding="utf-8")
    assert text.count("<polygon") == 2
    assert "<img" not in text
    assert "data:" not in text


def test_the_page_is_there_when_the_reader_of_the_json_goes_away(
    egide: Egide, write: Write
) -> None:
    write({"a.png": KNOWN, "b.jpg": COPY})
    process = egide.popen("compare", "a.png", "b.jpg", "--format", "json", "--out", "page.html")
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stdin, process.stderr:
        err = process.stderr.read()
        process.wait(60)
    assert "A copy" in Path("page.html").read_text(encoding="utf-8")
    assert b"Traceback" not in err


def test_the_first_lines_can_be_had_without_a_complaint(egide: Egide, write: Write) -> None:
    write({"a.png": KNOWN, "b.jpg": OTHER})
    process = egide.popen("compare", "a.png", "b.jpg", "--format", "json")
    assert process.stdout is not None
    assert process.stdout.read(5) == b'{"sch'
    _, err = process.communicate(timeout=60)
    assert err == b""


def test_a_page_that_cannot_be_written_is_told_before_the_work(egide: Egide, write: Write) -> None:
    write({"a.png": KNOWN})
    done = egide("compare", "a.png", "a.png", "--out", "none/page.html")
    assert (done.code, done.out) == (2, "")
    assert "cannot write none/page.html" in done.err


def test_an_earlier_page_stays_when_nothing_could_be_compared(egide: Egide, write: Write) -> None:
    write({"a.png": KNOWN, "page.html": b"earlier", "b.png": b""})
    assert egide("compare", "a.png", "b.png", "--out", "page.html").code == 3
    assert Path("page.html").read_bytes() == b"earlier"
    assert {path.name for path in Path().iterdir()} == {"a.png", "b.png", "page.html"}


def test_a_page_does_not_take_the_place_of_a_picture(egide: Egide, write: Write) -> None:
    write({"a.png": KNOWN, "b.jpg": COPY})
    assert egide("compare", "a.png", "b.jpg", "--out", "b.jpg").code == 2
    assert Path("b.jpg").read_bytes() == COPY


def test_odd_names_do_no_harm_on_a_terminal(egide: Egide, write: Write) -> None:
    write({"a\x1b[31m.png": KNOWN, "b.png": b""})
    done = egide("compare", "a\x1b[31m.png", "b.png")
    assert done.code == 3
    assert "\x1b" not in done.err


@pytest.mark.parametrize("order", [0, 1])
def test_what_shows_nothing_could_not_be_compared(egide: Egide, tmp_path: Path, order: int) -> None:
    plain, picture = tmp_path / "plain.png", tmp_path / "picture.png"
    plain.write_bytes(pictures.encode(np.full((300, 400, 3), 40, np.uint8), "PNG"))
    picture.write_bytes(pictures.encode(neutral_pixels(1), "PNG"))
    pair = [plain, picture][:: 1 if order else -1]

    done = egide("compare", *pair, "--format", "json")

    assert done.code == 3
    assert any("too little detail" in reason for reason in json.loads(done.out)["skipped"])


def test_a_still_of_a_video_is_as_far_as_its_match_says(egide: Egide, tmp_path: Path) -> None:
    frames = list(videos.footage(8))
    clip, still = tmp_path / "clip.mp4", tmp_path / "still.jpg"
    clip.write_bytes(videos.video(frames))
    still.write_bytes(pictures.encode(frames[100], "JPEG", quality=90))

    found = json.loads(egide("compare", still, clip, "--format", "json").out)

    by_pdq = [match["distance"] for match in found["matches"] if match["method"] == "pdq"]
    assert by_pdq == [min(distance["bits"] for distance in found["distances"])]
