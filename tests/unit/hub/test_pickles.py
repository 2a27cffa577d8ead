"""Pickles are read and never run."""

from __future__ import annotations

import builtins
import collections
import io
import os
import pickle
import socket
import struct
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.errors import CorruptItem, ItemError, TooManyBytes, TruncatedItem, UnsafeItem
from egide.hub.pickle_machine import MOST_STEPS, Call, Global, read_pickle
from egide.hub.pickles import Pickled, read_pickles
from tests import models


def read(data: bytes) -> Pickled:
    return read_pickles(io.BytesIO(data), len(data))


# ── what they say ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pack", [models.torch_zip, models.legacy_torch, bytes])
def test_a_state_dictionary_has_names_and_shapes(pack: Any) -> None:
    shapes = models.kohya_lora(2048, 8)
    pickled = read(pack(models.torch_pickle(shapes, {"epoch": 7, "note": "neutral"})))
    assert sorted(pickled.tensors.names) == sorted(shapes)
    assert all(pickled.tensors.shape_of(name) == shapes[name] for name in shapes)
    assert (pickled.tensors.adapter, pickled.tensors.base_model) == ("lora", "SDXL 1.0")
    assert pickled.settings.items() >= {"epoch": 7, "note": "neutral"}.items()
    assert (pickled.problems, pickled.faults) == ((), ())


def test_tensors_within_dictionaries_have_dotted_names() -> None:
    inner = models.torch_pickle({"w": (3, 4)})[2:-1]
    data = b"\x80\x02}X\x0a\x00\x00\x00state_dict" + inner + b"s."
    assert read(data).tensors.names == ("state_dict.w",)


@pytest.mark.parametrize("pack", [models.torch_zip, models.legacy_torch, bytes])
def test_a_textual_inversion_has_its_word(pack: Any) -> None:
    pickled = read(pack(models.inversion_pickle("mirela-tov", "mirela by night")))
    assert pickled.adapter == "textual-inversion"
    assert pickled.tokens == ("mirela-tov",)
    assert pickled.settings["name"] == "mirela by night"
    assert pickled.settings["step"] == 500
    assert pickled.problems == ()


def test_a_hypernetwork_is_known_by_its_layers() -> None:
    data = pickle.dumps({"name": "neutral", 320: [], "320": [], "768": [], "layer_structure": [1]})
    assert read(data).adapter == "hypernetwork"


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_describes_the_same(protocol: int) -> None:
    value = {
        "text": "mirela", "whole": -3, "large": 1 << 70, "real": 1.5, "bytes": b"b" * 300,
        "list": [1, "a"], "tuple": (1, 2, 3, 4), "set": {"x"}, "frozen": frozenset({"y"}),
        "ordered": collections.OrderedDict(z="zz"), "truth": True, "none": None, "é": "日" * 300,
    }  # fmt: skip
    program = read_pickle(pickle.dumps(value, protocol))
    assert program.faults == []
    described = dict(program.value.pairs)
    assert set(described) == set(value)
    assert described["text"] == "mirela"
    assert described["tuple"] == (1, 2, 3, 4)
    assert described["é"] == value["é"]
    assert "collections.OrderedDict" in program.imports


def test_an_import_is_described_by_its_name() -> None:
    program = read_pickle(pickle.dumps(Path("/a"), 4))
    assert isinstance(program.value, Call)
    assert isinstance(program.value.function, Global)
    assert program.value.function.name.startswith("pathlib.")


# ── nothing is run ──────────────────────────────────────────────────────────────────────────────


