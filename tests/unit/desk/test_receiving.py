from __future__ import annotations

import pytest

from egide.bank import Home
from egide.desk.asks import Filter
from egide.desk.fold import CaseState
from egide.desk.letters.cases import removed_copy
from egide.desk.notices import More
from egide.desk.numbers import new_number
from egide.errors import CaseNotFound, CaseStands, NotAllowed, TooManyAttempts, WrongField
from egide.match import Purpose
from tests.conftest import pdq
from tests.unit.desk.office import (
    ANN,
    AUTHORITY,
    BEN,
    FLAGGER,
    ORIGIN,
    PLACE,
    PLATFORM,
    REFUSE,
    REMOVE,
    UPHOLD,
    Office,
    given,
    let_through,
    pdq_of,
    picture,
)

HOURS = 3_600_000


@pytest.mark.both_databases
def test_a_notice_becomes_a_case_whose_clock_runs(office: Office) -> None:
    receipt = office.notice()
    said = receipt.to_json()
    assert said["state"] == "open"
    assert said["missing"] == []
    status = office.desk.status(receipt.case, receipt.pin, ORIGIN)
    assert status.deadline - status.opened == 48 * HOURS
    assert [str(each.event) for each in status.events][:2] == ["received", "accepted"]
    assert status.may == {"add", "withdraw"}


def test_what_is_missing_is_asked_for_and_completed(office: Office) -> None:
    receipt = office.notice(jurisdiction="US", signature=None, statement=None)
    assert receipt.status.state is CaseState.INCOMPLETE
    assert receipt.status.missing == ("signature", "statement")
    half = office.desk.add(receipt.case, receipt.pin, ORIGIN, More(signature="C."))
    assert half.missing == ("statement",)
    whole = office.desk.add(receipt.case, receipt.pin, ORIGIN, More(statement="It is me."))
    assert whole.state is CaseState.OPEN
    assert whole.missing == ()


def test_who_declares_good_faith_declares_all_of_it(office: Office) -> None:
    receipt = office.notice(declared=["good_faith"])
    assert receipt.status.missing == ("good_faith",)
    more = More.from_json({"good_faith": True})
    assert office.desk.add(receipt.case, receipt.pin, ORIGIN, more).missing == ()


def test_a_fingerprint_says_where_the_content_is(office: Office) -> None:
    print_ = pdq(1)
    receipt = office.notice(locations=None, fingerprints=[given(print_)])
    assert receipt.status.missing == ()
    assert office.matches(print_) == {"notices": "disputed"}


def test_fingerprints_of_an_incomplete_notice_are_in_no_bank(office: Office) -> None:
    print_ = pdq(1)
    receipt = office.notice(statement=None, fingerprints=[given(print_)])
    assert office.matches(print_) == {}
    office.desk.add(receipt.case, receipt.pin, ORIGIN, More(statement="It is me."))
    assert office.matches(print_) == {"notices": "disputed"}


def test_the_clock_stands_only_where_the_law_lets_it(office: Office) -> None:
    strict = office.notice(jurisdiction="UK", statement=None)
    lenient = office.notice(jurisdiction="EU", statement=None)
    office.clock += 10 * 3600
    more = More(statement="It is me.")
    kept = office.desk.add(strict.case, strict.pin, ORIGIN, more)
    moved = office.desk.add(lenient.case, lenient.pin, ORIGIN, more)
    assert kept.deadline - kept.opened == 48 * HOURS
    assert moved.deadline - moved.opened == 58 * HOURS


def test_wrong_numbers_and_wrong_pins_are_told_alike(office: Office) -> None:
    receipt = office.notice()
    other = office.notice()
    said = set()
    for number, pin in (
        (receipt.case, other.pin),
        ("EG-2222-2222", receipt.pin),
        ("", ""),
        (receipt.case, ""),
        ("' OR 1=1 --", receipt.pin),
        (receipt.case, "\0" * 10),
    ):
        with pytest.raises(CaseNotFound) as refused:
            office.desk.status(number, pin, ORIGIN)
        said.add(str(refused.value))
    assert len(said) == 1
    assert office.desk.status(receipt.case, receipt.pin, ORIGIN).case == receipt.case


