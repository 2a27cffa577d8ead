"""`egide text lint-lexicon`, and what commands make of a folder of languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from egide.text.lexicon import FOLDER
from tests.acceptance.conftest import Egide


def test_a_mistake_is_one_line_and_exit_code_1(egide: Egide, tmp_path: Path) -> None:
    (tmp_path / "it.yaml").write_text("language: it\n", encoding="utf-8")
    ran = egide("text", "lint-lexicon", str(tmp_path))
    assert ran.code == 1
    problem, end = ran.out.splitlines()
    assert problem == (
        "The lexicon is not valid: it.yaml: `provenance` is missing; every lexicon says it"
    )
    assert end.endswith(": 1 problems")


def test_what_is_read_instead_is_told(egide: Egide, tmp_path: Path) -> None:
    text = (FOLDER / "es.yaml").read_text(encoding="utf-8")
    (tmp_path / "spanish.yaml").write_text(text, encoding="utf-8")
    ran = egide.spawn("text", "lint-lexicon", EGIDE_LEXICON=str(tmp_path))
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"{tmp_path}/spanish.yaml: read instead of es.yaml that ships",
        f"{tmp_path}: valid",
    ]


@pytest.mark.parametrize(
    "command",
    [
        ["text", "explain", "a"],
        ["scan", "-"],
        ["serve"],
        ["audit", "ads.jsonl", "--out", "audited"],
    ],
)
@pytest.mark.parametrize("made", [True, False])
def test_a_mistake_in_the_folder_ends_a_command_in_one_line(
    egide: Egide, tmp_path: Path, command: list[str], made: bool
) -> None:
    own = tmp_path / "own"
    if made:
        own.mkdir()
        (own / "it.yaml").write_text("language: [", encoding="utf-8")
    (tmp_path / "ads.jsonl").write_text('{"id": 1, "text": "a", "context": "ad"}\n')
    words = [str(tmp_path / word) if word in ("ads.jsonl", "audited") else word for word in command]
    ran = egide.spawn(*words, EGIDE_LEXICON=str(own))
    assert (ran.code, ran.out) == (2, "")
    (line,) = [line for line in ran.err.splitlines() if "bank" not in line]
    assert line.startswith("egide: The lexicon is not valid: ")
