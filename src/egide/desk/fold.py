"""The state of a case: what its events come to, one after the other. Nothing else changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from egide.desk.events import Event, EventKind

HOUR: Final = 3_600_000
AWAITED: Final = frozenset({"told", "overdue", "refused"})
FIRST: Final = 0
"""Where orders and trusted flaggers stand in the queue."""
USUAL: Final = 10
CROWDED: Final = 20
"""Where further notices of a network stand that has sent many: others' do not wait for them."""


class CaseState(StrEnum):
    """Where a case stands."""

    INCOMPLETE = "incomplete"
    OPEN = "open"
    ESCALATED = "escalated"
    DECIDED = "decided"
    REMOVED = "removed"
    REFUSED = "refused"
    APPEALED = "appealed"
    REVERSED = "reversed"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


WAITING: Final = (CaseState.OPEN, CaseState.APPEALED, CaseState.INCOMPLETE)
"""States in which somebody at the desk has to do something, or may."""
ENDED: Final = (CaseState.WITHDRAWN, CaseState.ERASED)


@dataclass(frozen=True, slots=True)
class Folded:
    """What a case's events come to; times in milliseconds since 1970, UTC.

    Attributes:
        deadline: when the clock ends; of a case whose clock stands, as if it went on at once.
        paused: since when the clock stands.
        pending: the number of the decision that has not taken effect.
        effective: when it does; None while a second reviewer is awaited.
        deciders: who decided so far, or confirmed it.
        held: those of them whose decision took effect: nothing takes it back any more.
        before: the state that an appeal would leave as it is.
        frozen: the state that an escalated case goes back to when it is returned.
        untold: how many copies are told to go and not gone.
        copies: of each copy, by its id, what was said of it last.
    """

    state: CaseState
    opened: int
    deadline: int
    tier: int
    pauses: bool = False
    paused: int | None = None
    claimant: str | None = None
    claimed: int | None = None
    pending: int | None = None
    outcome: str | None = None
    effective: int | None = None
    deciders: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    before: CaseState | None = None
    frozen: CaseState | None = None
    version: int = 0
    untold: int = 0
    copies: dict[str, str] = field(default_factory=dict)


def begun(event: Event) -> Folded:
    """The state after the first event of a case, which is `received`."""
    told = event.told
    incomplete = bool(told.get("missing"))
    pauses = "incomplete" in told.get("pauses", ())
    state = CaseState.INCOMPLETE if incomplete else CaseState.OPEN
    if told.get("escalated"):
        state = CaseState.ESCALATED
    return Folded(
        state=state,
        opened=event.at,
        deadline=event.at + int(told["hours"]) * HOUR,
        tier=int(told["tier"]),
        pauses=pauses,
        paused=event.at if incomplete and pauses else None,
        version=event.seq,
    )


def fold(events: Iterable[Event]) -> Folded:
    """The state after `events`, all of a case in their order; ValueError when there are none."""
    folded: Folded | None = None
    version = 0
    for event in events:
        folded = begun(event) if folded is None else _changed(folded, event)
        version = event.seq
    if folded is None:
        raise ValueError("a case begins with an event")
    return replace(folded, version=version)


def step(case: Folded, event: Event) -> Folded:
    """The state after one more event. It takes over the copies of `case`, of which there may be
    many thousands.
    """
    return replace(_changed(case, event), version=event.seq)


def _changed(case: Folded, event: Event) -> Folded:
    """The state after one more event, but for its version."""
    change = _STEPS.get(event.kind)
    return case if change is None else change(case, event, event.told)


_Step = Callable[[Folded, Event, dict[str, Any]], Folded]


def _completed(case: Folded, event: Event, _: dict[str, Any]) -> Folded:
    """A refusal that has not taken effect is void: it was of a notice that lacked something."""
    stood = 0 if case.paused is None else event.at - case.paused
    return replace(
        case,
        state=CaseState.OPEN,
        paused=None,
        deadline=case.deadline + stood,
        pending=None,
        outcome=None,
        effective=None,
    )


def _asked(case: Folded, event: Event, told: dict[str, Any]) -> Folded:
    if not told.get("required"):
        return case
    paused = case.paused if case.paused is not None else event.at if case.pauses else None
    return replace(_freed(case), state=CaseState.INCOMPLETE, paused=paused)


def _freed(case: Folded) -> Folded:
    return replace(case, claimant=None, claimed=None)


def _claimed(case: Folded, event: Event, told: dict[str, Any]) -> Folded:
    return replace(case, claimant=event.actor, claimed=int(told["until"]))


def _released(case: Folded, _: Event, __: dict[str, Any]) -> Folded:
    return _freed(case)


def _decided(case: Folded, event: Event, told: dict[str, Any]) -> Folded:
    return replace(
        _freed(case),
        pending=event.seq,
        outcome=str(told["outcome"]),
        effective=told.get("effective"),
        deciders=_with(case.deciders, event.actor),
    )


def _confirmed(case: Folded, event: Event, told: dict[str, Any]) -> Folded:
    return replace(
        case, effective=int(told["effective"]), deciders=_with(case.deciders, event.actor)
    )


def _undone(case: Folded, _: Event, told: dict[str, Any]) -> Folded:
    """Whoever takes a decision back has not decided, but for what they decided before."""
    taken = set(told.get("actors", ())) - set(case.held)
    left = tuple(each for each in case.deciders if each not in taken)
    return replace(case, pending=None, outcome=None, effective=None, deciders=left)


_AFTER: Final = {
    "remove": CaseState.DECIDED,
    "refuse": CaseState.REFUSED,
    "confirm": CaseState.DECIDED,
    "deny": CaseState.REFUSED,
}


