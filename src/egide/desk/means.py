"""What all parts of the desk work with, and the few things they all do."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from egide.desk.casebook import CaseRow, not_found
from egide.desk.fold import ENDED, CaseState, Folded
from egide.desk.numbers import number_of, pin_of
from egide.errors import CaseNotFound, CaseStands
from egide.identity import Principal, Scope
from egide.identity.attempts import Attempts, Pace, neighbourhood
from egide.match import Purpose

if TYPE_CHECKING:
    from egide.bank import Bank, Home
    from egide.bank.open_banks import OpenBanks
    from egide.desk.casebook import Casebook, Writing
    from egide.desk.settings import DeskSettings
    from egide.records import Hosted

NOTICES: Final = "notices"
"""The block bank of what notices were accepted for: disputed until somebody has decided."""
CLEARED: Final = "cleared"
"""The allow bank of what a reviewer found to be no copy."""
OWN_WORK: Final = "own-work"
"""The allow bank of what creators marked as their own."""
PURPOSES: Final = {NOTICES: Purpose.BLOCK, CLEARED: Purpose.ALLOW, OWN_WORK: Purpose.ALLOW}

_NO_PIN: Final = bytes(32)
"""What no PIN has as its digest."""

CLAIM_MILLISECONDS: Final = 30 * 60_000
SENDING: Final = Pace(30, 20)
"""Notices from one network: thirty at once, then three a minute."""
LOOKING: Final = Pace(60, 5)
"""Numbers, PINs and codes tried from one network until one is right."""
GUESSING: Final = Pace(10, 300)
"""PINs tried for one case from one network."""
GUESSED: Final = Pace(100, 60)
"""PINs tried for one case from anywhere: of ten thousand million, half a million a year."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the parts of a desk share."""

    book: Casebook
    settings: DeskSettings
    attempts: Attempts
    home: Home
    banks: OpenBanks
    hosted: Hosted
    _making: threading.Lock = field(default_factory=threading.Lock)
    _held: dict[str, Bank] = field(default_factory=dict)

    def bank(self, name: str) -> Bank:
        """One of the desk's own banks, made when it is not there. Not within a write."""
        with self._making:
            self._held[name] = self.banks.made(name, PURPOSES[name])
            return self._held[name]

    def held(self, name: str) -> Bank:
        """The same within a write, before which `bank` was called."""
        return self._held[name]

    def libraries(self) -> Sequence[Bank]:
        """The banks of what the platform hosts."""
        return self.banks.of(Purpose.LIBRARY)

    def digest(self, purpose: str, text: str) -> bytes:
        """A keyed digest of `text`, 32 bytes, by which equal ones are found."""
        return self.book.secret.digest(f"desk {purpose}", text.encode("utf-8", "replace"))

    # ── who may ──────────────────────────────────────────────────────────────────────────────────

    def by_pin(self, number: str, pin: str, origin: str) -> CaseRow:
        """The case with this number and PIN; CaseNotFound alike for both, TooManyAttempts.

        What is tried is counted before it is looked up, for cases that are not there too, and both
        ways take the same questions.
        """
        case, digits = number_of(number), pin_of(pin)
        self.attempts.count(looks_from(origin), LOOKING)
        here = f"case {case} from {neighbourhood(origin)}"
        self.attempts.count(here, GUESSING)
        self.attempts.count(f"case {case}", GUESSED)
        rows = self.book.database.fetch("SELECT * FROM desk_case WHERE number = ?", (case,))
        kept = bytes(rows[0]["pin"] or _NO_PIN) if rows else _NO_PIN
        if not hmac.compare_digest(kept, self.pin_digest(case, digits)):
            raise CaseNotFound("no case has this number and PIN; look at both again")
        self.attempts.forget(here)
        self.attempts.forget(looks_from(origin))
        return CaseRow.of(rows[0])

    def pin_digest(self, number: str, pin: str) -> bytes:
        """What is kept of a PIN."""
        return self.digest("pin", f"{number} {pin}")

    def for_reviewer(
        self, viewer: Principal, number: str, scope: Scope = Scope.CASE_READ
    ) -> CaseRow:
        """A case that this reviewer may see; NotAllowed, CaseNotFound.

        An escalated case is not there for whoever may not see those.
        """
        viewer.require(scope)
        row = self.book.row(number_of(number))
        if row.state is CaseState.ESCALATED and not viewer.may(Scope.CASE_ESCALATED):
            raise not_found(number)
        return row

    def to_change(
        self,
        writing: Writing,
        viewer: Principal,
        number: str,
        *states: CaseState,
        scope: Scope = Scope.CASE_WRITE,
    ) -> tuple[CaseRow, Folded]:
        """A case that this reviewer may change now; NotAllowed, CaseNotFound, CaseStands.

        CaseStands when it is in none of `states`, or another reviewer has claimed it.
        """
        viewer.require(scope)
        row, folded = writing.case(number_of(number))
        if row.state is CaseState.ESCALATED and not viewer.may(Scope.CASE_ESCALATED):
            raise not_found(number)
        if states and folded.state not in states:
            raise CaseStands(f"it is {folded.state}; this is for {' and '.join(states)} cases")
        holder = claimed_by(folded, writing.now)
        if holder is not None and holder != viewer.actor:
            raise CaseStands("another reviewer has claimed it; take the next, or wait")
        return row, folded


def looks_from(origin: str) -> str:
    """What numbers, PINs and codes that are tried from a network are counted as."""
    return f"cases from {neighbourhood(origin)}"


def claimed_by(folded: Folded, now: int) -> str | None:
    """Who has claimed the case at this time."""
    holds = folded.claimant is not None and (folded.claimed or 0) > now
    return folded.claimant if holds else None


def alive(row: CaseRow) -> bool:
    """Whether the case still stands: not withdrawn, not erased."""
    return row.state not in ENDED
