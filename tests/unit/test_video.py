"""Videos become the fingerprints of their frames, whatever is wrong with them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from egide.errors import (
    CorruptItem,
    ItemError,
    TooLong,
    TooManyBytes,
    TooManyFrames,
    TooManyPixels,
    TooManyStreams,
    TooMuchTime,
    TruncatedItem,
    UnknownContent,
    UnreadableItem,
)
from egide.fingerprint import FingerprintType
from egide.item import Item
from egide.media.fingerprint import frame_prints
from egide.media.picture import Frame, Limits
from egide.media.video import (
    SAME_BITS,
    Sampling,
    VideoFrame,
    VideoPrints,
    video_fingerprints,
    video_prints,
)
from egide.media.video_samples import LONGEST_SIDE, Sample, VideoFacts, samples
from egide.sniff import Kind
from tests import pictures
from tests.pictures import smooth_noise
from tests.videos import (
    boxes,
    concatenation,
    footage,
    playlist,
    several,
    shots,
    sound,
    video,
    with_cover,
    with_duration,
    with_samples,
)

LIMITS = Limits()
COPY_BITS = 31


def prints(
    data: bytes, sampling: Sampling = Sampling.SPARSE, limits: Limits = LIMITS
) -> VideoPrints:
    return video_prints(Item.from_bytes(data), limits, sampling)


def hash_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    luma = pictures.luma(pixels)
    hashes: NDArray[np.uint8] = frame_prints(
        Frame(luma, luma.shape[1], luma.shape[0])
    ).whole.hashes[0]
    return hashes


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    return int(np.bitwise_count(one ^ other).sum())


def shared(query: VideoPrints, banked: VideoPrints) -> float:
    """The share of the query's frames that are a copy of a banked one, in some orientation."""
    known = np.array([pdq.hashes[0] for frame in banked.frames for pdq in frame.usable])

    def is_copy(frame: VideoFrame) -> bool:
        asked = np.concatenate([pdq.hashes for pdq in frame.usable])
        return int(np.bitwise_count(asked[:, None] ^ known[None]).sum(2).min()) <= COPY_BITS

    return sum(map(is_copy, query.frames)) / len(query.frames)


@pytest.fixture(scope="module")
def clip() -> bytes:
    return video(footage(4))


@pytest.fixture(scope="module")
def banked() -> VideoPrints:
    """What is banked of the two seconds that most tests have."""
    return prints(video(footage(2)), Sampling.DENSE)


@pytest.fixture(scope="module")
def four() -> VideoPrints:
    """What is banked of four seconds."""
    return prints(video(footage(4)), Sampling.DENSE)


@pytest.fixture(scope="module")
def other() -> VideoPrints:
    """What is banked of four seconds of something else."""
    return prints(video(footage(4, seed=5)), Sampling.DENSE)


CONTAINERS = [
    ("mp4", "libx264"),
    ("mov", "libx264"),
    ("mp4", "libx265"),
    ("matroska", "libx264"),
    ("webm", "libvpx-vp9"),
    ("webm", "libvpx"),
    ("avi", "mpeg4"),
    ("mpegts", "mpeg2video"),
    ("mpegts", "libx264"),
    ("vob", "mpeg2video"),
    ("mpeg1video", "mpeg1video"),
    ("flv", "flv"),
    ("asf", "wmv2"),
]


@pytest.mark.parametrize(("container", "codec"), CONTAINERS)
def test_containers_and_codecs_that_people_send_are_read(
    container: str, codec: str, banked: VideoPrints
) -> None:
    item = Item.from_bytes(video(footage(2), container, codec))

    assert item.kind is Kind.VIDEO
    for sampling in Sampling:
        found = video_prints(item, LIMITS, sampling)
        assert found.problems == ()
        assert found.duration == pytest.approx(2000, abs=130)
        assert len(found.frames) > 3
        assert shared(found, banked) > 0.8


def test_frames_stand_one_after_the_other_until_the_end(clip: bytes) -> None:
    for sampling in Sampling:
        found = prints(clip, sampling)
        ends = [frame.at + frame.span for frame in found.frames]

        assert found.frames[0].at == 0
        assert ends == [*(frame.at for frame in found.frames[1:]), found.duration]


