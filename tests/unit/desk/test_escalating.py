"""The way back from the escalation lane: to where a case stood, without what was erased."""

from __future__ import annotations

from dataclasses import replace

import pytest

from egide.desk.asks import AppealDecision, Decision, Filter
from egide.desk.casebook import columns_of
from egide.desk.erasing import erase
from egide.desk.events import EventKind
from egide.desk.fold import CaseState, fold
from egide.desk.views import Receipt
from egide.errors import CaseNotFound, CaseStands, NotAllowed, WrongField
from egide.finding import Finding
from egide.identity import Scope
from egide.identity.scopes import Role
from egide.label import Label
from egide.verdict import Action
from tests.unit.desk.office import (
    ANN,
    BEN,
    LEAD,
    ORIGIN,
    PLATFORM,
    REFUSE,
    REMOVE,
    REVERSE,
    Office,
    given,
    key,
    pdq_of,
    person,
    picture,
)
from tests.unit.desk.test_screening import screen, verdict

REASON = "no_minor_concerned"
OTHER_LEAD = person("lou", Role.LEAD)
DAY = 86_400


def state(office: Office, case: str) -> CaseState:
    """Where a case stands."""
    return office.desk.book.row(case).state


def columns_are_the_fold(office: Office, case: str) -> bool:
    """Whether what the queue sorts by is what the events come to."""
    row = office.desk.book.row(case)
    folded = columns_of(fold(office.desk.book.events(case)))
    kept = {name: getattr(row, name) for name in ("state", "deadline", "paused", "found", "untold")}
    return kept == {name: folded[name] for name in kept}


def hosted(office: Office) -> Receipt:
    """A notice about the address of a picture that the library has twice, with its fingerprint."""
    office.host("1", picture(1))
    office.host("2", picture(1))
    return office.notice(fingerprints=[given(pdq_of(picture(7)))])


@pytest.mark.both_databases
def test_a_returned_case_is_in_the_queue_again_and_can_be_decided(office: Office) -> None:
    office.listen()
    receipt = hosted(office)
    before = office.desk.book.row(receipt.case).deadline
    office.desk.escalate(ANN, receipt.case, "Looks young.")
    assert office.desk.queue(BEN).rows == ()
    assert "return" in office.desk.view(LEAD, receipt.case).may
    office.later(3600)

    view = office.desk.give_back(LEAD, receipt.case, REASON, "The studio's records were seen.")
    (row,) = office.desk.queue(BEN).rows
    assert (row.case, row.claimant, row.deadline) == (receipt.case, None, before)
    assert "returned" in row.marks
    assert "return" not in view.may
    assert columns_are_the_fold(office, receipt.case)
    assert {copy.content_id for copy in view.copies} == {"1", "2"}
    assert all(copy.content_url and copy.entry for copy in view.copies)
    assert office.matches(pdq_of(picture(1))) == {"notices": "disputed"}
    told = next(each for each in view.events if each.event is EventKind.RETURNED)
    assert (told.actor, told.told["reason"]) == (LEAD.actor, REASON)
    assert view.notes[told.seq] == "The studio's records were seen."
    assert "Looks young." in view.notes.values()

    office.decided(receipt, REMOVE, by=BEN)
    assert len(office.told("content.remove")) == 2
    assert "returned" not in office.desk.view(BEN, receipt.case).marks


def test_what_was_erased_does_not_come_back(office: Office) -> None:
    receipt = hosted(office)
    assert office.matches(pdq_of(picture(7))) == {"notices": "disputed"}
    office.desk.escalate(ANN, receipt.case)
    office.desk.give_back(LEAD, receipt.case, REASON)

    assert office.matches(pdq_of(picture(7))) == {}
    with office.desk.book.reading() as reading:
        assert reading.prints(receipt.case) == []


def test_copies_known_by_their_address_alone_are_found_anew_and_counted_once(
    office: Office,
) -> None:
    receipt = office.notice()
    (before,) = office.desk.view(ANN, receipt.case).copies
    office.desk.escalate(ANN, receipt.case)
    view = office.desk.give_back(LEAD, receipt.case, REASON)

    (copy,) = view.copies
    assert (copy.content_url, copy.copy != before.copy) == (before.content_url, True)
    assert office.desk.book.row(receipt.case).found == 1
    assert columns_are_the_fold(office, receipt.case)


