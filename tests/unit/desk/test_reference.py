"""docs/reference/desk.md says what there is."""

from __future__ import annotations

import re
from pathlib import Path

from egide.desk.events import EventKind
from egide.desk.fold import CaseState
from egide.desk.laws import JURISDICTIONS, laws

PAGE = (Path(__file__).parents[3] / "docs/reference/desk.md").read_text(encoding="utf-8")


def rows(section: str) -> dict[str, str]:
    """The words in the first column of a section's table, with the rest of their row."""
    _, _, rest = PAGE.partition(f"\n## {section}\n")
    found = re.findall(r"^\| (`.*?) \|(.*)$", rest.partition("\n## ")[0], re.MULTILINE)
    return {word: row for words, row in found for word in re.findall(r"`([^`]+)`", words)}


def test_every_state_event_law_and_reason_is_documented() -> None:
    assert set(rows("States")) == set(CaseState)
    assert set(rows("Events")) == set(EventKind)
    assert set(rows("Reasons")) == set(laws().reasons)
    for name, row in rows("Reasons").items():
        assert tuple(row.strip(" |").split(", ")) == laws().reasons[name].outcomes


def test_laws_are_told_as_they_are() -> None:
    told = rows("Laws")
    assert set(told) == set(JURISDICTIONS)
    for name, row in told.items():
        law = laws()[name]
        clock, stands, copies, required = (part.strip() for part in row.strip(" |").split("|"))
        assert clock == f"{law.clock.hours} h ({law.clock.kind})"
        assert stands == (", ".join(law.clock.pauses) or "never")
        assert copies == law.copies.rule
        assert tuple(required.split(", ")) == law.required


def test_every_message_is_documented() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (Path(__file__).parents[3] / "src/egide/desk").glob("*.py")
    )
    told = set(re.findall(r'"((?:case|content|copy)\.[a-z]+)"', source)) - {"copy.found"}
    assert told == set(rows("Messages"))