def test_a_still_shot_is_one_frame_that_stands_as_long_as_it_is_shown() -> None:
    found = prints(video(shots(4, seconds=1.0)))

    assert [(frame.at, frame.span) for frame in found.frames] == [
        (n * 1000, 1000) for n in range(4)
    ]
    assert found.repeated > 0
    for seed, frame in enumerate(found.frames):
        assert (
            distance(frame.whole.hashes[0], hash_of(smooth_noise(320, 240, 1000 + seed)))
            <= COPY_BITS
        )


def test_neighbours_that_are_kept_look_different(clip: bytes) -> None:
    found = prints(clip, Sampling.DENSE)
    hashes = [frame.whole.hashes[0] for frame in found.frames]

    assert all(distance(a, b) > SAME_BITS for a, b in pairwise(hashes))


def test_plain_frames_are_dropped_and_end_what_stood_before_them() -> None:
    black, white = np.zeros((240, 320, 3), np.uint8), np.full((240, 320, 3), 255, np.uint8)
    shot = smooth_noise(320, 240)
    found = prints(video([black] * 25 + [shot] * 25 + [white] * 25))

    assert [(frame.at, frame.span) for frame in found.frames] == [(1000, 1000)]
    assert found.plain > 0
    assert found.duration == 3000


def test_a_video_of_one_colour_has_no_frame_and_says_so() -> None:
    found = prints(video([np.full((240, 320, 3), 90, np.uint8)] * 30))

    assert (found.frames, found.problems) == ((), ())
    assert found.notes == ("no frame of it shows anything that could be compared",)


def test_letterbox_bars_are_cut_off(banked: VideoPrints) -> None:
    boxed = (np.pad(frame, ((40, 40), (0, 0), (0, 0))) for frame in footage(2))
    found = prints(video(boxed))

    assert all(frame.trimmed is not None for frame in found.frames)
    assert shared(found, banked) > 0.8


def test_key_frames_begin_shots_and_come_back_in_long_ones() -> None:
    def keys(data: bytes) -> list[int]:
        return [s.at for s in _samples(data) if s.key]

    assert keys(video(shots(3, seconds=2.0))) == [0, 2000, 4000]
    long = keys(video([smooth_noise(320, 240)] * 300))
    assert long == pytest.approx([0, 5000, 10000], abs=500)


def _samples(data: bytes, sampling: Sampling = Sampling.SPARSE) -> list[Sample]:
    with Item.from_bytes(data).opened() as source:
        return list(samples(source, len(data), LIMITS, sampling, VideoFacts()))


# The same video, changed: what a copy still shares with what is banked.


@pytest.mark.parametrize(
    ("least", "changed"),
    [
        (0.9, lambda: video(footage(4), codec_options={"crf": "40"})),
        (0.9, lambda: video(frame[::2, ::2] for frame in footage(4))),
        (0.8, lambda: video(list(footage(4))[::2], rate=12)),
        (0.9, lambda: video(list(footage(4))[13:88])),
        (0.9, lambda: video(frame[:, ::-1] for frame in footage(4))),
        (0.8, lambda: video(footage(4), codec_options={"g": "250", "bf": "8"})),
    ],
    ids=["bit rate", "half size", "frame rate", "excerpt", "mirror", "long groups"],
)
def test_a_changed_copy_shares_its_frames_with_what_is_banked(
    least: float, changed: Callable[[], bytes], four: VideoPrints, other: VideoPrints
) -> None:
    query = prints(changed())

    assert shared(query, four) >= least
    assert shared(query, other) == 0


def test_foreign_padding_leaves_the_frames_between_it(banked: VideoPrints) -> None:
    padded = [*footage(4, seed=3), *footage(2), *footage(4, seed=4)]
    query = prints(video(padded))
    shares = shared(query, banked)

    assert 0.1 < shares < 0.3


