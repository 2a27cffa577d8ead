"""Runs `egide` as its users do, against a small bank, in an environment of its own."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from egide import Home, Item, fingerprints_of
from tests import pictures

EGIDE: Final = str(Path(sys.executable).with_name("egide"))
KNOWN: Final = pictures.encode(pictures.smooth_noise(seed=1), "PNG")
COPY: Final = pictures.encode(pictures.smooth_noise(seed=1), "JPEG")
OTHER: Final = pictures.encode(pictures.smooth_noise(seed=2), "JPEG")


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def refs(self) -> list[str]:
        """The references of the verdicts on standard output."""
        return [line["item"]["ref"] for line in self.lines]


@dataclass
class Egide:
    """`egide(...)` runs a command in this process, `spawn` and `on_terminal` in one of its own."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        *args: str | Path,
        stdin: bytes = b"",
        given: dict[str, str] | None = None,
        **environment: str,
    ) -> Outcome:
        from egide.cli.app import app

        given = {"EGIDE_HOME": str(self.home), **self.environment, **environment, **(given or {})}
        words = [os.fspath(arg) for arg in args]
        result = CliRunner().invoke(app, words, input=stdin, env=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    def _environment(self, environment: dict[str, str]) -> dict[str, str]:
        plain = {key: value for key, value in os.environ.items() if not key.startswith("EGIDE_")}
        return {**plain, "EGIDE_HOME": str(self.home), **self.environment, **environment}

    def spawn(self, *args: str | Path, stdin: bytes = b"", **environment: str) -> Outcome:
        done = subprocess.run(
            [EGIDE, *args],
            input=stdin,
            capture_output=True,
            env=self._environment(environment),
            timeout=60,
            check=False,
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    def popen(self, *args: str | Path, **environment: str) -> subprocess.Popen[bytes]:
        # A shell's background jobs ignore Ctrl-C, and so would what they start.
        command = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
        command += "os.execv(sys.argv[1], sys.argv[1:])"
        return subprocess.Popen(
            [sys.executable, "-c", command, EGIDE, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment(environment),
        )

    def on_terminal(self, *args: str | Path, **environment: str) -> tuple[int, str]:
        """Exit code, and everything that was written to a terminal of 100 columns."""
        child, terminal = pty.fork()
        if child == 0:
            given = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40", **environment}
            os.execve(EGIDE, [EGIDE, *(os.fspath(arg) for arg in args)], self._environment(given))
        seen = b""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if select.select([terminal], [], [], 1)[0]:
                try:
                    block = os.read(terminal, 65536)
                except OSError:  # Linux says so when the other end is closed
                    break
                if not block:
                    break
                seen += block
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen.decode()


@pytest.fixture(scope="session")
def _banked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("home")
    home = Home(path)
    home.create("demo").add(fingerprints_of(Item.from_bytes(KNOWN)), ref="case 17")
    home.create("hosted", "library")
    home.close()
    return path


@pytest.fixture
def egide(_banked: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Egide:
    """`egide`, with a block bank that holds one picture, in an empty folder."""
    for name in [name for name in os.environ if name.startswith("EGIDE_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Egide(_banked)


@pytest.fixture
def write() -> Callable[..., None]:
    """Writes files below the current folder: `write(**{"d/a.jpg": COPY})`."""

    def write(files: dict[str, bytes]) -> None:
        for name, data in files.items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    return write
