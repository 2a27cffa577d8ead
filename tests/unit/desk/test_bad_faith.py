from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from egide.errors import EntryNotFound, NotAllowed, WrongField
from egide.identity import Scope
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
