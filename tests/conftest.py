"""What tests of the bank share: homes, fingerprints, brute force, processes of their own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pytest

from egide._kernel import LocalFeatures
from egide.bank import Bank, Draft, Home
from egide.fingerprint import Fingerprint, FingerprintType
from egide.testing import neutral_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.postgresql import Server

NOBODY = 65534


DATABASES = ("sqlite", "postgresql")


LONGEST = (
    "tests/kernel/test_sanitisers.py",
    "tests/unit/test_docs.py",
    "tests/unit/kernel/test_local.py",
    "tests/acceptance/test_kills.py",
    "tests/acceptance/test_restart.py",
    "tests/acceptance/test_bank_crash.py",
    "tests/acceptance/test_story.py",
    "tests/integration/test_postgresql_machines.py",
    "tests/integration/test_serve.py",
)
"""Where tests take longest: they begin first, so that nobody waits for them in the end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests of `LONGEST` first, in that order, and leaves the others in theirs."""
    places = {path: place for place, path in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs what is marked `both_databases` with a home of each."""
    if "home" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_databases"):
        metafunc.parametrize("home", DATABASES, indirect=True)


@pytest.fixture(autouse=True)
def ordinarily_scheduled() -> Iterator[None]:
    """Fails what has made this process, and so all that tests after it start, a real-time one."""
    yield
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once() -> Iterator[None]:
    """The machine's certificates are read for the first client alone, not in every test: 0.1 s."""
    import httpcore2  # processes that tests start import this module, and need none

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpcore2, "default_ssl_context", cache(httpcore2.default_ssl_context))
        yield


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server, started when the first test asks for it."""
    from tests.postgresql import Server  # SQLAlchemy is not for every test

    server = Server()
    yield server
    server.stop()


@pytest.fixture
def database_url(postgresql: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """EGIDE_DATABASE_URL: an empty database at the present schema, in this process and others."""
    url = postgresql.database()
    monkeypatch.setenv("EGIDE_DATABASE_URL", url)
    yield url
    postgresql.drop(url)


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """An empty home in a folder of its own; of PostgreSQL when the test is parametrised so."""
    if getattr(request, "param", "sqlite") == "postgresql":
        request.getfixturevalue("database_url")
    opened = Home(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def short_tail(monkeypatch: pytest.MonkeyPatch) -> int:
    """Makes a segment of every eight fingerprints, so that a few dozen exercise merging."""
    monkeypatch.setattr("egide.bank.pdq_index.TAIL_LIMIT", 8)
    monkeypatch.setattr("egide.bank.local_index.TAIL_LIMIT", 3)
    monkeypatch.setattr("egide.bank.local_index.LocalIndex.most", 8)
    return 8


def pdq(value: bytes | int, edit: str = "none") -> Fingerprint:
    """The PDQ with these 32 bytes, or random ones for each number."""
    if isinstance(value, int):
        value = hashlib.sha256(b"pdq %d" % value).digest()
    return Fingerprint(FingerprintType.PDQ, value, edit=edit)


def sha256(number: int) -> Fingerprint:
    """A SHA-256, another for each number."""
    return Fingerprint(FingerprintType.SHA256, hashlib.sha256(b"%d" % number).digest())


@cache
def local_plane(number: int) -> NDArray[np.uint8]:
    """Luma of a picture, (384, 512), another for each number."""
    return neutral_pixels(number)[..., 1]


@cache
def local(number: int) -> Fingerprint:
    """The local fingerprint of a `local_plane`."""
    return Fingerprint(FingerprintType.LOCAL, LocalFeatures(local_plane(number)).record())


def near(fingerprint: Fingerprint, bits: int) -> Fingerprint:
    """The PDQ at this distance, its first `bits` bits turned over."""
    mask = ((1 << bits) - 1) << (256 - bits)
    value = int.from_bytes(fingerprint.value, "big") ^ mask
    return pdq(value.to_bytes(32, "big"))


def drafts(count: int, seed: int = 0) -> list[Draft]:
    """Entries of one random PDQ each."""
    data = np.random.default_rng(seed).bytes(32 * count)
    return [Draft((pdq(data[n : n + 32]),)) for n in range(0, len(data), 32)]


def answers(bank: Bank, query: Fingerprint, threshold: int = 31) -> list[tuple[int, str]]:
    """Distance and entry of every match."""
    return [(match.distance, match.entry) for match in bank.lookup(query, threshold)]


class BruteForce:
    """What `answers` should be, by reading every entry of the bank and comparing."""

    def __init__(self, bank: Bank) -> None:
        self._held = [
            (entry.id, np.frombuffer(f.value, np.uint8))
            for entry in bank.entries()
            for f in entry.fingerprints
            if f.type is FingerprintType.PDQ
        ]
        self._hashes = np.array([value for _, value in self._held], np.uint8).reshape(-1, 32)

    def __call__(self, query: Fingerprint, threshold: int = 31) -> list[tuple[int, str]]:
        """Distance and entry of every fingerprint within `threshold` bits."""
        differing = self._hashes ^ np.frombuffer(query.value, np.uint8)
        distances = np.unpackbits(differing, axis=1).sum(axis=1)
        near_by = np.flatnonzero(distances <= threshold)
        return sorted((int(distances[n]), self._held[n][0]) for n in near_by)


def index_files(home: Path) -> list[Path]:
    """The index files of all banks."""
    return sorted(home.glob("index/*/*.pdq"))


def traces(home: Path, fingerprint: Fingerprint, piece: int = 8) -> list[str]:
    """In which files of the home any `piece` bytes of the fingerprint stand, or its digits."""
    value = fingerprint.value
    pieces = [value[n : n + piece] for n in range(0, len(value), piece)]
    pieces += [part.hex().encode() for part in pieces]
    return [
        path.name
        for path in home.rglob("*")
        if path.is_file()
        for content in [path.read_bytes()]
        if any(part in content for part in pieces)
    ]


class Asker:
    """Another process with a bank open: answers what it is asked, one line each."""

    CODE = """
