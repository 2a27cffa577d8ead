from __future__ import annotations

import pytest

from egide.desk import deciding, searching
from egide.desk.asks import Decision, Filter
from egide.desk.fold import CaseState
from egide.desk.notices import More
from egide.errors import CaseNotFound, CaseStands, NotAllowed, StorageError, WrongField
from egide.identity import Role
from tests.conftest import pdq
from tests.unit.desk.office import (
    ANN,
    AUTHORITY,
    BEN,
    LEAD,
    ORIGIN,
    PLATFORM,
    REFUSE,
    REMOVE,
    Office,
    given,
    pdq_of,
    person,
    picture,
)

AUDITOR = person("aud", Role.AUDITOR)


@pytest.mark.both_databases
def test_a_decision_can_be_undone_until_it_takes_effect(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    view = office.desk.decide(ANN, receipt.case, REMOVE)
    assert view.pending is not None
    assert "undo" in view.may
    office.later(30)
    assert office.told("content.remove") == []
    assert office.state(receipt) == "open"
    office.desk.undo(ANN, receipt.case)
    office.later(61)
    assert office.told("content.remove") == []
    office.decided(receipt)
    assert len(office.told("content.remove")) == 1
    with pytest.raises(CaseStands):
        office.desk.undo(ANN, receipt.case)


def test_a_decision_takes_effect_once_whoever_keeps_time(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    office.desk.decide(ANN, receipt.case, REMOVE)
    office.clock += 61
    other = office.reopened()
    assert [office.desk.tick(), other.tick(), office.desk.tick()] == [1, 0, 0]
    assert len(office.told("content.remove")) == 1
    assert office.kinds(receipt.case).count("effective") == 1


@pytest.mark.parametrize("fault", [MemoryError(), KeyError("a"), OSError(24, "too many files")])
def test_a_case_that_cannot_go_on_keeps_no_other_waiting(
    office: Office, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    receipts = [office.notice(locations=[f"https://platform.example/p/{n}"]) for n in range(3)]
    for receipt in receipts:
        office.desk.decide(ANN, receipt.case, REMOVE)
    take_effect = deciding.Deciding.take_effect

    def broken(own: deciding.Deciding, number: str) -> bool:
        if number == receipts[1].case:
            raise fault
        return take_effect(own, number)

    with monkeypatch.context() as during:
        during.setattr(deciding.Deciding, "take_effect", broken)
        office.later()
    assert [office.state(each) for each in receipts] == ["decided", "open", "decided"]
    office.later()
    assert office.state(receipts[1]) == "decided"


def test_nothing_goes_without_a_person(office: Office) -> None:
    office.listen()
    prints = picture(1)
    office.host("1", prints)
    office.notice(fingerprints=[given(pdq_of(prints))])
    for _ in range(5):
        office.later(86_400)
    assert office.told("content.remove") == []


def test_what_is_told_names_no_notifier(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    office.decided(receipt)
    (told,) = office.told("content.remove")
    assert told.data["content_url"] == "https://platform.example/p/1"
    assert told.data["statement"]["reasons"] == ["intimate_without_consent"]
    assert told.data["statement"]["texts"]["fr"].startswith("Le contenu est une image intime")
    assert "/appeal#" in told.data["appeal_url"]
    for secret in ("Camille", "camille@example.org", "I did not", receipt.pin):
        assert secret not in str(told.data)


def test_what_a_reviewer_writes_is_for_the_person_alone(office: Office) -> None:
    """It may quote the notice, and the uploader must not learn who sent that."""
    office.listen()
    receipt = office.notice()
    words = "Camille, we are sorry."
    office.decided(receipt, Decision("remove", ("intimate_without_consent",), words))
    (told,) = office.told("content.remove")
    uploader = office.desk.uploader(office.code(), ORIGIN)
    assert "Camille" not in str(told.data)
    assert uploader.outcome is not None
    assert uploader.outcome.text.startswith("The content is an intimate picture")
    person = office.desk.status(receipt.case, receipt.pin, ORIGIN)
    assert person.outcome is not None
    assert person.outcome.text == words


@pytest.mark.both_databases
def test_every_copy_is_acknowledged_before_a_case_is_removed(office: Office) -> None:
    prints = picture(1)
    for name in ("1", "2", "3"):
        office.host(name, prints)
    receipt = office.notice(fingerprints=[given(pdq_of(prints))])
    view = office.decided(receipt)
    assert len(view.copies) == 3
    assert {copy.group for copy in view.copies} == {0}
    for copy in view.copies:
        assert office.state(receipt) == "decided"
        office.desk.acknowledge(PLATFORM, copy.copy, "removed")
        office.desk.acknowledge(PLATFORM, copy.copy, "removed")
    status = office.desk.status(receipt.case, receipt.pin, ORIGIN)
    assert (status.state, status.copies_removed) == (CaseState.REMOVED, 3)
    assert office.kinds(receipt.case).count("acknowledged") == 3


def test_what_is_not_acknowledged_is_told_and_shown(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    (copy,) = office.decided(receipt).copies
    office.later(24 * 3600)
    office.later()
    (told,) = office.told("copy.overdue")
    assert told.data["copy"] == copy.copy
    for wanted in (Filter(), Filter(states=tuple(CaseState), overdue=True)):
        (row,) = office.desk.queue(ANN, wanted).rows
        assert row.marks >= {"overdue"}
    for day in range(2, 40):
        office.later(24 * 3600)
        assert len(office.told("copy.overdue")) == min(day, 29)
    office.desk.acknowledge(PLATFORM, copy.copy, "gone")
    assert office.state(receipt) == "removed"


def test_a_platform_that_refuses_is_shown_as_overdue(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    (copy,) = office.decided(receipt).copies
    assert office.desk.acknowledge(PLATFORM, copy.copy, "refused").state == "refused"
    assert office.state(receipt) == "decided"
    office.later(24 * 3600)
    assert [each.data["copy"] for each in office.told("copy.overdue")] == [copy.copy]


@pytest.mark.both_databases
@pytest.mark.parametrize("said", ["refused", None])
def test_what_is_not_put_back_is_told_and_shown(office: Office, said: str | None) -> None:
    office.listen()
    receipt = office.notice()
    (copy,) = office.removed(receipt).copies
    code = office.code()
    office.desk.withdraw(receipt.case, receipt.pin, ORIGIN)
    assert office.desk.queue(ANN).rows == ()
    if said is not None:
        for _ in range(2):
            assert office.desk.acknowledge(PLATFORM, copy.copy, said).state == "withheld"
        assert office.kinds(receipt.case).count("acknowledged") == 2
    office.later(24 * 3600)
    office.later()
    (told,) = office.told("copy.overdue")
    assert (told.data["copy"], told.data["asked"]) == (copy.copy, "restore")
    for wanted in (Filter(), Filter(states=tuple(CaseState), overdue=True)):
        (row,) = office.desk.queue(ANN, wanted).rows
        assert row.marks >= {"overdue"}
    assert office.desk.counts(ANN)["overdue"] == 1
    assert office.desk.next(ANN) is None
    assert office.desk.uploader(code, ORIGIN).state == "restored"
    office.desk.acknowledge(PLATFORM, copy.copy, "restored")
    assert office.desk.queue(ANN).rows == ()


def test_only_what_was_asked_is_acknowledged(office: Office) -> None:
    receipt = office.notice()
    (copy,) = office.desk.view(ANN, receipt.case).copies
    for outcome in ("removed", "restored"):
        with pytest.raises(CaseStands):
            office.desk.acknowledge(PLATFORM, copy.copy, outcome)
    with pytest.raises(WrongField):
        office.desk.acknowledge(PLATFORM, copy.copy, "eaten")
    with pytest.raises(CaseNotFound):
        office.desk.acknowledge(PLATFORM, "cp_" + "0" * 24, "removed")
    with pytest.raises(NotAllowed):
        office.desk.acknowledge(ANN, copy.copy, "removed")


@pytest.mark.both_databases
def test_re_uploads_are_blocked_once_it_is_decided_and_not_before(office: Office) -> None:
    print_ = pdq(5)
    receipt = office.notice(fingerprints=[given(print_)])
    assert office.matches(print_) == {"notices": "disputed"}
    office.decided(receipt)
    assert office.matches(print_) == {"notices": "active"}


def test_a_refusal_erases_the_fingerprints_and_says_why(office: Office) -> None:
    print_ = pdq(5)
    receipt = office.notice(fingerprints=[given(print_)])
    office.decided(receipt, Decision("refuse", ("not_intimate",), "It shows a bridge."))
    assert office.matches(print_) == {}
    status = office.desk.status(receipt.case, receipt.pin, ORIGIN)
    assert status.outcome is not None
    assert (status.outcome.outcome, status.outcome.text) == ("refuse", "It shows a bridge.")


def test_a_notice_that_lacks_something_can_be_refused_and_not_granted(office: Office) -> None:
    receipt = office.notice(statement=None)
    with pytest.raises(CaseStands):
        office.desk.decide(ANN, receipt.case, REMOVE)
    office.decided(receipt, Decision("refuse", ("incomplete",)))
    assert office.state(receipt) == "refused"


def test_a_notice_that_was_completed_is_not_refused_for_what_it_lacked(office: Office) -> None:
    receipt = office.notice(good_faith=None)
    office.desk.decide(ANN, receipt.case, Decision("refuse", ("incomplete",)))
    more = More.from_json({"good_faith": True})
    assert office.desk.add(receipt.case, receipt.pin, ORIGIN, more).state == "open"
    office.later()
    assert office.state(receipt) == "open"
    assert "decide" in office.desk.view(ANN, receipt.case).may


def test_only_the_copies_that_were_chosen_go(office: Office) -> None:
    office.listen()
    prints = picture(1)
    office.host("1", prints)
    office.host("2", prints)
    receipt = office.notice(fingerprints=[given(pdq_of(prints))])
    chosen = office.desk.view(ANN, receipt.case).copies[0]
    office.decided(receipt, Decision("remove", ("terms",), copies=(chosen.copy,)))
    assert [each.data["copy"] for each in office.told("content.remove")] == [chosen.copy]
    with pytest.raises(WrongField):
        office.desk.decide(ANN, receipt.case, Decision("remove", ("terms",), copies=("cp_x",)))


def test_the_same_picture_found_later_goes_too_and_what_is_like_it_is_decided(
    office: Office,
) -> None:
    office.listen()
    prints = picture(1)
    receipt = office.notice(fingerprints=[given(pdq_of(prints))])
    office.removed(receipt)
    office.host("same", prints)
    office.host("crop", picture(1, crop=True))
    office.later(21 * 60)
    assert office.told("content.remove")[-1].data["content_id"] == "same"
    view = office.desk.view(ANN, receipt.case)
    assert {copy.content_id: copy.state for copy in view.copies if copy.content_id} == {
        "same": "told",
        "crop": "found",
    }
    assert office.desk.queue(ANN).rows[0].marks >= {"new"}
    office.decided(receipt)
    assert office.told("content.remove")[-1].data["content_id"] == "crop"
    assert office.state(receipt) == "decided"
    assert office.desk.queue(ANN).rows == ()


def test_what_is_found_while_a_decision_can_be_undone_goes_as_what_is_found_later(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.listen()
    prints = picture(1)
    office.host("same", prints)
    office.host("crop", picture(1, crop=True))

    def cut(*_: object) -> None:
        raise StorageError("cut off")

    with monkeypatch.context() as during:
        during.setattr(searching, "search", cut)
        receipt = office.notice(fingerprints=[given(pdq_of(prints))])
    office.desk.decide(ANN, receipt.case, Decision("remove", ("terms",)))
    office.desk.tick()
    assert office.state(receipt) == "open"
    assert office.told("content.remove") == []
    office.later(office.settings.undo_seconds + 1)
    states = {
        copy.content_id or copy.content_url: copy.state
        for copy in office.desk.view(ANN, receipt.case).copies
    }
    named = next(each for each in states if each not in ("same", "crop"))
    assert states == {named: "told", "same": "told", "crop": "found"}
    assert len(office.told("content.remove")) == 2
    assert office.state(receipt) == "decided"
    assert office.desk.queue(ANN).rows[0].marks >= {"new"}


def test_what_turned_up_since_and_is_another_picture_can_be_left(office: Office) -> None:
    office.listen()
    receipt = office.notice(fingerprints=[given(pdq_of(picture(1)))])
    office.host("1", picture(1))
    office.removed(receipt)
    with pytest.raises(CaseStands):
        office.desk.leave(ANN, receipt.case)
    office.host("crop", picture(1, crop=True))
    office.later(21 * 60)
    view = office.desk.next(ANN)
    assert view is not None
    assert "leave" in view.may
    assert "leave" not in office.desk.leave(ANN, receipt.case, "It shows a bridge.").may
    assert office.desk.queue(ANN).rows == ()
    office.later(3600)
    assert "crop" not in {each.data["content_id"] for each in office.told("content.remove")}


def test_very_many_contents_take_a_second_reviewer(office: Office) -> None:
    office.listen()
    receipt = office.notice(locations=[f"post-{number}" for number in range(21)])
    view = office.desk.decide(ANN, receipt.case, REMOVE)
    assert view.pending is not None
    assert (view.pending.effective, view.pending.second) == (None, "many")
    office.later(3600)
    assert office.told("content.remove") == []
    with pytest.raises(NotAllowed):
        office.desk.confirm(BEN, receipt.case)
    assert "confirm" in office.desk.view(LEAD, receipt.case).may
    office.desk.confirm(LEAD, receipt.case)
    office.later()
    assert len(office.told("content.remove")) == 21


def test_nobody_is_their_own_second(office: Office) -> None:
    receipt = office.notice(locations=[f"post-{number}" for number in range(21)])
    view = office.desk.decide(LEAD, receipt.case, REMOVE)
    assert "confirm" not in view.may
    with pytest.raises(NotAllowed):
        office.desk.confirm(LEAD, receipt.case)


def test_an_order_is_refused_by_two(office: Office) -> None:
    order = {"authority": "Tribunal", "reference": "24/17"}
    receipt = office.notice(order=order, by=AUTHORITY)
    view = office.desk.decide(ANN, receipt.case, REFUSE)
    assert view.pending is not None
    assert view.pending.second == "order"


def test_a_claimed_case_is_left_to_who_claimed_it(office: Office) -> None:
    receipt = office.notice()
    office.desk.claim(ANN, receipt.case)
    with pytest.raises(CaseStands):
        office.desk.decide(BEN, receipt.case, REMOVE)
    assert "claim" in office.desk.view(BEN, receipt.case).why_not
    assert office.desk.next(BEN) is None
    office.clock += 31 * 60
    assert office.desk.claim(BEN, receipt.case).mine
    with pytest.raises(CaseStands):
        office.desk.release(ANN, receipt.case)
    assert office.desk.release(LEAD, receipt.case).claimant is None


def test_next_gives_each_reviewer_another_case(office: Office) -> None:
    for number in range(3):
        office.notice(signature=f"P {number}", locations=[f"post-{number}"])
    taken = [office.desk.next(each) for each in (ANN, BEN, LEAD)]
    assert len({view.case for view in taken if view is not None}) == 3


def test_reasons_go_with_what_is_decided(office: Office) -> None:
    receipt = office.notice()
    for decision in (
        Decision("remove", ("not_intimate",)),
        Decision("refuse", ()),
        Decision("delete", ("terms",)),
        Decision("remove", ("no_such",)),
    ):
        with pytest.raises(WrongField):
            office.desk.decide(ANN, receipt.case, decision)


def test_the_person_is_asked_for_more_and_the_case_waits(office: Office) -> None:
    receipt = office.notice(jurisdiction="EU", contact=None)
    office.desk.ask(ANN, receipt.case, ("contact",), "Could we call you?")
    status = office.desk.status(receipt.case, receipt.pin, ORIGIN)
    assert (status.state, status.asked) == (CaseState.OPEN, "Could we call you?")
    with pytest.raises(WrongField):
        office.desk.ask(ANN, receipt.case, ("passport",), "")


def test_reading_above_ones_permission_is_refused(office: Office) -> None:
    receipt = office.notice()
    with pytest.raises(NotAllowed):
        office.desk.view(AUDITOR, receipt.case)
    with pytest.raises(NotAllowed):
        office.desk.queue(AUDITOR)
    with pytest.raises(NotAllowed):
        office.desk.reveal(AUDITOR, receipt.case)
    reader = person("reader", Role.AUDITOR)
    with pytest.raises(NotAllowed):
        office.desk.look(reader, receipt.case, "cp_x")


def test_who_it_is_is_shown_on_purpose_and_noted(office: Office) -> None:
    receipt = office.notice()
    view = office.desk.view(ANN, receipt.case)
    assert "Camille" not in str(view.to_json())
    shown = office.desk.reveal(ANN, receipt.case)
    assert shown.signature == "Camille Example"
    assert office.kinds(receipt.case)[-1] == "revealed"