def test_only_its_keepers_return_a_case_and_with_a_reason(office: Office) -> None:
    receipt = office.notice()
    office.desk.escalate(ANN, receipt.case)
    for nobody in (ANN, BEN, key(Scope.CASE_READ, Scope.CASE_WRITE), person("a", Role.AUDITOR)):
        with pytest.raises(NotAllowed):
            office.desk.give_back(nobody, receipt.case, REASON)
    for wrong in ("", "mistake", "not_intimate", "<b>"):
        with pytest.raises(WrongField):
            office.desk.give_back(LEAD, receipt.case, wrong)
    with pytest.raises(WrongField):
        office.desk.give_back(LEAD, receipt.case, REASON, "x" * 100_000)
    with pytest.raises(CaseNotFound):
        office.desk.give_back(LEAD, "EG-2222-2222", REASON)
    assert state(office, receipt.case) is CaseState.ESCALATED
    office.desk.give_back(LEAD, receipt.case, REASON)
    with pytest.raises(CaseStands):
        office.desk.give_back(LEAD, receipt.case, REASON)


def test_a_case_that_another_keeper_holds_is_theirs_to_return(office: Office) -> None:
    receipt = office.notice()
    office.desk.escalate(ANN, receipt.case)
    office.desk.claim(OTHER_LEAD, receipt.case)
    with pytest.raises(CaseStands):
        office.desk.give_back(LEAD, receipt.case, REASON)
    assert office.desk.give_back(OTHER_LEAD, receipt.case, REASON).claimant is None


def test_whoever_escalated_a_case_is_not_offered_it_as_the_next(office: Office) -> None:
    receipt = office.notice()
    office.desk.escalate(ANN, receipt.case)
    office.desk.give_back(LEAD, receipt.case, REASON)

    assert office.desk.next(ANN) is None
    assert [row.case for row in office.desk.queue(ANN).rows] == [receipt.case]
    offered = office.desk.next(BEN)
    assert offered is not None
    assert offered.case == receipt.case


@pytest.mark.parametrize("stood", ["incomplete", "refused", "removed", "appealed"])
def test_a_case_goes_back_to_where_it_stood(office: Office, stood: str) -> None:
    if stood == "incomplete":
        receipt = office.notice(statement=None, jurisdiction="EU")
    else:
        receipt = hosted(office)
    if stood == "removed":
        office.removed(receipt)
    elif stood != "incomplete":
        office.decided(receipt, REFUSE)
    if stood == "appealed":
        office.desk.appeal(receipt.case, receipt.pin, ORIGIN, "It is me.")
    before = office.desk.book.row(receipt.case)
    assert before.state == stood
    office.desk.escalate(BEN, receipt.case)
    office.desk.give_back(LEAD, receipt.case, REASON)

    after = office.desk.book.row(receipt.case)
    for name in ("state", "deadline", "paused", "deciders", "untold"):
        assert getattr(after, name) == getattr(before, name), name
    assert columns_are_the_fold(office, receipt.case)
    blocks = {"removed": {"notices": "active"}}.get(stood, {})
    assert office.matches(pdq_of(picture(1))) == blocks
    if stood == "appealed":
        assert [each.words for each in office.desk.view(BEN, receipt.case).appeals] == ["It is me."]
        upheld = AppealDecision("uphold", ("not_intimate",))
        with pytest.raises(NotAllowed):
            office.desk.decide_appeal(ANN, receipt.case, upheld)
        office.desk.decide_appeal(BEN, receipt.case, upheld)
        assert state(office, receipt.case) is CaseState.REFUSED


def test_what_was_left_up_is_not_blocked_by_the_return(office: Office) -> None:
    office.host("whole", picture(1))
    office.host("crop", picture(1, crop=True))
    receipt = office.notice(locations=["whole"], fingerprints=None)
    office.desk.escalate(ANN, receipt.case)
    office.desk.give_back(LEAD, receipt.case, REASON)
    crop, whole = pdq_of(picture(1, crop=True)), pdq_of(picture(1))
    assert (office.matches(crop), office.matches(whole)) == ({}, {"notices": "disputed"})
    copies = office.desk.view(BEN, receipt.case).copies
    kept = tuple(copy.copy for copy in copies if copy.content_id == "whole")
    office.decided(receipt, Decision("remove", ("terms",), copies=kept), by=BEN)
    office.desk.escalate(ANN, receipt.case)
    office.desk.give_back(LEAD, receipt.case, REASON)
    assert (office.matches(crop), office.matches(whole)) == ({}, {"notices": "active"})


def test_a_decision_that_had_not_taken_effect_is_void(office: Office) -> None:
    receipt = hosted(office)
    office.desk.decide(ANN, receipt.case, REMOVE)
    office.desk.escalate(BEN, receipt.case)
    office.desk.give_back(LEAD, receipt.case, REASON)
    office.later()

    assert (state(office, receipt.case), office.told("content.remove")) == (CaseState.OPEN, [])


