"""The account as JSON: the schema holds, and what is private is masked."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from egide.errors import CorruptItem
from egide.finding import Finding
from egide.label import Label
from egide.provenance.account import NOTHING_FOUND, Found, Link, Trace, fault_of
from egide.provenance.statements import (
    Credentials,
    CredentialState,
    Declaration,
    Generation,
    NamedModel,
    Role,
    Trust,
    Watermark,
)
from egide.sniff import Kind

SCHEMA = json.loads(files("egide.report").joinpath("trace.schema.json").read_text())
FULL = Trace(
    "a.png",
    Kind.IMAGE,
    "0" * 64,
    generations=(
        Generation(
            "civitai",
            ("exif:UserComment",),
            Trust.TEXT,
            version="1",
            prompt="a lake",
            negative_prompt="blurry",
            seed=2**63,
            created="2024-05-01",
            ids={"user": "somebody"},
        ),
    ),
    models=(
        NamedModel(Role.BASE, "lakes", None, {"autov2": "31e35c80fc"}, {"civitai": "1"}),
        NamedModel(Role.ADAPTER, "velora", 0.123456),
    ),
    declarations=(Declaration("iptc", "xmp:x", Trust.TEXT, "trainedAlgorithmicMedia"),),
    credentials=Credentials(CredentialState.VALID, "A signer", "why", (), ("tool",), "2024", 2),
    watermark=Watermark("sdxl", 48, 47),
    software="lakes 1",
    found=(Found("exif:UserComment", Trust.TEXT, "made by civitai"),),
    contradictions=("one and another",),
    links=(Link(1, "huggingface", "somebody/velora", None, "weak", ("file",)),),
    labels=(Finding("provenance.v1", Label.LIKENESS_NAMED, 0.9, {"name": "Velora"}),),
    private=frozenset({1}),
    skipped=("too long",),
    errors=(fault_of(CorruptItem("its end is missing")),),
)
EMPTY = Trace("b.png", Kind.IMAGE, None)


@pytest.mark.parametrize("trace", [FULL, EMPTY])
@pytest.mark.parametrize("reveal", [True, False])
def test_the_schema_holds(trace: Trace, reveal: bool) -> None:
    jsonschema.validate(trace.to_json(reveal=reveal), SCHEMA)


def test_the_schema_is_one_and_says_what_every_field_is() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(FULL.to_json()) == set(SCHEMA["properties"]) - {"note"}
    bare = [n for n, field in SCHEMA["properties"].items() if "$ref" not in field]
    assert [name for name in bare if not SCHEMA["properties"][name].get("description")] == []


def test_what_is_private_is_masked() -> None:
    text = json.dumps(FULL.to_json())
    for word in ("a lake", "blurry", "somebody", "velora", "Velora"):
        assert word not in text
    document: dict[str, Any] = FULL.to_json()
    assert document["prompt"] == document["negative_prompt"] == "***"
    assert document["job"] == {"user": "***"}
    assert document["models"][0]["name"] == "lakes"
    assert document["credentials"]["signer"] == "A signer"


def test_reveal_shows_it() -> None:
    document = FULL.to_json(reveal=True)
    assert (document["prompt"], document["job"]) == ("a lake", {"user": "somebody"})
    assert document["models"][1]["name"] == "velora"
    assert document["links"][0]["listing"] == "somebody/velora"


def test_a_signer_s_address_is_masked() -> None:
    signed = Trace("c.png", Kind.IMAGE, None, credentials=replace(FULL.credentials, signer="a@b.c"))
    assert signed.to_json()["credentials"]["signer"] == "***"
    assert signed.to_json(reveal=True)["credentials"]["signer"] == "a@b.c"


def test_nothing_found_proves_nothing() -> None:
    assert EMPTY.to_json()["note"] == NOTHING_FOUND == "nothing found, which proves nothing"
    assert "note" not in FULL.to_json()


def test_a_trace_goes_to_another_process_unharmed() -> None:
    assert pickle.loads(pickle.dumps(FULL)) == FULL
