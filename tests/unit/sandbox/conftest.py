"""A pool whose workers have one detector more: it does what the text that it reads says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from egide.match import Lookup
from egide.sandbox import Pool, SandboxLimits

OBEDIENT = '''
import ctypes, os, pathlib, signal, socket, stat, subprocess, sys, time
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
