"""The notice page as browsers without scripts see it: every question, every wrong answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from httpx2 import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from egide.desk.desk import Desk
from egide.desk.means import SENDING
from egide.desk.notices import MOST_FINGERPRINTS, Notice
from egide.errors import StorageError
from egide.language import moment
from egide.web.public_form import MOST_BODY, QUESTIONS, Draft, Form
from egide.web.public_pages import exit_address
from tests.public_pages import COMPLETE
from tests.unit.web_public.conftest import Clock

PRINT = "0123456789abcdef" * 4
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
FREE = ("locations", "statement", "name", "email", "phone", "safe_times", "organisation",
        "signature", "fingerprints", "age", "role", "jurisdiction", "declared", "step", "to", "go",
        "language")  # fmt: skip


class Fields(HTMLParser):
    """The fields of the page's main form, as a browser would send them back."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._area = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, kind = given.get("name"), given.get("type")
        if tag == "textarea" and name:
            self._area = name
            self.values[name] = [""]
        if tag != "input" or not name:
            return
        if kind in ("radio", "checkbox") and "checked" not in given:
            return
        self.values.setdefault(name, []).append(given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area][0] += data


def fields(page: Response) -> dict[str, list[str]]:
    return Fields(page.text).values


def step_of(page: Response) -> str:
    return fields(page).get("step", ["sent"])[0]


def heading(page: Response) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    assert found is not None
    return unescape(re.sub("<[^>]*>", "", found[1])).strip()


def send(visitor: TestClient, page: Response | None = None, **typed: Any) -> Response:
    """Sends the form of `page` with what was typed, as the button that goes on."""
    data: dict[str, Any] = {} if page is None else dict(fields(page))
    return visitor.post("/notice", data={"go": "next", **data, **typed})


def walked(visitor: TestClient, **changed: Any) -> Response:
    """The summary, after every question was answered on its own page."""
    typed = COMPLETE | {"email": "", "fingerprints": ""} | changed
    page = send(visitor, step="start")
    for step, asked in QUESTIONS.items():
        assert step_of(page) == step, page.text
        page = send(visitor, page, **{name: typed[name] for name in asked if name in typed})
    return page


def received(desk: Desk, page: Response) -> tuple[str, str]:
    """Number and PIN of the page that tells them."""
    number = re.search(r"EG-[A-Z0-9]{4}-[A-Z0-9]{4}", page.text)
    pin = re.search(r"\d{4} \d{3} \d{3}", page.text)
    assert number is not None, page.text
    assert pin is not None, page.text
    assert desk.status(number[0], pin[0], "here").case == number[0]
    return number[0], pin[0]


def test_from_the_first_page_to_a_case_number_without_scripts(
    visitor: TestClient, desk: Desk
) -> None:
    start = visitor.get("/notice")
    assert start.status_code == 200
    assert 'name="step" value="start"' in start.text

    page = walked(visitor)
    assert step_of(page) == "check"
    sent = send(visitor, page, go="send")

    assert sent.status_code == 200
    number, pin = received(desk, sent)
    status = desk.status(number, pin, "here")
    assert (status.state, status.jurisdiction, status.language) == ("open", "US", "en")
    assert status.missing == ()


