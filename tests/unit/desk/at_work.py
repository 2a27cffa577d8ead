"""A desk of which the tests of the record need the whole: with people, a platform and a clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from egide.bank import Home
from egide.desk.asks import Decision
from egide.desk.desk import Desk
from egide.desk.notices import Notice
from egide.desk.settings import DeskSettings
from egide.desk.views import Receipt
from egide.identity import Identity, Principal
from egide.identity.scopes import ROLE_SCOPES, Actor, Role
from egide.outbox import Outbox
from egide.records import Hosted

DAY = 86_400
ORIGIN = "192.0.2.1"
NAME, EMAIL, WORDS = "Ann Example", "ann@example.org", "That is me, and I never agreed."
PRINT = "5a" * 32
PLACE = "https://platform.example/p/1"
NOTE = "looks like the one from last week"


@contextmanager
def reading(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Has another process read the database for longer than anybody waits for it."""
    other = sqlite3.connect(home.path / "egide.sqlite")
    with closing(other), monkeypatch.context() as patch:
        patch.setattr("egide.db.sqlite.BUSY_SECONDS", 0.1)
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM desk_case").fetchone()
        with home.database.write():  # takes the shorter patience over
            pass
        yield


def stands(home: Path, value: bytes) -> list[str]:
    """In which files of the home a value stands."""
    return [path.name for path in home.rglob("*") if path.is_file() and value in path.read_bytes()]


class AtWork:
    """A desk by a clock that is set: `clock` is in seconds since 1970."""

    def __init__(self, home: Home) -> None:
        self.clock = 1_700_000_000.0
        self.identity = Identity(home.database, home.path)
        self.outbox = Outbox(home.database, self.identity.secret)
        self.outbox.add("https://platform.example/hook", ["*"])
        self.desk = Desk(
            home.database,
            self.identity,
            self.outbox,
            Hosted(home.database),
            home,
            DeskSettings(undo_seconds=0),
            lambda: self.clock,
        )
        self.book = self.desk.book
        self.lead, self.other = (
            Principal(Actor.ACCOUNT, name, f"Reviewer {name}", ROLE_SCOPES[Role.LEAD], Role.LEAD)
            for name in ("7f3a", "9b1c")
        )

    def later(self, days: float) -> None:
        """Lets time go by."""
        self.clock += days * DAY
        self.desk.tick()

    def notice(self, **changes: Any) -> Receipt:
        """A notice, complete unless `changes` say otherwise."""
        document = {
            "jurisdiction": "EU",
            "role": "self",
            "statement": WORDS,
            "good_faith": True,
            "signature": NAME,
            "locations": [{"url": PLACE}],
            "fingerprints": [{"type": "pdq", "value": PRINT}],
            "contact": {"email": EMAIL},
        }
        return self.desk.receive(Notice.from_json(document | changes), ORIGIN)

    def decide(self, case: str, outcome: str, reason: str) -> None:
        """Claims and decides a case, and lets the decision take effect."""
        self.desk.claim(self.lead, case)
        self.desk.note(self.lead, case, NOTE)
        self.desk.reveal(self.lead, case)
        self.desk.decide(self.lead, case, Decision(outcome, (reason,), "Dear reader."))
        self.later(0.001)

    def removed(self, **changes: Any) -> Receipt:
        """A case whose copies the platform removed."""
        receipt = self.notice(**changes)
        self.decide(receipt.case, "remove", "intimate_without_consent")
        for row in self.book.database.fetch(
            "SELECT id FROM desk_copy WHERE number = ?", (receipt.case,)
        ):
            self.desk.acknowledge(self.platform, row["id"], "removed", "")
        return receipt

    @property
    def platform(self) -> Principal:
        """The platform's key."""
        return Principal(Actor.KEY, "41d0", "platform", ROLE_SCOPES[Role.ADMINISTRATOR])

    def state(self, case: str) -> str:
        """Where a case stands."""
        return str(self.book.row(case).state)

    def close(self) -> None:
        """Closes what the desk was opened with."""
        self.identity.close()
