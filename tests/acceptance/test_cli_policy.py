"""`egide policy check` and `egide policy explain`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import COPY, OTHER, Egide

Write = Callable[[dict[str, bytes]], None]

MINE = b"""policy: mine
version: 3
rules:
  - rule: watched
    mode: shadow
    when: {kind: image}
    action: block
  - rule: look
    when:
      label: ncii.known
      score: 0.5
    action: review
"""
SHIPPED = Path(__file__).parents[2] / "src/egide/policies/default.yaml"


def test_check_lists_the_rules_of_a_valid_policy(egide: Egide, write: Write) -> None:
    write({"mine.yaml": MINE})
    done = egide("policy", "check", "mine.yaml")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "mine.yaml: valid, mine@3, 2 rules",
        "  line 4: watched (shadow) → block when kind image",
        "  line 8: look (live) → review when a finding with label ncii.known, score ≥ 0.5",
    ]


def test_the_policy_that_ships_is_valid(egide: Egide) -> None:
    assert egide("policy", "check", SHIPPED).code == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MINE.replace(b"shadow", b"dry"), "bad.yaml, line 5: 'dry' is not one of live, shadow"),
        (b"", "bad.yaml, line 1: the file is empty"),
        (MINE + b"# caf\xe9\n", "bad.yaml, line 13: this is not UTF-8"),
    ],
)
def test_check_names_the_line_of_a_mistake(
    egide: Egide, write: Write, text: bytes, says: str
) -> None:
    write({"bad.yaml": text})
    done = egide("policy", "check", "bad.yaml")
    assert (done.code, done.out) == (2, "")
    assert says in done.err


def test_check_of_a_missing_file(egide: Egide) -> None:
    done = egide("policy", "check", "none.yaml")
    assert done.code == 2
    assert "none.yaml" in done.err


def test_explain_tells_of_every_rule_whether_it_holds_and_why(egide: Egide, write: Write) -> None:
    write({"d/a.jpg": COPY, "d/b.jpg": OTHER, "d/c.jpg": b""})
    Path("v.jsonl").write_text(egide("scan", "d").out)
    done = egide("policy", "explain", "v.jsonl")
    assert (done.code, done.err) == (0, "")
    first, second, third = done.out.split("\nd/")
    assert first.startswith("d/a.jpg: block by known-ncii of default@1")
    assert "holds  known-ncii (live) → block" in first
    assert "— ncii.known, score 1, known-media.v1" in first
    assert first.endswith("default@1 decides: block by known-ncii")
    assert "holds" not in second
    assert second.endswith("default@1 decides: allow by default")
    assert "default@1 decides: review by incomplete" in third
    assert "not read: scan: The item is empty" in third


def test_explain_tells_what_another_policy_would_say(egide: Egide, write: Write) -> None:
    write({"a.jpg": COPY, "mine.yaml": MINE})
    verdicts = egide("scan", "a.jpg").out
    done = egide("policy", "explain", "-", "--policy", "mine.yaml", stdin=verdicts.encode())
    if done.code == 0 and done.out:  # the runner gives no descriptor 0: see the next test
        assert "mine@3 decides" in done.out
    done = egide.spawn("policy", "explain", "-", "--policy", "mine.yaml", stdin=verdicts.encode())
    assert done.out.splitlines()[0] == "a.jpg: block by known-ncii of default@1"
    assert "  holds  watched (shadow) → block: kind image" in done.out
    assert done.out.splitlines()[-1] == "  mine@3 decides: review by look"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"words\n", "v.jsonl, line 1: a line is no egide.verdict/1 verdict"),
        (b"\n\n{}\n", "v.jsonl, line 3: a line is no egide.verdict/1 verdict"),
        (b"\n\xff\n", "v.jsonl, line 2: this is not UTF-8"),
    ],
)
def test_explain_names_the_line_that_is_no_verdict(
    egide: Egide, write: Write, data: bytes, says: str
) -> None:
    write({"v.jsonl": data})
    done = egide("policy", "explain", "v.jsonl")
    assert done.code == 2
    assert says in done.err


@pytest.mark.parametrize("path", ["none.jsonl", "."])
def test_explain_of_what_cannot_be_read(egide: Egide, path: str) -> None:
    done = egide("policy", "explain", path)
    assert done.code == 2
    assert path in done.err


def test_explain_does_not_let_a_name_move_the_cursor(egide: Egide, write: Write) -> None:
    write({"a.jpg": COPY})
    line = egide("scan", "a.jpg").lines[0]
    line["item"]["ref"] = "\x1b[2J\udcff\n.jpg"
    write({"v.jsonl": json.dumps(line).encode()})
    done = egide.spawn("policy", "explain", "v.jsonl")
    assert done.code == 0
    assert done.out.startswith(r"\x1b[2J\udcff\n.jpg: block")
