"""Verdict records, answers to be given again, and what is hosted: on both databases."""

from __future__ import annotations

import json

import pytest

from egide.bank import Home
from egide.finding import Finding
from egide.label import Label
from egide.match import Purpose
from egide.records import Answer, Answers, Content, Hosted, Records
from egide.sniff import Kind
from egide.verdict import Action, Verdict
from tests.conftest import near, pdq, sha256

pytestmark = pytest.mark.both_databases

DAY = 86_400


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def verdict(action: Action = Action.ALLOW, kind: Kind = Kind.IMAGE) -> Verdict:
    finding = Finding("d.v1", Label.NCII_KNOWN, 1.0, {"entry_ref": "case 17", "prompt": "secret"})
    return Verdict("holiday.jpg", kind, "0f" * 32, action, "r", "p@1", (finding,))


def kept(home: Home, records: Records, *verdicts: tuple[Verdict, str | None]) -> list[str]:
    made = [records.new(each, "key:a", content) for each, content in verdicts]
    with home.database.write(serial=False) as connection:
        for record in made:
            records.store(connection, record)
    return [record.id for record in made]


def test_a_record_is_found_by_id_content_and_action(home: Home) -> None:
    records = Records(home.database, 90)
    one, two = kept(home, records, (verdict(), "a"), (verdict(Action.BLOCK), "b"))

    found = records.find(one)

    assert found is not None
    assert (found.content_id, found.verdict["action"]) == ("a", "allow")
    assert [each.id for each in records.list(content_id="b")] == [two]
    assert [each.id for each in records.list(action=Action.ALLOW)] == [one]
    assert records.find("0" * 32) is None


def test_what_was_masked_in_the_answer_is_masked_in_the_record(home: Home) -> None:
    records = Records(home.database, 90)
    kept(home, records, (verdict(), "a"), (verdict(kind=Kind.TEXT), "b"))

    rows = home.database.fetch("SELECT verdict FROM verdict_record ORDER BY content_id")

    text = "".join(row["verdict"] for row in rows)
    assert [word for word in ("holiday", "case 17", "secret") if word in text] == []
    assert json.loads(rows[1]["verdict"])["item"]["sha256"] is None


def test_records_go_when_their_time_is_over(home: Home) -> None:
    clock = Clock()
    records = Records(home.database, 2, clock)
    kept(home, records, (verdict(), "old"))
    clock.now += DAY * 2 - 1
    records.prune()
    kept(home, records, (verdict(), "new"))
    before = [each.content_id for each in records.list()]
    clock.now += 2
    records.prune()

    assert before == ["new", "old"]
    assert [each.content_id for each in records.list()] == ["new"]


def test_without_retention_nothing_is_kept(home: Home) -> None:
    records = Records(home.database, 0)

    kept(home, records, (verdict(), "a"))

    assert records.list() == []


def test_an_answer_is_given_again_for_a_day(home: Home) -> None:
    clock = Clock()
    answers = Answers(home.database, clock)
    answer = Answer(b"digest", 200, b"{}", {"X": "y"})
    with home.database.write(serial=False) as connection:
        assert answers.store(connection, "key:a", "k", answer) is None
        assert answers.store(connection, "key:a", "k", Answer(b"other", 200, b"")) == answer
        assert answers.store(connection, "key:b", "k", answer) is None

    assert answers.find("key:a", "k") == answer
    clock.now += DAY + 1
    assert answers.find("key:a", "k") is None
    with home.database.write(serial=False) as connection:
        assert answers.store(connection, "key:a", "k", Answer(b"new", 200, b"")) is None
    answers.prune()
    assert len(home.database.fetch("SELECT 1 FROM answered")) == 1


def test_an_entry_of_several_contents_is_found_for_each(home: Home) -> None:
    bank = home.create("library", Purpose.LIBRARY)
    hosted = Hosted(home.database)
    with home.database.write() as connection:
        one = hosted.add(connection, bank, Content("a", "https://x.example/a"), [pdq(1), sha256(1)])
        again = hosted.add(connection, bank, Content("a"), [pdq(1), sha256(1)])
        other = hosted.add(connection, bank, Content("b"), [pdq(1), sha256(1)])

    found = hosted.copies([bank], [near(pdq(1), 3), sha256(1)], 31)

    assert one == again != other
    assert [(each.content, each.match.distance) for each in found] == [
        (Content("a", None), 0),
        (Content("b", None), 0),
    ]
    assert hosted.entries("a") == [one]


def test_what_was_banked_by_hand_is_told_by_its_reference(home: Home) -> None:
    bank = home.create("library", Purpose.LIBRARY)
    bank.add([pdq(1)], ref="by hand")
    bank.add([pdq(2)])

    found = Hosted(home.database).copies([bank], [pdq(1), pdq(2)], 31)

    assert [each.to_json()["content_id"] for each in found] == ["by hand", None]
