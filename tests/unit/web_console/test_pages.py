"""The console's pages: what they show, what they hold back, and who is kept out."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from egide.desk.asks import Decision
from egide.desk.copies import IDENTICAL, SIMILAR, Found, add_copies
from egide.desk.events import EventKind
from egide.desk.notices import Location, Order, Sender
from egide.errors import CaseNotFound
from egide.finding import Finding
from egide.identity import Principal
from egide.label import Label
from egide.sniff import Kind
from egide.verdict import Action, Verdict
from egide.web.console_case import SHOWN
from tests.console import SCRIPT, STATEMENT, Office
from tests.unit.web_console.conftest import Sits

ORDER = Order("A court", "17/26")
REASON = "intimate_without_consent"


class Inline(HTMLParser):
    """Finds what a strict policy forbids: scripts and styles within the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(tag)
        self.found += [name for name in given if name == "style" or name.startswith("on")]
        self.found += [value for value in given.values() if value and "javascript:" in value]


def inline(text: str) -> list[str]:
    """What is within a page and must not be."""
    parser = Inline()
    parser.feed(text)
    return parser.found


def page(browser: TestClient, path: str) -> str:
    """The page at `path`, which is there."""
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def post(browser: TestClient, path: str, **fields: Sequence[str]) -> int:
    """The status of the answer to a form."""
    return browser.post(path, data=fields).status_code


def kinds(desk: Office, case: str) -> list[EventKind]:
    """What happened to a case."""
    return [each.kind for each in desk.desk.book.events(case)]


def copies(desk: Office, browser: TestClient, case: str) -> list[str]:
    """The ids of a case's copies, the largest picture first."""
    found = desk.desk.view(viewer(desk, browser), case).copies
    return [each.copy for each in sorted(found, key=lambda each: each.content_id or "")]


def viewer(desk: Office, browser: TestClient) -> Principal:
    """Who sits before this browser."""
    token = browser.cookies["__Host-egide"]
    return desk.service.identity.sessions.resume(token).principal


# ── the queue ───────────────────────────────────────────────────────────────────────────────────


def test_the_queue_says_how_much_time_is_left(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="The Queue").case
    text = page(sits(), "/desk")

    row = text.partition(f"/desk/cases/{case}")[0].rpartition("<tr")[2]
    assert re.search(
        r'data-clock="calm"><time datetime="[^"]+" data-due="\d+">1\xa0d 23\xa0h left', row
    )


def test_a_number_leads_to_its_case_however_it_is_typed(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="A Number").case
    browser = sits()

    for typed in (case, case.lower(), case.replace("-", " ")):
        answer = browser.get("/desk", params={"text": typed})
        assert answer.headers["location"] == f"/desk/cases/{case}"


def test_a_content_is_found_by_its_id(desk: Office, sits: Sits) -> None:
    case = desk.noticed("other.jpg", signature="By Content").case

    text = page(sits(), "/desk?text=other.jpg&show=waiting")
    assert case in text
    assert case not in page(sits(), "/desk?text=nothing.jpg")


@pytest.mark.parametrize(
    "query", ["show=<u>", "state=nothing", "kind=x&jurisdiction=ZZ", "text=%27"]
)
def test_words_that_mean_nothing_are_passed_over(sits: Sits, query: str) -> None:
    assert "<u>" not in page(sits(), f"/desk?{query}")


def test_a_made_up_place_in_the_list_is_an_error_and_no_fault(sits: Sits) -> None:
    assert sits().get("/desk?after=x'--").status_code == 422


