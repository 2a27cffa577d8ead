"""The public pages in a real browser: with and without scripts, by keyboard, on a telephone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from egide.desk.asks import Decision
from egide.desk.desk import Desk
from egide.desk.notices import Notice
from egide.web.public_form import QUESTIONS
from tests import pictures, videos
from tests.browser import DESKTOP, FAINT, at_each_width, browser
from tests.public_pages import COMPLETE, public_app, served
from tests.unit.web_public.test_case import DOCUMENT, REVIEWER, codes

__all__ = ["browser"]

EXAMPLES = Path(__file__).parents[2] / "examples"
NARROW = 320
SENTENCE = "This is me. I did not agree to it. <script>alert(1)</script>"
AXE = Axe()
VIOLATIONS = """axe.run({resultTypes: ["violations"]}).then(({violations}) =>
  violations.map(({id, nodes}) => [id, nodes[0].html]))"""


class Clock:
    """Seconds since 1970; a day on for every test, so that nobody has tried anything too often."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def _application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, str, Clock]]:
    clock = Clock()
    with (
        public_app(tmp_path_factory.mktemp("home"), clock, undo_seconds=0) as app,
        served(app) as origin,
    ):
        yield app, origin, clock


@pytest.fixture
def origin(_application: tuple[FastAPI, str, Clock]) -> str:
    _application[2].now += 86_400
    return _application[1]


@pytest.fixture
def desk(_application: tuple[FastAPI, str, Clock]) -> Desk:
    opened: Desk = _application[0].state.desk
    return opened


Opens = Callable[..., Page]


