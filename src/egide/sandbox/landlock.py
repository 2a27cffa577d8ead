"""Landlock: a process gives up, for good, all files but those it names. Linux 5.13 and later.

Source: https://docs.kernel.org/userspace-api/landlock.html.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from typing import Final

_CREATE_RULESET: Final = 444  # the same numbers on every architecture
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_NO_NEW_PRIVILEGES: Final = 38

_READ_FILE: Final = 1 << 2
_READ_FOLDER: Final = 1 << 3
_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many rights over files each version of the interface knows, from this version on."""
_TCP: Final = 0b11  # bind, connect; from version 4
_SCOPES: Final = 0b11  # abstract sockets, signals; from version 6

_libc: Final = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Which version of the interface the kernel has; 0 for none."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)))


def restrict(readable: Iterable[str]) -> bool:
    """Leaves this thread nothing but reading `readable`: no writing, running, TCP or signalling.

    Names that are not there are passed over. False when the kernel has no Landlock; OSError when it
    refuses. Files that are open stay open.
    """
    known = version()
    if not known:
        return False
    ruleset = _call(_CREATE_RULESET, *_attributes(known), 0)
    try:
        for path in readable:
            _allow(ruleset, path)
        give_up_privileges()
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return True


def give_up_privileges() -> None:
    """No program that this process could start gets more rights than it has; OSError."""
    if _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")


def _attributes(known: int) -> tuple[ctypes.Array[ctypes.c_char], ctypes.c_size_t]:
    """All that this version can forbid, and how many bytes say so."""
    rights = _RIGHTS[max(first for first in _RIGHTS if first <= known)]
    packed = struct.pack("=QQQ", (1 << rights) - 1, _TCP, _SCOPES)
    length = 8 if known < 4 else 16 if known < 6 else 24
    return ctypes.create_string_buffer(packed, len(packed)), ctypes.c_size_t(length)


def _allow(ruleset: int, path: str) -> None:
    """Lets `path` be read, and what is beneath it."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        folder = stat.S_ISDIR(os.fstat(place).st_mode)
        rights = _READ_FILE | (_READ_FOLDER if folder else 0)
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, place))
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)


def _call(number: int, *arguments: object) -> int:
    answer = int(_libc.syscall(number, *arguments))
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{os.strerror(error)} (system call {number})")
    return answer