def test_pages_of_the_list_follow_one_another(
    desk: Office, sits: Sits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("egide.web.console_queue.ROWS", 2)
    made = {desk.noticed(signature=f"Page {n}", contact={}).case for n in range(3)}
    browser, path = sits(), "/desk"
    seen: set[str] = set()
    while path:
        text = page(browser, path)
        found = re.findall(r'<td class="number"><a href="/desk/cases/([^"]+)"', text)
        assert not seen & set(found)
        seen |= set(found)
        further = re.search(r'href="([^"]+)" rel="next"', text)
        path = unescape(further[1]) if further else ""

    assert made <= seen


def test_next_claims_a_case_and_leads_to_it(desk: Office, sits: Sits) -> None:
    desk.noticed(signature="The Next")
    browser = sits()
    answer = browser.post("/desk/next")

    case = answer.headers["location"].removeprefix("/desk/cases/")
    assert answer.status_code == 303
    assert desk.desk.view(viewer(desk, browser), case).mine
    assert post(sits(), f"/desk/cases/{case}/claim") == 422 or "claimed" in kinds(desk, case)


def test_the_language_is_kept(sits: Sits) -> None:
    browser = sits()
    answer = browser.post("/desk/language", data={"language": "fr", "next": "/desk"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")

    assert 'lang="fr"' in page(browser, "/desk")
    assert "Dossiers" in page(browser, "/desk")
    elsewhere = {"language": "fr", "next": "//elsewhere.example"}
    assert browser.post("/desk/language", data=elsewhere).headers["location"] == "/account"


def onward(text: str) -> str:
    """Where the page `text` leads when its language is changed."""
    form = text.partition('action="/desk/language"')[2]
    found = re.search(r'name="next" value="([^"]*)"', form)
    assert found is not None
    return unescape(found[1])


def test_the_language_can_be_changed_on_every_page(desk: Office, sits: Sits) -> None:
    """Also on those that a form was answered with: they have no address of their own."""
    case = desk.noticed(signature="Onward").case
    browser = sits()
    copy = copies(desk, browser, case)[0]
    place = f"/desk/cases/{case}"

    shown = [browser.post(f"{place}/reveal"), browser.post(f"{place}/copies/{copy}/look")]
    assert [onward(each.text) for each in shown] == [place, place]
    while (taken := browser.post("/desk/next")).status_code == 303:
        pass
    for each in (*shown, taken):
        data = {"language": "fr", "next": onward(each.text)}
        answer = browser.post("/desk/language", data=data)
        assert 'lang="fr"' in page(browser, answer.headers["location"])


# ── a case ──────────────────────────────────────────────────────────────────────────────────────


def test_the_statement_is_masked_until_it_is_asked_for_and_that_is_noted(
    desk: Office, sits: Sits
) -> None:
    case = desk.noticed(signature="Masked Until", contact={"email": "m@example.org"}).case
    browser = sits()

    for text in (page(browser, f"/desk/cases/{case}"), page(browser, "/desk")):
        assert STATEMENT not in text
        assert "Masked Until" not in text
        assert "m@example.org" not in text
    assert EventKind.REVEALED not in kinds(desk, case)
    shown = browser.post(f"/desk/cases/{case}/reveal").text
    assert STATEMENT in shown
    assert "Masked Until" in shown
    assert kinds(desk, case)[-1] is EventKind.REVEALED
    assert STATEMENT not in page(browser, f"/desk/cases/{case}")


def test_findings_come_before_the_picture_and_no_page_has_one(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="Before").case
    text = page(sits(), f"/desk/cases/{case}")

    assert text.index('id="h-findings"') < text.index('id="h-copies"')
    assert "<img" not in text


def test_near_copies_share_one_look(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="Near Copies").case
    text = page(sits(), f"/desk/cases/{case}")

    assert "2 copies of one picture" in text
    assert text.count("/look") == 1
    assert "bits apart" in text


def test_a_removal_is_decided_for_the_copies_that_are_ticked(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="Ticked").case
    browser = sits()
    first, _ = copies(desk, browser, case)
    status = post(
        browser,
        f"/desk/cases/{case}/decide",
        outcome="remove",
        reasons=[REASON],
        text="",
        choosing="yes",
        copies=[first],
    )

    decided = desk.desk.book.events(case)[-1]
    assert (status, decided.kind, decided.told["copies"]) == (303, EventKind.DECIDED, [first])
    text = page(browser, f"/desk/cases/{case}")
    assert "Decided: Remove" in text
    assert f"/desk/cases/{case}/undo" in text
    assert post(browser, f"/desk/cases/{case}/undo") == 303
    assert kinds(desk, case)[-1] is EventKind.UNDONE


def test_a_removal_of_nothing_is_not_a_removal_of_everything(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="Nothing").case
    form = {"outcome": "remove", "reasons": [REASON], "choosing": "yes"}

    assert post(sits(), f"/desk/cases/{case}/decide", **form) == 422
    assert EventKind.DECIDED not in kinds(desk, case)


@pytest.mark.parametrize(
    ("jurisdiction", "how", "gone", "words"),
    [
        ("UK", SIMILAR, 3, "3 further copies are not shown; a removal is about them too."),
        ("US", IDENTICAL, 3, "3 further copies are not shown; a removal is about them too."),
        ("US", SIMILAR, 0, "4 further copies are not shown, and stay as they are."),
    ],
)
def test_copies_that_have_no_room_go_with_those_that_are_ticked(
    desk: Office, sits: Sits, jurisdiction: str, how: str, gone: int, words: str
) -> None:
    case = desk.noticed(signature=f"Room {how}", jurisdiction=jurisdiction).case
    browser = sits()
    shown = SHOWN - len(copies(desk, browser, case))
    with desk.desk.book.writing() as writing:
        add_copies(writing, case, [Found(how, f"{case}-{n}", None) for n in range(shown + 4)])
    view = desk.desk.view(viewer(desk, browser), case)
    own, *others = [each.copy for each in view.copies[SHOWN:]]
    with desk.desk.book.writing() as writing:
        marked = (json.dumps({"own_work": "1f0c9a3e-5"}), own)
        writing.connection.execute("UPDATE desk_copy SET evidence = ? WHERE id = ?", marked)
    text = page(browser, f"/desk/cases/{case}")
    form = {"outcome": "remove", "reasons": [REASON], "choosing": "yes"}

    assert words in text
    assert ("1 further copy is not shown, and stays as it is." in text) == (gone == 3)
    assert post(browser, f"/desk/cases/{case}/decide", **form) == 422
    assert EventKind.DECIDED not in kinds(desk, case)
    ticked = [view.copies[0].copy]
    assert post(browser, f"/desk/cases/{case}/decide", **form, copies=ticked) == 303
    decided = desk.desk.book.events(case)[-1].told["copies"]
    assert sorted(decided) == sorted([*ticked, *others[:gone]])


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "remove"},
        {"outcome": "remove", "reasons": "not_intimate"},
        {"outcome": "explode", "reasons": REASON},
        {"outcome": "refuse", "reasons": "not_intimate", "text": "x" * 5_001},
    ],
)
def test_what_does_not_go_together_is_refused(
    desk: Office, sits: Sits, fields: dict[str, str]
) -> None:
    case = desk.noticed(signature="Together").case

    assert post(sits(), f"/desk/cases/{case}/decide", **fields) == 422
    assert EventKind.DECIDED not in kinds(desk, case)


