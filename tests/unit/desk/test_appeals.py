from __future__ import annotations

import pytest

from egide.desk.asks import AppealDecision
from egide.errors import CaseNotFound, CaseStands, NotAllowed, WrongField
from tests.conftest import pdq
from tests.unit.desk.office import (
    ANN,
    BEN,
    LEAD,
    ORIGIN,
    PLATFORM,
    REFUSE,
    REMOVE,
    REVERSE,
    UPHOLD,
    Office,
    given,
    let_through,
    pdq_of,
    picture,
)

WHOLE = AppealDecision("reverse", ("mistake",), whole=True)


@pytest.mark.both_databases
def test_an_uploader_is_heard_by_another_reviewer(office: Office) -> None:
    office.listen()
    print_ = pdq(1)
    receipt = office.notice(fingerprints=[given(print_)])
    (copy,) = office.removed(receipt).copies
    code = office.code()
    before = office.desk.uploader(code, ORIGIN)
    assert before.state == "removed"
    assert before.may == {"appeal"}
    assert office.desk.uploader_appeal(code, ORIGIN, "It is a bridge.").state == "appealed"
    assert office.state(receipt) == "appealed"
    with pytest.raises(NotAllowed):
        office.desk.decide_appeal(ANN, receipt.case, REVERSE)
    view = office.desk.view(BEN, receipt.case)
    assert [(each.by, each.words) for each in view.appeals] == [("uploader", "It is a bridge.")]
    office.desk.decide_appeal(BEN, receipt.case, REVERSE)
    (told,) = office.told("content.restore")
    assert told.data["reasons"] == ["mistake"]
    assert told.data["copy"] == copy.copy
    assert office.matches(print_) == {}
    assert office.state(receipt) == "reversed"
    office.desk.acknowledge(PLATFORM, copy.copy, "restored")
    assert office.desk.uploader(code, ORIGIN).state == "restored"


