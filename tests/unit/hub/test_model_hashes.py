"""The hashes that hubs know a model's file by."""

from __future__ import annotations

import hashlib
from pathlib import Path

import blake3
import pytest

from egide.errors import ItemError, TruncatedItem, UnreadableItem
from egide.hub.model_hashes import model_hashes
from egide.item import Item
from tests import models

BODY = bytes(range(256)) * 20_000  # 5 MB: several blocks
FILE = models.header({"__metadata__": {"note": "neutral"}}, body=BODY)


def test_every_hash_is_what_its_definition_says(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(FILE)
    whole = hashlib.sha256(FILE).hexdigest()
    expected = {
        "SHA256": whole,
        "AutoV1": hashlib.sha256(FILE[0x100000:0x110000]).hexdigest()[:8],
        "AutoV2": whole[:10],
        "AutoV3": hashlib.sha256(BODY).hexdigest(),
        "BLAKE3": blake3.blake3(FILE).hexdigest(),
    }
    assert model_hashes(Item.from_path(path)) == model_hashes(Item.from_bytes(FILE)) == expected


def test_the_vectors_are_known() -> None:
    hashes = model_hashes(Item.from_bytes(b"abc"))
    assert hashes["SHA256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hashes["BLAKE3"] == "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
    assert set(hashes) == {"SHA256", "AutoV2", "BLAKE3"}


def test_a_re_upload_with_another_header_has_the_same_autov3() -> None:
    tensors = {"w": (64, 64)}
    named = models.safetensors(tensors, models.kohya_metadata())
    stripped = models.safetensors(tensors)
    one, other = (model_hashes(Item.from_bytes(data)) for data in (named, stripped))
    assert one["AutoV3"] == other["AutoV3"]
    assert one["SHA256"] != other["SHA256"]


@pytest.mark.parametrize("size", [0x100000, 0x100001, 0x108000, 0x110000, 0x110001])
def test_autov1_takes_what_there_is_of_its_window(size: int) -> None:
    data = bytes(size)
    window = data[0x100000:0x110000]
    expected = hashlib.sha256(window).hexdigest()[:8] if window else None
    assert model_hashes(Item.from_bytes(data)).get("AutoV1") == expected


@pytest.mark.parametrize("size", [2**21 - 1, 2**21, 2**21 + 1, 3 * 2**21])
def test_blocks_leave_no_seams(size: int) -> None:
    data = models.header({"__metadata__": {"n": "x" * (2**21 - 40)}}, body=b"b" * size)
    hashes = model_hashes(Item.from_bytes(data))
    assert hashes["AutoV3"] == hashlib.sha256(b"b" * size).hexdigest()
    assert hashes["SHA256"] == hashlib.sha256(data).hexdigest()


def test_a_header_that_cannot_be_true_has_no_autov3() -> None:
    data = models.header({"w": 1}, length=2**63)
    assert "AutoV3" not in model_hashes(Item.from_bytes(data))


def test_other_formats_have_no_autov3() -> None:
    assert "AutoV3" not in model_hashes(Item.from_bytes(models.torch_zip(b"N.")))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableItem):
        model_hashes(Item.from_path(tmp_path / "none"))
    with pytest.raises(ItemError):
        model_hashes(Item.from_bytes(b""))


def test_a_file_that_changes_its_size_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(FILE)
    item = Item.from_path(path)
    path.write_bytes(FILE[:-1])
    with pytest.raises(TruncatedItem, match="written"):
        model_hashes(item)


def test_memory_stays_at_a_few_blocks(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    model_hashes(Item.from_bytes(b"abc"))
    tracemalloc.start()
    model_hashes(Item.from_path(path))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 12_000_000