def test_numbers_and_pins_may_be_copied_from_paper(office: Office) -> None:
    receipt = office.notice()
    number = receipt.case.lower().replace("-", " ")
    pin = f"{receipt.pin[:4]} {receipt.pin[4:]}"
    assert office.desk.status(number, pin, ORIGIN).case == receipt.case


def test_pins_cannot_be_guessed(office: Office) -> None:
    receipt = office.notice()

    def guess(number: int) -> None:
        office.desk.status(receipt.case, f"{number:010d}", "198.51.100.1")

    assert let_through(guess) == 10
    with pytest.raises(TooManyAttempts):
        office.desk.status(receipt.case, receipt.pin, "198.51.100.1")
    assert office.desk.status(receipt.case, receipt.pin, ORIGIN).case == receipt.case


def test_pins_cannot_be_guessed_from_many_networks(office: Office) -> None:
    receipt = office.notice()

    def guess(number: int) -> None:
        office.desk.status(receipt.case, f"{number:010d}", f"198.51.{number}.1")

    assert let_through(guess) == 100


def test_cases_cannot_be_enumerated(office: Office) -> None:
    def look(number: int) -> None:
        office.desk.status(new_number(), "0000000000", f"2001:db8::{number:x}")

    assert let_through(look) == 60


def test_whoever_knows_the_pin_can_look_as_often_as_they_like(office: Office) -> None:
    receipt = office.notice()
    for _ in range(70):
        assert office.desk.status(receipt.case, receipt.pin, ORIGIN).case == receipt.case


def test_the_pin_is_not_in_the_database(office: Office) -> None:
    receipt = office.notice()
    office.home.close()
    held = b"".join(file.read_bytes() for file in office.home.path.glob("egide.sqlite*"))
    assert receipt.pin.encode() not in held
    assert receipt.case.encode() in held


def test_what_is_personal_is_not_in_the_database_in_the_clear(office: Office) -> None:
    office.notice(contact={"email": "camille@example.org", "phone": "+33 1 00 00 00 00"})
    office.home.close()
    held = b"".join(file.read_bytes() for file in office.home.path.glob("egide.sqlite*"))
    for secret in (b"camille@example.org", b"Camille Example", b"did not agree", b"+33 1"):
        assert secret not in held


def test_a_network_sends_so_many_notices_and_no_more(office: Office) -> None:
    assert let_through(lambda number: office.notice(signature=f"Person {number}")) == 30
    office.notice(origin="203.0.113.9")


def test_a_flood_from_one_network_does_not_keep_others_waiting(office: Office) -> None:
    for number in range(9):
        office.notice(
            origin="198.51.100.7", signature=f"F {number}", locations=[f"{PLACE}{number}"]
        )
    office.clock += 60
    late = office.notice(signature="Late Comer", locations=["https://platform.example/late"])
    cases = [row.case for row in office.desk.queue(ANN).rows]
    assert cases.index(late.case) == 5
    assert [row.priority for row in office.desk.queue(ANN).rows] == ["usual"] * 6 + ["crowded"] * 4


def test_trusted_flaggers_come_first_and_are_not_held_up(office: Office) -> None:
    first = office.notice()
    flagged = [
        office.notice(by=FLAGGER, signature=f"P {n}", locations=[f"{PLACE}/{n}"]) for n in range(12)
    ]
    cases = [row.case for row in office.desk.queue(ANN).rows]
    assert cases[-1] == first.case
    assert set(cases[:-1]) == {each.case for each in flagged}
    with pytest.raises(NotAllowed):
        office.notice(by=PLATFORM)


