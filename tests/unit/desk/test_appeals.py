from __future__ import annotations

import pytest

from egide.desk.asks import AppealDecision, Decision
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


def test_an_appeal_that_comes_before_a_second_decision_holds_is_still_heard(
    office: Office,
) -> None:
    office.listen()
    office.host("1", picture(1))
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(picture(1)))])
    office.removed(receipt)
    code = office.code()
    office.host("crop", picture(1, crop=True))
    office.later(21 * 60)
    view = office.desk.view(ANN, receipt.case)
    (crop,) = (each.copy for each in view.copies if each.content_id == "crop")
    office.desk.decide(ANN, receipt.case, Decision("remove", REMOVE.reasons, copies=(crop,)))
    office.desk.uploader_appeal(code, ORIGIN, "It is a bridge.")
    office.later()
    assert office.told("content.remove")[-1].data["copy"] == crop
    assert [row.case for row in office.desk.queue(BEN).rows] == [receipt.case]
    office.desk.decide_appeal(BEN, receipt.case, UPHOLD)
    assert office.desk.uploader(code, ORIGIN).state == "upheld"
    assert office.state(receipt) == "decided"
    office.desk.acknowledge(PLATFORM, crop, "removed")
    assert office.state(receipt) == "removed"


def test_a_joined_notice_is_appealed_and_heard_by_itself(office: Office) -> None:
    office.listen()
    first, again = office.notice(), office.notice()
    office.decided(first, REFUSE)
    office.desk.appeal(again.case, again.pin, ORIGIN, "It is me.")
    assert [row.case for row in office.desk.queue(BEN).rows] == [again.case]
    with pytest.raises(NotAllowed):
        office.desk.decide_appeal(ANN, again.case, UPHOLD)
    decision = AppealDecision("reverse", ("intimate_without_consent",))
    office.desk.decide_appeal(BEN, again.case, decision)
    office.later()
    assert len(office.told("content.remove")) == 1
    assert (office.state(first), office.state(again)) == ("refused", "decided")


def test_who_reversed_a_removal_hears_no_appeal_of_what_was_decided_with_it(
    office: Office,
) -> None:
    office.listen()
    first, again = office.notice(), office.notice()
    office.removed(first)
    office.desk.uploader_appeal(office.code(), ORIGIN, "It is a bridge.")
    office.desk.decide_appeal(BEN, first.case, REVERSE)
    office.desk.appeal(again.case, again.pin, ORIGIN, "It is me, look again.")
    for reviewer in (ANN, BEN):
        with pytest.raises(NotAllowed):
            office.desk.decide_appeal(reviewer, again.case, UPHOLD)
    office.desk.decide_appeal(LEAD, again.case, UPHOLD)
    assert office.state(again) == "reversed"


@pytest.mark.both_databases
def test_whoever_decided_first_decides_no_appeal_for_having_taken_something_back_since(
    office: Office,
) -> None:
    office.listen()
    office.host("1", picture(1))
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(picture(1)))])
    office.removed(receipt)
    office.host("crop", picture(1, crop=True))
    office.later(21 * 60)
    office.desk.decide(ANN, receipt.case, REMOVE)
    office.desk.undo(ANN, receipt.case)
    office.desk.decide(LEAD, receipt.case, REMOVE)
    office.desk.undo(LEAD, receipt.case)
    office.desk.uploader_appeal(office.code(), ORIGIN, "It is a bridge.")
    with pytest.raises(NotAllowed):
        office.desk.decide_appeal(ANN, receipt.case, UPHOLD)
    office.desk.decide_appeal(LEAD, receipt.case, UPHOLD)


@pytest.mark.both_databases
def test_a_copy_that_is_put_back_alone_is_blocked_no_more_and_stays(office: Office) -> None:
    office.listen()
    right, wrong = pdq_of(picture(1)), pdq_of(picture(4))
    office.host("right", picture(1))
    office.host("wrong", picture(4))
    prints = [given(right), given(wrong)]
    receipt = office.notice(locations=["right", "wrong"], fingerprints=prints)
    copies = {copy.content_id: copy.copy for copy in office.removed(receipt).copies}
    assert office.matches(wrong) == {"notices": "active"}
    office.desk.uploader_appeal(office.code(copies["wrong"]), ORIGIN, "Mine is another one.")
    decision = AppealDecision("reverse", ("not_a_copy",))
    office.desk.decide_appeal(BEN, receipt.case, decision)
    assert [each.data["copy"] for each in office.told("content.restore")] == [copies["wrong"]]
    assert office.matches(wrong) == {}
    assert office.matches(right) == {"notices": "active"}

    office.desk.acknowledge(PLATFORM, copies["wrong"], "restored")
    office.host("crop", picture(1, crop=True))
    office.later(21 * 60)
    office.decided(receipt)
    told = [each.data["content_id"] for each in office.told("content.remove")]
    assert sorted(told) == ["crop", "right", "wrong"]
    assert office.matches(wrong) == {}
    chosen = Decision("remove", ("terms",), copies=(copies["wrong"],))
    office.decided(receipt, chosen)
    assert len(office.told("content.remove")) == 4
    assert office.matches(wrong) == {"notices": "active"}


def test_what_a_reviewer_has_not_read_is_not_decided(office: Office) -> None:
    office.listen()
    office.host("1", picture(1))
    office.host("2", picture(1))
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(picture(1)))])
    first, second = office.removed(receipt).copies
    office.desk.uploader_appeal(office.code(first.copy), ORIGIN, "One.")
    read = tuple(each.seq for each in office.desk.view(BEN, receipt.case).appeals)
    office.desk.uploader_appeal(office.code(second.copy), ORIGIN, "Two.")
    said = {"outcome": "uphold", "reasons": list(UPHOLD.reasons), "appeals": [str(read[0])]}
    with pytest.raises(CaseStands):
        office.desk.decide_appeal(BEN, receipt.case, AppealDecision.from_json(said))
    assert office.desk.uploader(office.code(second.copy), ORIGIN).state == "appealed"
    read = tuple(each.seq for each in office.desk.view(BEN, receipt.case).appeals)
    said["appeals"] = [str(each) for each in read]
    office.desk.decide_appeal(BEN, receipt.case, AppealDecision.from_json(said))
    assert office.desk.uploader(office.code(second.copy), ORIGIN).state == "upheld"
    for wrong in ("1", [None], ["-1"], [True, "x"], ["²"]):
        with pytest.raises(WrongField):
            AppealDecision.from_json({**said, "appeals": wrong})
