"""What stands in a pickle, without ever unpickling it.

A pickle is a program for a small stack machine, whose instructions can import and call anything.
Here the same instructions move descriptions about: an import becomes a `Global` with its name, a
call a `Call` with its arguments. Nothing is imported, nothing is called. See the comments in
`pickletools` of the standard library for the machine.
"""

from __future__ import annotations

import codecs
import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from egide.errors import CorruptItem, ItemError, TooManyBytes, TruncatedItem
from egide.hub.facts import plain

MOST_STEPS: Final = 400_000
MOST_TEXT: Final = 100_000
"""Characters of a string, bytes of a number: longer ones are passed over."""
MOST_STACK: Final = 200_000
MOST_IMPORTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Global:
    """Something that the pickle imports."""

    name: str


@dataclass(slots=True, eq=False)
class Call:
    """A call that the pickle makes, and what is put into the result afterwards."""

    function: Any
    arguments: Any
    pairs: list[tuple[Any, Any]] = field(default_factory=list)


class _Opaque:
    """A value that says nothing: a number, bytes, what another file holds."""


class _Mark:
    """The place on the stack where a group begins."""


OPAQUE: Final = _Opaque()
_MARK: Final = _Mark()


@dataclass(slots=True)
class Program:
    """What a pickle does: `value` is what it describes, `imports` what it imports, in order.

    `end` is where in the bytes it ends; `faults` is what ended the reading early.
    """

    value: Any = OPAQUE
    imports: dict[str, None] = field(default_factory=dict)
    end: int = 0
    faults: list[ItemError] = field(default_factory=list)


def read_pickle(data: bytes, start: int = 0) -> Program:
    """What the pickle in `data` at `start` would do; never raises and never does it."""
    machine = _Machine(data, start)
    try:
        machine.run()
    except ItemError as error:
        machine.program.faults.append(error)
    except IndexError:  # the stack was empty
        machine.program.faults.append(CorruptItem("its pickle takes what is not there"))
    machine.program.end = machine.at
    return machine.program


