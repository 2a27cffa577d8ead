"""The tables that a gazetteer file is made of, and the file itself.

    "EGIDEGZ1"  length of the header (u32 LE)  header (JSON)  sections, each at a multiple of 64

    keys     u64  hashes of names, sorted; once for each person who has the name
    info     u32  × 2 a key: the person's number; the key's check and shape (`KEY_SHAPE`)
    people   one record a person (`PERSON`)
    strings  the people's display names, UTF-8, one behind the other
    bits     a bit for each key, at the place that its highest bits name: most look-ups end here

The file is mapped, not read; it holds names, so it is readable by its owner alone.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from egide.errors import GazetteerError
from egide.hub.names_fold import folding_digest

MAGIC: Final = b"EGIDEGZ1"
MOST_HEADER: Final = 1 << 24
ALIGNMENT: Final = 64
BITS_PER_KEY: Final = 16

PERSON: Final = np.dtype(
    [
        ("number", "<u4"),  # Wikidata's, less the Q; of a person added by hand, counted from 1
        ("name", "<u4"),  # offset in strings
        ("size", "<u2"),
        ("flags", "u1"),
        ("gender", "u1"),
        ("countries", "<u2", (2,)),  # numbers in the header's "values", 0 for none
        ("occupations", "<u2", (3,)),
        ("born", "<i2"),  # years, 0 when not known
        ("died", "<i2"),
        ("links", "<u2"),  # articles about the person: of two with one name, who is meant
    ],
    align=False,
)
FICTIONAL, DEAD, ADDED = 1, 2, 4
"""`PERSON["flags"]`."""
GENDERS: Final = (None, "woman", "man", "other")

ORDINARY, IS_WORD = 1, 2
"""Flags of a key: every word of the name is an ordinary word too; so is the name as one word."""

_SECTIONS: Final[Mapping[str, Any]] = {
    "keys": "<u8", "info": "<u4", "people": PERSON, "strings": "u1", "bits": "u1",
}  # fmt: skip


def key_shape(check: int, words: int, first: int, flags: int) -> int:
    """The shape of a key in 32 bits: check, number of words, letters of the first word, flags."""
    return check << 16 | min(words, 7) << 13 | min(first, 63) << 7 | flags


def unpacked_shape(shape: int) -> tuple[int, int, int, int]:
    """Check, words, first and flags of a key's shape."""
    return shape >> 16, shape >> 13 & 7, shape >> 7 & 63, shape & 127


@dataclass(frozen=True)
class Tables:
    """Everything a gazetteer holds. `info` is (keys, 2); `header` what the file says of itself."""

    keys: NDArray[np.uint64]
    info: NDArray[np.uint32]
    people: NDArray[Any]
    strings: NDArray[np.uint8]
    bits: NDArray[np.uint8]
    header: dict[str, Any]

    @property
    def values(self) -> list[str]:
        """Names of countries and occupations, by their numbers; number 0 is none."""
        values: list[str] = self.header["values"]
        return values

    def name(self, person: int) -> str:
        """The display name of the person with this place in `people`."""
        record = self.people[person]
        start = int(record["name"])
        return bytes(self.strings[start : start + int(record["size"])]).decode("utf-8", "replace")


