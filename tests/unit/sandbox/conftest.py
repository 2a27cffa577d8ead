"""A pool whose workers have one detector more: it does what the text that it reads says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from egide.match import Lookup
from egide.sandbox import Pool, SandboxLimits

OBEDIENT = '''
import ctypes, fcntl, os, pathlib, resource, signal, socket, stat, struct, subprocess, sys
import threading, time
from egide.errors import CorruptItem
from egide.finding import Skip
from egide.sniff import Kind


class Obedient:
    name = "obedient.v1"
    kinds = frozenset({Kind.TEXT})
    labels = frozenset()
    examples = ()

    def detect(self, item):
        order, _, argument = item.text(1 << 20).partition(" ")
        try:
            yield Skip(self.name, str(getattr(self, order)(argument)))
        except OSError as error:
            yield Skip(self.name, f"refused: {type(error).__name__}")

    def crash(self, argument):
        ctypes.string_at(0)

    def abort(self, argument):
        os.abort()

    def quit(self, argument):
        os._exit(3)

    def once(self, argument):
        """Dies the first time, unless something is there already."""
        if not pathlib.Path(argument).exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return "survived"

    def sleep(self, argument):
        time.sleep(float(argument))
        return "slept"

    def allocate(self, argument):
        return len(bytearray(int(argument)))

    def read(self, argument):
        return len(pathlib.Path(argument).read_bytes())

    def write(self, argument):
        return pathlib.Path(argument).write_text("x")

    def connect(self, argument):
        return socket.create_connection(("127.0.0.1", int(argument)))

    def run(self, argument):
        return subprocess.run([argument], check=False)

    def fork(self, argument):
        return os.fork()

    def signal(self, argument):
        return os.kill(int(argument), 0)

    def touch(self, argument):
        """Does to a process what its name says, by the C library where it has a name for it."""
        what, process = argument.split()
        return TOUCHES[what](int(process))

    def threads(self, argument):
        """What a process may do with itself: threads, signals to them, its limits, its cores."""
        signal.signal(signal.SIGUSR1, lambda *_: None)
        thread = threading.Thread(target=time.sleep, args=(0.2,))
        thread.start()
        signal.pthread_kill(thread.ident, signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
        thread.join()
        most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most - 1, hard))
        resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE, (most, hard))
        return len(os.sched_getaffinity(0)) > 0

    def environment(self, argument):
        return sorted(os.environ)

    def process(self, argument):
        return os.getpid()

    def print(self, argument):
        print(argument, flush=True)
        print(argument, file=sys.stderr, flush=True)
        return "printed"

    def sockets(self, argument):
        return " ".join(str(n) for n in range(64) if _is_socket(n))

    def lie(self, argument):
        """Sends what no worker sends, past the code that checks what is sent."""
        os.write(int(argument), b"\\0\\0\\0\\1\\xc1")
        time.sleep(60)


def _called(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    call = libc.syscall if isinstance(name, int) else getattr(libc, name)
    numbers = [name] if isinstance(name, int) else []
    if call(*numbers, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return "done"


def _number(x86_64, aarch64):
    return {"x86_64": x86_64, "aarch64": aarch64}[os.uname().machine]


def _owned(process):
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(reading, fcntl.F_SETOWN, process)
    finally:
        os.close(reading)
        os.close(writing)
    return "done"


_INFORMATION = struct.pack("iiii", 0, 0, -1, 0).ljust(128, bytes(1))
_ATTRIBUTES = struct.pack("IIQiIQQQ", 48, 0, 0, 0, 0, 0, 0, 0)
TOUCHES = {
    "kill": lambda process: os.kill(process, 0),
    "tgkill": lambda process: _called(_number(234, 131), process, process, 0),
    "rt_sigqueueinfo": lambda process: _called(_number(129, 138), process, 0, _INFORMATION),
    "rt_tgsigqueueinfo": lambda process: _called(
        _number(297, 240), process, process, 0, _INFORMATION
    ),
    "prlimit": lambda process: resource.prlimit(process, resource.RLIMIT_NOFILE, (7, 7)),
    "prlimit-read": lambda process: resource.prlimit(process, resource.RLIMIT_NOFILE),
    "setpriority": lambda process: os.setpriority(os.PRIO_PROCESS, process, 19),
    "ioprio_set": lambda process: _called(_number(251, 30), 1, process, 3 << 13),
    "sched_setaffinity": lambda process: os.sched_setaffinity(process, os.sched_getaffinity(0)),
    "sched_setscheduler": lambda process: os.sched_setscheduler(
        process, os.SCHED_IDLE, os.sched_param(0)
    ),
    "sched_setparam": lambda process: os.sched_setparam(process, os.sched_param(0)),
    "sched_setattr": lambda process: _called(_number(314, 274), process, _ATTRIBUTES, 0),
    "owner": _owned,
}


def _is_socket(number):
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False


def from_settings(settings):
    return Obedient()
'''
ENTRY_POINTS = "[egide.detectors]\nobedient = obedient:from_settings\n"
METADATA = "Metadata-Version: 2.1\nName: obedient\nVersion: 1\n"


@pytest.fixture(scope="session")
def obedient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installed package that brings the detector."""
    folder = tmp_path_factory.mktemp("obedient")
    (folder / "obedient.py").write_text(OBEDIENT, encoding="utf-8")
    told = folder / "obedient-1.dist-info"
    told.mkdir()
    (told / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    (told / "METADATA").write_text(METADATA, encoding="utf-8")
    return folder


MakePool = Callable[..., Pool]


@pytest.fixture(scope="session")
def pools(obedient: Path) -> Iterator[MakePool]:
    """Makes pools of two workers, and ends them."""
    made: list[Pool] = []

    def make(*banks: Lookup, readable: tuple[Path, ...] = (), **limits: float) -> Pool:
        chosen = SandboxLimits(**({"workers": 2, "seconds": 20.0, "wait": 20.0} | limits))  # type: ignore[arg-type]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(obedient))
            patch.setenv("EGIDE_DATABASE_URL", "postgresql://user:password@host/database")
            made.append(Pool(lambda: banks, limits=chosen, readable=readable))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


@pytest.fixture(scope="session")
def pool(pools: MakePool) -> Pool:
    """One pool for all tests that do not change its settings."""
    return pools()
