from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from egide.desk.asks import Decision
from egide.desk.notices import More
from egide.desk.turned import turned
from egide.errors import EntryNotFound, NotAllowed, WrongField
from egide.fingerprint import Fingerprint
from egide.identity import Scope
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
    Office,
    given,
    key,
    pdq_of,
    picture,
)

CREATOR = Ed25519PrivateKey.generate()
VOUCHES = key(Scope.WORK_WRITE, name="studio")


def signed(document: dict[str, object], by: Ed25519PrivateKey = CREATOR) -> tuple[str, str, str]:
    """A mark, its signature, and the key that it holds under."""
    mark = json.dumps({"schema": "egide.work/1", **document})
    public = by.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return mark, by.sign(mark.encode()).hex(), public.hex()


def _with_half_a_character() -> tuple[str, str, str]:
    """A mark that no UTF-8 is, with a signature of what would be read in its place."""
    mark, _, public = signed({"content_id": "own-1", "creator": "x"})
    mark = mark.replace('"x"', '"\ud800"')
    return mark, CREATOR.sign(mark.encode("utf-8", "replace")).hex(), public


def states(office: Office, fingerprint: Fingerprint) -> set[str]:
    """How the entries of notices stand that a fingerprint matches."""
    bank = office.home.bank("notices")
    return {str(each.state) for each in bank.lookup(fingerprint)}


def patterns(office: Office, case: str) -> dict[str, tuple[int, int]]:
    """What a case has in common with others: how many, and how many refused."""
    view = office.desk.view(ANN, case)
    return {each.kind: (each.count, each.refused) for each in view.patterns}


@pytest.mark.both_databases
def test_who_sent_false_notices_is_seen(office: Office) -> None:
    for number in range(3):
        office.decided(
            office.notice(
                origin=f"198.51.{number}.1",
                signature="Camille  example",
                contact=None,
                locations=[f"p-{number}"],
            ),
            REFUSE,
        )
    receipt = office.notice(origin="203.0.113.5", contact=None, locations=["p-9"])
    assert patterns(office, receipt.case) == {"signer": (3, 3), "refused": (3, 3)}


def test_a_target_of_many_is_seen(office: Office) -> None:
    for number in range(3):
        office.notice(
            origin=f"198.51.{number}.1",
            signature=f"Person {number}",
            contact=None,
            locations=["https://www.platform.example/p/7/"],
        )
    receipt = office.notice(
        origin="203.0.113.5",
        signature="Another",
        contact=None,
        locations=["http://platform.example/p/7"],
    )
    assert patterns(office, receipt.case) == {"target": (3, 0)}


def test_one_network_is_seen(office: Office) -> None:
    for number in range(2):
        office.notice(
            origin=f"2001:db8::{number}",
            signature=f"P {number}",
            contact=None,
            locations=[f"p-{number}"],
        )
    receipt = office.notice(origin="2001:db8::ff", signature="Q", contact=None, locations=["p-9"])
    assert patterns(office, receipt.case) == {"origin": (2, 0)}


def test_marks_tell_nothing_without_the_secret(office: Office) -> None:
    office.notice(signature="Camille Example")
    rows = office.home.database.fetch("SELECT kind, digest FROM desk_mark")
    import hashlib

    plain = {hashlib.sha256(text).digest() for text in (b"camille example", b"Camille Example")}
    assert {row["kind"] for row in rows} == {"signer", "contact", "target"}
    assert not plain & {bytes(row["digest"]) for row in rows}


@pytest.mark.both_databases
def test_own_work_is_shown_and_takes_two(office: Office) -> None:
    office.listen()
    office.host("own-1", picture(1))
    office.host("copy-of-it", picture(1))
    work = office.desk.mark_work(VOUCHES, *signed({"content_id": "own-1", "creator": "Z"}))
    assert (
        office.desk.mark_work(VOUCHES, *signed({"content_id": "own-1", "creator": "Z"})).entry
        == work.entry
    )
    assert office.matches(pdq_of(picture(1))) == {"own-work": "active"}
    receipt = office.notice(locations=["own-1"])
    view = office.desk.view(ANN, receipt.case)
    assert [copy.own_work for copy in view.copies] == [True, True]
    assert "own_work" in {each.kind for each in view.patterns}
    office.desk.decide(ANN, receipt.case, REMOVE)
    office.later(3600)
    assert office.told("content.remove") == []
    # Two agree: what the people shown want counts for more than a mark.
    office.desk.confirm(LEAD, receipt.case)
    office.later()
    assert len(office.told("content.remove")) == 2
    assert office.matches(pdq_of(picture(1))) == {"notices": "active"}
    with pytest.raises(WrongField):
        office.desk.mark_work(VOUCHES, *signed({"content_id": "own-1"}))


def test_marks_are_signed_and_by_somebody_who_may(office: Office) -> None:
    office.host("own-1", picture(1))
    mark, signature, public = signed({"content_id": "own-1"})
    other = signed({"content_id": "own-1"}, Ed25519PrivateKey.generate())
    for said in (
        (mark.replace("own-1", "own-2"), signature, public),
        (mark, other[1], public),
        (mark, signature, other[2]),
        (mark, "zz", public),
        (mark, signature, ""),
        signed({"content_id": "nowhere"}),
        signed({"content_id": "own-1", "schema": "other"}),
        signed({"content_id": "own-1", "note": 1}),
        _with_half_a_character(),
    ):
        with pytest.raises(WrongField):
            office.desk.mark_work(VOUCHES, *said)
    with pytest.raises(NotAllowed):
        office.desk.mark_work(PLATFORM, mark, signature, public)
    work = office.desk.mark_work(VOUCHES, mark, signature, public)
    with pytest.raises(EntryNotFound):
        office.desk.unmark_work(key(Scope.WORK_WRITE, name="other"), work.entry)
    office.desk.unmark_work(VOUCHES, work.entry)
    assert office.matches(pdq_of(picture(1))) == {}


