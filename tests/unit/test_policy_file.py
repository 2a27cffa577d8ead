"""Policy files: every mistake is named with its line; nothing beyond plain YAML is read."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.errors import PolicyError
from egide.policy import Mode
from egide.policy_file import MAX_DEPTH, MAX_POLICY_BYTES, load_policy, parse_policy

HEAD = """policy: mine
version: 2
rules:
  - rule: known
    when:
      label: ncii.known
    action: block
"""
"""Seven lines of a valid policy; what is added begins on line 8."""


def _rule(when: str, name: str = "mine", rest: str = "") -> str:
    return f"{HEAD}  - rule: {name}\n    action: review\n    when: {when}\n{rest}"


def test_a_policy_is_read_with_its_lines() -> None:
    policy = parse_policy(_rule("{kind: image}"))
    assert policy.id == "mine@2"
    assert [(rule.name, rule.mode, rule.line) for rule in policy.rules] == [
        ("known", Mode.LIVE, 4),
        ("mine", Mode.LIVE, 8),
    ]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "empty"),
        ("# only a comment\n", 1, "empty"),
        ("words\n", 1, "a mapping"),
        ("- a\n- b\n", 1, "a mapping"),
        ("policy: p\n", 1, "'rules' is missing"),
        ("rules: []\n", 1, "'policy' is missing"),
        ("policy: p\nrules:\n", 2, "a list is expected"),
        ("policy: p\nrules: {}\n", 2, "a list is expected"),
        ("policy: [p]\nrules: []\n", 1, "a word is expected"),
        ("policy: p\nversion: one\nrules: []\n", 2, "no whole number"),
        ("policy: p\nversion: -1\nrules: []\n", 2, "no whole number"),
        (f"policy: p\nversion: {'9' * 5000}\nrules: []\n", 2, "no whole number"),
        ("policy: p\nrules: []\nextra: 1\n", 3, "unknown key 'extra'"),
        ("policy: p\npolicy: q\nrules: []\n", 2, "stands here twice"),
        ("policy: p\nrules:\n\n- words\n", 4, "a mapping"),
        (f"{HEAD}  - rule: x\n    when: {{kind: image}}\n", 8, "'action' is missing"),
        (f"{HEAD}  - when: {{kind: image}}\n    action: block\n", 8, "'rule' is missing"),
        (f"{HEAD}  - rule: x\n    action: block\n", 8, "'when' is missing"),
        (f"{HEAD}  - rule:\n    action: block\n    when: {{kind: image}}\n", 8, "a word"),
        (f"{HEAD}  - rule: x\n    action: delete\n    when: {{kind: image}}\n", 9, "'delete'"),
        (f"{HEAD}  - rule: x\n    mode: dry\n    action: block\n    when: {{}}\n", 9, "'dry'"),
        (f"{HEAD}  - rule: x\n    then: block\n", 9, "unknown key 'then'"),
        (_rule("{kind: image}", name="known"), 8, "is on line 4 already"),
        (_rule("{kind: image}", name="incomplete"), 8, "cannot be called"),
        (_rule("{kind: image}", name="default"), 8, "cannot be called"),
        (_rule("{kind: image}", name="minor-escalate"), 8, "cannot be called"),
        (_rule("{}"), 10, "the condition is empty"),
        (_rule("image"), 10, "a mapping"),
        (_rule("\n      kind: picture"), 11, "'picture' is not one of"),
        (_rule("\n      kind: []"), 11, "the list is empty"),
        (_rule("\n      kind: image\n      label: ncii.knwon"), 12, "'ncii.knwon' is no label"),
        (_rule("\n      labels: ncii.known"), 11, "unknown key 'labels'"),
        (_rule("\n      label: ncii.known\n      label: ncii.known"), 12, "stands here twice"),
        (_rule("\n      label: {}"), 11, "a word"),
        (_rule("\n      score: high"), 11, "'high' is no number"),
        (_rule("\n      score: 1.5"), 11, "lies in 0..1"),
        (_rule("\n      score: -0.5"), 11, "lies in 0..1"),
        (_rule("\n      score: .nan"), 11, "no number"),
        (_rule("\n      score: nan"), 11, "lies in 0..1"),
        (_rule("\n      score: {}"), 11, "at_least, below"),
        (_rule("\n      score: {above: 0.5}"), 11, "unknown key 'above'"),
        (_rule("\n      score:\n        at_least: 0.9\n        below: 0.5"), 12, "no score is"),
        (_rule("\n      attributes: {}"), 11, "name at least one"),
        (_rule("\n      evidence: {}"), 11, "name at least one"),
        (_rule("\n      evidence: {x: {y: 1}}"), 11, "a single value"),
        (_rule("\n      all: []"), 11, "needs at least one condition"),
        (_rule("\n      any: {kind: image}"), 11, "a list is expected"),
        (_rule("\n      not: [{kind: image}]"), 11, "a mapping"),
        (_rule("\n      any:\n        - kind: image\n        - kind: x"), 13, "'x' is not one"),
        (_rule("\n      any: [{kind: image}]\n      kind: text"), 11, "'any' stands alone"),
        (_rule("{kind: image"), 11, "expected"),
        (_rule("\n      kind: image\n     label: x"), 12, "expected"),
        (_rule("\n\tkind: image"), 11, "cannot start any token"),
        (_rule("\n      label: \x07"), 11, "U+0007"),
        (f"{HEAD}---\npolicy: other\n", 8, "another document"),
        (_rule("\n      label: &one ncii.known"), 11, "anchors are not accepted"),
        (_rule("\n      label: *one"), 11, "anchors are not accepted"),
        (_rule("\n      label: !!str ncii.known"), 11, "tags such as"),
        (_rule("\n      evidence: {x: !!python/name:os.system ''}"), 11, "tags such as"),
        (_rule("\n      ? [a]\n      : b"), 11, "a word is expected"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "mine.yaml")
    message = str(caught.value)
    found = re.search(r"mine\.yaml, line (\d+): ", message)
    assert found, message
    assert says in message
    assert int(found[1]) == line, message


def test_billion_laughs_are_refused_before_they_grow() -> None:
    lines = ["a: &a0 [x]"] + [
        f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)
    ]
    started = time.monotonic()
    with pytest.raises(PolicyError, match="line 1: anchors"):
        parse_policy("\n".join(lines))
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("bracket", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_with_its_line(bracket: str) -> None:
    with pytest.raises(PolicyError, match=r"line 3: this is nested more than 100 deep"):
        parse_policy("policy: p\nrules:\n  " + bracket * 5_000)


def test_conditions_may_be_nested_so_deep_and_no_deeper() -> None:
    def nested(depth: int) -> str:
        return _rule("{not: " * depth + "{kind: image}" + "}" * depth)

    assert parse_policy(nested(MAX_DEPTH))
    with pytest.raises(PolicyError, match=f"line 10: conditions are nested more than {MAX_DEPTH}"):
        parse_policy(nested(MAX_DEPTH + 1))


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_text(HEAD + "#" * MAX_POLICY_BYTES)
    with pytest.raises(PolicyError, match=r"big\.yaml is over"):
        load_policy(path)


def test_an_endless_file_is_refused() -> None:
    with pytest.raises(PolicyError, match="is over"):
        load_policy(Path("/dev/zero"))


def test_a_policy_may_come_through_a_pipe() -> None:
    reading, writing = os.pipe()
    os.write(writing, HEAD.encode())
    os.close(writing)
    assert load_policy(Path(f"/dev/fd/{reading}")).id == "mine@2"
    os.close(reading)


def test_what_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(HEAD.encode() + b"# caf\xe9\n")
    with pytest.raises(PolicyError, match=r"latin\.yaml, line 8: this is not UTF-8"):
        load_policy(path)


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode())
    assert [rule.line for rule in load_policy(path).rules] == [4]


@pytest.mark.parametrize("name", ["none.yaml", "."])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyError, match="give a readable file"):
        load_policy(tmp_path / name)


def test_the_policy_that_ships_is_valid_and_its_own_text_too() -> None:
    assert load_policy().id == "default@1"


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            ["policy: p", "rules:", "- ", "  ", "\n", "rule: a", "when: ", "{", "}", "[", "]",
             "label: ncii.known", "not: ", "all: ", "action: block", "&a ", "*a", "!!x ", "? ", "'"]
        ),
        max_size=30,
    ).map("".join)
)  # fmt: skip
def test_no_text_fails_otherwise(text: str) -> None:
    try:
        parse_policy(text)
        message = "policy, line 1: fine"
    except PolicyError as error:
        message = str(error)
    assert re.search(r"policy, line \d+: .", message)
