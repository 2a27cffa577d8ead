from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from egide.errors import LexiconError
from egide.text import lexicon
from egide.text.lexicon import FOLDER, load_lexicon
from egide.text.lint import lint


def test_the_lexicons_that_ship_are_valid_and_pass_their_tests() -> None:
    assert lint(FOLDER) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "lexicons"))


def test_adding_a_language_is_adding_a_file(folder: Path) -> None:
    (folder / "xx.yaml").write_text(
        "language: xx\nprovenance: invented\nstopwords: zu zi za\n"
        "classes:\n  undress: {base: zorble}\n  pronoun: {any: zi}\n"
        "tests:\n  - {text: 'zorble zi za zu', context: prompt, labels: [ncii.request.nudify]}\n",
        encoding="utf-8",
    )
    problems = lint(folder)
    assert all("no word for the anchor" in problem for problem in problems)
    assert load_lexicon(folder).names[0] == "en"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("language: xx\nprovenance: p\nstopwords: a\nclasses: {zebra: {any: x}}\n", "zebra"),
        ("language: xx\nprovenance: p\nstopwords: a\nclasses: {sex: {zz: x}}\n", "paradigm 'zz'"),
        ("language: xx\nstopwords: a\nclasses: {sex: {any: x}}\n", "provenance"),
        ("language: [", "xx.yaml"),
    ],
)
def test_a_mistake_is_named(folder: Path, broken: str, told: str) -> None:
    (folder / "xx.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(LexiconError, match=told):
        load_lexicon(folder)
    assert told in lint(folder)[0]


def test_a_test_that_fails_is_a_problem(folder: Path) -> None:
    path = folder / "en.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}  - {{text: hello, labels: [context.news]}}\n", encoding="utf-8")
    assert any("expected context.news, saw nothing" in problem for problem in lint(folder))


def test_the_compiled_copy_is_private_and_used(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGIDE_HOME", str(tmp_path))
    load_lexicon.cache_clear()
    first = load_lexicon(folder)
    (copy,) = (tmp_path / "cache").glob("lexicon-*.json")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600

    load_lexicon.cache_clear()
    monkeypatch.setattr(lexicon, "compile_lexicon", lambda _: pytest.fail("compiled again"))
    assert load_lexicon(folder).languages["en"].words == first.languages["en"].words


def test_a_copy_that_others_may_write_is_not_trusted(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGIDE_HOME", str(tmp_path))
    load_lexicon.cache_clear()
    load_lexicon(folder)
    (copy,) = (tmp_path / "cache").glob("lexicon-*.json")
    copy.write_text('{"languages": {}}', encoding="utf-8")
    copy.chmod(0o666)
    load_lexicon.cache_clear()
    assert load_lexicon(folder).names


def test_a_folder_that_cannot_be_written_costs_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.delenv("EGIDE_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    load_lexicon.cache_clear()
    assert load_lexicon(folder).names
    load_lexicon.cache_clear()