class _Machine:
    """The stack, the memo and the place in the bytes."""

    def __init__(self, data: bytes, start: int) -> None:
        self.data = data
        self.at = start
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.program = Program()

    def run(self) -> None:
        for _ in range(MOST_STEPS):
            if self.at >= len(self.data):
                raise TruncatedItem("its pickle has no end")
            opcode = self.data[self.at]
            self.at += 1
            step = _STEPS.get(opcode)
            if step is None:
                raise CorruptItem(f"its pickle has the unknown instruction {opcode}")
            argument, act = step
            value = argument(self)
            if act is None:
                self.program.value = self.stack[-1]
                return
            act(self, value)
            if len(self.stack) > MOST_STACK:
                raise TooManyBytes(f"its pickle holds more than {MOST_STACK:,} values at once")
        raise TooManyBytes(f"its pickle has more than {MOST_STEPS:,} instructions")

    # ── arguments ───────────────────────────────────────────────────────────────────────────────

    def nothing(self) -> None:
        """An instruction without an argument."""

    def take(self, size: int) -> bytes:
        end = self.at + size
        if size < 0 or end > len(self.data):
            raise TruncatedItem("its pickle ends within a value")
        taken = self.data[self.at : min(end, self.at + 4 * MOST_TEXT)]
        self.at = end
        return taken

    def line(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise TruncatedItem("its pickle ends within a line")
        taken = self.data[self.at : min(end, self.at + 4 * MOST_TEXT)]
        self.at = end + 1
        return taken

    def two_lines(self) -> tuple[str, str]:
        return _text(self.line()), _text(self.line())

    # ── instructions ────────────────────────────────────────────────────────────────────────────

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self, _: None = None) -> Any:
        if self.stack and self.stack[-1] is _MARK:
            self.marks.pop()
        return self.stack.pop()

    def mark(self, _: None) -> None:
        self.marks.append(len(self.stack))
        self.stack.append(_MARK)

    def since_mark(self, _: None = None) -> list[Any]:
        if not self.marks:
            raise CorruptItem("its pickle takes what is not there")
        start = self.marks.pop()
        group = self.stack[start + 1 :]
        del self.stack[start:]
        return group

    def imported(self, names: tuple[str, str]) -> Global:
        name = plain(f"{names[0]}.{names[1]}", 200)
        if len(self.program.imports) < MOST_IMPORTS:
            self.program.imports[name] = None
        return Global(name)

    def find(self, names: tuple[str, str]) -> None:
        self.stack.append(self.imported(names))

    def find_on_stack(self, _: None) -> None:
        name, module = self.pop(), self.pop()
        self.find((_said(module), _said(name)))

    def instantiate(self, names: tuple[str, str]) -> None:
        arguments = self.since_mark()
        self.stack.append(Call(self.imported(names), tuple(arguments)))

    def instantiate_object(self, _: None) -> None:
        group = self.since_mark()
        self.stack.append(Call(group[0], tuple(group[1:])))

    def call(self, _: None) -> None:
        arguments, function = self.pop(), self.pop()
        self.stack.append(Call(function, arguments))

    def call_with_names(self, _: None) -> None:
        names, arguments, function = self.pop(), self.pop(), self.pop()
        self.stack.append(Call(function, arguments, [("", names)]))

    def build(self, _: None) -> None:
        # As one pair: a few instructions that copied pairs could double them without end.
        state = self.pop()
        self._put(self.stack[-1], ("", state))

    def set_item(self, _: None) -> None:
        value, key = self.pop(), self.pop()
        self._put(self.stack[-1], (key, value))

    def set_items(self, _: None) -> None:
        group = self.since_mark()
        for at in range(0, len(group) - 1, 2):
            self._put(self.stack[-1], (group[at], group[at + 1]))

    def append(self, _: None) -> None:
        value = self.pop()
        self._put(self.stack[-1], ("", value))

    def append_all(self, _: None) -> None:
        for value in self.since_mark():
            self._put(self.stack[-1], ("", value))

    def _put(self, target: Any, pair: tuple[Any, Any]) -> None:
        if isinstance(target, Call):
            target.pairs.append(pair)

    def empty(self, _: None) -> None:
        self.stack.append(Call(None, ()))

    def make_dict(self, _: None) -> None:
        group = self.since_mark()
        pairs = [(group[at], group[at + 1]) for at in range(0, len(group) - 1, 2)]
        self.stack.append(Call(None, (), pairs))

    def make_list(self, _: None) -> None:
        self.stack.append(Call(None, (), [("", value) for value in self.since_mark()]))

    def make_tuple(self, _: None) -> None:
        self.stack.append(tuple(self.since_mark()))

    def duplicate(self, _: None) -> None:
        self.stack.append(self.stack[-1])

    def remember(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def remember_next(self, _: None) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def recall(self, place: int) -> None:
        if place not in self.memo:
            raise CorruptItem("its pickle recalls what it has not kept")
        self.stack.append(self.memo[place])

    def stand_for(self, _: None) -> None:
        self.stack[-1] = OPAQUE

    def ignore(self, _: Any) -> None:
        """Framing, protocol numbers: nothing that a description needs."""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")[:MOST_TEXT]


def _said(value: Any) -> str:
    return value if isinstance(value, str) else "?"


def _sized(form: str, read: Callable[[bytes], Any]) -> Callable[[_Machine], Any]:
    """An argument that comes with its length in front, as `struct` reads it."""
    size = struct.calcsize(form)

    def argument(machine: _Machine) -> Any:
        return read(machine.take(struct.unpack(form, machine.take(size))[0]))

    return argument


def _number(form: str) -> Callable[[_Machine], Any]:
    size = struct.calcsize(form)
    return lambda machine: struct.unpack(form, machine.take(size))[0]


def _fixed(size: int) -> Callable[[_Machine], Any]:
    return lambda machine: _unsaid(machine.take(size))


def _unsaid(_: bytes) -> Any:
    return OPAQUE


def _unsaid_line(machine: _Machine) -> Any:
    machine.line()
    return OPAQUE


def _quoted(machine: _Machine) -> str:
    """A text in quotes with escapes, as in Python's source: a name may be hidden in these."""
    line = machine.line().strip()
    try:
        return _text(codecs.escape_decode(line[1:-1])[0])
    except ValueError:
        return _text(line)


def _escaped(machine: _Machine) -> str:
    """A text in which only `\\u0041` and `\\U00000041` are escapes."""
    return machine.line().decode("raw_unicode_escape", "replace")[:MOST_TEXT]


def _whole(machine: _Machine) -> Any:
    """A number in decimal digits, or a truth value as old protocols write them."""
    digits = machine.line().rstrip(b"L")
    return int(digits) if digits.isdigit() and len(digits) < 20 else OPAQUE


def _place(machine: _Machine) -> int:
    place = _whole(machine)
    if not isinstance(place, int):
        raise CorruptItem("its pickle keeps a value in no place")
    return place


def _long(raw: bytes) -> Any:
    return int.from_bytes(raw, "little", signed=True) if len(raw) <= 8 else OPAQUE


def _constant(value: Any) -> Callable[[_Machine], Any]:
    return lambda _: value


def _extension(form: str) -> Callable[[_Machine], Any]:
    read = _number(form)
    return lambda machine: ("copyreg", f"extension_{read(machine)}")


_Step = tuple[Callable[[_Machine], Any], Callable[[_Machine, Any], None] | None]
_none: Final = _Machine.nothing
_M = _Machine


def _tuple_of(size: int) -> Callable[[_Machine, Any], None]:
    def act(machine: _Machine, _: Any) -> None:
        values = [machine.pop() for _ in range(size)]
        machine.stack.append(tuple(reversed(values)))

    return act


def _discard(machine: _Machine, _: Any) -> None:
    machine.pop()


def _discard_group(machine: _Machine, _: Any) -> None:
    machine.since_mark()


_BY_NAME: Final[dict[str, _Step]] = {
    "INT": (_whole, _M.push), "LONG": (_whole, _M.push), "BININT": (_number("<i"), _M.push),
    "BININT1": (_number("<B"), _M.push), "BININT2": (_number("<H"), _M.push),
    "LONG1": (_sized("<B", _long), _M.push), "LONG4": (_sized("<i", _long), _M.push),
    "STRING": (_quoted, _M.push), "BINSTRING": (_sized("<i", _text), _M.push),
    "SHORT_BINSTRING": (_sized("<B", _text), _M.push),
    "UNICODE": (_escaped, _M.push), "BINUNICODE": (_sized("<I", _text), _M.push),
    "SHORT_BINUNICODE": (_sized("<B", _text), _M.push),
    "BINUNICODE8": (_sized("<Q", _text), _M.push),
    "BINBYTES": (_sized("<I", _unsaid), _M.push), "BINBYTES8": (_sized("<Q", _unsaid), _M.push),
    "SHORT_BINBYTES": (_sized("<B", _unsaid), _M.push),
    "BYTEARRAY8": (_sized("<Q", _unsaid), _M.push),
    "NEXT_BUFFER": (_constant(OPAQUE), _M.push), "READONLY_BUFFER": (_none, _M.ignore),
    "NONE": (_constant(None), _M.push), "NEWTRUE": (_constant(True), _M.push),
    "NEWFALSE": (_constant(False), _M.push), "FLOAT": (_unsaid_line, _M.push),
    "BINFLOAT": (_fixed(8), _M.push),
    "EMPTY_LIST": (_none, _M.empty), "EMPTY_DICT": (_none, _M.empty),
    "EMPTY_SET": (_none, _M.empty), "EMPTY_TUPLE": (_constant(()), _M.push),
    "LIST": (_none, _M.make_list), "DICT": (_none, _M.make_dict), "TUPLE": (_none, _M.make_tuple),
    "FROZENSET": (_none, _M.make_list), "TUPLE1": (_none, _tuple_of(1)),
    "TUPLE2": (_none, _tuple_of(2)), "TUPLE3": (_none, _tuple_of(3)),
    "APPEND": (_none, _M.append), "APPENDS": (_none, _M.append_all),
    "ADDITEMS": (_none, _M.append_all), "SETITEM": (_none, _M.set_item),
    "SETITEMS": (_none, _M.set_items), "POP": (_none, _discard),
    "POP_MARK": (_none, _discard_group),
    "DUP": (_none, _M.duplicate), "MARK": (_none, _M.mark),
    "GET": (_place, _M.recall), "BINGET": (_number("<B"), _M.recall),
    "LONG_BINGET": (_number("<I"), _M.recall), "PUT": (_place, _M.remember),
    "BINPUT": (_number("<B"), _M.remember), "LONG_BINPUT": (_number("<I"), _M.remember),
    "MEMOIZE": (_none, _M.remember_next), "GLOBAL": (_M.two_lines, _M.find),
    "STACK_GLOBAL": (_none, _M.find_on_stack), "INST": (_M.two_lines, _M.instantiate),
    "OBJ": (_none, _M.instantiate_object), "REDUCE": (_none, _M.call),
    "NEWOBJ": (_none, _M.call), "NEWOBJ_EX": (_none, _M.call_with_names),
    "BUILD": (_none, _M.build), "EXT1": (_extension("<B"), _M.find),
    "EXT2": (_extension("<H"), _M.find), "EXT4": (_extension("<i"), _M.find),
    "PERSID": (_unsaid_line, _M.push), "BINPERSID": (_none, _M.stand_for),
    "PROTO": (_number("<B"), _M.ignore), "FRAME": (_number("<Q"), _M.ignore),
    "STOP": (_none, None),
}  # fmt: skip
_STEPS: Final = {ord(code.code): _BY_NAME[code.name] for code in pickletools.opcodes}
