"""`known-media.v1`: copies that only local features find, and videos."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from egide.detectors.known_media import (
    ALIGNED_SURE,
    UNSURE_SCORE,
    KnownMedia,
)
from egide.finding import Finding, Skip
from egide.fingerprint import Fingerprint, FingerprintType
from egide.item import Item
from egide.media.fingerprint import fingerprints_of
from egide.testing import MemoryBank, neutral_pixels
from tests import videos
from tests.pictures import encode

BANKED = neutral_pixels(1, 480, 640)


@cache
def prints_of(seed: int) -> tuple[Fingerprint, ...]:
    return fingerprints_of(picture(neutral_pixels(seed, 480, 640)))


def picture(pixels: NDArray[np.uint8]) -> Item:
    return Item.from_bytes(encode(np.ascontiguousarray(pixels), "JPEG", quality=80), "query")


def bank_of(*prints: tuple[Fingerprint, ...], purpose: str = "block") -> MemoryBank:
    bank = MemoryBank(purpose, purpose)
    for held in prints:
        bank.add(held)
    return bank


def seen(item: Item, *banks: MemoryBank) -> list[Finding]:
    return [o for o in KnownMedia(banks).detect(item) if isinstance(o, Finding)]


def turned(pixels: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).rotate(degrees, Image.Resampling.BICUBIC, True))


def inside(pixels: NDArray[np.uint8], width: int = 420) -> NDArray[np.uint8]:
    """Small, in the lower right of another picture."""
    other = neutral_pixels(77, 720, 960)
    small = np.asarray(Image.fromarray(pixels).resize((width, width * 3 // 4)))
    other[380 : 380 + len(small), 500 : 500 + width] = small
    return other


@pytest.mark.parametrize(
    ("name", "query", "edit"),
    [
        ("a quarter of it", BANKED[100:340, 150:470], "none"),
        ("mirrored and cut", BANKED[40:400, 60:560][:, ::-1], "mirror"),
        ("turned by 20°", turned(BANKED, 20), "none"),
        ("inside another", inside(BANKED), "none"),
        ("inside another, mirrored", inside(BANKED[:, ::-1]), "mirror"),
        ("beside another", np.concatenate([BANKED, neutral_pixels(5, 480, 640)], 1), "none"),
    ],
)
def test_parts_are_found_by_local_features(name: str, query: NDArray[np.uint8], edit: str) -> None:
    (found,) = seen(picture(query), bank_of(prints_of(1), prints_of(2)))

    evidence = found.evidence
    assert (evidence["method"], evidence["edit"]) == ("local", edit), name
    assert found.score == ALIGNED_SURE
    assert evidence["entry"].endswith("-1")
    assert "distance" not in evidence
    assert evidence["inliers"] >= 8
    assert 0.4 <= evidence["coverage"] <= 1


def test_the_regions_are_where_the_picture_is() -> None:
    (found,) = seen(picture(inside(BANKED)), bank_of(prints_of(1)))

    xs, ys = zip(*found.evidence["region"], strict=True)
    # It was put at 500…920 of 960 and 380…695 of 720.
    assert 0.50 <= min(xs) < 0.62
    assert 0.85 < max(xs) <= 0.97
    assert 0.51 <= min(ys) < 0.65
    assert 0.83 < max(ys) <= 0.98
    assert found.evidence["aspect"] == pytest.approx(960 / 720, abs=0.01)
    assert found.evidence["banked_aspect"] == pytest.approx(640 / 480, abs=0.01)


def test_without_local_fingerprints_in_the_bank_parts_are_not_found() -> None:
    known = tuple(f for f in prints_of(1) if f.type is not FingerprintType.LOCAL)

    assert seen(picture(BANKED[100:340, 150:470]), bank_of(known)) == []


def test_a_copy_that_pdq_settles_is_not_looked_for_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bank = bank_of(prints_of(1))
    monkeypatch.setattr(bank, "align", lambda _queries: pytest.fail("it was looked up in parts"))

    (found,) = seen(Item.from_bytes(encode(BANKED, "PNG")), bank)

    assert found.evidence["method"] == "pdq"


def test_other_pictures_are_not_found() -> None:
    bank = bank_of(*(prints_of(seed) for seed in range(1, 6)))

    for seed in range(20, 28):
        assert seen(picture(neutral_pixels(seed, 480, 640)), bank) == []


def template(filling: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame that many pictures share, rich in detail, with something else in it each time."""
    whole = neutral_pixels(90, 480, 640).copy()
    whole[100:380, 120:520] = filling[100:380, 120:520]
    return whole


