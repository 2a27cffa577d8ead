"""The pipeline: failures cost only themselves, the escalation lane, one verdict everywhere."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from egide import Item, Scanner, fingerprints_of
from egide.errors import CorruptItem, StorageError, UnreadableItem
from egide.finding import Fault, Finding, Skip
from egide.label import Label
from egide.policy_file import load_policy, parse_policy
from egide.sniff import Kind
from egide.testing import MemoryBank
from egide.verdict import Action, Verdict
from tests import pictures
from tests.unit.detectors import Computed, Scripted, by_length

PNG = pictures.encode(pictures.smooth_noise(seed=1), "PNG")
ITEM = Item.from_bytes(PNG, "upload.png")
KNOWN = Finding("other.v1", Label.NCII_KNOWN, 1.0, {"purpose": "block", "bank": "b"})
MINOR = Finding("lane.v1", Label.MINOR_ESCALATE, 0.4, {"name": "Ada", "frame": 7})
SKIP = Skip("other.v1", "too small")
POLICY = load_policy()
LOWERING = parse_policy('policy: low\nrules:\n- {rule: r, when: {label: "*"}, action: allow}\n')


class Unprintable(Exception):
    """str() of it fails in its turn."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


# ── failures ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad value"),
        KeyError("key"),
        RecursionError("too deep"),
        OSError(5, "Input/output error"),
        StopIteration(),
        AssertionError(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        Unprintable(),
        Exception("two\nlines"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("seen", [(), (KNOWN, SKIP)])
def test_a_detector_that_raises_costs_only_itself(error: Exception, seen: Any) -> None:
    failing = Scripted(seen, error, name="failing.v1")
    before, after = Scripted((KNOWN,), name="before.v1"), Scripted((SKIP,), name="after.v1")
    verdict = Scanner([before, failing, after], POLICY).scan(ITEM)
    assert verdict.findings == (KNOWN, *[one for one in seen if one is KNOWN])
    assert verdict.skipped == (*[one for one in seen if one is SKIP], SKIP)
    (fault,) = verdict.errors
    assert (fault.detector, fault.error) == ("failing.v1", "detector-failed")
    assert "\n" not in fault.message
    assert "please report it" in fault.message
    assert verdict.action is Action.BLOCK


def test_memory_that_runs_out_is_no_fault_of_the_detector() -> None:
    verdict = Scanner([Scripted((), MemoryError(), name="hungry.v1")], POLICY).scan(ITEM)
    (fault,) = verdict.errors
    assert (fault.detector, fault.error) == ("hungry.v1", "too-much-memory")
    assert verdict.action is Action.REVIEW


def test_a_detector_may_give_up_on_an_item() -> None:
    verdict = Scanner([Scripted((SKIP,), CorruptItem("bent"))], POLICY).scan(ITEM)
    assert verdict.errors == (Fault("scripted.v1", "corrupt", "The item is corrupt: bent"),)
    assert (verdict.action, verdict.rule) == (Action.REVIEW, "incomplete")


def test_a_bank_that_cannot_be_used_is_a_failure_but_no_bug() -> None:
    verdict = Scanner([Scripted((), StorageError("b.sqlite: damaged"))], POLICY).scan(ITEM)
    (fault,) = verdict.errors
    assert fault.error == "detector-failed"
    assert fault.message.endswith("The bank's storage cannot be used: b.sqlite: damaged")


@pytest.mark.parametrize("seen", [("words",), (None,), (7,), 3])
def test_a_detector_that_gives_something_else_has_failed(seen: Any) -> None:
    verdict = Scanner([Scripted(seen), Scripted((KNOWN,))], POLICY).scan(ITEM)
    assert [fault.error for fault in verdict.errors] == ["detector-failed"]
    assert verdict.findings == (KNOWN,)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()])
def test_what_ends_the_process_passes(error: BaseException) -> None:
    with pytest.raises(type(error)):
        Scanner([Scripted((), error)], POLICY).scan(ITEM)


def test_a_detector_that_calls_exit_costs_only_itself() -> None:
    verdict = Scanner([Scripted((), SystemExit(7)), Scripted((KNOWN,))], POLICY).scan(ITEM)
    assert [fault.error for fault in verdict.errors] == ["detector-failed"]
    assert verdict.findings == (KNOWN,)


def test_a_label_that_a_detector_has_not_announced_is_kept_and_reported() -> None:
    finding = replace(KNOWN, label=Label.RATING_MISMATCH)
    detector = Scripted((finding,), labels=frozenset({Label.NCII_KNOWN}))
    verdict = Scanner([detector], POLICY).scan(ITEM)
    assert verdict.findings == (finding,)
    assert [fault.error for fault in verdict.errors] == ["detector-failed"]


def test_evidence_that_is_no_json_does_not_cost_the_finding() -> None:
    for evidence in ({"side": float("nan")}, {"side": object()}):
        finding = replace(KNOWN, evidence=evidence)
        (seen,) = Scanner([Scripted((finding,))], POLICY).scan(ITEM).findings
        assert (seen.label, seen.evidence) == (KNOWN.label, {"unprintable": True})


# ── which detectors are asked ───────────────────────────────────────────────────────────────────


def test_only_detectors_that_read_the_kind_are_asked() -> None:
    reads, passes = Scripted(kinds=frozenset({Kind.IMAGE})), Scripted(kinds=frozenset({Kind.TEXT}))
    assert Scanner([passes, reads], POLICY).scan(ITEM).skipped == ()
    assert (reads.asked, passes.asked) == (["upload.png"], [])


