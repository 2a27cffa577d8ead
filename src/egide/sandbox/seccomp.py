"""A filter on system calls: no sockets, no other processes, no hand on those that are there.

Source: https://docs.kernel.org/userspace-api/seccomp_filter.html. The numbers are those of
`asm/unistd_64.h` and, for AArch64, of `asm-generic/unistd.h`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from egide.sandbox.landlock import give_up_privileges

_SET_SECCOMP: Final = 22
_FILTER: Final = 2

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN: Final = 0x06

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_FAIL: Final = 0x00050000  # with an error number

_NUMBER_AT: Final = 0  # of struct seccomp_data
_ARCHITECTURE_AT: Final = 4
_FIRST_ARGUMENT_AT: Final = 16  # the lower half, as these machines are little-endian
_SECOND_ARGUMENT_AT: Final = 24
_THREAD: Final = 0x10000  # CLONE_THREAD

# Who owns a file gets the signals that it sends, and these may be SIGKILL.
_FCNTL_OWNER: Final = (8, 15)  # F_SETOWN, F_SETOWN_EX
_IOCTL_OWNER: Final = (0x8901, 0x8902)  # FIOSETOWN, SIOCSPGRP

_COMMON: Final = {
    "pidfd_send_signal": 424,
    "io_uring_setup": 425,
    "pidfd_open": 434,
    "pidfd_getfd": 438,
}


class _Architecture(NamedTuple):
    """The audit number, the calls that are refused, and the two that start threads and processes.

    A process may make those in `own` for itself, the first argument being a process; those in
    `owner` are refused with certain second arguments. Calls from `foreign` on are another interface
    of the same machine.
    """

    number: int
    refused: tuple[int, ...]
    own: tuple[int, ...]
    owner: tuple[tuple[int, tuple[int, ...]], ...]
    clone: int
    clone3: int
    foreign: int


_X86_64: Final = _Architecture(
    0xC000003E,
    (
        *(41, 42, 49),  # socket, connect, bind
        *(57, 58, 59, 322),  # fork, vfork, execve, execveat
        *(62, 200, 129, 297),  # kill, tkill, rt_sigqueueinfo, rt_tgsigqueueinfo
        *(141, 251),  # setpriority, ioprio_set
        *(142, 144, 203, 314),  # sched_setparam, …_setscheduler, …_setaffinity, …_setattr
        *(101, 310, 311),  # ptrace, process_vm_readv, process_vm_writev
        *(155, 161, 165, 166, 272, 308),  # pivot_root, chroot, mount, umount2, unshare, setns
        *(248, 249, 250),  # add_key, request_key, keyctl
        *(298, 304, 321, 323),  # perf_event_open, open_by_handle_at, bpf, userfaultfd
        *_COMMON.values(),
    ),
    (234, 302),  # tgkill, prlimit64
    ((72, _FCNTL_OWNER), (16, _IOCTL_OWNER)),
    56,
    435,
    0x40000000,  # x32
)
_AARCH64: Final = _Architecture(
    0xC00000B7,
    (
        *(198, 200, 203),  # socket, bind, connect
        *(221, 281),  # execve, execveat
        *(129, 130, 138, 240),  # kill, tkill, rt_sigqueueinfo, rt_tgsigqueueinfo
        *(140, 30),  # setpriority, ioprio_set
        *(118, 119, 122, 274),  # sched_setparam, …_setscheduler, …_setaffinity, …_setattr
        *(117, 270, 271),  # ptrace, process_vm_readv, process_vm_writev
        *(39, 40, 41, 51, 97, 268),  # umount2, mount, pivot_root, chroot, unshare, setns
        *(217, 218, 219),  # add_key, request_key, keyctl
        *(241, 265, 280, 282),  # perf_event_open, open_by_handle_at, bpf, userfaultfd
        *_COMMON.values(),
    ),
    (131, 261),  # tgkill, prlimit64
    ((25, _FCNTL_OWNER), (29, _IOCTL_OWNER)),
    220,
    435,
    0x40000000,
)
_KNOWN: Final = {"x86_64": _X86_64, "aarch64": _AARCH64}


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def restrict() -> bool:
    """Refuses such calls to this thread from now on, with EPERM; threads it starts inherit that.

    False on an architecture that is not known here, or a kernel without filters.
    """
    known = _KNOWN.get(platform.machine())
    if known is None:
        return False
    give_up_privileges()
    code = b"".join(_instructions(known, os.getpid()))
    held = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(held, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
        error = ctypes.get_errno()
        if error == errno.EINVAL:
            return False
        raise OSError(error, f"{os.strerror(error)} (prctl(PR_SET_SECCOMP))")
    return True


def _instructions(known: _Architecture, process: int) -> Iterator[bytes]:
    yield _step(_LOAD, _ARCHITECTURE_AT)
    yield _step(_EQUAL, known.number, 1, 0)
    yield _step(_RETURN, _KILL)
    yield _step(_LOAD, _NUMBER_AT)
    yield _step(_AT_LEAST, known.foreign, 0, 1)
    yield _step(_RETURN, _FAIL | errno.EPERM)
    for call in known.refused:
        yield _step(_EQUAL, call, 0, 1)
        yield _step(_RETURN, _FAIL | errno.EPERM)
    for call in known.own:  # abort() signals its own process; 0 is also this one
        yield from _by(call, _FIRST_ARGUMENT_AT, (0, process), _ALLOW, _FAIL | errno.EPERM)
    for call, commands in known.owner:
        yield from _by(call, _SECOND_ARGUMENT_AT, commands, _FAIL | errno.EPERM, _ALLOW)
    # Its flags lie in memory, where a filter does not see; the C library then uses the old call.
    yield _step(_EQUAL, known.clone3, 0, 1)
    yield _step(_RETURN, _FAIL | errno.ENOSYS)
    yield _step(_EQUAL, known.clone, 0, 3)
    yield _step(_LOAD, _FIRST_ARGUMENT_AT)
    yield _step(_ANY_BIT, _THREAD, 1, 0)
    yield _step(_RETURN, _FAIL | errno.EPERM)
    yield _step(_RETURN, _ALLOW)


def _by(
    call: int, argument_at: int, values: tuple[int, ...], then: int, otherwise: int
) -> Iterator[bytes]:
    """What a call comes to whose argument, of 32 bits to the kernel, is or is not in `values`."""
    yield _step(_EQUAL, call, 0, len(values) + 3)
    yield _step(_LOAD, argument_at)
    for index, value in enumerate(values):
        yield _step(_EQUAL, value, len(values) - index, 0)
    yield _step(_RETURN, otherwise)
    yield _step(_RETURN, then)


def _step(code: int, operand: int, then: int = 0, otherwise: int = 0) -> bytes:
    """struct sock_filter."""
    return struct.pack("=HBBI", code, then, otherwise, operand)
