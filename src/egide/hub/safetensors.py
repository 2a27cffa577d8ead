"""The header of a safetensors file, read without its tensors.

The file begins with the header's length (64 bits, little-endian), then comes JSON, which names
every tensor with its shape and place, and under `__metadata__` whatever the trainer wrote. See
<https://github.com/huggingface/safetensors#format>.

The length is never trusted. The JSON is checked to be JSON, but the thousands of tensors in it stay
unread bytes until somebody asks for the shape of one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO, Final

import msgspec

from egide.errors import CorruptItem, ItemError, TooManyBytes, TruncatedItem
from egide.hub.facts import printable
from egide.hub.tensors import Shape, Tensors

MOST_HEADER: Final = 25_000_000
"""Bytes of a header; the longest that trainers write have a tenth of that."""

METADATA: Final = "__metadata__"
_MARK: Final = b'"__metadata__"'
_DIMENSIONS: Final = 8
_MOST_TWINS: Final = 16
_MOST_SPACE: Final = 64

_raw_header = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Shaped(msgspec.Struct, gc=False):
    shape: list[int] = []
    data_offsets: list[int] = []


_shaped = msgspec.json.Decoder(_Shaped)


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in the header of a safetensors file.

    `metadata` holds JSON values (trainers also write numbers, null and nested objects where only
    strings are allowed); `body` is where the tensors begin, in bytes; `faults` is what is wrong.
    """

    metadata: Mapping[str, Any]
    tensors: Tensors
    body: int
    faults: tuple[ItemError, ...] = ()


def read_header(stream: BinaryIO, size: int, most: int = MOST_HEADER) -> Header:
    """The header of the safetensors file of `size` bytes that `stream` is at the beginning of.

    Raises TruncatedItem, TooManyBytes (over `most` bytes) or CorruptItem when it cannot be read.
    """
    length = header_length(stream.read(8), size, most)
    data = stream.read(length)
    if len(data) < length:
        raise TruncatedItem("the file ends within its header; download it again")
    faults: list[ItemError] = []
    text = _as_utf8(data, faults)
    entries, metadata = _decoded(text, faults)
    if text.count(b'"data_offsets"') > len(entries):
        faults.append(
            CorruptItem("its header names a tensor twice; loaders differ in which counts")
        )
    tensors = Tensors(tuple(entries), lambda name: _shape(entries[name]))
    if entries and _end(entries[next(reversed(entries))]) > size - 8 - length:
        faults.append(TruncatedItem("tensors are missing at its end; download it again"))
    return Header(metadata, tensors, 8 + length, tuple(faults))


def header_length(first: bytes, size: int, most: int = MOST_HEADER) -> int:
    """What the `first` 8 bytes of a file of `size` bytes claim; raises as `read_header` does."""
    if len(first) < 8:
        raise TruncatedItem("the file ends before its header; download it again")
    length = int.from_bytes(first, "little")
    if length > size - 8:
        raise TruncatedItem(f"its header claims {length:,} bytes, the file has {size:,}")
    if length > most:
        raise TooManyBytes(f"its header has {length:,} bytes, the limit is {most:,}")
    return length


def _as_utf8(data: bytes, faults: list[ItemError]) -> bytes:
    """`data`, with whatever is no UTF-8 replaced: names around it must be found all the same."""
    try:
        data.decode()
    except UnicodeDecodeError:
        faults.append(CorruptItem("its header is not valid UTF-8"))
        return data.decode("utf-8", "replace").encode()
    return data


def _decoded(
    header: bytes, faults: list[ItemError]
) -> tuple[dict[str, msgspec.Raw], Mapping[str, Any]]:
    """The tensors' entries, as they stand there, and the metadata."""
    try:
        entries = _raw_header.decode(header)
    except (msgspec.DecodeError, RecursionError) as error:
        return _decoded_by_python(header, str(error), faults)
    raw = entries.pop(METADATA, None)
    if raw is None:
        return entries, {}
    if _stands_once(header, bytes(raw)):
        return entries, _as_mapping(_loaded(bytes(raw), faults), faults)
    # It may stand there twice: the slow and thorough way.
    whole = _loaded(header, faults)
    return entries, _as_mapping(whole.get(METADATA) if isinstance(whole, dict) else None, faults)


