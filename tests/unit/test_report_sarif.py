from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from egide.report.baseline import finding_digest
from egide.report.sarif import MOST_NOTIFICATIONS, uri_of
from tests.report_samples import (
    HOSTILE_REFS,
    SHA256,
    blocked,
    broken,
    doubtful,
    escalated,
    match,
    one_of_each,
    plain,
    report,
    silenced,
    skipped,
)


def _run(*verdicts: Any, **fields: Any) -> dict[str, Any]:
    document = json.loads(report("sarif", verdicts, **fields))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    return dict(run)


def test_a_finding_becomes_a_result_at_its_file() -> None:
    (result,) = _run(blocked("uploads/copy one.jpg"))["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "uploads/copy%20one.jpg"}
    assert (result["ruleId"], result["level"]) == ("ncii.known", "error")
    assert "differ in 12 of 256 bits" in result["message"]["text"]
    assert result["properties"]["evidence"]["bank"] == "demo"


@pytest.mark.parametrize(
    ("verdict", "level"),
    [(blocked(), "error"), (escalated(), "error"), (doubtful(), "warning"), (silenced(), "note")],
)
def test_the_level_follows_the_action(verdict: Any, level: str) -> None:
    assert [result["level"] for result in _run(verdict)["results"]] == [level]


def test_only_a_silenced_match_is_suppressed() -> None:
    kept, quiet = _run(blocked(), silenced())["results"]
    assert "suppressions" not in kept
    assert quiet["suppressions"][0]["kind"] == "external"


def test_the_rules_are_the_labels_seen_each_with_help() -> None:
    run = _run(blocked(), escalated(), blocked())
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["ncii.known", "minor.escalate"]
    assert all(rule["help"]["text"] and rule["fullDescription"]["text"] for rule in rules)
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        result["ruleId"] for result in run["results"]
    ]
    assert rules[0]["properties"]["dsaKeyword"] == "KEYWORD_NON_CONSENSUAL_IMAGE_SHARING"


def test_the_tool_is_named_with_its_version() -> None:
    driver = _run()["tool"]["driver"]
    assert driver["name"] == "egide"
    assert driver["version"]


def test_the_fingerprint_is_the_one_that_baselines_use() -> None:
    (result,) = _run(blocked())["results"]
    assert result["partialFingerprints"] == {
        "egideFinding/v1": finding_digest(SHA256, match()).hex()
    }


def test_errors_and_skips_become_notifications() -> None:
    (invocation,) = _run(broken("b.jpg"), skipped("c.mp4"), plain())["invocations"]
    assert invocation["executionSuccessful"] is True
    said = [
        (note["level"], note["descriptor"]["id"], uri)
        for note in invocation["toolExecutionNotifications"]
        for uri in [note["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]]
    ]
    assert said == [("error", "truncated", "b.jpg"), ("note", "skipped", "c.mp4")]


def test_an_interruption_is_no_success() -> None:
    (invocation,) = _run(blocked(), interrupted=True)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "Interrupted" in invocation["toolExecutionNotifications"][-1]["message"]["text"]


def test_notifications_are_capped_and_the_rest_counted() -> None:
    run = _run(*[broken()] * (MOST_NOTIFICATIONS + 7))
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert len(notes) == MOST_NOTIFICATIONS + 1
    assert notes[-1]["message"]["text"].startswith("7 more")


@pytest.mark.parametrize("ref", HOSTILE_REFS)
def test_any_reference_becomes_a_plain_uri_of_the_same_bytes(ref: str) -> None:
    uri = uri_of(ref)
    assert set(uri) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/%")
    assert unquote_to_bytes(uri) == ref.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("ref", "uri"),
    [
        ("dump.jsonl#4711", "dump.jsonl%234711"),
        ("/srv/a b.jpg", "file:///srv/a%20b.jpg"),
        ("c:x?y.jpg", "c%3Ax%3Fy.jpg"),
        ("100%.jpg", "100%25.jpg"),
        ("../up.jpg", "../up.jpg"),
    ],
)
def test_references_are_percent_encoded(ref: str, uri: str) -> None:
    assert uri_of(ref) == uri


def test_every_sort_of_verdict_keeps_to_the_standard() -> None:
    """What the OASIS schema asks of the properties that are written here."""
    run = _run(*one_of_each(), *(blocked(ref) for ref in HOSTILE_REFS))
    assert set(run) == {"results", "tool", "invocations", "columnKind"}
    for result in run["results"]:
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(ids) == len(set(ids))