def test_a_false_notice_silences_nobody_by_itself(office: Office) -> None:
    """Before a person has decided, uploads of what it names go to review, and nothing goes."""
    office.listen()
    office.host("news", picture(4))
    receipt = office.notice(fingerprints=[given(pdq_of(picture(4)))])
    office.later(7 * 86_400)
    assert office.told("content.remove") == []
    assert office.matches(pdq_of(picture(4))) == {"notices": "disputed"}
    office.decided(receipt, REFUSE)
    assert office.matches(pdq_of(picture(4))) == {}


def test_wrong_removals_are_counted(office: Office) -> None:
    office.listen()
    receipt = office.notice()
    office.removed(receipt)
    office.desk.uploader_appeal(office.code(), ORIGIN, "It is a bridge.")
    office.desk.decide_appeal(BEN, receipt.case, REVERSE)
    rows = office.home.database.fetch(
        "SELECT count(*) AS n FROM desk_event WHERE kind = 'reversed'"
    )
    assert rows[0]["n"] == 1


@pytest.mark.both_databases
@pytest.mark.parametrize("waits", [61, 0], ids=["after it held", "while it can be undone"])
@pytest.mark.parametrize("what", ["places", "fingerprint"])
def test_what_is_added_to_a_decided_case_goes_only_if_a_person_decides(
    office: Office, what: str, waits: float
) -> None:
    office.listen()
    office.host("news", picture(4))
    receipt = office.notice(locations=["p"])
    office.desk.decide(ANN, receipt.case, REMOVE)
    office.later(waits)
    places = ["news", "https://platform.example/p/other"]
    prints = [given(pdq_of(picture(4)))]
    said = {"locations": places} if what == "places" else {"fingerprints": prints}
    office.desk.add(receipt.case, receipt.pin, ORIGIN, More.from_json(said))
    office.later()
    office.later(21 * 60)
    assert [each.data["content_id"] for each in office.told("content.remove")] == ["p"]
    assert office.matches(pdq_of(picture(4))) == {"notices": "disputed"}
    assert office.desk.queue(BEN).rows[0].marks >= {"new"}
    (news,) = (
        copy for copy in office.desk.view(BEN, receipt.case).copies if copy.content_id == "news"
    )
    assert (news.state, news.fresh) == ("found", True)
    office.decided(receipt, Decision("remove", ("terms",), copies=(news.copy,)), BEN)
    assert office.told("content.remove")[-1].data["content_id"] == "news"
    assert office.matches(pdq_of(picture(4))) == {"notices": "active"}


@pytest.mark.both_databases
def test_what_a_reviewer_left_and_what_nobody_has_seen_is_not_blocked(office: Office) -> None:
    """A notice names a picture that goes, a creator's own work, and a hash of something else."""
    office.listen()
    mine, theirs, unseen = pdq_of(picture(1)), pdq_of(picture(4)), pdq(77)
    office.host("mine", picture(1))
    office.host("theirs", picture(4))
    office.desk.mark_work(VOUCHES, *signed({"content_id": "theirs"}))
    fingerprints = [given(each) for each in (mine, *turned(mine), theirs, unseen)]
    receipt = office.notice(locations=["mine", "theirs"], fingerprints=fingerprints)
    copies = {copy.content_id: copy for copy in office.desk.view(ANN, receipt.case).copies}
    chosen = Decision("remove", ("terms",), copies=(copies["mine"].copy,))
    view = office.decided(receipt, chosen)
    assert view.pending is None
    assert [each.data["content_id"] for each in office.told("content.remove")] == ["mine"]
    for each in (mine, *turned(mine)):
        assert "active" in states(office, each)
    assert states(office, theirs) == {"disputed"}
    assert states(office, unseen) == {"disputed"}
    assert office.matches(theirs)["own-work"] == "active"

    office.host("mine again", picture(1))
    office.host("theirs again", picture(4))
    office.later(21 * 60)
    assert [each.data["content_id"] for each in office.told("content.remove")] == [
        "mine",
        "mine again",
    ]


def test_more_than_one_reviewer_decides_on_alone_does_not_go_unseen(office: Office) -> None:
    office.listen()
    print_ = pdq_of(picture(1))
    receipt = office.notice(locations=None, fingerprints=[given(print_)])
    assert office.desk.decide(ANN, receipt.case, REMOVE).pending is not None
    for number in range(office.settings.second_from + 1):
        office.host(f"copy-{number}", picture(1))
    office.desk.search(receipt.case)
    office.later()
    assert office.told("content.remove") == []
    view = office.desk.decide(ANN, receipt.case, REMOVE)
    assert view.pending is not None
    assert view.pending.second == "many"
    office.desk.confirm(LEAD, receipt.case)
    office.later()
    assert len(office.told("content.remove")) == office.settings.second_from + 1
    # What two have decided takes later copies along, however many there were.
    office.host("one more", picture(1))
    office.desk.search(receipt.case)
    assert "one more" in {each.data["content_id"] for each in office.told("content.remove")}
