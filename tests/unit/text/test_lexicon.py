from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from egide import screen_text
from egide.errors import LexiconError
from egide.text import lexicon
from egide.text.lexicon import FOLDER, load_lexicon
from egide.text.lexicon_folder import VARIABLE, Sources
from egide.text.lint import lint, replaced
from tests.walkthrough import blocks


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
        (f"{PARADIGM} {{cut: true, base: [e]}}\n", "paradigms.v.cut"),
        (f"{PARADIGM} {{cut: 0, gerrund: [e]}}\n", "there is no key `gerrund`; did you mean"),
        ("language: xx\nprovenance: p\nstopwords: a\nclasses: {sex: {any: x}}\n", "`tests` is"),
        ("language: xx\nprovenance: p\nstopwords: a\nclasses: {sex: {any: a}}\n", "stopword too"),
        ("language: xx\nprovenance: p\nstopwords: a\nclasses: {sex: {any: .. x}}\n", "a gap"),
        (
            "language: xx\nprovenance: p\nstopword: a\nstopwords: a\nclasses: {sex: {}}\n",
            "(line 3)",
        ),
        ("language: no\nprovenance: p\nstopwords: a\nclasses: {sex: {any: x}}\n", "in quotes"),
        ("language: es\nprovenance: p\nstopwords: a\nclasses: {sex: {}}\ntests: [x]\n", "es.yaml"),
        ("when: 2026-99-99\n", "xx.yaml: month must be"),
        (TWICE, "line 6: 'sex' stands twice"),
    ],
)
def test_a_mistake_is_named(folder: Path, broken: str, told: str) -> None:
    (folder / "xx.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(LexiconError, match=re.escape(told)):
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
        ("{text: hello, labels: [], context: advert}", "there is no context 'advert'"),
        ("{text: hello, labels: [], contxt: ad}", "did you mean `context`"),
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


@pytest.mark.parametrize(
    ("file", "right", "wrong", "told"),
    [
        ("rules.yaml", "within: 14", "withn: 14", "rule undress-somebody (line "),
        ("rules.yaml", "score: 0.9", "score: 9", "undress-somebody.score"),
        ("rules.yaml", "anchor: undress,", "anchor: undres,", "did you mean `undress`"),
        ("rules.yaml", "anchor: undress,", "", "undress-somebody.anchor"),
        ("rules.yaml", "[Somebody|photo]", "Somebody", "write a list of groups"),
        ("rules.yaml", "undress-in-a-prompt", "undress-somebody", "another one is called so"),
        ("rules.yaml", "label: ncii.request.nudify", "label: nudify", "'nudify' is no label"),
        ("rules.yaml", "ctx.prompt", "ctx.promt", "groups.Asked (line "),
        ("rules.yaml", "least: 2.8", "least: much", "role promotion.least"),
        ("rules.yaml", "groups:", "grups:", "groups: write a mapping"),
        ("classes.yaml", "borrowed: true", "borowed: true", "undress (line "),
        ("classes.yaml", "borrowed: true", "borrowed: maybe", "undress.borrowed"),
        ("classes.yaml", "  condemn: {", "  condem: {", "condemn"),
        ("escalation.yaml", "years:", "yeers:", "`years`"),
    ],
)
def test_a_mistake_in_what_all_languages_share_is_named(
    folder: Path, file: str, right: str, wrong: str, told: str
) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    (problem, *_) = lint(folder)
    assert file in problem or file == "classes.yaml"
    assert told in problem


def test_english_must_be_there(folder: Path) -> None:
    (folder / "en.yaml").unlink()
    (problem,) = lint(folder)
    assert "English is missing" in problem


def test_a_file_that_would_not_be_read_is_told_of(folder: Path) -> None:
    (folder / "es.yaml").rename(folder / "es.yml")
    (problem,) = lint(folder)
    assert "name it es.yaml" in problem


@pytest.fixture
def italian(tmp_path: Path) -> Path:
    """A folder with the lexicon that the reference shows, and nothing else."""
    page = Path(__file__).parents[3] / "docs" / "reference" / "lexicons.md"
    (shown,) = [block for block in blocks(page) if block.title == "it.yaml"]
    own = tmp_path / "own"
    own.mkdir()
    (own / "it.yaml").write_text(shown.text, encoding="utf-8")
    return own


@pytest.fixture
def chosen(italian: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same folder, which `EGIDE_LEXICON` names."""
    monkeypatch.setenv(VARIABLE, str(italian))
    load_lexicon.cache_clear()
    yield italian
    load_lexicon.cache_clear()


ITALIAN = "togli la gonna alla mia collega in questa foto"


def test_the_language_that_the_reference_shows_is_valid(italian: Path) -> None:
    assert lint(Sources(FOLDER, italian)) == []


def test_a_language_of_ones_own_is_read_beside_those_that_ship(chosen: Path) -> None:
    assert {"en", "fr", "de", "es", "it"} == set(load_lexicon().names)
    assert [finding.label for finding in screen_text(ITALIAN, "prompt")] == ["ncii.request.nudify"]
    assert chosen.is_dir()


def test_without_the_variable_it_is_not_read() -> None:
    assert screen_text(ITALIAN, "prompt") == ()


def test_one_of_the_same_language_is_read_instead(italian: Path) -> None:
    text = (italian / "it.yaml").read_text(encoding="utf-8")
    (italian / "mine.yaml").write_text(text.replace("language: it", "language: es"))
    (italian / "it.yaml").unlink()
    sources = Sources(FOLDER, italian)
    assert replaced(sources) == [f"{italian}/mine.yaml: read instead of es.yaml that ships"]
    lexicon = load_lexicon(FOLDER, italian)
    assert lexicon.languages["es"].words.get("gonna")
    assert not lexicon.languages["es"].words.get("falda")


def test_terms_of_the_lane_are_added_and_none_is_taken_away(italian: Path) -> None:
    shipped = load_lexicon(FOLDER).escalation
    (italian / "escalation.yaml").write_text("terms: zorble\nonly: {it: zamble}\n")
    escalation = load_lexicon(FOLDER, italian).escalation
    assert escalation["terms"] == shipped["terms"] | {"zorble"}
    assert escalation["terms.it"] == {"zamble"}
    assert escalation["terms.de"] == shipped["terms.de"]


@pytest.mark.parametrize("name", ["classes.yaml", "rules.yaml"])
def test_classes_and_rules_are_those_that_ship(italian: Path, name: str) -> None:
    shutil.copy(FOLDER / name, italian)
    with pytest.raises(LexiconError, match="classes and rules are those that ship"):
        load_lexicon(FOLDER, italian)


def test_the_compiled_copy_follows_what_is_in_both_folders(
    italian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGIDE_HOME", str(tmp_path))
    load_lexicon.cache_clear()
    assert "gonna" in load_lexicon(FOLDER, italian).languages["it"].words
    path = italian / "it.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("gonna", "sottana"))
    load_lexicon.cache_clear()
    words = load_lexicon(FOLDER, italian).languages["it"].words
    assert "sottana" in words
    assert "gonna" not in words
    load_lexicon.cache_clear()
    assert "it" not in load_lexicon(FOLDER).names


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
