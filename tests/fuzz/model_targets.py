"""Fuzz targets for model files: a real one of every format to damage, and what must hold."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from egide.hub.model_file import read_model
from egide.item import Item
from tests import models

SECONDS = 3


def _state() -> bytes:
    return models.torch_pickle(models.kohya_lora(), {"epoch": 3})


def _index() -> bytes:
    return json.dumps({"weight_map": dict.fromkeys(models.kohya_lora(), "1.safetensors")}).encode()


def _gguf() -> bytes:
    def text(value: str) -> bytes:
        return len(value).to_bytes(8, "little") + value.encode()

    entries = b"".join(
        text(f"general.{key}") + b"\x08\0\0\0" + text("neutral") for key in ("name", "author")
    )
    listed = text("general.tags") + b"\x09\0\0\0\x08\0\0\0" + (2).to_bytes(8, "little")
    listed += text("one") + text("two")
    tensor = text("blk.0.weight") + (2).to_bytes(4, "little") + (7).to_bytes(8, "little") * 2
    counts = (1).to_bytes(8, "little") + (3).to_bytes(8, "little")
    return b"GGUF\x03\0\0\0" + counts + entries + listed + tensor + bytes(12)


MODELS: dict[str, Callable[[], bytes]] = {
    "safetensors": lambda: models.safetensors(models.kohya_lora(), models.kohya_metadata()),
    "safetensors-index": _index,
    "gguf": _gguf,
    "torch-zip": lambda: models.torch_zip(_state()),
    "torch-legacy": lambda: models.legacy_torch(_state()),
    "textual-inversion": lambda: models.inversion_pickle("mirela", "neutral"),
}


def check_model(data: bytes) -> None:
    """Read hostile bytes; AssertionError when the promise of `read_model` is broken."""
    loaded = set(sys.modules)
    began = time.monotonic()
    reading = read_model(Item.from_bytes(data, "a.bin"))
    assert time.monotonic() - began < SECONDS
    assert set(sys.modules) <= loaded | _ours()
    assert len(reading.facts.problems) >= bool(reading.faults)
    for problem in reading.facts.problems:
        assert problem.isprintable()
        assert " at 0x" not in problem
    repr(reading.facts).encode()


def _ours() -> set[str]:
    """What the readers load when they are first used."""
    return {name for name in sys.modules if name.startswith(("egide.", "encodings."))}