def test_asking_notes_and_letting_go(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="Asking").case
    browser = sits()

    assert post(browser, f"/desk/cases/{case}/claim") == 303
    assert post(browser, f"/desk/cases/{case}/note", words="Seen before.") == 303
    assert post(browser, f"/desk/cases/{case}/release") == 303
    assert post(browser, f"/desk/cases/{case}/ask", elements=["contact"], words="Please.") == 303
    text = page(browser, f"/desk/cases/{case}")
    assert "Seen before." in text.partition('id="h-history"')[2]
    happened = kinds(desk, case)
    for kind in (EventKind.CLAIMED, EventKind.NOTE, EventKind.RELEASED, EventKind.ASKED):
        assert kind in happened


def test_an_appeal_is_not_offered_to_whoever_decided(desk: Office, sits: Sits) -> None:
    receipt = desk.noticed("gone.jpg", signature="Appealing")
    first, second = sits(), sits()
    refusal = {"outcome": "refuse", "reasons": ["not_intimate"]}
    assert post(first, f"/desk/cases/{receipt.case}/decide", **refusal) == 303
    desk.let_pass()
    desk.desk.appeal(receipt.case, receipt.pin, "198.51.100.1", f"It does. {SCRIPT}")

    assert receipt.case not in page(first, "/desk?show=appeals")
    assert "left to colleagues" in page(first, "/desk?show=appeals")
    assert receipt.case in page(second, "/desk?show=appeals")
    decision = {"outcome": "uphold", "reasons": ["not_intimate"]}
    assert post(first, f"/desk/cases/{receipt.case}/appeal", **decision) == 403
    assert "<script>document" not in page(second, f"/desk/cases/{receipt.case}")
    assert post(second, f"/desk/cases/{receipt.case}/appeal", **decision) == 303
    assert EventKind.APPEAL_DECIDED in kinds(desk, receipt.case)


