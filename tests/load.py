"""A platform's day under load: what its clients ask, note, and find there afterwards.

Every client goes on asking until it is answered, as clients should: what it was answered is noted,
and looked for in the database at the end.
"""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections import Counter, defaultdict
from contextlib import closing, suppress
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any

from egide.bank import Home
from egide.errors import StorageError
from egide.identity import Identity
from egide.outbox import Outbox
from tests import pictures
from tests.served import EGIDE, Answer, Clients, Told, place_of, until

REQUEST = "Take the dress off her in this photo: undress the woman, make her naked."
HARMLESS = "Is this picture of a bridge for sale?"


class Load:
    """Clients of services on one database, which `home` opens too, and what they noted."""

    def __init__(self, home: Home, clients: Clients, platform: Told) -> None:
        self.home = home
        self.clients = clients
        self.platform = platform
        self.pictures: dict[str, Answer] = {}
        self.tried: set[str] = set()
        self.texts: dict[str, Answer] = {}
        self.cases: dict[str, int] = {}
        self.entries: dict[str, str] = {}
        self.withdrawn: set[str] = set()
        self.acknowledged: set[str] = set()
        self.hosted: SimpleQueue[str] = SimpleQueue()

    def begin(self) -> None:
        """Has every client begin."""
        self.clients.run(self.upload)
        self.clients.run(self.try_to_upload)
        self.clients.run(self.screen, 0.01)
        self.clients.run(self.bank, 0.02)
        self.clients.run(self.notice, 0.02)
        self.clients.run(self.acknowledge, 0.05)

    def end(self) -> None:
        """Lets every client finish, and waits for what is told by itself."""
        self.clients.stop()
        until(lambda: waiting(self.home) == 0)
        until(lambda: len(self.platform.of("content.remove")) >= len(self.cases))
        self.acknowledge()

    def check(self) -> None:
        """What was answered is there once, and nothing by halves."""
        check_pictures(self)
        check_texts(self)
        check_entries(self)
        check_cases(self)
        command = [str(EGIDE), "desk", "log", "verify", "--home", str(self.home.path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran

    def upload(self, number: int) -> None:
        """Uploads a picture until it is taken, as clients should."""
        content = f"p-{number}"
        answer = self.clients.scan(content, picture(number))
        self.pictures[content] = answer
        self.hosted.put(content)

    def try_to_upload(self, number: int) -> None:
        """Uploads a picture once, as clients should not."""
        content = f"q-{number}"
        self.tried.add(content)
        answer = self.clients.scan(content, picture(100_000 + number), insist=False)
        if answer.succeeded:
            self.pictures[content] = answer

    def screen(self, number: int) -> None:
        """Has a text screened; of every other one the platform is told."""
        content = f"t-{number}"
        self.texts[content] = self.clients.text(content, REQUEST if number % 2 else HARMLESS)

    def bank(self, number: int) -> None:
        """Adds an entry to a bank, and withdraws every other one."""
        name, place = f"b-{number}", "/v1/banks/known/entries"
        body = {"fingerprints": [{"type": "pdq", "hash": pdq(name)}], "ref": name}
        entry = self.clients.insist("entry", "POST", place, json=body).json["entry"]
        self.entries[name] = entry
        if number % 2:
            state = {"state": "withdrawn"}
            answer = self.clients.insist("state", "PUT", f"{place}/{entry}/state", json=state)
            assert answer.status == 200, answer
            self.withdrawn.add(name)

    def notice(self, number: int) -> None:
        """Sends a notice about what is hosted, and has it removed."""
        try:
            content = self.hosted.get(timeout=0.2)
        except Empty:
            return
        answer = self.clients.insist(
            "notice", "POST", "/v1/notices", json=notice(content),
            headers={"Idempotency-Key": f"notice-{number}"},
        )  # fmt: skip
        assert answer.status == 201, answer
        case = answer.json["case"]
        deadline = datetime.fromisoformat(answer.json["deadline"])
        self.cases[case] = round(deadline.timestamp())
        while not self.found(case):  # a reviewer has something to look at
            time.sleep(0.1)
        form = {"outcome": "remove", "reasons": "intimate_without_consent", "text": "It is."}
        decided = self.clients.insist("decision", "POST", f"/desk/cases/{case}/decide", data=form)
        # The decision stands already when it was the answer that was lost.
        assert decided.status in (303, 409), decided

    def found(self, case: str) -> bool:
        """Whether the search has found what the notice of a case is about."""
        copies = "SELECT count(*) FROM desk_copy WHERE number = ?"
        with suppress(StorageError), closing(self.home):
            return bool(self.home.database.fetch(copies, (case,))[0][0])
        return False

    def acknowledge(self, _: int = 0) -> None:
        """Says of every copy that the platform was told to remove that it is gone."""
        for told_ in self.platform.of("content.remove"):
            if told_["copy"] not in self.acknowledged:
                answer = self.clients.insist(
                    "acknowledgement", "POST", f"/v1/copies/{told_['copy']}/acknowledge",
                    json={"outcome": "removed"},
                )  # fmt: skip
                assert answer.status == 200, answer
                self.acknowledged.add(told_["copy"])

    def check_fresh(self, number: int) -> None:
        """What one machine adds and withdraws after the return, the other one knows at once."""
        name, place = f"f-{number}", "/v1/banks/known/entries"
        body = {"fingerprints": [{"type": "pdq", "hash": pdq(name)}], "ref": name}
        entry = self.clients.ask("entry", "POST", place, on=0, json=body).json["entry"]
        self.entries[name] = entry
        assert self.matches(name, on=1) == [entry]
        state = {"state": "withdrawn"}
        gone = self.clients.ask("state", "PUT", f"{place}/{entry}/state", on=1, json=state)
        assert gone.succeeded, gone
        assert self.matches(name, on=0) == []
        self.withdrawn.add(name)

    def matches(self, name: str, on: int) -> list[str]:
        """The entries that a machine finds under a fingerprint."""
        body = {"fingerprints": [{"type": "pdq", "hash": pdq(name)}], "threshold": 0}
        answer = self.clients.ask("match", "POST", "/v1/match", on=on, json=body)
        assert answer.succeeded, answer
        return [each["entry"] for each in answer.json["matches"]]


def picture(number: int) -> bytes:
    """Another picture for each number."""
    return pictures.encode(pictures.smooth_noise(160, 120, seed=number), "JPEG")


def pdq(name: str) -> str:
    """Another hash for each name."""
    return hashlib.sha256(name.encode()).hexdigest()


def notice(content: str) -> dict[str, Any]:
    """A notice about a content."""
    return {
        "jurisdiction": "US", "role": "self", "statement": "It shows me, and I did not agree.",
        "good_faith": True, "signature": f"Person {content}", "contact": None,
        "locations": [place_of(content)],
    }  # fmt: skip


def prepare(home: Home, platform: Told) -> None:
    """Makes the banks that clients use, and tells the platform what happens."""
    home.create("known")
    home.create("library", "library")
    with Identity(home.database, home.path) as identity:
        Outbox(home.database, identity.secret).add(platform.url)


def waiting(home: Home) -> int:
    """How many messages were not delivered."""
    (row,) = home.database.fetch("SELECT count(*) FROM delivery WHERE state <> 'delivered'")
    return int(row[0])


def check_pictures(load: Load) -> None:
    """Every upload that was answered is there once, and none of the others by halves."""
    database = load.home.database
    records = database.fetch("SELECT content_id, id FROM verdict_record WHERE kind = 'image'")
    of = {row["content_id"]: row["id"] for row in records}
    kept = database.fetch(
        "SELECT h.content_id, h.entry FROM hosted h JOIN entry e ON e.seq = h.entry"
        " JOIN bank b ON b.id = e.bank WHERE b.name = 'library'"
    )
    answered = database.fetch("SELECT key FROM answered WHERE key LIKE 'p-%' OR key LIKE 'q-%'")

    assert len(load.pictures) > 5
    assert len(of) == len(records)  # none twice
    for content, answer in load.pictures.items():
        assert of[content] == answer.headers["egide-verdict-id"]
    assert of.keys() <= load.pictures.keys() | load.tried
    for beside in (kept, answered):
        assert sorted(row[0] for row in beside) == sorted(of)
    stats = load.home.bank("library").stats()
    assert sum(stats["entries"].values()) == len({row["entry"] for row in kept}) == len(of)


def check_texts(load: Load) -> None:
    """Every text has the record that was answered, and the platform was told of every finding."""
    rows = load.home.database.fetch(
        "SELECT content_id, id, action FROM verdict_record WHERE kind = 'text'"
    )
    given = {content: answer.headers["egide-verdict-id"] for content, answer in load.texts.items()}
    assert len(given) > 8
    assert sorted((row["content_id"], row["id"]) for row in rows) == sorted(given.items())
    found = sorted(row["id"] for row in rows if row["action"] != "allow")
    told_ = [*load.platform.of("verdict.block"), *load.platform.of("verdict.review")]
    assert len(found) > 3
    assert sorted(each["id"] for each in told_ if each["kind"] == "text") == found


def check_entries(load: Load) -> None:
    """What was banked is there once on both machines, what was withdrawn is in no answer."""
    bank = load.home.bank("known")
    listed = {entry.id: entry.state for entry in bank.entries()}
    assert len(load.entries) > len(load.withdrawn) > 2
    # An entry whose answer was lost was added by the next attempt: it is the same one.
    assert listed.keys() == set(load.entries.values())
    for name, entry in load.entries.items():
        gone = name in load.withdrawn
        assert listed[entry] == ("withdrawn" if gone else "active")
    for name in [*load.entries][::7]:
        expected = [] if name in load.withdrawn else [load.entries[name]]
        assert [load.matches(name, on) for on in (0, 1)] == [expected] * 2


def check_cases(load: Load) -> None:
    """Every notice is one case with the deadline that was told; each was decided and done once."""
    database = load.home.database
    rows = database.fetch("SELECT number, deadline, state FROM desk_case")
    assert len(rows) > 1
    assert {row["number"]: row["deadline"] // 1000 for row in rows} == load.cases
    events: dict[str, Counter[str]] = defaultdict(Counter)
    for row in database.fetch("SELECT number, kind FROM desk_event"):
        events[row["number"]][row["kind"]] += 1
    assert events.keys() == load.cases.keys()
    once = ("received", "accepted", "decided", "effective", "told", "acknowledged")
    for row in rows:
        assert row["state"] == "removed"
        assert [events[row["number"]][kind] for kind in once] == [1] * len(once)
    for type_ in ("case.received", "case.decided", "content.remove"):
        assert Counter(each["case"] for each in load.platform.of(type_)) == Counter(
            load.cases.keys()
        )