def bits_of(keys: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """The bits that say of most strangers that they are none of `keys`."""
    size = 1 << max(10, int(len(keys) * BITS_PER_KEY - 1).bit_length() - 1)
    bits = np.zeros(size // 8, np.uint8)
    place = places_of(keys, size)
    np.bitwise_or.at(bits, place >> np.uint64(3), (1 << (place & np.uint64(7))).astype(np.uint8))
    return bits


def places_of(hashes: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    """Where the bit of each hash stands among `size` bits, a power of two."""
    return hashes >> np.uint64(64 - (size.bit_length() - 1))


def sorted_tables(tables: Tables) -> Tables:
    """`tables` with keys in order, each pair of key and person once, and the bits to match."""
    order = np.lexsort((tables.info[:, 0], tables.keys))
    keys, info = tables.keys[order], tables.info[order]
    if len(keys):
        same = (keys[1:] == keys[:-1]) & (info[1:, 0] == info[:-1, 0])
        new = np.append(True, ~same)
        keys, info = keys[new], info[new]
    return replace(tables, keys=keys, info=info, bits=bits_of(keys))


def selected(tables: Tables, kept: NDArray[np.bool_]) -> Tables:
    """Those people of `tables` that `kept` (one a person) keeps; nothing stays of the others."""
    number = np.cumsum(kept) - 1
    of_kept = kept[tables.info[:, 0]]
    info = tables.info[of_kept].copy()
    info[:, 0] = number[info[:, 0]]
    people = tables.people[kept].copy()
    names = [tables.name(person) for person in np.flatnonzero(kept).tolist()]
    strings = lay_out(people, [name.encode() for name in names])
    return sorted_tables(
        replace(tables, keys=tables.keys[of_kept], info=info, people=people, strings=strings)
    )


def merged(one: Tables, other: Tables) -> Tables:
    """The people of both; the header is that of `one`."""
    values = list(one.values)
    places = {value: place for place, value in enumerate(values)}
    for value in other.values:
        places.setdefault(value, len(places))
    values = list(places)
    moved = np.array([places[value] for value in other.values], np.uint16)
    people = other.people.copy()
    people["name"] += np.uint32(len(one.strings))
    for column in ("countries", "occupations"):
        people[column] = moved[people[column]]
    info = other.info.copy()
    info[:, 0] += np.uint32(len(one.people))
    return sorted_tables(
        Tables(
            np.concatenate([one.keys, other.keys]),
            np.concatenate([one.info, info]),
            np.concatenate([one.people, people]),
            np.concatenate([one.strings, other.strings]),
            one.bits,
            one.header | {"values": values},
        )
    )


def lay_out(people: NDArray[Any], names: list[bytes]) -> NDArray[np.uint8]:
    """The strings of `names`, their places noted in `people`."""
    sizes = np.array([len(name) for name in names], np.int64)
    people["size"] = sizes
    people["name"] = np.append(0, np.cumsum(sizes))[:-1] if len(names) else 0
    return np.frombuffer(b"".join(names), np.uint8)


def summary(tables: Tables) -> dict[str, Any]:
    """How many people there are, of which kinds; the ten commonest countries and occupations."""
    people = tables.people
    flags = people["flags"]
    genders = np.bincount(people["gender"], minlength=len(GENDERS))
    return {
        "people": len(people),
        "names": len(tables.keys),
        "fictional": int(np.count_nonzero(flags & FICTIONAL)),
        "dead": int(np.count_nonzero(flags & DEAD)),
        "added_by_hand": int(np.count_nonzero(flags & ADDED)),
        "removed_by_hand": len(tables.header.get("removed", ())),
        "genders": {name or "unknown": int(n) for name, n in zip(GENDERS, genders, strict=True)},
        "countries": _commonest(people["countries"], tables.values),
        "occupations": _commonest(people["occupations"], tables.values),
        "dump": tables.header.get("dump"),
        "year": tables.header.get("year"),
    }


def _commonest(numbers: NDArray[Any], values: list[str]) -> dict[str, int]:
    counts = np.bincount(numbers.ravel(), minlength=len(values))
    counts[0] = 0
    order = np.argsort(-counts, kind="stable")[:10]
    return {values[place]: int(counts[place]) for place in order.tolist() if counts[place]}


def write_tables(path: Path, tables: Tables) -> None:
    """Writes the file at `path` (mode 0600) in one move: readers see the old one or the new."""
    sections: dict[str, list[int]] = {}
    arrays = {name: np.ascontiguousarray(getattr(tables, name)) for name in _SECTIONS}
    place = 0
    for name, array in arrays.items():
        sections[name] = [place, array.nbytes]
        place += -(-array.nbytes // ALIGNMENT) * ALIGNMENT
    header = json.dumps(
        tables.header | {"version": 1, "folding": folding_digest(), "sections": sections},
        ensure_ascii=False,
    ).encode()
    start = len(MAGIC) + 4 + len(header)
    header += b" " * (-start % ALIGNMENT)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with private_file(part) as file:
            file.write(MAGIC + len(header).to_bytes(4, "little") + header)
            for array in arrays.values():
                file.write(array.tobytes() if array.nbytes < ALIGNMENT else array.data)
                file.write(b"\0" * (-array.nbytes % ALIGNMENT))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise GazetteerError(
            f"cannot write {path}: {error.strerror}; give another --out"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def private_file(path: Path, flags: int = os.O_WRONLY | os.O_TRUNC) -> BinaryIO:
    """The file at `path`, made readable by its owner alone, open for writing."""
    descriptor = os.open(path, os.O_CREAT | flags, 0o600)
    return os.fdopen(descriptor, "r+b" if flags & os.O_RDWR else "wb")


def read_tables(path: Path) -> Tables:
    """The tables in the file at `path`, mapped; GazetteerError when it is none or is damaged."""
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC) + 4)
            if not head.startswith(MAGIC):
                raise GazetteerError(
                    f"{path} is no gazetteer; make one with `egide gazetteer build`"
                )
            length = int.from_bytes(head[len(MAGIC) :], "little")
            if length > MOST_HEADER:
                raise GazetteerError(f"{path} is damaged: its header is too long; build it again")
            text = file.read(length)
            view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise GazetteerError(f"{path}: {error.strerror}; give a readable file") from error
    try:
        header = json.loads(text)
        if header["version"] != 1 or header["folding"] != folding_digest():
            raise GazetteerError(
                f"{path} was made by another version of égide, which reads letters differently; "
                "build it again"
            )
        start = len(head) + length
        arrays = {
            name: _section(view, start, header["sections"][name], dtype)
            for name, dtype in _SECTIONS.items()
        }
        arrays["info"] = arrays["info"].reshape(-1, 2)
        tables = Tables(**arrays, header=header)
        _verify(tables)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise GazetteerError(f"{path} is damaged or cut off; build it again") from error
    return tables


def _section(view: mmap.mmap, start: int, place: list[int], dtype: Any) -> NDArray[Any]:
    offset, size = place
    whole = np.dtype(dtype)
    if offset < 0 or size < 0 or size % whole.itemsize or start + offset + size > len(view):
        raise ValueError("a section lies outside the file")
    return np.frombuffer(view, whole, size // whole.itemsize, start + offset)


def _verify(tables: Tables) -> None:
    """Raises ValueError unless every number points somewhere; keys are touched only at the ends."""
    size = len(tables.bits) * 8
    if len(tables.info) != len(tables.keys) or size & (size - 1) or not size:
        raise ValueError("tables of different lengths")
    if not isinstance(tables.values, list) or not all(isinstance(v, str) for v in tables.values):
        raise ValueError("no values")
    people = tables.people
    if len(people):
        if int(tables.info[:, 0].max(initial=0)) >= len(people):
            raise ValueError("a key of nobody")
        if int((people["name"].astype(np.int64) + people["size"]).max()) > len(tables.strings):
            raise ValueError("a name outside the strings")
        most = max(int(people["countries"].max()), int(people["occupations"].max()))
        if most >= len(tables.values) or int(people["gender"].max()) >= len(GENDERS):
            raise ValueError("a value of nothing")
    elif len(tables.keys):
        raise ValueError("keys without people")