def test_an_order_takes_a_key_and_lacks_nothing(office: Office) -> None:
    order = {"authority": "Tribunal", "reference": "24/17"}
    with pytest.raises(WrongField):
        office.notice(order=order)
    with pytest.raises(NotAllowed):
        office.notice(order=order, by=FLAGGER)
    receipt = office.notice(
        order=order, by=AUTHORITY, statement=None, signature=None, good_faith=None, contact=None
    )
    assert receipt.status.missing == ()
    assert receipt.status.order
    assert office.desk.queue(ANN).rows[0].marks >= {"order"}


def test_a_lifted_order_puts_the_content_back(office: Office) -> None:
    office.listen()
    order = {"authority": "Tribunal", "reference": "24/17"}
    receipt = office.notice(order=order, by=AUTHORITY)
    office.removed(receipt)
    office.desk.withdraw(receipt.case, receipt.pin, ORIGIN)
    (restore,) = office.told("content.restore")
    assert restore.data["reasons"] == ["order_lifted"]


@pytest.mark.both_databases
def test_withdrawal_erases_fingerprints_and_puts_everything_back(office: Office) -> None:
    office.listen()
    prints = picture(1)
    office.host("1", prints)
    receipt = office.notice(fingerprints=[given(pdq_of(prints))])
    office.removed(receipt)
    assert office.matches(pdq_of(prints)) == {"notices": "active"}
    status = office.desk.withdraw(receipt.case, receipt.pin, ORIGIN)
    assert status.state is CaseState.WITHDRAWN
    assert office.matches(pdq_of(prints)) == {}
    assert [each.data["reasons"] for each in office.told("content.restore")] == [["withdrawn"]]
    # What proves it: the event names entries of which nothing but a tombstone is left.
    (event,) = (each for each in office.desk.book.events(receipt.case) if each.kind == "withdrawn")
    bank = office.home.bank("notices")
    for entry in event.told["entries"]:
        kept = bank.entry(entry)
        assert kept.state == "withdrawn"
        assert kept.fingerprints == ()
    with pytest.raises(CaseStands):
        office.desk.withdraw(receipt.case, receipt.pin, ORIGIN)


def test_after_withdrawal_no_file_holds_the_fingerprint(office: Office) -> None:
    from tests.conftest import traces

    print_ = pdq(7)
    receipt = office.notice(locations=None, fingerprints=[given(print_)])
    office.desk.withdraw(receipt.case, receipt.pin, ORIGIN)
    office.home.close()
    assert traces(office.home.path, print_) == []


@pytest.mark.both_databases
def test_the_same_persons_same_picture_is_one_row(office: Office) -> None:
    print_ = pdq(3)
    first = office.notice(fingerprints=[given(print_)])
    again = office.notice(
        signature="camille  EXAMPLE", fingerprints=[given(print_)], locations=["post-9"]
    )
    stranger = office.notice(signature="Somebody Else", contact=None, fingerprints=[given(print_)])
    rows = {row.case: row.joined for row in office.desk.queue(ANN).rows}
    assert rows == {first.case: 1, stranger.case: 0}
    with pytest.raises(CaseStands):
        office.decided(again)
    office.removed(first)
    assert office.state(first) == office.state(again) == "removed"
    assert office.state(stranger) == "open"


def test_joining_is_not_told_to_whoever_sends_the_second(office: Office) -> None:
    office.notice()
    again = office.notice()
    assert again.to_json().keys() == {"case", "pin", "state", "deadline", "missing"}
    assert "joined" not in str(office.desk.status(again.case, again.pin, ORIGIN).to_json())


def test_when_the_first_withdraws_the_second_still_stands(office: Office) -> None:
    print_ = pdq(3)
    first = office.notice(fingerprints=[given(print_)])
    again = office.notice(fingerprints=[given(print_)])
    office.desk.withdraw(first.case, first.pin, ORIGIN)
    assert office.matches(print_) == {"notices": "disputed"}
    assert [row.case for row in office.desk.queue(ANN).rows] == [again.case]
    office.removed(again)
    assert office.state(again) == "removed"


