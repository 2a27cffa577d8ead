"""Models in pickles, in a zip as PyTorch writes them or bare: `.pt`, `.ckpt`, `.bin`, `.pth`.

They are read by `pickle_machine`, which runs nothing. What a pickle imports that would run code is
a fault, so that the file is never allowed; what else no model needs is named as a problem.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from egide.errors import CorruptItem, ItemError, TooManyBytes, UnsafeItem
from egide.hub.facts import MOST_WORDS, plain, printable
from egide.hub.pickle_machine import Call, Global, Program, read_pickle
from egide.hub.tensors import Shape, Tensors

MOST_PICKLE: Final = 64_000_000
"""Bytes of one pickle; the tensors themselves lie outside it."""
MOST_DIRECTORY: Final = 16_000_000
"""Bytes of a zip's table of contents."""
MOST_PICKLES: Final = 8
"""Pickles read of one file. PyTorch's old format has five in a row."""

_END: Final = struct.Struct("<4s4H2LH")
_ZIP_ERRORS: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    OverflowError, struct.error, IndexError,
)  # fmt: skip
_MODEL_NEEDS: Final = frozenset((
    "collections.OrderedDict", "collections.defaultdict", "_codecs.encode", "numpy.dtype",
    "numpy.ndarray", "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "torch.Size", "torch.device",
    "torch.dtype", "torch.Tensor", "torch.nn.parameter.Parameter",
    "torch.serialization._get_layout",
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "pytorch_lightning.utilities.parsing.AttributeDict", "argparse.Namespace", "builtins.set",
    "builtins.dict", "builtins.list", "builtins.tuple", "builtins.int", "builtins.float",
    "builtins.bytearray", "builtins.complex", "builtins.frozenset", "builtins.object",
    "builtins.str", "builtins.bytes", "builtins.slice", "__builtin__.set", "__builtin__.dict",
    "__builtin__.list", "__builtin__.frozenset", "__builtin__.object", "copyreg._reconstructor",
    "copy_reg._reconstructor",
))  # fmt: skip
_MODEL_NEEDS_FROM: Final = ("torch._utils._rebuild_", "torch._tensor._rebuild_")
_RUNS_CODE: Final = frozenset((
    "os", "posix", "nt", "subprocess", "sys", "socket", "runpy", "shutil", "pty", "importlib",
    "ctypes", "pickle", "_pickle", "dill", "cloudpickle", "marshal", "code", "codeop", "timeit",
    "cProfile", "profile", "pdb", "bdb", "webbrowser", "asyncio", "multiprocessing", "threading",
    "signal", "platform", "requests", "urllib", "http", "ftplib", "smtplib", "ssl", "pip", "venv",
    "ensurepip", "operator", "functools", "types", "imp", "zipimport", "pkgutil", "pydoc",
    "doctest", "commands", "popen2", "builtins", "__builtin__", "__main__", "joblib",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pickled:
    """What the pickles of one file say.

    `tokens` are the words that a textual inversion gives a meaning to, `settings` the plain values;
    `problems` names the imports that no model needs; `faults` is what could not be read, and first
    of all UnsafeItem when it would run code.
    """

    tensors: Tensors
    settings: dict[str, Any]
    tokens: tuple[str, ...] = ()
    adapter: str | None = None
    problems: tuple[str, ...] = ()
    faults: tuple[ItemError, ...] = ()


def read_pickles(stream: BinaryIO, size: int) -> Pickled:
    """What the pickles in the file of `size` bytes say, none of which is run. Never raises
    anything but ItemError."""
    if stream.read(4) == b"PK\x03\x04":
        programs, faults = _of_zip(stream, size)
    else:
        stream.seek(0)
        programs, faults = list(_of_bytes(stream.read(MOST_PICKLE))), []
    return _pickled(programs, faults)


# ── where the pickles are ───────────────────────────────────────────────────────────────────────


def _of_bytes(data: bytes) -> Iterator[Program]:
    """The pickles at the beginning of `data`, one after the other."""
    at = 0
    for number in range(MOST_PICKLES):
        program = read_pickle(data, at)
        # Behind the pickles of the old format the tensors' bytes begin, which are none.
        if number and program.faults and not program.imports:
            return
        yield program
        at = program.end
        if program.faults or at >= len(data):
            return


def _of_zip(stream: BinaryIO, size: int) -> tuple[list[Program], list[ItemError]]:
    programs: list[Program] = []
    faults: list[ItemError] = []
    _check_directory(stream, size)
    try:
        with zipfile.ZipFile(stream) as archive:
            # By entry and not by name, since a name may stand there twice.
            entries = [info for info in archive.infolist() if _is_pickle(info.filename)]
            if not entries:
                faults.append(CorruptItem("the zip has no pickle, so that it is no model"))
            if len(entries) > MOST_PICKLES:
                faults.append(TooManyBytes(f"it has {len(entries)} pickles, {MOST_PICKLES} read"))
            for info in entries[:MOST_PICKLES]:
                with archive.open(info) as inner:
                    data = inner.read(MOST_PICKLE + 1)
                if len(data) > MOST_PICKLE:
                    faults.append(TooManyBytes(f"its pickle has over {MOST_PICKLE:,} bytes"))
                programs.append(read_pickle(data))
    except _ZIP_ERRORS as error:
        faults.append(CorruptItem(f"its zip cannot be read: {printable(str(error))}"))
    return programs, faults


def _check_directory(stream: BinaryIO, size: int) -> None:
    """Refuse a table of contents that would take too much memory, before it is read."""
    stream.seek(max(0, size - _END.size - 0xFFFF))
    tail = stream.read(_END.size + 0xFFFF)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise CorruptItem("the zip has no end; download it again")
    length = _END.unpack_from(tail, at)[5]
    if length == 0xFFFFFFFF:
        locator = tail.rfind(b"PK\x06\x07", 0, at)
        place = int.from_bytes(tail[locator + 8 : locator + 16], "little") if locator >= 0 else size
        stream.seek(min(place, size))
        record = stream.read(56)
        length = int.from_bytes(record[40:48], "little") if len(record) == 56 else size
    if length > MOST_DIRECTORY:
        raise TooManyBytes(f"its table of contents has {length:,} bytes")
    stream.seek(0)


def _is_pickle(name: str) -> bool:
    return name.lower().endswith((".pkl", ".pickle"))


# ── what they say ───────────────────────────────────────────────────────────────────────────────


def _pickled(programs: list[Program], faults: list[ItemError]) -> Pickled:
    shapes: dict[str, Shape] = {}
    settings: dict[str, Any] = {}
    for program in programs:
        for key, value in _pairs(program.value):
            if (shape := _shape(value)) is not None:
                shapes.setdefault(key, shape)
            elif isinstance(value, str | int | float) and len(settings) < MOST_WORDS:
                settings.setdefault(key, value)
    tensors = Tensors(tuple(shapes), lambda name: shapes.get(name, ()))
    imports = dict.fromkeys(name for program in programs for name in program.imports)
    return Pickled(
        tensors,
        settings,
        _inversion_tokens(programs),
        _adapter(programs),
        tuple(_problems(imports)),
        (*_dangers(imports), *faults, *(fault for program in programs for fault in program.faults)),
    )


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of everything within the objects and dictionaries of a description.

    Values that are met again, which may be endless, are not entered again.
    """
    pending: list[tuple[str, Any]] = [("", value)]
    entered: set[int] = set()
    while pending:
        path, inner = pending.pop()
        if isinstance(inner, Call) and _shape(inner) is None:
            if id(inner) not in entered:
                entered.add(id(inner))
                pending.extend(_inside(path, inner))
        elif path:
            yield path, inner


def _inside(path: str, call: Call) -> Iterator[tuple[str, Any]]:
    for key, value in reversed(call.pairs):
        name = key if isinstance(key, str) else ""
        yield (f"{path}.{name}" if path and name else path or name)[:1000], value
    if isinstance(call.arguments, tuple):
        yield from ((path, value) for value in call.arguments if isinstance(value, Call))


def _shape(value: Any) -> Shape | None:
    """The shape of the tensor that `value` rebuilds; None when it is no tensor."""
    if not isinstance(value, Call) or not isinstance(value.function, Global):
        return None
    name = value.function.name
    arguments = value.arguments if isinstance(value.arguments, tuple) else ()
    if name.startswith("torch._utils._rebuild_parameter") and arguments:
        return _shape_of_parameter(arguments[0])
    if not name.startswith("torch._utils._rebuild_tensor") or len(arguments) < 3:
        return None
    sizes = arguments[2]
    if isinstance(sizes, tuple) and len(sizes) <= 8 and all(isinstance(n, int) for n in sizes):
        return sizes
    return ()


def _shape_of_parameter(value: Any) -> Shape | None:
    inner = isinstance(value, Call) and isinstance(value.function, Global)
    return _shape(value) if inner and "parameter" not in value.function.name else ()


def _inversion_tokens(programs: list[Program]) -> tuple[str, ...]:
    """The words that a textual inversion gives a meaning to."""
    tokens: dict[str, None] = {}
    for program in programs:
        for key, _ in _pairs(program.value):
            head, _, token = key.partition(".")
            if head in ("string_to_token", "string_to_param") and token:
                tokens[plain(token, 300)] = None
    return tuple(tokens)[:MOST_WORDS]


def _adapter(programs: list[Program]) -> str | None:
    keys = {key for p in programs if isinstance(p.value, Call) for key, _ in p.value.pairs
            if isinstance(key, str)}  # fmt: skip
    if keys & {"string_to_param", "string_to_token"}:
        return "textual-inversion"
    sizes = {str(n) for n in (320, 640, 768, 1024, 1280)}
    if "layer_structure" in keys or (len(keys & sizes) >= 2 and "name" in keys):
        return "hypernetwork"
    return None


def _dangers(imports: dict[str, None]) -> Iterator[UnsafeItem]:
    """What a pickle imports that can run anything."""
    if dangerous := [name for name in imports if not _is_needed(name) and _runs_code(name)]:
        yield UnsafeItem(f"its pickle imports {_listed(dangerous)}; do not load it")


def _problems(imports: dict[str, None]) -> Iterator[str]:
    """What else a pickle imports that no model needs."""
    if other := [name for name in imports if not _is_needed(name) and not _runs_code(name)]:
        yield f"its pickle imports what models do not need: {_listed(other)}"


def _runs_code(name: str) -> bool:
    return name.partition(".")[0] in _RUNS_CODE


def _is_needed(name: str) -> bool:
    if name in _MODEL_NEEDS or name.startswith(_MODEL_NEEDS_FROM):
        return True
    module, _, last = name.rpartition(".")
    return module in ("torch", "torch.storage", "torch.cuda") and (
        last.endswith("Storage") or last in _DTYPES
    )


_DTYPES: Final = frozenset((
    "float16", "float32", "float64", "bfloat16", "half", "int8", "int16", "int32", "int64", "uint8",
    "bool", "long",
))  # fmt: skip


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(printable(name) for name in names[:10]) + more
