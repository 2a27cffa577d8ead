from __future__ import annotations

import pytest

from egide.desk import queueing
from egide.desk.asks import Filter
from egide.desk.fold import CaseState
from egide.errors import WrongField
from tests.unit.desk.office import ANN, BEN, FLAGGER, LEAD, REMOVE, Office, given, pdq_of, picture


def numbers(office: Office, **wanted: object) -> list[str]:
    """The cases that a filter finds."""
    return [row.case for row in office.desk.queue(ANN, Filter(**wanted)).rows]  # type: ignore[arg-type]


@pytest.mark.both_databases
def test_every_filter_finds_what_it_says(office: Office) -> None:
    a = office.notice(signature="A", contact=None, locations=["a"], jurisdiction="US").case
    b = office.notice(signature="B", contact=None, locations=["b"], jurisdiction="FR").case
    c = office.notice(signature="C", contact=None, statement=None).case
    many = office.notice(signature="D", contact=None, locations=[f"d{n}" for n in range(21)]).case
    office.desk.claim(ANN, a)
    office.desk.claim(BEN, b)
    office.desk.decide(LEAD, many, REMOVE)
    assert set(numbers(office)) == {a, b, many}
    assert numbers(office, states=(CaseState.INCOMPLETE,)) == [c]
    assert numbers(office, jurisdiction="FR") == [b]
    assert numbers(office, kind="screening") == []
    assert numbers(office, mine=True) == [a]
    assert set(numbers(office, free=True)) == {a, many}
    assert numbers(office, second=True) == [many]
    assert numbers(office, overdue=True) == []
    assert numbers(office, late=True) == []
    assert numbers(office, text="d20") == [many]
    assert numbers(office, text="https://nowhere.example/") == []
    assert numbers(office, text="'; DROP TABLE desk_case; --") == []
    office.clock += 25 * 3600
    assert numbers(office, late=True) == [b]
    counts = office.desk.counts(ANN)
    assert counts == {
        "open": 3,
        "incomplete": 1,
        "appealed": 0,
        "second": 1,
        "late": 1,
        "mine": 0,
        "overdue": 0,
        "waiting": 3,
    }


@pytest.mark.both_databases
def test_pages_give_every_case_once_in_the_order_of_the_queue(office: Office) -> None:
    cases = []
    for number in range(7):
        office.clock += 1
        cases.append(
            office.notice(
                origin=f"198.51.{number}.1",
                signature=f"P{number}",
                contact=None,
                locations=[f"p{number}"],
                jurisdiction="FR" if number % 2 else "UK",
                by=FLAGGER if number == 6 else None,
            ).case
        )
    seen, cursor = [], None
    while True:
        page = office.desk.queue(ANN, cursor=cursor, limit=2)
        seen += [row.case for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [cases[each] for each in (6, 1, 3, 5, 0, 2, 4)]
    for wrong in ("x", "1.2", "1.2.EG", f"1.{'9' * 30}.{cases[0]}", "1.2.EG-2222-2222'"):
        with pytest.raises(WrongField):
            office.desk.queue(ANN, cursor=wrong)


@pytest.mark.both_databases
def test_a_deadline_that_is_near_is_told_once(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    paused = office.notice(jurisdiction="EU", statement=None, signature="X", contact=None)
    office.later(39 * 3600)
    assert office.told("case.deadline") == []
    office.later(2 * 3600)
    office.later(3600)
    assert [each.data["case"] for each in office.told("case.deadline")] == [receipt.case]
    assert paused.case != receipt.case


@pytest.mark.both_databases
def test_what_turned_up_since_is_in_the_queue_until_somebody_looked(office: Office) -> None:
    receipt = office.notice(fingerprints=[given(pdq_of(picture(1)))])
    office.host("1", picture(1))
    office.removed(receipt)
    office.host("crop", picture(1, crop=True))
    office.later(21 * 60)
    assert numbers(office) == [receipt.case]
    office.desk.leave(ANN, receipt.case)
    assert numbers(office) == []


def test_urgent_ones_come_before_younger_ones_of_flooders(office: Office) -> None:
    first = office.notice()
    office.clock += 41 * 3600
    second = office.notice(
        origin="203.0.113.1", signature="S", contact=None, locations=["s"], jurisdiction="FR"
    )
    assert numbers(office) == [first.case, second.case]


@pytest.mark.both_databases
def test_who_waits_comes_before_what_the_platform_has_not_answered(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queueing, "MOST_LISTED", 3)
    late = set()
    for number in range(7):
        receipt = office.notice(
            origin=f"198.51.{number}.1",
            signature=f"P{number}",
            contact=None,
            locations=[f"p{number}"],
        )
        office.desk.decide(ANN, receipt.case, REMOVE)
        late.add(receipt.case)
    office.later()
    office.later(24 * 3600)
    assert set(numbers(office, states=(CaseState.DECIDED,), overdue=True)) <= late
    new = office.notice(origin="203.0.113.1", signature="S", contact=None, locations=["s"])
    given_ = [office.desk.next(BEN) for _ in range(9)]
    cases = [view.case for view in given_ if view is not None]
    assert cases[0] == new.case
    assert set(cases[1:]) == late
    assert given_[8] is None