def test_copies_found_since_the_decision_are_removed_too_or_left_up(
    desk: Office, sits: Sits
) -> None:
    case = desk.noticed("other.jpg", signature="Found Since").case
    browser = sits()
    removal = {"outcome": "remove", "reasons": [REASON]}
    assert post(browser, f"/desk/cases/{case}/decide", **removal) == 303
    desk.let_pass()
    assert f'action="/desk/cases/{case}/decide"' not in page(browser, f"/desk/cases/{case}")
    desk.found_since(case, "likeness-of-other")

    assert case in page(browser, "/desk")
    text = page(browser, f"/desk/cases/{case}")
    assert "found since the decision" in text
    assert 'id="remove"' in text
    assert 'id="refuse"' not in text
    assert post(browser, f"/desk/cases/{case}/leave", words="A poster.") == 303
    assert case not in page(browser, "/desk")
    assert "A poster." in page(browser, f"/desk/cases/{case}")
    assert post(browser, f"/desk/cases/{case}/leave") == 409


def test_a_second_reviewer_confirms_what_takes_two(desk: Office, sits: Sits) -> None:
    case = desk.noticed("ordered.jpg", sender=Sender.AUTHORITY, order=ORDER).case
    browser, lead = sits(), sits("lead")
    refusal = {"outcome": "refuse", "reasons": ["not_found"]}
    assert post(lead, f"/desk/cases/{case}/decide", **refusal) == 303

    assert "An authority&#39;s order is refused by two." in page(browser, f"/desk/cases/{case}")
    assert f"/desk/cases/{case}/confirm" not in page(browser, f"/desk/cases/{case}")
    assert f"/desk/cases/{case}/confirm" not in page(lead, f"/desk/cases/{case}")
    assert post(lead, f"/desk/cases/{case}/confirm") == 403
    second = sits("lead")
    assert case in page(second, "/desk?show=second")
    assert f"/desk/cases/{case}/confirm" in page(second, f"/desk/cases/{case}")
    assert post(second, f"/desk/cases/{case}/confirm") == 303
    assert EventKind.CONFIRMED in kinds(desk, case)


def test_what_screening_found_is_denied_with_a_reason(desk: Office, sits: Sits) -> None:
    case = desk.screened(SCRIPT)
    browser = sits()
    text = page(browser, f"/desk/cases/{case}")

    assert "asks to undress somebody" in text
    assert "text-request.v1" in text
    assert inline(text) == []
    assert post(browser, f"/desk/cases/{case}/judge", outcome="remove", reasons=[REASON]) == 422
    assert post(browser, f"/desk/cases/{case}/judge", outcome="deny", reasons=["mistake"]) == 303
    assert kinds(desk, case)[-1] is EventKind.DECIDED


# ── pictures ────────────────────────────────────────────────────────────────────────────────────


def token_in(text: str) -> str:
    """The token of the picture on a page."""
    found = re.search(r'src="/desk/pictures/([\w-]+)"', text)
    assert found is not None, text
    return found[1]


