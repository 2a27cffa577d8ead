"""The status page and what can be done on it; the uploader's appeal."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from egide.desk.asks import Decision
from egide.desk.desk import Desk
from egide.desk.events import TOLD_TO_THE_PERSON
from egide.desk.fold import CaseState
from egide.desk.notices import Notice
from egide.desk.views import Receipt
from egide.identity import Principal, Role
from egide.identity.scopes import ROLE_SCOPES, Actor
from egide.web.public_case import STATES, TOLD, UPLOADER_STATES
from tests.public_pages import COMPLETE
from tests.unit.desk.office import PLATFORM
from tests.unit.web_public.conftest import Clock
from tests.unit.web_public.test_notice import SCRIPT, fields, heading

UNKNOWN = "We have no request with this number and this PIN"
REVIEWER = Principal(Actor.ACCOUNT, "aa", "Rae", ROLE_SCOPES[Role.LEAD], Role.LEAD)
DOCUMENT: dict[str, Any] = {
    "jurisdiction": "US",
    "statement": COMPLETE["statement"],
    "good_faith": True,
    "signature": "Ada",
    "locations": ["https://lumen.example/p/1", "post-4711"],
}


@pytest.fixture
def receipt(desk: Desk, clock: Clock) -> Receipt:
    """Of a notice that is about nothing that another is about."""
    places = [f"https://lumen.example/p/{clock.now:.0f}", f"post-{clock.now:.0f}"]
    return desk.receive(Notice.from_json(DOCUMENT | {"locations": places}), "192.0.2.1")


def look(visitor: TestClient, receipt: Receipt, go: str = "look", **typed: Any) -> Response:
    data = {"case": receipt.case, "pin": receipt.pin, "go": go, **typed}
    return visitor.post("/case", data=data)


def decided(desk: Desk, clock: Clock, case: str, outcome: str, reason: str) -> None:
    desk.claim(REVIEWER, case)
    desk.decide(REVIEWER, case, Decision(outcome, (reason,)))
    clock.now += desk.settings.undo_seconds + 1
    desk.tick()


def test_a_person_sees_how_the_request_stands(visitor: TestClient, receipt: Receipt) -> None:
    page = look(visitor, receipt)

    assert page.status_code == 200
    assert heading(page) == "We are looking at your request"
    assert "in 48 hours" in page.text
    assert "We received your request." in page.text
    assert receipt.case in page.text
    assert DOCUMENT["statement"] not in page.text
    assert "Ada" not in page.text


def test_places_that_were_named_are_told_as_such_until_a_copy_is_known(
    visitor: TestClient, desk: Desk, clock: Clock, receipt: Receipt
) -> None:
    page = look(visitor, receipt).text
    assert "<dt>Copies found</dt><dd>0</dd>" in page
    assert "<dt>Places you named where we have seen no copy</dt><dd>2</dd>" in page
    assert "We noted where you say that it is. (2 places that you named)" in page
    assert "Copies were found." not in page

    decided(desk, clock, receipt.case, "remove", "intimate_without_consent")
    for copy in desk.view(REVIEWER, receipt.case).copies:
        desk.acknowledge(PLATFORM, copy.copy, "removed")
    page = look(visitor, receipt).text
    assert "<dt>Copies found</dt><dd>2</dd>" in page
    assert "Places you named" not in page
    assert "Copies were found. (2 copies)" in page


def test_number_and_pin_are_taken_as_people_type_them(
    visitor: TestClient, receipt: Receipt
) -> None:
    typed = f" {receipt.case.lower().replace('-', ' ')} "
    pin = " ".join(receipt.pin)
    page = visitor.post("/case", data={"case": typed, "pin": pin, "go": "look"})
    assert receipt.case in page.text


def test_a_wrong_number_and_a_wrong_pin_look_alike(visitor: TestClient, receipt: Receipt) -> None:
    other = "EG-2222-2222"
    wrong_pin = visitor.post("/case", data={"case": receipt.case, "pin": "0000000000"})
    wrong_case = visitor.post("/case", data={"case": other, "pin": receipt.pin})

    assert (wrong_pin.status_code, wrong_case.status_code) == (404, 404)
    assert UNKNOWN in wrong_pin.text
    assert wrong_pin.text.replace(receipt.case, other) == wrong_case.text


def test_guessing_ends_with_a_kind_word(visitor: TestClient, receipt: Receipt) -> None:
    for _ in range(12):
        page = visitor.post("/case", data={"case": receipt.case, "pin": "0000000000"})
    assert page.status_code == 429
    assert "That was tried too often. Please wait a little:" in page.text
    assert int(page.headers["retry-after"]) > 0


def test_nothing_of_a_case_is_in_an_address(visitor: TestClient, receipt: Receipt) -> None:
    page = visitor.get("/case", params={"case": receipt.case, "pin": receipt.pin, "go": "look"})
    assert heading(page) == "Look at your request"
    assert receipt.case not in page.text


def test_something_is_added(visitor: TestClient, desk: Desk, receipt: Receipt) -> None:
    form = look(visitor, receipt, "add")
    assert heading(form) == "Add something to your request"
    done = visitor.post(
        "/case",
        data={**fields(form), "go": "add.send", "words": "One more.", "locations": "post-4712"},
    )
    assert "Thank you. We have what you added." in done.text
    (words,) = desk.view(REVIEWER, receipt.case).words
    assert words == "One more."


def test_what_is_missing_can_be_given(visitor: TestClient, desk: Desk, clock: Clock) -> None:
    made = desk.receive(
        Notice.from_json({"jurisdiction": "FR", "locations": ["post-1"]}), "192.0.2.1"
    )
    page = look(visitor, made)
    assert heading(page) == "We need something more from you"
    assert "The clock stands until" in page.text
    form = look(visitor, made, "add")
    assert 'name="declared" value="good_faith"' in form.text
    done = visitor.post(
        "/case",
        data={
            **fields(form),
            "go": "add.send",
            "statement": "It is me.",
            "declared": "good_faith",
        },
    )
    assert heading(done) == "We are looking at your request"
    assert clock.now > 0


def test_an_empty_or_overlong_addition_is_asked_for_again(
    visitor: TestClient, receipt: Receipt
) -> None:
    empty = look(visitor, receipt, "add.send", words="  ")
    assert (empty.status_code, "Write what you want to say." in empty.text) == (422, True)
    long = look(visitor, receipt, "add.send", words="x" * 5001)
    assert (long.status_code, fields(long)["words"]) == (422, ["x" * 5001])
    wrong = look(visitor, receipt, "add.send", words="a", locations="http://")
    assert (wrong.status_code, 'href="#locations"' in wrong.text) == (422, True)


def test_withdrawing_asks_once_more(visitor: TestClient, desk: Desk, receipt: Receipt) -> None:
    asked = look(visitor, receipt, "withdraw")
    assert heading(asked) == "Do you want to take your request back?"
    assert desk.status(receipt.case, receipt.pin, "here").state == "open"

    done = visitor.post("/case", data={**fields(asked), "go": "withdraw.send"})
    assert heading(done) == "You took your request back"
    assert desk.status(receipt.case, receipt.pin, "here").state == "withdrawn"
    # Sent twice, it is done once, and told the same.
    assert heading(look(visitor, receipt, "withdraw.send")) == "You took your request back"


def test_a_refusal_is_told_with_its_reason_and_can_be_appealed(
    visitor: TestClient, desk: Desk, clock: Clock, receipt: Receipt
) -> None:
    decided(desk, clock, receipt.case, "refuse", "not_found")
    page = look(visitor, receipt)
    assert heading(page) == "We decided not to remove the picture"
    assert "We could not find the content" in page.text

    form = look(visitor, receipt, "appeal")
    assert heading(form) == "Why do you disagree?"
    assert look(visitor, receipt, "appeal.send").status_code == 422
    done = visitor.post("/case", data={**fields(form), "go": "appeal.send", "words": "It is."})
    assert heading(done) == "Someone else is looking at the decision again"


def test_a_clock_that_ran_out_is_owned_up_to(
    visitor: TestClient, clock: Clock, receipt: Receipt
) -> None:
    clock.now += 49 * 3600
    assert "We are late, and we are sorry." in look(visitor, receipt).text


def test_the_language_changes_on_each_page_of_a_case(visitor: TestClient, receipt: Receipt) -> None:
    for go in ("look", "add", "withdraw"):
        english = look(visitor, receipt, go)
        french = visitor.post(
            "/case", data={**fields(english), "go": "language:fr", "words": "à moitié"}
        )
        assert '<html lang="fr">' in french.text
        assert fields(french)["page"] == fields(english)["page"]
        if go == "add":
            assert fields(french)["words"] == ["à moitié"]


@pytest.mark.parametrize("field", ["case", "pin", "page", "words", "statement", "email", "code"])
def test_no_script_that_is_typed_is_one_on_a_page(
    visitor: TestClient, receipt: Receipt, field: str
) -> None:
    for go in ("look", "add", "add.send", "appeal.send", "nonsense"):
        page = look(visitor, receipt, go, **{field: SCRIPT})
        assert page.status_code in (200, 404, 422)
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
    assert "<script>alert" not in visitor.post("/appeal", data={"code": SCRIPT}).text


def test_every_state_and_every_event_that_is_told_has_words() -> None:
    assert set(STATES) == set(CaseState)
    assert set(TOLD) == set(TOLD_TO_THE_PERSON)


def codes(desk: Desk, case: str) -> list[str]:
    """The codes in the messages that told the platform to remove the copies of a case."""
    rows = desk.book.database.fetch("SELECT body FROM message WHERE type = 'content.remove'")
    told = [json.loads(row["body"])["data"] for row in rows]
    addresses = [each["appeal_url"] for each in told if each["case"] == case]
    assert all(re.fullmatch(r"http://[^?]+/appeal#[\w-]+", address) for address in addresses)
    return [address.partition("#")[2] for address in addresses]


def test_an_uploader_sees_why_and_appeals_once(
    visitor: TestClient, desk: Desk, clock: Clock, receipt: Receipt
) -> None:
    decided(desk, clock, receipt.case, "remove", "intimate_without_consent")
    code, *_ = codes(desk, receipt.case)
    page = visitor.post("/appeal", data={"code": code, "go": "look"})
    assert heading(page) == "Your post was removed"
    assert "intimate picture of a person who did not agree" in page.text
    assert receipt.case not in page.text
    assert DOCUMENT["statement"] not in page.text

    empty = visitor.post("/appeal", data={**fields(page), "go": "send", "words": " "})
    assert (empty.status_code, 'href="#words"' in empty.text) == (422, True)
    french = visitor.post("/appeal", data={**fields(page), "go": "language:fr", "words": "à moi"})
    assert heading(french) == "Votre publication a été retirée"
    assert fields(french)["words"] == ["à moi"]
    visitor.cookies.clear()
    done = visitor.post("/appeal", data={**fields(page), "go": "send", "words": SCRIPT})
    assert heading(done) == "We are looking at your appeal"
    assert "<script>alert" not in done.text
    again = visitor.post("/appeal", data={"code": code, "go": "send", "words": "Again."})
    assert (again.status_code, heading(again)) == (200, "We are looking at your appeal")
    (appeal,) = desk.view(REVIEWER, receipt.case).appeals
    assert appeal.words == SCRIPT


def test_an_unknown_code_is_told_kindly(visitor: TestClient) -> None:
    page = visitor.post("/appeal", data={"code": "nothing", "go": "look"})
    assert page.status_code == 404
    assert "We do not know this code." in page.text
    assert heading(visitor.get("/appeal")) == "Your post was removed, and you disagree"
    assert set(UPLOADER_STATES) == {"removed", "appealed", "upheld", "restored"}