import json, sys
from egide.bank import Home
from egide.errors import EgideError
from egide.fingerprint import Fingerprint
home = Home(sys.argv[1])
banks = home.banks()
for line in sys.stdin:
    query = Fingerprint.from_hex("pdq", line.strip())
    found = {}
    for bank in banks:
        try:
            found[bank.name] = [match.entry for match in bank.lookup(query)]
        except EgideError as error:
            found[bank.name] = [str(error)]
    print(json.dumps(found), flush=True)
"""

    def __init__(self, home: Home) -> None:
        self._process = python(self.CODE, str(home.path))

    def __call__(self, query: Fingerprint) -> dict[str, list[str]]:
        """The entries that each bank answers, or what it says instead."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(query.hex.encode() + b"\n")
        stdin.flush()
        answer: dict[str, list[str]] = json.loads(stdout.readline())
        return answer

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate(timeout=30)


@pytest.fixture
def asker(home: Home) -> Iterator[Callable[[], Asker]]:
    """Starts processes that have every bank of the home open, and ends them."""
    started: list[Asker] = []

    def start() -> Asker:
        started.append(Asker(home))
        return started[-1]

    yield start
    for process in started:
        process.close()


def python(code: str, *args: str, stderr: int | IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """A Python process that runs `code`."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=Path(__file__).parents[1],
    )


def forked(function: Callable[[], Any], *, rights: bool = True) -> Any:
    """What `function` returns in a child of this process, as JSON keeps it, or what it raises.

    Without `rights` the child is no longer root.
    """
    receiving, sending = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of the test runner
        child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0 and not rights:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            result = json.dumps(function())
        except BaseException as error:  # noqa: BLE001  told to the parent
            result = json.dumps(f"{type(error).__name__}: {error}")
        os.write(sending, result.encode())
        os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return json.loads(answer)
