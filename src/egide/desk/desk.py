"""The desk: one object with all that is done at it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from egide.bank.open_banks import OpenBanks
from egide.desk.appeals import Appeals
from egide.desk.asks import AppealDecision, Decision, Filter
from egide.desk.casebook import Casebook
from egide.desk.deciding import Deciding
from egide.desk.escalating import Escalating
from egide.desk.export import exported
from egide.desk.export_proofs import proofs
from egide.desk.figures import figures
from egide.desk.intake import Intake
from egide.desk.looking import Looking
from egide.desk.means import Means
from egide.desk.platform import Platform
from egide.desk.queueing import Queue
from egide.desk.reviewing import Reviewing
from egide.desk.screening import Screening
from egide.desk.searching import Searching
from egide.desk.settings import DeskSettings
from egide.desk.status import Reading
from egide.desk.ticking import Ticking
from egide.desk.upkeep import Upkeep
from egide.desk.views import CaseView, Figure, Page, QueueRow
from egide.desk.works import Works
from egide.errors import LogError, StorageError, UsageError
from egide.identity.attempts import Attempts
from egide.identity.scopes import Scope

if TYPE_CHECKING:
    from egide.bank import Home
    from egide.db import Database
    from egide.identity import Identity, Principal
    from egide.outbox import Outbox
    from egide.records import Hosted

_log: Final = logging.getLogger(__name__)


class Desk:
    """The cases of one home, and what the public, reviewers, the platform and time do to them.

    All methods block, and may be called from any thread. Errors: CaseNotFound, CaseStands when the
    state of a case does not allow something, WrongField, NotAllowed, TooManyAttempts, CaseErased,
    StorageError. What an attribute's own class says of its methods holds here.
    """

    def __init__(
        self,
        database: Database,
        identity: Identity,
        outbox: Outbox,
        hosted: Hosted,
        home: Home,
        settings: DeskSettings | None = None,
        clock: Callable[[], float] = time.time,
        banks: OpenBanks | None = None,
    ) -> None:
        self.settings = settings or DeskSettings.from_environment()
        self.book = Casebook(database, identity.secret, outbox, clock)
        self.means = Means(
            book=self.book,
            settings=self.settings,
            attempts=Attempts(database, identity.secret, clock),
            home=home,
            banks=banks or OpenBanks(home),
            hosted=hosted,
        )
        reading = Reading()
        searching = Searching(self.means, reading)
        intake = Intake(self.means, reading, searching)
        deciding = Deciding(self.means, reading)
        appeals = Appeals(self.means, reading, deciding)
        queue = Queue(self.means)
        looking = Looking(self.means)
        platform = Platform(self.means)
        self._deciding = deciding
        self._appeals = appeals
        self._queue = queue
        self._reviewing = Reviewing(self.means, reading, deciding, appeals, queue)
        self._escalating = Escalating(self.means, reading, searching)
        ticking = Ticking(self.means, searching, deciding, platform, looking)
        # The public.
        self.receive = intake.receive
        self.status = intake.status
        self.add = intake.add
        self.withdraw = intake.withdraw
        self.appeal = intake.appeal
        self.uploader = appeals.uploader
        self.uploader_appeal = appeals.uploader_appeal
        # Reviewers.
        self.counts = queue.counts
        self.view = self._reviewing.view
        self.claim = self._reviewing.claim
        self.release = self._reviewing.release
        self.next = self._reviewing.next
        self.note = self._reviewing.note
        self.leave = self._reviewing.leave
        self.reveal = self._reviewing.reveal
        self.looked = looking.looked
        self.exposure = looking.exposure
        self._look = looking.look
        # The platform, screening, and time.
        self.acknowledge = platform.acknowledge
        works = Works(self.means)
        self.mark_work = works.mark
        self.unmark_work = works.unmark
        self.screening = Screening(self.means)
        self.search = searching.search
        self.tick = ticking.tick
        self.prune = ticking.prune
        self.upkeep = Upkeep(self.book, home.path, clock).step

    def export(self, case: str, pin: str, origin: str) -> dict[str, Any]:
        """All that is held about whoever sent a notice, with proofs that it is in the log.

        `log` has the log's public key and the proofs, as files by their names; None when the log
        cannot be proved from at present. Errors as of `status`; see `exported`.
        """
        held = exported(self.book, self.means.by_pin(case, pin, origin).number)
        try:
            log = proofs(self.book, self.means.home.path, held)
        except (LogError, StorageError, UsageError) as error:
            _log.error("an export has no proofs: %s", error)
            log = None
        return held | {"log": log}

    def queue(
        self,
        viewer: Principal,
        filter: Filter | None = None,  # noqa: A002  the word of pages and addresses
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[QueueRow]:
        """Cases in the order in which they are to be done."""
        return self._queue.page(viewer, filter or Filter(), cursor, limit)

    def decide(self, viewer: Principal, case: str, decision: Decision) -> CaseView:
        """Decides a notice; see `Deciding.decide`."""
        self._deciding.decide(viewer, case, decision)
        return self.view(viewer, case)

    def judge(
        self,
        viewer: Principal,
        case: str,
        confirmed: bool,
        reasons: Sequence[str],
        text: str = "",
    ) -> CaseView:
        """Confirms or denies what screening found; see `Deciding.judge`."""
        self._deciding.judge(viewer, case, confirmed, reasons, text)
        return self.view(viewer, case)

    def undo(self, viewer: Principal, case: str) -> CaseView:
        """Takes a decision back that has not taken effect; see `Deciding.undo`."""
        self._deciding.undo(viewer, case)
        return self.view(viewer, case)

    def confirm(self, viewer: Principal, case: str) -> CaseView:
        """Agrees to a decision as the second reviewer; see `Deciding.confirm`."""
        self._deciding.confirm(viewer, case)
        return self.view(viewer, case)

    def ask(self, viewer: Principal, case: str, elements: Sequence[str], words: str) -> CaseView:
        """Asks the person for more; see `Deciding.ask`."""
        self._deciding.ask(viewer, case, elements, words)
        return self.view(viewer, case)

    def escalate(self, viewer: Principal, case: str, words: str = "") -> CaseView | None:
        """Freezes a case; see `Escalating.escalate`. None for whoever may not see it now."""
        self._escalating.escalate(viewer, case, words)
        return self.view(viewer, case) if viewer.may(Scope.CASE_ESCALATED) else None

    def give_back(self, viewer: Principal, case: str, reason: str, words: str = "") -> CaseView:
        """Returns an escalated case to the queue; see `Escalating.give_back`."""
        self._escalating.give_back(viewer, case, reason, words)
        return self.view(viewer, case)

    def decide_appeal(self, viewer: Principal, case: str, decision: AppealDecision) -> CaseView:
        """Decides the appeals of a case; see `Appeals.decide`."""
        self._appeals.decide(viewer, case, decision)
        return self.view(viewer, case)

    def look(self, viewer: Principal, case: str, copy: str, veiled: bool = True) -> str:
        """A token for one look at a copy; see `Looking.look`."""
        return self._look(viewer, case, copy, veiled=veiled)

    def figures(self, viewer: Principal) -> tuple[Figure, ...]:
        """How often each detector was confirmed and denied, by label."""
        return figures(self.book.database, viewer)
