from __future__ import annotations

from typing import Any

import pytest

from egide.errors import CaseNotFound, CaseStands, WrongField
from egide.finding import Finding
from egide.label import Label
from egide.sniff import Kind
from egide.verdict import Action, Verdict
from tests.unit.desk.office import (
    ANN,
    BEN,
    LEAD,
    ORIGIN,
    REMOVE,
    UPHOLD,
    Office,
    given,
    pdq_of,
    picture,
)

KNOWN = "known-media.v1"


def verdict(action: Action, *findings: Finding) -> Verdict:
    """A verdict on a picture."""
    return Verdict("upload", Kind.IMAGE, "0f" * 32, action, "rule", "default@1", findings)


def seen(office: Office, entry: str, score: float = 1.0, **evidence: Any) -> Finding:
    """That a picture is like an entry of the desk's bank."""
    told = {"bank": "notices", "entry": entry, "method": "pdq", "distance": 3, **evidence}
    return Finding(KNOWN, Label.NCII_KNOWN, score, told)


def screen(office: Office, said: Verdict, content_id: str, **more: Any) -> str | None:
    """What the desk does with a verdict, in the transaction that would store it."""
    with office.home.database.write() as connection:
        return office.desk.screening.screened(connection, said, content_id, record="r1", **more)


def entry_of(office: Office, case: str) -> str:
    """The first entry of a case."""
    (event,) = (each for each in office.desk.book.events(case) if each.kind == "accepted")
    return str(event.told["entries"][0])


@pytest.mark.both_databases
def test_what_a_person_should_look_at_becomes_a_case(office: Office) -> None:
    finding = Finding(KNOWN, Label.NCII_KNOWN, 0.6)
    said = verdict(Action.REVIEW, finding)
    number = screen(office, said, "p-1")
    assert number is not None
    assert screen(office, said, "p-1") == number
    (row,) = office.desk.queue(ANN).rows
    assert (row.case, row.kind, row.copies) == (number, "screening", 1)
    view = office.desk.view(ANN, number)
    assert view.told["detectors"] == [[KNOWN, "ncii.known", 0.6]]
    assert "judge" in view.may


def test_what_is_allowed_or_blocked_is_no_case(office: Office) -> None:
    for action in (Action.ALLOW, Action.BLOCK):
        if office.desk.screening.concerns(verdict(action), "p-1"):
            assert screen(office, verdict(action), "p-1") is None
    assert office.desk.queue(ANN).rows == ()


@pytest.mark.both_databases
def test_uploads_that_match_a_notice_are_added_to_its_case(office: Office) -> None:
    prints = picture(1)
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(prints))])
    entry = entry_of(office, receipt.case)
    said = verdict(Action.REVIEW, seen(office, entry, disputed=True))
    assert screen(office, said, "new-1", entry=None) == receipt.case
    assert screen(office, said, "new-1") == receipt.case
    (copy,) = office.desk.view(ANN, receipt.case).copies
    assert (copy.content_id, copy.how, copy.state) == ("new-1", "identical", "found")
    assert [row.kind for row in office.desk.queue(ANN).rows] == ["notice"]


def test_what_was_blocked_is_counted_and_not_told_to_go(office: Office) -> None:
    office.listen()
    prints = picture(1)
    office.host("old", prints)
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(prints))])
    office.removed(receipt)
    screen(office, verdict(Action.BLOCK, seen(office, entry_of(office, receipt.case))), "again")
    states = {copy.content_id: copy.state for copy in office.desk.view(ANN, receipt.case).copies}
    assert states == {"old": "removed", "again": "blocked"}
    assert office.state(receipt) == "removed"
    assert len(office.told("content.remove")) == 1


def test_a_silenced_match_is_of_no_case(office: Office) -> None:
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(picture(1)))])
    finding = seen(office, entry_of(office, receipt.case), score=0.0, silenced=True)
    assert screen(office, verdict(Action.REVIEW, finding), "new-1") != receipt.case


