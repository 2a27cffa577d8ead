"""The clock and the state of a case against a plain model of both."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.bank import Home
from egide.desk.events import Event, EventKind, iso
from egide.desk.fold import HOUR, CaseState, begun, fold, step
from egide.desk.notices import More
from tests.unit.desk.office import ANN, BEGUN, ORIGIN, REFUSE, REMOVE, Office

MINUTE = 60_000
MOMENTS = st.datetimes(datetime(2024, 2, 27), datetime(2032, 3, 2), timezones=st.just(UTC)).map(
    lambda moment: int(moment.timestamp()) * 1000
)
STEPS = st.lists(
    st.tuples(
        st.integers(1, 60 * 24 * 9),
        st.sampled_from(["complete", "ask", "claim", "release", "note"]),
    ),
    max_size=12,
)


def event(seq: int, at: int, kind: EventKind, **told: object) -> Event:
    """An event of a case."""
    return Event("EG-2222-2222", seq, at, kind, "person", json.dumps(told))


def received(at: int, hours: int, *, missing: bool, pauses: bool) -> Event:
    """The first event."""
    return event(
        0,
        at,
        EventKind.RECEIVED,
        hours=hours,
        missing=["statement"] if missing else [],
        pauses=["incomplete"] if pauses else [],
        tier=10,
    )


@settings(max_examples=60, deadline=None)
@given(MOMENTS, STEPS, st.booleans(), st.booleans(), st.sampled_from([24, 48]))
def test_the_clock_runs_while_the_desk_can_work(
    at: int, steps: list[tuple[int, str]], missing: bool, pauses: bool, hours: int
) -> None:
    """Plainly: of the minutes since receipt, those do not count in which it stood."""
    events = [received(at, hours, missing=missing, pauses=pauses)]
    standing, stood, now = missing, 0, at
    told: dict[str, object]
    for minutes, what in steps:
        now += minutes * MINUTE
        stood += minutes * MINUTE if standing and pauses else 0
        if what == "complete" and standing:
            kind, told, standing = EventKind.COMPLETED, {}, False
        elif what == "ask":
            kind, told, standing = EventKind.ASKED, {"required": ["statement"]}, True
        elif what == "claim":
            kind, told = EventKind.CLAIMED, {"until": now + HOUR}
        elif what == "release":
            kind, told = EventKind.RELEASED, {}
        else:
            kind, told = EventKind.NOTE, {}
        events.append(event(len(events), now, kind, **told))
    folded = fold(events)
    assert (folded.paused is not None) == (standing and pauses)
    if folded.paused is not None:  # as if the clock went on now
        stood -= now - folded.paused
    assert folded.deadline == at + hours * HOUR + stood
    assert (folded.state is CaseState.INCOMPLETE) == standing


@settings(max_examples=25, deadline=None)
@given(MOMENTS, STEPS, st.integers(0, 12))
def test_where_the_fold_was_cut_makes_no_difference(
    at: int, steps: list[tuple[int, str]], cut: int
) -> None:
    """As after a restart: what is kept is what all events come to, or one more step of it."""
    events = [received(at, 48, missing=True, pauses=True)]
    for minutes, what in steps:
        kind = {"complete": EventKind.COMPLETED, "ask": EventKind.ASKED}.get(what, EventKind.NOTE)
        events.append(
            event(len(events), events[-1].at + minutes * MINUTE, kind, required=["statement"])
        )
    folded = fold(events[: max(1, cut)])
    for each in events[max(1, cut) :]:
        folded = step(folded, each)
    assert folded == fold(events)
    assert begun(events[0]).version == 0


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        ("Europe/Paris", datetime(2026, 3, 28, 12)),  # an hour is left out
        ("Europe/Paris", datetime(2026, 10, 24, 12)),  # an hour comes twice
        ("America/New_York", datetime(2026, 3, 7, 20)),
        ("America/New_York", datetime(2026, 10, 31, 20)),
        ("Europe/London", datetime(2028, 2, 28, 9)),  # a leap day lies between
        ("Pacific/Apia", datetime(2026, 12, 31, 1)),
    ],
)
def test_two_days_are_48_hours_whatever_clocks_on_walls_do(
    zone: str, begins: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        local = begins.replace(tzinfo=ZoneInfo(zone))
        at = int(local.timestamp() * 1000)
        folded = fold([received(at, 48, missing=False, pauses=False)])
        ends = local.astimezone(UTC) + timedelta(hours=48)
        assert iso(folded.deadline) == ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_a_case_without_events_is_none() -> None:
    with pytest.raises(ValueError, match="begins with an event"):
        fold([])


@pytest.mark.both_databases
def test_what_the_queue_sorts_by_is_the_fold_of_the_events(office: Office) -> None:
    receipts = [
        office.notice(signature=f"P {number}", locations=[f"p-{number}"]) for number in range(5)
    ]
    office.removed(receipts[0])
    office.decided(receipts[1], REFUSE)
    office.desk.appeal(receipts[1].case, receipts[1].pin, ORIGIN, "It is me.")
    office.desk.withdraw(receipts[2].case, receipts[2].pin, ORIGIN)
    office.desk.claim(ANN, receipts[3].case)
    office.desk.decide(ANN, receipts[4].case, REMOVE)
    book = office.reopened().book
    for receipt in receipts:
        row, folded = book.row(receipt.case), fold(book.events(receipt.case))
        for name in ("state", "deadline", "paused", "claimant", "pending", "effective", "version"):
            assert getattr(row, name) == getattr(folded, name), name
        assert row.deciders == folded.deciders
        assert (row.found, row.untold) == (len(folded.copies), folded.untold)


def test_the_clock_survives_a_restart(home: Home) -> None:
    first = Office(home)
    receipt = first.notice(jurisdiction="EU", statement=None)
    first.identity.close()
    first.clock += 5 * 3600
    again = first.reopened()
    status = again.add(receipt.case, receipt.pin, ORIGIN, More(statement="It is me."))
    assert status.deadline == int(BEGUN * 1000) + 53 * HOUR
