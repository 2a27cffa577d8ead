"""The names that one model goes by, brought to one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.hub.aliases import Alias, Sureness, aliases_of, file_stem, named_aliases
from egide.hub.facts import ModelFacts
from egide.hub.listing import facts_of_record
from egide.record import Shape

SHA = "ab" * 32
LISTING = {
    "id": 4711,
    "name": "Soft light",
    "modelVersions": [
        {
            "id": 900,
            "files": [
                {
                    "name": "Soft-Light.safetensors",
                    "hashes": {"SHA256": SHA.upper(), "AutoV3": "0123456789AB", "CRC32": "AA"},
                }
            ],
        }
    ],
}


def test_a_listing_is_known_by_its_ids_its_hashes_and_its_file() -> None:
    facts = facts_of_record(LISTING, Shape.CIVITAI_MODEL)
    assert facts is not None

    assert aliases_of(facts) == (
        Alias("civitai", "4711"),
        Alias("civitai-version", "900", 900),
        Alias("sha256", SHA, 900),
        Alias("autov2", SHA[:10], 900),
        Alias("autov3", "0123456789ab", 900),
        Alias("file", "soft-light", 900),
    )


def test_a_repository_is_known_by_its_name() -> None:
    facts = ModelFacts(source="huggingface", ref="Somebody/Soft-Light")
    assert aliases_of(facts) == (Alias("huggingface", "somebody/soft-light"),)


def test_the_surest_names_of_a_picture_s_model_come_first() -> None:
    found = named_aliases(
        {"autov1": "0" * 8, "autov2": "1" * 10, "autov3": "0x" + "2" * 64},
        {"civitai-version": "900", "air": "urn:air:sdxl:lora:civitai:4711@900"},
        "folder\\Soft-Light.SAFETENSORS",
    )
    assert [(alias.kind, alias.value) for alias in found] == [
        ("civitai-version", "900"),
        ("autov3", "2" * 12),
        ("autov2", "1" * 10),
        ("autov1", "0" * 8),
        ("file", "soft-light"),
    ]
    assert [alias.sureness for alias in found] == [
        Sureness.SURE, Sureness.SURE, Sureness.STRONG, Sureness.WEAK, Sureness.WEAK,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "digest",
    ["", "12", "xyz" * 20, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
)
def test_what_is_no_digest_or_that_of_nothing_is_no_name(digest: str) -> None:
    assert named_aliases({"sha256": digest, "autov2": digest}, {}, None) == ()


@pytest.mark.parametrize("name", ["pytorch_lora_weights.safetensors", "model", "ab", "", "LoRA.pt"])
def test_a_name_that_trainers_give_to_every_file_is_none(name: str) -> None:
    assert named_aliases({}, {}, name) == ()


def test_a_file_is_called_the_same_in_any_folder() -> None:
    assert file_stem("a/b\\C d.v2.safetensors") == "c d.v2"


@given(
    st.dictionaries(st.sampled_from(["sha256", "autov1", "autov2", "autov3", "x"]), st.text()),
    st.dictionaries(
        st.sampled_from(["air", "civitai", "civitai-version", "huggingface"]), st.text()
    ),
    st.none() | st.text(),
)
def test_nothing_raises(hashes: dict[str, str], ids: dict[str, str], name: str | None) -> None:
    for alias in named_aliases(hashes, ids, name):
        assert alias.value
