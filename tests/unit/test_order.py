"""The tests that take longest begin first, and the others keep their order."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.conftest import LONGEST, pytest_collection_modifyitems

ROOT = Path(__file__).parents[2]


def test_the_longest_are_there() -> None:
    assert [path for path in LONGEST if not (ROOT / path).is_file()] == []


def test_the_longest_come_first_and_nothing_else_moves() -> None:
    ids = ["tests/a.py::x", f"{LONGEST[1]}::b", "tests/a.py::y", f"{LONGEST[0]}::a", "tests/b.py"]
    items: list[Any] = [SimpleNamespace(nodeid=id_) for id_ in ids]

    pytest_collection_modifyitems(items)

    assert [item.nodeid for item in items] == [ids[3], ids[1], ids[0], ids[2], ids[4]]
