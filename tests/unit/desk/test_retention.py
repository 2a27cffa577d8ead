"""What the desk lets go of: by its policy, and on request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from egide.bank import Home
from egide.cli.app import app
from egide.db.sqlite import SqliteDatabase
from egide.desk.asks import Decision
from egide.desk.erasing import erase
from egide.desk.log_verify import verify
from egide.desk.retention import Policy, Retention, read_policy
from egide.errors import CaseErased, CaseStands, UsageError
from tests.unit.desk import office as desks
from tests.unit.desk.at_work import (
    EMAIL,
    NAME,
    ORIGIN,
    PLACE,
    PRINT,
    WORDS,
    AtWork,
    reading,
    stands,
)

PLACES = [{"url": "https://platform.example/p/2"}]
OTHER = {"locations": PLACES, "fingerprints": [], "signature": "Bo", "contact": None}


@pytest.fixture
def work(home: Home) -> Iterator[AtWork]:
    """A desk that nothing came to yet."""
    made = AtWork(home)
    yield made
    made.close()


def retention(work: AtWork, policy: Policy | None = None) -> Retention:
    return Retention(work.book, policy or read_policy(), lambda: work.clock)


def due(work: AtWork) -> list[tuple[str, str]]:
    """The cases that are due, with the rule."""
    return [(each.rule.id, each.case) for each in retention(work).due() if each.case]


def holds(work: AtWork) -> bool:
    with work.book.database.read() as connection:
        return verify(connection, work.book.keys, [], []).troubles == []


@pytest.mark.both_databases
def test_a_removed_case_goes_when_its_time_has_come_and_goes_on_stopping_copies(
    work: AtWork,
) -> None:
    receipt = work.removed()
    assert work.state(receipt.case) == "removed"
    work.later(364)
    assert due(work) == []
    work.later(1.1)
    assert due(work) == [("removed", receipt.case)]
    assert due(work) == [("removed", receipt.case)], "saying so changes nothing"
    assert receipt.case in [gone.case for gone in retention(work).apply()]
    assert due(work) == []
    assert work.state(receipt.case) == "erased"
    assert holds(work)
    with pytest.raises(CaseErased), work.book.reading() as reading:
        reading.personal(receipt.case)
    (entry,) = work.book.database.fetch(
        "SELECT state FROM entry WHERE seq IN (SELECT entry FROM fingerprint)"
    )
    assert entry["state"] == "active"
    (row,) = work.book.database.fetch("SELECT content_id, content_url, evidence FROM desk_copy")
    assert tuple(row) == (None, None, "{}")
    assert work.book.database.fetch("SELECT 1 FROM desk_mark") == []
    # The person can still see that it is erased, by number and PIN.
    assert work.desk.status(receipt.case, receipt.pin, ORIGIN).state == "erased"


def test_who_was_erased_can_still_withdraw_what_stops_copies(work: AtWork) -> None:
    receipt = work.removed()
    work.later(366)
    list(retention(work).apply())
    status = work.desk.status(receipt.case, receipt.pin, ORIGIN)
    assert status.may == {"withdraw"}
    told = len(work.book.database.fetch("SELECT 1 FROM message WHERE type = 'content.restore'"))
    assert work.desk.withdraw(receipt.case, receipt.pin, ORIGIN).state == "withdrawn"
    assert work.book.database.fetch("SELECT 1 FROM fingerprint WHERE type = 'pdq'") == []
    after = work.book.database.fetch("SELECT 1 FROM message WHERE type = 'content.restore'")
    assert len(after) == told
    assert holds(work)
    work.later(31)
    assert due(work) == [("withdrawn", receipt.case)]
    list(retention(work).apply())
    assert work.desk.status(receipt.case, receipt.pin, ORIGIN).may == frozenset()
    assert holds(work)


def test_nothing_is_erased_while_an_uploader_can_appeal(work: AtWork) -> None:
    receipt = work.removed()
    with pytest.raises(CaseStands, match="can appeal until"):
        erase(work.book, receipt.case, "console", "on request")
    quick = read_policy().model_dump(by_alias=True)
    for rule in quick["rules"]:
        rule["days"] = {"other": 1}
    policy = Policy.model_validate(quick)
    work.later(182)
    assert retention(work, policy).due() == []
    work.later(1.1)
    assert [each.case for each in retention(work, policy).due()] == [receipt.case]


def test_each_jurisdiction_has_its_time(work: AtWork) -> None:
    receipt = work.removed(jurisdiction="US")
    work.later(380)
    assert due(work) == []
    work.later(16)
    assert due(work) == [("removed", receipt.case)]


def test_an_open_case_never_goes(work: AtWork) -> None:
    receipt = work.notice()
    work.later(4000)
    assert due(work) == []
    with pytest.raises(CaseStands, match="needed still"):
        erase(work.book, receipt.case, "console", "on request")


def test_an_incomplete_case_and_a_withdrawn_one_go(work: AtWork) -> None:
    incomplete = work.notice(signature="", statement="")
    withdrawn = work.notice(**OTHER)
    work.desk.withdraw(withdrawn.case, withdrawn.pin, ORIGIN)
    work.later(31)
    assert due(work) == [("withdrawn", withdrawn.case)]
    work.later(60)
    assert sorted(due(work)) == [("incomplete", incomplete.case), ("withdrawn", withdrawn.case)]
    assert len(list(retention(work).apply())) == 2
    assert holds(work)


def test_a_refused_case_outlives_the_time_to_appeal(work: AtWork) -> None:
    receipt = work.notice()
    work.decide(receipt.case, "refuse", "not_intimate")
    work.later(183)
    assert due(work) == []
    assert "appeal" not in work.desk.status(receipt.case, receipt.pin, ORIGIN).may
    work.later(33)
    assert due(work) == [("refused", receipt.case)]


def test_an_escalated_case_is_preserved_for_a_year_whatever_anybody_asks(work: AtWork) -> None:
    receipt = work.notice()
    work.desk.escalate(work.lead, receipt.case)
    work.later(364)
    assert due(work) == []
    with pytest.raises(CaseStands, match="preserved for 365 days"):
        erase(work.book, receipt.case, "console", "on request")
    work.later(1.1)
    assert due(work) == [("escalated", receipt.case)]
    longer = Policy.model_validate(
        {
            **read_policy().model_dump(by_alias=True),
            "preserve": {"days": 730, "because": "An order."},
        }
    )
    assert retention(work, longer).due() == []
    assert list(retention(work, longer).apply()) == []


def test_cases_that_are_decided_together_go_together(work: AtWork) -> None:
    lead = work.notice()
    follower = work.notice()
    assert work.book.row(follower.case).joined == lead.case
    work.later(400)
    assert due(work) == []
    work.decide(lead.case, "remove", "intimate_without_consent")
    for row in work.book.database.fetch("SELECT id FROM desk_copy"):
        work.desk.acknowledge(work.platform, row["id"], "removed", "")
    work.later(366)
    assert sorted(due(work)) == sorted([("removed", lead.case), ("removed", follower.case)])
    erase(work.book, lead.case, "console", "on request")
    assert due(work) == [("removed", follower.case)]
    assert follower.case in [each.case for each in retention(work).apply()]


def test_an_erased_case_goes_altogether_when_it_stops_no_copies(work: AtWork) -> None:
    stopping = work.removed()
    withdrawn = work.notice(**OTHER)
    work.desk.withdraw(withdrawn.case, withdrawn.pin, ORIGIN)
    work.later(366)
    assert {each.case for each in retention(work).apply()} > {stopping.case, withdrawn.case}
    work.later(1096)
    assert due(work) == [("erased", withdrawn.case)]
    list(retention(work).apply())
    held = work.book.database.fetch("SELECT number FROM desk_case")
    assert [row["number"] for row in held] == [stopping.case]
    assert holds(work)
    with work.book.database.read() as connection:
        found = verify(connection, work.book.keys, [], [])
    assert found.opened == 2, "the two erasures"


def test_nothing_of_an_erased_person_stands_in_any_file(home: Home, work: AtWork) -> None:
    receipt = work.removed()
    work.later(184)
    sealed = [
        bytes(row["sealed"])
        for table in ("case_key", "desk_print")
        for row in home.database.fetch(f"SELECT sealed FROM {table}")
    ]
    places = PLACE.encode()
    assert stands(home.path, places)
    erase(work.book, receipt.case, "console", "on request")
    home.database.scrub()
    for value in [*sealed, NAME.encode(), EMAIL.encode(), WORDS.encode()]:
        assert not stands(home.path, value)


def test_a_case_that_went_on_meanwhile_stays(work: AtWork) -> None:
    receipt = work.notice()
    work.decide(receipt.case, "refuse", "not_intimate")
    work.later(216)
    going = retention(work).apply()
    with work.book.writing() as writing:  # as if an appeal came in the same moment
        writing.set(receipt.case, state="appealed")
    assert list(going) == []
    assert work.state(receipt.case) == "appealed"


@pytest.mark.both_databases
def test_what_another_process_removed_or_was_withdrawn_meanwhile_is_passed_over(
    work: AtWork,
) -> None:
    receipts = [work.notice(**{**OTHER, "signature": f"Bo {n}"}) for n in range(4)]
    for receipt in receipts:
        work.desk.withdraw(receipt.case, receipt.pin, ORIGIN)
    work.later(31)
    list(retention(work).apply())
    work.later(1096)
    wanted = [case for rule, case in due(work) if rule == "erased"]
    assert len(wanted) == 4
    going = (each.case for each in retention(work).apply() if each.case)
    first, removed, withdrawn, last = wanted
    assert next(going) == first
    other = retention(work).apply()
    assert next(other).case == removed
    with work.book.writing() as writing:  # as if the person had come to it
        writing.set(withdrawn, state="withdrawn")
    assert list(going) == [last]
    assert list(other) == []
    (row,) = work.book.database.fetch("SELECT number FROM desk_case")
    assert row["number"] == withdrawn
    assert holds(work)


def test_looking_for_what_is_due_takes_one_pass(home: Home, work: AtWork) -> None:
    """What is read in one transaction keeps others from scrubbing: not so for each of all cases."""
    database = home.database
    assert isinstance(database, SqliteDatabase)
    receipt = work.notice()
    rows = {
        table: [dict(row) for row in home.database.fetch(f"SELECT * FROM {table}")]
        for table in ("desk_case", "desk_event")
    }
    assert {row["number"] for row in rows["desk_event"]} == {receipt.case}
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1

    def steps(cases: range) -> int:
        nonlocal counted
        with home.database.write() as connection:
            for number in cases:
                for table, like in rows.items():
                    for row in like:
                        other = row | {"number": f"EG-{number}"}
                        marks = ", ".join("?" * len(other))
                        connection.execute(
                            f"INSERT INTO {table} ({', '.join(other)}) VALUES ({marks})",
                            tuple(other.values()),
                        )
        counted = 0
        database.connection.set_progress_handler(count, 100)
        retention(work).due()
        database.connection.set_progress_handler(None, 0)
        return counted

    few = steps(range(100))
    assert steps(range(100, 800)) < 16 * few, "of eight times as many cases"


# ── what is being worked on ─────────────────────────────────────────────────────────────────────


def test_a_case_with_copies_that_somebody_is_to_decide_on_is_not_erased(home: Home) -> None:
    work = desks.Office(home, second_from=0)
    prints = desks.picture(1)
    work.host("1", prints)
    receipt = work.notice(fingerprints=[desks.given(desks.pdq_of(prints))])
    follower = work.notice(fingerprints=[desks.given(desks.pdq_of(prints))])
    assert work.desk.book.row(follower.case).joined == receipt.case
    work.desk.decide(desks.ANN, receipt.case, desks.REMOVE)
    work.desk.confirm(desks.LEAD, receipt.case)
    work.later()
    for copy in work.desk.view(desks.ANN, receipt.case).copies:
        work.desk.acknowledge(desks.PLATFORM, copy.copy, "removed")
    keeping = Retention(work.desk.book, read_policy(), lambda: work.clock)

    def stays(because: str) -> None:
        for number in (receipt.case, follower.case):
            with pytest.raises(CaseStands, match=f"{because}.*;") as error:
                erase(work.desk.book, number, "console", "on request")
            assert receipt.case in str(error.value)
        assert [each.case for each in keeping.due() if each.case] == []

    work.clock += 800 * 86_400
    assert {receipt.case, follower.case} <= {each.case for each in keeping.due()}
    work.host("9", desks.picture(1, crop=True))
    work.desk.search(receipt.case)
    work.clock += 800 * 86_400
    stays("copies were found")
    work.desk.claim(desks.ANN, receipt.case)
    stays("somebody has claimed")
    fresh = tuple(
        copy.copy for copy in work.desk.view(desks.ANN, receipt.case).copies if copy.fresh
    )
    assert fresh
    reasons = ("intimate_without_consent",)
    work.desk.decide(desks.ANN, receipt.case, Decision("remove", reasons, "", fresh))
    work.clock += 800 * 86_400
    stays("a decision on")
    work.identity.close()


def test_a_case_is_not_erased_before_its_copies_are_back(home: Home) -> None:
    work = desks.Office(home)
    prints = desks.picture(1)
    work.host("1", prints)
    receipt = work.notice(fingerprints=[desks.given(desks.pdq_of(prints))])
    work.removed(receipt)
    work.desk.withdraw(receipt.case, receipt.pin, ORIGIN)
    with pytest.raises(CaseStands, match="the platform has not answered"):
        erase(work.desk.book, receipt.case, "console", "on request")
    (row,) = home.database.fetch("SELECT id FROM desk_copy")
    work.desk.acknowledge(desks.PLATFORM, row["id"], "restored")
    work.clock += 200 * 86_400
    erase(work.desk.book, receipt.case, "console", "on request")
    work.identity.close()


# ── policies ────────────────────────────────────────────────────────────────────────────────────


def test_the_policy_that_ships_gives_every_rule_a_reason() -> None:
    policy = read_policy()
    assert policy.preserve.days >= 365
    assert all(rule.because for rule in policy.rules)
    assert {state for rule in policy.rules for state in rule.states} == {
        "withdrawn",
        "incomplete",
        "refused",
        "reversed",
        "removed",
        "escalated",
        "erased",
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("days: 365", "days: 364", "preserve.days"),
        ("{other: 30}", "{EU: 30}", "lacks days"),
        ("{other: 30}", "{other: 0}", "greater than or equal to 1"),
        ("states: [withdrawn]", "states: []", "cases have states"),
        ("states: [withdrawn]", "states: [gone]", "rules.1.states.0"),
        ("states: [erased]", "states: [open]", "erased before it goes"),
        ("record: personal", "record: everything", "record"),
        ("version: 1", "version: 2", "version"),
        ("version: 1", "version: 1\nmore: 2", "more"),
        ("version: 1", "version: [", "no YAML"),
        ("version: 1", "version: !!python/object:os.system 1", "no YAML"),
    ],
)
def test_a_policy_that_is_wrong_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    shipped = files("egide.desk").joinpath("retention.yaml").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(shipped.replace(old, new, 1))
    with pytest.raises(UsageError, match=said) as error:
        read_policy(path)
    assert "mine.yaml" in str(error.value)
    assert "\n" not in str(error.value)


# ── commands ────────────────────────────────────────────────────────────────────────────────────


def egide(home: Home, *args: str) -> Result:
    return CliRunner().invoke(app, ["desk", *args, "--home", str(home.path)])


def test_commands_say_what_would_go_and_let_go_of_it(home: Home, work: AtWork) -> None:
    work.clock -= 10 * 365 * 86_400  # years before the command's own clock
    receipt = work.removed()
    dry = egide(home, "retention", "--dry-run")
    codes, said = map(json.loads, dry.stdout.splitlines())
    assert (codes["record"], codes["rows"]) == ("codes", 1)
    assert (said["rule"], said["case"], said["jurisdiction"]) == ("removed", receipt.case, "EU")
    assert "art. 20(1)" in said["because"]
    assert work.state(receipt.case) == "removed"
    done = egide(home, "retention", "--apply")
    assert done.stdout == dry.stdout
    assert work.state(receipt.case) == "erased"
    for wrong in ([], ["--dry-run", "--apply"]):
        assert egide(home, "retention", *wrong).exit_code == 2


def test_a_command_erases_on_request(home: Home, work: AtWork) -> None:
    receipt = work.notice()
    refused = egide(home, "erase", receipt.case)
    assert refused.exit_code == 2
    assert refused.stderr.count("\n") == 1
    work.desk.withdraw(receipt.case, receipt.pin, ORIGIN)
    assert egide(home, "erase", receipt.case.lower()).exit_code == 0
    assert work.state(receipt.case) == "erased"
    assert egide(home, "erase", receipt.case).exit_code == 2
    assert egide(home, "erase", "EG-9999-9999").exit_code == 2
    assert egide(home, "log", "verify").exit_code == 0
    assert PRINT not in egide(home, "export", receipt.case).stdout


@pytest.mark.parametrize("command", [("erase",), ("retention", "--apply")])
def test_a_command_that_is_given_again_scrubs_what_it_could_not(
    home: Home, work: AtWork, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    receipt = work.notice()
    work.desk.withdraw(receipt.case, receipt.pin, ORIGIN)
    args = [*command, receipt.case] if command == ("erase",) else command
    (row,) = home.database.fetch("SELECT sealed FROM case_key")
    with reading(home, monkeypatch):
        refused = egide(home, *args)
        assert refused.exit_code == 2
        assert "do it again when that process has ended" in refused.stderr
    assert work.state(receipt.case) == "erased"
    assert stands(home.path, bytes(row["sealed"]))
    egide(home, *args)
    assert not stands(home.path, bytes(row["sealed"]))