def test_a_shared_template_is_silenced_by_an_allowed_one() -> None:
    banked = fingerprints_of(picture(template(BANKED)))
    empty = fingerprints_of(picture(template(np.full((480, 640, 3), 127, np.uint8))))
    other = picture(template(neutral_pixels(31, 480, 640)))

    (unsilenced,) = seen(other, bank_of(banked))
    (silenced,) = seen(other, bank_of(banked), bank_of(empty, purpose="allow"))

    assert unsilenced.score > 0
    assert silenced.score == 0
    assert silenced.evidence["silenced_by"]["bank"] == "allow"
    # The banked picture itself is found all the same, in whole and in part.
    assert seen(picture(template(BANKED)), bank_of(banked), bank_of(empty, purpose="allow"))[
        0
    ].score
    assert seen(
        picture(template(BANKED)[60:420, 80:560]), bank_of(banked), bank_of(empty, purpose="allow")
    )[0].score


def test_a_little_in_common_goes_to_a_person() -> None:
    """A strip of the banked picture at the edge of another one: alike, and hardly covering it."""
    query = neutral_pixels(33, 480, 640)
    query[:110] = BANKED[:110]

    found = seen(picture(query), bank_of(prints_of(1)))

    assert [(f.score, f.evidence["method"]) for f in found] == [(UNSURE_SCORE, "local")]
    assert found[0].evidence["coverage"] < 0.5


def test_a_picture_too_dull_for_pdq_is_compared_by_its_points() -> None:
    dull = (128 + 0.4 * (BANKED.astype(float) - 128)).astype(np.uint8)
    bank = bank_of(fingerprints_of(Item.from_bytes(encode(dull, "PNG"))))
    assert not bank.holds(FingerprintType.PDQ)

    observations = list(KnownMedia([bank]).detect(Item.from_bytes(encode(dull[20:, 30:], "PNG"))))

    (found,) = (o for o in observations if isinstance(o, Finding))
    assert found.evidence["method"] == "local"
    assert not [o for o in observations if isinstance(o, Skip)]


# ── videos ──────────────────────────────────────────────────────────────────────────────────────


@cache
def clip(seed: int = 0, seconds: float = 8) -> tuple[NDArray[np.uint8], ...]:
    """Frames of a view that moves, 25 a second."""
    return tuple(videos.footage(seconds, seed=seed))


@cache
def clip_prints(seed: int = 0) -> tuple[Fingerprint, ...]:
    return fingerprints_of(Item.from_bytes(videos.video(clip(seed))))


def clip_of(*parts: Sequence[NDArray[np.uint8]], rate: int = 25) -> Item:
    frames = [frame for part in parts for frame in part]
    return Item.from_bytes(videos.video(frames, "matroska", rate=rate), "query")


def test_a_copy_of_a_video_is_found_with_its_share_and_stretch() -> None:
    (found,) = seen(clip_of([f[:, ::-1] for f in clip()]), bank_of(clip_prints(), clip_prints(9)))

    evidence = found.evidence
    assert (found.score, evidence["method"], evidence["edit"]) == (1.0, "pdq", "mirror")
    assert evidence["share"] > 0.9
    assert evidence["banked_share"] > 0.9
    (stretch,) = evidence["stretches"]
    assert stretch["at"][0] == pytest.approx(stretch["banked_at"][0], abs=250)
    assert evidence["frames"] >= 8


