"""Reviewers in a real browser: a case decided by keyboard alone, and every page in every guise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from egide.desk.asks import Decision
from egide.desk.events import EventKind
from egide.identity import Principal
from egide.language import catalogue
from egide.web.console_time import amount
from tests.browser import DESKTOP, FAINT, PHONE, at_each_width, browser
from tests.console import SCRIPT, STATEMENT, Office, office, serving

__all__ = ["browser"]

AXE = Axe()
VIOLATIONS = """axe.run({resultTypes: ["violations"]}).then(({violations}) =>
  violations.map(({id, nodes}) => [id, nodes[0].html]))"""
SHOWN = "(image) => image.complete && image.naturalWidth > 0"


class Site:
    """A desk, where it is served, and who sits at it."""

    def __init__(self, desk: Office, origin: str) -> None:
        self.desk = desk
        self.origin = origin
        self.lead = desk.hired("grace", "lead")
        self.moderator = desk.hired("ada")

    def principal(self, token: str) -> Principal:
        """Whose session that is."""
        return self.desk.service.identity.sessions.resume(token).principal

    def kinds(self, case: str) -> list[EventKind]:
        """What happened to a case."""
        return [each.kind for each in self.desk.desk.book.events(case)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as held:
        patch = held.enter_context(pytest.MonkeyPatch.context())
        desk = held.enter_context(office(tmp_path_factory.mktemp("desk"), patch))
        origin = held.enter_context(serving(desk.app))
        with httpx2.Client(base_url=origin, timeout=60) as client:
            desk.host_all(client)
        yield Site(desk, origin)


Opens = Callable[..., Page]


@pytest.fixture
def opens(browser: Browser, site: Site) -> Iterator[Opens]:
    """Opens a page of a browser of its own, held to making no complaint."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_(token: str, width: int = DESKTOP, language: str = "en", **given: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 844}, **given)
        contexts.append(context)
        cookies = {"egide": token, "language": language}
        context.add_cookies(
            [{"name": name, "value": value, "url": site.origin} for name, value in cookies.items()]
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on(
            "console",
            lambda line: complaints.append(line.text) if "status of" not in line.text else None,
        )
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def go_on(page: Page, key: str) -> None:
    """Presses a key that leads to another page; keys work there once it has been loaded."""
    with page.expect_navigation():
        page.keyboard.press(key)


def test_a_case_is_decided_by_keyboard_alone(opens: Opens, site: Site) -> None:
    case = site.desk.noticed(signature="By Keyboard").case
    page = opens(site.moderator)
    press = page.keyboard.press
    page.goto(f"{site.origin}/desk")

    press("/")
    page.keyboard.type("harbour.jpg")
    press("Enter")
    page.wait_for_url(re.compile("harbour"))
    press("j")
    expect(page.locator(":focus")).to_have_text(case)
    press("c")
    page.wait_for_url(f"**/desk/cases/{case}")
    assert EventKind.CLAIMED in site.kinds(case)

    expect(page.get_by_text(STATEMENT)).to_have_count(0)
    press("s")
    expect(page.get_by_text(STATEMENT)).to_be_visible()
    expect(page.locator("#statement")).to_be_focused()
    press("v")
    veiled = page.get_by_alt_text("The picture, veiled: small, grey and blurred")
    page.wait_for_function(SHOWN, arg=veiled.element_handle())
    assert veiled.evaluate("(image) => image.naturalWidth") <= 200
    press("Tab")
    press("Enter")
    clear = page.get_by_alt_text("The picture", exact=True)
    page.wait_for_function(SHOWN, arg=clear.element_handle())
    assert clear.evaluate("(image) => image.naturalWidth") >= 320

    press("r")
    press("1")
    words = page.locator("#remove-text")
    expect(words).to_have_value(re.compile("intimate picture"))
    press("2")
    expect(words).to_have_value(re.compile("intimate picture.*\n.*made or altered", re.DOTALL))
    press("t")
    press("End")
    page.keyboard.type(" Said by keyboard.")
    go_on(page, "Control+Enter")
    expect(page.get_by_role("heading", name="Decided: Remove")).to_be_visible()
    expect(page.locator(".pending time")).to_have_text(re.compile(r"\d+\s(s|min) left"))

    go_on(page, "u")
    expect(page.get_by_role("heading", name="Decided: Remove")).to_have_count(0)
    press("r")
    press("1")
    press("Control+Enter")
    expect(page.get_by_role("heading", name="Decided: Remove")).to_be_visible()
    site.desk.let_pass()
    page.reload()
    expect(page.get_by_text("platform told, not acknowledged yet").first).to_be_visible()
    happened = site.kinds(case)
    assert [happened.count(kind) for kind in (EventKind.REVEALED, EventKind.VIEWED)] == [1, 2]
    assert EventKind.TOLD in happened


def test_what_somebody_wrote_is_not_overwritten_by_a_reason(opens: Opens, site: Site) -> None:
    case = site.desk.noticed("other.jpg", signature="My Words").case
    page = opens(site.moderator)
    page.goto(f"{site.origin}/desk/cases/{case}")
    page.keyboard.press("f")
    page.keyboard.press("t")
    page.keyboard.type("My own words, with keys in them: r f u n c ?")
    page.keyboard.press("Escape")
    page.keyboard.press("1")

    expect(page.locator("#refuse-text")).to_have_value(re.compile("^My own words"))
    assert page.url.endswith(case)
    assert EventKind.CLAIMED not in site.kinds(case)


def test_single_keys_can_be_switched_off(opens: Opens, site: Site) -> None:
    case = site.desk.noticed("other.jpg", signature="Keys Off").case
    page = opens(site.moderator)
    page.goto(f"{site.origin}/desk/cases/{case}")
    page.keyboard.press("?")
    page.get_by_label("Switch single keys off in this browser").check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("c")
    page.keyboard.press("r")

    expect(page.locator("#remove")).to_be_hidden()
    assert EventKind.CLAIMED not in site.kinds(case)


def test_script_and_server_say_the_time_that_is_left_alike(opens: Opens, site: Site) -> None:
    page = opens(site.moderator, language="fr")
    page.goto(f"{site.origin}/desk")
    say = catalogue("fr", "console").gettext

    for milliseconds in (0, 59_999, 60_000, 3_599_999, 3_600_000, 18_420_000, 86_400_000, 10**9):
        said = page.evaluate(f"amount({milliseconds})")
        assert said == amount(milliseconds, say)


def test_a_picture_that_cannot_be_fetched_is_said_to_be_missing(opens: Opens, site: Site) -> None:
    case = site.desk.noticed("elsewhere.jpg", signature="Not There").case
    page = opens(site.moderator, bypass_csp=False)
    page.goto(f"{site.origin}/desk/cases/{case}")
    with page.expect_response(re.compile("/desk/pictures/")) as answered:
        page.keyboard.press("v")

    assert answered.value.status == 502
    expect(page.get_by_role("alert")).to_contain_text("could not be fetched")


def test_everything_works_without_scripts(opens: Opens, site: Site) -> None:
    case = site.desk.noticed(signature="No Scripts").case
    page = opens(site.moderator, java_script_enabled=False)
    page.goto(f"{site.origin}/desk/cases/{case}")
    page.get_by_role("button", name="Claim").click()
    page.get_by_role("button", name="Show the statement").click()
    expect(page.get_by_text(STATEMENT)).to_be_visible()
    page.goto(f"{site.origin}/desk/cases/{case}")
    page.get_by_role("button", name="Look, veiled").click()
    expect(page.get_by_role("img")).to_be_visible()
    page.get_by_role("button", name="Show it clearly").click()
    expect(page.get_by_role("img", name="The picture", exact=True)).to_be_visible()
    page.get_by_role("link", name="Back to the case").click()
    page.get_by_text("Refuse").first.click()
    page.get_by_text("does not show the person").click()
    page.locator("#refuse button").click()

    expect(page.get_by_role("heading", name="Decided: Refuse")).to_be_visible()
    assert site.kinds(case).count(EventKind.VIEWED) == 2


def on_every_page(page: Page, site: Site, language: str) -> Iterator[str]:
    """Leads through the pages; the name of each."""
    desk, lead = site.desk, site.principal(site.lead)
    here = f"{site.origin}/desk"
    page.goto(here)
    yield "queue"
    case = desk.noticed(statement=SCRIPT, jurisdiction="FR", language=language).case
    desk.noticed("elsewhere.jpg", signature="Two", statement="")
    page.goto(f"{here}/cases/{case}")
    page.keyboard.press("s")
    page.locator("#statement .statement").first.wait_for()
    page.keyboard.press("v")
    page.wait_for_function(SHOWN, arg=page.locator(".look img").element_handle())
    yield "revealed, looked at"
    page.keyboard.press("r")
    page.keyboard.press("1")
    yield "deciding"
    page.keyboard.press("x")
    yield "escalating"
    desk.desk.decide(lead, case, Decision("remove", ("synthetic",)))
    page.goto(f"{here}/cases/{case}")
    yield "decided"
    page.keyboard.press("?")
    yield "help"
    receipt = desk.noticed("gone.jpg", language=language)
    desk.desk.decide(
        site.principal(site.moderator), receipt.case, Decision("refuse", ("not_intimate",))
    )
    desk.let_pass()
    desk.desk.appeal(receipt.case, receipt.pin, next(desk.origins), SCRIPT)
    page.goto(f"{here}?show=appeals")
    yield "appeals"
    page.goto(f"{here}/cases/{receipt.case}")
    page.keyboard.press("r")
    yield "appeal"
    screened = desk.screened(f"{SCRIPT} {next(desk.numbers)}")
    page.goto(f"{here}/cases/{screened}")
    page.keyboard.press("f")
    yield "screening"
    desk.desk.escalate(lead, screened)
    page.goto(f"{here}/escalated")
    yield "escalated"
    page.get_by_role("link", name=screened).click()
    page.get_by_role("heading", level=1, name=screened).wait_for()
    yield "frozen"
    page.get_by_role("radio").first.check()
    page.locator(".deciding button").click()
    page.wait_for_url(f"**/desk/cases/{screened}")
    yield "returned"
    page.goto(f"{here}/cases/nothing")
    yield "not there"


@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("en", DESKTOP, "light"), ("fr", PHONE, "dark")]
)
@pytest.mark.slow
def test_axe_finds_nothing_and_nothing_sticks_out_on_any_page(
    opens: Opens, site: Site, language: str, width: int, scheme: str
) -> None:
    # Only for the tests: axe is put into the page as a script of its own.
    page = opens(site.lead, width, language, color_scheme=scheme, bypass_csp=True)
    seen = 0
    for name in on_every_page(page, site, language):
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE.axe_script)
        for each in at_each_width(page, DESKTOP, PHONE):
            assert page.evaluate(VIOLATIONS) == [], (name, each)
            assert page.evaluate("document.documentElement.scrollWidth") <= each, (name, each)
        assert page.evaluate(FAINT) == [], name
        assert page.evaluate("document.documentElement.lang") == language
        seen += 1
    assert seen == 13
