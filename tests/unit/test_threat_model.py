"""The threat model names tests for what it says: they are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text(encoding="utf-8"))))


@cache
def named_in(path: str) -> frozenset[str]:
    """The test functions of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        each.name
        for each in ast.walk(tree)
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_test_that_is_named_is_there(path: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in named_in(path)


def test_every_row_on_the_desk_names_a_test() -> None:
    desk = PAGE.read_text(encoding="utf-8").partition("## The desk")[2].partition("\n## ")[0]
    rows = [line for line in desk.splitlines() if line.startswith("| ")]
    told = [line for line in rows if not line.startswith(("| does |", "| takes |"))]
    assert len(told) > 25
    assert [line for line in told if "::test_" not in line] == []
