"""`POST /v1/scan` with an address: fetched from a content source, and then like an upload."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.origins import Serves, answer, started
from tests.unit.web.conftest import COPY, OTHER, Opens, Serving


@pytest.fixture
def serves() -> Iterator[Serves]:
    with started() as serve:
        yield serve


def test_the_verdict_is_that_of_an_upload(
    serves: Serves, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = serves(answer(COPY, "Content-Type: text/plain"))
    place = f"http://127.0.0.1:{origin.port}/up"
    monkeypatch.setenv("EGIDE_CONTENT_SOURCES", f"private+{place}")
    serving = opens()
    given = {"kind": "image", "url": f"{place}/a.jpg", "content_id": "p-1", "context": "profile"}

    fetched = serving.ask("POST", "/v1/scan", json=given)
    uploaded = serving.scan(COPY, content_id="p-1", context="profile")

    assert fetched.status_code == 200
    assert fetched.json() == uploaded.json()
    assert fetched.json()["action"] == "block"
    records = serving.ask("GET", "/v1/verdicts?content_id=p-1").json()["verdicts"]
    assert len(records) == 2
    assert list((serving.home.path / "spool").iterdir()) == []


def test_what_is_fetched_can_be_remembered_and_asked_again(
    serves: Serves, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = serves(answer(OTHER))
    place = f"http://127.0.0.1:{origin.port}/up"
    monkeypatch.setenv("EGIDE_CONTENT_SOURCES", f"private+{place}")
    serving = opens()
    given = {"kind": "image", "url": f"{place}/a", "content_id": "p-2", "remember": True}
    given["content_url"] = "https://platform.example/p/2"
    key = {"Idempotency-Key": "once"}

    first = serving.ask("POST", "/v1/scan", json=given, headers=key)
    origin.close()
    again = serving.ask("POST", "/v1/scan", json=given, headers=key)
    other = serving.ask("POST", "/v1/scan", json=given | {"url": f"{place}/b"}, headers=key)
    copies = serving.ask("GET", "/v1/library/copies?content_id=p-2").json()["copies"]

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert [each["content_url"] for each in copies] == ["https://platform.example/p/2"]


def test_what_does_not_come_is_told(
    serves: Serves, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = serves(answer(b"", status="404 Not Found"))
    large = serves(answer(b"", f"Content-Length: {1 << 23}"))
    page = serves(answer(b"<title>Sign in first</title>"))
    ports = (missing.port, large.port, page.port)
    words = " ".join(f"private+http://127.0.0.1:{port}/" for port in ports)
    monkeypatch.setenv("EGIDE_CONTENT_SOURCES", words)
    serving = opens()

    def ask(url: str) -> tuple[int, dict[str, object]]:
        found = serving.ask("POST", "/v1/scan", json={"kind": "image", "url": url})
        return found.status_code, found.json()

    status, problem = ask(f"http://127.0.0.1:{missing.port}/secret")
    assert (status, problem["title"]) == (502, "A content source does not answer")
    assert "404" in str(problem["detail"])
    assert "secret" not in str(problem)
    assert ask(f"http://127.0.0.1:{large.port}/a")[0] == 413
    status, verdict = ask(f"http://127.0.0.1:{page.port}/a")
    assert (status, verdict["action"]) == (200, "review")
    assert [each["error"] for each in verdict["errors"]] == ["unknown-content"]  # type: ignore[attr-defined]
    status, problem = ask("http://127.0.0.1:1/a")
    assert (status, problem["errors"][0]["field"]) == (422, "url")  # type: ignore[index]


def test_without_sources_an_address_is_refused(serving: Serving) -> None:
    given = {"kind": "image", "url": "https://cdn.example/a.jpg", "content_id": "p-1"}
    refused = serving.ask("POST", "/v1/scan", json=given)

    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {
            "field": "url",
            "detail": "no content source is set up; name its place in EGIDE_CONTENT_SOURCES",
        }
    ]
    nameless = serving.ask("POST", "/v1/scan", json={**given, "content_id": None, "remember": True})
    assert nameless.json()["errors"][0]["field"] == "content_id"
