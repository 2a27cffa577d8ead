"""The servers that are put under load: égide's, and HMA's; each on a PostgreSQL of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
from tests.postgresql import Server

from benchmarks import hashes
from egide.bank.entry import mark_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.results import Settings
    from egide.bank import Bank, Home

EGIDE: Final = str(Path(sys.executable).with_name("egide"))
BANK: Final = "known"
HMA_CONFIG: Final = """\
from OpenMediaMatch.storage.postgres.impl import DefaultOMMStore
from threatexchange.content_type.photo import PhotoContent
from threatexchange.signal_type.pdq.signal import PdqSignal

DATABASE_URI = {url!r}
PRODUCTION = True
ROLE_HASHER = ROLE_MATCHER = ROLE_CURATOR = True
UI_ENABLED = TASK_FETCHER = TASK_INDEXER = False
TASK_INDEX_CACHE = True
STORAGE_IFACE_INSTANCE = DefaultOMMStore(
    signal_types=[PdqSignal], content_types=[PhotoContent], exchange_types=[]
)
"""
START_SECONDS: Final = 300.0


class Running:
    """A server that answers on 127.0.0.1."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process

    def memory(self) -> int:
        """Bytes of memory that it and all its children hold, shared pages by their share."""
        return sum(_proportional(each) for each in _family(self.process.pid))

    def wait(self, path: str) -> None:
        """Returns when `path` is answered with 200; RuntimeError."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError("the server did not get ready")


def filled(settings: Settings, entries: int, server: Server, folder: Path) -> tuple[Home, Bank]:
    """A home on a new database of `server`, with a block bank of `entries` realistic hashes.

    Copied into the tables, since searching is what is measured; EGIDE_DATABASE_URL is left set.
    """
    from egide.bank import Home

    url = server.database()
    os.environ["EGIDE_DATABASE_URL"] = url
    home = Home(folder)
    bank = home.create(BANK)
    known = hashes.bank_hashes(settings, hashes.REALISTIC, entries)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY entry (bank, added, changed) FROM STDIN") as copy:
            for _ in known:
                copy.write_row((bank.number, 0, 0))
        (first,) = cursor.execute("SELECT min(seq) FROM entry").fetchone() or (1,)
        columns = "entry, bank, type, mark, value"
        with cursor.copy(f"COPY fingerprint ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "int8", "text", "bytea", "bytea"])
            for number, value in enumerate(map(bytes, known)):
                copy.write_row((first + number, bank.number, "pdq", mark_of(value), value))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    home.close()
    home = Home(folder)
    bank = home.bank(BANK)
    bank.store_index()
    return home, bank


@contextmanager
def egide(home: Path, flags: Sequence[str], **env: str) -> Iterator[Running]:
    """`egide serve` on `home`, ready."""
    port = _free_port()
    command = [EGIDE, "serve", "--port", str(port), "--home", str(home), *flags]
    with _started(command, os.environ | env, home / "benchmark.log") as process:
        running = Running(port, process)
        running.wait("/readyz")
        yield running


def hma_source(settings: Settings) -> Path | None:
    """Where HMA is, if somebody put it there: see `benchmarks.service`."""
    source = settings.cache / "hma" / "src" / "hasher-matcher-actioner" / "src"
    return source if source.is_dir() else None


@contextmanager
def hma(settings: Settings, source: Path, entries: int, server: Server) -> Iterator[Running]:
    """HMA under gunicorn with two processes, its index built of the same `entries` hashes."""
    url = server.database(empty=True)
    folder = settings.cache / "hma"
    config = folder / "config.py"
    config.write_text(HMA_CONFIG.format(url=url.replace("postgresql:", "postgresql+psycopg2:")))
    programs = folder / "bin"
    env = os.environ | {"PYTHONPATH": str(source), "OMM_CONFIG": str(config)}
    flask = [str(programs / "flask"), "--app", "OpenMediaMatch.app"]
    migrations = ["db", "upgrade", "--directory", str(source / "OpenMediaMatch" / "migrations")]
    apart = env | {"MIGRATION_COMMAND": "1"}  # else it would begin to serve
    subprocess.run([*flask, *migrations], env=apart, check=True, capture_output=True)
    _fill_hma(settings, entries, url)
    subprocess.run([*flask, "build_indices"], env=apart, check=True, capture_output=True)
    port = _free_port()
    gunicorn = [str(programs / "gunicorn"), "--workers", "2", "--timeout", "300"]
    command = [*gunicorn, "--bind", f"127.0.0.1:{port}", "OpenMediaMatch.app:create_app()"]
    with _started(command, env, folder / "benchmark.log") as process:
        running = Running(port, process)
        running.wait("/status")
        yield running


def _fill_hma(settings: Settings, entries: int, url: str) -> None:
    known = hashes.bank_hashes(settings, hashes.REALISTIC, entries)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO bank (id, name, enabled_ratio) VALUES (1, 'KNOWN', 1)")
        with cursor.copy("COPY bank_content (id, bank_id, disable_until_ts) FROM STDIN") as copy:
            for number in range(1, len(known) + 1):
                copy.write_row((number, 1, 0))
        columns = "content_id, signal_type, signal_val, create_time"
        with cursor.copy(f"COPY content_signal ({columns}) FROM STDIN") as copy:
            for number, value in enumerate(known, 1):
                copy.write_row((number, "pdq", value.tobytes().hex(), "2026-01-01"))


@contextmanager
def _started(
    command: Sequence[str], env: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=dict(env), stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def postgresql() -> Iterator[Server]:
    """A server of PostgreSQL as one would run it: what it says is written is on the disk."""
    server = Server({"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB"})
    try:
        yield server
    finally:
        server.stop()
        os.environ.pop("EGIDE_DATABASE_URL", None)


@contextmanager
def folder(settings: Settings) -> Iterator[Path]:
    """An empty folder in the cache, removed afterwards."""
    path = settings.cache / "home-service"
    shutil.rmtree(path, ignore_errors=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def _family(process: int) -> Iterator[int]:
    yield process
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from _family(int(child))


def _proportional(process: int) -> int:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))
