"""`/v1/banks…`: over HTTP what `egide bank` does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from egide.bank import Bank
from egide.desk.means import PURPOSES
from tests.conftest import near, pdq
from tests.unit.web.conftest import COPY, KNOWN, Serving

NAMES = (f"bank-{number}" for number in count())


@pytest.fixture
def bank(serving: Serving) -> Iterator[Bank]:
    """An empty block bank; gone afterwards, for tests of other files ask the same service."""
    made = serving.home.create(next(NAMES))
    yield made
    if made.name in {each.name for each in serving.home.banks()}:
        serving.home.remove(made.name)


def add(serving: Serving, bank: Bank, number: int, **given: str) -> str:
    body = {"fingerprints": [{"type": "pdq", "hash": pdq(number).hex}], **given}
    answer = serving.ask("POST", f"/v1/banks/{bank.name}/entries", json=body)
    assert answer.status_code == 201, answer.text
    entry: str = answer.json()["entry"]
    return entry


def test_a_bank_is_made_once(serving: Serving) -> None:
    answers = [serving.ask("PUT", "/v1/banks/made", json={"purpose": "allow"}) for _ in range(2)]
    other = serving.ask("PUT", "/v1/banks/made", json={"purpose": "block"})
    wrong = serving.ask("PUT", "/v1/banks/Made", json={"purpose": "block"})

    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert (other.status_code, wrong.status_code) == (409, 422)
    assert serving.home.bank("made").purpose == "allow"


def test_banks_are_listed_page_by_page(serving: Serving) -> None:
    for name in ("p-1", "p-2", "p-3"):
        serving.ask("PUT", f"/v1/banks/{name}", json={})

    first = serving.ask("GET", "/v1/banks?limit=2&after=p-").json()
    second = serving.ask("GET", f"/v1/banks?limit=2&after={first['next']}").json()

    assert [each["bank"] for each in first["banks"]] == ["p-1", "p-2"]
    assert [each["bank"] for each in second["banks"]] == ["p-3"]
    assert second["next"] is None


def test_a_picture_added_is_found_by_the_next_scan(serving: Serving, bank: Bank) -> None:
    form: dict[str, Any] = {"files": {"file": ("b.png", KNOWN)}, "data": {"ref": "case 9"}}

    answer = serving.ask("POST", f"/v1/banks/{bank.name}/entries", **form)
    again = serving.ask("POST", f"/v1/banks/{bank.name}/entries", **form)
    findings = serving.scan(COPY).json()["findings"]

    assert (answer.status_code, again.status_code) == (201, 200)
    assert again.json() == {"entry": answer.json()["entry"], "new": False}
    assert bank.name in {finding["evidence"]["bank"] for finding in findings}


def test_a_file_without_fingerprints_is_refused(serving: Serving, bank: Bank) -> None:
    path = f"/v1/banks/{bank.name}/entries"

    words = serving.ask("POST", path, files={"file": ("a.txt", b"words")})
    broken = serving.ask("POST", path, files={"file": ("a.jpg", COPY[:300])})

    assert (words.status_code, broken.status_code) == (422, 422)
    assert bank.stats()["entries"]["active"] == 0


def test_entries_are_listed_newest_first_and_masked(serving: Serving, bank: Bank) -> None:
    made = [add(serving, bank, number, ref="case 4") for number in range(3)]
    path = f"/v1/banks/{bank.name}/entries"

    first = serving.ask("GET", f"{path}?limit=2").json()
    second = serving.ask("GET", f"{path}?limit=2&before={first['next']}").json()

    assert [each["entry"] for each in first["entries"] + second["entries"]] == made[::-1]
    assert "case 4" not in json.dumps(first)
    assert pdq(2).hex not in json.dumps(first)


def test_values_are_shown_to_those_who_ask_and_it_is_noted(serving: Serving, bank: Bank) -> None:
    entry = add(serving, bank, 1, ref="case 4")

    shown = serving.ask("GET", f"/v1/banks/{bank.name}/entries/{entry}?reveal=true").json()
    serving.service.identity.audit.flush()

    assert (shown["ref"], shown["fingerprints"][0]["hash"]) == ("case 4", pdq(1).hex)
    assert f"entry:{entry}" in {row.object for row in serving.service.identity.audit.rows()}


def test_a_withdrawn_entry_is_found_no_more(serving: Serving, bank: Bank) -> None:
    entry = add(serving, bank, 1)
    path = f"/v1/banks/{bank.name}/entries/{entry}/state"
    ask = {"fingerprints": [{"type": "pdq", "hash": pdq(1).hex}], "banks": [bank.name]}

    disputed = serving.ask("PUT", path, json={"state": "disputed"}).json()["state"]
    state = serving.ask("POST", "/v1/match", json=ask).json()["matches"][0]["state"]
    withdrawn = serving.ask("PUT", path, json={"state": "withdrawn"}).json()["state"]
    again = serving.ask("PUT", path, json={"state": "active"})

    assert (disputed, state, withdrawn, again.status_code) == (
        "disputed",
        "disputed",
        "withdrawn",
        404,
    )
    assert serving.ask("POST", "/v1/match", json=ask).json() == {"matches": []}


def test_a_list_goes_in_and_comes_out(serving: Serving, bank: Bank) -> None:
    lines = "".join(f"pdq,{pdq(number).hex}\n" for number in range(30))
    path = f"/v1/banks/{bank.name}"

    took = serving.ask("POST", f"{path}/import", content=f"type,hash\n{lines}pdq,xyz\n").json()
    again = serving.ask("POST", f"{path}/import", content=f"type,hash\n{lines}").json()
    csv = serving.ask("GET", f"{path}/export?format=csv")
    jsonl = serving.ask("GET", f"{path}/export").text.splitlines()

    assert (took["new"], took["known"], took["unreadable"]) == (30, 0, 1)
    assert "line 32" in took["problems"][0]
    assert (again["new"], again["known"]) == (0, 30)
    assert csv.text.splitlines()[1] == f"pdq,{pdq(0).hex},,"
    assert csv.headers["content-type"].startswith("text/csv")
    assert [json.loads(line)["schema"] for line in jsonl] == ["egide.bank/1"] * 30
    assert serving.ask("GET", path).json()["fingerprints"] == {"pdq": 30}
    assert list(serving.service.spool.folder.iterdir()) == []


def test_what_is_no_list_is_refused(serving: Serving, bank: Bank) -> None:
    answer = serving.ask("POST", f"/v1/banks/{bank.name}/import", content=b"\x89PNG\r\n")

    assert answer.status_code == 422
    assert "header" in answer.json()["detail"]


def test_a_removed_bank_is_gone(serving: Serving, bank: Bank) -> None:
    add(serving, bank, 1)

    gone = serving.ask("DELETE", f"/v1/banks/{bank.name}")
    again = serving.ask("DELETE", f"/v1/banks/{bank.name}")

    assert (gone.status_code, gone.content, again.status_code) == (204, b"", 404)
    assert str(serving.home.path) not in again.text


@pytest.mark.parametrize("name", PURPOSES)
def test_a_bank_of_the_desk_is_read_and_not_changed(serving: Serving, name: str) -> None:
    kept = serving.service.desk.means.bank(name)
    entry = kept.add([pdq(77)], ref="case 9").entry
    path = f"/v1/banks/{name}"
    changes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("PUT", path, {"json": {"purpose": PURPOSES[name]}}),
        ("DELETE", path, {}),
        ("POST", f"{path}/entries", {"json": {"fingerprints": []}}),
        ("PUT", f"{path}/entries/{entry}/state", {"json": {"state": "withdrawn"}}),
        ("POST", f"{path}/import", {"content": f"type,hash\npdq,{pdq(78).hex}\n"}),
    )
    try:
        for method, where, given in changes:
            answer = serving.ask(method, where, **given)
            assert answer.status_code == 403, (method, where)
            assert "decide its cases" in answer.json()["detail"]
        found = serving.ask("GET", f"{path}/entries").json()["entries"]
        assert [(each["entry"], each["state"]) for each in found] == [(entry, "active")]
        for where in (path, f"{path}/entries/{entry}", f"{path}/export"):
            assert serving.ask("GET", where).status_code == 200
    finally:
        serving.home.remove(name)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/banks/none"),
        ("GET", "/v1/banks/none/entries"),
        ("GET", "/v1/banks/none/export"),
        ("POST", "/v1/banks/none/import"),
        ("GET", "/v1/banks/known/entries/1f0c9a3e-1"),
        ("GET", "/v1/banks/known/entries/none"),
        ("GET", "/v1/banks/..%2f..%2fetc"),
    ],
)
def test_what_is_not_there_is_said_so(serving: Serving, method: str, path: str) -> None:
    answer = serving.ask(method, path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(serving.home.path) not in answer.text


def test_fingerprints_are_looked_up_in_order(serving: Serving, bank: Bank) -> None:
    near_by, same = add(serving, bank, 7), add(serving, bank, 8)
    ask = {
        "fingerprints": [
            {"type": "pdq", "hash": near(pdq(7), 5).hex},
            {"type": "pdq", "hash": pdq(8).hex},
            {"type": "pdq", "hash": pdq(9).hex},
        ],
        "banks": [bank.name],
    }

    found = serving.ask("POST", "/v1/match", json=ask).json()["matches"]

    assert [(each["query"], each["entry"], each["distance"]) for each in found] == [
        (0, near_by, 5),
        (1, same, 0),
    ]


@pytest.mark.parametrize(
    ("fingerprint", "said"),
    [
        ({"type": "pdq", "hash": "ff"}, "32 bytes"),
        ({"type": "pdq", "hash": "f" * 63}, "hexadecimal"),
        ({"type": "pdq", "hash": "zz"}, "pattern"),
        ({"type": "phash", "hash": "ff"}, "pdq"),
    ],
)
def test_what_is_no_fingerprint_is_named(
    serving: Serving, fingerprint: dict[str, str], said: str
) -> None:
    answer = serving.ask("POST", "/v1/match", json={"fingerprints": [fingerprint]})

    assert answer.status_code == 422
    assert "fingerprints.0" in answer.json()["detail"]
    assert said in answer.json()["detail"]


def test_a_library_is_not_searched_by_match(serving: Serving) -> None:
    serving.ask("PUT", "/v1/banks/shelf", json={"purpose": "library"})
    body = {"fingerprints": [{"type": "pdq", "hash": pdq(1).hex}], "banks": ["shelf"]}

    answer = serving.ask("POST", "/v1/match", json=body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "banks")
