"""The reviewers' side: the queue, a case as a whole, claims, notes, what is shown on purpose."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from egide.desk.copies import owned
from egide.desk.events import THE_PERSON, EventKind
from egide.desk.fold import CROWDED, ENDED, FIRST, WAITING, CaseState
from egide.desk.grouping import groups_of
from egide.desk.marks import patterns_of
from egide.desk.means import CLAIM_MILLISECONDS, claimed_by
from egide.desk.notices import MOST_WORDS, text_of
from egide.desk.permitted import permitted
from egide.desk.views import CaseView, CopyView, EventView, Pattern, Pending, Personal
from egide.errors import CaseErased, CaseStands, WrongField
from egide.identity import Principal, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egide.db import Row
    from egide.desk.appeals import Appeals
    from egide.desk.casebook import CaseRow, Writing
    from egide.desk.deciding import Deciding
    from egide.desk.events import Event
    from egide.desk.means import Means
    from egide.desk.queueing import Queue
    from egide.desk.status import Reading

_NEWS: Final = "context.news"
_IN_WORDS: Final = (EventKind.NOTE, EventKind.ESCALATED, EventKind.RETURNED)


class Reviewing:
    """What reviewers see and do beside deciding."""

    def __init__(
        self, means: Means, reading: Reading, deciding: Deciding, appeals: Appeals, queue: Queue
    ) -> None:
        self._means = means
        self._reading = reading
        self._deciding = deciding
        self._appeals = appeals
        self._queue = queue

    def view(self, viewer: Principal, case: str) -> CaseView:
        """A case as this reviewer sees it; NotAllowed, CaseNotFound."""
        row = self._means.for_reviewer(viewer, case)
        with self._means.book.reading() as reading:
            return self._view(reading, viewer, row.number)

    def claim(self, viewer: Principal, case: str) -> CaseView:
        """Takes a case on for half an hour, and anew when it is claimed again; CaseStands."""
        with self._means.book.writing() as writing:
            row, _ = self._means.to_change(writing, viewer, case)
            self._claim(writing, viewer, row.number)
            return self._view(writing, viewer, row.number)

    def release(self, viewer: Principal, case: str) -> CaseView:
        """Leaves a case to others; a lead may do so for anybody."""
        with self._means.book.writing() as writing:
            viewer.require(Scope.CASE_WRITE)
            row, folded = writing.case(self._means.for_reviewer(viewer, case).number)
            holder = claimed_by(folded, writing.now)
            if holder not in (None, viewer.actor) and not viewer.may(Scope.CASE_CONFIRM):
                raise CaseStands("another reviewer has claimed it; a lead can release it")
            if holder is not None:
                writing.append(row.number, EventKind.RELEASED, viewer.actor)
            return self._view(writing, viewer, row.number)

    def next(self, viewer: Principal) -> CaseView | None:
        """Claims the first case of the queue that is free and this reviewer may decide.

        Somebody waits for an open or an appealed case: those come before what was found since, and
        before what the platform has not answered.
        What was returned from the escalation lane is offered to others than whoever escalated it:
        they have said what they think.
        """
        viewer.require(Scope.CASE_WRITE)
        for number in self._queue.numbers(viewer):
            with self._means.book.writing() as writing:
                row, folded = writing.case(number)
                holder = claimed_by(folded, writing.now)
                mine = viewer.actor in folded.deciders and row.state is CaseState.APPEALED
                raised = viewer.actor == _escalated_by(writing.events(number))
                waits = folded.pending is not None or row.state in ENDED
                if holder is None and not (mine or raised or waits) and row.joined is None:
                    self._claim(writing, viewer, number)
                    return self._view(writing, viewer, number)
        return None

    def note(self, viewer: Principal, case: str, words: str) -> CaseView:
        """Adds a note that reviewers see; WrongField."""
        said = text_of(words, "words", MOST_WORDS)
        if not said:
            raise WrongField("words", "write something")
        with self._means.book.writing() as writing:
            row, _ = self._means.to_change(writing, viewer, case)
            writing.append(row.number, EventKind.NOTE, viewer.actor, {}, {"words": said})
            return self._view(writing, viewer, row.number)

    def leave(self, viewer: Principal, case: str, words: str = "") -> CaseView:
        """Leaves copies that were found since the decision as they are: they were looked at."""
        said = text_of(words, "words", MOST_WORDS)
        with self._means.book.writing() as writing:
            states = (CaseState.DECIDED, CaseState.REMOVED)
            row, _ = self._means.to_change(writing, viewer, case, *states)
            left = writing.connection.execute(
                "UPDATE desk_copy SET fresh = 0 WHERE number = ? AND fresh = 1 RETURNING id",
                (row.number,),
            ).fetchall()
            if not left:
                raise CaseStands("nothing was found since the decision")
            told = {"left": sorted(each["id"] for each in left)}
            personal = {"words": said} if said else None
            writing.append(row.number, EventKind.NOTE, viewer.actor, told, personal)
            return self._view(writing, viewer, row.number)

    def reveal(self, viewer: Principal, case: str) -> Personal:
        """Signature and contact; it is an event of the case. CaseErased."""
        with self._means.book.writing() as writing:
            row, _ = self._means.to_change(writing, viewer, case)
            notice = self._reading.notice(writing, row)
            writing.append(row.number, EventKind.REVEALED, viewer.actor)
        order = notice.order
        return Personal(
            signature=notice.signature,
            contact=dict(notice.contact),
            order=None if order is None else asdict(order),
            locations=tuple(each.url or each.content_id or "" for each in notice.locations),
        )

    # ── the case as a whole ─────────────────────────────────────────────────────────────────────

    def _claim(self, writing: Writing, viewer: Principal, number: str) -> None:
        told = {"until": writing.now + CLAIM_MILLISECONDS}
        writing.append(number, EventKind.CLAIMED, viewer.actor, told)

    def _view(self, writing: Writing, viewer: Principal, number: str) -> CaseView:
        row, folded = writing.case(number)
        events = writing.events(number)
        erased = False
        try:
            personal = writing.personal(number)
        except CaseErased:
            personal, erased = {}, True
        locked = row.state is CaseState.ESCALATED
        pending = self._deciding.pending(writing, row, folded)
        appeals = tuple(self._appeals.open(writing, number))
        may, why_not = permitted(viewer, row, folded, pending, writing.now)
        copies = () if locked else self._copies(writing, row)
        if "decide" in may and any(copy.fresh for copy in copies):
            may.add("leave")
        holder = claimed_by(folded, writing.now)
        lacking: tuple[str, ...] = ()
        if row.state is CaseState.INCOMPLETE and not erased:
            lacking = self._reading.status(writing, number).missing
        return CaseView(
            case=number,
            kind=row.kind,
            state=row.state,
            jurisdiction=row.jurisdiction,
            language=events[0].told.get("language", "en"),
            opened=row.opened,
            deadline=row.deadline,
            left=(row.deadline - writing.now) // 1000,
            paused=folded.paused is not None,
            priority=priority_of(row.tier),
            claimant=holder,
            mine=holder == viewer.actor,
            statement="" if locked else _statement(personal),
            words=() if locked else tuple(_notes(events, personal, theirs=True).values()),
            notes={} if locked else _notes(events, personal, theirs=False),
            missing=lacking,
            told=events[0].told,
            copies=copies,
            events=tuple(
                EventView(each.seq, each.at, each.kind, each.actor, each.told) for each in events
            ),
            patterns=() if locked else self._patterns(writing, row),
            pending=pending,
            appeals=() if locked else appeals,
            outcome=self._reading.outcome(writing, row),
            joined_to=row.joined,
            joined=tuple(self._reading.joined(writing, number)),
            marks=marks_of_row(row, pending, events, writing.now),
            may=frozenset(may),
            why_not=why_not,
            erased=erased,
        )

    def _copies(self, writing: Writing, row: CaseRow) -> tuple[CopyView, ...]:
        rows: list[Row] = writing.connection.execute(
            "SELECT * FROM desk_copy WHERE number = ? ORDER BY found, id", (row.number,)
        ).fetchall()
        groups = groups_of(writing, rows)
        own = owned(writing, row)
        return tuple(
            copy_view(each, group, own=each["id"] in own)
            for each, group in zip(rows, groups, strict=True)
        )

    def _patterns(self, writing: Writing, row: CaseRow) -> tuple[Pattern, ...]:
        found = list(patterns_of(writing.connection, row.number))
        if own := owned(writing, row):
            found.append(Pattern("own_work", len(own), 0))
        labels = [label for _, label, _ in writing.events(row.number)[0].told.get("detectors", ())]
        if _NEWS in labels:
            found.append(Pattern("news", 1, 0))
        return tuple(found)


def copy_view(row: Row, group: int, *, own: bool = False) -> CopyView:
    """The copy that a row of `desk_copy` is."""
    evidence: dict[str, Any] = json.loads(row["evidence"])
    return CopyView(
        copy=row["id"],
        content_id=row["content_id"],
        content_url=row["content_url"],
        entry=row["entry"],
        how=row["how"],
        evidence=evidence,
        state=row["state"],
        found_at=row["found"],
        told_at=row["told"],
        due=row["due"],
        ended_at=row["ended"],
        group=group,
        own_work=own,
        fresh=bool(row["fresh"]),
    )


def priority_of(tier: int) -> str:
    """Where a case stands in the queue, in a word."""
    return {FIRST: "first", CROWDED: "crowded"}.get(tier, "usual")


def marks_of_row(
    row: CaseRow, pending: Pending | None, events: Sequence[Event], now: int
) -> frozenset[str]:
    """What is to be seen of a case at a glance; see `QueueRow`."""
    told = events[0].told
    found = {
        "order": told.get("sender") == "authority",
        "agent": told.get("sender") == "agent",
        "flagger": bool(told.get("flagger")),
        "second": pending is not None and pending.effective is None,
        "pending": pending is not None and pending.effective is not None,
        "appeal": row.state is CaseState.APPEALED,
        "late": row.paused is None and row.deadline < now,
        "paused": row.paused is not None,
        "returned": row.state in WAITING
        and any(each.kind is EventKind.RETURNED for each in events),
    }
    return frozenset(mark for mark, holds in found.items() if holds)


def _escalated_by(events: Iterable[Event]) -> str | None:
    """Who escalated a case last."""
    actors = [each.actor for each in events if each.kind is EventKind.ESCALATED]
    return actors[-1] if actors else None


def _statement(personal: dict[int, dict[str, Any]]) -> str:
    said = [each.get("statement", "") for each in personal.values()]
    return next((each for each in reversed(said) if each), "")


def _notes(
    events: Iterable[Any], personal: dict[int, dict[str, Any]], *, theirs: bool
) -> dict[int, str]:
    """What was added in words, by the number of its event: by the person, or by reviewers."""
    return {
        event.seq: str(personal[event.seq]["words"])
        for event in events
        if event.kind in _IN_WORDS
        and (event.actor == THE_PERSON) is theirs
        and personal.get(event.seq, {}).get("words")
    }