def test_content_that_no_detector_reads_is_a_skip() -> None:
    text = Item.from_bytes(b"words", "words.txt")
    verdict = Scanner([Scripted(kinds=frozenset({Kind.IMAGE}))], POLICY).scan(text)
    assert verdict.action is Action.ALLOW
    (skip,) = verdict.skipped
    assert skip == Skip("scan", "no detector reads this content (text)")


def test_an_item_that_cannot_be_opened_is_an_error_and_no_detector_is_asked() -> None:
    asked = Scripted((KNOWN,))
    item = Item.unreadable("gone", UnreadableItem("No such file"))
    verdict = Scanner([asked], LOWERING).scan(item)
    assert asked.asked == []
    assert [fault.error for fault in verdict.errors] == ["unreadable"]
    assert (verdict.action, verdict.rule) == (Action.REVIEW, "incomplete")


# ── the escalation lane ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("policy", [POLICY, LOWERING], ids=["default", "lowering"])
@pytest.mark.parametrize(
    "seen", [(MINOR,), (KNOWN, SKIP, MINOR), (MINOR, KNOWN, Fault("x.v1", "corrupt", "m"), MINOR)]
)
def test_a_suspicion_about_a_minor_freezes_the_verdict(policy: Any, seen: Any) -> None:
    verdict = Scanner([Scripted((KNOWN,)), Scripted(seen)], policy).scan(ITEM)
    assert verdict == Verdict(
        ref="upload.png",
        kind=Kind.IMAGE,
        sha256=None,
        action=Action.ESCALATE,
        rule="minor-escalate",
        policy=policy.id,
        findings=(Finding("lane.v1", Label.MINOR_ESCALATE, 1.0),),
    )
    line = json.dumps(verdict.to_json(reveal=True))
    assert "Ada" not in line
    assert ITEM.sha256 not in line  # type: ignore[operator]


def test_no_other_detector_sees_an_item_in_the_escalation_lane() -> None:
    later = Scripted()
    Scanner([Scripted((MINOR,)), later], POLICY).scan(ITEM)
    assert later.asked == []


def test_the_escalation_survives_a_detector_that_then_fails() -> None:
    verdict = Scanner([Scripted((MINOR,), ValueError("after"))], POLICY).scan(ITEM)
    assert (verdict.action, verdict.errors) == (Action.ESCALATE, ())


def test_an_escalated_verdict_pickles_and_satisfies_the_schema() -> None:
    verdict = Scanner([Scripted((MINOR,))], POLICY).scan(ITEM)
    assert pickle.loads(pickle.dumps(verdict)) == verdict
    schema = Path(__file__).parents[2] / "src/egide/report/verdict.schema.json"
    jsonschema.validate(verdict.to_json(), json.loads(schema.read_text()))


# ── one verdict everywhere ──────────────────────────────────────────────────────────────────────

ITEMS = [Item.from_bytes(b"x" * n, f"item{n}", {"n": str(n)}) for n in range(1, 60)]
COMPUTED = Scanner([Computed(name="computed.v1", look=by_length)], POLICY)


@pytest.mark.parametrize("jobs", [1, 2, 8, None])
def test_verdicts_come_in_the_order_of_the_items_on_any_number_of_threads(
    jobs: int | None,
) -> None:
    assert list(COMPUTED.scan_all(ITEMS, jobs)) == [COMPUTED.scan(item) for item in ITEMS]


def _memory_scanner() -> Scanner:
    bank = MemoryBank("demo")
    bank.add(fingerprints_of(ITEM), ref="case 1")
    return Scanner.with_banks(bank)


def test_a_scanner_pickles_and_gives_the_same_verdicts_in_another_process() -> None:
    scanner = _memory_scanner()
    jpeg = pictures.encode(pictures.smooth_noise(seed=1)[:, ::-1], "JPEG")
    items = [
        ITEM,
        Item.from_bytes(jpeg, "mirrored.jpg"),
        Item.from_bytes(b"words", "words"),
        Item.from_bytes(b"", "empty"),
        Item.unreadable("gone", UnreadableItem("No such file")),
        Item.from_bytes(jpeg[: len(jpeg) // 2], "cut.jpg"),
    ]
    here = [scanner.scan(item) for item in items]
    assert [verdict.action for verdict in here[:3]] == [Action.BLOCK, Action.BLOCK, Action.ALLOW]
    assert list(scanner.scan_all(items, 2)) == here
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert list(pool.map(scanner.scan, items)) == here


def test_a_scan_leaves_nothing_behind_that_changes_the_next() -> None:
    scanner = _memory_scanner()
    assert scanner.scan(ITEM) == scanner.scan(ITEM)
    assert scanner.scan(Item.from_bytes(PNG, "upload.png")) == scanner.scan(ITEM)


def test_withdrawing_an_entry_changes_the_next_verdict() -> None:
    bank = MemoryBank("demo")
    entry = bank.add(fingerprints_of(ITEM))
    scanner = Scanner.with_banks(bank)
    assert scanner.scan(ITEM).action is Action.BLOCK
    bank.withdraw(entry)
    assert scanner.scan(ITEM).action is Action.ALLOW


def test_a_file_over_the_limit_of_bytes_is_an_error_and_known_by_its_digest_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "big.png").write_bytes(PNG)
    bank = MemoryBank("demo")
    bank.add(fingerprints_of(ITEM))
    monkeypatch.setenv("EGIDE_MAX_BYTES", "1000")
    verdict = Scanner.with_banks(bank).scan(Item.from_path(tmp_path / "big.png"))
    assert [fault.error for fault in verdict.errors] == ["too-many-bytes"]
    assert [finding.evidence["method"] for finding in verdict.findings] == ["sha256"]
    assert verdict.action is Action.BLOCK
