"""Index files that are missing, damaged or foreign: answers stay right, files are made anew."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from egide.bank import Draft, Home
from egide.bank.pdq_index import MAGIC
from egide.bank.segment import HEADER_BYTES, stamp_of
from tests.conftest import BruteForce, answers, drafts, index_files, near, pdq, sha256

BANDED = 16_500
Damage = Callable[[Path], object]
CENTRE = pdq(1)
QUERIES = [near(CENTRE, 2), near(CENTRE, 40), pdq(2), pdq(3)]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a banded bank, a small one, and their index files."""
    path = tmp_path_factory.mktemp("template") / "home"
    home = Home(path)
    large, small = home.create("large"), home.create("small")
    clusters = [Draft((near(CENTRE, n),)) for n in range(40)]
    clusters += [Draft((CENTRE, sha256(n))) for n in range(16)]
    large.add_all(drafts(BANDED) + clusters)
    small.add_all([*drafts(50, 1), *clusters])
    for bank in (large, small):
        bank.store_index()
    home.close()
    return path


@pytest.fixture
def path(template: Path, tmp_path: Path) -> Path:
    """A copy of that home, its index files known to be good where they stand now."""
    path = tmp_path / "home"
    shutil.copytree(template, path)
    home = Home(path)
    for bank in home.banks():
        bank.lookup(CENTRE)
    home.close()
    assert len(index_files(path)) == 2
    return path


@pytest.fixture(scope="session")
def expected(template: Path) -> dict[str, list[list[tuple[int, str]]]]:
    """What every bank has to answer."""
    home = Home(template)
    found = {}
    for bank in home.banks():
        brute_force = BruteForce(bank)
        found[bank.name] = [brute_force(query, 63) for query in QUERIES]
    home.close()
    return found


def check(path: Path, expected: dict[str, list[list[tuple[int, str]]]]) -> None:
    """Answers are right, and the files are what the database says: now, and when opened again."""
    home = Home(path)
    for _ in range(2):
        for bank in home.banks():
            assert [answers(bank, query, 63) for query in QUERIES] == expected[bank.name]
    home.close()
    rows = listed(path)
    assert len(rows) == 2
    assert {file for file, _, _ in rows} == {p.name for p in index_files(path)}
    for file, sha, stamp in rows:
        (found,) = path.glob(f"index/*/{file}")
        assert hashlib.sha256(found.read_bytes()).hexdigest() == sha
        assert stamp_of(found.stat()) == stamp