def test_an_appeal_that_is_upheld_changes_nothing(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    office.removed(receipt)
    code = office.code()
    office.desk.uploader_appeal(code, ORIGIN, "It is a bridge.")
    office.desk.decide_appeal(BEN, receipt.case, UPHOLD)
    assert office.told("content.restore") == []
    assert office.state(receipt) == "removed"
    assert office.desk.uploader(code, ORIGIN).state == "upheld"


def test_of_several_copies_one_can_be_put_back(office: Office) -> None:
    office.listen()
    prints = picture(1)
    office.host("1", prints)
    office.host("2", prints)
    receipt = office.notice(fingerprints=[given(pdq_of(prints))])
    chosen = office.removed(receipt).copies[0]
    office.desk.uploader_appeal(office.code(chosen.copy), ORIGIN, "Mine is another one.")
    office.desk.decide_appeal(BEN, receipt.case, REVERSE)
    assert [each.data["copy"] for each in office.told("content.restore")] == [chosen.copy]
    assert office.state(receipt) == "removed"
    assert office.matches(pdq_of(prints)) == {"notices": "active"}


def test_of_several_copies_all_can_be_put_back(office: Office) -> None:
    office.listen()
    prints = picture(1)
    office.host("1", prints)
    office.host("2", prints)
    receipt = office.notice(fingerprints=[given(pdq_of(prints))])
    office.removed(receipt)
    office.desk.uploader_appeal(office.code(), ORIGIN, "It is a bridge.")
    office.desk.decide_appeal(BEN, receipt.case, WHOLE)
    assert len(office.told("content.restore")) == 2
    assert office.matches(pdq_of(prints)) == {}


@pytest.mark.both_databases
def test_a_code_is_good_for_one_appeal(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    office.removed(receipt)
    code = office.code()
    office.desk.uploader_appeal(code, ORIGIN, "It is a bridge.")
    with pytest.raises(CaseStands):
        office.desk.uploader_appeal(code, ORIGIN, "It is a bridge!")
    office.desk.decide_appeal(BEN, receipt.case, UPHOLD)
    with pytest.raises(CaseStands):
        office.desk.uploader_appeal(code, ORIGIN, "It is a bridge!")


def test_codes_end_and_cannot_be_guessed(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    office.removed(receipt)
    code = office.code()
    for wrong in ("", code[:-1], code.swapcase(), "x" * 10_000, receipt.case):
        with pytest.raises(CaseNotFound):
            office.desk.uploader(wrong, ORIGIN)
    assert let_through(lambda number: office.desk.uploader(f"{number:032d}", ORIGIN)) < 60
    office.clock += 184 * 86_400
    with pytest.raises(CaseNotFound):
        office.desk.uploader(code, ORIGIN)


def test_the_uploader_learns_nothing_of_who_sent_the_notice(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    office.removed(receipt)
    shown = str(office.desk.uploader(office.code(), ORIGIN).to_json())
    for secret in ("Camille", "camille@example.org", "I did not", receipt.case, receipt.pin):
        assert secret not in shown


def test_the_notifiers_appeal_reopens_and_removes(office: Office) -> None:
    office.listen()
    print_ = pdq(2)
    receipt = office.notice(fingerprints=[given(print_)])
    office.decided(receipt, REFUSE)
    assert office.matches(print_) == {}
    office.desk.appeal(receipt.case, receipt.pin, ORIGIN, "It is me.")
    with pytest.raises(NotAllowed):
        office.desk.decide_appeal(ANN, receipt.case, UPHOLD)
    assert office.desk.next(ANN) is None
    decision = AppealDecision("reverse", ("intimate_without_consent",))
    view = office.desk.decide_appeal(BEN, receipt.case, decision)
    assert view.pending is not None
    office.later()
    assert len(office.told("content.remove")) == 1
    assert office.matches(print_) == {"notices": "active"}
    assert office.state(receipt) == "decided"


def test_the_notifiers_appeal_can_be_turned_down(office: Office) -> None:
    receipt = office.notice()
    office.decided(receipt, REFUSE)
    office.desk.appeal(receipt.case, receipt.pin, ORIGIN, "It is me.")
    office.desk.decide_appeal(BEN, receipt.case, AppealDecision("uphold", ("not_intimate",)))
    assert office.state(receipt) == "refused"
    assert office.desk.status(receipt.case, receipt.pin, ORIGIN).may == {"withdraw"}


def test_who_confirmed_a_decision_decides_no_appeal_against_it(office: Office) -> None:
    office.listen()
    receipt = office.notice(locations=[f"post-{number}" for number in range(21)])
    office.desk.decide(ANN, receipt.case, REMOVE)
    office.desk.confirm(LEAD, receipt.case)
    office.later()
    office.desk.uploader_appeal(office.code(), ORIGIN, "It is a bridge.")
    for reviewer in (ANN, LEAD):
        with pytest.raises(NotAllowed):
            office.desk.decide_appeal(reviewer, receipt.case, REVERSE)
        assert "decide_appeal" in office.desk.view(reviewer, receipt.case).why_not
    office.desk.decide_appeal(BEN, receipt.case, WHOLE)
    assert office.state(receipt) == "reversed"


def test_an_appeal_says_something(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    office.removed(receipt)
    for words in ("", "   ", "x" * 5001, "a\0b"):
        with pytest.raises(WrongField):
            office.desk.uploader_appeal(office.code(), ORIGIN, words)
    assert office.desk.uploader(office.code(), ORIGIN).may == {"appeal"}


def test_after_a_reversal_the_person_can_appeal(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    office.removed(receipt)
    office.desk.uploader_appeal(office.code(), ORIGIN, "It is a bridge.")
    office.desk.decide_appeal(BEN, receipt.case, REVERSE)
    assert "appeal" in office.desk.status(receipt.case, receipt.pin, ORIGIN).may
    office.desk.appeal(receipt.case, receipt.pin, ORIGIN, "It is me, look again.")
    third = AppealDecision("reverse", ("intimate_without_consent",))
    with pytest.raises(NotAllowed):
        office.desk.decide_appeal(BEN, receipt.case, third)
    office.desk.decide_appeal(LEAD, receipt.case, third)
    office.later()
    assert len(office.told("content.remove")) == 2
