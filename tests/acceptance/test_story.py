"""The whole story, in a real browser and on a real PostgreSQL, with the platform of the examples.

Aline finds a picture of herself. She writes a notice; a reviewer decides on it by keyboard; the
platform removes it and a crop of it; it cannot be uploaded again. The uploader objects, another
reviewer reverses the decision, and everything is back. Who is who is invented, and the picture is
one of the examples: a cup of coffee.
"""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest
from examples.platform.app import Platform, create_app
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from egide.bank import Home
from egide.client import Client
from egide.identity import Identity
from egide.identity.sessions import Method
from tests.browser import browser
from tests.console import PASSWORD, serving

__all__ = ["browser"]

ROOT = Path(__file__).parents[2]
EGIDE = str(Path(sys.executable).with_name("egide"))
PICTURE = ROOT / "examples" / "known" / "coffee.jpg"
OTHER = ROOT / "examples" / "known" / "brick.jpg"
SENTENCE = "C’est une photo de moi. Je n’ai jamais donné mon accord."
TOKEN = "what-the-desk-shows-the-platform"
PATIENCE = 60.0


class Scene:
    """The service, the platform, and the people."""

    def __init__(self, home: Home, service: str, platform: Platform) -> None:
        self.home = home
        self.service = service
        self.platform = platform
        self.people = httpx2.Client(base_url=platform.url, timeout=60, trust_env=False)

    def uploaded(self, owner: str, data: bytes) -> str | None:
        """The id of an upload to the platform; None when it was refused."""
        before = set(self.platform.pictures)
        file = {"file": ("picture.jpg", data, "image/jpeg")}
        answer = self.people.post("/upload", data={"owner": owner}, files=file)
        assert answer.status_code in (303, 403)
        added = set(self.platform.pictures) - before
        return added.pop() if added else None

    def visible(self, id_: str) -> bool:
        """Whether anybody can see a picture."""
        return self.people.get(f"/media/{id_}").status_code == 200

    def reviewer(self, name: str) -> str:
        """The session of a new reviewer, who signed in with a passkey."""
        with Identity(self.home.database, self.home.path) as identity:
            _, token = identity.people.accept(identity.people.invite("moderator"), name, PASSWORD)
            with self.home.database.write(serial=False) as connection:
                identity.sessions.raise_to(connection, token, Method.PASSKEY)
        return token


