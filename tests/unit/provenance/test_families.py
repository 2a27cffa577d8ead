"""Every tool's metadata read back, whole and damaged, and never a wrong tool for plain texts."""

from __future__ import annotations

import json
import pickle
import time
from dataclasses import replace
from itertools import cycle
from typing import Any

import pytest

from egide.errors import CorruptItem, TooManyBytes
from egide.item import Item
from egide.provenance.carriers import read_blocks
from egide.provenance.families import MOST_ACCOUNTS, generations
from egide.provenance.family.stated import MOST_JSON, MOST_STATEMENTS
from egide.provenance.statements import Block, Generation, Role, Trust
from tests.fuzz.family_targets import check_blocks, damaged
from tests.provenance_samples import (
    NEGATIVE,
    PROMPT,
    SAMPLES,
    SETTINGS,
    SWARM,
    UUID,
    Sample,
    block,
    file_of,
    graph,
    infotext,
    invokeai_metadata,
    node,
)

NAMES = sorted(SAMPLES)


def read(*blocks: Block) -> list[Generation]:
    found, faults = generations(blocks)
    assert faults == []
    return found


def only(*blocks: Block) -> Generation:
    (found,) = read(*blocks)
    return found


def told(sample: Sample) -> dict[str, Any]:
    return {
        "generator": sample.generator,
        "version": sample.version,
        "seed": sample.seed,
        "prompt": sample.prompt,
        "negative_prompt": sample.negative,
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_read_as_its_tool_wrote_it(name: str) -> None:
    sample = SAMPLES[name]
    found = only(*sample.blocks)
    assert {key: getattr(found, key) for key in told(sample)} == told(sample)
    assert [(model.role, model.name, model.weight) for model in found.models] == list(sample.models)
    if sample.hashes:
        assert found.models[0].hashes == sample.hashes
    ids = next((model.ids for model in found.models if model.ids), {})
    assert sample.ids.items() <= ids.items()


@pytest.mark.parametrize("name", NAMES)
def test_an_account_says_where_it_stands_and_can_be_pickled(name: str) -> None:
    found = only(*SAMPLES[name].blocks)
    places = {each.where for each in SAMPLES[name].blocks}
    assert found.where
    assert set(found.where) <= places
    hidden = any(where.startswith("stealth:") for where in found.where)
    assert found.trust is (Trust.PIXELS if hidden else Trust.TEXT)
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize("name", NAMES)
def test_a_file_says_what_its_blocks_say(name: str) -> None:
    blocks = SAMPLES[name].blocks
    carried = read_blocks(Item.from_bytes(file_of(blocks), name))
    assert carried.faults == ()
    found = only(*carried.blocks)
    expected = only(*blocks)
    assert {where.lower() for where in found.where} == {where.lower() for where in expected.where}
    assert replace(found, where=()) == replace(expected, where=())


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_sample_never_raises(name: str) -> None:
    for blocks in damaged(SAMPLES[name].blocks, rounds=40):
        check_blocks(blocks)


@pytest.mark.parametrize(
    "name",
    [
        "swarmui-jpeg",
        "comfyui-png",
        "comfyui-video",
        "civitai-graph",
        "invokeai",
        "novelai-png",
        "stability-matrix",
        "tensorart",
        "easy-diffusion-json",
        "fooocus",
        "draw-things",
    ],
)
def test_a_cut_record_is_a_fault_and_its_tool_still_known(name: str) -> None:
    sample = SAMPLES[name]
    cut = [
        Block(each.where, each.key, each.text[: -len(each.text) // 4])
        if each.text.startswith("{")
        else each
        for each in sample.blocks
    ]
    found, faults = generations(cut)
    assert sample.generator in [each.generator for each in found]
    assert all(isinstance(fault, CorruptItem) for fault in faults)
    assert faults
    assert all("look" in str(fault) or "not read" in str(fault) for fault in faults)


def test_text_cut_before_its_settings_is_still_known() -> None:
    whole = infotext()
    found = only(block("png:parameters", whole[: whole.index("\nSteps")]))
    assert (found.generator, found.prompt, found.seed) == ("a1111", PROMPT, None)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("png:Software", "GIMP 3.0.6"),
        ("png:Software", "Adobe Photoshop 26.0"),
        ("png:Software", "a stable diffusion of salt"),
        ("exif:UserComment", "Steps: the way up to the lighthouse"),
        ("png:Comment", "Created with GIMP"),
        ("png:Description", "Shot on a tripod, ISO: 100, Aperture: 8, Lens: 50 mm, Filter: none"),
        ("png:prompt", "a lake at dawn"),
        ("exif:UserComment", '{"lens": "50 mm", "prompt": "say cheese"}'),
        ("exif:Model", "NIKON D750"),
        ("exif:Artist", UUID),
        ("exif:ImageDescription", "Signature: " + "aGFyYm91" * 20),
        ("png:parameters", "{red|blue} boats"),
        ("exif:UserComment", "[lake:boat:0.5]"),
        ("png:workflow", "[]"),
        ("mp4:comment", "{}"),
    ],
)
def test_what_no_generator_wrote_is_nothing(where: str, text: str) -> None:
    assert read(block(where, text)) == []


def test_the_same_text_in_two_places_is_one_account() -> None:
    text = infotext()
    found = only(block("png:parameters", text), block("stealth:alpha", text))
    assert found.where == ("png:parameters", "stealth:alpha")
    assert found.trust is Trust.PIXELS


def test_metadata_pasted_from_another_picture_stays_apart() -> None:
    other = infotext(SETTINGS.replace("1234", "99") + "Model: otherMix", "a snowy field")
    found = read(block("png:parameters", infotext()), block("exif:UserComment", other))
    assert [each.seed for each in found] == [1234, 99]
    found = read(block("png:prompt", graph()), block("png:parameters", other))
    assert [each.generator for each in found] == ["comfyui", "a1111"]
    found = read(
        block("png:invokeai_metadata", invokeai_metadata()), block("png:parameters", infotext())
    )
    assert [each.generator for each in found] == ["invokeai", "a1111"]


def test_a_record_and_another_tools_graph_stay_apart() -> None:
    pasted = graph()
    pasted["n5"]["inputs"]["seed"] = 99
    found = read(block("png:parameters", SWARM), block("png:prompt", pasted))
    assert [each.generator for each in found] == ["swarmui", "comfyui"]


def test_the_user_and_the_job_are_ids_of_the_job() -> None:
    assert only(*SAMPLES["midjourney"].blocks).ids == {"job": UUID, "user": "Mirela Vantongeren"}
    assert only(*SAMPLES["civitai-graph"].blocks).ids == {"job": UUID}
    assert only(*SAMPLES["fooocus-a1111"].blocks).ids == {"user": "Mirela"}


def test_civitais_resources_may_be_named_by_air() -> None:
    text = infotext(
        SETTINGS + 'Civitai resources: [{"air": "urn:air:sdxl:lora:civitai:101@202", '
        '"modelName": "Misty Coast", "weight": 0.7}]'
    )
    (model,) = only(block("exif:UserComment", text)).models
    assert (model.role, model.name, model.weight) == (Role.ADAPTER, "Misty Coast", 0.7)
    assert model.ids["civitai-version"] == "202"


def test_dates_are_kept_as_written() -> None:
    assert only(*SAMPLES["swarmui-png"].blocks).created == "2026-01-03"
    assert only(*SAMPLES["midjourney"].blocks).created == "Sun, 04 Jan 2026 10:00:00 GMT"


def test_a_first_model_wins_its_hashes_from_both_accounts() -> None:
    blocks = SAMPLES["stability-matrix"].blocks
    found = only(*blocks)
    assert found.where[0] == "png:parameters-json"
    assert len(found.where) == len(blocks)
    assert found.models[1].ids == {"civitai-version": "200004"}


VALUES: tuple[object, ...] = (
    None,
    [],
    {},
    "x" * 2000,
    -1,
    True,
    [[[]]],
    {"a": {"b": None}},
    10**400,
    "\ud800",
)


@pytest.mark.parametrize("name", NAMES)
def test_any_type_may_stand_anywhere(name: str) -> None:
    """Every value of an object is replaced by values of other types, and so are those inside it."""
    values = cycle(VALUES)
    for each in SAMPLES[name].blocks:
        if not each.text.startswith("{"):
            continue
        whole = json.loads(each.text.rstrip("\0"))
        for key, inner in [*whole.items()] * 3:
            check_blocks([block(each.where, whole | {key: next(values)})])
            for within in list(inner)[:8] if isinstance(inner, dict) else ():
                check_blocks([block(each.where, whole | {key: inner | {within: next(values)}})])


def test_numbers_that_are_none_are_nothing_said() -> None:
    text = json.dumps(SWARM).replace("1234", "NaN").replace('"0.7"', "Infinity")
    found = only(block("png:parameters", text))
    assert found.seed is None
    assert found.models[1].weight is None


def test_json_that_is_too_long_is_a_fault() -> None:
    text = '{"sui_image_params": {"prompt": "' + "x" * MOST_JSON + '"}}'
    found, faults = generations([block("png:parameters", text)])
    assert [type(fault) for fault in faults] == [TooManyBytes]
    assert [each.generator for each in found] == ["swarmui"]


def test_a_text_that_is_too_long_is_a_fault() -> None:
    found, faults = generations([block("png:parameters", "x " * (1 << 20))])
    assert found == []
    assert [type(fault) for fault in faults] == [TooManyBytes]


def test_json_of_one_file_has_an_end() -> None:
    text = json.dumps(graph(x=node("Note", text="x" * (MOST_JSON - 5000))))
    found, faults = generations([block("png:prompt", text), block("png:workflow", text)] * 2)
    assert [type(fault) for fault in faults] == [TooManyBytes] * 2
    assert [each.generator for each in found] == ["comfyui"]


def test_json_nested_too_deep_is_a_fault() -> None:
    text = '{"class_type": ' * 100_000
    found, faults = generations([block("png:prompt", text)])
    assert [type(fault) for fault in faults] == [CorruptItem]
    assert [each.generator for each in found] == ["comfyui"]


def test_envelopes_in_envelopes_end() -> None:
    value: object = infotext()
    for _ in range(12):
        value = json.dumps({"comment": value})
    began = time.monotonic()
    check_blocks([block("exif:UserComment", value)])
    nested: dict[str, Any] = {}
    for _ in range(800):
        nested = {"comment": nested}
    check_blocks([block("exif:UserComment", nested)])
    assert time.monotonic() - began < 2


def test_very_many_blocks_are_cut_with_a_fault() -> None:
    one = block("png:parameters", "a lake")
    found, faults = generations([one] * (MOST_STATEMENTS + 1))
    assert found == []
    assert [type(fault) for fault in faults] == [TooManyBytes]


def test_very_many_accounts_are_cut_with_a_fault() -> None:
    blocks = [
        block("png:parameters", infotext(SETTINGS.replace("1234", str(number))))
        for number in range(MOST_ACCOUNTS + 10)
    ]
    found, faults = generations(blocks)
    assert len(found) == MOST_ACCOUNTS
    assert [type(fault) for fault in faults] == [TooManyBytes]


def test_prompts_are_kept_without_controls() -> None:
    text = infotext(prompt=f"{PROMPT}\x1b[31m\x00 red")
    assert only(block("png:parameters", text)).prompt == f"{PROMPT} [31m  red"
    assert only(block("png:parameters", text)).negative_prompt == NEGATIVE
