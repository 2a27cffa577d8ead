"""Findings: bounds, masking, pickling."""

from __future__ import annotations

import math
import pickle

import pytest

from egide.errors import (
    CorruptItem,
    EgideError,
    ItemError,
    PolicyError,
    TooManyPixels,
    UnreadableItem,
)
from egide.finding import MASK, MASKED_EVIDENCE, Fault, Finding, Skip
from egide.label import Label


@pytest.mark.parametrize("score", [-0.01, 1.01, math.nan, math.inf])
def test_a_score_outside_of_0_to_1_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match=r"a score lies in 0\.\.1"):
        Finding("d.v1", Label.NCII_KNOWN, score)


@pytest.mark.parametrize("score", [0, 0.0, 1, 1.0, 0.5])
def test_the_ends_of_the_range_belong_to_it(score: float) -> None:
    assert Finding("d.v1", Label.NCII_KNOWN, score).score == score


@pytest.mark.parametrize("key", sorted(MASKED_EVIDENCE))
def test_what_names_somebody_is_masked_at_every_depth(key: str) -> None:
    finding = Finding("d.v1", Label.NCII_KNOWN, 1, {key: "Ada", "in": {key: "Ada", "bank": "b"}})
    assert finding.to_json()["evidence"] == {key: MASK, "in": {key: MASK, "bank": "b"}}
    assert finding.to_json(reveal=True)["evidence"][key] == "Ada"


def test_masking_inside_lists_is_complete() -> None:
    finding = Finding("d.v1", Label.NCII_KNOWN, 1, {"near": [{"name": "Ada"}, [{"handle": "@a"}]]})
    assert "Ada" not in str(finding.to_json())
    assert "@a" not in str(finding.to_json())


def test_nothing_is_masked_as_something() -> None:
    assert Finding("d.v1", Label.NCII_KNOWN, 1, {"name": None}).to_json()["evidence"] == {
        "name": None
    }


def test_masking_leaves_the_finding_as_it_was() -> None:
    finding = Finding("d.v1", Label.NCII_KNOWN, 1, {"name": "Ada"})
    finding.to_json()
    assert finding.evidence == {"name": "Ada"}


@pytest.mark.parametrize(
    "thing",
    [
        Finding("d.v1", Label.NCII_KNOWN, 0.5),
        Finding("d.v1", Label.NCII_KNOWN, 0.5, {"bank": "b", "in": {"x": [1]}}),
        Skip("d.v1", "why"),
        Fault("d.v1", "corrupt", "why"),
    ],
)
def test_observations_pickle(thing: object) -> None:
    assert pickle.loads(pickle.dumps(thing)) == thing


def test_a_fault_has_the_stable_code_and_one_line() -> None:
    fault = Fault.of("d.v1", CorruptItem("first\n  second\r\n\tthird"))
    assert fault.error == "corrupt"
    assert fault.message == "The item is corrupt: first second third"


@pytest.mark.parametrize("kind", [TooManyPixels, UnreadableItem, PolicyError, EgideError])
@pytest.mark.parametrize("detail", ["", "9 is over 8"])
def test_errors_pickle_with_their_message_once(kind: type[EgideError], detail: str) -> None:
    error = kind(detail)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert copy.detail == detail


def test_every_item_error_has_a_code_and_a_message_of_its_own() -> None:
    def below(kind: type[ItemError]) -> list[type[ItemError]]:
        return [kind, *(sub for child in kind.__subclasses__() for sub in below(child))]

    kinds = [kind for kind in below(ItemError) if kind.__module__ == "egide.errors"]
    assert len({kind.code for kind in kinds}) == len(kinds) > 10
    assert len({str(kind()) for kind in kinds}) == len(kinds)
