"""`egide hash --all`: every hash that hubs know a model by."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from egide.hub.model_hashes import model_hashes
from egide.item import HELD_BYTES, Item
from tests import models, pictures
from tests.acceptance.conftest import Egide

Write = Callable[[dict[str, bytes]], None]

BODY = bytes(2_000_000)
MODEL = models.header({"__metadata__": {"note": "neutral"}}, body=BODY)


def test_all_hashes_of_a_model_are_printed(egide: Egide, write: Write) -> None:
    write({"a.safetensors": MODEL})
    done = egide("hash", "--all", "a.safetensors")
    (line,) = done.lines
    assert done.code == 0
    assert line["hashes"] == model_hashes(Item.from_bytes(MODEL))
    assert line["hashes"]["AutoV3"] == hashlib.sha256(BODY).hexdigest()
    assert line["sha256"] == hashlib.sha256(MODEL).hexdigest()
    assert line["pdq"] is None


def test_pictures_and_texts_stay_as_they_are(egide: Egide, write: Write) -> None:
    picture = pictures.encode(pictures.smooth_noise(), "PNG")
    write({"a.png": picture, "b.txt": b"words", "c.safetensors": MODEL})
    lines = egide("hash", "--all", "a.png", "b.txt", "c.safetensors").lines
    assert ["hashes" in line for line in lines] == [False, False, True]
    assert ["error" in line for line in lines] == [False, True, False]
    assert lines[0] == egide("hash", "a.png").lines[0]


def test_a_large_model_has_its_digest_too(egide: Egide, write: Write) -> None:
    write({"a.safetensors": MODEL})
    os.truncate("a.safetensors", HELD_BYTES + 1)
    (line,) = egide("hash", "a.safetensors").lines
    with Path("a.safetensors").open("rb") as file:
        assert line["sha256"] == hashlib.file_digest(file, "sha256").hexdigest()