def asked(browser: TestClient, case: str, copy: str) -> str:
    """The page of a first look."""
    answer = browser.post(f"/desk/cases/{case}/copies/{copy}/look", data={"place": "look-0"})
    assert answer.status_code == 200, answer.text
    return answer.text


def colours(data: bytes) -> tuple[tuple[int, int], bool]:
    """Width and height of a picture, and whether it is grey."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    pixels = np.asarray(image, np.int16)
    return image.size, bool((np.ptp(pixels, axis=2) < 8).all())


def test_a_picture_is_veiled_first_and_clear_on_a_second_act(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="A Picture").case
    browser = sits()
    copy = copies(desk, browser, case)[0]
    first = asked(browser, case, copy)
    veiled = browser.get(f"/desk/pictures/{token_in(first)}")

    assert veiled.headers["cache-control"] == "no-store"
    assert veiled.headers["content-type"] == "image/jpeg"
    (width, _), grey = colours(veiled.content)
    assert (grey, width <= 200) == (True, True)

    permission = re.search(r'name="token" value="([\w-]+)"', first)
    assert permission is not None
    where = f"/desk/cases/{case}/copies/{copy}/clearer"
    second = browser.post(where, data={"token": permission[1], "place": "look-0"})
    (width, _), grey = colours(browser.get(f"/desk/pictures/{token_in(second.text)}").content)
    assert (grey, width) == (False, 640)
    viewed = [e.told["veiled"] for e in desk.desk.book.events(case) if e.kind is EventKind.VIEWED]
    assert viewed == [True, False]
    assert browser.post(where, data={"token": permission[1], "place": "look-0"}).status_code == 404


def test_a_look_is_not_replayed(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="Replayed").case
    browser, thief = sits(), sits()
    copy = copies(desk, browser, case)[0]
    token = token_in(asked(browser, case, copy))

    assert browser.get(f"/desk/pictures/{token}").status_code == 200
    assert browser.get(f"/desk/pictures/{token}").status_code == 404
    token = token_in(asked(browser, case, copy))
    assert thief.get(f"/desk/pictures/{token}").status_code == 403
    assert browser.get(f"/desk/pictures/{token}").status_code == 404
    token = token_in(asked(browser, case, copy))
    nobody = sits(token="nobody's")
    assert nobody.get(f"/desk/pictures/{token}").status_code == 303
    for headers in ({"Sec-Fetch-Dest": "document"}, {"Sec-Fetch-Site": "same-site"}):
        assert browser.get(f"/desk/pictures/{token}", headers=headers).status_code == 403
    assert kinds(desk, case).count(EventKind.VIEWED) == 1


def test_a_look_at_one_copy_gives_no_clear_look_at_another(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="Another Copy").case
    browser = sits()
    first, second = copies(desk, browser, case)
    permission = re.search(r'name="token" value="([\w-]+)"', asked(browser, case, first))
    assert permission is not None
    form = {"token": permission[1], "place": "look-0"}

    answer = browser.post(f"/desk/cases/{case}/copies/{second}/clearer", data=form)
    assert answer.status_code == 403
    assert "<img" not in answer.text


def test_a_copy_of_another_case_is_not_shown(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="One").case
    elsewhere = desk.noticed("other.jpg", signature="Two").case
    browser = sits()
    copy = copies(desk, browser, elsewhere)[0]

    assert post(browser, f"/desk/cases/{case}/copies/{copy}/look", place="look-0") == 404


def test_of_a_video_a_still_is_shown(desk: Office, sits: Sits) -> None:
    case = desk.noticed("clip.mp4", signature="A Video").case
    browser = sits()
    copy = copies(desk, browser, case)[0]
    shown = browser.get(f"/desk/pictures/{token_in(asked(browser, case, copy))}")

    (width, _), grey = colours(shown.content)
    assert (shown.headers["content-type"], grey, width <= 200) == ("image/jpeg", True, True)


def test_a_break_is_offered_to_who_looked_and_to_nobody_else(
    desk: Office, sits: Sits, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = desk.noticed(signature="A Break").case
    browser, colleague = sits(), sits()
    copy = copies(desk, browser, case)[0]
    monkeypatch.setattr("egide.desk.looking.REST_HOURLY", 2)
    for _ in range(2):
        assert 'id="rest"' not in page(browser, "/desk")
        browser.get(f"/desk/pictures/{token_in(asked(browser, case, copy))}")

    text = page(browser, "/desk")
    assert "You opened 2 pictures in the last hour" in text
    assert "Not now" in text
    assert "2 pictures today" in text
    assert 'id="rest"' not in page(colleague, "/desk")
    assert "0 pictures today" in page(colleague, "/desk")


# ── the escalation lane ─────────────────────────────────────────────────────────────────────────


def test_an_escalated_case_is_gone_for_all_but_its_keepers_and_has_no_media_for_anybody(
    desk: Office, sits: Sits
) -> None:
    case = desk.noticed(signature="The Lane").case
    browser, lead = sits(), sits("lead")
    copy = copies(desk, browser, case)[0]
    look = token_in(asked(lead, case, copy))
    permission = re.search(r'name="token" value="([\w-]+)"', asked(lead, case, copy))
    assert permission is not None
    assert post(browser, f"/desk/cases/{case}/escalate") == 303

    assert browser.get(f"/desk/cases/{case}").status_code == 404
    assert case not in page(browser, "/desk?state=escalated")
    assert browser.get("/desk/escalated").status_code == 403
    assert post(browser, f"/desk/cases/{case}/reveal") == 404
    lane = page(lead, "/desk/escalated")
    assert case in lane
    assert STATEMENT not in lane
    assert "harbour" not in lane
    assert lead.get(f"/desk/cases/{case}").headers["location"] == "/desk/escalated"
    assert lead.post(f"/desk/cases/{case}/reveal").headers["location"] == "/desk/escalated"
    for role in ("lead", "administrator"):
        keeper = sits(role)
        assert post(keeper, f"/desk/cases/{case}/copies/{copy}/look", place="look-0") == 403
    assert lead.get(f"/desk/pictures/{look}").status_code in (404, 409, 422)
    form = {"token": permission[1], "place": "look-0"}
    answer = lead.post(f"/desk/cases/{case}/copies/{copy}/clearer", data=form)
    assert answer.status_code == 403
    assert "<img" not in answer.text


def test_a_case_is_returned_from_the_lane_with_a_reason_and_that_is_in_the_audit_log(
    desk: Office, sits: Sits
) -> None:
    case = desk.noticed(signature="Returned").case
    browser, lead = sits(), sits("lead")
    assert post(browser, f"/desk/cases/{case}/escalate") == 303
    assert f'href="/desk/escalated/{case}"' in page(lead, "/desk/escalated")
    where = f"/desk/escalated/{case}"
    text = page(lead, where)
    for hidden in (STATEMENT, "harbour", "Returned<", "<img", "/look", "/reveal"):
        assert hidden not in text
    assert inline(text) == []
    assert browser.get(where).status_code == 403
    form = {"reason": "adult", "words": f"Records were seen. {SCRIPT}"}
    assert post(browser, f"{where}/return", **form) == 403
    assert post(lead, f"{where}/return", words="No reason.") == 422
    assert post(lead, f"{where}/return", reason="mistake") == 422
    assert EventKind.RETURNED not in kinds(desk, case)

    answer = lead.post(f"{where}/return", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/cases/{case}")
    assert EventKind.RETURNED in kinds(desk, case)
    text = page(browser, f"/desk/cases/{case}")
    assert "back from escalation" in text
    assert "something other than the picture shows it" in text
    assert "Records were seen." in text
    assert "<script>document" not in text
    assert "back from escalation" in page(browser, "/desk")
    assert lead.get(where).headers["location"] == f"/desk/cases/{case}"
    assert post(lead, f"{where}/return", **form) == 409
    desk.service.identity.audit.flush()
    did = [(row.action, row.outcome) for row in desk.service.identity.audit.rows()]
    assert ("POST /desk/escalated/{case}/return", "granted") in did
    assert ("POST /desk/escalated/{case}/return", "denied") in did


def test_what_screening_escalated_has_a_page_once_it_is_returned(desk: Office, sits: Sits) -> None:
    finding = Finding("text-intent.v1", Label.MINOR_ESCALATE, 0.9)
    verdict = Verdict("t-1", Kind.TEXT, None, Action.ESCALATE, "minor", "default@1", (finding,))
    with desk.service.home.database.write() as connection:
        case = desk.desk.screening.screened(connection, verdict, "t-1", record="r1")
    lead = sits("lead")
    assert post(lead, f"/desk/escalated/{case}/return", reason="escalated_by_mistake") == 303

    text = page(sits(), f"/desk/cases/{case}")
    assert "t-1" in text
    assert "Nothing of what was found was kept" in text
    assert f"/desk/cases/{case}/judge" in text


# ── hostile words, and reading above one's permission ───────────────────────────────────────────


def test_no_free_text_becomes_markup(desk: Office, sits: Sits) -> None:
    receipt = desk.noticed(
        statement=SCRIPT,
        signature=SCRIPT,
        contact={"name": SCRIPT, "phone": SCRIPT},
        locations=(
            Location(content_id=SCRIPT),
            Location(url=f"{desk.hosted}/?{SCRIPT.replace(' ', '%20')}"),
        ),
    )
    browser, second = sits(), sits()
    desk.desk.note(viewer(desk, browser), receipt.case, SCRIPT)
    desk.desk.ask(viewer(desk, browser), receipt.case, (), SCRIPT)
    decision = Decision("refuse", ("not_found",), SCRIPT)
    pages = [
        page(browser, f"/desk/cases/{receipt.case}"),
        browser.post(f"/desk/cases/{receipt.case}/reveal").text,
        page(browser, f"/desk?text={SCRIPT}"),
    ]
    desk.desk.decide(viewer(desk, browser), receipt.case, decision)
    pages.append(page(second, f"/desk/cases/{receipt.case}"))

    for text in pages:
        assert "<img src=x" not in text
        assert inline(text) == []
    assert "&lt;script&gt;" in pages[1]


def test_pages_are_under_a_strict_policy(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="A Policy").case
    browser = sits("lead")

    for path in ("/desk", f"/desk/cases/{case}", "/desk/escalated", "/desk/cases/nothing"):
        answer = browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert inline(answer.text) == []


def test_forms_of_other_sites_are_refused(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="Other Sites").case
    browser = sits()
    headers = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}

    assert browser.post(f"/desk/cases/{case}/claim", headers=headers).status_code == 403
    assert EventKind.CLAIMED not in kinds(desk, case)


def test_an_auditor_reads_no_case(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="An Auditor").case
    auditor = sits("auditor")

    for path in ("/desk", f"/desk/cases/{case}", "/desk/escalated"):
        assert auditor.get(path).status_code == 403
    assert post(auditor, f"/desk/cases/{case}/reveal") == 403
    assert EventKind.REVEALED not in kinds(desk, case)


def test_a_moderator_is_no_second_reviewer(desk: Office, sits: Sits) -> None:
    case = desk.noticed(signature="No Second").case

    assert post(sits(), f"/desk/cases/{case}/confirm") == 403


def test_a_case_that_is_not_there_looks_like_one_that_may_not_be_seen(
    desk: Office, sits: Sits
) -> None:
    case = desk.noticed(signature="Not There").case
    desk.desk.escalate(viewer(desk, sits("lead")), case)
    browser = sits()
    hidden, missing = browser.get(f"/desk/cases/{case}"), browser.get("/desk/cases/EG-2222-2222")

    assert hidden.status_code == missing.status_code == 404
    assert hidden.text.replace(case, "") == missing.text.replace("EG-2222-2222", "")
    with pytest.raises(CaseNotFound):
        desk.desk.view(viewer(desk, browser), case)
