from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from egide.desk.asks import Decision
from egide.desk.copies import Found, Search, search
from egide.desk.means import Means
from egide.desk.notices import More
from egide.errors import StorageError
from egide.item import Item
from egide.media.fingerprint import fingerprints_of
from egide.testing import neutral_pixels
from tests.conftest import near, pdq
from tests.pictures import encode
from tests.unit.desk.office import (
    ANN,
    BEN,
    LEAD,
    ORIGIN,
    PLATFORM,
    REMOVE,
    Office,
    given,
    pdq_of,
    picture,
)


def hows(office: Office, case: str) -> dict[str | None, str]:
    """How each content was found."""
    return {copy.content_id: copy.how for copy in office.desk.view(ANN, case).copies}


@pytest.mark.both_databases
def test_copies_are_found_by_fingerprint_and_crops_by_their_points(office: Office) -> None:
    whole, other = picture(1), picture(2)
    office.host("whole", whole)
    office.host("crop", picture(1, crop=True))
    office.host("other", other)
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(whole))])
    assert hows(office, receipt.case) == {"whole": "identical", "crop": "similar"}
    assert receipt.status.copies_found == 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_crops_that_were_mirrored_too_are_found(office: Office, seed: int) -> None:
    part = neutral_pixels(seed)[60:330, 80:430]
    mirrored = np.ascontiguousarray(part[:, ::-1])
    office.host("whole", picture(seed))
    office.host("crop", picture(seed, crop=True))
    office.host("mirrored", fingerprints_of(Item.from_bytes(encode(mirrored, "JPEG"))))
    office.host("other", picture(seed + 3))
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(picture(seed)))])

    copies = {copy.content_id: copy for copy in office.desk.view(ANN, receipt.case).copies}
    assert set(copies) == {"whole", "crop", "mirrored"}
    assert copies["mirrored"].how == "similar"
    assert [copies[name].evidence.get("edit") for name in ("crop", "mirrored")] == [None, "mirror"]


def test_copies_are_found_by_where_the_content_is(office: Office) -> None:
    office.host("1", picture(1))
    office.host("2", picture(1))
    office.host("crop", picture(1, crop=True))
    for place in (
        "https://platform.example/p/1",
        "http://platform.example/p/1/",
        "https://platform.example/p/1?from=mail#top",
        "1",
    ):
        receipt = office.notice(signature=place, contact=None, locations=[place])
        found = hows(office, receipt.case)
        assert found == {"1": "located", "2": "identical", "crop": "similar"}, place


def test_a_place_that_is_not_in_the_library_is_told_all_the_same(office: Office) -> None:
    office.listen()
    receipt = office.notice(locations=["https://elsewhere.example/x", "post-9"])
    assert receipt.status.copies_found == 0
    office.removed(receipt)
    told = {
        (each.data["content_url"], each.data["content_id"])
        for each in office.told("content.remove")
    }
    assert told == {("https://elsewhere.example/x", None), (None, "post-9")}
    assert office.desk.status(receipt.case, receipt.pin, ORIGIN).copies_found == 2


def test_the_history_counts_copies_as_the_summary_does(office: Office) -> None:
    """Whatever was named: in the library, not in it, and confirmed by the platform since."""
    office.host("1", picture(1))
    office.host("2", picture(1))
    receipt = office.notice(locations=["1", "elsewhere-1", "https://elsewhere.example/x"])

    def counted() -> tuple[int, int]:
        status = office.desk.status(receipt.case, receipt.pin, ORIGIN)
        copies = sum(each.copies for each in status.events)
        places = sum(each.places for each in status.events)
        assert (copies, places) == (status.copies_found, status.places_named)
        return copies, places

    assert counted() == (2, 2)
    office.decided(receipt)
    assert counted() == (2, 2)
    for copy in office.desk.view(ANN, receipt.case).copies:
        if copy.content_id == "elsewhere-1":
            office.desk.acknowledge(PLATFORM, copy.copy, "removed")
    assert counted() == (3, 1)
    office.desk.escalate(BEN, receipt.case)
    assert counted() == (3, 1)


def test_the_threshold_of_the_law_is_kept(office: Office) -> None:
    print_ = pdq(1)
    office.host("at", (near(print_, 31),))
    office.host("over", (near(print_, 32),))
    receipt = office.notice(locations=None, fingerprints=[given(print_)])
    assert hows(office, receipt.case) == {"at": "identical"}


def test_where_the_law_says_identical_parts_are_shown_and_left_to_the_reviewer(
    office: Office,
) -> None:
    office.listen()
    whole = picture(1)
    office.host("whole", whole)
    office.host("crop", picture(1, crop=True))
    asked: dict[str, Any] = {"locations": None, "fingerprints": [given(pdq_of(whole))]}
    strict = office.notice(jurisdiction="US", signature="A", contact=None, **asked)
    office.decided(strict)
    assert {each.data["content_id"] for each in office.told("content.remove")} == {"whole"}
    view = office.desk.view(ANN, strict.case)
    (crop,) = (copy for copy in view.copies if copy.state == "found")
    office.decided(strict, Decision("remove", ("terms",), copies=(crop.copy,)))
    assert {each.data["content_id"] for each in office.told("content.remove")} == {"whole", "crop"}


