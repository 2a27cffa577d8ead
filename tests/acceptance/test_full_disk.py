"""The disk under `egide serve` fills up while clients go on asking, and is freed again.

What was answered is there once, what was refused was refused soon and clearly, nothing is there by
halves, and the service goes on by itself.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import httpx2 as httpx
import pytest

from egide.bank import Home
from tests.full_disks import Disk, small_disk
from tests.load import Load, pdq, prepare
from tests.postgresql import Server
from tests.served import Clients, Served, admitted, told, until

MEBIBYTES = 96
TIMES = 2
FULL_SECONDS = 1.5
BETWEEN_SECONDS = 1.0
MOST_SECONDS = 20.0
"""For a refusal, on a machine whose cores are all taken."""
LARGE = bytes(3 << 20)
"""An upload that does not stay in memory."""
IMPORT, CSV = "/v1/banks/lists/import", {"Content-Type": "text/csv"}
LIST = b"type,hash\n" + b"pdq,none\n" * 20_000


class Scene:
    """A service on a small disk, and its clients."""

    def __init__(self, disk: Disk, served: Served, load: Load) -> None:
        self.disk = disk
        self.served = served
        self.load = load
        self.large: Counter[int] = Counter()

    def upload_large(self, number: int) -> None:
        """Uploads what goes by way of the spool."""
        files = {"file": ("a.bin", LARGE)}
        answer = self.load.clients.ask("large", "POST", "/v1/scan", files=files)
        self.large[answer.status] += 1

    def import_list(self, number: int) -> None:
        """Imports a list, which goes by way of the spool too."""
        answer = self.load.clients.ask(
            "list", "POST", IMPORT, content=LIST, headers=CSV
        )  # fmt: skip
        self.large[answer.status] += 1

    def check(self, client: httpx.Client) -> tuple[int, bool]:
        """Whether it is ready, and what it says of its disk."""
        answer = client.get("/readyz")
        return answer.status_code, answer.json()["checks"]["disk"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk for a home."""
    with small_disk(tmp_path / "disk", MEBIBYTES) as disk:
        yield disk


@pytest.fixture
def scene(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Two processes on one home, which has a disk of its own, with temporary files there too."""
    with ExitStack() as held:
        load, served = serving(
            held, disk.folder / "home", monkeypatch, "--processes", "2", tmp=disk.folder
        )
        load.home.create("lists")
        yield Scene(disk, served, load)


def serving(
    held: ExitStack,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *flags: str,
    url: str = "",
    tmp: Path | None = None,
) -> tuple[Load, Served]:
    """A service on a home in `folder`, ready, and its clients."""
    platform = held.enter_context(told())
    monkeypatch.setenv("EGIDE_DATABASE_URL", url)
    monkeypatch.setenv("EGIDE_WEBHOOK_ALLOW", platform.url)
    monkeypatch.setenv("EGIDE_DESK_UNDO_SECONDS", "0")
    home = Home(folder)
    held.callback(home.close)
    prepare(home, platform)
    log = Path(held.enter_context(tempfile.TemporaryDirectory())) / "log"
    environment = {} if tmp is None else {"TMPDIR": str(tmp)}
    served = Served(folder, log, *flags, **environment)
    held.callback(served.end)
    served.wait()
    clients = Clients([served.url], *admitted(home))
    held.callback(clients.close)
    return Load(home, clients, platform), served


@pytest.mark.slow
def test_a_full_disk_costs_refusals_and_nothing_else(scene: Scene) -> None:
    load, disk = scene.load, scene.disk
    load.begin()
    load.clients.run(scene.upload_large, 0.05)
    load.clients.run(scene.import_list, 0.05)
    with httpx.Client(base_url=scene.served.url, timeout=60, trust_env=False) as client:
        try:
            for _ in range(TIMES):
                time.sleep(BETWEEN_SECONDS)
                assert scene.check(client) == (200, True)
                disk.fill()
                time.sleep(FULL_SECONDS)
                assert scene.check(client) == (503, False)
                assert client.get("/livez").status_code == 200
                assert client.get("/metrics").status_code == 200
                disk.free()
                until(lambda: scene.check(client) == (200, True))
        finally:
            disk.free()
            load.end()

    assert load.clients.check_refusals(status=(503, 507), most_seconds=MOST_SECONDS) > 20
    assert scene.large[507] > 0
    assert scene.large[200] > 0
    load.check()
    check_files(load.home)
    scene.served.check_log()
    assert scene.served.end() == 0


def check_files(home: Home) -> None:
    """The database is whole, and no file was left half written."""
    with sqlite3.connect(home.path / "egide.sqlite") as connection:
        (said,) = connection.execute("PRAGMA integrity_check").fetchone()
        listed = {row[0] for row in connection.execute("SELECT file FROM segment")}
    connection.close()
    there = {path.name for path in home.path.glob("index/*/*") if path.name != "lock"}
    assert said == "ok"
    assert there == listed
    assert list((home.path / "spool").iterdir()) == []


def long_list(number: int) -> bytes:
    """A list, another for each number, for which no server has room in what it holds already."""
    hashes = (f"pdq,{pdq(f'{number} {line}')}\n" for line in range(5_000))
    return "".join(["type,hash\n", *hashes]).encode()


@pytest.fixture
def database_disk() -> Iterator[Disk]:
    """A disk for a server of PostgreSQL, whose user cannot look into other folders of tests."""
    with tempfile.TemporaryDirectory(prefix="egide-disk-") as folder:
        Path(folder).chmod(0o755)
        with small_disk(Path(folder), MEBIBYTES) as disk:
            yield disk


@pytest.mark.slow
def test_a_full_disk_of_postgresql_costs_refusals_and_nothing_else(
    database_disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends when its log finds no room: its administrator starts it again."""
    disk = database_disk
    with ExitStack() as held:
        server = Server(place=disk.folder)
        held.callback(server.stop)
        load, served = serving(held, tmp_path / "home", monkeypatch, url=server.database())
        load.home.create("lists")
        load.begin()
        with httpx.Client(base_url=served.url, timeout=60, trust_env=False) as client:
            try:
                time.sleep(BETWEEN_SECONDS)
                disk.fill()
                for number in count():
                    if client.get("/readyz").status_code == 503:
                        break
                    load.clients.ask("list", "POST", IMPORT, content=long_list(number), headers=CSV)
                time.sleep(FULL_SECONDS / 2)
                assert client.get("/livez").status_code == 200
                disk.free()
                if not server.runs:
                    server.resume()
                until(lambda: client.get("/readyz").status_code == 200)
            finally:
                disk.free()
                load.end()

        assert load.clients.check_refusals(status=(503, 507), most_seconds=MOST_SECONDS) > 0
        load.check()
        served.check_log()
        assert served.end() == 0
