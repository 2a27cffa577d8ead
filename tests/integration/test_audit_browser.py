"""The audit page in a real browser: it asks for nothing, complains of nothing, fits and prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from egide.hub.audit import audit, write_audit
from egide.hub.audit.hub_policy import hub_policy
from egide.hub.gazetteer_sample import sample_gazetteer
from egide.hub.pseudonyms import Pseudonyms
from tests.adverts import records
from tests.browser import DESKTOP, PHONE, browser, watched
from tests.listings import civitai_models

__all__ = ["browser"]

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


@pytest.fixture(scope="module")
def page_of_texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    dump = folder / "dump.jsonl"
    dump.write_text("".join(json.dumps(record) + "\n" for record in records()))
    write_audit(audit([dump], jobs=1), folder / "out", Pseudonyms(b"k" * 32))
    return folder / "out" / "audit.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("width", "medium"), [(DESKTOP, "screen"), (PHONE, "screen"), (760, "print")]
)
def test_the_page_stands_alone_and_fits(
    browser: Browser, page_file: Path, width: int, medium: str, scheme: str
) -> None:
    with watched(browser) as show:
        page = show(page_file, width=width, scheme=scheme, medium=medium)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".bars tbody tr").count() > 15
        assert page.locator(".plot .column").count() > 12
        assert "imitate real people" in page.locator("h1").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("width", "medium"), [(DESKTOP, "screen"), (PHONE, "screen"), (760, "print")]
)
def test_the_page_of_texts_stands_alone_and_fits(
    browser: Browser, page_of_texts: Path, width: int, medium: str, scheme: str
) -> None:
    with watched(browser) as show:
        page = show(page_of_texts, width=width, scheme=scheme, medium=medium)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".plot").count() == 2
        assert page.locator(".plain tbody tr").count() > 10
        assert "texts offer" in page.locator("h1").inner_text()
