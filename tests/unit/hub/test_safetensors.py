"""Headers of safetensors files: sound ones, hostile ones, and what is never read."""

from __future__ import annotations

import io
import json
import struct
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.errors import CorruptItem, ItemError, TooManyBytes, TruncatedItem
from egide.hub.safetensors import MOST_HEADER, Header, read_header, read_index
from tests import models

ENTRY = {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}


def read(data: bytes, most: int = MOST_HEADER) -> Header:
    return read_header(io.BytesIO(data), len(data), most)


def faults(data: bytes) -> str:
    return " | ".join(str(fault) for fault in read(data).faults)


class Counting(io.BytesIO):
    """A stream that counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


# ── sound files ─────────────────────────────────────────────────────────────────────────────────


def test_names_shapes_and_metadata_are_those_that_the_reference_library_wrote() -> None:
    shapes, metadata = models.kohya_lora(rank=8), models.kohya_metadata()
    header = read(models.safetensors(shapes, metadata))
    assert sorted(header.tensors.names) == sorted(shapes)
    assert all(header.tensors.shape_of(name) == shapes[name] for name in shapes)
    assert header.metadata == metadata
    assert header.faults == ()


def test_the_body_is_not_read() -> None:
    data = models.safetensors({"w": (1000, 1000)}, {"format": "pt"})
    stream = Counting(data)
    header = read_header(stream, len(data))
    assert stream.taken == header.body < 200


def test_a_file_without_metadata_has_none() -> None:
    assert read(models.safetensors({"w": (2,)})).metadata == {}
    assert read(models.header({"__metadata__": None})).metadata == {}
    assert read(models.header({})).tensors.names == ()


@pytest.mark.parametrize("padding", [" ", "        ", "\n\t "])
def test_padding_behind_the_header_is_no_fault(padding: str) -> None:
    assert read(models.header(json.dumps({"w": ENTRY}) + padding, body=bytes(12))).faults == ()


@pytest.mark.parametrize(
    "value", [None, 7, 1.5, True, [1, ["a"]], {"a": {"b": None}}, "", "a" * 100_000]
)
def test_metadata_may_hold_what_only_strings_are_allowed_to(value: Any) -> None:
    header = read(models.header({"__metadata__": {"key": value, "other": "kept"}}))
    assert header.metadata == {"key": value, "other": "kept"}
    assert header.faults == ()


def test_24_megabytes_of_header_are_read() -> None:
    data = models.header({"__metadata__": {"note": "n" * 24_000_000}, "w": ENTRY}, body=bytes(12))
    header = read(data)
    assert len(header.metadata["note"]) == 24_000_000
    assert header.faults == ()


# ── hostile ones ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 2**63 - 1, 1000, 100])
def test_a_length_beyond_the_file_is_an_error_before_anything_is_read(length: int) -> None:
    data = models.header({"w": ENTRY}, length=length)
    stream = Counting(data)
    with pytest.raises(TruncatedItem, match="claims"):
        read_header(stream, len(data))
    assert stream.taken == 8


def test_a_length_over_the_limit_is_an_error_before_anything_is_read() -> None:
    stream = Counting(models.header(b"{}", length=MOST_HEADER + 1))
    with pytest.raises(TooManyBytes, match="25,000,000"):
        read_header(stream, 1 << 40)
    assert stream.taken == 8


def test_a_file_shorter_than_it_was_is_an_error() -> None:
    data = models.header({"w": ENTRY})
    with pytest.raises(TruncatedItem):
        read_header(io.BytesIO(data[:20]), len(data))


@pytest.mark.parametrize("data", [b"", b"\0", bytes(7)])
def test_a_file_of_a_few_bytes_is_an_error(data: bytes) -> None:
    with pytest.raises(TruncatedItem):
        read(data)


@pytest.mark.parametrize(
    "content",
    ["", "{", '{"w"', '{"w":}', "[]", "1", '"text"', "{]", "\0" * 50, '{"w":1}}', '{"a":1,}',
     "[" * 100_000, '{"a":' * 100_000, '{"__metadata__":' * 100_000],
)  # fmt: skip
def test_what_is_no_json_object_is_an_error(content: str) -> None:
    with pytest.raises(CorruptItem, match="JSON object"):
        read(models.header(content))


def test_deep_metadata_are_a_fault_and_not_a_crash() -> None:
    deep = '{"__metadata__":{"a":' + "[" * 900 + "]" * 900 + "}}"
    header = read(models.header(deep))
    assert header.metadata or header.faults


@pytest.mark.parametrize("digits", [20, 400, 4_000_000])
def test_numbers_of_any_length_are_no_trap(digits: int) -> None:
    began = time.monotonic()
    with suppress(ItemError):
        read(models.header('{"__metadata__":{"a":' + "9" * digits + "}}"))
    assert time.monotonic() - began < 5


def test_invalid_utf_8_is_a_fault_and_the_rest_is_read() -> None:
    data = models.header(b'{"__metadata__":{"name":"mire\xff\xfela","note":"kept"}}')
    assert "UTF-8" in faults(data)
    assert read(data).metadata["note"] == "kept"
    assert read(data).metadata["name"].startswith("mire")


@pytest.mark.parametrize(
    "header",
    [
        '{"__metadata__":{"name":"hidden"},"__metadata__":{}}',
        '{"__metadata__":{},"__metadata__":{"name":"hidden"}}',
        '{"__metadata__":{"name":"hidden"},"__meta\\u0064ata__":{}}',
        '{"__meta\\u0064ata__":{"name":"hidden"},"__metadata__":{"a":"b"}}',
        '{"__metadata__":{"name":"hidden","name":"shown"}}',
        '{"__metadata__":{"name":"shown","name":"hidden"}}',
    ],
)
def test_what_stands_under_a_key_twice_is_found_and_told(header: str) -> None:
    data = models.header(header)
    assert "hidden" in json.dumps(dict(read(data).metadata))
    assert "same key twice" in faults(data)


@pytest.mark.parametrize("odd", ["NaN", '"\\ud800"', "-Infinity"])
def test_what_is_json_for_python_alone_is_read_and_told(odd: str) -> None:
    data = models.header(f'{{"w":{json.dumps(ENTRY)},"__metadata__":{{"a":{odd},"b":"kept"}}}}')
    header = read(data)
    assert header.metadata["b"] == "kept"
    assert header.tensors.shape_of("w") == (2, 3)
    assert "not valid JSON" in faults(data)


def test_a_key_spelled_with_escapes_is_found() -> None:
    data = models.header('{"__meta\\u0064ata__":{"name":"hidden"}}')
    assert read(data).metadata == {"name": "hidden"}


def test_a_decoy_within_a_tensor_does_not_count() -> None:
    decoy = {"w": {**ENTRY, "__metadata__": {"name": "decoy"}}, "__metadata__": {"name": "true"}}
    assert read(models.header(decoy, body=bytes(12))).metadata == {"name": "true"}


def test_a_tensor_that_stands_twice_is_told() -> None:
    entry = json.dumps(ENTRY)
    data = models.header(f'{{"w":{entry},"w":{entry}}}', body=bytes(12))
    assert "tensor twice" in faults(data)


def test_many_keys_that_stand_twice_cost_no_more_than_reading_them() -> None:
    twice = '"a":{"b":1},' * 200_000
    began = time.monotonic()
    read(models.header(f'{{"__metadata__":{{{twice}"c":2}}}}'))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("metadata", ["[]", "7", '"text"'])
def test_metadata_that_are_no_object_are_told(metadata: str) -> None:
    data = models.header(f'{{"__metadata__":{metadata}}}')
    assert "no JSON object" in faults(data)


@pytest.mark.parametrize(
    "entry", [None, 1, [], {}, {"shape": None}, {"shape": ["a"]}, {"shape": [1.5]},
              {"shape": [1] * 100}],
)  # fmt: skip
def test_a_tensor_described_badly_has_no_shape(entry: Any) -> None:
    assert read(models.header({"w": entry})).tensors.shape_of("w") == ()


def test_a_download_that_was_broken_off_is_told() -> None:
    data = models.safetensors({"w": (100, 100)})
    assert "missing at its end" in faults(data[:-1])
    assert faults(data) == ""


@given(st.binary(max_size=300))
def test_any_bytes_are_a_header_or_one_clear_error(content: bytes) -> None:
    for data in (content, models.header(content), models.header(b"{" + content + b"}")):
        try:
            header = read(data)
        except ItemError as error:
            assert str(error).isprintable()  # noqa: PT017  of many errors, none may fail this
        else:
            assert header.tensors.adapter is None or header.tensors.names


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=8) | st.just("__metadata__"), json_values))
def test_any_json_object_is_read(content: dict[str, Any]) -> None:
    header = read(models.header(content))
    assert set(header.tensors.names) == set(content) - {"__metadata__"}
    for name in header.tensors.names:
        assert isinstance(header.tensors.shape_of(name), tuple)


# ── indexes ─────────────────────────────────────────────────────────────────────────────────────


def test_an_index_names_tensors_and_files() -> None:
    index = {"metadata": {"total_size": 7}, "weight_map": {"a": "2.safetensors", "b": "1", "c": 3}}
    tensors, files, metadata = read_index(json.dumps(index).encode())
    assert tensors.names == ("a", "b", "c")
    assert files == ("1", "2.safetensors")
    assert metadata == {"total_size": 7}


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"weight_map":[]}', b"{" * 100_000, b"\xff"])
def test_what_is_no_index_is_an_error(data: bytes) -> None:
    with pytest.raises(CorruptItem):
        read_index(data)


def test_the_length_is_little_endian() -> None:
    assert models.header("{}")[:8] == struct.pack("<Q", 2)
