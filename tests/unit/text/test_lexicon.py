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


TWICE = "language: xx\nprovenance: p\nstopwords: a\nclasses:\n  sex: {any: x}\n  sex: {any: y}\n"
PARADIGM = "language: xx\nprovenance: p\nstopwords: a\nclasses: {sex: {v: zap}}\nparadigms:\n  v:"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("language: xx\nprovenance: p\nstopwords: a\nclasses: {zebra: {any: x}}\n", "zebra"),
        ("language: xx\nprovenance: p\nstopwords: a\nclasses: {sex: {zz: x}}\n", "paradigm 'zz'"),
        ("language: xx\nstopwords: a\nclasses: {sex: {any: x}}\n", "provenance"),
        ("language: [", "xx.yaml"),
        ("language: xx\nprovenance: p\nstopwords: [a, b]\nclasses: {sex: {any: x}}\n", "stopwords"),
        ("language: xx\nprovenance: p\nstopwords: a\nclasses: {sex: 'x, y'}\n", "sex"),
        ("language: xx\nprovenance: p\nstopwords: a\nclasses: [sex]\n", "classes"),
        (f"{PARADIGM} {{base: ['']}}\n", "paradigms.v.cut"),
        (f"{PARADIGM} {{cut: 1, base: e}}\n", "paradigms.v.base"),
        (f"{PARADIGM} {{cut: 9, base: [e]}}\n", "'zap' has fewer letters"),
        (f"{PARADIGM} {{cut: 0, base: [e]}}\ntests: x\n", "tests"),
        (TWICE, "line 6: 'sex' stands twice"),
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


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("{text: hello}", "`labels` is missing"),
        ("{labels: []}", "`text` is missing"),
        ("{text: hello, labels: [context.nws]}", "context.nws"),
        ("hello", "write a mapping"),
    ],
)
def test_a_test_that_cannot_be_run_is_a_problem(folder: Path, broken: str, told: str) -> None:
    path = folder / "en.yaml"
    path.write_text(f"{path.read_text(encoding='utf-8')}  - {broken}\n", encoding="utf-8")
    (problem,) = lint(folder)
    assert problem.startswith("en.yaml: test ")
    assert told in problem


@pytest.mark.parametrize("only", ["only: kind", "only: {de: [a, b]}"])
def test_terms_of_one_language_stand_in_a_mapping(folder: Path, only: str) -> None:
    path = folder / "escalation.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    at = lines.index("only:")
    lines[at : at + 2] = [only]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert lint(folder)[0].count("escalation.yaml: only: ") == 1


def test_a_class_without_a_mapping_is_named(folder: Path) -> None:
    path = folder / "classes.yaml"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n  zebra:\n", encoding="utf-8")
    assert "classes.yaml: zebra" in lint(folder)[0]


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
