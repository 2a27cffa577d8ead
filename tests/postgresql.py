"""A PostgreSQL server of the tests' own: in a temporary folder, behind a socket, without rights."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

import psycopg

from egide.db.upgrade import upgrade

NOBODY = 65534
USER = "egide"
TEMPLATE = "template"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # the tests kill processes, not the machine
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "log_min_messages": "fatal",
}

SMALL = {"min_wal_size": "2MB", "max_wal_size": "4MB"}


def binary(name: str) -> str:
    """The path of one of PostgreSQL's programs: Debian keeps them off PATH, by versions."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = str(versions[0]) if versions else shutil.which(name)
    assert found is not None, "install PostgreSQL: scripts/install-system-packages.sh does"
    return found


MEMORY = Path("/dev/shm")
ROOM = 4 << 30


class Server:
    """A server that runs until it is stopped, with other `settings` where they are given.

    Its data are in memory, or in a folder at `place`, which may be a small disk.
    """

    def __init__(
        self, settings: Mapping[str, str] | None = None, place: Path | None = None
    ) -> None:
        small = {} if place is None else SMALL
        self._settings = SETTINGS | small | dict(settings or {})
        if place is None and self._settings["fsync"] == "off":
            place = _memory()
        # A socket's path is short.
        self.folder = Path(tempfile.mkdtemp(prefix="egide-pg-", dir=place))
        self._ids = count()
        if os.getuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        self._data = self.folder / "data"
        self._run(
            f"{binary('initdb')} -D {self._data} -U {USER} -A trust -E UTF8 --no-sync"
            f" --locale C.UTF-8{' --wal-segsize 1' if small else ''}".split()
        )
        self._process = self._start()
        try:
            self._execute(f'CREATE DATABASE "{TEMPLATE}"')
            upgrade(self.url(TEMPLATE))
        except BaseException:
            self.stop()
            raise

    def url(self, database: str) -> str:
        """The address of a database of this server."""
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def database(self, *, empty: bool = False) -> str:
        """The address of a new database, at the present schema unless it is to be `empty`."""
        name = f"t{next(self._ids)}"
        template = "template1" if empty else TEMPLATE
        self._copy(template, name)
        return self.url(name)

    def drop(self, url: str) -> None:
        """Removes a database, whoever is connected to it."""
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def copy(self, url: str) -> str:
        """The address of a copy of a database that nobody is connected to."""
        name = f"t{next(self._ids)}"
        original = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
        self._copy(original, name)
        return self.url(name)

    def rename(self, url: str, new: str) -> None:
        """Puts the database at `url` in the place of the one at `new`."""
        names = [psycopg.conninfo.conninfo_to_dict(address)["dbname"] for address in (url, new)]
        self.drop(new)
        self._execute(f'ALTER DATABASE "{names[0]}" RENAME TO "{names[1]}"')

    def halt(self, sign: signal.Signals = signal.SIGQUIT) -> None:
        """Ends the server at once, as when its machine fails; with SIGINT in good order."""
        self._process.send_signal(sign)
        self._process.wait(timeout=30)

    @property
    def runs(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process.poll() is None

    def resume(self) -> None:
        """Starts it again after `halt`."""
        self._process = self._start()

    def stop(self) -> None:
        """Ends the server and removes everything of it."""
        self.halt()
        shutil.rmtree(self.folder)

    def _start(self) -> subprocess.Popen[bytes]:
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        process = self._popen(
            [binary("postgres"), "-D", str(self._data), "-k", str(self.folder), *options]
        )
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                assert process.poll() is None, "PostgreSQL did not start"
                assert time.monotonic() < until
                time.sleep(0.05)
            else:
                return process

    def _copy(self, original: str, name: str) -> None:
        """Makes a database of the files of another: half as long as by way of the log."""
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}" STRATEGY FILE_COPY')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, command: Sequence[str]) -> None:
        assert self._popen(command).wait(timeout=120) == 0

    def _popen(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        user = NOBODY if os.getuid() == 0 else None
        return subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )


def _memory() -> Path | None:
    """A folder in memory with room for some hundred databases, if there is one."""
    try:
        room = shutil.disk_usage(MEMORY).free
    except OSError:
        return None
    return MEMORY if room > ROOM else None
