"""Statements that cannot both be true, and those that can."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from egide.provenance.contradictions import Statements, mark_contradicted
from egide.provenance.statements import (
    Credentials,
    CredentialState,
    Declaration,
    Generation,
    NamedModel,
    Role,
    Trust,
)

LAKE = Generation(
    "a1111",
    ("png:parameters",),
    Trust.TEXT,
    prompt="a lake at dawn, soft light, mist over the water",
    seed=42,
    models=(NamedModel(Role.BASE, "lakes_xl", hashes={"autov2": "31e35c80fc"}),),
)
BARN = Generation("novelai", ("png:Comment",), Trust.TEXT, prompt="a red barn", seed=7)
CAPTURED = Declaration("c2pa", "c2pa", Trust.SIGNED_TRUSTED, "digitalCapture")


def marked(*generations: Generation, **more: Any) -> tuple[list[Trust], tuple[str, ...]]:
    said = Statements(list(generations), **more)
    sentences = mark_contradicted(said)
    return [one.trust for one in said.generations], sentences


def test_one_statement_contradicts_nothing() -> None:
    assert marked(LAKE) == ([Trust.TEXT], ())


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (BARN, "seeds"),
        (replace(BARN, seed=None), "prompts"),
        (
            replace(BARN, seed=None, prompt=None, models=(NamedModel(Role.BASE, "barns"),)),
            "base models",
        ),
        (
            replace(
                LAKE, models=(NamedModel(Role.BASE, "lakes_xl", hashes={"autov2": "0000000000"}),)
            ),
            "base models",
        ),
    ],
)
def test_two_makings_of_one_picture_contradict_each_other(other: Generation, reason: str) -> None:
    trusts, (sentence,) = marked(LAKE, other)
    assert trusts == [Trust.CONTRADICTED] * 2
    assert sentence.endswith(reason)
    assert "png:parameters" in sentence


def test_two_dates_contradict_each_other() -> None:
    first = replace(LAKE, created="2024:05:01 10:00:00")
    trusts, (sentence,) = marked(first, replace(first, created="2024-06-01T10:00:00Z"))
    assert trusts == [Trust.CONTRADICTED] * 2
    assert sentence.endswith("dates")
    assert marked(first, replace(first, created="2024-05-01"))[1] == ()


@pytest.mark.parametrize(
    "other",
    [
        replace(LAKE, generator="comfyui", prompt="<lora:soft-light:0.8> a lake at dawn"),
        replace(LAKE, generator="swarmui", prompt=None, models=()),
        replace(LAKE, models=(NamedModel(Role.BASE, "Lakes_XL.safetensors"),)),
        replace(LAKE, models=(NamedModel(Role.BASE, "lakes_xl_v2"),)),
        replace(LAKE, models=(NamedModel(Role.ADAPTER, "meadow"),)),
    ],
)
def test_the_same_making_in_other_words_contradicts_nothing(other: Generation) -> None:
    assert marked(LAKE, other) == ([Trust.TEXT] * 2, ())


def test_what_is_in_the_pixels_is_believed_before_plain_text() -> None:
    hidden = replace(BARN, where=("stealth:alpha",), trust=Trust.PIXELS)
    assert marked(LAKE, hidden)[0] == [Trust.CONTRADICTED, Trust.PIXELS]


def test_a_signed_capture_contradicts_a_generator() -> None:
    said = Statements([LAKE], [CAPTURED])
    (sentence,) = mark_contradicted(said)
    assert sentence == "c2pa says digitalCapture, png:parameters a1111"
    assert said.generations[0].trust is Trust.CONTRADICTED
    assert said.declarations[0].trust is Trust.SIGNED_TRUSTED


def test_two_declarations_contradict_each_other() -> None:
    made = Declaration("iptc", "xmp", Trust.TEXT, "trainedAlgorithmicMedia")
    said = Statements([], [replace(CAPTURED, trust=Trust.TEXT), made])
    assert mark_contradicted(said)
    assert [claim.trust for claim in said.declarations] == [Trust.CONTRADICTED] * 2


def test_a_composite_contradicts_neither() -> None:
    made = Declaration("iptc", "xmp", Trust.TEXT, "compositeWithTrainedAlgorithmicMedia")
    other = Declaration("tc260", "xmp", Trust.TEXT, "trainedAlgorithmicMedia")
    assert mark_contradicted(Statements([LAKE], [made, other])) == ()


def test_a_camera_contradicts_a_generator() -> None:
    trusts, (sentence,) = marked(LAKE, camera="exif:Make")
    assert trusts == [Trust.CONTRADICTED]
    assert "camera" in sentence


def test_nothing_is_made_after_it_was_signed() -> None:
    signed = Credentials(CredentialState.VALID, created="2024-05-01T10:00:00+00:00")
    later = replace(LAKE, created="2024-06-01")
    assert marked(later, credentials=signed)[0] == [Trust.CONTRADICTED]
    assert marked(replace(LAKE, created="2023-06-01"), credentials=signed)[0] == [Trust.TEXT]


def test_a_file_with_thousands_of_statements_is_no_way_to_be_slow() -> None:
    many = [replace(LAKE, seed=n, where=(f"png:{n}",)) for n in range(5_000)]
    assert len(marked(*many)[1]) < 1_000


@pytest.mark.parametrize("date", ["", "yesterday", "9999:99:99 99:99:99", "0001:01:01 00:00:00"])
def test_a_date_that_is_none_contradicts_nothing(date: str) -> None:
    dated = replace(LAKE, created="2024-05-01")
    expected = date.startswith("0001")
    assert bool(marked(dated, replace(LAKE, created=date))[1]) is expected
