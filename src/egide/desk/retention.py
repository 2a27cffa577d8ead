"""Retention: what the desk lets go of by a policy, and exactly what that would be today."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from egide.desk.erasing import (
    DAY,
    appealable_until,
    erase,
    settled_state,
    stops_copies,
    unfinished,
)
from egide.desk.events import THE_DESK, EventKind, iso
from egide.desk.fold import CaseState
from egide.errors import CaseErased, CaseNotFound, CaseStands, UsageError

if TYPE_CHECKING:
    from egide.db import Connection, Row
    from egide.desk.casebook import Casebook

Days = Annotated[int, Field(ge=1, le=36_500)]
_KEPT: Final = "days: {other: …}"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Preservation(_Data):
    """For how long nothing of an escalated case goes, at least a year, and why."""

    days: Annotated[int, Field(ge=365, le=36_500)]
    because: Annotated[str, Field(min_length=1, max_length=1000)]


class Rule(_Data):
    """What goes, and when.

    Attributes:
        record: `personal` is what `erase` erases of a case; `case` an erased case altogether;
            `codes` what opened something once and has ended.
        states: of cases: those in these states alone.
        counted: from when days are counted: the last event, or that of the escalation.
        days: how many, by jurisdiction; `other` for those that are not named.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z_-]{0,39}$")]
    record: Literal["personal", "case", "codes"]
    states: tuple[CaseState, ...] = ()
    counted: Annotated[Literal["last", "escalated"], Field(alias="from")] = "last"
    days: dict[Literal["US", "UK", "EU", "FR", "other"], Days]
    because: Annotated[str, Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if "other" not in self.days:
            raise ValueError(f"rule {self.id} lacks {_KEPT}")
        if (self.record in ("personal", "case")) != bool(self.states):
            raise ValueError(f"rule {self.id}: cases have states, and nothing else has")
        if self.record == "case" and set(self.states) != {CaseState.ERASED}:
            raise ValueError(f"rule {self.id}: a case is erased before it goes")
        return self

    def days_of(self, jurisdiction: str) -> int:
        """How many days in this jurisdiction."""
        found = (days for name, days in self.days.items() if name == jurisdiction)
        return next(found, self.days["other"])


class Policy(_Data):
    """The whole of it."""

    version: Literal[1]
    preserve: Preservation
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Due:
    """What is to go by a rule: a case, or so many `rows`. `at`: since when, in ms since 1970."""

    rule: Rule
    case: str | None
    jurisdiction: str | None
    at: int
    rows: int = 1

    def to_json(self) -> dict[str, Any]:
        """One line of `egide desk retention`."""
        told = {
            "rule": self.rule.id,
            "record": self.rule.record,
            "case": self.case,
            "jurisdiction": self.jurisdiction,
            "rows": self.rows,
            "due": iso(self.at),
            "because": " ".join(self.rule.because.split()),
        }
        return {name: value for name, value in told.items() if value is not None}


def read_policy(path: Path | None = None) -> Policy:
    """The policy in a YAML file, or the one that comes with égide; UsageError."""
    import yaml  # noqa: PLC0415  not where the desk is not used

    source = files("egide.desk").joinpath("retention.yaml") if path is None else path
    try:
        return Policy.model_validate(yaml.safe_load(source.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"cannot read {source}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(each) for each in first["loc"])
        raise UsageError(f"{source}: {place}: {first['msg']}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        said = str(error).replace("\n", " ")
        raise UsageError(f"{source} is no YAML: {said}") from None


class Retention:
    """A policy over the cases of `book`. `clock`: seconds since 1970, UTC."""

    def __init__(
        self, book: Casebook, policy: Policy, clock: Callable[[], float] = time.time
    ) -> None:
        self._book = book
        self._policy = policy
        self._clock = clock

    def due(self) -> list[Due]:
        """All that is to go now, in the order of the rules."""
        with self._book.database.read() as connection:
            cases = connection.execute(_CASES, (EventKind.ESCALATED,)).fetchall()
            return [
                each for rule in self._policy.rules for each in self._of(connection, rule, cases)
            ]

    def apply(self) -> Generator[Due]:
        """Lets go of all that is due, one by one, and tells each that is gone.

        What changed meanwhile stays. In the end, also an early one, nothing of it lingers, nor of
        what an earlier run let go of (`Casebook.scrub`). StorageError.
        """
        try:
            for each in self.due():
                if self._apply(each):
                    yield each
        finally:
            self._book.scrub()

    def _of(self, connection: Connection, rule: Rule, cases: Sequence[Row]) -> Iterator[Due]:
        if rule.record in ("personal", "case"):
            yield from self._cases(connection, rule, cases)
            return
        row = connection.execute(
            "SELECT count(*), min(expires) FROM desk_code WHERE expires < ?", (self._ended(rule),)
        ).fetchone()
        if row[0]:
            yield Due(rule, None, None, int(row[1]) + rule.days["other"] * DAY, row[0])

    def _cases(self, connection: Connection, rule: Rule, cases: Sequence[Row]) -> Iterator[Due]:
        """Those of `cases`, rows of `_CASES`, that are to go by this rule."""
        for row in cases:
            if settled_state(row["state"], row["lead"]) not in rule.states:
                continue
            since = row["escalated"] if rule.counted == "escalated" else row["last"]
            at = (since or row["last"]) + rule.days_of(row["jurisdiction"]) * DAY
            if row["escalated"] is not None:
                at = max(at, row["escalated"] + self._policy.preserve.days * DAY)
            if rule.record == "personal" and at <= self._now():
                at = max(at, appealable_until(connection, row["number"]))
            if at > self._now():
                continue
            if rule.record == "case" and stops_copies(connection, row["number"]):
                continue  # whoever sent it may still withdraw it
            if rule.record == "personal" and unfinished(connection, row["number"], self._now()):
                continue
            yield Due(rule, row["number"], row["jurisdiction"], at)

    def _apply(self, due: Due) -> bool:
        if due.rule.record == "personal" and due.case is not None:
            try:
                because = f"retention: {due.rule.id}"
                erase(self._book, due.case, THE_DESK, because, self._policy.preserve.days)
            except (CaseErased, CaseNotFound, CaseStands):
                return False
            return True
        if due.case is not None:
            return self._remove(due.rule, due.case)
        with self._book.database.write() as connection:
            gone = connection.execute(
                "DELETE FROM desk_code WHERE expires < ?", (self._ended(due.rule),)
            )
            return gone.rowcount > 0

    def _remove(self, rule: Rule, number: str) -> bool:
        """Removes an erased case; what happened after its erasure is erased with it.

        False when it went on meanwhile, or is gone: another process may keep the record too.
        """
        with self._book.writing() as writing:
            try:
                row, last = writing.case(number)
            except CaseNotFound:
                return False
            group = [row.joined or number] * 2
            cases = writing.connection.execute(_GROUP, (EventKind.ESCALATED, *group)).fetchall()
            if all(due.case != number for due in self._cases(writing.connection, rule, cases)):
                return False
            if writing.events(number)[last.version].kind is not EventKind.ERASED:
                writing.append(number, EventKind.ERASED, THE_DESK, {"because": "retention"})
            for statement in _CASE:
                writing.connection.execute(statement, (number,))
        return True

    def _ended(self, rule: Rule) -> int:
        return self._now() - rule.days["other"] * DAY

    def _now(self) -> int:
        return int(self._clock() * 1000)


_ROWS: Final = (
    "WITH ends AS (SELECT number, max(at) AS own,"
    " max(CASE WHEN kind <> 'erased' THEN at END) AS at,"
    " max(CASE WHEN kind = ? THEN at END) AS escalated FROM desk_event{} GROUP BY number),"
    # Cases that are decided together go by the last that happened to any of them, but for erasing.
    " grp AS (SELECT coalesce(c.joined, c.number) AS lead, max(e.at) AS at FROM desk_case c"
    " JOIN ends e ON e.number = c.number GROUP BY 1)"
    " SELECT c.number, c.jurisdiction, c.state, j.state AS lead,"
    " CASE WHEN g.at > e.own THEN g.at ELSE e.own END AS last, e.escalated"
    " FROM desk_case c JOIN ends e ON e.number = c.number"
    " JOIN grp g ON g.lead = coalesce(c.joined, c.number)"
    " LEFT JOIN desk_case j ON j.number = c.joined ORDER BY c.opened, c.number"
)
_CASES: Final = _ROWS.format("")
"""All cases in one pass: while it reads, what is withdrawn elsewhere cannot be scrubbed."""
_GROUP: Final = _ROWS.format(
    " WHERE number IN (SELECT number FROM desk_case WHERE number = ? OR joined = ?)"
)
"""Those that are decided with one, and that one."""
_CASE: Final = (
    "DELETE FROM desk_mark WHERE number = ?",
    "DELETE FROM desk_code WHERE number = ?",
    "DELETE FROM desk_judgement WHERE number = ?",
    "DELETE FROM desk_print WHERE number = ?",
    "DELETE FROM desk_entry WHERE number = ?",
    "DELETE FROM desk_copy WHERE number = ?",
    "DELETE FROM desk_event WHERE number = ?",
    "UPDATE desk_case SET joined = NULL WHERE joined = ?",
    "DELETE FROM desk_case WHERE number = ?",
)
"""Leaves of the log and the destroyed keys stay: what they are of is known by them alone."""
