"""A platform's and a desk's work in a process that is killed: `python -m tests.killed HOME TOLD`.

Every line on standard input has the work begun by another process; its number is printed, and
`gone` when it ended. What it was told is done it prints as a line of JSON, as a client that got
its answer would note it. Asked to do everything again it does what is not done yet, as a client
that got no answer would.

TOLD is a file with a line for each copy that the platform's webhook was told to remove.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egide.bank import Home
from egide.desk.asks import Decision
from egide.desk.desk import Desk
from egide.desk.notices import Notice
from egide.desk.settings import DeskSettings
from egide.errors import CaseStands, StorageError
from egide.fingerprint import Fingerprint, FingerprintType
from egide.identity import Identity, Principal, Role
from egide.identity.scopes import ROLE_SCOPES, Actor
from egide.outbox import Outbox, Worker
from egide.records import Answer, Answers, Hosted

if TYPE_CHECKING:
    from egide.db import Connection
    from egide.desk.views import Receipt

NOTICES = 40
REVIEWER = Principal(Actor.ACCOUNT, "ann", "ann", ROLE_SCOPES[Role.LEAD], Role.LEAD)
CONSOLE = Principal(Actor.CONSOLE, "", "the console", ROLE_SCOPES[Role.ADMINISTRATOR])
SETTINGS = DeskSettings(undo_seconds=0, ack_hours=24)
LEASES_END = 300.0
"""Seconds after which what a killed worker had is anybody's."""


def print_of(number: int) -> Fingerprint:
    """The fingerprint of the picture that the notice with this number is about."""
    return Fingerprint(FingerprintType.PDQ, hashlib.sha256(b"%d" % number).digest())


def place_of(number: int) -> str:
    """Where that picture is."""
    return f"https://platform.example/p/{number}"


def clock_ahead() -> float:
    """The time when every lease of a killed worker has ended."""
    return time.time() + LEASES_END


class Work:
    """All that is to be done, step by step, each as often as it takes."""

    def __init__(self, home: Home, told: Path, ahead: bool) -> None:
        clock = clock_ahead if ahead else time.time
        self.identity = Identity(home.database, home.path)
        self.outbox = Outbox(home.database, self.identity.secret, clock=clock)
        self.desk = Desk(
            home.database, self.identity, self.outbox, Hosted(home.database), home, SETTINGS
        )
        self.answers = Answers(home.database)
        self.told = told

    def run(self) -> bool:
        """Does what can be done now; whether that was everything."""
        numbers = random.sample(range(NOTICES), NOTICES)
        cases = {number: self.notice(number) for number in numbers}
        for case in cases.values():
            self.decide(case)
        self.desk.tick()
        for copy in set(self.told.read_text().split()):
            self.acknowledge(copy)
        states = [self.desk.view(REVIEWER, case).state for case in cases.values()]
        return all(state == "removed" for state in states)

    def notice(self, number: int) -> str:
        """The case of a notice, which is sent under one `Idempotency-Key` until it is answered."""
        key = f"notice-{number}"
        known = self.answers.find("person", key)
        if known is not None:
            return str(json.loads(known.body)["case"])
        document = {
            "jurisdiction": "US", "role": "self", "statement": "It shows me, and I did not agree.",
            "good_faith": True, "signature": f"Person {number}", "contact": None,
            "locations": [place_of(number)],
            "fingerprints": [{"type": "pdq", "value": print_of(number).hex}],
        }  # fmt: skip

        def answer(connection: Connection, receipt: Receipt) -> None:
            body = json.dumps({"case": receipt.case}).encode()
            earlier = self.answers.store(connection, "person", key, Answer(b"", 201, body))
            assert earlier is None, "one process at a time works here"

        receipt = self.desk.receive(Notice.from_json(document), "", CONSOLE, answer)
        say(done="notice", number=number, case=receipt.case, deadline=receipt.status.deadline)
        return receipt.case

    def decide(self, case: str) -> None:
        """Has the pictures of a case removed."""
        if self.desk.view(REVIEWER, case).state != "open":
            return
        try:
            self.desk.decide(REVIEWER, case, Decision("remove", ("intimate_without_consent",)))
        except CaseStands:
            return  # the decision stands already: it was the answer that was lost
        say(done="decision", case=case)

    def acknowledge(self, copy: str) -> None:
        """Says that the platform has removed a copy."""
        self.desk.acknowledge(CONSOLE, copy, "removed")
        say(done="acknowledgement", copy=copy)


def say(**told: Any) -> None:
    """Prints what was acknowledged, in one piece."""
    os.write(1, json.dumps(told).encode() + b"\n")


def work(folder: Path, told: Path, *, ahead: bool) -> None:
    """Works until everything is done, or until it is killed."""
    done = False
    while not done:
        home = Home(folder)
        all_of_it = Work(home, told, ahead)
        with Worker(all_of_it.outbox):
            while not done:
                try:
                    done = all_of_it.run()
                except StorageError:
                    break  # the database is away for a while
    say(done="everything")


def main() -> None:
    """Begins the work anew for every line: a process that was forked has all modules already."""
    folder, told = Path(sys.argv[1]), Path(sys.argv[2])
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            work(folder, told, ahead="ahead" in line)
            os._exit(0)
        say(began=child)
        os.waitpid(child, 0)
        say(gone=child)


if __name__ == "__main__":
    main()
