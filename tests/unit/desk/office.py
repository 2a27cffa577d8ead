"""A desk with a library, people, a clock that is set, and what the platform was told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from egide.bank import Home
from egide.desk.asks import AppealDecision, Decision
from egide.desk.desk import Desk
from egide.desk.notices import Notice
from egide.desk.settings import DeskSettings
from egide.desk.views import CaseView, Receipt
from egide.errors import CaseNotFound, CaseStands, TooManyAttempts
from egide.fingerprint import Fingerprint, FingerprintType
from egide.identity import Identity, Principal, Role, Scope
from egide.identity.scopes import ROLE_SCOPES, Actor
from egide.item import Item
from egide.match import Purpose
from egide.media.fingerprint import fingerprints_of
from egide.outbox import Outbox
from egide.records import Content, Hosted
from egide.testing import neutral_pixels
from tests.pictures import encode

BEGUN = 1_790_000_000.0
PLACE = "https://platform.example/p/1"
ORIGIN = "192.0.2.7"
REMOVE = Decision("remove", ("intimate_without_consent",))
REFUSE = Decision("refuse", ("not_intimate",))


def person(name: str, role: Role = Role.MODERATOR) -> Principal:
    """Somebody with an account."""
    return Principal(Actor.ACCOUNT, name, name, ROLE_SCOPES[role], role)


def key(*scopes: Scope, name: str = "k1") -> Principal:
    """An API key."""
    return Principal(Actor.KEY, name, name, frozenset(scopes))


ANN, BEN = person("ann"), person("ben")
LEAD = person("lea", Role.LEAD)
PLATFORM = key(Scope.COPY_WRITE, name="platform")
FLAGGER = key(Scope.NOTICE_WRITE, name="flagger")
AUTHORITY = key(Scope.NOTICE_WRITE, Scope.ORDER_WRITE, name="authority")


@dataclass
class Told:
    """A message to webhooks."""

    type: str
    data: dict[str, Any]


class Office:
    """A desk in `home`; `clock` is in seconds since 1970."""

    def __init__(self, home: Home, **settings: Any) -> None:
        self.home = home
        self.clock = BEGUN
        self.identity = Identity(home.database, home.path, lambda: self.clock)
        self.outbox = Outbox(home.database, self.identity.secret, clock=lambda: self.clock)
        self.hosted = Hosted(home.database, lambda: self.clock)
        self.settings = DeskSettings(**{"undo_seconds": 60, "ack_hours": 24, **settings})
        there = "library" in [bank.name for bank in home.banks()]
        self.library = home.bank("library") if there else home.create("library", Purpose.LIBRARY)
        self.desk = self.reopened()

    def reopened(self) -> Desk:
        """The desk as another process has it."""
        return Desk(
            self.home.database,
            self.identity,
            self.outbox,
            self.hosted,
            self.home,
            self.settings,
            lambda: self.clock,
        )

    def listen(self) -> None:
        """Adds a webhook for everything."""
        self.outbox.add("https://platform.example/hook", ["*"])

    def told(self, type_: str | None = None) -> list[Told]:
        """What webhooks are told, oldest first."""
        rows = self.home.database.fetch("SELECT type, body FROM message ORDER BY created, id")
        found = [Told(row["type"], json.loads(row["body"])["data"]) for row in rows]
        return [each for each in found if type_ in (None, each.type)]

    def later(self, seconds: float = 61) -> None:
        """Lets time go by, and the desk do what is due."""
        self.clock += seconds
        self.desk.tick()

    # ── hosting ─────────────────────────────────────────────────────────────────────────────────

    def host(self, content_id: str, prints: tuple[Fingerprint, ...]) -> str:
        """Adds a content to the library; its address ends with its id."""
        url = f"https://platform.example/p/{content_id}"
        with self.home.database.write() as connection:
            return self.hosted.add(connection, self.library, Content(content_id, url), prints)

    # ── notices ─────────────────────────────────────────────────────────────────────────────────

    def notice(self, origin: str = ORIGIN, by: Principal | None = None, **changes: Any) -> Receipt:
        """A complete notice of law UK, unless `changes` say otherwise."""
        return self.desk.receive(Notice.from_json(document(**changes)), origin, by)

    def decided(
        self, receipt: Receipt, decision: Decision = REMOVE, by: Principal = ANN
    ) -> CaseView:
        """The case once a decision has taken effect."""
        self.desk.decide(by, receipt.case, decision)
        self.later()
        return self.desk.view(by, receipt.case)

    def removed(self, receipt: Receipt, by: Principal = ANN) -> CaseView:
        """The case once every copy was acknowledged as removed."""
        for copy in self.decided(receipt, by=by).copies:
            if copy.state == "told":
                self.desk.acknowledge(PLATFORM, copy.copy, "removed")
        return self.desk.view(by, receipt.case)

    def state(self, receipt: Receipt) -> str:
        """Where a case stands, as the person is told."""
        return str(self.desk.status(receipt.case, receipt.pin, ORIGIN).state)

    def kinds(self, case: str) -> list[str]:
        """What happened to a case."""
        return [str(event.kind) for event in self.desk.book.events(case)]

    def matches(self, fingerprint: Fingerprint) -> dict[str, str]:
        """The banks of the desk that know a fingerprint, with the states of their entries."""
        found: dict[str, str] = {}
        for bank in self.home.banks():
            if bank.purpose is not Purpose.LIBRARY:
                found |= {each.bank: str(each.state) for each in bank.lookup(fingerprint)}
        return found

    def code(self, copy: str | None = None) -> str:
        """The uploader's code of the last removal, or of that of a copy."""
        told = [each for each in self.told("content.remove") if copy in (None, each.data["copy"])]
        return str(told[-1].data["appeal_url"]).partition("#")[2]


def document(**changes: Any) -> dict[str, Any]:
    """The body of a complete notice; what is set to None is left out."""
    full = {
        "jurisdiction": "UK",
        "role": "self",
        "statement": "It shows me, and I did not agree.",
        "good_faith": True,
        "signature": "Camille Example",
        "locations": [PLACE],
        "fingerprints": [],
        "contact": {"email": "camille@example.org"},
    }
    return {key: value for key, value in {**full, **changes}.items() if value is not None}


def given(fingerprint: Fingerprint) -> dict[str, str]:
    """A fingerprint as a notice has it."""
    return {"type": str(fingerprint.type), "value": fingerprint.hex}


@cache
def picture(seed: int, *, crop: bool = False) -> tuple[Fingerprint, ...]:
    """The fingerprints of a picture of nothing, or of a part of it."""
    pixels = neutral_pixels(seed)
    if crop:
        pixels = np.ascontiguousarray(pixels[60:330, 80:430])
    return fingerprints_of(Item.from_bytes(encode(pixels, "PNG")))


def pdq_of(prints: tuple[Fingerprint, ...]) -> Fingerprint:
    """The PDQ among fingerprints."""
    return next(each for each in prints if each.type is FingerprintType.PDQ)


def let_through(act: Callable[[int], object], most: int = 300) -> int:
    """How often something can be tried, wrong as it is, until it is refused for that alone."""
    for number in range(most):
        try:
            act(number)
        except TooManyAttempts:
            return number
        except (CaseNotFound, CaseStands):
            continue
    return most


UPHOLD = AppealDecision("uphold", ("intimate_without_consent",))
REVERSE = AppealDecision("reverse", ("mistake",))
