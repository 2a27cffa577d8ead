"""Damaged videos give frames or one clear error, in bounded time; the same inputs each time."""

from __future__ import annotations

import pytest

from tests import pictures
from tests.fuzz.video_targets import VIDEO_TARGETS, check_video

ROUNDS = 60


@pytest.mark.parametrize("name", VIDEO_TARGETS)
def test_damaged_videos_give_frames_or_one_clear_error(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    sound = VIDEO_TARGETS[name]()
    capfd.readouterr()  # encoders print
    check_video(sound)
    for broken in pictures.mutations(sound, ROUNDS):
        check_video(broken)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", VIDEO_TARGETS)
def test_videos_cut_anywhere_give_frames_or_one_clear_error(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    sound = VIDEO_TARGETS[name]()
    capfd.readouterr()
    for size in range(0, len(sound), max(1, len(sound) // 30)):
        check_video(sound[:size])
    assert capfd.readouterr() == ("", "")
