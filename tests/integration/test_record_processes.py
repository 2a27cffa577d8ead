"""Processes that write to the desk's log and are killed; databases that end; full disks."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from egide.bank import Home
from tests.conftest import python
from tests.postgresql import Server
from tests.unit.desk.record import Record, case

WRITER = """
import sys
from itertools import count
from pathlib import Path
from egide.bank import Home
from tests.unit.desk.record import Record, case

record = Record(Home(Path(sys.argv[1])))
number = case(int(sys.argv[2]))
record.open_case(number)
print(number, 0, flush=True)
for seq in count(1):
    with record.database.write() as connection:
        record.add(connection, number, seq)
    print(number, seq, flush=True)
"""


def logged(record: Record) -> set[tuple[str, int]]:
    """The events in the log."""
    rows = record.database.fetch("SELECT number, event FROM log_leaf")
    return {(row["number"], row["event"]) for row in rows}


@pytest.mark.both_databases
def test_a_log_whose_writers_are_killed_holds_and_has_all_that_was_acknowledged(
    home: Home,
) -> None:
    record = Record(home)
    told: set[tuple[str, int]] = set()
    for turn in range(3):
        writers = [python(WRITER, str(home.path), str(10 * turn + n)) for n in range(2)]
        said = [_lines(writer, 12) for writer in writers]
        record.sign()
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
        for writer, lines in zip(writers, said, strict=True):
            told |= _told([*lines, *_rest(writer)])
        assert told <= logged(record)
        found = record.verify()
        assert found.troubles == []
        assert found.leaves == found.opened >= len(told)
    record.sign()
    assert record.troubles() == []


def _lines(process: subprocess.Popen[bytes], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().decode() for _ in range(count)]


def _rest(process: subprocess.Popen[bytes]) -> list[str]:
    """What else it said until it ended, whole lines alone."""
    assert process.stdout is not None
    said = process.stdout.read().decode().splitlines(keepends=True)
    process.communicate(timeout=60)
    return [line for line in said if line.endswith("\n")]


def _told(lines: list[str]) -> set[tuple[str, int]]:
    return {(number, int(seq)) for number, seq in map(str.split, lines)}


def test_a_log_whose_database_is_restarted_holds(
    postgresql: Server, database_url: str, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    record = Record(home)
    record.open_case(case(1), 3)
    kept = record.sign().note
    writer = python(WRITER, str(home.path), "2", stderr=subprocess.DEVNULL)
    lines = _lines(writer, 5)
    postgresql.halt()
    lines += _rest(writer)
    postgresql.resume()
    home.database.close()  # connections to the server that was
    assert _told(lines) <= logged(record)
    assert record.troubles(kept) == []
    record.open_case(case(3), 2)
    record.sign()
    assert record.troubles(kept) == []
    home.close()


def test_a_full_disk_leaves_a_log_that_holds(home: Home) -> None:
    record = Record(home)
    record.open_case(case(1), 3)
    record.sign()
    home.database.scrub()
    size = (home.path / "egide.sqlite").stat().st_size + 200_000
    limited = f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    writer = python(limited + WRITER, str(home.path), "2", stderr=subprocess.PIPE)
    said, error = writer.communicate(timeout=60)
    assert b"StorageError" in error
    told = _told(said.decode().splitlines())
    assert told == {each for each in logged(record) if each[0] == case(2)}
    assert record.troubles() == []
    record.open_case(case(3), 2)
    record.sign()
    assert record.troubles() == []
