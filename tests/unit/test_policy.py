"""Policies decide: conditions, order, shadow, and what no policy may decide."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.finding import Fault, Finding
from egide.label import Label
from egide.policy import ESCALATE_RULE, Mode, Policy, Rule, Ruling
from egide.policy_file import load_policy, parse_policy
from egide.sniff import Kind
from egide.verdict import INCOMPLETE_RULE, Action

FAULT = Fault("d.v1", "corrupt", "broken")
KNOWN = Finding("known-media.v1", Label.NCII_KNOWN, 1.0, {"purpose": "block", "distance": 3})
POOR = Finding("known-media.v1", Label.NCII_KNOWN, 0.3, {"purpose": "allow", "distance": 30})
NEWS = Finding("context.v2", Label.CONTEXT_NEWS, 0.9)
MINOR = Finding("d.v1", Label.MINOR_ESCALATE, 0.01)


def _holds(
    when: str,
    *findings: Finding,
    kind: Kind = Kind.IMAGE,
    attributes: dict[str, str] | None = None,
) -> bool:
    policy = parse_policy(f"policy: p\nrules:\n- {{rule: r, action: block, when: {when}}}\n")
    return policy.decide(kind, attributes or {}, findings, ()).rule == "r"


@pytest.mark.parametrize(
    ("when", "findings", "holds"),
    [
        ("{label: ncii.known}", [KNOWN], True),
        ("{label: ncii.known}", [NEWS], False),
        ("{label: ncii.known}", [], False),
        ("{label: [context.news, ncii.known]}", [KNOWN], True),
        ('{label: "ncii.*"}', [KNOWN], True),
        ('{label: "*"}', [NEWS], True),
        ('{label: "context.*"}', [KNOWN], False),
        ("{detector: known-media.v1}", [KNOWN], True),
        ("{detector: known-media}", [KNOWN], False),
        ('{detector: "known-media.*"}', [KNOWN], True),
        ("{score: 1}", [KNOWN], True),
        ("{score: 0.3}", [POOR], True),
        ("{score: 0.31}", [POOR], False),
        ("{score: {at_least: 0.3, below: 0.31}}", [POOR], True),
        ("{score: {at_least: 0.2, below: 0.3}}", [POOR], False),
        ("{score: {below: 1}}", [KNOWN], False),
        ("{score: 0}", [], False),
        ("{purpose: block}", [KNOWN], True),
        ("{purpose: [allow, block]}", [POOR], True),
        ("{purpose: block}", [NEWS], False),
        ("{evidence: {distance: 3}}", [KNOWN], True),
        ('{evidence: {distance: "3"}}', [KNOWN], False),
        ("{evidence: {distance: [3, 30]}}", [POOR], True),
        ("{evidence: {distance: 3, purpose: block}}", [KNOWN], True),
        ("{evidence: {distance: 3, purpose: allow}}", [KNOWN], False),
        ("{evidence: {missing: null}}", [KNOWN], False),
        ("{kind: image}", [], True),
        ("{kind: [text, image]}", [], True),
        ("{kind: text}", [], False),
        ("{kind: image, label: ncii.known}", [KNOWN], True),
        ("{kind: text, label: ncii.known}", [KNOWN], False),
        ("{not: {label: ncii.known}}", [], True),
        ("{not: {label: ncii.known}}", [KNOWN], False),
        ("{not: {not: {label: ncii.known}}}", [KNOWN], True),
        ("{all: [{label: ncii.known}, {kind: image}]}", [KNOWN], True),
        ("{all: [{label: ncii.known}, {kind: text}]}", [KNOWN], False),
        ("{any: [{label: ncii.known}, {kind: text}]}", [KNOWN], True),
        ("{any: [{label: context.news}, {kind: text}]}", [KNOWN], False),
    ],
)
def test_conditions(when: str, findings: list[Finding], holds: bool) -> None:
    assert _holds(when, *findings) is holds


@pytest.mark.parametrize(
    ("when", "attributes", "holds"),
    [
        ("{attributes: {room: avatars}}", {"room": "avatars"}, True),
        ("{attributes: {room: [a, b]}}", {"room": "b"}, True),
        ("{attributes: {room: avatars}}", {"room": "other"}, False),
        ("{attributes: {room: avatars}}", {}, False),
        ("{attributes: {room: a, age: 3}}", {"room": "a", "age": "3"}, True),
        ("{attributes: {room: a, age: 3}}", {"room": "a"}, False),
        ("{not: {attributes: {room: a}}}", {}, True),
    ],
)
def test_attributes(when: str, attributes: dict[str, str], holds: bool) -> None:
    assert _holds(when, attributes=attributes) is holds


def test_a_mapping_is_about_one_and_the_same_finding() -> None:
    # One finding has the score and the other the purpose: no finding has both.
    strong_allowed = Finding("d.v1", Label.NCII_KNOWN, 1.0, {"purpose": "allow"})
    weak_blocked = Finding("d.v1", Label.NCII_KNOWN, 0.2, {"purpose": "block"})
    when = "{label: ncii.known, score: 0.9, purpose: block}"
    assert not _holds(when, strong_allowed, weak_blocked)
    assert _holds(when, strong_allowed, weak_blocked, KNOWN)


def test_all_may_be_about_several_findings() -> None:
    when = "{all: [{label: ncii.known}, {label: context.news}]}"
    assert _holds(when, KNOWN, NEWS)
    assert not _holds(when, KNOWN, KNOWN)


def test_evidence_that_is_no_single_value_never_matches() -> None:
    finding = Finding("d.v1", Label.NCII_KNOWN, 1, {"x": {"y": 1}, "z": [1]})
    assert not _holds("{evidence: {x: 1}}", finding)
    assert not _holds("{evidence: {z: 1}}", finding)


@pytest.mark.parametrize("word", ["no", "on", "2024-01-01", "1:30", "~", "0x1F"])
def test_evidence_is_compared_as_it_is_written(word: str) -> None:
    assert _holds(f"{{evidence: {{x: {word}}}}}", Finding("d.v1", Label.NCII_KNOWN, 1, {"x": word}))


@pytest.mark.parametrize(
    ("written", "value"), [("true", True), ("False", False), ("null", None), ("0.5", 0.5)]
)
def test_evidence_may_be_a_word_of_json(written: str, value: Any) -> None:
    finding = Finding("d.v1", Label.NCII_KNOWN, 1, {"x": value})
    assert _holds(f"{{evidence: {{x: {written}}}}}", finding)
    assert not _holds(f'{{evidence: {{x: "{written}"}}}}', finding)


# ── order and shadow ────────────────────────────────────────────────────────────────────────────

ORDERED = parse_policy(
    """