def test_what_was_typed_is_what_the_desk_gets(
    visitor: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[Notice] = []
    receive = desk.receive

    def seen(notice: Notice, origin: str) -> Any:
        got.append(notice)
        return receive(notice, origin)

    monkeypatch.setattr(desk, "receive", seen)
    page = walked(
        visitor,
        role="agent",
        jurisdiction="UK",
        declared=["intimate", "subject", "good_faith"],
        locations=" https://lumen.example/p/1 \r\n\r\nlumen.example/p/2\npost 4711",
        fingerprints=f"{PRINT},{PRINT[::-1]};{PRINT}",
        name="Ada",
        email="ada@example.org",
        safe_times="weekdays\u2028",
        organisation="A helpline",
        signature="Ada L.",
    )
    assert send(visitor, page, go="send").status_code == 200

    (notice,) = got
    assert notice.sender == "agent"
    assert notice.jurisdiction == "UK"
    assert [each.to_json() for each in notice.locations] == [
        {"url": "https://lumen.example/p/1"},
        {"url": "https://lumen.example/p/2"},
        {"content_id": "post 4711"},
    ]
    assert [each.value.hex() for each in notice.fingerprints] == [PRINT, PRINT[::-1]]
    assert notice.contact == {
        "name": "Ada",
        "email": "ada@example.org",
        "safe_times": "weekdays",
        "organisation": "A helpline",
    }
    assert (notice.good_faith, notice.signature) == (True, "Ada L.")


@pytest.mark.parametrize(
    ("step", "typed", "field"),
    [
        ("age", {}, "age"),
        ("who", {}, "role"),
        ("law", {"jurisdiction": "XX"}, "jurisdiction"),
        ("where", {"locations": "x" * 201}, "locations"),
        ("where", {"locations": "http://"}, "locations"),
        ("where", {"locations": "\n".join(f"post-{n}" for n in range(101))}, "locations"),
        ("where", {"locations": "https://name:word@lumen.example/"}, "locations"),
        ("picture", {}, "picture"),
        ("picture", {"locations": "post-1", "fingerprints": "12,;"}, "picture"),
        (
            "picture",
            {"fingerprints": ",".join([PRINT] * (MOST_FINGERPRINTS + 1))},
            "picture",
        ),
        ("words", {}, "statement"),
        ("words", {"statement": "x" * 10_001}, "statement"),
        ("contact", {"email": "no address"}, "email"),
        ("contact", {"name": "two\nlines"}, "name"),
        ("sign", {"jurisdiction": "US", "signature": "Ada"}, "declared"),
        ("sign", {"jurisdiction": "US", "declared": ["subject", "not_consensual"]}, "signature"),
        ("sign", {"jurisdiction": "US", "signature": "x" * 201}, "signature"),
    ],
)
def test_a_wrong_answer_is_told_where_it_stands_and_kept(
    visitor: TestClient, step: str, typed: dict[str, Any], field: str
) -> None:
    page = send(visitor, step=step, **typed)

    assert page.status_code == 422
    assert step_of(page) == step
    assert f'href="#{field}"' in page.text
    assert f'id="{field}"' in page.text
    for name, value in typed.items():
        if isinstance(value, str) and name not in ("jurisdiction",):
            kept = [each.strip() for each in fields(page).get(name, [])]
            assert value.strip() in kept or name == "fingerprints", name


@pytest.mark.parametrize("age", ["minor", "unsure"])
def test_minors_are_led_to_their_services_and_nothing_is_received(
    visitor: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch, age: str
) -> None:
    monkeypatch.setattr(desk, "receive", lambda *_: pytest.fail("it was received"))
    page = send(visitor, step="age", age=age)

    assert step_of(page) == "minors"
    for service in ("NCMEC Take It Down", "3018", "119"):
        assert service in page.text
    assert ">Continue</button>\n</div>" not in page.text
    # Whoever sends it all the same is asked for the age again.
    assert step_of(send(visitor, page, **(COMPLETE | {"age": age}), go="send")) == "age"


def test_nothing_is_skipped_on_the_way_to_the_end(visitor: TestClient) -> None:
    assert step_of(send(visitor, step="check", go="send", **COMPLETE | {"role": ""})) == "who"
    assert step_of(send(visitor, step="age", go="open:check", **COMPLETE)) == "check"
    assert step_of(send(visitor, step="age", go="open:check", age="adult")) == "who"
    assert step_of(send(visitor, step="nonsense", go="open:nonsense")) == "age"


def test_an_answer_changed_from_the_summary_leads_back_to_it(visitor: TestClient) -> None:
    summary = walked(visitor)
    asked = send(visitor, summary, go="open:words")
    assert step_of(asked) == "words"
    again = send(visitor, asked, statement="Other words.")
    assert step_of(again) == "check"
    assert "Other words." in again.text
    assert step_of(send(visitor, asked, go="back")) == "check"
    # Another place has other declarations: they are asked for before the summary is shown.
    moved = send(visitor, send(visitor, again, go="open:law"), jurisdiction="UK")
    assert step_of(moved) == "sign"


def test_going_back_keeps_what_was_typed(visitor: TestClient) -> None:
    page = send(visitor, step="words", go="back", statement="half a sen", age="adult")
    assert step_of(page) == "picture"
    assert fields(page)["statement"] == ["half a sen"]
    assert heading(send(visitor, step="age", go="back")).startswith("Get an intimate")


def test_the_language_changes_on_every_page_and_keeps_what_was_typed(visitor: TestClient) -> None:
    for step in (*QUESTIONS, "check", "minors"):
        english = send(visitor, step=step, go=f"open:{step}", **COMPLETE)
        switched = send(visitor, english, go="language:fr", statement="à moitié")
        assert '<html lang="fr">' in switched.text
        assert step_of(switched) == step_of(english)
        assert fields(switched)["language"] == ["fr"]
        assert fields(switched)["statement"] == ["à moitié"]
        assert "language=fr" in switched.headers["set-cookie"]
        assert switched.headers["content-language"] == "fr"
        visitor.cookies.clear()


def test_the_only_cookie_holds_the_language_that_was_chosen(visitor: TestClient) -> None:
    assert "set-cookie" not in visitor.get("/notice").headers
    assert "set-cookie" not in walked(visitor).headers
    assert "set-cookie" not in visitor.get("/notice?language=xx").headers
    cookie = visitor.get("/notice?language=fr").headers["set-cookie"]
    assert cookie == "language=fr; HttpOnly; Path=/; SameSite=lax; Secure"
    assert '<html lang="fr">' in visitor.get("/case").text


@pytest.mark.parametrize("language", ["fr\r\nSet-Cookie: a=b", "<script>", "../fr", "fr;q=1", "FR"])
def test_a_language_that_is_none_changes_nothing(visitor: TestClient, language: str) -> None:
    asked = visitor.get("/notice", params={"language": language})
    assert '<html lang="en">' in asked.text
    assert "set-cookie" not in asked.headers
    posted = send(visitor, step="start", language=language, go=f"language:{language}")
    assert '<html lang="en">' in posted.text
    hostile = visitor.get("/notice", headers={"Accept-Language": language, "Cookie": "language=x"})
    assert hostile.status_code == 200


@pytest.mark.parametrize("field", FREE)
def test_no_script_that_is_typed_is_one_on_a_page(visitor: TestClient, field: str) -> None:
    for step in ("check", *QUESTIONS):
        for go in ("next", f"open:{step}", "language:fr"):
            data = COMPLETE | {"step": step, "go": go, field: SCRIPT}
            page = visitor.post("/notice", data=data)
            assert page.status_code in (200, 422)
            assert "<script>alert" not in page.text
            assert "<img" not in page.text
            assert ">49<" not in page.text


def test_a_form_with_far_too_much_in_it_is_refused_kindly(visitor: TestClient) -> None:
    page = visitor.post("/notice", content=b"a=" + b"x" * (MOST_BODY + 1))
    assert page.status_code == 413
    assert "too long" in page.text
    assert '<html lang="en">' in page.text
    crowded = visitor.post("/notice", content=b"&".join([b"a=b"] * 200))
    assert crowded.status_code == 422
    assert "go back" in crowded.text


def test_too_many_notices_are_told_to_wait_and_lose_nothing(visitor: TestClient) -> None:
    page = walked(visitor)
    for _ in range(SENDING.burst):
        assert send(visitor, page, go="send").status_code == 200
    refused = send(visitor, page, go="send")
    assert refused.status_code == 429
    assert step_of(refused) == "check"
    assert "too often" in refused.text
    assert fields(refused)["statement"] == [COMPLETE["statement"]]


def test_a_database_that_is_away_loses_nothing(
    visitor: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StorageError("/var/lib/banks.db: disk I/O error")

    monkeypatch.setattr(desk, "receive", away)
    page = send(visitor, walked(visitor), go="send")
    assert page.status_code == 503
    assert step_of(page) == "check"
    assert "try again in a few minutes" in page.text
    assert "banks.db" not in page.text
    assert fields(page)["signature"] == ["Ada"]


def test_a_form_sent_by_another_site_is_refused(visitor: TestClient) -> None:
    for headers in (
        {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://egide.example", "Sec-Fetch-Site": "same-site"},
    ):
        assert visitor.post("/notice", data=COMPLETE, headers=headers).status_code == 403


def test_no_address_of_a_page_and_no_title_tells_anything(visitor: TestClient) -> None:
    pages = [visitor.get("/notice"), walked(visitor), visitor.get("/case"), visitor.get("/help")]
    for page in pages:
        assert "?" not in str(page.url)
        title = re.search("<title>(.*?)</title>", page.text)
        assert title is not None
        assert title[1] == "Form · Lumen"
        assert page.headers["cache-control"] == "no-store"


def test_a_missing_element_that_the_law_does_not_need_is_no_hindrance(
    visitor: TestClient, desk: Desk
) -> None:
    page = walked(
        visitor, jurisdiction="FR", declared=["good_faith"], signature="", locations="post-1"
    )
    assert "nothing given" in page.text
    received(desk, send(visitor, page, go="send", language="fr"))


def test_somewhere_else_is_under_the_platforms_own_law(visitor: TestClient, desk: Desk) -> None:
    page = walked(visitor, jurisdiction="other", declared=["good_faith"])
    number, pin = received(desk, send(visitor, page, go="send"))
    assert desk.status(number, pin, "here").jurisdiction == "EU"


def test_the_receipt_says_when_the_clock_ends(visitor: TestClient, clock: Clock) -> None:
    page = send(visitor, walked(visitor), go="send")
    assert moment(datetime.fromtimestamp(clock.now + 48 * 3600, UTC), "en") in page.text


@given(st.dictionaries(st.sampled_from(FREE), st.text(max_size=60), max_size=8))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_is_sent_there_is_a_page(visitor: TestClient, data: dict[str, str]) -> None:
    data.pop("go", None) if data.get("go") == "send" else None
    page = visitor.post("/notice", data=data)
    assert page.status_code in (200, 422)
    assert page.headers["content-type"] == "text/html; charset=utf-8"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form(body: bytes) -> None:
    draft = Draft.of(Form(body))
    assert all(value.isprintable() or "\n" in value or "\t" in value or not value.isascii()
               for _, value in draft.carried("check"))  # fmt: skip


def test_leaving_leads_away_and_has_the_browser_forget(visitor: TestClient) -> None:
    away = visitor.get("/leave")
    assert away.status_code == 303
    assert away.headers["location"] == "https://www.bbc.co.uk/weather"
    assert away.headers["clear-site-data"] == '"cache"'
    assert away.headers["referrer-policy"] == "no-referrer"
    french = visitor.get("/leave", headers={"Accept-Language": "fr"})
    assert french.headers["location"] == "https://meteofrance.com/"


def test_where_leaving_leads_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGIDE_DESK_EXIT", "https://example.org/recipes")
    assert exit_address("fr") == "https://example.org/recipes"
    for wrong in ("javascript:alert(1)", "//elsewhere", "https://a b", "https://a\r\nX: y"):
        monkeypatch.setenv("EGIDE_DESK_EXIT", wrong)
        with pytest.raises(Exception, match="EGIDE_DESK_EXIT"):
            exit_address("en")