@pytest.fixture
def opens(browser: Browser) -> Iterator[Opens]:
    """Opens a page of a browser of its own, held to making no complaint."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_(width: int = DESKTOP, scheme: str = "light", **given: Any) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme="dark" if scheme == "dark" else "light",
            **given,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("console", lambda line: complaints.extend(complaint(line.text)))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def complaint(line: str) -> list[str]:
    """What a browser writes, unless it is that a form was refused or that it cleared its cache."""
    return [] if "status of 4" in line or "Cleared data types" in line else [line]


def onwards(page: Page) -> None:
    """Presses the button that goes on, and waits for another page."""
    before = page.locator("main").element_handle()
    page.locator("main button:visible[value=next], main button:visible[value=send]").last.click()
    page.wait_for_function("(main) => !main.isConnected", arg=before)


def answer(page: Page, step: str) -> None:
    """Types what one question asks for."""
    match step:
        case "age" | "who" | "law":
            field = QUESTIONS[step][0]
            page.check(f"[name={field}][value={COMPLETE[field]}]")
        case "where":
            page.fill("#locations", COMPLETE["locations"])
        case "words":
            page.fill("#statement", SENTENCE)
        case "contact":
            page.fill("#name", "Ada")
        case "sign":
            for box in page.locator("[name=declared]").all():
                box.check()
            page.fill("#signature", "Ada")


def choose(page: Page, files: Any) -> None:
    """Chooses files once the page is ready for them."""
    expect(page.locator("#picture")).to_be_visible()
    page.set_input_files("#picture", files)


def on_every_page(page: Page, origin: str, desk: Desk, language: str) -> Iterator[str]:
    """Every page in one language, each named, with what is wrong on it where it can be."""
    page.goto(f"{origin}/notice?language={language}")
    yield "start"
    onwards(page)
    page.check("[value=minor]")
    onwards(page)
    yield "minors"
    page.goto(f"{origin}/notice?language={language}")
    onwards(page)
    for step in QUESTIONS:
        expect(page.locator("#form [name=step]")).to_have_value(step)
        if step not in ("where", "picture", "contact"):
            onwards(page)
            yield f"{step}, unanswered"
        if step == "picture":
            choose(page, EXAMPLES / "known" / "camera.jpg")
            expect(page.locator("[data-list] li")).to_have_count(1)
        answer(page, step)
        yield step
        onwards(page)
    yield "check"
    onwards(page)
    yield "sent"
    yield from _pages_of_a_case(page, origin, desk, language)


def _pages_of_a_case(page: Page, origin: str, desk: Desk, language: str) -> Iterator[str]:
    for path in ("case", "appeal", "help"):
        page.goto(f"{origin}/{path}?language={language}")
        yield path
    page.goto(f"{origin}/appeal?language={language}")
    page.click("main button")
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    yield "appeal, wrong code"
    receipt = desk.receive(Notice.from_json({"jurisdiction": "FR", "language": "fr"}), "192.0.2.9")
    desk.ask(REVIEWER, receipt.case, ("statement",), "Un mot de plus ?")
    for pin in ("0000000000", receipt.pin):
        page.goto(f"{origin}/case?language={language}")
        page.fill("#case", receipt.case)
        page.fill("#pin", pin)
        page.keyboard.press("Enter")
        if pin == receipt.pin:
            expect(page.locator("main h1")).to_be_focused()
            yield "status"
        else:
            expect(page.locator("[aria-invalid=true]").first).to_be_visible()
            yield "case, wrong PIN"
    for what in ("add", "withdraw"):
        page.click(f"main button:visible[value={what}]")
        expect(page.locator(f"main [value='{what}.send']")).to_have_count(1)
        yield what
        page.click("main button:visible[value=look]")
    yield from _pages_of_a_decision(page, origin, desk, language)


def _pages_of_a_decision(page: Page, origin: str, desk: Desk, language: str) -> Iterator[str]:
    for outcome, reason in (("refuse", "not_found"), ("remove", "terms")):
        places = [f"post-{time.monotonic_ns()}"]
        made = desk.receive(Notice.from_json(DOCUMENT | {"locations": places}), "192.0.2.7")
        desk.claim(REVIEWER, made.case)
        desk.decide(REVIEWER, made.case, Decision(outcome, (reason,)))
        desk.tick()
        if outcome == "refuse":
            page.goto(f"{origin}/case?language={language}")
            page.fill("#case", made.case)
            page.fill("#pin", made.pin)
            page.keyboard.press("Enter")
            page.locator("main button[value=appeal]").wait_for()
            yield "refused"
            page.click("main button[value=appeal]")
            page.locator("#words").wait_for()
            yield "appeal"
            continue
        (code,) = codes(desk, made.case)
        page.goto(f"{origin}/appeal?language={language}#{code}")
        page.click("main button")
        page.locator("#words").wait_for()
        yield "uploader's appeal"


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "fr"])
def test_axe_finds_nothing_and_nothing_sticks_out_on_any_page(
    opens: Opens, origin: str, desk: Desk, language: str
) -> None:
    page = opens(NARROW)
    seen = 0
    for name in on_every_page(page, origin, desk, language):
        if not page.evaluate("'axe' in window"):  # the next question comes into the same window
            page.evaluate(AXE.axe_script)
        for width in at_each_width(page, DESKTOP, NARROW):
            assert page.evaluate(VIOLATIONS) == [], (name, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
        assert page.evaluate("document.documentElement.lang") == language, name
        assert page.title() in ("Form · Lumen", "Formulaire · Lumen"), name
        seen += 1
    assert seen == 28


@pytest.mark.slow
def test_contrast_is_enough_in_the_dark_and_forced_colours_keep_the_marks(
    opens: Opens, origin: str, desk: Desk
) -> None:
    page = opens(NARROW, "dark")
    for name in on_every_page(page, origin, desk, "en"):
        assert page.evaluate(FAINT) == [], name
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    page.goto(f"{origin}/notice")
    style = page.evaluate("getComputedStyle(document.querySelector('main button'))")
    assert style["borderTopStyle"] == "solid"
    assert style["transitionDuration"] in ("0s", "")


def test_the_whole_notice_by_keyboard(opens: Opens, origin: str) -> None:
    page = opens()
    keyboard = page.keyboard
    page.goto(f"{origin}/notice?language=en")
    keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the main part")).to_be_focused()

    def to(selector: str) -> None:
        """Tabs until the element has the focus, which can be seen."""
        for _ in range(40):
            keyboard.press("Tab")
            if page.evaluate("(s) => document.activeElement.matches(s)", selector):
                outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert outline == "solid", selector
                return
        pytest.fail(f"{selector} cannot be reached")

    def go_on() -> None:
        """Presses the button of the question."""
        to("main .buttons button")
        keyboard.press("Enter")

    to("main button[value=next]")
    keyboard.press("Enter")
    expect(page.locator("h1")).to_be_focused()
    keyboard.press("Tab")  # past the heading
    for field, downs in (("age", 0), ("role", 0), ("jurisdiction", 1)):
        page.locator(f"[name={field}]").first.focus()
        keyboard.press("Space")
        for _ in range(downs):
            keyboard.press("ArrowDown")
        keyboard.press("Enter")  # from within a field: the question that follows
        expect(page.locator(f"[name={field}][type=radio]")).to_have_count(0)
    to("#locations")
    keyboard.type("https://lumen.example/p/1")
    go_on()
    expect(page.locator("#picture")).to_be_visible()
    go_on()
    expect(page.locator("#statement")).to_be_visible()
    go_on()
    # Nothing was written: the summary of what is wrong has the focus, its link leads there.
    expect(page.get_by_role("alert")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(page.locator("#statement")).to_be_focused()
    keyboard.type("It is me.")
    go_on()
    to("#name")
    keyboard.press("Enter")
    expect(page.locator("#signature")).to_be_visible()
    for box in page.locator("[name=declared]").all():
        box.focus()
        keyboard.press("Space")
    to("#signature")
    keyboard.type("Ada")
    keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Check your answers")).to_be_focused()
    go_on()
    expect(page.get_by_role("heading", name="We have your request")).to_be_focused()
    assert "EG-" in page.locator("[data-receipt]").inner_text()


def test_the_whole_notice_without_scripts(opens: Opens, origin: str) -> None:
    page = opens(NARROW, java_script_enabled=False)
    page.goto(f"{origin}/notice?language=fr")
    for step in ("start", *QUESTIONS, "check"):
        if step == "picture":
            expect(page.get_by_text("JavaScript doit être actif")).to_be_visible()
            expect(page.locator("#picture")).to_be_hidden()
        answer(page, step)
        if step == "words":  # the language changes half-way, and nothing is lost
            page.click(".languages button[lang=en]")
            expect(page.locator("#statement")).to_have_value(SENTENCE)
            page.click(".languages button[lang=fr]")
        page.locator("main button:visible").last.click()
    receipt = page.locator("[data-receipt]").inner_text()
    number = re.search(r"EG-\w{4}-\w{4}", receipt)
    pin = re.search(r"\d{4} \d{3} \d{3}", receipt)
    assert number is not None
    assert pin is not None
    page.goto(f"{origin}/case")
    page.fill("#case", number[0].lower())
    page.fill("#pin", pin[0])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nous examinons votre demande")).to_be_visible()
    assert "?" not in page.url
    page.goto(f"{origin}/appeal#a-code")
    expect(page.locator("#code")).to_have_value("")  # to be typed


def test_the_picture_never_leaves_the_device(opens: Opens, origin: str, desk: Desk) -> None:
    page = opens()
    sent: list[Request] = []

    def note(request: Request) -> None:
        sent.append(request)

    page.on("request", note)
    photograph = (EXAMPLES / "known" / "astronaut.jpg").read_bytes()
    film = videos.video(videos.shots(2))
    noise = pictures.encode(pictures.noise(500, 400, seed=2), "PNG")
    page.goto(f"{origin}/notice?language=fr")
    for step in ("start", *QUESTIONS):
        if step == "picture":
            choose(
                page,
                [
                    {"name": "secret-name.jpg", "mimeType": "image/jpeg", "buffer": photograph},
                    {"name": "secret-film.mp4", "mimeType": "video/mp4", "buffer": film},
                    {"name": "secret.png", "mimeType": "image/png", "buffer": noise},
                ],
            )
            expect(page.locator("[data-list] li")).to_have_count(3)
            expect(page.locator("[data-progress]")).to_be_hidden()
        answer(page, step)
        onwards(page)
    onwards(page)
    expect(page.get_by_role("heading", name="Nous avons votre demande")).to_be_visible()

    bodies = [request.post_data_buffer or b"" for request in sent]
    assert sum(b"fingerprints=" in body for body in bodies) >= 3
    for request, body in zip(sent, bodies, strict=True):
        assert request.url.startswith(origin) or request.url.startswith(("blob:", "data:,"))
        assert b"secret" not in body
        assert "secret" not in request.url
        assert all("secret" not in value for value in request.headers.values())
        # The largest of them is hashes in hexadecimal and a few words; the files are not.
        assert len(body) < 20_000 < min(map(len, (photograph, noise)))
        for data in (photograph, film, noise):
            assert not any(data[at : at + 16] in body for at in range(0, len(data), 64))


def test_what_the_browser_computed_finds_the_copy(opens: Opens, origin: str, desk: Desk) -> None:
    from egide import Item, fingerprints_of

    page = opens()
    page.goto(f"{origin}/notice?language=en")
    onwards(page)
    for step in ("age", "who", "law", "where"):
        answer(page, step)
        onwards(page)
    choose(page, EXAMPLES / "uploads" / "framed.jpg")
    expect(page.locator("[data-list] li")).to_have_count(1)
    hashes = set(re.split("[,;]", page.locator("#fingerprints").input_value()))
    banked = fingerprints_of(Item.from_path(EXAMPLES / "known" / "rocket.jpg"))
    known = next(each.value for each in banked if each.type == "pdq")
    nearest = min(
        (int.from_bytes(bytes.fromhex(one)) ^ int.from_bytes(known)).bit_count() for one in hashes
    )
    assert nearest <= 31
    # What was taken out again is not sent.
    page.get_by_role("button", name="Remove picture 1").click()
    expect(page.locator("#fingerprints")).to_have_value("")
    expect(page.locator("#picture")).to_be_focused()


def test_files_that_cannot_be_read_are_told_and_the_others_taken(opens: Opens, origin: str) -> None:
    page = opens()
    page.goto(f"{origin}/notice?language=en")
    onwards(page)
    for step in ("age", "who", "law", "where"):
        answer(page, step)
        onwards(page)
    plain = pictures.encode(pictures.gradient(60, 40)[:, :1].repeat(60, 1), "PNG")
    choose(
        page,
        [
            {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"},
            {"name": "b.png", "mimeType": "image/png", "buffer": plain},
            {"name": "c.mp4", "mimeType": "video/mp4", "buffer": b"no video"},
        ],
    )
    complaint = page.locator("[data-complaint]")
    expect(complaint).to_contain_text("File 3: Your browser cannot read this file.")
    expect(complaint).to_contain_text("File 1: Your browser cannot read this file.")
    expect(complaint).to_contain_text("File 2: There is too little to see")
    onwards(page)
    expect(page.locator("#statement")).to_be_visible()


@pytest.mark.parametrize("how", ["button", "shift", "plain link"])
def test_leaving_leads_to_a_neutral_page_and_back_shows_nothing(
    opens: Opens, origin: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    neutral = f"{origin.replace('localhost', '127.0.0.1')}/static/public/base.css"
    monkeypatch.setenv("EGIDE_DESK_EXIT", neutral)
    scripts = how != "plain link"
    page = opens(java_script_enabled=scripts)
    page.goto(f"{origin}/notice?language=en")
    if scripts:
        onwards(page)
        for step in ("age", "who", "law", "where"):
            answer(page, step)
            onwards(page)
    if how == "shift":
        page.keyboard.press("Shift")
        expect(page.locator("[data-exit-status]")).to_contain_text("2 more times")
        page.keyboard.press("Shift")
        page.keyboard.press("Shift")
    else:
        page.get_by_role("link", name="Leave this page").click()
    page.wait_for_url(neutral)
    if scripts:
        page.go_back()
        assert page.url.startswith(origin)
        # At most the first page, empty: no question, no answer.
        assert "lumen.example" not in page.content()


def test_writing_in_capitals_does_not_leave(opens: Opens, origin: str) -> None:
    page = opens()
    page.goto(f"{origin}/case?language=en")
    page.focus("#case")
    page.keyboard.type("EG-AB")
    for key in ("Shift+A", "Shift+B", "Shift+C", "Shift+D"):
        page.keyboard.press(key)
    page.wait_for_timeout(100)
    assert page.url.startswith(origin)


def test_the_browsers_own_button_goes_back_by_a_question(opens: Opens, origin: str) -> None:
    page = opens()
    page.goto(f"{origin}/notice?language=en")
    onwards(page)
    for step in ("age", "who", "law"):
        answer(page, step)
        onwards(page)
    page.fill("#locations", "https://lumen.example/p/9")
    page.go_back()
    expect(page.locator("[name=jurisdiction][type=radio]").first).to_be_visible()
    expect(page.locator(f"[value={COMPLETE['jurisdiction']}]")).to_be_checked()
    page.go_back()
    expect(page.locator("[name=role][type=radio]").first).to_be_visible()
    page.go_forward()
    page.go_forward()
    expect(page.locator("#locations")).to_have_value("https://lumen.example/p/9")
    assert page.evaluate("[location.search, document.cookie]") == ["?language=en", ""]


def test_after_a_reload_the_browsers_own_button_leads_to_the_start(
    opens: Opens, origin: str
) -> None:
    page = opens()
    page.goto(f"{origin}/notice?language=en")
    onwards(page)
    for step in ("age", "who"):
        answer(page, step)
        onwards(page)
    page.reload()
    page.go_back()

    page.wait_for_load_state()
    expect(page.locator('#form [name="step"]')).to_have_value("start")
    expect(page.locator("#form [type=radio]")).to_have_count(0)
    expect(page.locator("[data-errors]")).to_have_count(0)


def test_the_code_of_a_link_is_filled_in_and_leaves_the_address(opens: Opens, origin: str) -> None:
    page = opens()
    page.goto(f"{origin}/appeal?language=en#abc_DEF-123")
    expect(page.get_by_label("Code")).to_have_value("abc_DEF-123")
    assert page.url == f"{origin}/appeal?language=en"


def test_the_deadline_is_on_the_readers_clock_too(opens: Opens, origin: str, desk: Desk) -> None:
    page = opens(timezone_id="America/New_York", locale="en-US")
    receipt = desk.receive(Notice.from_json(DOCUMENT | {"locations": ["post-clock"]}), "192.0.2.8")
    page.goto(f"{origin}/case?language=en")
    page.fill("#case", receipt.case)
    page.fill("#pin", receipt.pin)
    page.keyboard.press("Enter")
    expect(page.locator("[data-local]")).to_contain_text("on your clock)")
    assert "UTC" in page.locator(".card").inner_text()


def test_the_receipt_prints_on_one_page(opens: Opens, origin: str) -> None:
    page = opens()
    page.goto(f"{origin}/notice?language=en")
    for step in ("start", *QUESTIONS, "check"):
        answer(page, step)
        onwards(page)
    page.emulate_media(media="print")
    expect(page.locator("[data-receipt]")).to_be_visible()
    for hidden in (".exit", ".foot", ".languages", "[data-print]"):
        expect(page.locator(hidden)).to_be_hidden()
    assert page.pdf(format="A4").count(b"/Type /Page\n") <= 1
