"""What code that took over a worker can do: nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from egide.sandbox import Pool
from tests.unit.sandbox.conftest import MakePool
from tests.unit.sandbox.test_pool import said, text

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux confines")


def test_by_which_means_it_is_confined(pool: Pool) -> None:
    assert pool.state().confined == ("limits", "landlock", "seccomp")


def test_files_cannot_be_read(pool: Pool, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x", encoding="ascii")
    assert said(pool.scan(text(f"read {secret}"))) == "refused: PermissionError"


@pytest.mark.parametrize("name", ["environ", "mem", "maps"])
def test_other_processes_cannot_be_read(pool: Pool, name: str) -> None:
    order = text(f"read /proc/{os.getpid()}/{name}")
    assert said(pool.scan(order)) == "refused: PermissionError"


def test_what_is_named_can_be_read_and_not_written(pools: MakePool, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("xyz", encoding="ascii")
    pool = pools(readable=(tmp_path,))
    assert said(pool.scan(text(f"read {there}"))) == "3"
    assert said(pool.scan(text(f"write {there}"))) == "refused: PermissionError"
    assert said(pool.scan(text(f"write {tmp_path / 'new'}"))) == "refused: PermissionError"


def test_nothing_is_connected_to(pool: Pool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert said(pool.scan(text(f"connect {port}"))) == "refused: PermissionError"


@pytest.mark.parametrize("order", ["fork now", "run /bin/true", "signal {pid}"])
def test_no_process_is_started_or_signalled(pool: Pool, order: str) -> None:
    asked = text(order.format(pid=os.getpid()))
    assert said(pool.scan(asked)) == "refused: PermissionError"


TOUCHES = [
    "kill",
    "tgkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "prlimit",
    "prlimit-read",
    "setpriority",
    "ioprio_set",
    "sched_setaffinity",
    "sched_setscheduler",
    "sched_setparam",
    "sched_setattr",
    "owner",
]
BY_THE_FILTER_ALONE = """
import sys
from egide.sandbox import seccomp
from obedient import TOUCHES

_, process, *names = sys.argv
assert seccomp.restrict()
for name in names:
    try:
        TOUCHES[name](int(process))
    except PermissionError:
        print(name)
"""


@pytest.fixture(scope="module")
def another() -> Iterator[int]:
    """A process of the same user, as the service is to its workers."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


@pytest.mark.parametrize("what", TOUCHES)
def test_no_other_process_is_touched(pool: Pool, another: int, what: str) -> None:
    assert said(pool.scan(text(f"touch {what} {another}"))) == "refused: PermissionError"


def test_no_other_process_is_touched_where_landlock_knows_no_signals(
    obedient: Path, another: int
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", BY_THE_FILTER_ALONE, str(another), *TOUCHES],
        env=os.environ | {"PYTHONPATH": str(obedient)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert ended.stdout.split() == TOUCHES


def test_it_does_with_itself_what_programs_do(pool: Pool) -> None:
    assert said(pool.scan(text("threads now"))) == "True"


def test_secrets_of_the_environment_are_not_there(pool: Pool) -> None:
    names = said(pool.scan(text("environment")))
    assert "PATH" in names
    assert "EGIDE_DATABASE_URL" not in names


def test_nothing_is_open_but_the_channel(pool: Pool) -> None:
    assert said(pool.scan(text("sockets"))).isdigit()


def test_what_it_prints_goes_nowhere(pool: Pool, capfd: pytest.CaptureFixture[str]) -> None:
    assert said(pool.scan(text("print forged line"))) == "printed"
    assert capfd.readouterr() == ("", "")
