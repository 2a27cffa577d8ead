"""What is remembered of hosted content, and how its copies are found."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from egide import Item, fingerprints_of
from egide.errors import UsageError
from tests import pictures
from tests.unit.web.conftest import COPY, OTHER, Opens, Serving


def upload(serving: Serving, seed: int, content_id: str, format_: str = "JPEG") -> str:
    """Remembers a picture; the library's entry."""
    data = pictures.encode(pictures.smooth_noise(seed=seed), format_)
    url = f"https://platform.example/{content_id}"
    answer = serving.scan(data, remember="true", content_id=content_id, content_url=url)
    assert answer.status_code == 200, answer.text
    return answer.headers["egide-entry-id"]


def banked(serving: Serving, seed: int) -> str:
    """An entry of the block bank that shows the picture of `seed`."""
    data = pictures.encode(pictures.smooth_noise(seed=seed), "PNG")
    return serving.home.bank("known").add(fingerprints_of(Item.from_bytes(data))).entry


def copies(serving: Serving, query: str) -> list[str]:
    """The contents that a search finds."""
    answer = serving.ask("GET", f"/v1/library/copies?{query}")
    assert answer.status_code == 200, answer.text
    return [each["content_id"] for each in answer.json()["copies"]]


def test_hosted_copies_of_a_banked_entry_are_found(serving: Serving) -> None:
    entry = upload(serving, 20, "host-1")
    upload(serving, 21, "host-2")

    found = serving.ask("GET", f"/v1/library/copies?entry={banked(serving, 20)}").json()

    assert len(found["copies"]) == 1
    (copy,) = found["copies"]
    assert (copy["content_id"], copy["entry"]) == ("host-1", entry)
    assert copy["content_url"] == "https://platform.example/host-1"
    assert found["next"] is None


def test_copies_of_a_content_are_found(serving: Serving) -> None:
    upload(serving, 22, "twin-1")
    upload(serving, 22, "twin-2", "PNG")

    assert sorted(copies(serving, "content_id=twin-1")) == ["twin-1", "twin-2"]


def test_copies_of_fingerprints_come_page_by_page(serving: Serving) -> None:
    for number in range(3):
        upload(serving, 23, f"page-{number}")
    data = pictures.encode(pictures.smooth_noise(seed=23), "JPEG")
    pdq = next(f for f in fingerprints_of(Item.from_bytes(data)) if f.type == "pdq")
    body = {"fingerprints": [{"type": "pdq", "hash": pdq.hex}]}

    first = serving.ask("POST", "/v1/library/copies?limit=2", json=body).json()
    rest = serving.ask(
        "POST", f"/v1/library/copies?limit=2&after={first['next']}", json=body
    ).json()

    seen = [each["content_id"] for each in first["copies"] + rest["copies"]]
    assert sorted(seen) == ["page-0", "page-1", "page-2"]
    assert rest["next"] is None


def test_remembering_again_changes_the_address_alone(serving: Serving) -> None:
    data = pictures.encode(pictures.smooth_noise(seed=24), "JPEG")
    first = serving.scan(data, remember="true", content_id="moved")
    again = serving.scan(
        data, remember="true", content_id="moved", content_url="https://platform.example/new"
    )

    found = serving.ask("GET", "/v1/library/copies?content_id=moved").json()["copies"]

    assert again.headers["egide-entry-id"] == first.headers["egide-entry-id"]
    assert [each["content_url"] for each in found] == ["https://platform.example/new"]


def test_what_is_blocked_is_not_remembered(serving: Serving) -> None:
    answer = serving.scan(COPY, remember="true", content_id="blocked")

    assert answer.json()["action"] == "block"
    assert "egide-entry-id" not in answer.headers
    assert serving.ask("GET", "/v1/library/copies?content_id=blocked").status_code == 404


def test_a_library_blocks_nothing(serving: Serving) -> None:
    upload(serving, 25, "own")

    again = serving.scan(pictures.encode(pictures.smooth_noise(seed=25), "PNG"))

    assert again.json()["action"] == "allow"


def test_forgotten_content_is_found_no_more(serving: Serving) -> None:
    entry = upload(serving, 26, "gone")
    known = banked(serving, 26)
    serving.service.hosted.prune()

    answer = serving.ask("DELETE", "/v1/library/contents?content_id=gone")

    assert answer.json() == {"content_id": "gone", "withdrawn": [entry]}
    assert copies(serving, f"entry={known}") == []
    assert serving.ask("DELETE", "/v1/library/contents?content_id=gone").status_code == 404


def test_addresses_of_withdrawn_entries_are_pruned(serving: Serving) -> None:
    entry = upload(serving, 27, "pruned")
    serving.home.bank("library").withdraw([entry])

    serving.service.hosted.prune()

    rows = serving.home.database.fetch("SELECT 1 FROM hosted WHERE content_id = 'pruned'")
    assert rows == []


def test_fingerprints_do_not_go_into_addresses(serving: Serving) -> None:
    neither = serving.ask("GET", "/v1/library/copies?pdq=ff")
    both = serving.ask("GET", "/v1/library/copies?entry=1f0c9a3e-1&content_id=a")

    assert (neither.status_code, both.status_code) == (422, 422)
    assert "POST" in neither.json()["detail"]


def test_searching_takes_its_own_scope(serving: Serving) -> None:
    path = "/v1/library/copies?content_id=a"

    assert serving.ask("GET", path, scopes=("scan:write", "bank:read")).status_code == 403
    assert serving.ask("GET", path, scopes=("library:read",)).status_code == 404


def test_a_file_that_is_no_picture_is_scanned_and_not_remembered(serving: Serving) -> None:
    answer = serving.scan(b"a bridge", "a.txt", remember="true", content_id="words")

    assert (answer.status_code, answer.json()["item"]["kind"]) == (200, "text")
    assert "egide-entry-id" not in answer.headers


def test_remembering_needs_no_more_than_the_right_to_scan(serving: Serving) -> None:
    answer = serving.ask(
        "POST",
        "/v1/scan",
        scopes=("scan:write",),
        files={"file": ("k.png", pictures.encode(pictures.smooth_noise(seed=28), "PNG"))},
        data={"remember": "1", "content_id": "right"},
    )

    assert answer.headers["egide-entry-id"]


def test_a_bank_with_another_purpose_remembers_nothing(opens: Opens) -> None:
    with pytest.raises(UsageError, match="--library known: this bank's purpose is block"):
        opens(library="known")


@pytest.mark.parametrize("name", ["notices", "own-work", "No Name"])
def test_a_library_that_cannot_be_is_told_at_the_start(opens: Opens, name: str) -> None:
    with pytest.raises(UsageError, match="--library"):
        opens(library=name)


def test_a_library_that_was_made_for_something_else_takes_nothing_in(opens: Opens) -> None:
    serving = opens()
    serving.ask("PUT", "/v1/banks/library", json={"purpose": "block"})

    answer = serving.scan(OTHER, remember="true", content_id="innocent")

    assert (answer.status_code, "--library" in answer.json()["detail"]) == (503, True)
    assert serving.home.bank("library").stats()["fingerprints"] == {}
    assert serving.scan(OTHER).json()["action"] == "allow"


def test_the_library_is_made_once_whoever_is_first(opens: Opens) -> None:
    service = opens().service
    ready = threading.Barrier(4)

    def made() -> str:
        ready.wait(60)
        return service.library().key

    with ThreadPoolExecutor(4) as threads:
        keys = {each.result() for each in [threads.submit(made) for _ in range(4)]}

    assert len(keys) == 1