def _effective(case: Folded, _: Event, told: dict[str, Any]) -> Folded:
    """An appeal that came in the meantime still waits for its own decision.

    Of a case that was decided together with another, whoever decided that one has decided this.
    """
    case = _decided_by(case, told.get("deciders", ()))
    case = replace(case, pending=None, outcome=None, effective=None, held=case.deciders)
    state = case.before if told["outcome"] == "uphold" else _AFTER.get(told["outcome"])
    if case.state is CaseState.APPEALED and told["outcome"] in _AFTER:
        return _settled(replace(case, before=state))
    return _settled(replace(case, state=state or case.state))


def _joined(case: Folded, _: Event, told: dict[str, Any]) -> Folded:
    """A case that leads from now on takes over the copies that were told to go for the one before,
    and what was decided of them.
    """
    if "copies" not in told:
        return case
    case = _decided_by(case, told["deciders"])
    return _said(replace(case, held=case.deciders), told["copies"])


def _settled(case: Folded) -> Folded:
    """`removed` as soon as no copy is awaited any more, also beneath an appeal."""
    appealed = case.state is CaseState.APPEALED
    stands = case.before if appealed else case.state
    if stands is CaseState.DECIDED and not case.untold:
        stands = CaseState.REMOVED
    elif stands is CaseState.REMOVED and case.untold:
        stands = CaseState.DECIDED
    else:
        return case
    return replace(case, before=stands) if appealed else replace(case, state=stands)


def _found(case: Folded, event: Event, told: dict[str, Any]) -> Folded:
    """Copies of the `lead` that this case is decided with are that one's."""
    return case if "lead" in told else _copy("found")(case, event, told)


def _copy(state: str) -> _Step:
    def change(case: Folded, _: Event, told: dict[str, Any]) -> Folded:
        return _said(case, dict.fromkeys(told["copies"], str(told.get("state", state))))

    return change


def _acknowledged(case: Folded, _: Event, told: dict[str, Any]) -> Folded:
    return _said(case, {told["copy"]: str(told["state"])})


def _said(case: Folded, states: Mapping[str, str]) -> Folded:
    """The state after something was said of copies."""
    untold = case.untold
    for copy, state in states.items():
        untold += (state in AWAITED) - (case.copies.get(copy) in AWAITED)
        case.copies[copy] = state
    # Many thousands of uploads that were blocked change nothing else.
    return _settled(case if untold == case.untold else replace(case, untold=untold))


def _appealed(case: Folded, _: Event, __: dict[str, Any]) -> Folded:
    before = case.before if case.state is CaseState.APPEALED else case.state
    return replace(_freed(case), state=CaseState.APPEALED, before=before)


def _appeal_decided(case: Folded, event: Event, told: dict[str, Any]) -> Folded:
    after, held = case.before or case.state, _with(case.held, event.actor)
    if told["outcome"] == "reopen":
        # What is decided by it is a removal, which can be undone.
        after, held = CaseState.OPEN, case.held
    deciders = _with(case.deciders, event.actor)
    return _settled(replace(_freed(case), state=after, before=None, deciders=deciders, held=held))


def _reversed(case: Folded, event: Event, told: dict[str, Any]) -> Folded:
    """Whoever reversed a decision has decided, also of what was decided together with it."""
    ended = _to(CaseState.REVERSED)(case, event, told)
    return replace(
        ended, deciders=_with(ended.deciders, event.actor), held=_with(ended.held, event.actor)
    )


def _to(state: CaseState) -> _Step:
    def change(case: Folded, _: Event, __: dict[str, Any]) -> Folded:
        return replace(
            _freed(case), state=state, pending=None, outcome=None, effective=None, before=None
        )

    return change


def _escalated(case: Folded, event: Event, told: dict[str, Any]) -> Folded:
    frozen = _to(CaseState.ESCALATED)(case, event, told)
    return replace(frozen, frozen=case.state, before=case.before)


def _returned(case: Folded, _: Event, told: dict[str, Any]) -> Folded:
    """As it stood; copies of which nothing was left to find them by are none any more."""
    for copy in told["dropped"]:
        case.copies.pop(copy, None)
    return _settled(replace(_freed(case), state=case.frozen or CaseState.OPEN, frozen=None))


def _decided_by(case: Folded, actors: Iterable[str]) -> Folded:
    for actor in actors:
        case = replace(case, deciders=_with(case.deciders, actor))
    return case


def _with(deciders: tuple[str, ...], actor: str) -> tuple[str, ...]:
    return deciders if actor in deciders else (*deciders, actor)


_STEPS: Final[Mapping[EventKind, _Step]] = {
    EventKind.COMPLETED: _completed,
    EventKind.JOINED: _joined,
    EventKind.ASKED: _asked,
    EventKind.CLAIMED: _claimed,
    EventKind.RELEASED: _released,
    EventKind.DECIDED: _decided,
    EventKind.CONFIRMED: _confirmed,
    EventKind.UNDONE: _undone,
    EventKind.EFFECTIVE: _effective,
    EventKind.FOUND: _found,
    EventKind.TOLD: _copy("told"),
    EventKind.OVERDUE: _copy("overdue"),
    EventKind.RESTORED: _copy("restoring"),
    EventKind.ACKNOWLEDGED: _acknowledged,
    EventKind.APPEALED: _appealed,
    EventKind.APPEAL_DECIDED: _appeal_decided,
    EventKind.REVERSED: _reversed,
    EventKind.WITHDRAWN: _to(CaseState.WITHDRAWN),
    EventKind.ESCALATED: _escalated,
    EventKind.RETURNED: _returned,
    EventKind.ERASED: _to(CaseState.ERASED),
}
