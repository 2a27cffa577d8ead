"""Letters for download: by number and PIN, by code, and to nobody else."""

from __future__ import annotations

import io
import json

import pytest
from fastapi import FastAPI
from pypdf import PdfReader
from starlette.testclient import TestClient

from egide.desk.asks import Decision
from egide.desk.desk import Desk
from egide.desk.notices import Notice
from egide.desk.views import Receipt
from egide.identity import Role
from egide.web import letter_routes
from tests.unit.desk.office import ANN, PLATFORM, document
from tests.unit.web_identity.conftest import joined, open_browser
from tests.unit.web_public.conftest import Clock

PLACE = "https://lumen.example/p/1"


@pytest.fixture(scope="module", autouse=True)
def application(_opened: tuple[FastAPI, Clock]) -> FastAPI:
    """With the routes of letters beside the pages."""
    made = _opened[0]
    made.include_router(letter_routes.public)
    made.include_router(letter_routes.console)
    return made


@pytest.fixture
def receipt(desk: Desk, clock: Clock) -> Receipt:
    """A notice that is refused."""
    receipt = desk.receive(Notice.from_json(document(jurisdiction="FR")), "192.0.2.7")
    desk.decide(ANN, receipt.case, Decision("refuse", ("not_found",)))
    clock.now += 3600
    desk.tick()
    return receipt


def words(content: bytes) -> str:
    return " ".join(
        " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split()
    )


def test_number_and_pin_open_a_letter(visitor: TestClient, receipt: Receipt) -> None:
    sent = {"case": receipt.case, "pin": receipt.pin, "kind": "refusal", "language": "fr"}
    answer = visitor.post("/case/letter", data=sent)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="letter.pdf"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-language"] == "fr"
    assert "Nous n'avons pas retiré le contenu" in words(answer.content)
    assert receipt.case in words(answer.content)
    english = visitor.post("/case/letter", data=sent | {"language": "en"})
    assert "We have not removed the content" in words(english.content)


def test_a_wrong_number_and_a_wrong_pin_are_told_alike(
    visitor: TestClient, receipt: Receipt
) -> None:
    right = {"case": receipt.case, "pin": receipt.pin, "kind": "receipt"}
    pages = {}
    for changes in ({"pin": "0000000000"}, {"case": "EG-2222-2222"}, {"case": ""}, {"pin": ""}):
        answer = visitor.post("/case/letter", data=right | changes)
        assert answer.headers["content-type"].startswith("text/html")
        pages[json.dumps(changes)] = (answer.status_code, answer.text)
    assert len(set(pages.values())) == 1
    assert {status for status, _ in pages.values()} == {404}


@pytest.mark.parametrize("kind", ["decision", "statement", "nonsense", "", "../receipt"])
def test_a_letter_that_is_not_there_is_a_page(
    visitor: TestClient, receipt: Receipt, kind: str
) -> None:
    sent = {"case": receipt.case, "pin": receipt.pin, "kind": kind}
    answer = visitor.post("/case/letter", data=sent)

    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"].startswith("text/html")


def test_nothing_is_opened_by_an_address(visitor: TestClient, receipt: Receipt) -> None:
    query = f"case={receipt.case}&pin={receipt.pin}&kind=receipt"

    assert visitor.get(f"/case/letter?{query}").status_code == 405
    assert visitor.post(f"/case/letter?{query}").status_code == 404


def test_another_site_cannot_ask(visitor: TestClient, receipt: Receipt) -> None:
    sent = {"case": receipt.case, "pin": receipt.pin, "kind": "receipt"}
    headers = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}

    assert visitor.post("/case/letter", data=sent, headers=headers).status_code == 403


@pytest.fixture
def code(desk: Desk, clock: Clock) -> str:
    """What the uploader of a removed copy was sent."""
    document_ = document(locations=[PLACE], signature=f"Somebody {clock.now}")
    receipt = desk.receive(Notice.from_json(document_), "192.0.2.9")
    desk.decide(ANN, receipt.case, Decision("remove", ("intimate_without_consent",)))
    clock.now += 3600
    desk.tick()
    (copy,) = desk.view(ANN, receipt.case).copies
    desk.acknowledge(PLATFORM, copy.copy, "removed")
    rows = desk.book.database.fetch("SELECT body FROM message WHERE type = 'content.remove'")
    told = [json.loads(row["body"])["data"] for row in rows]
    about = next(each for each in told if each["copy"] == copy.copy)
    return str(about["appeal_url"]).partition("#")[2]


def test_a_code_opens_the_statement_of_reasons(visitor: TestClient, code: str) -> None:
    answer = visitor.post("/appeal/letter", data={"code": code, "kind": "statement"})

    assert answer.status_code == 200
    said = words(answer.content)
    assert "Your content was removed" in said
    assert PLACE in said
    assert "Somebody" not in said.replace("Somebody who did not", "")
    assert "EG-" not in said


def test_a_wrong_code_and_an_objection_that_is_not_decided_are_pages(
    visitor: TestClient, code: str
) -> None:
    wrong = visitor.post("/appeal/letter", data={"code": f"{code}x", "kind": "statement"})
    early = visitor.post("/appeal/letter", data={"code": code, "kind": "objection"})

    assert wrong.status_code == 404
    assert 400 <= early.status_code < 500
    assert b"%PDF" not in wrong.content + early.content


def test_reviewers_see_letters_and_nobody_else_does(
    application: FastAPI, desk: Desk, receipt: Receipt, visitor: TestClient
) -> None:
    path = f"/desk/cases/{receipt.case}/letters/refusal"
    (copy,) = desk.view(ANN, receipt.case).copies
    assert visitor.get(path).status_code == 303
    reviewer = open_browser(application)
    joined(application.state.identity, reviewer, "rea", Role.MODERATOR)
    answer = reviewer.get(f"{path}?language=en")

    assert answer.status_code == 200
    assert "We have not removed the content" in words(answer.content)
    assert reviewer.get(f"/desk/cases/{receipt.case}/letters/nonsense").status_code == 422
    assert reviewer.get("/desk/cases/EG-2222-2222/letters/refusal").status_code == 404
    statement = f"/desk/cases/{receipt.case}/copies/{copy.copy}/statement"
    assert reviewer.get(statement).status_code == 404