def listed(path: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(path / "egide.sqlite") as connection:
        rows = connection.execute("SELECT file, sha256, stamp FROM segment").fetchall()
    connection.close()
    return rows


def large_file(path: Path) -> Path:
    return max(index_files(path), key=lambda file: file.stat().st_size)


def arrays(file: Path) -> dict[str, tuple[int, int]]:
    """Where each array of an index file begins and ends."""
    with file.open("rb") as handle:
        header = json.loads(handle.read(HEADER_BYTES)[len(MAGIC) :])
    return {
        a["name"]: (
            a["at"],
            a["at"] + int(np.prod(a["shape"])) * np.dtype(a["dtype"]).itemsize,
        )
        for a in header["arrays"]
    }


def flip(file: Path, at: int) -> None:
    with file.open("r+b") as handle:
        handle.seek(at)
        byte = handle.read(1)[0]
        handle.seek(at)
        handle.write(bytes([byte ^ 0x10]))


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("part", ["header", "codes", "offsets", "postings", "seqs"])
def test_one_wrong_byte_is_noticed_even_with_its_time_set_back(
    path: Path, expected: dict[str, list[list[tuple[int, str]]]], part: str, place: str
) -> None:
    file = large_file(path)
    begin, end = (0, HEADER_BYTES) if part == "header" else arrays(file)[part]
    at = {"first": begin, "middle": (begin + end) // 2, "last": end - 1}[place]
    before = file.stat()
    flip(file, at)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    check(path, expected)
    assert not file.exists()


def truncate(to: int) -> Damage:
    return lambda file: os.truncate(file, min(to, file.stat().st_size - 1))


def swap(file: Path) -> None:
    one, two = index_files(file.parents[2])
    aside = one.with_suffix(".aside")
    one.rename(aside)
    two.rename(one)
    aside.rename(two)


def dead_link(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere")


DAMAGES: dict[str, Damage] = {
    "missing": Path.unlink,
    "empty": truncate(0),
    "cut in the header": truncate(100),
    "without arrays": truncate(HEADER_BYTES),
    "cut by a byte": truncate(1 << 40),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"\0"),
    "garbage": lambda file: file.write_bytes(os.urandom(file.stat().st_size)),
    "zeros": lambda file: file.write_bytes(bytes(file.stat().st_size)),
    "another bank's": swap,
    "a dead link": dead_link,
    "folder deleted": lambda file: shutil.rmtree(file.parent),
    "all folders deleted": lambda file: shutil.rmtree(file.parents[1]),
    "a left-over beside it": lambda file: file.with_name("0" * 16 + ".pdq").write_bytes(b"x"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_made_anew(
    path: Path, expected: dict[str, list[list[tuple[int, str]]]], damage: str
) -> None:
    DAMAGES[damage](large_file(path))
    if damage == "a left-over beside it":  # it goes with the next store, nothing being wrong
        home = Home(path)
        home.bank("large").store_index()
        home.close()
    check(path, expected)


def test_damage_of_a_small_file_is_mended_too(
    path: Path, expected: dict[str, list[list[tuple[int, str]]]]
) -> None:
    small = min(index_files(path), key=lambda file: file.stat().st_size)
    flip(small, HEADER_BYTES + 5)
    check(path, expected)


def test_damage_that_the_kernel_meets_is_treated_as_damage(
    path: Path, expected: dict[str, list[list[tuple[int, str]]]]
) -> None:
    file = large_file(path)
    begin, end = arrays(file)["offsets"]
    with file.open("r+b") as handle:
        handle.seek(begin)
        handle.write(b"\xff" * (end - begin))
    with sqlite3.connect(path / "egide.sqlite") as connection:  # as though nobody could tell
        connection.execute(
            "UPDATE segment SET sha256 = ?, stamp = ? WHERE file = ?",
            (hashlib.sha256(file.read_bytes()).hexdigest(), stamp_of(file.stat()), file.name),
        )
    connection.close()
    home = Home(path)  # near ones are looked for in the bands
    near_by = [match for match in expected["large"][0] if match[0] <= 3]
    assert answers(home.bank("large"), QUERIES[0], 3) == near_by
    home.close()
    assert not file.exists()
    check(path, expected)


def test_an_open_bank_goes_on_when_its_files_are_deleted(
    path: Path, expected: dict[str, list[list[tuple[int, str]]]]
) -> None:
    home = Home(path)
    bank = home.bank("large")
    assert answers(bank, QUERIES[0], 63) == expected["large"][0]
    shutil.rmtree(path / "index")
    assert answers(bank, QUERIES[0], 63) == expected["large"][0]
    bank.withdraw([bank.add([pdq(77)]).entry])
    assert answers(bank, QUERIES[0], 63) == expected["large"][0]
    home.close()
    check(path, expected)


def test_a_home_can_be_copied_to_another_place(
    path: Path, tmp_path: Path, expected: dict[str, list[list[tuple[int, str]]]]
) -> None:
    other = tmp_path / "other"
    shutil.copytree(path, other)
    before = set(index_files(other))
    check(other, expected)
    assert set(index_files(other)) == before  # verified, not made anew
    shutil.rmtree(path)
    check(other, expected)


def test_what_a_killed_withdrawal_left_is_gone_once_the_bank_is_opened(path: Path) -> None:
    home = Home(path)
    bank = home.bank("large")
    entry = next(e.id for e in bank.entries())
    held = bank.entry(entry).fingerprints[0]
    bank.erase = lambda: None  # type: ignore[method-assign]  # killed right after the commit
    bank.withdraw([entry])
    home.close()
    assert held.value[:8] not in (path / "egide.sqlite").read_bytes()
    home = Home(path)
    assert home.bank("large").lookup(held) == []
    home.close()
    with sqlite3.connect(path / "egide.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM erased").fetchone() == (0,)
    connection.close()
    check_listed_only(path)


def check_listed_only(path: Path) -> None:
    assert {file for file, _, _ in listed(path)} == {p.name for p in index_files(path)}


def test_a_bank_of_a_size_around_the_banding_is_stored_and_found(tmp_path: Path) -> None:
    home = Home(tmp_path / "sizes")
    for size in (1, 8192, 16_383, 16_384):
        bank = home.create(f"of-{size}")
        batch = drafts(size, size)
        bank.add_all(batch)
        bank.store_index()
        for n in (0, size // 2, size - 1):
            assert len(bank.lookup(near(batch[n].fingerprints[0], 31))) == 1
        assert bank.stats()["index"]["fingerprints"] == size
    home.close()


# ── permissions ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def wide_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("wide_umask")
def test_nobody_but_the_owner_can_read_anything(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / "home")
    bank = home.create("a")
    entry = bank.add([pdq(1)]).entry
    bank.add([pdq(2)])
    bank.store_index()
    bank.add([pdq(3)])  # so that there is a log
    bank.withdraw([entry])
    modes = {
        str(file.relative_to(home.path)): stat.S_IMODE(file.stat().st_mode)
        for file in [home.path, *home.path.rglob("*")]
    }
    home.close()
    assert len(modes) >= 6
    folders = {".", "index", f"index/{bank.key}"}
    assert modes == {name: 0o700 if name in folders else 0o600 for name in modes}
