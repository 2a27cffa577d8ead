from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from egide.errors import UsageError
from egide.finding import Fault, Skip
from egide.policy_file import load_policy
from egide.report import Baseline
from egide.report.baseline import finding_digest
from egide.verdict import Action, Verdict
from tests.report_samples import (
    HOSTILE_REFS,
    blocked,
    escalated,
    match,
    one_of_each,
    plain,
    report,
    silenced,
)

POLICY = load_policy()

Load = Callable[..., Baseline]


@pytest.fixture
def baseline_of(tmp_path: Path) -> Load:
    def load(*verdicts: Verdict) -> Baseline:
        path = tmp_path / "earlier.jsonl"
        path.write_text(report("jsonl", verdicts), encoding="utf-8")
        return Baseline.load(path)

    return load


def test_a_finding_seen_before_is_left_out_and_the_policy_decides_anew(baseline_of: Load) -> None:
    known = blocked("earlier/name.jpg")
    stripped, suppressed = baseline_of(known).strip(blocked("new/name.jpg"), POLICY, {})
    assert suppressed == 1
    assert (stripped.action, stripped.rule, stripped.findings) == (Action.ALLOW, "baseline", ())
    assert stripped.ref == "new/name.jpg"


def test_a_last_line_cut_off_by_a_kill_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "base.jsonl"
    line = json.dumps(blocked("a").to_json())
    file.write_text(f"{line}\n{line[:40]}", encoding="utf-8")
    assert len(Baseline.load(file)) == 1


def test_a_new_finding_beside_a_known_one_still_decides(baseline_of: Load) -> None:
    old, new = match(), match(entry="another")
    stripped, suppressed = baseline_of(blocked("a", old)).strip(blocked("a", old, new), POLICY, {})
    assert (stripped.action, stripped.findings, suppressed) == (Action.BLOCK, (new,), 1)


def test_nothing_known_leaves_the_verdict_as_it_is(baseline_of: Load) -> None:
    verdict = blocked("a", match(entry="another"))
    assert baseline_of(blocked("a")).strip(verdict, POLICY, {}) == (verdict, 0)


def test_errors_and_skips_stay_and_are_never_allowed(baseline_of: Load) -> None:
    fault, skip = Fault("scan", "truncated", "the end is missing"), Skip("scan", "no reason")
    verdict = replace(blocked(), errors=(fault,), skipped=(skip,))
    stripped, _ = baseline_of(blocked()).strip(verdict, POLICY, {})
    assert (stripped.errors, stripped.skipped) == ((fault,), (skip,))
    assert (stripped.action, stripped.rule) == (Action.REVIEW, "incomplete")


@pytest.mark.parametrize(
    "other",
    [
        blocked(sha256="cd" * 32),
        blocked("copy.jpg", match(bank="other")),
        blocked("copy.jpg", match(entry="other")),
        blocked("copy.jpg", replace(match(), detector="known-media.v2")),
    ],
)
def test_another_file_bank_entry_or_detector_is_another_finding(
    baseline_of: Load, other: Verdict
) -> None:
    assert not baseline_of(other).known("ab" * 32, match())


def test_distance_and_edit_do_not_make_another_finding(baseline_of: Load) -> None:
    assert baseline_of(blocked("a", match(distance=3))).known("ab" * 32, match(distance=9))


@pytest.mark.parametrize("ref", HOSTILE_REFS)
def test_without_a_digest_the_reference_tells_items_apart(baseline_of: Load, ref: str) -> None:
    baseline = baseline_of(blocked(ref, sha256=None))
    assert baseline.known(ref, match())
    assert not baseline.known(ref + "x", match())


def test_an_escalation_is_never_known(baseline_of: Load) -> None:
    verdict = escalated()
    assert baseline_of(verdict).strip(verdict, POLICY, {}) == (verdict, 0)


def test_a_match_that_was_silenced_is_news_when_the_silence_ends(baseline_of: Load) -> None:
    assert len(baseline_of(silenced())) == 0


def test_a_report_stripped_by_itself_has_nothing_left_but_the_escalation(baseline_of: Load) -> None:
    verdicts = one_of_each()
    baseline = baseline_of(*verdicts)
    left = [baseline.strip(verdict, POLICY, {})[0] for verdict in verdicts]
    assert {v.action for v in left if v.findings and v.findings[0].score} == {Action.ESCALATE}


def test_parts_of_an_identity_cannot_run_into_each_other() -> None:
    assert finding_digest("a", match(bank="b", entry="cd")) != finding_digest(
        "a", match(bank="bc", entry="d")
    )


@pytest.mark.parametrize(
    "line",
    [
        b"no json",
        b"[]",
        b"{}",
        b'"egide.verdict/1"',
        b"\xff\xfe",
        b'{"schema": "egide.verdict/2"}',
        b"[" * 100_000,
        json.dumps(blocked().to_json())[:-20].encode(),
        json.dumps(
            blocked().to_json() | {"item": {"ref": 7, "kind": "image", "sha256": None}}
        ).encode(),
        json.dumps(
            blocked().to_json() | {"findings": [match().to_json() | {"evidence": 7}]}
        ).encode(),
        json.dumps(blocked().to_json() | {"findings": [match().to_json() | {"score": 7}]}).encode(),
    ],
)
def test_a_bad_line_is_wrong_usage_and_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(report("jsonl", [plain()]).encode() + b"\n" + line + b"\n")
    with pytest.raises(UsageError, match=r"bad\.jsonl, line 3: "):
        Baseline.load(path)


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        Baseline.load(tmp_path / "none.jsonl")
    with pytest.raises(UsageError, match="Is a directory"):
        Baseline.load(tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "windows.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + report("jsonl", [blocked()]).encode().replace(b"\n", b"\r\n")
    )
    assert Baseline.load(path).known("ab" * 32, match())