def _stands_once(header: bytes, metadata: bytes) -> bool:
    """Whether `metadata` are the first in `header`, and nothing else there can be any.

    Around them stand the tensors, in whose names no program writes escapes.
    """
    key = header.find(_MARK)
    value = key + len(_MARK)
    begin = header.find(metadata, value, value + len(metadata) + _MOST_SPACE)
    if key < 0 or begin < 0 or header[value:begin].strip() != b":":
        return False
    after = begin + len(metadata)
    return not any(
        header.find(mark, 0, key) >= 0 or header.find(mark, after) >= 0 for mark in (b"\\", _MARK)
    )


def _decoded_by_python(
    header: bytes, refused: str, faults: list[ItemError]
) -> tuple[dict[str, msgspec.Raw], Mapping[str, Any]]:
    """The same of a header that is not JSON but for Python, which some programs read it with."""
    whole = _loaded(header, faults)
    if not isinstance(whole, dict):
        raise CorruptItem(f"its header is no JSON object: {printable(refused)}")
    faults.append(CorruptItem(f"its header is not valid JSON: {printable(refused)}"))
    metadata = _as_mapping(whole.pop(METADATA, None), faults)
    entries = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in whole.items()}
    return entries, metadata


def _loaded(text: bytes, faults: list[ItemError]) -> Any:
    """The JSON `text`, of keys that stand twice both; None and a fault when it cannot be read."""
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _united(pairs, faults))
    except (ValueError, RecursionError) as error:  # nested deeply, numbers of 5,000 digits
        faults.append(CorruptItem(f"its metadata cannot be read: {printable(str(error))}"))
        return None


def _as_mapping(value: Any, faults: list[ItemError]) -> Mapping[str, Any]:
    if value is None or isinstance(value, dict):
        return value or {}
    faults.append(CorruptItem("its metadata is no JSON object"))
    return {METADATA: value}


def _united(pairs: list[tuple[str, Any]], faults: list[ItemError]) -> dict[str, Any]:
    """An object's pairs; of keys that stand twice nothing is lost, since loaders differ."""
    united = dict(pairs)
    if len(united) == len(pairs):
        return united
    problem = CorruptItem("its header has the same key twice; loaders differ in which counts")
    if not any(str(fault) == str(problem) for fault in faults):
        faults.append(problem)
    values: dict[str, list[Any]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    united = {}
    for key, (first, *more) in values.items():
        if more and all(isinstance(value, dict) for value in (first, *more)):
            inner = chain.from_iterable(value.items() for value in (first, *more))
            united[key] = _united(list(inner), faults)
        else:
            united[key] = first
            united |= {f"{key} ({n})": value for n, value in enumerate(more[:_MOST_TWINS], 2)}
    return united


def _shape(raw: msgspec.Raw) -> Shape:
    try:
        shape = _shaped.decode(raw).shape
    except (msgspec.DecodeError, RecursionError):
        return ()
    return tuple(shape) if len(shape) <= _DIMENSIONS else ()


def _end(raw: msgspec.Raw) -> int:
    """Where the tensor ends that `raw` describes, counted from the first one's beginning."""
    try:
        return max(_shaped.decode(raw).data_offsets, default=0)
    except (msgspec.DecodeError, RecursionError):
        return 0


def read_index(data: bytes) -> tuple[Tensors, tuple[str, ...], Mapping[str, Any]]:
    """The index of a model in several files: its tensors, the files' names, its metadata.

    Raises CorruptItem when `data` is no such index.
    """
    try:
        index = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CorruptItem(f"the index is no JSON: {printable(str(error))}") from error
    places = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(places, dict):
        raise CorruptItem("the index has no `weight_map`")
    files = sorted({file for file in places.values() if isinstance(file, str)})
    metadata = index.get("metadata")
    tensors = Tensors(tuple(places), lambda _: ())
    return tensors, tuple(files), metadata if isinstance(metadata, dict) else {}