def test_it_is_told_or_not_with_its_verdict(office: Office) -> None:
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(picture(1)))])
    said = verdict(Action.REVIEW, seen(office, entry_of(office, receipt.case)))

    def cut_off() -> None:
        with office.home.database.write() as connection:
            office.desk.screening.screened(connection, said, "new-1", record="r1")
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        cut_off()
    assert office.desk.view(ANN, receipt.case).copies == ()


@pytest.mark.both_databases
def test_confirmed_it_goes_and_is_known_from_then_on(office: Office) -> None:
    office.listen()
    prints = picture(1)
    entry = office.host("p-1", prints)
    finding = Finding(KNOWN, Label.NCII_KNOWN, 0.6)
    number = screen(office, verdict(Action.REVIEW, finding), "p-1", entry=entry)
    assert number is not None
    office.desk.judge(ANN, number, True, ("intimate_without_consent",))
    office.later()
    (told,) = office.told("content.remove")
    assert told.data["content_id"] == "p-1"
    assert told.data["statement"]["automated_detection"] is True
    assert office.matches(pdq_of(prints)) == {"notices": "active"}
    (figure,) = office.desk.figures(ANN)
    assert (figure.detector, figure.confirmed, figure.denied) == (KNOWN, 1, 0)


def test_denied_it_is_no_match_any_more(office: Office) -> None:
    office.listen()
    prints = picture(1)
    entry = office.host("p-1", prints)
    finding = Finding(KNOWN, Label.NCII_KNOWN, 0.6)
    number = screen(office, verdict(Action.REVIEW, finding), "p-1", entry=entry)
    assert number is not None
    with pytest.raises(WrongField):
        office.desk.judge(ANN, number, False, ("intimate_without_consent",))
    office.desk.judge(ANN, number, False, ("not_a_copy",))
    office.later()
    assert office.told("content.remove") == []
    assert office.matches(pdq_of(prints)) == {"cleared": "active"}
    (figure,) = office.desk.figures(ANN)
    assert (figure.confirmed, figure.denied) == (0, 1)


def test_what_was_cleared_by_mistake_is_blocked_once_it_is_decided(office: Office) -> None:
    prints = picture(1)
    entry = office.host("p-1", prints)
    finding = Finding(KNOWN, Label.NCII_KNOWN, 0.6)
    number = screen(office, verdict(Action.REVIEW, finding), "p-1", entry=entry)
    assert number is not None
    office.desk.judge(ANN, number, False, ("not_a_copy",))
    office.later()
    office.removed(office.notice(locations=["p-1"]))
    assert office.matches(pdq_of(prints)) == {"notices": "active"}


def test_a_notice_is_not_judged_and_a_finding_not_decided(office: Office) -> None:
    receipt = office.notice()
    with pytest.raises(CaseStands):
        office.desk.judge(ANN, receipt.case, True, ("terms",))
    number = screen(office, verdict(Action.REVIEW), "p-1")
    assert number is not None
    with pytest.raises(CaseStands):
        office.desk.decide(ANN, number, REMOVE)


# ── the escalation lane ─────────────────────────────────────────────────────────────────────────


@pytest.mark.both_databases
def test_what_is_escalated_is_there_for_few_and_shows_nothing(office: Office) -> None:
    finding = Finding("text-intent.v1", Label.MINOR_ESCALATE, 0.9, {"name": "hidden"})
    number = screen(
        office, verdict(Action.ESCALATE, finding), "p-9", content_url="https://x.example/"
    )
    assert number is not None
    assert office.desk.queue(ANN).rows == ()
    for ask in (office.desk.view, office.desk.claim, office.desk.reveal):
        with pytest.raises(CaseNotFound):
            ask(ANN, number)
    from egide.desk.asks import Filter
    from egide.desk.fold import CaseState

    lane = Filter(states=(CaseState.ESCALATED,))
    assert office.desk.queue(ANN, lane).rows == ()
    assert office.desk.queue(ANN, Filter(text="p-9")).rows == ()
    assert [row.case for row in office.desk.queue(LEAD, lane).rows] == [number]
    view = office.desk.view(LEAD, number)
    assert (view.copies, view.statement, view.told["detectors"]) == ((), "", [])
    assert "look" not in view.may
    held = office.home.database.fetch("SELECT * FROM desk_copy")
    assert held == []
    assert "escalated" not in office.desk.counts(ANN)
    assert office.desk.counts(LEAD)["escalated"] == 1


