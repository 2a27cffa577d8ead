"""Listings of both hubs, in all the ways their fields have drifted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.errors import CorruptItem, ItemError, UnknownRecord
from egide.hub.facts import ModelFacts
from egide.hub.fields import list_of, number_of, object_of, text_of, truth_of, words_of
from egide.hub.listing import listing_facts, read_listing
from egide.item import Item
from egide.sniff import Kind
from tests.listings import civitai_models

MODEL = next(civitai_models(1, people=["Alba Vandermeer"], share=1, seed=3))


def facts(record: Any) -> ModelFacts:
    item = Item.from_bytes(json.dumps(record).encode(), "dump#1")
    assert item.kind is Kind.LISTING
    return listing_facts(item)


def civitai(**fields: Any) -> ModelFacts:
    return facts(MODEL | fields)


def version(**fields: Any) -> ModelFacts:
    return civitai(modelVersions=[MODEL["modelVersions"][0] | fields]).versions[0]


def hub(**fields: Any) -> ModelFacts:
    return facts({"id": "ada/meadow", "tags": ["lora"], "likes": 1, "siblings": []} | fields)


# ── Civitai ─────────────────────────────────────────────────────────────────────────────────────


def test_a_model_is_read_whole() -> None:
    found = facts(MODEL)
    (first, *_) = MODEL["modelVersions"]
    assert (found.source, found.ref, found.title) == ("civitai", "1", MODEL["name"])
    assert found.description is not None
    assert found.description.startswith("Alba Vandermeer, trained on ")
    assert "<" not in found.description
    assert found.creator == MODEL["creator"]["username"]
    assert found.tags == tuple(MODEL["tags"])
    assert found.trigger_words == ("alba_vandermeer",)
    assert found.base_model == first["baseModel"]
    assert found.downloads == MODEL["stats"]["downloadCount"]
    assert (found.likes, found.poi, found.available) == (3, False, True)
    assert found.published_at is not None
    assert found.published_at.isoformat() == first["publishedAt"].replace(".000Z", "+00:00")
    assert found.hashes["AutoV3"] == first["files"][0]["hashes"]["AutoV3"].lower()
    assert ("prompt", first["images"][0]["meta"]["prompt"]) in found.texts
    assert ("file", "alba_vandermeer.safetensors") in found.texts
    assert found.thumbnails == 2 * len(MODEL["modelVersions"])


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"tags": [{"name": "a"}, {"name": "b"}]}, "tags", ("a", "b")),
        ({"tags": '["a", "b"]'}, "tags", ("a", "b")),
        ({"tags": "['a', 'b, c']"}, "tags", ("a", "b, c")),
        ({"tags": '{a,"b c"}'}, "tags", ("a", "b c")),
        ({"tags": "a, b"}, "tags", ("a", "b")),
        ({"tags": None}, "tags", ()),
        ({"tags": [None, 3, "a", "a", ""]}, "tags", ("3", "a")),
        ({"nsfw": "Soft"}, "nsfw", True),
        ({"nsfw": "None"}, "nsfw", False),
        ({"nsfw": "true"}, "nsfw", True),
        ({"nsfw": 0}, "nsfw", False),
        ({"nsfw": None}, "nsfw", None),
        ({"nsfwLevel": "Mature"}, "nsfw_level", 4),
        ({"nsfwLevel": 60}, "nsfw_level", 60),
        ({"poi": True}, "poi", True),
        ({"stats": {"downloadCount": None, "downloadCountAllTime": 9}}, "downloads", 9),
        ({"stats": {}, "rank": {"downloadCountAllTime": "12"}}, "downloads", 12),
        ({"stats": None, "downloadCount": "12.0"}, "downloads", 12),
        ({"stats": {"favoriteCount": 4}}, "likes", 4),
        ({"creator": "ada"}, "creator", "ada"),
        ({"creator": {"name": "ada"}}, "creator", "ada"),
        ({"creator": None}, "creator", None),
        ({"creator": {"username": "a", "followerCount": 7}}, "creator_followers", 7),
        ({"creator": {"stats": {"followerCountAllTime": "7"}}}, "creator_followers", 7),
        ({"type": "LoCon"}, "adapter", "locon"),
        ({"type": "TextualInversion"}, "adapter", "textual-inversion"),
        ({"mode": "TakenDown"}, "available", False),
        ({"mode": "Archived"}, "available", False),
        ({"status": "Unpublished"}, "available", False),
        ({"deletedAt": "2024-01-01"}, "available", False),
        ({"name": 17}, "title", "17"),
        ({"name": None}, "title", None),
        ({"name": "x" * 100_000}, "title", "x" * 20_000),
        ({"id": "abc"}, "ref", "abc"),
        ({"description": None}, "description", None),
        ({"description": "<script>x()</script>"}, "description", None),
    ],
)
def test_a_models_fields_are_read_however_written(
    fields: dict[str, Any], name: str, value: object
) -> None:
    assert getattr(civitai(**fields), name) == value


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"trainedWords": "a, b"}, "trigger_words", ("a", "b")),
        ({"trainedWords": None}, "trigger_words", ()),
        (
            {"publishedAt": None, "createdAt": "2024-05-06"},
            "published_at",
            datetime(2024, 5, 6, tzinfo=UTC),
        ),
        (
            {"publishedAt": "1715000000000"},
            "published_at",
            datetime(2024, 5, 6, 12, 53, 20, tzinfo=UTC),
        ),
        ({"publishedAt": "yesterday", "createdAt": 5}, "published_at", None),
        (
            {"files": [{"hashes": {"AutoV3": "ABC", "x": "no hex", "y": 5}}]},
            "hashes",
            {"AutoV3": "abc"},
        ),
        ({"files": None}, "hashes", {}),
        ({"files": "[]"}, "available", None),
        ({"baseModel": "Other"}, "base_model", None),
        ({"uploadType": "Trained"}, "trainer", "civitai"),
        ({"images": [{"meta": None}, 5, {"meta": {"prompt": 5}}]}, "thumbnails", 3),
    ],
)
def test_a_versions_fields_are_read_however_written(
    fields: dict[str, Any], name: str, value: object
) -> None:
    assert getattr(version(**fields), name) == value


def test_the_hashes_are_those_of_the_main_file() -> None:
    files = [
        {"hashes": {"SHA256": "aa"}},
        {"hashes": {"SHA256": "bb"}, "primary": True},
    ]
    assert version(files=files).hashes == {"SHA256": "bb"}


def test_a_model_without_figures_has_those_of_its_versions() -> None:
    versions = MODEL["modelVersions"]
    assert civitai(stats=None).downloads == 5 * len(versions)


def test_a_version_that_stands_alone_speaks_for_its_model() -> None:
    found = facts(
        MODEL["modelVersions"][0]
        | {"modelId": 9, "model": {"name": "Meadow", "type": "LORA", "nsfw": False, "poi": True}}
    )
    assert (found.ref, found.title, found.adapter, found.poi) == ("9", "Meadow", "lora", True)
    assert found.versions[0].title == "v1"


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (MODEL, False),
        (MODEL | {"minor": True}, True),
        (MODEL | {"minor": None}, False),
        (MODEL["modelVersions"][0] | {"model": {"minor": True}}, True),
    ],
)
def test_the_hubs_own_flag_is_handed_on(record: Any, says: bool) -> None:
    assert read_listing(Item.from_bytes(json.dumps(record).encode())).says_minor is says


# ── Hugging Face ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({}, "title", "meadow"),
        ({}, "creator", "ada"),
        ({"author": "grace"}, "creator", "grace"),
        ({"downloads": 3}, "downloads", 3),
        ({"downloads": 3, "downloadsAllTime": 90}, "downloads", 90),
        (
            {"tags": ["lora", "base_model:adapter:stabilityai/stable-diffusion-xl-base-1.0"]},
            "base_model",
            "SDXL 1.0",
        ),
        (
            {"tags": ["lora", "license:mit", "template:sd-lora", "woman"]},
            "tags",
            ("lora", "template:sd-lora", "woman"),
        ),
        ({"cardData": {"base_model": ["black-forest-labs/FLUX.1-dev"]}}, "base_model", "Flux.1 D"),
        (
            {"cardData": '{"instance_prompt": "a photo of ohwx, smiling"}'},
            "trigger_words",
            ("a photo of ohwx, smiling",),
        ),
        ({"card_data": {"tags": ["woman"]}}, "tags", ("lora", "woman")),
        ({"tags": ["textual_inversion"]}, "adapter", "textual-inversion"),
        ({"tags": ["x"], "cardData": {"base_model_relation": "adapter"}}, "adapter", "lora"),
        ({"tags": ["text-to-image"]}, "adapter", "checkpoint"),
        ({"tags": ["not-for-all-audiences"]}, "nsfw", True),
        ({"tags": ["ai-toolkit"]}, "trainer", "ai-toolkit"),
        (
            {"createdAt": "2024-05-06T00:00:00.000Z"},
            "published_at",
            datetime(2024, 5, 6, tzinfo=UTC),
        ),
        (
            {"siblings": [{"rfilename": "alba.safetensors", "lfs": {"sha256": "AB"}}]},
            "hashes",
            {"SHA256": "ab"},
        ),
        (
            {"siblings": [{"rfilename": "alba.safetensors"}]},
            "texts",
            (("file", "alba.safetensors"),),
        ),
        ({"siblings": [{"rfilename": "alba.safetensors"}]}, "available", True),
        ({"siblings": [{"rfilename": "README.md"}]}, "available", False),
        ({"disabled": True}, "available", False),
    ],
)
def test_a_hubs_fields_are_read_however_written(
    fields: dict[str, Any], name: str, value: object
) -> None:
    assert getattr(hub(**fields), name) == value


CARD = """---
tags:
- lora
- template:sd-lora
widget:
- text: a photo of ohwx woman on a harbour wall
  output:
    url: a.png