def test_what_is_found_again_after_a_removal_is_a_new_case(office: Office) -> None:
    office.removed(office.notice())
    again = office.notice()
    assert [row.case for row in office.desk.queue(ANN).rows] == [again.case]


def test_more_can_be_added_and_is_searched_for(office: Office) -> None:
    prints = picture(2)
    office.host("2", prints)
    receipt = office.notice(locations=["elsewhere-1"])
    assert receipt.status.copies_found == 0
    more = More.from_json({"fingerprints": [given(pdq_of(prints))], "words": "Here is one."})
    status = office.desk.add(receipt.case, receipt.pin, ORIGIN, more)
    assert status.copies_found == 1
    assert office.desk.view(ANN, receipt.case).words == ("Here is one.",)


def test_nothing_is_added_without_end(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("egide.desk.intake.MOST_ADDED", 5)
    receipt = office.notice()
    for _ in range(5):
        office.desk.add(receipt.case, receipt.pin, ORIGIN, More(words="more"))
    with pytest.raises(CaseStands):
        office.desk.add(receipt.case, receipt.pin, ORIGIN, More(words="more"))


def test_a_refused_notice_can_be_appealed_once(office: Office) -> None:
    receipt = office.notice()
    with pytest.raises(CaseStands):
        office.desk.appeal(receipt.case, receipt.pin, ORIGIN, "No!")
    office.decided(receipt, REFUSE)
    assert "appeal" in office.desk.status(receipt.case, receipt.pin, ORIGIN).may
    status = office.desk.appeal(receipt.case, receipt.pin, ORIGIN, "It is me.")
    assert status.state is CaseState.APPEALED
    with pytest.raises(CaseStands):
        office.desk.appeal(receipt.case, receipt.pin, ORIGIN, "It is me.")


def test_the_desk_makes_its_bank_with_the_first_case(office: Office, home: Home) -> None:
    assert [bank.name for bank in home.banks()] == ["library"]
    office.notice()
    assert home.bank("notices").purpose is Purpose.BLOCK


def test_a_case_can_be_found_by_number_and_content(office: Office) -> None:
    receipt = office.notice(locations=["post-17"])
    office.notice(signature="B", locations=["post-18"])
    for text in (receipt.case, receipt.case.lower(), "post-17"):
        assert [row.case for row in office.desk.queue(ANN, Filter(text=text)).rows] == [
            receipt.case
        ]


@pytest.mark.both_databases
def test_what_was_removed_stays_so_until_the_last_of_joined_notices_is_taken_back(
    office: Office,
) -> None:
    office.listen()
    prints = picture(1)
    entry = office.host("c2", prints)
    crop = office.host("c3", picture(1, crop=True))
    first = office.notice(fingerprints=[given(pdq_of(picture(1, crop=True)))])
    again = office.notice(contact=None)
    for copy in office.desk.view(ANN, first.case).copies:
        assert copy.state == "found"
    view = office.removed(first)
    ids = {each.content_id: each.copy for each in view.copies}
    assert set(ids) == {None, "c2", "c3"}
    code = office.code(ids["c2"])
    for each in (entry, crop):
        office.library.withdraw([each])
    for content in ("c2", "c3"):
        office.hosted.forget(content)
    office.desk.uploader_appeal(office.code(ids["c3"]), ORIGIN, "It is a bridge.")
    status = office.desk.withdraw(first.case, first.pin, ORIGIN)
    assert (status.copies_found, status.places_named, status.copies_removed) == (2, 1, 0)
    office.later()
    assert office.told("content.restore") == []
    assert office.desk.uploader(code, ORIGIN).may == {"appeal"}
    assert removed_copy(office.desk.book, ids["c2"]).reasons == REMOVE.reasons
    assert office.matches(pdq_of(prints)) == {"notices": "active"}
    assert office.matches(pdq_of(picture(1, crop=True))) == {}
    (appeal,) = office.desk.view(BEN, again.case).appeals
    assert (appeal.copy, appeal.words) == (ids["c3"], "It is a bridge.")
    with pytest.raises(NotAllowed):
        office.desk.decide_appeal(ANN, again.case, UPHOLD)
    office.desk.decide_appeal(BEN, again.case, UPHOLD)
    assert office.state(again) == "removed"
    office.desk.withdraw(again.case, again.pin, ORIGIN)
    restored = {each.data["copy"] for each in office.told("content.restore")}
    assert restored == set(ids.values())
    assert office.desk.uploader(code, ORIGIN).state == "restored"
    assert office.matches(pdq_of(prints)) == {}


@pytest.mark.both_databases
@pytest.mark.parametrize("hers", [True, False])
def test_whoever_copies_her_name_does_not_learn_that_she_has_written(
    office: Office, hers: bool
) -> None:
    office.listen()
    office.host("a", picture(1))
    office.host("b", picture(2))
    if hers:
        office.notice(locations=["a", "b", PLACE, "https://platform.example/secret/9"])
    stalker = office.notice(contact=None, locations=["a", PLACE], origin="198.51.100.9")
    assert (office.desk.book.row(stalker.case).joined is not None) is hers

    def shown() -> tuple[object, ...]:
        status = office.desk.status(stalker.case, stalker.pin, ORIGIN)
        happened = [(each.event, each.copies, each.places) for each in status.events]
        counts = (status.copies_found, status.places_named, status.copies_removed)
        return str(status.state), counts, happened

    begun = [("received", 0, 0), ("accepted", 0, 0), ("copy.found", 1, 1)]
    assert shown() == ("open", (1, 1, 0), begun)
    (decided,) = [each.case for each in office.desk.queue(ANN).rows]
    office.desk.decide(ANN, decided, REMOVE)
    office.later()
    begun.append(("effective", 0, 0))
    assert shown() == ("decided", (1, 1, 0), begun)
    copies = [each for each in office.desk.view(ANN, decided).copies if each.content_id != "b"]
    (place,) = [each for each in copies if each.content_url == PLACE and each.entry is None]
    (first,) = [each for each in copies if each.content_id == "a"]
    office.clock += 60
    office.desk.acknowledge(PLATFORM, first.copy, "removed")
    office.desk.acknowledge(PLATFORM, place.copy, "removed")
    begun[2] = ("copy.found", 2, 0)
    begun += [("acknowledged", 0, 0)] * 2
    assert shown() == ("removed", (2, 0, 2), begun)
    office.clock += 60
    office.desk.uploader_appeal(office.code(place.copy), ORIGIN, "It is a bridge.")
    assert shown() == ("appealed", (2, 0, 2), [*begun, ("appealed", 0, 0)])
    office.clock += 60
    office.desk.withdraw(stalker.case, stalker.pin, ORIGIN)
    begun[2] = ("copy.found", 1, 1)
    assert shown() == ("withdrawn", (1, 1, 0), [*begun, ("appealed", 0, 0), ("withdrawn", 0, 0)])


@pytest.mark.both_databases
def test_what_comes_sooner_by_itself_is_joined_to_nothing(office: Office) -> None:
    usual = office.notice(jurisdiction="US")
    sooner = office.notice(jurisdiction="FR")
    flagged = office.notice(jurisdiction="FR", by=FLAGGER)
    order = {"authority": "Tribunal", "reference": "24/17"}
    ordered = office.notice(jurisdiction="FR", by=AUTHORITY, order=order)
    hers = office.notice(jurisdiction="FR", by=FLAGGER)
    rows = {row.case: row for row in office.desk.queue(ANN).rows}
    assert {case: row.joined for case, row in rows.items()} == {
        usual.case: 0,
        sooner.case: 0,
        flagged.case: 1,
        ordered.case: 0,
    }
    assert office.desk.book.row(hers.case).joined == flagged.case
    assert "order" in rows[ordered.case].marks
    view = office.desk.decide(ANN, ordered.case, REFUSE)
    assert view.pending is not None
    assert view.pending.second == "order"