def test_an_escalated_notice_keeps_no_fingerprint_and_no_address(office: Office) -> None:
    print_ = pdq_of(picture(1))
    office.host("1", picture(1))
    receipt = office.notice(fingerprints=[given(print_)])
    assert office.desk.escalate(ANN, receipt.case, "See at once.") is None
    assert office.matches(print_) == {}
    with pytest.raises(CaseNotFound):
        office.desk.view(ANN, receipt.case)
    (copy, *_) = office.home.database.fetch("SELECT content_url, entry FROM desk_copy")
    assert (copy["content_url"], copy["entry"]) == (None, None)
    assert office.desk.view(LEAD, receipt.case).copies == ()
    with pytest.raises(CaseStands):
        office.desk.look(LEAD, receipt.case, "cp_x")
    # The person is told nothing of it: whoever put it up may be asking.
    assert office.state(receipt) == "open"
    office.later(3600)
    assert office.matches(print_) == {}


def test_what_was_joined_is_escalated_too(office: Office) -> None:
    print_ = pdq_of(picture(1))
    first, again = (office.notice(fingerprints=[given(print_)]) for _ in range(2))
    office.desk.escalate(ANN, first.case)
    for receipt in (first, again):
        assert office.desk.view(LEAD, receipt.case).state == "escalated"
    assert office.matches(print_) == {}


@pytest.mark.both_databases
def test_what_is_uploaded_during_an_appeal_is_looked_at_once_that_is_turned_down(
    office: Office,
) -> None:
    office.listen()
    office.host("old", picture(1))
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(picture(1)))])
    office.removed(receipt)
    office.desk.uploader_appeal(office.code(), ORIGIN, "It is a bridge.")
    part = seen(office, entry_of(office, receipt.case), method="local")
    assert screen(office, verdict(Action.REVIEW, part), "part") == receipt.case
    office.desk.decide_appeal(BEN, receipt.case, UPHOLD)
    (row,) = office.desk.queue(ANN).rows
    assert "new" in row.marks
    view = office.desk.next(ANN)
    assert view is not None
    assert {copy.content_id for copy in view.copies if copy.fresh} == {"part"}


@pytest.mark.both_databases
def test_what_is_frozen_is_in_no_other_case(office: Office) -> None:
    office.host("c1", picture(4))
    url = "https://platform.example/p/c1"
    said = verdict(Action.REVIEW, Finding(KNOWN, Label.NCII_KNOWN, 0.6))
    number = screen(office, said, "c1", content_url=url)
    assert number is not None
    office.desk.escalate(ANN, number)
    assert screen(office, said, "c1", content_url=url) == number
    assert office.desk.queue(ANN).rows == ()
    receipt = office.notice(locations=["c1", url, "c2"])
    assert office.matches(pdq_of(picture(4))) == {}
    view = office.desk.view(ANN, receipt.case)
    assert [copy.content_id for copy in view.copies] == ["c2"]
    office.desk.give_back(LEAD, number, "no_minor_concerned")
    office.later(21 * 60)
    view = office.desk.view(ANN, receipt.case)
    assert {copy.content_id for copy in view.copies} == {"c1", "c2"}


def test_what_screening_escalated_is_in_no_other_case(office: Office) -> None:
    escalated = verdict(Action.ESCALATE, Finding(KNOWN, Label.MINOR_ESCALATE, 1.0))
    number = screen(office, escalated, "c1")
    said = verdict(Action.REVIEW, Finding(KNOWN, Label.NCII_KNOWN, 0.6))
    assert screen(office, said, "c1") == number
    assert office.desk.queue(ANN).rows == ()
