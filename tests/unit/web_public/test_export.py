"""All that is held about a person, for download: by number and PIN, and to nobody else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from egide.desk.desk import Desk
from egide.desk.erasing import erase
from egide.desk.notices import Notice
from egide.desk.views import Receipt
from tests.unit.desk.office import ANN, document
from tests.unit.web_public.conftest import Clock
from tests.unit.web_public.test_notice import SCRIPT, heading

WORDS = "It shows me, and I did not agree."


@pytest.fixture
def receipt(desk: Desk, clock: Clock) -> Receipt:
    """A notice about nothing that another is about, of which somebody opened who sent it."""
    said = document(jurisdiction="FR", locations=[f"post-{clock.now:.0f}"], statement=WORDS)
    receipt = desk.receive(Notice.from_json(said), "192.0.2.7")
    desk.reveal(ANN, receipt.case)
    return receipt


def sent(receipt: Receipt, **changes: Any) -> dict[str, Any]:
    """The form that the status page has for it."""
    return {"case": receipt.case, "pin": receipt.pin, "kind": "text", "language": "en", **changes}


def test_the_status_page_has_a_form_for_it_that_needs_no_script(
    visitor: TestClient, receipt: Receipt
) -> None:
    form = {"case": receipt.case, "pin": receipt.pin, "go": "look"}
    page = visitor.post("/case", data=form).text
    section = page.partition("All that we hold about you")[2]

    assert '<form method="post" action="/case/export">' in section
    assert "data-in-place" not in section
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', section))
    assert set(hidden) == {"case", "pin", "language"}
    answer = visitor.post("/case/export", data={**hidden, "kind": "text"})
    assert WORDS in answer.text
    french = visitor.post("/case", data={**form, "go": "language:fr", "page": "status"}).text
    assert "Tout ce que nous avons sur vous" in french


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Somebody at the desk opened what identifies you."), ("fr", "Ce que vous avez dit :")],
)
def test_it_is_text_in_the_language_of_the_page(
    visitor: TestClient, receipt: Receipt, language: str, said: str
) -> None:
    answer = visitor.post("/case/export", data=sent(receipt, language=language))

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="letter.txt"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-language"] == language
    assert said in answer.text
    assert WORDS in answer.text
    assert "ann" not in answer.text.split()


def test_for_programs_it_is_what_the_interface_gives(
    visitor: TestClient, desk: Desk, receipt: Receipt
) -> None:
    answer = visitor.post("/case/export", data=sent(receipt, kind="data"))

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="letter.json"'
    held = json.loads(answer.content)
    assert held["schema"] == "egide.export/1"
    assert held["log"]
    by_key = desk.export(receipt.case, receipt.pin, "192.0.2.7")
    assert {**held, "log": None} == {**by_key, "log": None}


def test_a_wrong_number_and_a_wrong_pin_are_told_alike(
    visitor: TestClient, receipt: Receipt
) -> None:
    other = "EG-2222-2222"
    wrong_pin = visitor.post("/case/export", data=sent(receipt, pin="0000000000"))
    wrong_case = visitor.post("/case/export", data=sent(receipt, case=other))
    nothing = visitor.post("/case/export")

    assert [each.status_code for each in (wrong_pin, wrong_case, nothing)] == [404] * 3
    assert wrong_pin.text.replace(receipt.case, other) == wrong_case.text
    assert "We have no request with this number and this PIN" in wrong_case.text
    assert heading(wrong_pin) == "Look at your request"
    for answer in (wrong_pin, wrong_case, nothing):
        assert answer.headers["content-type"].startswith("text/html")
        assert "content-disposition" not in answer.headers
    assert 'href="/case?language=fr"' in wrong_pin.text


def test_tries_are_counted_with_those_on_every_other_page(
    visitor: TestClient, receipt: Receipt
) -> None:
    for number in range(12):
        path = ("/case", "/case/export")[number % 2]
        answer = visitor.post(path, data=sent(receipt, pin="0000000000"))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert visitor.post("/case/export", data=sent(receipt)).status_code == 429


def test_nothing_is_opened_by_an_address_or_by_another_site(
    visitor: TestClient, receipt: Receipt
) -> None:
    query = f"case={receipt.case}&pin={receipt.pin}&kind=text"
    assert visitor.get(f"/case/export?{query}").status_code == 405
    assert visitor.post(f"/case/export?{query}").status_code == 404
    headers = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert visitor.post("/case/export", data=sent(receipt), headers=headers).status_code == 403


def test_what_is_typed_becomes_no_markup(visitor: TestClient, receipt: Receipt) -> None:
    for changes in ({"case": SCRIPT}, {"pin": SCRIPT}, {"language": SCRIPT}, {"kind": SCRIPT}):
        answer = visitor.post("/case/export", data=sent(receipt, **changes))
        assert "<script>alert" not in answer.text


def test_what_was_erased_is_told_as_erased(
    visitor: TestClient, desk: Desk, receipt: Receipt
) -> None:
    desk.withdraw(receipt.case, receipt.pin, "192.0.2.7")
    erase(desk.book, receipt.case, "console", "asked for")
    answer = visitor.post("/case/export", data=sent(receipt))
    assert answer.status_code == 200
    assert "What you gave us was erased." in answer.text
    assert WORDS not in answer.text