def test_what_was_being_uploaded_during_the_search_is_found_soon_after(office: Office) -> None:
    whole = picture(1)
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(whole))])
    office.host("meanwhile", whole)
    office.later(21 * 60)
    assert hows(office, receipt.case) == {"meanwhile": "identical"}
    office.later(3600)
    row = office.home.database.fetch("SELECT search FROM desk_case")[0]
    assert row["search"] is None


def test_a_search_that_was_cut_off_is_done_by_the_next_tick(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from egide.desk import searching
    from egide.errors import StorageError

    office.host("1", picture(1))

    def cut(*_: object) -> None:
        raise StorageError("cut off")

    with monkeypatch.context() as during:
        during.setattr(searching, "search", cut)
        receipt = office.notice(locations=None, fingerprints=[given(pdq_of(picture(1)))])
    assert hows(office, receipt.case) == {}
    office.desk.tick()
    assert hows(office, receipt.case) == {"1": "identical"}


def test_cases_that_cannot_be_searched_for_keep_no_other_waiting(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from egide.desk import copies, searching

    office.host("1", picture(1))

    def cut(*_: object) -> None:
        raise StorageError("cut off")

    def broken(means: Means, asked: Search) -> list[Found]:
        if any(place.content_id == "broken" for place in asked.locations):
            raise MemoryError
        return copies.search(means, asked)

    with monkeypatch.context() as during:
        during.setattr(searching, "search", cut)
        for number in range(12):
            office.notice(locations=["broken"], signature=f"Somebody {number}")
        receipt = office.notice(locations=None, fingerprints=[given(pdq_of(picture(1)))])
    monkeypatch.setattr(searching, "search", broken)
    for _ in range(2):
        office.desk.tick()
    assert hows(office, receipt.case) == {"1": "identical"}


def test_near_copies_are_grouped(office: Office) -> None:
    whole = picture(1)
    office.host("1", whole)
    office.host("2", whole)
    office.host("3", picture(2))
    receipt = office.notice(locations=["3"], fingerprints=[given(pdq_of(whole))])
    groups = {copy.content_id: copy.group for copy in office.desk.view(ANN, receipt.case).copies}
    assert groups["1"] == groups["2"] != groups["3"]


def test_what_goes_blocks_its_like_as_the_library_knows_it(office: Office) -> None:
    crop = picture(1, crop=True)
    office.host("whole", picture(1))
    office.host("crop", crop)
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(picture(1)))])
    office.decided(receipt, REMOVE)
    assert office.matches(pdq_of(crop)) == {"notices": "active"}


def test_adding_a_place_to_a_decided_case_disputes_and_does_not_block(office: Office) -> None:
    office.host("9", picture(3))
    receipt = office.notice()
    office.removed(receipt)
    status = office.desk.status(receipt.case, receipt.pin, ORIGIN)
    assert "add" not in status.may
    other = office.notice(signature="X", contact=None, locations=["p"])
    office.decided(other)
    office.desk.add(other.case, other.pin, ORIGIN, More.from_json({"locations": ["9"]}))
    assert office.matches(pdq_of(picture(3))) == {"notices": "disputed"}


@pytest.mark.both_databases
def test_looks_are_for_one_reviewer_once_and_counted(office: Office) -> None:
    from egide.errors import CaseNotFound

    receipt = office.notice()
    (copy,) = office.desk.view(ANN, receipt.case).copies
    token = office.desk.look(ANN, receipt.case, copy.copy)
    with pytest.raises(CaseNotFound):
        office.desk.looked(BEN, token)
    assert office.desk.looked(ANN, token).content_url == "https://platform.example/p/1"
    with pytest.raises(CaseNotFound):
        office.desk.looked(ANN, token)
    late = office.desk.look(ANN, receipt.case, copy.copy, veiled=False)
    office.clock += 61
    with pytest.raises(CaseNotFound):
        office.desk.looked(ANN, late)
    assert office.desk.exposure(ANN).last_hour == 1
    assert office.desk.exposure(BEN).last_hour == 0
    for _ in range(20):
        office.desk.looked(ANN, office.desk.look(ANN, receipt.case, copy.copy, veiled=False))
    assert office.desk.exposure(ANN).rest
    other = office.notice(signature="Y", contact=None, locations=["q"])
    with pytest.raises(CaseNotFound):
        office.desk.look(LEAD, other.case, copy.copy)


@pytest.mark.both_databases
def test_what_is_added_during_a_search_is_searched_for_next(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from egide.desk import searching

    office.host("late", picture(3))
    receipt = office.notice(locations=["p"])
    office.later(21 * 60)
    during: list[str] = []

    def slow(means: Means, asked: Search) -> list[Found]:
        """Once, the person adds a place, and what she added cannot be searched for at once."""
        if during:
            raise StorageError("other notices are being searched for")
        before = search(means, asked)
        during.append(receipt.case)
        more = More.from_json({"locations": ["late"]})
        office.desk.add(receipt.case, receipt.pin, ORIGIN, more)
        return before

    with monkeypatch.context() as patched:
        patched.setattr(searching, "search", slow)
        office.desk.search(receipt.case)
    assert set(hows(office, receipt.case)) == {"p"}
    office.desk.tick()
    assert hows(office, receipt.case) == {"p": "located", "late": "located"}
