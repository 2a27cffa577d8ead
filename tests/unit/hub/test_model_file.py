"""One model file to what is known of it."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.errors import CorruptItem, ItemError, TooManyBytes, TruncatedItem, UnreadableItem
from egide.hub.model_file import ModelLimits, model_facts, read_model
from egide.item import Item
from egide.sniff import Kind
from tests import models
from tests.growth import within

LORA = models.safetensors(models.kohya_lora(rank=8), models.kohya_metadata())


def test_metadata_and_tensors_are_put_together() -> None:
    facts = model_facts(Item.from_bytes(LORA, "up/loads/mirela_v1.safetensors"))
    assert (facts.source, facts.ref, facts.title) == (
        "safetensors", "mirela_v1.safetensors", "mirela_v1",
    )  # fmt: skip
    assert facts.rank == 8  # the tensors', though the metadata say 4
    assert (facts.adapter, facts.base_model, facts.images) == ("lora", "SD 1.5", 24)
    assert facts.problems == ()


def test_tensors_tell_where_the_metadata_were_taken_out() -> None:
    facts = model_facts(Item.from_bytes(models.safetensors(models.kohya_lora(2048, 16))))
    assert (facts.adapter, facts.base_model, facts.rank) == ("lora", "SDXL 1.0", 16)


def test_a_file_and_its_bytes_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mirela.safetensors"
    path.write_bytes(LORA)
    assert model_facts(Item.from_path(path)) == model_facts(Item.from_bytes(LORA, path.name))


def test_seven_gigabytes_are_read_in_milliseconds(tmp_path: Path) -> None:
    path = tmp_path / "large.safetensors"
    entry = {"dtype": "F16", "shape": [3_500_000_000], "data_offsets": [0, 7_000_000_000]}
    raw = models.header({"__metadata__": models.kohya_metadata(), "w": entry})
    with path.open("wb") as file:
        file.write(raw)
        file.truncate(len(raw) + 7_000_000_000)  # a hole: it takes no room
    read_model(Item.from_bytes(LORA))  # what is imported is imported
    reading = within(0.1, lambda: read_model(Item.from_path(path)))
    assert reading.faults == ()
    assert reading.facts.title == "mirela_v1"


def test_all_formats_are_read(tmp_path: Path) -> None:
    state = models.torch_pickle(models.kohya_lora())
    gguf = models.gguf(tmp_path / "a.gguf", "sdxl", {"w": (2, 2)}, name="Neutral")
    sources = [
        model_facts(item).source
        for item in (
            Item.from_bytes(LORA),
            Item.from_path(gguf),
            Item.from_bytes(models.torch_zip(state)),
            Item.from_bytes(models.legacy_torch(state)),
        )
    ]
    assert sources == ["safetensors", "gguf", "pickle", "pickle"]
    assert model_facts(Item.from_path(gguf)).base_model == "SDXL 1.0"


def test_a_textual_inversion_of_every_kind_has_its_word() -> None:
    word = model_facts(Item.from_bytes(models.torch_zip(models.inversion_pickle("mirela", "m"))))
    assert (word.adapter, word.trigger_words) == ("textual-inversion", ("mirela",))
    named = model_facts(Item.from_bytes(models.safetensors({"<mirela>": (768,)})))
    assert named.adapter == "textual-inversion"
    assert ("token", "<mirela>") in named.texts


def test_what_stands_beside_the_file_belongs_to_it(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(models.safetensors(models.kohya_lora()))
    (tmp_path / "x.json").write_text('{"activation text": "mirela", "sd version": "SD1"}')
    assert model_facts(Item.from_path(path)).trigger_words == ("mirela",)


def test_a_broken_file_still_has_its_name_and_its_sidecars(tmp_path: Path) -> None:
    path = tmp_path / "mirela.safetensors"
    path.write_bytes(models.header({"w": 1}, length=2**63))
    (tmp_path / "mirela.json").write_text('{"activation text": "mirela tovanescu"}')
    item = Item.from_path(path)
    assert item.kind is Kind.MODEL
    reading = read_model(item)
    assert isinstance(reading.faults[0], TruncatedItem)
    assert reading.facts.problems == (str(reading.faults[0]),)
    assert reading.facts.trigger_words == ("mirela tovanescu",)
    assert (reading.facts.source, reading.facts.ref) == ("safetensors", "mirela.safetensors")


def test_a_flag_in_a_sidecar_is_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(LORA)
    assert not read_model(Item.from_path(path)).says_minor
    (tmp_path / "x.civitai.info").write_text('{"minor": true}')
    assert read_model(Item.from_path(path)).says_minor


def test_a_file_that_vanished_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(LORA)
    item = Item.from_path(path)
    path.unlink()
    os.mkfifo(path)
    assert isinstance(read_model(item).faults[0], UnreadableItem)


def test_an_item_that_could_not_be_opened_keeps_its_problem(tmp_path: Path) -> None:
    reading = read_model(Item.from_path(tmp_path / "none.safetensors"))
    assert isinstance(reading.faults[0], UnreadableItem)
    assert reading.facts.source == "other"


def test_the_limit_can_be_set() -> None:
    reading = read_model(Item.from_bytes(LORA), ModelLimits(header=100))
    assert isinstance(reading.faults[0], TooManyBytes)


def test_the_file_is_read_once_for_all_who_ask(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(LORA)
    item = Item.from_path(path)
    reading = read_model(item)
    path.unlink()
    assert read_model(item) is reading
    assert pickle.loads(pickle.dumps(reading)).facts == reading.facts


def test_a_dangerous_pickle_is_a_problem_that_the_facts_name() -> None:
    facts = model_facts(Item.from_bytes(models.torch_zip(b"\x80\x02cos\nsystem\n)R.")))
    assert "os.system" in facts.problems[0]


# ── a model in several files ────────────────────────────────────────────────────────────────────


def sharded(folder: Path, *places: str) -> Item:
    names = list(models.kohya_lora(2048, 16))
    index = {"metadata": {"total_size": 1}, "weight_map": dict(zip(names, places, strict=False))}
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps(index, indent=2))
    return Item.from_path(path)


def test_an_index_leads_to_its_files(tmp_path: Path) -> None:
    shards = [f"model-{n}-of-2.safetensors" for n in (1, 2)]
    lora = models.kohya_lora(2048, 16)
    (tmp_path / shards[0]).write_bytes(models.safetensors(lora, models.kohya_metadata()))
    (tmp_path / shards[1]).write_bytes(models.safetensors({"rest": (1,)}))
    item = sharded(tmp_path, *shards)
    assert item.kind is Kind.MODEL
    reading = read_model(item)
    assert reading.faults == ()
    assert (reading.facts.adapter, reading.facts.rank) == ("lora", 16)
    assert reading.facts.concepts == ("mirela tovanescu woman",)


def test_a_missing_file_of_an_index_is_a_fault_that_names_it(tmp_path: Path) -> None:
    (fault,) = read_model(sharded(tmp_path, "model-1.safetensors")).faults
    assert "model-1.safetensors" in str(fault)


@pytest.mark.parametrize("place", ["../secret", "/etc/hostname", "a/b", "..", ".", ""])
def test_an_index_leads_nowhere_out_of_its_folder(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(LORA)
    reading = read_model(sharded(folder, place))
    assert isinstance(reading.faults[0], CorruptItem)
    assert "leads out" in str(reading.faults[0])
    assert reading.facts.concepts == ()


def test_an_index_of_a_thousand_files_is_given_up(tmp_path: Path) -> None:
    index = {"weight_map": {f"t{n}": f"{n}.safetensors" for n in range(1000)}}
    (tmp_path / "m.index.json").write_text(json.dumps(index))
    reading = read_model(Item.from_path(tmp_path / "m.index.json"))
    assert isinstance(reading.faults[0], TooManyBytes)
    assert len(reading.faults) <= 65


def test_an_index_alone_names_what_its_tensors_are() -> None:
    names = dict.fromkeys(models.kohya_lora(), "1.safetensors")
    item = Item.from_bytes(json.dumps({"weight_map": names}).encode())
    assert (item.kind, model_facts(item).adapter) == (Kind.MODEL, "lora")


# ── whatever comes ──────────────────────────────────────────────────────────────────────────────


@given(st.sampled_from([b"", LORA[:8], b"GGUF\3\0\0\0", b"PK\3\4", b"\x80\x02"]), st.binary())
@settings(max_examples=300)
def test_any_bytes_have_a_reading(begin: bytes, rest: bytes) -> None:
    reading = read_model(Item.from_bytes(begin + rest))
    assert all(isinstance(fault, ItemError) for fault in reading.faults)
    assert all(problem.isprintable() for problem in reading.facts.problems)


def test_a_model_is_opened_as_a_stream_and_never_held(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(LORA)
    item = Item.from_path(path)
    for each in (item, Item.from_bytes(LORA)):
        with each.opened() as stream:
            assert stream.read(8) == LORA[:8]
            stream.seek(-4, os.SEEK_END)
            assert stream.read() == LORA[-4:]
    assert item.sha256 == hashlib.sha256(LORA).hexdigest()
    path.unlink()
    with pytest.raises(UnreadableItem):
        item.read(1 << 30)  # computing the digest has not kept the bytes
