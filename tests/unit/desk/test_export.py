"""What a person is handed of what is held about her, and what is not hers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from egide.bank import Home
from egide.cli.app import app
from egide.desk import export, export_text
from egide.desk.asks import AppealDecision
from egide.desk.erasing import erase
from egide.desk.export import exported, readable
from egide.desk.log_note import Verifier
from egide.desk.log_proof import InclusionProof
from egide.errors import CaseNotFound
from tests.unit.desk.at_work import EMAIL, NAME, NOTE, ORIGIN, PLACE, PRINT, WORDS, AtWork


@pytest.fixture
def work(home: Home) -> Iterator[AtWork]:
    """A desk that nothing came to yet."""
    made = AtWork(home)
    yield made
    made.close()


def everything(work: AtWork, case: str) -> str:
    """The export in both its forms."""
    held = exported(work.book, case)
    return json.dumps(held, ensure_ascii=False) + readable(held)


@pytest.mark.both_databases
def test_all_that_she_gave_and_was_told_is_there(work: AtWork) -> None:
    receipt = work.removed()
    held = exported(work.book, receipt.case)
    text = readable(held)
    for given in (NAME, EMAIL, WORDS, PLACE, PRINT, "Dear reader."):
        assert given in json.dumps(held)
        assert given in text
    kinds = [each["event"] for each in held["events"]]
    assert kinds[:2] == ["received", "accepted"]
    assert {"effective", "told", "acknowledged", "revealed"} <= set(kinds)
    assert held["stops_copies"]
    assert held["copies"] == {"removed": 1}
    assert [each["leaf"] for each in held["events"]] == sorted(
        each["leaf"] for each in held["events"]
    )


def test_nobody_else_is_in_it(work: AtWork) -> None:
    receipt = work.removed()
    (row,) = work.book.database.fetch("SELECT body FROM message WHERE type = 'content.remove'")
    code = str(row["body"]).partition("/appeal#")[2].partition('"')[0]
    work.desk.uploader_appeal(code, "192.0.2.9", "It is my own picture of Cleo.")
    work.desk.decide_appeal(
        work.other, receipt.case, AppealDecision("uphold", ("not_entitled",), "Dear Cleo.")
    )
    said = everything(work, receipt.case)
    for hidden in ("Cleo", NOTE, "7f3a", "9b1c", "Reviewer", "41d0", ORIGIN):
        assert hidden not in said
    assert exported(work.book, receipt.case)["left_out"]["what others said"] == 4


def test_what_she_added_and_her_own_appeal_are_hers(work: AtWork) -> None:
    receipt = work.notice()
    work.decide(receipt.case, "refuse", "not_intimate")
    work.desk.appeal(receipt.case, receipt.pin, ORIGIN, "Look again, please.")
    work.desk.decide_appeal(
        work.other, receipt.case, AppealDecision("uphold", ("not_intimate",), "Dear Ann.")
    )
    said = everything(work, receipt.case)
    assert "Look again, please." in said
    assert "Dear Ann." in said


def test_it_does_not_tell_of_the_escalation_lane(work: AtWork) -> None:
    receipt = work.notice()
    work.desk.escalate(work.lead, receipt.case, "seems young")
    said = everything(work, receipt.case)
    assert "escalat" not in said
    assert "young" not in said
    assert exported(work.book, receipt.case)["state"] == "open"


def test_other_places_are_counted_and_not_named(work: AtWork) -> None:
    receipt = work.notice()
    with work.book.writing() as writing:
        writing.connection.execute(
            "UPDATE desk_copy SET content_url = 'https://platform.example/p/elsewhere',"
            " how = 'similar'"
        )
    said = everything(work, receipt.case)
    assert "elsewhere" not in said
    assert '"copies": {"found": 1}' in said


def test_of_an_erased_case_there_is_nothing_to_hand_over(work: AtWork) -> None:
    receipt = work.removed(language="fr")
    work.later(184)
    erase(work.book, receipt.case, "console", "on request")
    held = exported(work.book, receipt.case)
    assert held["erased"]
    assert held["fingerprints"] == []
    assert held["digests"] == {}
    said = everything(work, receipt.case)
    for gone in (NAME, EMAIL, WORDS, PLACE, PRINT):
        assert gone not in said
    assert "Ce que vous nous avez donné a été effacé." in said


def test_every_event_that_can_be_in_it_has_words() -> None:
    assert {str(kind) for kind in export._OURS} | {"note"} == set(export_text._EVENTS)


def test_lines_in_what_she_wrote_stay_within_it(work: AtWork) -> None:
    receipt = work.notice(statement="one\ntwo: three")
    lines = readable(exported(work.book, receipt.case)).splitlines()
    assert "    What you said: one" in lines
    assert "    What you said: two: three" in lines


def test_a_case_that_is_none_is_told(work: AtWork) -> None:
    with pytest.raises(CaseNotFound):
        exported(work.book, "EG-9999-9999")


def test_the_command_writes_both_and_the_proofs(home: Home, work: AtWork, tmp_path: Path) -> None:
    receipt = work.removed()
    folder = tmp_path / "out"
    command = ["desk", "export", receipt.case, "--home", str(home.path)]
    assert CliRunner().invoke(app, [*command, "--out", str(folder)]).exit_code == 0
    held = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    again = json.loads(CliRunner().invoke(app, command).stdout)
    *before, opened = again["events"]
    assert (again | {"events": before}) == held
    assert opened["event"] == "revealed", "every export is told by the next"
    assert NAME in (folder / "case.txt").read_text(encoding="utf-8")
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    key = (folder / "log.pub").read_text().strip()
    proofs = sorted(folder.glob("*.tlog-proof"))
    assert len(proofs) == len(held["events"])
    for proof in proofs:
        given = InclusionProof.parse(proof.read_text(encoding="utf-8"))
        assert given.check([Verifier.parse(key)])[0]["case"] == receipt.case


def test_the_command_leaves_a_trace_and_says_nothing_of_an_escalated_case(
    home: Home, work: AtWork
) -> None:
    receipt = work.notice()
    command = ["desk", "export", receipt.case, "--home", str(home.path)]
    held = json.loads(CliRunner().invoke(app, command).stdout)
    assert held["events"][-1]["event"] == "revealed"
    last = work.book.events(receipt.case)[-1]
    assert (last.kind, last.actor) == ("revealed", "console")
    work.desk.escalate(work.lead, receipt.case)
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert "nothing of it is exported" in refused.stderr
    rows = home.database.fetch("SELECT actor, object FROM audit WHERE action = 'case.export'")
    assert [tuple(row) for row in rows] == [("console", f"case:{receipt.case}")]


def test_an_export_of_an_erased_case_opens_nothing_and_is_in_the_audit_log_alone(
    home: Home, work: AtWork
) -> None:
    receipt = work.notice()
    work.desk.withdraw(receipt.case, receipt.pin, ORIGIN)
    erase(work.book, receipt.case, "console", "on request")
    command = ["desk", "export", receipt.case, "--home", str(home.path)]
    assert json.loads(CliRunner().invoke(app, command).stdout)["erased"]
    assert work.book.events(receipt.case)[-1].kind == "erased"
    (row,) = home.database.fetch("SELECT outcome FROM audit WHERE action = 'case.export'")
    assert row["outcome"] == "granted"