def attacks(canary: Path) -> dict[str, bytes]:
    """Pickles that leave a file behind when they are loaded, by every way in."""
    say = f"open({str(canary)!r}, 'w').close()"
    text = b"X" + struct.pack("<I", len(say)) + say.encode()
    evaluate = b"cbuiltins\nexec\n"
    return {
        "reduce": b"\x80\x02" + evaluate + text + b"\x85R.",
        "protocol 0": b"cbuiltins\nexec\n(V" + say.encode() + b"\ntR.",
        "instance": b"(V" + say.encode() + b"\nibuiltins\nexec\n.",
        "object": b"(" + evaluate + text + b"o.",
        "escaped": (
            b"\x80\x04S'b\\x75iltins'\nV\\u0065xec\n\x93" + text + b"\x85R."
        ),
        "from the stack": b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93" + text + b"\x85R.",
        "from the memo": (
            b"\x80\x04\x8c\x08builtins\x94\x8c\x04exec\x94" + b"00h\x00h\x01\x93" + text + b"\x85R."
        ),
        "decoys dropped": (
            b"\x80\x04\x8c\x08builtins\x8c\x04exec\x8c\x05decoy0\x93" + text + b"\x85R."
        ),
        "state": b"\x80\x02cegide.errors\nEgideError\n)R}X\x01\x00\x00\x00a" + evaluate + text
        + b"\x85Rsb.",
        "within a list": b"\x80\x02](K\x01" + evaluate + text + b"\x85Re.",
        "before the end is missing": b"\x80\x02" + evaluate + text + b"\x85R0N",
    }  # fmt: skip


NAMES = sorted(attacks(Path("unused")))


@pytest.mark.parametrize("name", NAMES)
def test_the_attack_is_a_real_one(name: str, tmp_path: Path) -> None:
    canary = tmp_path / "ran"
    data = attacks(canary)[name]
    code = "import pickle,sys\ntry: pickle.loads(sys.stdin.buffer.read())\nexcept Exception: pass"
    subprocess.run([sys.executable, "-c", code], input=data, check=True)
    assert canary.exists()


@pytest.mark.parametrize("pack", [models.torch_zip, models.legacy_torch, bytes])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_runs_and_the_import_is_named(name: str, pack: Any, tmp_path: Path) -> None:
    canary = tmp_path / "ran"
    pickled = read(pack(attacks(canary)[name]))
    assert not canary.exists()
    assert isinstance(pickled.faults[0], UnsafeItem)
    assert "builtins.exec" in str(pickled.faults[0])
    assert "run code" in str(pickled.faults[0])


def test_nothing_is_imported_opened_called_or_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [pack(data) for data in attacks(tmp_path / "ran").values()
             for pack in (models.torch_zip, models.legacy_torch, bytes)]  # fmt: skip
    read(files[0])  # what the reader itself imports is there now

    def forbidden(*_args: object, **_options: object) -> Any:
        raise AssertionError("something ran")

    before = set(sys.modules)
    with monkeypatch.context() as patched:
        for place, name in (
            (builtins, "exec"), (builtins, "eval"), (builtins, "open"),
            (os, "system"), (subprocess, "Popen"), (socket, "socket"), (pickle, "loads"),
            (pickle, "load"), (pickle, "Unpickler"), (builtins, "__import__"),
        ):  # fmt: skip
            patched.setattr(place, name, forbidden)
        for data in files:
            read(data)
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("posix", "system"), ("subprocess", "Popen"), ("socket", "socket"),
     ("builtins", "getattr"), ("runpy", "run_path"), ("torch.hub", "load"), ("neutral", "thing"),
     ("torch.storage", "_load_from_bytes")],
)  # fmt: skip
def test_what_no_model_needs_is_named(module: str, name: str) -> None:
    data = f"c{module}\n{name}\n)R.".encode()
    pickled = read(b"\x80\x02" + data)
    (problem,) = (*map(str, pickled.faults), *pickled.problems)
    assert f"{module}.{name}" in problem


def test_names_in_problems_can_be_printed() -> None:
    data = b"\x80\x02c\x1b[31mos\x07\n" + b"s" * 100_000 + b"\n)R."
    (problem,) = read(data).problems
    assert problem.isprintable()
    assert len(problem) < 400


