"""Headers of GGUF files."""

from __future__ import annotations

import io
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.errors import CorruptItem, ItemError, TooManyBytes, TruncatedItem
from egide.hub.gguf import GgufHeader, read_gguf
from tests import models

SHAPES = {
    "double_blocks.0.img_attn.qkv.weight": (9216, 3072),
    "single_blocks.0.linear1.weight": (64, 3072),
}


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def gguf(entries: bytes = b"", count: int = 0, tensors: int = 0, rest: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, count) + entries + rest


def read(data: bytes, most: int = 25_000_000) -> GgufHeader:
    return read_gguf(io.BytesIO(data), most)


def test_metadata_names_and_shapes_are_those_that_the_reference_library_wrote(
    tmp_path: Path,
) -> None:
    path = models.gguf(tmp_path / "a.gguf", "flux", SHAPES, name="Neutral", description="a test")
    with path.open("rb") as stream:
        header = read_gguf(stream)
    assert header.metadata["general.architecture"] == "flux"
    assert header.metadata["general.name"] == "Neutral"
    assert header.metadata["general.tags"] == ["neutral", "test"]
    assert {name: header.tensors.shape_of(name) for name in header.tensors.names} == SHAPES
    assert header.tensors.base_model == "Flux.1 D"
    assert header.faults == ()


def test_files_of_big_endian_machines_are_read(tmp_path: Path) -> None:
    from gguf import GGUFEndian, GGUFWriter

    writer = GGUFWriter(tmp_path / "b.gguf", "sdxl", endianess=GGUFEndian.BIG)
    writer.add_string("general.name", "Neutral")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert read((tmp_path / "b.gguf").read_bytes()).metadata["general.name"] == "Neutral"


def test_of_a_vocabulary_the_beginning_is_kept_and_what_follows_is_read() -> None:
    words = struct.pack("<II", 9, 8) + struct.pack("<Q", 1000) + text("word") * 1000
    numbers = struct.pack("<IIQ", 9, 6, 5000) + bytes(20_000)
    entries = (
        text("words") + words + text("numbers") + numbers
        + text("general.name") + struct.pack("<I", 8) + text("Neutral")
    )  # fmt: skip
    header = read(gguf(entries, 3))
    assert len(header.metadata["words"]) == len(header.metadata["numbers"]) == 256
    assert header.metadata["general.name"] == "Neutral"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (gguf(count=2**63), CorruptItem),
        (gguf(tensors=2**63), CorruptItem),
        (gguf(count=1), TruncatedItem),
        (gguf(struct.pack("<Q", 2**63), 1), TooManyBytes),
        (gguf(struct.pack("<Q", 10_000), 1), TruncatedItem),
        (gguf(text("a") + struct.pack("<I", 99), 1), CorruptItem),
        (gguf(text("a") + struct.pack("<IIQ", 9, 8, 2**63), 1), TruncatedItem),
        (gguf(text("a") + struct.pack("<IIQ", 9, 0, 2**63), 1), TruncatedItem),
        (gguf(text("a") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 50, 1), CorruptItem),
        (gguf(tensors=1, rest=text("w") + struct.pack("<I", 1000)), CorruptItem),
        (gguf(tensors=1, rest=text("w") + struct.pack("<IQ", 2, 1)), TruncatedItem),
    ],
)
def test_a_broken_header_is_a_fault(data: bytes, error: type[ItemError]) -> None:
    (fault,) = read(data).faults
    assert isinstance(fault, error)


@pytest.mark.parametrize("data", [b"", b"GGUF", b"GGUF\3\0\0\0", b"NONE" + bytes(20)])
def test_a_file_that_does_not_begin_is_an_error(data: bytes) -> None:
    with pytest.raises(ItemError):
        read(data)


def test_what_was_read_before_the_fault_is_kept() -> None:
    entries = text("general.name") + struct.pack("<I", 8) + text("Neutral")
    header = read(gguf(entries, 2))
    assert header.metadata == {"general.name": "Neutral"}
    assert header.faults


def test_a_long_header_is_given_up_at_the_limit() -> None:
    entries = text("a") + struct.pack("<IIQ", 9, 8, 1 << 40) + text("w") * 100_000
    began = time.monotonic()
    (fault,) = read(gguf(entries, 1), most=100_000).faults
    assert isinstance(fault, TooManyBytes)
    assert time.monotonic() - began < 5


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_one_clear_error(data: bytes) -> None:
    for content in (data, b"GGUF\3\0\0\0" + data, gguf(data, 3, 3)):
        try:
            read(content)
        except ItemError:
            continue
