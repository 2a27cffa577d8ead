"""What screening tells the desk: copies of what notices are about, and verdicts for a person.

Called in the transaction that stores the verdict, so that neither is there without the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from egide.desk.copies import SCREENED, Found, add_copies, frozen
from egide.desk.events import THE_DESK
from egide.desk.fold import USUAL, CaseState
from egide.desk.means import NOTICES
from egide.desk.numbers import new_number
from egide.errors import AlreadyThere
from egide.verdict import Action

if TYPE_CHECKING:
    from egide.db import Connection
    from egide.desk.casebook import Writing
    from egide.desk.means import Means
    from egide.verdict import Verdict

REVIEW_HOURS: Final = 72
"""The desk's own promise for what screening found: no law sets a clock."""
_ADDS: Final = (
    CaseState.OPEN,
    CaseState.DECIDED,
    CaseState.REMOVED,
    CaseState.APPEALED,
)


class Screening:
    """The way from verdicts to cases."""

    def __init__(self, means: Means) -> None:
        self._means = means

    @staticmethod
    def concerns(verdict: Verdict, content_id: str | None) -> bool:
        """Whether a verdict is to be told to the desk: then its write must be serial."""
        return content_id is not None and verdict.action is not Action.ALLOW

    def screened(
        self,
        connection: Connection,
        verdict: Verdict,
        content_id: str,
        *,
        record: str,
        content_url: str | None = None,
        entry: str | None = None,
    ) -> str | None:
        """Adds what was uploaded to the case that it is a copy for, or begins a case of its own.

        In a serial write. `record` is the id of the verdict's record, `entry` that of the library.
        The case's number; None when there is nothing for a person to do.
        """
        writing = self._means.book.within(connection)
        if verdict.action is Action.ESCALATE:
            return self._begin(writing, verdict, content_id, None, None, record, escalated=True)
        numbers = self._cases(writing, verdict)
        state = "blocked" if verdict.action is Action.BLOCK else None
        for number, evidence in numbers.items():
            copy = Found(_how(evidence), content_id, content_url, entry, evidence)
            add_copies(writing, number, [copy], state=state)
        if numbers or verdict.action is not Action.REVIEW:
            return next(iter(numbers), None)
        return self._begin(writing, verdict, content_id, content_url, entry, record)

    def _cases(self, writing: Writing, verdict: Verdict) -> dict[str, dict[str, Any]]:
        """The cases whose entries a verdict names, with how the upload is like them."""
        found: dict[str, dict[str, Any]] = {}
        for finding in verdict.findings:
            evidence = finding.evidence
            if evidence.get("bank") != NOTICES or evidence.get("silenced") or not finding.score:
                continue
            row = writing.connection.execute(
                "SELECT c.number, c.joined, c.state FROM desk_entry e"
                " JOIN desk_case c ON c.number = e.number WHERE e.entry = ?",
                (evidence.get("entry"),),
            ).fetchone()
            if row is None or row["state"] not in _ADDS:
                continue
            told = {
                key: evidence[key]
                for key in ("method", "distance", "alignment", "coverage", "edit")
                if key in evidence
            }
            found.setdefault(row["joined"] or row["number"], told)
        return found

    def _begin(
        self,
        writing: Writing,
        verdict: Verdict,
        content_id: str,
        content_url: str | None,
        entry: str | None,
        record: str,
        *,
        escalated: bool = False,
    ) -> str:
        """A case for what a person is to look at; the one that is open for it, or that holds it in
        the escalation lane, if there is one.
        """
        state = CaseState.ESCALATED if escalated else CaseState.OPEN
        row = writing.connection.execute(
            "SELECT number FROM desk_case WHERE content_id = ? AND state = ? AND pending IS NULL",
            (content_id, state),
        ).fetchone()
        if row is not None:
            return str(row["number"])
        if not escalated and (held := frozen(writing, content_id)) is not None:
            return held
        told: dict[str, Any] = {
            "hours": REVIEW_HOURS,
            "tier": USUAL,
            "missing": [],
            "sender": "screening",
            "item": str(verdict.kind),
            "rule": verdict.rule,
            "action": str(verdict.action),
            "detectors": [],
            "verdict": record,
        }
        if escalated:
            # The record keeps the item's id, the time and the route, nothing else.
            told = {key: told[key] for key in ("hours", "tier", "missing", "sender", "detectors")}
            told["escalated"] = True
        else:
            told["detectors"] = [
                list(each)
                for each in dict.fromkeys(
                    (f.detector, str(f.label), round(f.score, 3))
                    for f in verdict.findings
                    if f.score > 0
                )
            ]
        while True:
            number = new_number()
            try:
                writing.begin(
                    number,
                    "screening",
                    self._means.settings.jurisdiction,
                    told,
                    actor=THE_DESK,
                    content_id=content_id,
                )
                break
            except AlreadyThere:
                continue
        if not escalated:
            add_copies(writing, number, [Found(SCREENED, content_id, content_url, entry)])
        return number


def _how(evidence: dict[str, Any]) -> str:
    return "similar" if evidence.get("method") in ("local", "sscd") else "identical"