# What files say of themselves, and what is true.


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotation_that_players_apply_is_applied(degrees: int) -> None:
    shot = smooth_noise(320, 240)
    (frame,) = prints(video([shot] * 10, turned=degrees)).frames

    shown = np.rot90(shot, degrees // 90)
    assert distance(frame.whole.hashes[0], hash_of(shown)) <= COPY_BITS


def test_samples_are_upright_small_and_of_square_pixels() -> None:
    (turned,) = _samples(video([smooth_noise(1280, 640)] * 3, turned=90))
    (wide,) = _samples(video([smooth_noise(320, 240)] * 3, shape=Fraction(2)))

    assert turned.luma.shape == (LONGEST_SIDE, LONGEST_SIDE // 2)
    assert wide.luma.shape == (240, 640)
    assert turned.luma.dtype == np.uint8
    assert turned.luma.flags.c_contiguous


def test_variable_frame_rate_keeps_the_times_of_the_file() -> None:
    times = [0, 40, 80, 1000, 1040, 5000, 5040]
    stills = [smooth_noise(320, 240, n) for n in (0, 0, 0, 1, 1, 2, 2)]
    found = prints(video(stills, "matroska", times=times), Sampling.DENSE)

    assert [frame.at for frame in found.frames] == [0, 1000, 5000]
    assert [frame.span for frame in found.frames[:2]] == [1000, 4000]


def test_a_lying_duration_changes_nothing(clip: bytes) -> None:
    for seconds in (0, 3600):
        found = prints(with_duration(clip, seconds))
        assert (found.duration, found.problems) == (4000, ())


def test_a_lying_duration_that_players_show_is_noted() -> None:
    data = video(footage(2), "matroska")
    at = data.index(b"\x44\x89\x88") + 3
    found = prints(data[:at] + struct.pack(">d", 3_600_000.0) + data[at + 8 :])

    assert found.duration == pytest.approx(2000, abs=130)
    assert found.problems == ()


def test_time_stamps_before_zero_count_from_the_first_frame() -> None:
    times = [n * 40 - 400 for n in range(50)]
    found = prints(video(footage(2), "mov", times=times, codec_options={"bf": "0"}))

    assert found.frames[0].at == 0
    assert found.duration == 2000


def test_frames_without_time_stamps_follow_at_the_usual_rate(banked: VideoPrints) -> None:
    found = prints(video(footage(2), "mpeg1video", "mpeg1video"))

    assert found.duration == pytest.approx(2000, abs=130)
    assert shared(found, banked) > 0.8


def test_time_stamps_that_leap_by_years_are_a_guess() -> None:
    year = 365 * 24 * 3600 * 1000
    times = [n * 40 + (year if n >= 25 else 0) for n in range(50)]
    found = prints(video(footage(2), "matroska", times=times, codec_options={"bf": "0"}))

    assert found.duration == pytest.approx(2000, abs=130)
    assert any("time stamps" in note for note in found.notes)


def test_a_video_of_one_frame_is_one_frame() -> None:
    (frame,) = prints(video([smooth_noise(320, 240)])).frames

    assert frame.at == 0
    assert 0 < frame.span <= 1000


@pytest.mark.parametrize(
    ("width", "height", "codec", "pixels"),
    [
        (321, 241, "ffv1", "yuv444p"),
        (321, 241, "libx264", "yuv444p"),
        (16384, 64, "libx264", "yuv420p"),
        (320, 240, "libx264", "yuv420p10le"),
        (320, 240, "libx265", "yuv420p10le"),
        (320, 240, "ffv1", "gray"),
        (320, 240, "mjpeg", "yuvj420p"),
    ],
)
def test_odd_sizes_and_depths_are_read(width: int, height: int, codec: str, pixels: str) -> None:
    data = video([smooth_noise(width, height)] * 5, "matroska", codec, pixels=pixels)
    (sample,) = _samples(data)

    assert max(sample.luma.shape) <= LONGEST_SIDE
    shown = np.asarray(sample.luma, np.float64)
    assert shown.std() > 10


def test_the_smallest_frame_shows_nothing() -> None:
    frames = [frame[:1, :1] for frame in footage(1)]
    found = prints(video(frames, "matroska", "ffv1", pixels="yuv444p"))

    assert (found.frames, found.problems) == ((), ())
    assert found.plain > 0


def test_an_alpha_channel_is_passed_by() -> None:
    shot = smooth_noise(320, 240)
    layered = np.dstack([shot, np.full((240, 320), 128, np.uint8)])
    (frame,) = prints(video([layered] * 5, "mov", "png", pixels="rgba", source="rgba")).frames

    assert distance(frame.whole.hashes[0], hash_of(shot)) <= COPY_BITS


def test_interlaced_video_is_read(banked: VideoPrints) -> None:
    options = {"x264-params": "interlaced=1"}
    found = prints(video(footage(2), codec_options=options))

    assert shared(found, banked) > 0.8


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_every_video_stream_is_read(container: str) -> None:
    found = prints(several([footage(2), footage(2, seed=3)], container))

    assert found.problems == ()
    assert found.duration == pytest.approx(2000, abs=130)
    for stream, seed in ((0, 0), (1, 3)):
        part = replace(found, frames=tuple(f for f in found.frames if f.stream == stream))
        assert shared(part, prints(video(footage(2, seed=seed)), Sampling.DENSE)) > 0.8


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi", "mpegts", "flv"])
def test_sound_without_video_is_passed_by_with_a_note(container: str) -> None:
    found = prints(sound(container, "mp2" if container == "avi" else "aac"))

    assert (found.frames, found.problems, found.duration) == ((), (), 0)
    assert found.notes == ("there is no video stream in it; sound is not compared",)


def test_a_cover_picture_beside_a_video_is_not_taken_for_it(banked: VideoPrints) -> None:
    found = prints(with_cover(footage(2), smooth_noise(300, 200, 9)))

    assert found.notes == ("1 attached cover pictures were not read",)
    assert shared(found, banked) > 0.8


def test_the_cover_of_a_sound_is_what_it_shows() -> None:
    cover = smooth_noise(300, 200, 9)
    (frame,) = prints(sound("mp4", cover=cover)).frames

    assert distance(frame.whole.hashes[0], hash_of(cover)) <= COPY_BITS


# Broken on purpose.


def test_an_index_that_is_cut_off_is_a_clear_error(clip: bytes) -> None:
    with pytest.raises(TruncatedItem, match="its index, which stands at the end, is missing"):
        prints(clip[: len(clip) // 2])


@pytest.mark.parametrize(
    ("container", "codec"), [("mp4", "libx264"), ("matroska", "libx264"), ("avi", "mpeg4")]
)
def test_a_file_cut_in_the_middle_gives_what_is_there(container: str, codec: str) -> None:
    options = {"movflags": "faststart"} if container == "mp4" else None
    data = video(footage(4), container, codec, container_options=options)
    found = prints(data[: len(data) * 2 // 3])

    assert [type(problem) for problem in found.problems] == [TruncatedItem]
    assert 1000 < found.duration < 3500
    assert shared(found, prints(video(footage(4)), Sampling.DENSE)) > 0.8


@pytest.mark.parametrize(
    ("container", "codec"), [("mpegts", "libx264"), ("flv", "flv"), ("asf", "wmv2")]
)
def test_a_stream_that_announces_no_size_ends_where_it_ends(container: str, codec: str) -> None:
    data = video(footage(4), container, codec)
    found = prints(data[: len(data) * 2 // 3])

    assert found.frames
    assert 1000 < found.duration < 3500


def test_damage_in_the_middle_costs_its_own_frames_only(clip: bytes) -> None:
    data = bytearray(video(footage(4), "avi", "mjpeg", pixels="yuvj420p"))
    third = len(data) // 3
    data[third : third + 4000] = bytes(4000)
    found = prints(bytes(data))

    assert found.duration == pytest.approx(4000, abs=130)
    assert shared(found, prints(clip, Sampling.DENSE)) > 0.7


@pytest.mark.parametrize("data", [playlist(), concatenation()])
def test_nothing_that_names_other_files_is_opened(data: bytes) -> None:
    with pytest.raises((UnknownContent, CorruptItem)):
        prints(data)


@pytest.mark.parametrize("container", ["nut", "mxf"])
def test_containers_that_nobody_sends_are_not_opened(container: str) -> None:
    with pytest.raises(UnknownContent, match="no container that is read"):
        prints(video(footage(1), container, "mpeg2video"))


def test_codecs_that_nobody_sends_are_not_opened() -> None:
    found = prints(video(footage(1), "matroska", "snow"))

    (problem,) = found.problems
    assert isinstance(problem, UnknownContent)
    assert "snow" in str(problem)


@pytest.mark.parametrize("data", [b"", b"\0" * 1000, b"\0\0\0\x18ftypisom\0\0\0\0isommp42"])
def test_what_is_no_video_is_one_error(data: bytes) -> None:
    with pytest.raises((CorruptItem, TruncatedItem)):
        prints(data)


@pytest.mark.parametrize("count", [2_000_000, 2**31 - 1])
def test_tables_that_announce_endless_frames_are_one_error(clip: bytes, count: int) -> None:
    found = prints(with_samples(clip, count))

    assert found.frames == ()
    (problem,) = found.problems
    assert isinstance(problem, CorruptItem | TruncatedItem)


# Limits, each with its own error; what was read is kept.


@pytest.mark.parametrize(
    ("limits", "error", "variable"),
    [
        (Limits(video_frames=5), TooManyFrames, "EGIDE_MAX_VIDEO_FRAMES"),
        (Limits(video_length=2), TooLong, "EGIDE_MAX_VIDEO_LENGTH"),
        (Limits(video_seconds=0.001), TooMuchTime, "EGIDE_MAX_VIDEO_SECONDS"),
        (Limits(video_pixels=1000), TooManyPixels, "EGIDE_MAX_VIDEO_PIXELS"),
    ],
)
def test_limits_end_a_video_with_their_own_error(
    clip: bytes,
    limits: Limits,
    error: type[ItemError],
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A quick machine is through with the clip before the clock is looked at for the first time.
    monkeypatch.setattr("egide.media.video_open._LOOK_SECONDS", 0.0)

    found = prints(clip, limits=limits)

    assert [type(problem) for problem in found.problems] == [error]
    assert variable in str(found.problems[0])
    assert found.duration < 2500


def test_the_frames_up_to_the_limit_are_kept(clip: bytes) -> None:
    whole = prints(clip)
    some = prints(clip, limits=Limits(video_frames=5))

    assert [frame.at for frame in some.frames] == [frame.at for frame in whole.frames[:5]]
    assert prints(clip, limits=Limits(video_frames=len(whole.frames))).problems == ()


def test_only_so_many_streams_are_read() -> None:
    found = prints(several([footage(1, seed=n) for n in range(3)]), limits=Limits(video_streams=2))

    assert [type(problem) for problem in found.problems] == [TooManyStreams]
    assert {frame.stream for frame in found.frames} == {0, 1}


def test_a_file_of_too_many_bytes_is_not_opened(clip: bytes) -> None:
    with pytest.raises(TooManyBytes, match="EGIDE_MAX_VIDEO_BYTES"):
        prints(clip, limits=Limits(video_bytes=1000))


def test_very_many_tiny_frames_end() -> None:
    tiny = (frame for frame in footage(50, 16, 16, rate=100))
    found = prints(video(tiny, "matroska", "mpeg4", rate=100))

    assert found.duration == pytest.approx(50_000, abs=200)
    assert len(found.frames) < 1000


# From files.


def test_a_file_and_its_bytes_give_the_same(clip: bytes, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip)
    of_file = video_prints(Item.from_path(path), LIMITS, Sampling.SPARSE)
    of_bytes = prints(clip)

    assert [(f.at, f.whole.hashes.tobytes()) for f in of_file.frames] == [
        (f.at, f.whole.hashes.tobytes()) for f in of_bytes.frames
    ]


def test_a_file_that_has_gone_is_unreadable(clip: bytes, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip)
    item = Item.from_path(path)
    path.unlink()

    with pytest.raises(UnreadableItem):
        video_prints(item, LIMITS, Sampling.SPARSE)


def test_a_video_is_read_once_for_all_who_ask(clip: bytes) -> None:
    item = Item.from_bytes(clip)

    assert video_prints(item, LIMITS, Sampling.SPARSE) is video_prints(
        item, Limits(), Sampling.SPARSE
    )


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str], clip: bytes) -> None:
    broken = bytearray(clip)
    broken[2000:2400] = bytes(400)
    prints(bytes(broken))

    assert capfd.readouterr() == ("", "")


# What a bank keeps.


def test_a_bank_keeps_usable_hashes_with_their_times(clip: bytes) -> None:
    found = list(video_fingerprints(Item.from_bytes(clip), LIMITS, local=False))
    frames = prints(clip, Sampling.DENSE).frames

    assert {one.type for one in found} == {FingerprintType.PDQ}
    assert [one.at for one in found] == [f.at for f in frames for _ in f.usable]
    assert all(one.span and one.span > 0 for one in found)


def test_half_a_video_is_not_banked() -> None:
    data = video(footage(4), "matroska")
    with pytest.raises(TruncatedItem):
        list(video_fingerprints(Item.from_bytes(data[: len(data) // 2]), LIMITS, local=False))


def test_the_boxes_of_a_test_file_are_where_they_should_be(clip: bytes) -> None:
    assert len(list(boxes(clip, b"moov", b"trak"))) == 1


def test_a_long_video_keeps_local_features_of_few_key_frames_spread_over_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("egide.media.video.MOST_LOCAL", 3)
    item = Item.from_bytes(video(shots(14, 1.0)))

    prints = video_prints(item, Limits(), Sampling.DENSE, with_local=True)

    held = [frame.at for frame in prints.frames if frame.local is not None]
    assert 2 <= len(held) <= 4
    assert max(held) > 7000
    steps = {later - earlier for earlier, later in pairwise(held)}
    assert max(steps) - min(steps) <= 200
