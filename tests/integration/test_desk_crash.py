"""The desk is killed while it works: no notice, decision or message is lost or there twice."""

from __future__ import annotations

import json
import threading
from collections import Counter

import pytest

from egide.bank import Home
from egide.desk.fold import fold
from tests.conftest import python
from tests.unit.desk.office import ANN, ORIGIN, REMOVE, Office
from tests.unit.desk.record import Record

SENDS = """
import json, sys
from egide.bank import Home
from tests.unit.desk.office import FLAGGER, Office
office = Office(Home(sys.argv[1]))
number = 0
while True:
    number += 1
    receipt = office.notice(by=FLAGGER, signature=f"Person {number}", locations=[f"p{number}"])
    print(json.dumps([receipt.case, receipt.pin]), flush=True)
"""
TICKS = """
import sys
from egide.bank import Home
from tests.unit.desk.office import Office
office = Office(Home(sys.argv[1]))
office.clock += 61
print("begins", flush=True)
while True:
    office.desk.tick()
"""


@pytest.mark.both_databases
def test_killed_while_notices_come_none_is_lost_or_half(home: Home) -> None:
    office = Office(home)
    office.listen()
    process = python(SENDS, str(home.path))
    assert process.stdout is not None
    said = [json.loads(process.stdout.readline()) for _ in range(12)]
    process.kill()
    process.wait()
    rest = [json.loads(line) for line in process.stdout.read().splitlines()]
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.close()
    again = office.reopened()
    for case, pin in said + rest:
        assert again.status(case, pin, ORIGIN).case == case
    again.tick()
    rows = home.database.fetch("SELECT number, state, version FROM desk_case")
    assert len(rows) in (len(said + rest), len(said + rest) + 1)
    for row in rows:
        events = again.book.events(row["number"])
        assert [str(event.kind) for event in events][:3] == ["received", "accepted", "copy.found"]
        assert (row["state"], row["version"]) == (fold(events).state, len(events) - 1)
    told = Counter(each.data["case"] for each in office.told("case.received"))
    assert told == Counter(row["number"] for row in rows)
    assert Record(home).troubles() == []
    office.identity.close()


@pytest.mark.both_databases
def test_killed_while_decisions_take_effect_every_copy_is_told_once(home: Home) -> None:
    office = Office(home)
    office.listen()
    for number in range(15):
        receipt = office.notice(
            origin=f"198.51.{number}.1",
            signature=f"Person {number}",
            contact=None,
            locations=[f"p{number}", f"q{number}"],
        )
        office.desk.decide(ANN, receipt.case, REMOVE)
    process = python(TICKS, str(home.path))
    assert process.stdout is not None
    process.stdout.readline()
    while not office.told("content.remove"):
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.close()
    office.clock += 61
    others = [threading.Thread(target=office.reopened().tick) for _ in range(3)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    told = Counter(each.data["content_id"] for each in office.told("content.remove"))
    assert told == Counter(f"{letter}{number}" for letter in "pq" for number in range(15))
    assert Record(home).troubles() == []
    office.identity.close()
