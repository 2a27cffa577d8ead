"""What families share: resource names, texts of settings, values made safe."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.provenance.family.air import model_of_air, parse_air
from egide.provenance.family.infotext import Tag, parse_infotext, settings_of, tags_of
from egide.provenance.family.values import (
    MOST_TEXT,
    hash_of,
    model_of,
    name_of,
    number_of,
    seed_of,
    text_of,
    word_of,
)
from egide.provenance.statements import Role
from tests.growth import within

SHA = "5d41402abc4b2a76b9719d911017c592ae2f61d1b7a0e5a8f3f6b0c1d2e3f405"


@pytest.mark.parametrize(
    ("urn", "role", "ids"),
    [
        ("urn:air:sdxl:checkpoint:civitai:101@202", Role.BASE,
         {"civitai": "101", "civitai-version": "202"}),
        ("urn:air:sdxl:lora:civitai:101@202", Role.ADAPTER,
         {"civitai": "101", "civitai-version": "202"}),
        ("urn:air:flux1:lycoris:civitai:101", Role.ADAPTER, {"civitai": "101"}),
        ("urn:air:sd1:embedding:civitai:101@202.safetensors", Role.EMBEDDING,
         {"civitai": "101", "civitai-version": "202"}),
        ("urn:air:other:upscaler:civitai:101@202", Role.OTHER,
         {"civitai": "101", "civitai-version": "202"}),
        ("URN:AIR:SDXL:VAE:Civitai:101@202", Role.VAE,
         {"civitai": "101", "civitai-version": "202"}),
        ("urn:air:flux1:checkpoint:huggingface:harbour/deep-sea@main", Role.BASE,
         {"huggingface": "harbour/deep-sea"}),
        ("urn:air:sdxl:lora:tensorart:101@202", Role.ADAPTER, {"tensorart": "101"}),
        ("air:sdxl:lora:civitai:101@202", Role.ADAPTER,
         {"civitai": "101", "civitai-version": "202"}),
        ("urn:air:civitai:101@202", Role.OTHER, {"civitai": "101", "civitai-version": "202"}),
    ],
)  # fmt: skip
def test_resource_names_are_taken_apart(urn: str, role: Role, ids: dict[str, str]) -> None:
    found = model_of_air(urn)
    assert found is not None
    assert found.role is role
    full = urn if urn.lower().startswith("urn:") else f"urn:{urn}"
    assert found.ids == {"air": full} | ids


@pytest.mark.parametrize(
    "text", ["", "urn:air:", "urn:isbn:1", "x.safetensors", None, 7, "a" * 900]
)
def test_what_is_no_resource_name(text: object) -> None:
    assert parse_air(text) is None


def test_settings_with_quotes_commas_and_json() -> None:
    found = settings_of(
        'Steps: 20, Size: 512x768, Note: "a, b: c", Styles: red, blue, '
        'Hashes: {"a": {"b": [1, 2]}}, Version: v1.10.1'
    )
    assert found == {
        "Steps": "20",
        "Size": "512x768",
        "Note": "a, b: c",
        "Styles": "red, blue",
        "Hashes": {"a": {"b": [1, 2]}},
        "Version": "v1.10.1",
    }


def test_an_unclosed_quote_costs_only_its_value() -> None:
    found = settings_of('Steps: 20, Lora hashes: "mist: 1f3a, Seed: 5')
    assert found["Seed"] == "5"


def test_lines_behind_the_settings_belong_to_them() -> None:
    found = parse_infotext("a lake\nSteps: 20, Seed: 5, Model: x\nTemplate: a {lake|sea}")
    assert found is not None
    assert found.prompt == "a lake"
    assert found.settings["Template"] == "a {lake|sea}"


def test_a_prompt_may_speak_of_steps() -> None:
    found = parse_infotext("Steps: stone\nsea\nSteps: 20, Seed: 5, Model: x")
    assert found is not None
    assert found.prompt == "Steps: stone\nsea"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<lora:mist:0.8>", Tag("lora", "mist", 0.8)),
        ("<lora:mist>", Tag("lora", "mist", 1)),
        ("<lora:a mist v2.1:-0.5>", Tag("lora", "a mist v2.1", -0.5)),
        ("<lora:mist:0.8:0.5>", Tag("lora", "mist", 0.8)),
        ("<lora:mist:te=0.5:unet=0.3>", Tag("lora", "mist", 0.3)),
        ("<lora:mist:1:lbw=MIDD>", Tag("lora", "mist", 1)),
        ("<lyco:mist:.5>", Tag("lyco", "mist", 0.5)),
        ("<hypernet:mist:0>", Tag("hypernet", "mist", 0)),
        ("<lora:mist:much>", Tag("lora", "mist", 1)),
    ],
)
def test_calls_in_prompts(text: str, expected: Tag) -> None:
    assert list(tags_of(f"a lake {text}, sea")) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "Steps: 1, " + 'a: {"' * 200_000,
        "Steps: 1, " + 'a: "' * 200_000,
        "Steps: 1, " + "a: [" * 200_000,
        "Steps: 1" + "\n" * 1_000_000,
        "Steps: 1" + "\n," * 500_000,
        "Steps: 1, a: " + "b" * 1_000_000,
        "Steps: 1\n" * 200_000,
        "<lora:" * 200_000,
        "<lora:" + "a:" * 500_000,
        "Negative prompt:" * 100_000,
        "w " * 500_000 + ":",
    ],
)
def test_texts_made_to_be_slow_are_not(text: str) -> None:
    within(2, lambda: (parse_infotext(text), list(tags_of(text))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5d41402a", {"autov1": "5d41402a"}),
        ("5D41402ABC", {"autov2": "5d41402abc"}),
        ("5d41402abc4b", {"autov3": "5d41402abc4b"}),
        (SHA, {"sha256": SHA}),
        (f"sha256:{SHA}", {"sha256": SHA}),
        (f"blake3:{SHA}", {"blake3": SHA}),
        (f"blake3_single:{SHA}", {"blake3": SHA}),
        (f"md5:{SHA[:32]}", {}),
        (f"random:{SHA}", {}),
        ("not a hash", {}),
        ("5d4140", {}),
        ("", {}),
        (None, {}),
        (12345678, {}),
    ],
)
def test_hashes_by_length_and_prefix(text: object, expected: dict[str, str]) -> None:
    assert hash_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("harbourMix_v3.safetensors", "harbourMix_v3"),
        ("C:\\models\\sd\\harbourMix_v3.CKPT", "harbourMix_v3"),
        ("a/b/harbour.mix.v3", "harbour.mix.v3"),
        ("pale.vae.pt", "pale.vae"),
        ("None", None),
        ("Automatic", None),
        ("  ", None),
        (".safetensors", None),
        (None, None),
        (["a"], None),
        ("a\nb\u0000c", "a b c"),
    ],
)
def test_names_are_base_names(text: object, expected: str | None) -> None:
    assert name_of(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, 5), ("5", 5), (5.0, 5), (-1, None), ("-1", None), (2**64, None), (2**64 - 1, 2**64 - 1),
     (5.5, None), (math.nan, None), (math.inf, None), (True, None), (None, None), ("x", None),
     ("9" * 5000, None), ("٣", 3), ([5], None)],
)  # fmt: skip
def test_seeds(value: object, expected: int | None) -> None:
    assert seed_of(value) == expected


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(ANYTHING)
def test_no_value_raises(value: Any) -> None:
    number = number_of(value)
    assert number is None or math.isfinite(number)
    seed = seed_of(value)
    assert seed is None or 0 <= seed < 1 << 64
    for text in (text_of(value), word_of(value), name_of(value)):
        assert text is None or 0 < len(text) <= MOST_TEXT
    hash_of(value)
    model_of(Role.BASE, value, value, hash_of(value))
    model_of_air(value, value, value)


@given(st.text(alphabet='Steps: 1,"{}[]<lora>\n\\w=-.', max_size=300))
def test_no_text_raises(text: str) -> None:
    settings_of(text)
    list(tags_of(text))
    parse_infotext(f"Steps: 1, Seed: 2, {text}")