base_model: stabilityai/stable-diffusion-xl-base-1.0
instance_prompt: a photo of ohwx woman
license: openrail++
---
# Meadow

Trained on **twenty** pictures. <script>x()</script>
"""


def card(text: str) -> ModelFacts:
    item = Item.from_bytes(text.encode(), "m/README.md")
    assert item.kind is Kind.LISTING
    return listing_facts(item)


def test_a_model_card_is_read_whole() -> None:
    found = card(CARD)
    assert found.trigger_words == ("a photo of ohwx woman",)
    assert found.texts == (("prompt", "a photo of ohwx woman on a harbour wall"),)
    assert (found.adapter, found.base_model, found.thumbnails) == ("lora", "SDXL 1.0", 1)
    assert found.description == "# Meadow\nTrained on **twenty** pictures."


def test_a_card_within_a_record_is_read_too() -> None:
    assert hub(card=CARD).trigger_words == ("a photo of ohwx woman",)
    assert hub(card=CARD, cardData={"instance_prompt": "b"}).trigger_words == ("b",)


@pytest.mark.parametrize(
    "front",
    [
        "widget: [",
        "widget: !!python/object/apply:os.system ['x']",
        "widget: 2024-99-99",
        "a: &a {x: 1}\nb: &b {<<: [*a, *a]}\nc: &c {<<: [*b, *b]}\nwidget: {<<: [*c, *c]}",
        "widget: " + "[" * 5_000,
        "widget: " + "x" * 100_000,
        "base_model: 2024-01-01\nwidget: {}\ntags: {a: b}\ninstance_prompt: [1, null]",
        "? [a]\n: b\nwidget: 1",
    ],
)
def test_a_broken_card_is_a_card_all_the_same(front: str) -> None:
    assert card(f"---\n{front}\n---\nwords").source == "huggingface"


# ── whatever comes ──────────────────────────────────────────────────────────────────────────────


def test_bytes_that_are_no_utf8_are_noted() -> None:
    data = json.dumps(MODEL | {"name": "caf_"}).encode().replace(b"caf_", b"caf\xe9")
    found = listing_facts(Item.from_bytes(data))
    assert found.title == "caf\ufffd"
    assert found.problems == ("bytes that are no UTF-8 were replaced",)


@pytest.mark.parametrize(
    ("data", "error"), [(b'{"a": 1}', UnknownRecord), (b"{", CorruptItem), (b"[]", UnknownRecord)]
)
def test_what_is_no_listing_says_so(data: bytes, error: type[ItemError]) -> None:
    with pytest.raises(error):
        listing_facts(Item("x", Kind.LISTING, data, len(data)))


def test_a_listing_of_fifty_megabytes_is_read() -> None:
    assert civitai(description="<p>words</p>" * 4_000_000).description is not None


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
KEYS = sorted({*MODEL, *MODEL["modelVersions"][0], "cardData", "siblings", "rank", "model", "card"})


@given(st.dictionaries(st.sampled_from(KEYS), JUNK), st.dictionaries(st.sampled_from(KEYS), JUNK))
def test_any_value_in_any_field_is_read(model: dict[str, Any], version: dict[str, Any]) -> None:
    for record in (
        MODEL | model | {"modelVersions": [version, model]},
        {"id": 1, "modelId": 2, "files": []} | version,
        {"id": "a/b", "siblings": [model], "tags": ["x"], "cardData": version}
        | {"card": str(model)},
    ):
        try:
            found = read_listing(
                Item("x", Kind.LISTING, data := json.dumps(record).encode(), len(data))
            )
        except UnknownRecord:
            continue
        assert isinstance(found.facts, ModelFacts)
        json.dumps([found.facts.title, found.facts.tags], ensure_ascii=False).encode()


@given(JUNK)
def test_every_reader_takes_anything(value: Any) -> None:
    assert isinstance(text_of(value), str | None)
    assert isinstance(number_of(value), int | None)
    assert isinstance(truth_of(value), bool | None)
    assert isinstance(object_of(value), dict)
    assert isinstance(list_of(value), list)
    assert all(isinstance(word, str) and word for word in words_of(value))
