"""Verdicts: as JSON and back, pickling, what counts."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.errors import UsageError
from egide.finding import Fault, Finding, Skip
from egide.label import Label
from egide.sniff import Kind
from egide.verdict import INCOMPLETE_RULE, Action, Verdict

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "src/egide/report/verdict.schema.json").read_text()
)
WORDS = st.text(min_size=1, max_size=20)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3})?\.v[1-9]", fullmatch=True)
FINDINGS = st.builds(
    Finding,
    NAMES,
    st.sampled_from([label for label in Label if label is not Label.MINOR_ESCALATE]),
    st.integers(0, 10_000).map(lambda n: n / 10_000),
    st.fixed_dictionaries({}, optional={"bank": WORDS, "distance": st.integers(0, 63)}),
)
FAULTS = st.lists(st.builds(Fault, NAMES, st.sampled_from(["corrupt", "empty"]), WORDS))
VERDICTS = st.builds(
    Verdict,
    ref=st.text(),
    kind=st.sampled_from(Kind),
    sha256=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
    action=st.sampled_from([Action.REVIEW, Action.BLOCK]),
    rule=WORDS,
    policy=st.just("p@1"),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    skipped=st.lists(st.builds(Skip, NAMES, WORDS), max_size=2).map(tuple),
    errors=FAULTS.map(tuple),
    shadow=st.lists(WORDS, max_size=2).map(tuple),
)


def _verdict(**changes: Any) -> Verdict:
    plain = {"ref": "a", "kind": Kind.IMAGE, "sha256": None, "action": Action.ALLOW}
    return Verdict(**{**plain, "rule": "default", "policy": "p@1", **changes})


@settings(max_examples=40, deadline=None)
@given(VERDICTS)
def test_a_verdict_comes_back_from_json_as_it_was(verdict: Verdict) -> None:
    assert Verdict.from_json(json.dumps(verdict.to_json(reveal=True))) == verdict


@settings(max_examples=40, deadline=None)
@given(VERDICTS)
def test_a_verdict_satisfies_the_published_schema(verdict: Verdict) -> None:
    jsonschema.validate(verdict.to_json(), SCHEMA)


@settings(max_examples=40, deadline=None)
@given(VERDICTS)
def test_a_verdict_pickles(verdict: Verdict) -> None:
    assert pickle.loads(pickle.dumps(verdict)) == verdict


def test_the_order_of_fields_is_that_of_the_design() -> None:
    document = _verdict(shadow=("s",)).to_json()
    assert list(document) == [
        "schema", "item", "action", "rule", "policy", "findings", "skipped", "errors", "shadow",
    ]  # fmt: skip
    assert list(document["item"]) == ["ref", "kind", "sha256"]


def test_shadow_is_absent_when_there_is_none() -> None:
    assert "shadow" not in _verdict().to_json()


def test_actions_are_ordered_by_severity() -> None:
    assert sorted(Action, key=lambda action: action.severity) == list(Action)
    assert [action.severity for action in Action] == [0, 1, 2, 3]


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("limit", [Action.REVIEW, Action.BLOCK, Action.ESCALATE])
def test_an_action_reaches_itself_and_what_is_milder(action: Action, limit: Action) -> None:
    verdict = _verdict(action=action, rule="some-rule")
    assert verdict.reaches(limit) is (list(Action).index(action) >= list(Action).index(limit))


def test_an_error_alone_reaches_nothing() -> None:
    verdict = _verdict(action=Action.REVIEW, rule=INCOMPLETE_RULE)
    assert not any(verdict.reaches(action) for action in Action)


@pytest.mark.parametrize(
    ("changes", "plain", "incomplete"),
    [
        ({}, True, False),
        ({"findings": (Finding("d.v1", Label.NCII_KNOWN, 0),)}, False, False),
        ({"skipped": (Skip("d.v1", "why"),)}, False, True),
        ({"errors": (Fault("d.v1", "corrupt", "why"),)}, False, True),
        ({"action": Action.REVIEW}, False, False),
    ],
)
def test_plain_and_incomplete(changes: dict[str, Any], plain: bool, incomplete: bool) -> None:
    verdict = _verdict(**changes)
    assert (verdict.plain, verdict.incomplete) == (plain, incomplete)


def _changed(**changes: Any) -> str:
    verdict = _verdict(findings=(Finding("d.v1", Label.NCII_KNOWN, 1, {"bank": "b"}),))
    document = verdict.to_json()
    for path, value in changes.items():
        *where, last = path.split("__")
        at: Any = document
        for key in where:
            at = at[int(key)] if isinstance(at, list) else at[key]
        at[last] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "words",
        "null",
        "[]",
        "{}",
        '"text"',
        "[" * 100_000,
        '{"schema":"egide.verdict/1"}',
        _changed(schema="egide.verdict/2"),
        _changed(item=None),
        _changed(item__ref=1),
        _changed(item__kind="picture"),
        _changed(item__sha256=7),
        _changed(action="delete"),
        _changed(rule=None),
        _changed(policy=["p@1"]),
        _changed(findings={"a": 1}),
        _changed(findings=7),
        _changed(findings__0__label="ncii.unknown"),
        _changed(findings__0__score=1.5),
        _changed(findings__0__score="1"),
        _changed(findings__0__evidence=["bank"]),
        _changed(findings__0__detector={}),
        _changed(skipped=[{}]),
        _changed(errors=[{"detector": "d.v1", "error": 1, "message": "m"}]),
        _changed(shadow=3),
    ],
)
def test_what_is_no_verdict_is_refused_in_one_line(line: str) -> None:
    with pytest.raises(UsageError, match=r"is no egide\.verdict/1 verdict") as caught:
        Verdict.from_json(line)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@settings(max_examples=40, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: (
    st.lists(inner) | st.dictionaries(st.sampled_from(["schema", "item", "findings"]), inner)
)))  # fmt: skip
def test_no_json_makes_reading_fail_otherwise(document: Any) -> None:
    with pytest.raises(UsageError):
        Verdict.from_json(json.dumps(document))