policy: ordered
version: 7
rules:
  - {rule: watched, mode: shadow, when: {label: ncii.known}, action: escalate}
  - {rule: first, when: {label: ncii.known, score: 0.9}, action: block}
  - {rule: second, when: {label: ncii.known}, action: review}
  - {rule: watched-too, mode: shadow, when: {kind: image}, action: block}
  - {rule: third, when: {label: context.news}, action: allow}
"""
)


def _decide(*findings: Finding, errors: tuple[Fault, ...] = ()) -> Ruling:
    return ORDERED.decide(Kind.IMAGE, {}, findings, errors)


def test_the_first_live_rule_that_holds_decides() -> None:
    assert _decide(KNOWN)[:2] == (Action.BLOCK, "first")
    assert _decide(POOR)[:2] == (Action.REVIEW, "second")
    assert _decide(NEWS, POOR)[:2] == (Action.REVIEW, "second")


def test_shadow_rules_are_noted_and_never_decide() -> None:
    assert _decide(KNOWN).shadow == ("watched", "watched-too")
    assert _decide().shadow == ("watched-too",)
    assert _decide().action is Action.ALLOW


def test_without_a_rule_that_holds_it_is_the_default() -> None:
    assert _decide()[:2] == (Action.ALLOW, "default")


def test_the_policys_name_and_version_are_its_id() -> None:
    assert ORDERED.id == "ordered@7"


# ── what no policy decides ──────────────────────────────────────────────────────────────────────


def test_an_item_with_an_error_is_never_allowed() -> None:
    assert _decide(errors=(FAULT,))[:2] == (Action.REVIEW, INCOMPLETE_RULE)
    assert _decide(NEWS, errors=(FAULT,))[:2] == (Action.REVIEW, INCOMPLETE_RULE)
    assert _decide(KNOWN, errors=(FAULT,))[:2] == (Action.BLOCK, "first")


def test_no_policy_lowers_a_suspicion_about_a_minor() -> None:
    lowering = parse_policy(
        'policy: p\nrules:\n- {rule: r, when: {label: "*"}, action: allow}\n'
        "- {rule: s, when: {label: minor.escalate}, action: allow}\n"
    )
    ruling = lowering.decide(Kind.IMAGE, {}, [KNOWN, MINOR], [FAULT])
    assert ruling == (Action.ESCALATE, ESCALATE_RULE, ())


# ── the policy that ships ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("finding", "action", "rule"),
    [
        (KNOWN, Action.BLOCK, "known-ncii"),
        (POOR, Action.REVIEW, "perhaps-known-ncii"),
        (
            Finding("d.v1", Label.NCII_KNOWN, 0, {"purpose": "block", "silenced": True}),
            Action.ALLOW,
            "known-false-match",
        ),
        (Finding("d.v1", Label.REQUEST_NUDIFY, 0.5), Action.REVIEW, "other-finding"),
        (Finding("d.v1", Label.REQUEST_NUDIFY, 0.4), Action.ALLOW, "default"),
        (Finding("d.v1", Label.CONTEXT_NEWS, 1.0), Action.ALLOW, "default"),
    ],
)
def test_the_default_policy(finding: Finding, action: Action, rule: str) -> None:
    assert load_policy().decide(Kind.IMAGE, {}, [finding], ())[:2] == (action, rule)


def test_a_disputed_match_goes_to_a_reviewer() -> None:
    disputed = Finding(
        "known-media.v1", Label.NCII_KNOWN, 0.5, {"purpose": "block", "disputed": True}
    )
    assert load_policy().decide(Kind.IMAGE, {}, [disputed], ()).action is Action.REVIEW


# ── properties ──────────────────────────────────────────────────────────────────────────────────

FINDINGS = st.lists(
    st.builds(
        Finding,
        st.sampled_from(["a.v1", "b.v1"]),
        st.sampled_from(Label),
        st.sampled_from([0.0, 0.4, 0.5, 0.9, 1.0]),
        st.dictionaries(st.sampled_from(["purpose", "silenced"]), st.sampled_from(["block", True])),
    ),
    max_size=4,
)
TESTS = st.sampled_from(
    ["{label: ncii.known}", '{label: "ncii.*", score: 0.5}', "{purpose: block}", "{kind: image}"]
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: (
        st.builds("{{not: {}}}".format, inner)
        | st.lists(inner, min_size=1, max_size=3).map(lambda c: f"{{all: [{', '.join(c)}]}}")
        | st.lists(inner, min_size=1, max_size=3).map(lambda c: f"{{any: [{', '.join(c)}]}}")
    ),
    max_leaves=5,
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    lines = [
        f"- {{rule: r{number}, mode: {draw(st.sampled_from(Mode))}, when: {draw(CONDITIONS)}, "
        f"action: {draw(st.sampled_from(Action))}}}"
        for number in range(draw(st.integers(0, 4)))
    ]
    return parse_policy("policy: p\nrules:" + "".join(f"\n{line}" for line in lines or [" []"]))


@settings(max_examples=60, deadline=None)
@given(policies(), FINDINGS, st.sampled_from(Kind), st.sampled_from([(), (FAULT,)]))
def test_deciding_is_pure_and_keeps_its_promises(
    policy: Policy, findings: list[Finding], kind: Kind, errors: tuple[Fault, ...]
) -> None:
    before = copy.deepcopy((policy, findings))
    ruling = policy.decide(kind, {}, findings, errors)
    assert policy.decide(kind, {}, findings, errors) == ruling
    assert (policy, findings) == before
    if any(finding.label is Label.MINOR_ESCALATE for finding in findings):
        assert ruling.action is Action.ESCALATE
        return
    holding = [rule for rule in policy.rules if _alone(rule, kind, findings)]
    live = [rule for rule in holding if rule.mode is Mode.LIVE]
    assert ruling.shadow == tuple(rule.name for rule in holding if rule.mode is Mode.SHADOW)
    if errors:
        assert ruling.action is not Action.ALLOW
    else:
        expected = (live[0].action, live[0].name) if live else (Action.ALLOW, "default")
        assert ruling[:2] == expected


def _alone(rule: Rule, kind: Kind, findings: list[Finding]) -> bool:
    """Whether `rule` holds, asked of a policy that has no other."""
    only = Policy("p", 1, (Rule(rule.name, Mode.LIVE, rule.when, rule.action, 1),))
    return only.decide(kind, {}, findings, ()).rule == rule.name
