"""What the person depicted, or her agent, does: send a notice, look, add, withdraw, appeal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from egide.desk.banking import (
    bank_prints,
    entries_of,
    forget_erased,
    given,
    set_entries,
    taken,
)
from egide.desk.closing import restore_copies
from egide.desk.copies import frozen, prints_of
from egide.desk.events import THE_DESK, THE_PERSON, EventKind
from egide.desk.fold import CROWDED, FIRST, USUAL, CaseState
from egide.desk.handing import hand_on
from egide.desk.laws import laws
from egide.desk.marks import add_marks, crowded, marks_of, same_case
from egide.desk.means import NOTICES, SENDING
from egide.desk.notices import MOST_WORDS, Location, More, Notice, text_of
from egide.desk.numbers import new_number, new_pin
from egide.desk.status import Reading
from egide.desk.views import Receipt, Status
from egide.errors import AlreadyThere, CaseStands, WrongField
from egide.identity import Principal, Scope
from egide.identity.attempts import neighbourhood
from egide.match import EntryState

if TYPE_CHECKING:
    from egide.db import Connection
    from egide.desk.casebook import CaseRow, Writing
    from egide.desk.means import Means
    from egide.desk.searching import Searching
    from egide.fingerprint import Fingerprint

MOST_OF_ONE: Final = 5
"""Notices a day from one network that come in turn; more come behind those of others."""
MOST_ADDED: Final = 50
"""How often something may be added to one case."""

Answer = Callable[["Connection", Receipt], None]


class Intake:
    """The desk's front."""

    def __init__(self, means: Means, reading: Reading, searching: Searching) -> None:
        self._means = means
        self._reading = reading
        self._searching = searching

    def receive(
        self,
        notice: Notice,
        origin: str,
        principal: Principal | None = None,
        answer: Answer | None = None,
    ) -> Receipt:
        """Takes a notice in; what the law requires of it and it lacks, is asked for.

        Without `principal` from anybody, counted by the network of the address `origin`:
        TooManyAttempts. A principal with `notice:write` is a trusted flagger, whose notices come
        first; an order needs `order:write`. `answer` is called in the notice's own transaction.
        """
        means = self._means
        trusted = self._trusted(notice, principal)
        if principal is None:
            means.attempts.count_address(origin, SENDING)
        law = laws()[notice.jurisdiction]
        missing = law.missing(notice)
        prepared = () if missing else self._prepared(notice.locations)
        pin = new_pin()
        with means.book.writing() as writing:
            network = means.digest("origin", neighbourhood(origin))
            many = principal is None and crowded(
                writing.connection, network, writing.now, MOST_OF_ONE
            )
            number = self._begin(
                writing,
                notice,
                pin,
                network,
                actor=THE_PERSON if principal is None else principal.actor,
                told={
                    "sender": str(notice.sender),
                    "missing": list(missing),
                    "hours": law.clock.hours,
                    "pauses": list(law.clock.pauses),
                    "tier": FIRST if trusted else CROWDED if many else USUAL,
                    "flagger": trusted and notice.order is None,
                    "language": notice.language,
                    "locations": len(notice.locations),
                    "fingerprints": len(notice.fingerprints),
                },
            )
            writing.tell("case.received", {"case": number, "jurisdiction": notice.jurisdiction})
            if not missing:
                self._accept(writing, number, notice.fingerprints, prepared)
            receipt = Receipt(number, pin, self._reading.status(writing, number))
            if answer is not None:
                answer(writing.connection, receipt)
        if missing:
            return receipt
        self._searching.search_now(number)
        return replace(receipt, status=self._now(number))

    def status(self, case: str, pin: str, origin: str) -> Status:
        """How a case stands; CaseNotFound for a wrong number and a wrong PIN alike."""
        row = self._means.by_pin(case, pin, origin)
        return self._now(row.number)

    def add(self, case: str, pin: str, origin: str, more: More) -> Status:
        """Adds to a notice; what was missing and is there now, is accepted. CaseStands."""
        means = self._means
        row = means.by_pin(case, pin, origin)
        places = [*self._locations(row), *more.locations]
        prepared = self._prepared(places)
        with means.book.writing() as writing:
            row, _ = writing.case(row.number)
            self._may(writing, row, "add")
            self._added(writing, row, more)
            before = row.state
            missing = self._missing(writing, row)
            if before is CaseState.INCOMPLETE and not missing:
                writing.append(row.number, EventKind.COMPLETED, THE_PERSON, {"missing": []})
                prints = taken(writing.prints(row.number))
                self._accept(writing, row.number, prints, prepared)
            elif before is not CaseState.INCOMPLETE and (more.locations or more.fingerprints):
                self._bank_more(writing, row, more.fingerprints, prepared)
            status = self._reading.status(writing, row.number)
        if status.state is CaseState.INCOMPLETE:
            return status
        self._searching.search_now(row.number)
        return self._now(row.number)

    def withdraw(self, case: str, pin: str, origin: str) -> Status:
        """Takes a notice back: its fingerprints are erased, what was removed is put back."""
        means = self._means
        row = means.by_pin(case, pin, origin)
        with means.book.writing() as writing:
            row, _ = writing.case(row.number)
            self._may(writing, row, "withdraw")
            ordered = self._reading.first(writing, row.number).told["sender"] == "authority"
            kept = hand_on(writing, row, self._reading.joined(writing, row.number))
            gone = set_entries(writing, entries_of(writing, row.number), EntryState.WITHDRAWN)
            writing.forget_prints(row.number)
            reason = "order_lifted" if ordered else "withdrawn"
            writing.append(
                row.number,
                EventKind.WITHDRAWN,
                THE_PERSON,
                {"entries": gone, "reasons": [reason]},
            )
            # Of an erased case nobody knows any more where the copies were.
            if not kept and row.state is not CaseState.ERASED:
                restore_copies(means, writing, row, (reason,))
            writing.set(row.number, search=None)
            told = {"case": row.number, "outcome": "withdraw", "reasons": [reason]}
            writing.tell("case.decided", told)
            status = self._reading.status(writing, row.number)
        forget_erased(means, [NOTICES])
        return status

    def appeal(self, case: str, pin: str, origin: str, words: str) -> Status:
        """Asks that a refusal be looked at by somebody else; CaseStands."""
        said = text_of(words, "words", MOST_WORDS)
        if not said:
            raise WrongField("words", "say in a few words why the decision is wrong")
        row = self._means.by_pin(case, pin, origin)
        with self._means.book.writing() as writing:
            row, _ = writing.case(row.number)
            self._may(writing, row, "appeal")
            writing.append(
                row.number, EventKind.APPEALED, THE_PERSON, {"by": "notifier"}, {"words": said}
            )
            if row.joined is not None:
                # What was decided together is appealed apart: with copies of its own.
                writing.set(row.number, joined=None, search=writing.now)
            status = self._reading.status(writing, row.number)
        if row.joined is None:
            return status
        self._searching.search_now(row.number)
        return self._now(row.number)

    def _now(self, number: str) -> Status:
        with self._means.book.reading() as reading:
            return self._reading.status(reading, number)

    # ── receiving ───────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def _trusted(notice: Notice, principal: Principal | None) -> bool:
        """Whether it comes first; NotAllowed for an order of whoever may give none."""
        if notice.order is not None:
            if principal is None:
                raise WrongField("order", "an authority's order is sent with a key; ask for one")
            principal.require(Scope.ORDER_WRITE)
            return True
        if principal is not None:
            principal.require(Scope.NOTICE_WRITE)
        return principal is not None

    def _begin(
        self,
        writing: Writing,
        notice: Notice,
        pin: str,
        network: bytes,
        *,
        actor: str,
        told: Mapping[str, Any],
    ) -> str:
        means = self._means
        personal = {
            "statement": notice.statement,
            "good_faith": notice.good_faith,
            "declared": sorted(notice.declared),
            "signature": notice.signature,
            "contact": dict(notice.contact),
            "locations": [each.to_json() for each in notice.locations],
        }
        if notice.order is not None:
            order = {"authority": notice.order.authority, "reference": notice.order.reference}
            personal["order"] = order
        while True:
            number = new_number()
            try:
                writing.begin(
                    number,
                    "notice",
                    notice.jurisdiction,
                    told,
                    personal,
                    actor=actor,
                    pin=means.pin_digest(number, pin),
                    origin=network,
                )
                break
            except AlreadyThere:
                continue
        writing.keep_prints(number, given(notice.fingerprints))
        marks = marks_of(
            means,
            signature=notice.signature,
            contact=notice.contact,
            locations=notice.locations,
            fingerprints=notice.fingerprints,
        )
        add_marks(writing.connection, number, marks)
        return number

    def _accept(
        self,
        writing: Writing,
        number: str,
        fingerprints: Sequence[Fingerprint],
        prepared: Sequence[Sequence[Fingerprint]],
    ) -> None:
        """From now on uploads that show the same are looked at by a person."""
        bank = self._means.held(NOTICES)
        entries = bank_prints(
            self._means, writing, number, bank, [fingerprints, *prepared], EntryState.DISPUTED
        )
        writing.append(number, EventKind.ACCEPTED, THE_DESK, {"entries": entries})
        earlier = same_case(writing.connection, number)
        if earlier is not None:
            writing.append(number, EventKind.JOINED, THE_DESK, {"to": earlier})
            writing.set(number, joined=earlier)
        writing.set(earlier or number, search=writing.now)

    def _prepared(self, locations: Sequence[Location]) -> list[list[Fingerprint]]:
        """What the library keeps of the places that a notice names, by entry."""
        self._means.bank(NOTICES)  # made before the write that adds to it
        ids = [each.content_id for each in locations if each.content_id is not None]
        urls = [each.url for each in locations if each.url is not None]
        kept = self._means.hosted.at(ids, urls)
        with self._means.book.reading() as reading:
            held = {
                each.content_id for _, each in kept if frozen(reading, each.content_id) is not None
            }
        return [
            prints_of(self._means, [entry]) for entry, each in kept if each.content_id not in held
        ]

    # ── adding ──────────────────────────────────────────────────────────────────────────────────

    def _added(self, writing: Writing, row: CaseRow, more: More) -> None:
        means = self._means
        added = [
            event
            for event in writing.events(row.number)
            if event.kind is EventKind.NOTE and event.actor == THE_PERSON
        ]
        if len(added) >= MOST_ADDED:
            raise CaseStands(f"something was added {MOST_ADDED} times already; send a new notice")
        personal = {
            "words": more.words,
            "statement": more.statement,
            "signature": more.signature,
            "contact": dict(more.contact),
            "declared": sorted(more.declared),
            "locations": [each.to_json() for each in more.locations],
            "good_faith": more.good_faith,
        }
        told = {
            "added": sorted(key for key, value in personal.items() if value),
            "locations": len(more.locations),
            "fingerprints": len(more.fingerprints),
        }
        since = writing.append(row.number, EventKind.NOTE, THE_PERSON, told, personal).version
        if more.fingerprints:
            kept = writing.prints(row.number)
            there = set(taken(kept))
            # A decision before this event was not about them.
            new = given(each for each in more.fingerprints if each not in there)
            writing.keep_prints(row.number, [*kept, *({**each, "since": since} for each in new)])
        marks = marks_of(
            means,
            signature=more.signature,
            contact=more.contact,
            locations=more.locations,
            fingerprints=more.fingerprints,
        )
        add_marks(writing.connection, row.number, marks)

    def _bank_more(
        self,
        writing: Writing,
        row: CaseRow,
        fingerprints: Sequence[Fingerprint],
        prepared: Sequence[Sequence[Fingerprint]],
    ) -> None:
        """Added to a case that was accepted: looked at by a person, whatever was decided before."""
        bank = self._means.held(NOTICES)
        sets = [fingerprints, *prepared]
        bank_prints(self._means, writing, row.number, bank, sets, EntryState.DISPUTED)
        writing.set(row.joined or row.number, search=writing.now)

    def _missing(self, writing: Writing, row: CaseRow) -> tuple[str, ...]:
        return laws()[row.jurisdiction].missing(self._reading.notice(writing, row))

    def _locations(self, row: CaseRow) -> list[Location]:
        with self._means.book.reading() as reading:
            return list(self._reading.notice(reading, row).locations)

    def _may(self, writing: Writing, row: CaseRow, what: str) -> None:
        """CaseStands when the person cannot do this now."""
        if what not in self._reading.may(writing, row):
            state = self._reading.status(writing, row.number).state
            told = "appealed" if what == "appeal" else f"{what}n" if what == "withdraw" else "added"
            raise CaseStands(f"the case is {state}: nothing can be {told}")
