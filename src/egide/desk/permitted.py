"""What a reviewer can do with a case now, and why not what might be expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egide.desk.fold import ENDED, CaseState
from egide.desk.means import claimed_by
from egide.identity import Principal, Scope

if TYPE_CHECKING:
    from egide.desk.casebook import CaseRow
    from egide.desk.fold import Folded
    from egide.desk.views import Pending

Permitted = tuple[set[str], dict[str, str]]
SECOND: Final = "the second reviewer is another one than the first"
APPEAL: Final = "you decided this case; another reviewer decides the appeal"
_NOTICE: Final = {
    CaseState.OPEN: {"decide", "ask"},
    CaseState.INCOMPLETE: {"decide", "ask"},
    CaseState.DECIDED: {"decide"},  # for copies that were found since
    CaseState.REMOVED: {"decide"},
}


def permitted(
    viewer: Principal, row: CaseRow, folded: Folded, pending: Pending | None, now: int
) -> Permitted:
    """What `viewer` can do, in the words of `CaseView.may`; and of the rest, why not."""
    if not viewer.may(Scope.CASE_WRITE) or row.state in ENDED:
        return set(), {}
    holder = claimed_by(folded, now)
    lead = viewer.may(Scope.CASE_CONFIRM)
    if holder not in (None, viewer.actor):
        return {"release"} if lead else set(), {"claim": "another reviewer has claimed it"}
    may = {"claim", "note"} | ({"release"} if holder else set())
    if row.state is CaseState.ESCALATED:
        return may | ({"return"} if viewer.may(Scope.CASE_ESCALATED) else set()), {}
    may.add("escalate")
    if row.kind == "notice":
        may.add("reveal")
    if viewer.may(Scope.CASE_MEDIA):
        may.add("look")
    if row.joined is not None:
        return may, {"decide": f"it is decided together with {row.joined}"}
    more, why_not = (
        _settled(viewer, row, folded) if pending is None else _waiting(viewer, folded, pending, now)
    )
    return may | more, why_not


def _waiting(viewer: Principal, folded: Folded, pending: Pending, now: int) -> Permitted:
    """Of a decision that has not taken effect."""
    lead = viewer.may(Scope.CASE_CONFIRM)
    late = pending.effective is not None and pending.effective <= now
    may = {"undo"} if not late and (lead or pending.actor == viewer.actor) else set()
    if pending.effective is not None or not lead:
        return may, {}
    if viewer.actor in folded.deciders:
        return may, {"confirm": SECOND}
    return may | {"confirm"}, {}


def _settled(viewer: Principal, row: CaseRow, folded: Folded) -> Permitted:
    """Of a case without a decision that waits."""
    if row.state is CaseState.APPEALED:
        if viewer.actor in folded.deciders:
            return set(), {"decide_appeal": APPEAL}
        return {"decide_appeal"}, {}
    if row.kind == "screening":
        return {"judge"} if row.state is CaseState.OPEN else set(), {}
    return set(_NOTICE.get(row.state, ())), {}
