"""What workers say is checked against types before it is believed."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.finding import Fault, Finding, Skip
from egide.fingerprint import Fingerprint, FingerprintType
from egide.label import Label
from egide.sandbox.messages import (
    Align,
    Answer,
    Drawn,
    Duration,
    Judged,
    Printed,
    Question,
    Ready,
    Refused,
    Search,
    packed,
    unpacked,
)
from egide.sniff import Kind
from egide.verdict import Action, Verdict

PDQ = Fingerprint(FingerprintType.PDQ, b"p" * 32, 77, "border", 40, 1200)
VERDICT = Verdict(
    ref="a.jpg",
    kind=Kind.IMAGE,
    sha256="0" * 64,
    action=Action.BLOCK,
    rule="known-ncii",
    policy="default@1",
    findings=(
        Finding("known-media.v1", Label.NCII_KNOWN, 0.123456789, {"a": [1, 2.5, None], "b": {}}),
    ),
    skipped=(Skip("x.v1", "why"),),
    errors=(Fault("x.v1", "corrupt", "what"),),
    shadow=("rule",),
)
SAID: list[Question | Answer] = [
    Search(0, [PDQ], 31),
    Align(1, [b"packed"]),
    Duration(2, "00000000-1"),
    Ready(["limits"]),
    Judged(VERDICT),
    Printed([PDQ]),
    Drawn(b"\xff\xd8"),
    Refused("corrupt", "JPEG: it is none"),
]


@pytest.mark.parametrize("said", SAID, ids=lambda said: type(said).__name__)
def test_what_is_said_arrives(said: Question | Answer) -> None:
    assert unpacked(packed(said)) == said


def test_evidence_of_any_mapping_arrives() -> None:
    evidence = MappingProxyType({"inner": MappingProxyType({"a": 1})})
    verdict = Verdict(
        "a",
        Kind.TEXT,
        None,
        Action.REVIEW,
        "r",
        "p",
        (Finding("x.v1", Label.NCII_KNOWN, 1.0, evidence),),
    )
    said = unpacked(packed(Judged(verdict)))
    assert isinstance(said, Judged)
    assert said.verdict.findings[0].evidence == {"inner": {"a": 1}}


def verdict_with(**changed: Any) -> bytes:
    """A packed verdict with some of its fields changed to what they cannot be."""
    plain = msgspec.to_builtins(VERDICT)
    return msgspec.msgpack.encode(["judged", plain | changed])


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode(["nothing", 1]),
        msgspec.msgpack.encode(["duration", "0", "00000000-1"]),
        msgspec.msgpack.encode(["search", 0, [{"type": "none", "value": b"p"}], 31]),
        msgspec.msgpack.encode(["search", 0, [{"type": "pdq", "value": b"short"}], 31]),
        msgspec.msgpack.encode(["printed", [{"type": "local", "value": b"\1"}]]),
        verdict_with(action="publish"),
        verdict_with(ref=None),
        verdict_with(findings=[{"detector": "x.v1", "label": "none", "score": 1.0}]),
        verdict_with(findings=[{"detector": "x.v1", "label": "ncii.known", "score": 7.0}]),
        verdict_with(kind=["image"]),
        packed(SAID[0]) + b"\0",
        msgspec.msgpack.encode(["judged"])[:1] + b"\xa6judged" + b"\x91" * 100_000,
        verdict_with(findings=b"\x91" * 9),
    ],
)
def test_what_cannot_be_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  each has words of its own
        unpacked(message)


def test_evidence_that_never_ends_is_refused() -> None:
    deep = b"\x91" * 100_000 + b"\xc0"
    finding = {"detector": "x.v1", "label": "ncii.known", "score": 1.0, "evidence": {"a": 0}}
    message = verdict_with(findings=[finding])
    at = message.index(b"\xa1a\x00") + 2
    with pytest.raises(ValueError, match="nested"):
        unpacked(message[:at] + deep + message[at + 1 :])


@given(st.binary(max_size=200))
def test_whatever_comes_is_refused_or_understood(message: bytes) -> None:
    try:
        said = unpacked(message)
    except ValueError:
        return
    assert isinstance(said, Question | Answer)


@given(st.sampled_from(SAID), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255))))
def test_whatever_is_damaged_is_refused_or_understood(
    said: Question | Answer, changes: list[tuple[int, int]]
) -> None:
    message = bytearray(packed(said))
    for at, value in changes:
        message[at % len(message)] = value
    try:
        again = unpacked(bytes(message))
    except ValueError:
        return
    assert isinstance(again, Question | Answer)