@pytest.fixture
def scene(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """`egide serve` and the platform, each knowing the other."""
    assert database_url == os.environ["EGIDE_DATABASE_URL"]
    home = Home(tmp_path / "home")
    ports = free_port(), free_port()
    service, place = (f"http://localhost:{port}" for port in ports)
    monkeypatch.setenv("EGIDE_HOME", str(home.path))
    monkeypatch.setenv("EGIDE_PUBLIC_URL", service)
    monkeypatch.setenv("EGIDE_WEBHOOK_ALLOW", place)
    monkeypatch.setenv("EGIDE_CONTENT_SOURCES", f"private+{place}/media/")
    monkeypatch.setenv("EGIDE_CONTENT_TOKEN", TOKEN)
    monkeypatch.setenv("EGIDE_DESK_UNDO_SECONDS", "2")
    monkeypatch.setenv("EGIDE_DESK_PLATFORM", "Lumen")
    key = said("key", "create", "platform", "--scope", "scan:write", "--scope", "copy:write")
    secret = json.loads(said("outbox", "add", f"{place}/egide"))["secret"]
    with ExitStack() as held:
        held.enter_context(served(ports[0], service, tmp_path / "log"))
        client = held.enter_context(Client(service, key, webhook_secrets=[secret]))
        platform = Platform(place, client, TOKEN)
        held.enter_context(serving(create_app(platform), ports[1]))
        found = Scene(home, service, platform)
        held.enter_context(found.people)
        yield found
    home.close()


@contextmanager
def served(port: int, url: str, log: Path) -> Iterator[None]:
    """`egide serve`, ready, until the block ends."""
    with log.open("wb") as out:
        process = subprocess.Popen([EGIDE, "serve", "--port", str(port)], stdout=out, stderr=out)
    try:
        with httpx2.Client(base_url=url, trust_env=False) as asking:
            wait(lambda: ready(asking), log.read_text)
        yield
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0


def ready(asking: httpx2.Client) -> bool:
    """Whether the service is."""
    try:
        return asking.get("/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def said(*words: str) -> str:
    """What a command says."""
    ran = subprocess.run([EGIDE, *words], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def wait(until: Callable[[], bool], why: Callable[[], str] = str) -> None:
    """Returns once `until` holds."""
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end, why()
        time.sleep(0.1)


def cropped(path: Path) -> bytes:
    """Seven tenths of a picture, smaller than it was, compressed anew."""
    with Image.open(path) as picture:
        width, height = picture.size
        box = (
            width // 6,
            height // 6,
            width // 6 + width * 7 // 10,
            height // 6 + height * 7 // 10,
        )
        part = picture.convert("RGB").crop(box).resize((width * 6 // 10, height * 6 // 10))
    out = io.BytesIO()
    part.save(out, "JPEG", quality=80)
    return out.getvalue()


# ── the people ──────────────────────────────────────────────────────────────────────────────────


def write_notice(scene: Scene, browser: Browser, id_: str) -> tuple[str, str]:
    """Aline's notice, in French, with the fingerprint that her browser makes; number and PIN."""
    page = browser.new_page(locale="fr-FR")
    page.goto(f"{scene.service}/notice")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    onwards(page)
    for field, value in (("age", "adult"), ("role", "self"), ("jurisdiction", "FR")):
        page.check(f"[name={field}][value={value}]")
        onwards(page)
    page.fill("#locations", f"{scene.platform.url}/media/{id_}")
    onwards(page)
    expect(page.locator("#picture")).to_be_visible()  # hidden until the page can take a file
    page.set_input_files("#picture", PICTURE)
    expect(page.locator("[name=fingerprints]").first).to_have_value(re.compile("[0-9a-f]{64}"))
    onwards(page)
    page.fill("#statement", SENTENCE)
    onwards(page)
    page.fill("#name", "Aline")
    page.fill("#email", "aline@example.org")
    onwards(page)
    for box in page.locator("[name=declared]").all():
        box.check()
    page.fill("#signature", "Aline")
    onwards(page)
    onwards(page)
    case, pin = page.locator(".receipt .code").all_inner_texts()
    page.close()
    return case, pin


def onwards(page: Page) -> None:
    """Presses the button that goes on, and waits for another page."""
    before = page.locator("main").element_handle()
    page.locator("main button:visible[value=next], main button:visible[value=send]").last.click()
    page.wait_for_function("(main) => !main.isConnected", arg=before)


def signed_in(scene: Scene, browser: Browser, token: str) -> Page:
    """A browser in which a reviewer is signed in."""
    context = browser.new_context()
    context.add_cookies([{"name": "egide", "value": token, "url": scene.service}])
    return context.new_page()


def decide_by_keyboard(page: Page, scene: Scene, case: str) -> None:
    """The next case, looked at and decided without a mouse."""
    press = page.keyboard.press
    page.goto(f"{scene.service}/desk")
    press("n")
    page.wait_for_url(f"**/desk/cases/{case}")
    expect(page.locator("[name=copies]")).to_have_count(2)
    press("v")
    veiled = page.locator(".look img").first
    page.wait_for_function(
        "(image) => image.complete && image.naturalWidth > 0", arg=veiled.element_handle()
    )
    for box in page.locator("[name=copies]").all():
        box.focus()
        if not box.is_checked():
            press("Space")
    press("r")
    press("1")
    press("Control+Enter")
    expect(page.locator(".pending")).to_be_visible()


def expect_status(scene: Scene, browser: Browser, case: str, pin: str, words: str) -> None:
    """What Aline reads of her case."""
    page = browser.new_page(locale="fr-FR")
    page.goto(f"{scene.service}/case")
    page.fill("#case", case)
    page.fill("#pin", pin)
    page.locator("button[value=look]").click()
    expect(page.locator("main")).to_contain_text(words)
    page.close()


def appeal(scene: Scene, browser: Browser, letter: str) -> None:
    """Marc follows the link in the platform's letter, and objects."""
    (link,) = re.findall(r"http\S+/appeal#\S+", letter)
    page = browser.new_page(locale="en-GB")
    page.goto(link)
    page.locator("button[value=look]").click()
    page.fill("#words", "This is a cup of coffee. Nobody is in it.")
    page.get_by_role("button", name="Send the appeal").click()
    expect(page.locator(".done")).to_be_visible()
    page.close()


def reverse(page: Page, scene: Scene, case: str) -> None:
    """Another reviewer finds that the uploader is right."""
    page.goto(f"{scene.service}/desk")
    page.keyboard.press("n")
    page.wait_for_url(f"**/desk/cases/{case}")
    page.keyboard.press("r")
    page.keyboard.press("1")
    page.locator("[name=whole]").check()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".history")).to_contain_text("everse")


# ── the story ───────────────────────────────────────────────────────────────────────────────────


def test_the_whole_story(scene: Scene, browser: Browser) -> None:
    original = scene.uploaded("marc", PICTURE.read_bytes())
    crop = scene.uploaded("nina", cropped(PICTURE))
    other = scene.uploaded("nina", OTHER.read_bytes())
    assert original
    assert crop
    assert other

    ann, ben = scene.reviewer("ann"), scene.reviewer("ben")
    case, pin = write_notice(scene, browser, original)
    page = signed_in(scene, browser, ann)
    decide_by_keyboard(page, scene, case)
    wait(lambda: not scene.visible(original) and not scene.visible(crop))
    assert scene.visible(other)
    expect_status(scene, browser, case, pin, "Toutes les copies connues sont retirées")

    assert scene.uploaded("marc", PICTURE.read_bytes()) is None
    (letter,) = scene.platform.letters["marc"]
    appeal(scene, browser, letter)
    page.goto(f"{scene.service}/desk/cases/{case}")
    expect(page.locator("#reverse")).to_have_count(0)  # whoever decided does not decide again
    reverse(signed_in(scene, browser, ben), scene, case)
    wait(lambda: scene.visible(original) and scene.visible(crop))
    assert scene.uploaded("marc", PICTURE.read_bytes()) is not None
    expect_status(scene, browser, case, pin, "Le retrait a été annulé")
    assert "the log holds" in said("desk", "log", "verify")
