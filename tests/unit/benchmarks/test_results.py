"""RESULTS.md: what was measured replaces its section, and the others stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.results import RESULTS, Goal, Part, Settings, Table, save, write


def part(title: str, figure: str) -> Part:
    """A part with one goal and one table."""
    goal = Goal("texts a second", "≥ 10", figure, met=True)
    return Part(title, "How it was measured.", [goal], [Table("By kind:", ("a",), [(figure,)])])


def test_nothing_measured_changes_nothing(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_bytes(RESULTS.read_bytes())
    write(["hashing", "text"], tmp_path, results)
    assert results.read_text(encoding="utf-8") == RESULTS.read_text(encoding="utf-8")


def test_a_part_is_measured_again_and_the_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, settings = tmp_path / "RESULTS.md", Settings(tmp_path)
    names = ["one", "two", "three"]
    for name in names:
        save(name, part(name.title(), f"first {name}"), settings, "0.1")
    write(names, tmp_path, results)
    first = results.read_text(encoding="utf-8")
    assert first.count("Machine: ") == 1
    for name in names:
        (tmp_path / "results" / f"{name}.json").unlink()
    monkeypatch.setattr("benchmarks.machine.describe", lambda: {"processor": "another"})
    save("two", part("Two", "second two"), settings, "0.1")
    write(names, tmp_path, results)
    text = results.read_text(encoding="utf-8")
    places = [text.index(words) for words in ("first one", "second two", "first three")]
    assert places == sorted(places)
    assert "first two" not in text
    assert text.count("Machine: ") == 3  # each part still says which machine it was
    assert text.index("Machine: processor another") > places[1]
    machine = first.partition("Machine: ")[2].splitlines()[0]
    assert text.rstrip().endswith(machine)
