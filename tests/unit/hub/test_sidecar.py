"""What other programs put down beside a model."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from egide.errors import CorruptItem, ItemError, TooManyBytes, UnreadableItem
from egide.hub.facts import ModelFacts
from egide.hub.sidecar import MOST_SIDECAR, Sidecars, read_sidecars

VERSION = {
    "id": 12,
    "modelId": 3,
    "name": "v1",
    "baseModel": "SDXL 1.0",
    "trainedWords": ["mirela tovanescu", "smile"],
    "description": "<p>Made with <b>24</b> pictures.</p><script>bad()</script>",
    "publishedAt": "2024-05-06T07:08:09.000Z",
    "model": {"name": "Mirela", "type": "LORA", "nsfw": True, "poi": True},
    "files": [{"primary": True, "hashes": {"AutoV3": "AB" * 6, "SHA256": "CD" * 32}}],
    "images": [{"url": "x", "meta": {"prompt": "a photo of mirela"}}],
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "mirela.v1.safetensors"
    path.write_bytes(b"")
    return path


def beside(model: Path, ending: str, content: Any) -> Sidecars:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    (model.parent / f"mirela.v1{ending}").write_bytes(raw)
    return read_sidecars(model)


def facts(sidecars: Sidecars) -> ModelFacts:
    assert sidecars.facts is not None
    assert sidecars.faults == ()
    return sidecars.facts


def test_nothing_beside_is_nothing(model: Path) -> None:
    assert read_sidecars(model) == Sidecars(None, False, ())


def test_the_hubs_answer_is_read(model: Path) -> None:
    said = facts(beside(model, ".civitai.info", VERSION))
    assert (said.source, said.title, said.adapter, said.base_model) == (
        "sidecar", "Mirela", "lora", "SDXL 1.0",
    )  # fmt: skip
    assert said.trigger_words == ("mirela tovanescu", "smile")
    assert said.description == "Made with 24 pictures."
    assert (said.nsfw, said.poi) == (True, True)
    assert said.hashes["SHA256"] == "cd" * 32
    assert ("prompt", "a photo of mirela") in said.texts


def test_what_the_web_interface_keeps_is_read(model: Path) -> None:
    said = facts(
        beside(
            model,
            ".json",
            {
                "description": "my neighbour",
                "sd version": "SD1",
                "activation text": "mirela, smile",
                "notes": "24 pictures",
                "preferred weight": 0.8,
            },
        )
    )
    assert said.trigger_words == ("mirela", "smile")
    assert (said.description, said.base_model) == ("my neighbour", "SD 1.5")
    assert ("notes", "24 pictures") in said.texts


def test_what_lora_manager_keeps_is_read_with_the_hubs_answer_within(model: Path) -> None:
    said = facts(
        beside(
            model,
            ".metadata.json",
            {
                "model_name": "Mirela T.",
                "base_model": "Illustrious",
                "sha256": "EF" * 32,
                "notes": "from the fair",
                "tags": ["woman"],
                "modelDescription": "<i>Hello</i>",
                "civitai": VERSION,
            },
        )
    )
    assert (said.title, said.base_model, said.tags) == ("Mirela T.", "Illustrious", ("woman",))
    assert said.trigger_words == ("mirela tovanescu", "smile")
    assert said.hashes["SHA256"] == "ef" * 32
    assert said.description == "Hello"


def test_the_settings_of_an_adapter_are_read(tmp_path: Path) -> None:
    model = tmp_path / "adapter_model.safetensors"
    model.touch()
    (tmp_path / "adapter_config.json").write_text(
        '{"peft_type": "LORA", "r": 16, "base_model_name_or_path": "black-forest-labs/FLUX.1-dev"}'
    )
    said = facts(read_sidecars(model))
    assert (said.adapter, said.rank, said.base_model) == ("lora", 16, "Flux.1 D")


def test_settings_of_an_adapter_belong_to_no_other_file(model: Path) -> None:
    (model.parent / "adapter_config.json").write_text('{"r": 16}')
    assert read_sidecars(model).facts is None


def test_previews_are_counted_and_not_opened(model: Path) -> None:
    os.mkfifo(model.parent / "mirela.v1.preview.png")
    assert facts(read_sidecars(model)).thumbnails == 1


def test_several_are_put_together(model: Path) -> None:
    beside(model, ".civitai.info", VERSION)
    said = facts(beside(model, ".json", {"activation text": "more"}))
    assert said.trigger_words == ("mirela tovanescu", "smile", "more")


def test_a_flag_that_the_hub_set_is_passed_on_and_nothing_else_of_it(model: Path) -> None:
    # The flag alone: what it stands for is never tested with.
    flagged = {"minor": True}
    assert beside(model, ".civitai.info", flagged).says_minor
    (model.parent / "mirela.v1.civitai.info").unlink()
    assert beside(model, ".metadata.json", {"civitai": {"model": flagged}}).says_minor


@pytest.mark.parametrize("ending", [".civitai.info", ".metadata.json", ".json"])
@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", ItemError),
        (b"{", CorruptItem),
        (b"[]", CorruptItem),
        (b"[" * 100_000, CorruptItem),
        (b"\xff\xfe", CorruptItem),
        (b" " * (MOST_SIDECAR + 1), TooManyBytes),
    ],
)
def test_a_broken_sidecar_is_a_fault_that_names_it(
    model: Path, ending: str, content: bytes, error: type[ItemError]
) -> None:
    (fault,) = beside(model, ending, content).faults
    assert isinstance(fault, error)
    assert f"mirela.v1{ending}" in str(fault)


@pytest.mark.parametrize("ending", [".civitai.info", ".metadata.json", ".json"])
@pytest.mark.parametrize("value", [None, 7, "text", [None], {"a": [1]}, True])
def test_fields_of_any_type_are_read(model: Path, ending: str, value: Any) -> None:
    fields = (
        *VERSION, "civitai", "tags", "notes", "sha256", "model_name", "activation text",
        "sd version", "modelDescription", "stats", "creator", "base_model",
    )  # fmt: skip
    assert beside(model, ending, dict.fromkeys(fields, value)).faults == ()


def test_links_and_pipes_are_not_read(model: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(json.dumps(VERSION))
    (tmp_path / "mirela.v1.civitai.info").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "mirela.v1.json")
    sidecars = read_sidecars(model)
    assert [type(fault) for fault in sidecars.faults] == [UnreadableItem, UnreadableItem]
    assert sidecars.facts is not None
    assert sidecars.facts.title is None


def test_a_model_is_not_its_own_sidecar(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    assert read_sidecars(tmp_path / "a.json").facts is None
