"""Models are known by their first bytes."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from egide.item import Item
from egide.sniff import HEAD_BYTES, Kind, ModelFormat, sniff_kind, sniff_model
from tests import models

STATE = models.torch_pickle({"w": (2, 2)})
INDEX = {"metadata": {"total_size": 10}, "weight_map": {"w": "model-1.safetensors"}}


@pytest.mark.parametrize(
    ("data", "format_"),
    [
        (models.safetensors({"w": (2,)}), ModelFormat.SAFETENSORS),
        (models.safetensors({}), ModelFormat.SAFETENSORS),
        (models.header({"w": 1}, length=2**63), ModelFormat.SAFETENSORS),
        (models.header({"w": 1}, length=2**64 - 1), ModelFormat.SAFETENSORS),
        (models.header('{ \n "w": 1}'), ModelFormat.SAFETENSORS),
        (models.torch_zip(STATE), ModelFormat.PICKLE),
        (models.torch_zip(STATE, name="data.pkl"), ModelFormat.PICKLE),
        (models.legacy_torch(STATE), ModelFormat.PICKLE),
        (models.inversion_pickle("w", "w"), ModelFormat.PICKLE),
        (b"GGUF\3\0\0\0" + bytes(16), ModelFormat.GGUF),
        (json.dumps(INDEX).encode(), ModelFormat.INDEX),
        (json.dumps(INDEX, indent=2).encode(), ModelFormat.INDEX),
        *((pickle.dumps({"w": [1]}, protocol), ModelFormat.PICKLE) for protocol in (0, 2, 3, 4, 5)),
        *((pickle.dumps(Path("w"), protocol), ModelFormat.PICKLE) for protocol in (0, 2, 3, 4, 5)),
        (b"cos\nsystem\n(S'true'\ntR.", ModelFormat.PICKLE),
    ],
)
def test_models_are_known_by_their_first_bytes(data: bytes, format_: ModelFormat) -> None:
    assert sniff_model(data[:HEAD_BYTES]) is format_
    assert sniff_kind(data[:HEAD_BYTES]) is Kind.MODEL
    assert Item.from_bytes(data, "holiday.jpg").kind is Kind.MODEL


@pytest.mark.parametrize(
    "data",
    [
        b'12345678{"text": 1}',
        b'{"weight": 1}',
        b"GGUF",
        b"GGUF is a format",
        b"cat\ndog\nbird",
        b"coffee\nmilk\n(two spoons)",
        b"PK\x03\x04" + bytes(26) + b"word/document.xml",
        b"(dp works",
        b'{"text": "the weight_map of my file"}',
    ],
)
def test_what_resembles_a_model_is_none(data: bytes) -> None:
    assert sniff_model(data) is None
