"""A person in a real browser: from the link of the first administrator to a key that works."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import DESKTOP, FAINT, PHONE, browser

__all__ = ["browser"]

PASSWORD = "neutral words for a test"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address of `egide serve`, and the code of the link that it prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("egide"), "serve", "--port", str(port)],
            env={"EGIDE_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
            stderr=file,
            stdout=file,
        )
    try:
        until = time.monotonic() + 60
        while not ready(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        code = re.search(r"/welcome#([\w-]+)", log.read_text())
        assert code is not None, log.read_text()
        yield f"http://localhost:{port}", code[1]
    finally:
        process.terminate()
        process.wait(30)


def ready(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx2.HTTPError:
        return False


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser that has a passkey device, held to making no complaint."""
    context = browser.new_context()
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console", lambda line: complaints.append(line.text) if "Policy" in line.text else None
    )
    devices = context.new_cdp_session(opened)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    yield opened
    context.close()
    assert complaints == []


@pytest.mark.slow
def test_from_the_first_link_to_a_key_that_works(page: Page, served: tuple[str, str]) -> None:
    origin, code = served
    page.goto(f"{origin}/welcome#{code}")
    expect(page.get_by_label("Code of the invitation")).to_have_value(code)
    assert "#" not in page.url
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()

    expect(page.get_by_text("A password alone opens nothing else here")).to_be_visible()
    page.get_by_label("Name of a new passkey").fill("test device")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("cell", name="test device", exact=True)).to_be_visible()

    page.get_by_role("button", name="Sign out ada").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("Signed in by passkey")).to_be_visible()

    page.get_by_role("link", name="API keys").click()
    page.get_by_label("Name").fill("uploads")
    page.get_by_label("scan:write").check()
    page.get_by_role("button", name="Make it").click()
    key = page.locator(".notice code").inner_text()
    answer = httpx2.get(f"{origin}/v1/whoami", headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["scopes"] == ["scan:write"]

    for scheme in ("light", "dark"):
        for path in ("/account", "/accounts", "/keys", "/audit", "/signin", "/welcome"):
            readable(page, f"{origin}{path}", scheme)
    page.goto(f"{origin}/keys")
    page.get_by_role("link", name="Audit log").click()
    expect(page.get_by_role("cell", name="key.create")).to_be_visible()
    assert "ada" not in page.locator("main").inner_text()


def readable(page: Page, address: str, scheme: str) -> None:
    """Holds a page to enough contrast, on a telephone too, where nothing may stick out."""
    page.set_viewport_size({"width": PHONE, "height": 844})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(address)
    assert page.evaluate(FAINT) == [], (address, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, address
    page.set_viewport_size({"width": DESKTOP, "height": 844})


@pytest.mark.slow
def test_a_wrong_password_is_told_and_focus_can_be_seen(
    page: Page, served: tuple[str, str]
) -> None:
    origin, _ = served
    page.goto(f"{origin}/account")
    assert page.url == f"{origin}/signin?next=/account"
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Name, password or code is wrong")
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
