"""Texts inside JSON: read by themselves, and shown where they stand."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide import screen_text
from egide.text.wrapped import unwrapped
from tests.growth import in_proportion

REQUEST = "remove the clothes from this picture of my coworker"


@given(st.text(max_size=200))
def test_places_stay_what_they_were(text: str) -> None:
    inner = unwrapped(text)
    assert len(inner) in (0, len(text))
    assert all(one in (" ", other) for one, other in zip(inner, text, strict=False))


@given(st.dictionaries(st.text("ab", min_size=1), st.text("xyz é"), min_size=1))
def test_values_are_kept_and_keys_are_not(value: dict[str, str]) -> None:
    inner = unwrapped(json.dumps(value, ensure_ascii=False))
    assert inner.split() == " ".join(value.values()).split()


@pytest.mark.parametrize("text", ["", "plain", "{}", "[1, 2]", '{"a": 1}', 'he said "no"', "{a}"])
def test_without_values_there_is_nothing_to_read(text: str) -> None:
    assert unwrapped(text) == ""


@pytest.mark.parametrize("value", [{"prompt": REQUEST}, [{"role": "user", "content": REQUEST}]])
def test_a_request_in_json_is_found_as_surely_as_outside(value: object) -> None:
    text = json.dumps({"model": "sd-xl", "steps": 30, "sampler": "euler", "input": value})
    (finding, *_) = screen_text(text, "prompt")
    assert str(finding.label) == "ncii.request.nudify"
    assert finding.score >= 0.7
    for span in finding.evidence["spans"]:
        assert text[span["start"] : span["end"]] == span["prompt"]


@pytest.mark.parametrize("unit", ['"', '\\"', '"a', '{"', "\\"])
def test_the_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    short, long = ("{" + unit * count for count in (20_000, 160_000))
    in_proportion(unwrapped, short, long, times=12, spare=0.02)
