"""The progress bar takes nothing with it that stands on the terminal beside it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pictures
from tests.walkthrough import Prompt

FILES = 3
AT_ONCE = """
import egide.cli.progress
egide.cli.progress._DELAY = 0
from egide.cli import main
main()
"""
"""Draws the bar from the first file on, as where each takes a second."""


@pytest.fixture
def prompt(tmp_path: Path) -> Prompt:
    for number in range(FILES):
        data = pictures.encode(pictures.smooth_noise(64, 64, number), "PNG")
        (tmp_path / f"{number}.png").write_bytes(data)
    (tmp_path / "at-once").write_text(f"#!{sys.executable}\n{AT_ONCE}")
    (tmp_path / "at-once").chmod(0o700)
    return Prompt(tmp_path)


@pytest.mark.parametrize("command", ["trace -f jsonl", "scan -f jsonl", "hash"])
def test_what_the_reader_of_a_pipe_prints_stays(prompt: Prompt, command: str) -> None:
    printed = prompt.run(f"./at-once {command} *.png --jobs 1 | grep -oE '^.{{1,60}}[0-9]\\.png'")

    lines = [line for line in printed if line.startswith("{")]
    assert [line[-5:] for line in lines] == ["0.png", "1.png", "2.png"]


def test_every_paragraph_of_a_trace_stays(prompt: Prompt) -> None:
    printed = prompt.run("./at-once trace *.png --jobs 1")

    assert [line for line in printed if line.endswith(".png")] == ["0.png", "1.png", "2.png"]
    assert len(printed) == 2 * FILES + 1


def test_beside_a_file_of_results_there_is_a_bar(prompt: Prompt) -> None:
    ours, terminal = pty.openpty()
    with (prompt.folder / "out.jsonl").open("wb") as out:
        names = sorted(path.name for path in prompt.folder.glob("*.png"))
        subprocess.run(
            ["./at-once", "hash", *names, "--jobs", "1"],
            cwd=prompt.folder,
            env=prompt.variables,
            stdout=out,
            stderr=terminal,
            check=True,
        )
    drawn = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(terminal)

    assert f"{FILES}/{FILES}" in drawn
    assert len((prompt.folder / "out.jsonl").read_text().splitlines()) == FILES
