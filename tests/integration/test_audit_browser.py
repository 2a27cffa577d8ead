"""The audit page in a real browser: it asks for nothing, complains of nothing, fits and prints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from egide.hub.audit import audit, write_audit
from egide.hub.audit.hub_policy import hub_policy
from egide.hub.audit.pseudonyms import Pseudonyms
from egide.hub.gazetteer_sample import sample_gazetteer
from tests.integration.test_report_browser import ARGUMENTS, BROWSERS, PHONE
from tests.listings import civitai_models

NAMES = [sample_gazetteer().person(n).name for n in range(6)]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    dump = folder / "dump.jsonl"
    models = civitai_models(400, people=NAMES, share=0.5)
    dump.write_text("".join(json.dumps(model) + "\n" for model in models))
    found = audit([dump], "sample", jobs=1)
    policy = hub_policy("civitai-2025-05")
    write_audit(found, folder / "out", Pseudonyms(b"k" * 32), policy=policy)
    return folder / "out" / "audit.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "medium"), [(1280, "screen"), (PHONE, "screen"), (760, "print")])
def test_the_page_stands_alone_and_fits(
    page_file: Path, width: int, medium: str, scheme: str
) -> None:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.fail(f"none of {', '.join(BROWSERS)} is on PATH; `make test` installs chromium")
    asked: list[str] = []
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        page = browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme="dark" if scheme == "dark" else "light",
        ).new_page()
        page.emulate_media(media="print" if medium == "print" else "screen")
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(page_file.as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth")
        bars = page.locator(".bars tbody tr").count()
        columns = page.locator(".plot .column").count()
        shown = page.locator("h1").inner_text()
        browser.close()
    assert asked == [page_file.as_uri()]
    assert complaints == []
    assert wide <= width
    assert bars > 15
    assert columns > 12
    assert "imitate real people" in shown
