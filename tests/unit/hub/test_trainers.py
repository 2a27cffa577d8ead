"""What trainers write about a model."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.hub.facts import MOST_WORDS, ModelFacts
from egide.hub.metadata import moment_of
from egide.hub.trainers import MOST_TAGS, concept_of, facts_of_metadata
from tests.models import kohya_metadata


def texts(facts: ModelFacts) -> str:
    return " | ".join(text for _, text in facts.texts)


# ── kohya's sd-scripts ──────────────────────────────────────────────────────────────────────────


def test_all_that_kohya_writes_is_read() -> None:
    facts = facts_of_metadata(
        kohya_metadata(ss_training_comment="for the village fair", ss_vae_name="neutral.vae.pt")
    )
    assert facts.trainer == "kohya-ss"
    assert facts.title == "mirela_v1"
    assert (facts.adapter, facts.rank, facts.base_model) == ("lora", 4, "SD 1.5")
    assert (facts.images, facts.steps, facts.epochs) == (24, 1500, 8)
    assert facts.trained_at == datetime(2023, 11, 14, 22, 13, 20, 250_000, UTC)
    assert facts.concepts == facts.trigger_words == ("mirela tovanescu woman",)
    assert facts.tag_frequency == (("mirela", 24), ("smile", 20), ("outdoors", 3))
    assert facts.tag_frequency_trusted
    assert facts.hashes == {"AutoV3": "ab" * 32}
    assert "for the village fair" in texts(facts)
    assert "neutral.vae.pt" in texts(facts)
    assert "AdamW" not in texts(facts)


def test_kohya_told_to_write_none_still_tells_the_name() -> None:
    facts = facts_of_metadata(
        {
            "modelspec.title": "mirela tovanescu",
            "modelspec.architecture": "stable-diffusion-xl-v1-base/lora",
            "modelspec.implementation_version": "sd-scripts/abcdef",
            "ss_network_dim": "16",
        }
    )
    assert (facts.title, facts.adapter, facts.base_model, facts.rank, facts.trainer) == (
        "mirela tovanescu", "lora", "SDXL 1.0", 16, "kohya-ss",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("model", "version", "base"),
    [
        ("ponyDiffusionV6XL.safetensors", "sdxl_base_v1-0", "Pony"),
        ("illustriousXL_v01.safetensors", "sdxl_base_v1-0", "Illustrious"),
        ("flux1-dev.safetensors", "flux1", "Flux.1 D"),
        ("flux1-schnell.safetensors", "flux1", "Flux.1 S"),
        # The name of a file decides nothing that the architecture contradicts.
        ("pony-like.safetensors", "sd_v1", "SD 1.5"),
        ("None", "sd_v2", "SD 2.1"),
        ("neutral_mix_9.safetensors", "sdxl_base_v1-0", "SDXL 1.0"),
    ],
)
def test_the_base_model_is_the_finetune_when_it_fits(model: str, version: str, base: str) -> None:
    facts = facts_of_metadata(kohya_metadata(ss_sd_model_name=model, ss_base_model_version=version))
    assert facts.base_model == base


@pytest.mark.parametrize(
    ("module", "arguments", "adapter"),
    [
        ("networks.lora", "None", "lora"),
        ("networks.lora", {"conv_dim": "8"}, "locon"),
        ("lycoris.kohya", {"algo": "loha"}, "loha"),
        ("lycoris.kohya", {"algo": "lokr", "dora_wd": "True"}, "dora"),
        ("lycoris.kohya", "None", "locon"),
        ("networks.oft", "None", "oft"),
        ("None", "None", None),
    ],
)
def test_the_adapter_is_the_one_that_was_asked_for(
    module: str, arguments: Any, adapter: str | None
) -> None:
    facts = facts_of_metadata(kohya_metadata(ss_network_module=module, ss_network_args=arguments))
    assert facts.adapter == adapter


def test_pictures_for_regularisation_are_no_concept() -> None:
    subsets = [
        {"img_count": 20, "image_dir": "5_mirela", "class_tokens": "mirela"},
        {"img_count": 200, "image_dir": "1_woman", "class_tokens": "woman", "is_reg": True},
    ]
    metadata = kohya_metadata(
        ss_dataset_dirs="None", ss_tag_frequency="None", ss_datasets=[{"subsets": subsets}],
        ss_reg_dataset_dirs={"1_woman": {"n_repeats": 1, "img_count": 200}},
    )  # fmt: skip
    facts = facts_of_metadata(metadata)
    assert (facts.images, facts.concepts) == (20, ("mirela",))


def test_pictures_are_counted_without_their_repeats() -> None:
    facts = facts_of_metadata(
        {"ss_num_train_images": "300", "ss_tag_frequency": '{"15_mirela": {"smile": 4}}'}
    )
    assert facts.images == 20


@pytest.mark.parametrize(
    ("folder", "concept"),
    [
        ("10_mirela tovanescu woman", "mirela tovanescu woman"),
        ("/data/sets/7_mirela", "mirela"),
        ("C:\\sets\\7_mirela", "mirela"),
        ("mirela_2", "mirela_2"),
        ("10_", "10_"),
        ("2024", "2024"),
        ("", ""),
    ],
)
def test_a_folder_names_its_concept(folder: str, concept: str) -> None:
    assert concept_of(folder) == concept


# ── others ──────────────────────────────────────────────────────────────────────────────────────


def test_ai_toolkit_makes_its_counts_up() -> None:
    facts = facts_of_metadata(
        {
            "name": "mirela_flux",
            "version": "1.0",
            "software": json.dumps({"name": "ai-toolkit", "version": "0.1"}),
            "training_info": json.dumps({"step": 2000, "epoch": 40}),
            "ss_base_model_version": "flux1",
            "ss_output_name": "mirela_flux",
            "ss_tag_frequency": json.dumps({"1_mir3la": {"mir3la": 1}}),
        }
    )
    assert (facts.trainer, facts.title, facts.base_model) == (
        "ai-toolkit",
        "mirela_flux",
        "Flux.1 D",
    )
    assert (facts.steps, facts.epochs) == (2000, 40)
    assert facts.concepts == ("mir3la",)
    assert facts.tag_frequency == (("mir3la", 1),)
    assert not facts.tag_frequency_trusted


@pytest.mark.parametrize("table", [{"dataset": {"a": 1, "b": 1}}, {"a": 1, "b": 1}])
def test_counts_of_one_alone_were_not_counted(table: Any) -> None:
    facts = facts_of_metadata({"ss_tag_frequency": json.dumps(table)})
    assert dict(facts.tag_frequency) == {"a": 1, "b": 1}
    assert not facts.tag_frequency_trusted


def test_onetrainer_tells_concepts_and_their_paths() -> None:
    config = {
        "base_model_name": "stabilityai/stable-diffusion-xl-base-1.0",
        "concepts": [{"name": "mirela", "path": "D:\\pictures\\mirela tovanescu"}],
    }
    facts = facts_of_metadata(
        {"ot_branch": "master", "ot_revision": "abc", "ot_config": json.dumps(config)}
    )
    assert facts.trainer == "onetrainer"
    assert facts.concepts == ("mirela", "mirela tovanescu")


def test_musubi_tuner_has_folders_and_no_tags() -> None:
    facts = facts_of_metadata(
        {
            "ss_network_module": "networks.lora_wan",
            "ss_base_model_version": "wan2.1",
            "ss_num_train_items": "40",
            "ss_datasets": json.dumps([{"image_directory": "/sets/mirela", "num_repeats": 1}]),
        }
    )
    assert (facts.trainer, facts.base_model, facts.concepts, facts.tag_frequency) == (
        "musubi-tuner", "Wan Video", ("mirela",), (),
    )  # fmt: skip


def test_diffusers_writes_little() -> None:
    facts = facts_of_metadata({"lora_adapter_metadata": json.dumps({"r": 8}), "format": "pt"})
    assert facts.trainer == "diffusers"


def test_modelspec_is_read_whole_and_its_thumbnail_is_counted_alone() -> None:
    facts = facts_of_metadata(
        {
            "modelspec.title": "Neutral",
            "modelspec.author": "Odile Ferrand",
            "modelspec.description": "A <b>landscape</b>.",
            "modelspec.date": "2024-03-02T10:00:00",
            "modelspec.tags": "hills, lakes",
            "modelspec.trigger_phrase": "n3utral",
            "modelspec.usage_hint": "write n3utral first",
            "modelspec.merged_from": "one, two",
            "modelspec.thumbnail": "data:image/png;base64,iVBORw0KGgo" + "A" * 10_000,
            "modelspec.hash_sha256": "0x" + "CD" * 32,
        }
    )
    assert facts.creator == "Odile Ferrand"
    assert facts.tags == ("hills", "lakes")
    assert facts.trigger_words == ("n3utral",)
    assert facts.trained_at == datetime(2024, 3, 2, 10, tzinfo=UTC)
    assert facts.hashes == {"AutoV3": "cd" * 32}
    assert facts.thumbnails == 1
    assert "write n3utral first" in texts(facts)
    assert "base64" not in texts(facts)
    assert "Odile" not in texts(facts)  # who made it is not who is depicted


def test_prompts_in_a_saved_workflow_are_texts() -> None:
    workflow = {"3": {"inputs": {"text": "a photo of mirela", "seed": 5}, "class_type": "Encode"}}
    assert "a photo of mirela" in texts(facts_of_metadata({"prompt": json.dumps(workflow)}))


# ── whatever comes ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", ["None", "", "null", "{}", "[]", None, {}, [], True])
def test_what_says_nothing_is_nothing(value: Any) -> None:
    keys = (*kohya_metadata(), "modelspec.title", "modelspec.author", "modelspec.tags", "name")
    facts = facts_of_metadata(dict.fromkeys(keys, value))
    assert facts == ModelFacts(source="safetensors", trainer="kohya-ss")


@pytest.mark.parametrize("number", ["-1", "1e400", "nan", "inf", "1" * 500, "0x10", 1e300, -5])
def test_impossible_numbers_are_nothing(number: Any) -> None:
    facts = facts_of_metadata({"ss_steps": number, "ss_network_dim": number, "ss_epoch": number})
    assert (facts.steps, facts.rank, facts.epochs) == (None, None, None)


def test_numbers_and_objects_are_read_as_if_they_were_texts() -> None:
    plain = facts_of_metadata(
        {"ss_steps": 1500, "ss_output_name": 7, "ss_tag_frequency": {"1_a": {"smile": 3}}}
    )
    assert (plain.steps, plain.title, plain.tag_frequency) == (1500, "7", (("smile", 3),))


@pytest.mark.parametrize(
    ("text", "year"),
    [("1700000000", 2023), ("1700000000000", 2023), ("2024-02-03", 2024),
     ("2024-02-03T04:05:06Z", 2024), ("2024-02-03T04:05:06.123456+02:00", 2024)],
)  # fmt: skip
def test_times_are_read(text: str, year: int) -> None:
    moment = moment_of(text)
    assert moment is not None
    assert (moment.year, moment.utcoffset()) == (year, UTC.utcoffset(None))


@pytest.mark.parametrize(
    "text",
    ["Feb 9, 2025", "February 9, 2025", "9 Feb 2025", "09 february 2025, at noon", "09.02.2025",
     "9.2.2025 14:30", "2025/02/09", "2025/2/9 14:30:00", "Sun, 09 Feb 2025 14:30:00 +0200",
     "9 Feb 2025 14:30:00 GMT"],
)  # fmt: skip
def test_times_are_read_as_people_and_mails_write_them(text: str) -> None:
    moment = moment_of(text)
    assert moment is not None
    assert (f"{moment:%Y-%m-%d}", moment.utcoffset()) == ("2025-02-09", UTC.utcoffset(None))


@pytest.mark.parametrize(
    "text",
    ["09/02/2025", "02/09/2025", "Feb 32, 2025", "31.02.2025", "2025/13/01", "marsupial 5, 2024",
     "Sun, 09 Feb 2025 14:30:99 +9999", "may be 5, 2024"],
)  # fmt: skip
def test_days_that_may_be_two_or_none_are_not_guessed(text: str) -> None:
    assert moment_of(text) is None


def test_times_are_read_since_the_year_that_is_asked_for() -> None:
    assert moment_of("2010-05-01") is None
    assert moment_of("2010-05-01", since=2008) is not None
    assert moment_of("2007-05-01", since=2008) is None


@pytest.mark.parametrize(
    "text", [None, "", "soon", "0", "-1", "1e300", "nan", "9" * 400, "0001-01-01T00:00:00+23:00"]
)
def test_times_that_cannot_be_are_none(text: str | None) -> None:
    assert moment_of(text) is None


def test_lists_and_texts_are_capped() -> None:
    facts = facts_of_metadata(
        {
            "ss_tag_frequency": json.dumps({"1_a": {f"tag {n}": n + 1 for n in range(50_000)}}),
            "ss_dataset_dirs": json.dumps({f"1_{n}": {"img_count": 1} for n in range(50_000)}),
            "ss_output_name": "n" * 100_000,
            "ss_training_comment": "c" * 1_000_000,
        }
        | {f"note {n}": "some words" for n in range(5_000)}
    )
    assert len(facts.tag_frequency) == MOST_TAGS
    assert facts.tag_frequency[0] == ("tag 49999", 50_000)
    assert max(map(len, (facts.concepts, facts.texts))) <= MOST_WORDS
    assert len(facts.title or "") == 20_000


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=10,
)
keys = st.sampled_from(
    [*kohya_metadata(), "modelspec.title", "modelspec.tags", "software", "training_info", "tags",
     "ot_config", "ssmd_cover_images", "ss_reg_dataset_dirs", "prompt", "trigger_word"]
)  # fmt: skip


@given(st.dictionaries(keys | st.text(max_size=6), values | values.map(json.dumps)))
def test_any_metadata_are_read(metadata: dict[str, Any]) -> None:
    facts = facts_of_metadata(metadata)
    assert all(isinstance(text, str) for pair in facts.texts for text in pair)
    assert all(isinstance(count, int) for _, count in facts.tag_frequency)
    repr(facts).encode()