# ── hostile shapes ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x80", b"\x80\x02", b"\x80\x02.", b".", b"0.", b"R.", b"t.", b"s.", b"b.", b"2.",
        b"\x93.", b"h\x00.", b"g\xff\n.", b"p-1\n.", b"N", b"(", b"(((", b"(N", b"e.", b"u.",
        b"X\xff\xff\xff\xffab", b"\x8d" + b"\xff" * 8, b"\x8b\xff\xff\xff\x7f.",
        b"\x8b\xff\xff\xff\xff.",
        b"T\xff\xff\xff\xff", b"\xff", b"cos", b"cos\n", b"I" + b"9" * 100_000 + b"\n.",
        b"\x95" + b"\xff" * 8, b"Va\n\x81.", b"(o.", b"i", b"(i\n\n.", b"1.", b"Q.", b"\x97.",
    ],
)  # fmt: skip
def test_a_broken_program_is_a_fault(data: bytes) -> None:
    program = read_pickle(data)
    assert program.faults or program.end == len(data)
    assert all(isinstance(fault, ItemError) for fault in program.faults)


@pytest.mark.parametrize(
    "data",
    [
        b"(" * 300_000 + b"N.",
        b"N" * 300_000 + b".",
        b")" + b"\x85" * 300_000 + b".",
        b"]" + b"]a" * 150_000 + b".",
        b"]q\x00" + b"h\x00a" * 100_000 + b".",
        b"}" + b"2b" * 100_000 + b".",
        b"N" + b"2\x86" * 100_000 + b".",
        b"N" * (2 * MOST_STEPS),
    ],
)
def test_a_long_program_ends(data: bytes) -> None:
    began = time.monotonic()
    pickled = read(data)
    assert time.monotonic() - began < 30
    assert pickled.tensors.names == ()


def test_a_list_that_holds_itself_is_walked_once() -> None:
    endless: list[Any] = []
    endless.append({"name": "mirela", "again": endless})
    assert read(pickle.dumps(endless)).settings == {"name": "mirela"}


@given(st.binary(max_size=200))
def test_any_bytes_are_read(data: bytes) -> None:
    read_pickle(data)
    with suppress(ItemError):
        read(data)


@given(st.lists(st.sampled_from(b"().012NQRI]}abdehqrstu\x81\x85\x86\x87\x88\x93\x94\x8f\x90\x91")))
def test_any_program_is_read(codes: list[int]) -> None:
    program = read_pickle(bytes(codes) + b".")
    assert isinstance(program.faults, list)


# ── zips ────────────────────────────────────────────────────────────────────────────────────────


def test_a_zip_bomb_is_given_up() -> None:
    data = models.torch_zip(b"\x80\x02N" + b"N" * 200_000_000 + b".", compressed=True)
    assert len(data) < 1_000_000
    pickled = read(data)
    assert any(isinstance(fault, TooManyBytes) for fault in pickled.faults)


def test_a_name_that_stands_twice_in_the_zip_is_read_twice(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02cos\nsystem\n)R.")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a/data.pkl", b"\x80\x02N.")
    assert "os.system" in str(read(out.getvalue()).faults[0])


def test_a_pickle_anywhere_in_the_zip_is_read() -> None:
    data = models.torch_zip(b"\x80\x02cos\nsystem\n)R.", name="archive/extra/other.PKL")
    assert "os.system" in str(read(data).faults[0])


@pytest.mark.parametrize("cut", [10, 100, 200, -1, -30])
def test_a_zip_without_its_end_is_an_error(cut: int) -> None:
    data = models.torch_zip(models.torch_pickle({"w": (1,)}))[:cut]
    with pytest.raises(CorruptItem, match="zip"):
        read(data)


def test_a_table_of_contents_too_long_is_refused_before_it_is_read() -> None:
    data = bytearray(models.torch_zip(b"N."))
    end = data.rfind(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", 0xFFFFFFF0)
    with pytest.raises(TooManyBytes, match="table of contents"):
        read(bytes(data))


def test_a_zip_without_a_pickle_is_no_model() -> None:
    assert isinstance(read(models.torch_zip(b"x", name="a.txt")).faults[0], CorruptItem)


def test_a_pickle_cut_short_is_told() -> None:
    assert isinstance(read(models.torch_pickle({"w": (1,)})[:-1]).faults[0], TruncatedItem)