def test_a_padded_upload_does_not_escape() -> None:
    query = clip_of(clip(50, 12), clip()[50:150], clip(51, 12))

    (found,) = seen(query, bank_of(clip_prints()))

    assert found.score == 1.0
    assert found.evidence["share"] == pytest.approx(4 / 28, abs=0.05)
    assert found.evidence["banked_share"] == pytest.approx(4 / 8, abs=0.1)
    stretch = found.evidence["stretches"][0]
    assert stretch["at"][0] == pytest.approx(12_000, abs=600)
    assert stretch["banked_at"][0] == pytest.approx(2_000, abs=600)


def test_a_short_clip_of_a_long_film_does_not_escape() -> None:
    film = fingerprints_of(clip_of(clip(60, 20), clip(), clip(61, 20)))

    (found,) = seen(clip_of(clip()[25:140]), bank_of(film))

    assert found.score == 1.0
    assert found.evidence["share"] > 0.8
    assert found.evidence["banked_share"] < 0.2


def test_a_moment_in_common_of_two_long_videos_goes_to_a_person() -> None:
    title = clip(70, 1)
    film = fingerprints_of(clip_of(title, clip(71, 10)))

    (found,) = seen(clip_of(clip(72, 10), title), bank_of(film))

    assert found.score == UNSURE_SCORE
    assert found.evidence["share"] < 0.2


def test_a_still_finds_the_video_and_the_video_the_still() -> None:
    still = clip()[100]
    (by_still,) = seen(picture(still), bank_of(clip_prints()))
    known = fingerprints_of(picture(still))
    (by_video,) = seen(clip_of(clip()), bank_of(known))

    assert by_still.score >= ALIGNED_SURE
    assert by_still.evidence["banked_at"] == pytest.approx(4_000, abs=800)
    assert by_video.score >= ALIGNED_SURE
    assert by_video.evidence["at"] == pytest.approx(4_000, abs=800)
    assert "share" not in by_still.evidence
    assert "share" not in by_video.evidence


def test_a_video_within_a_video_is_found_by_its_key_frames() -> None:
    small = [np.asarray(Image.fromarray(f).resize((240, 180))) for f in clip()]
    around = [np.array(f) for f in videos.footage(8, 480, 360, seed=80)]
    for frame, inner in zip(around, small, strict=True):
        frame[150:330, 210:450] = inner

    found = seen(clip_of(around), bank_of(clip_prints()))

    assert [f.evidence["method"] for f in found] == ["local"]
    assert found[0].evidence["region"]


def test_other_videos_are_not_found() -> None:
    bank = bank_of(clip_prints(), clip_prints(9))

    assert seen(clip_of(clip(100)), bank) == []


def test_a_frame_of_a_video_that_an_allow_bank_knows_is_not_counted() -> None:
    """An opening that many videos share is put into an allow bank."""
    opening = clip(90, 4)
    banked = fingerprints_of(clip_of(opening, clip(91, 4)))
    allowed = bank_of(fingerprints_of(clip_of(opening)), purpose="allow")
    other = clip_of(opening, clip(92, 4))

    assert seen(other, bank_of(banked))[0].score == 1.0
    # A frame beside the cut may be nearer to the banked video: for a person to look at, no more.
    assert max(f.score for f in seen(other, bank_of(banked), allowed)) <= UNSURE_SCORE
    copy = clip_of(opening, clip(91, 4))
    assert seen(copy, bank_of(banked), allowed)[0].score == 1.0


def test_a_video_known_as_a_file_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    item = Item.from_bytes(videos.video(clip(0, 1)))
    bank = bank_of(fingerprints_of(item))
    monkeypatch.setattr(
        "egide.detectors.known_media.frames_of", lambda *_a, **_k: pytest.fail("read")
    )

    assert [f.evidence["method"] for f in seen(item, bank)] == ["sha256"]