def test_the_uploader_is_told_nothing_meanwhile_and_can_appeal_again_afterwards(
    office: Office,
) -> None:
    office.listen()
    receipt = hosted(office)
    office.removed(receipt)
    code = office.code()
    office.desk.escalate(BEN, receipt.case)
    with pytest.raises(CaseNotFound):
        office.desk.uploader(code, ORIGIN)
    with pytest.raises(CaseNotFound):
        office.desk.uploader_appeal(code, ORIGIN, "It is a bridge.")
    office.desk.give_back(LEAD, receipt.case, REASON)
    office.desk.uploader_appeal(code, ORIGIN, "It is a bridge.")
    office.desk.decide_appeal(BEN, receipt.case, REVERSE)
    assert len(office.told("content.restore")) == 1


def test_removals_that_were_not_acknowledged_are_awaited_again(office: Office) -> None:
    receipt = hosted(office)
    office.decided(receipt)
    office.desk.escalate(BEN, receipt.case)
    office.later(30 * 3600)
    office.desk.give_back(LEAD, receipt.case, REASON)
    office.later(23 * 3600)
    assert {copy.state for copy in office.desk.view(BEN, receipt.case).copies} == {"told"}
    office.later(2 * 3600)
    assert {copy.state for copy in office.desk.view(BEN, receipt.case).copies} == {"overdue"}
    for copy in office.desk.view(BEN, receipt.case).copies:
        office.desk.acknowledge(PLATFORM, copy.copy, "removed")
    assert state(office, receipt.case) is CaseState.REMOVED


def test_what_is_decided_together_goes_and_comes_together(office: Office) -> None:
    print_ = given(pdq_of(picture(1)))
    first, again = (office.notice(fingerprints=[print_]) for _ in range(2))
    office.desk.escalate(ANN, again.case)
    lane = Filter(states=(CaseState.ESCALATED,))
    assert [row.case for row in office.desk.queue(LEAD, lane).rows] == [first.case]
    assert {state(office, each.case) for each in (first, again)} == {CaseState.ESCALATED}

    office.desk.give_back(LEAD, first.case, REASON)
    assert {state(office, each.case) for each in (first, again)} == {CaseState.OPEN}
    office.decided(first)
    assert {office.state(each) for each in (first, again)} == {"decided"}


def test_what_screening_escalated_comes_back_by_its_id_alone(office: Office) -> None:
    office.listen()
    finding = Finding("text-intent.v1", Label.MINOR_ESCALATE, 0.9)
    case = screen(office, verdict(Action.ESCALATE, finding), "p-9", content_url="https://x.example")
    assert case is not None
    view = office.desk.give_back(LEAD, case, "escalated_by_mistake")
    (copy,) = view.copies
    assert (view.state, copy.content_id, copy.content_url) == (CaseState.OPEN, "p-9", None)

    office.desk.judge(BEN, case, confirmed=True, reasons=["terms"])
    office.later()
    assert [each.data["content_id"] for each in office.told("content.remove")] == ["p-9"]


def test_the_person_is_told_nothing_of_it(office: Office) -> None:
    receipt = hosted(office)
    before = office.desk.status(receipt.case, receipt.pin, ORIGIN)
    office.desk.escalate(ANN, receipt.case)
    frozen = office.desk.status(receipt.case, receipt.pin, ORIGIN)
    assert replace(frozen, may=before.may) == before
    office.desk.give_back(LEAD, receipt.case, REASON, "Words of a colleague.")
    assert office.desk.status(receipt.case, receipt.pin, ORIGIN) == before
    said = str(office.desk.export(receipt.case, receipt.pin, ORIGIN))
    assert "Words of a colleague." not in said
    assert "returned" not in said


def test_what_cannot_be_done_meanwhile_names_no_lane(office: Office) -> None:
    receipt = hosted(office)
    office.desk.escalate(ANN, receipt.case)
    with pytest.raises(CaseStands, match="the case is open"):
        office.desk.withdraw(receipt.case, receipt.pin, ORIGIN)


def test_what_a_notice_has_in_common_with_others_is_seen_again(office: Office) -> None:
    receipt = office.notice(contact=None)
    office.notice(contact=None, signature="Somebody Else")
    before = {each.kind for each in office.desk.view(ANN, receipt.case).patterns}
    office.desk.escalate(ANN, receipt.case)
    office.desk.give_back(LEAD, receipt.case, REASON)

    assert before == {"origin", "target"}
    assert {each.kind for each in office.desk.view(ANN, receipt.case).patterns} == before


def test_what_was_escalated_is_preserved_also_once_it_was_returned(office: Office) -> None:
    receipt = office.notice()
    office.desk.escalate(ANN, receipt.case)
    office.desk.give_back(LEAD, receipt.case, REASON)
    office.decided(receipt, REFUSE)
    office.later(200 * DAY)
    with pytest.raises(CaseStands):
        erase(office.desk.book, receipt.case, LEAD.actor, "asked for")
    office.later(200 * DAY)
    erase(office.desk.book, receipt.case, LEAD.actor, "asked for")
    assert state(office, receipt.case) is CaseState.ERASED
