"""The files of the local index: whole, damaged, erased, merged, and the records behind them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from egide import _kernel
from egide.bank import Bank, Draft, Home
from egide.fingerprint import Fingerprint, FingerprintType
from egide.testing import neutral_pixels
from tests.conftest import index_files, local, local_plane, pdq, sha256

pytestmark = pytest.mark.both_databases


def features(number: int) -> _kernel.LocalFeatures:
    """Of half of a `local_plane`."""
    return _kernel.LocalFeatures(local_plane(number)[60:330, 60:400])


def found(bank: Bank, number: int) -> list[str]:
    return [match.entry for match in bank.align([features(number)])]


def local_files(home: Home) -> list[Path]:
    return sorted(home.path.glob("index/*/*.local"))


@pytest.fixture
def bank(home: Home) -> Bank:
    bank = home.create("a")
    for number in range(6):
        bank.add([local(number), pdq(number)], ref=str(number))
    bank.store_index()
    return bank


def test_a_stored_index_is_opened_by_the_next_process(home: Home, bank: Bank) -> None:
    assert len(local_files(home)) == 1
    opened = Home(home.path).bank("a")

    for number in range(6):
        assert [m.ref for m in opened.align([features(number)])] == [str(number)]


def test_several_queries_are_told_apart(bank: Bank) -> None:
    matches = bank.align([features(3), features(1), features(3)])

    assert [(m.query, m.ref) for m in matches] == [(0, "3"), (1, "1"), (2, "3")]
    assert all(m.type is FingerprintType.LOCAL and m.distance == 0 for m in matches)


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "empty", "other"])
def test_a_damaged_file_is_made_anew(home: Home, bank: Bank, damage: str) -> None:
    (path,) = local_files(home)
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "other":
        path.write_bytes(index_files(home.path)[0].read_bytes())
    else:
        whole = len(data)
        path.write_bytes(
            {
                "cut": data[: whole // 2],
                "flipped": data[: whole // 2]
                + bytes([data[whole // 2] ^ 255])
                + data[whole // 2 + 1 :],
                "empty": b"",
            }[damage]
        )
    opened = Home(home.path).bank("a")

    for number in range(6):
        assert [m.ref for m in opened.align([features(number)])] == [str(number)]
    assert len(local_files(home)) == 1
    assert local_files(home)[0].read_bytes()[:4096] != b""


def test_damage_that_a_stamp_hides_is_noticed_when_it_is_met(home: Home, bank: Bank) -> None:
    """The file was changed with its times set back: its arrays contradict themselves."""
    (path,) = local_files(home)
    status = path.stat()
    with path.open("r+b") as handle:
        handle.seek(4096)
        handle.write(b"\xff" * 4096)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    opened = Home(home.path).bank("a")

    assert [m.ref for m in opened.align([features(2)])] == ["2"]


def test_what_is_withdrawn_is_gone_from_answers_files_and_database(home: Home, bank: Bank) -> None:
    gone, *_ = found(bank, 2)
    other = Home(home.path).bank("a")
    assert found(other, 2) == [gone]
    before = bank.stats()["index"]["fingerprints"]

    bank.withdraw([gone])

    assert found(bank, 2) == []
    assert found(other, 2) == []
    assert bank.stats()["index"]["fingerprints"] == before - 2
    piece = local(2).value[500:564]
    home.close()
    for path in home.path.rglob("*"):
        assert not path.is_file() or piece not in path.read_bytes(), path.name
    assert found(Home(home.path).bank("a"), 3) != []


def test_postings_of_a_withdrawn_picture_are_rewritten(home: Home, bank: Bank) -> None:
    size = local_files(home)[0].stat().st_size
    bank.withdraw(found(bank, 0) + found(bank, 1))

    assert local_files(home)[0].stat().st_size < size


@pytest.mark.usefixtures("short_tail")
def test_one_by_one_and_all_at_once_answer_the_same(home: Home) -> None:
    planes = [neutral_pixels(100 + n)[..., 0] for n in range(24)]
    prints = [
        Fingerprint(FingerprintType.LOCAL, _kernel.LocalFeatures(plane).record())
        for plane in planes
    ]
    one, all_ = home.create("one"), home.create("all")
    for number, print_ in enumerate(prints):
        one.add([print_, sha256(number)], ref=str(number))
        one.align([_kernel.LocalFeatures(planes[0])])
    all_.add_all([Draft((p, sha256(n)), ref=str(n)) for n, p in enumerate(prints)])
    all_.store_index()

    assert len(local_files(home)) > 4  # files end at eight pictures here
    for number in (0, 7, 8, 23):
        query = _kernel.LocalFeatures(np.rot90(planes[number])[30:, 40:])
        refs = [[m.ref for m in bank.align([query])] for bank in (one, all_)]
        assert refs == [[str(number)], [str(number)]]


def test_a_bank_without_local_fingerprints_aligns_nothing(home: Home) -> None:
    bank = home.create("a")
    bank.add([pdq(1)])

    assert bank.align([features(0)]) == []
    assert not bank.holds(FingerprintType.LOCAL)


def test_a_picture_without_points_aligns_nothing(bank: Bank) -> None:
    assert bank.align([_kernel.LocalFeatures(np.zeros((1, 1), np.uint8))]) == []


def test_frames_keep_their_times_through_export_and_import(home: Home, tmp_path: Path) -> None:
    from egide.bank.lists import ListFormat, read_list, write_list

    bank = home.create("a")
    frames = tuple(
        Fingerprint(FingerprintType.PDQ, pdq(n).value, 90, at=500 * n, span=500) for n in range(3)
    )
    entry = bank.add([*frames, local(1)]).entry
    assert bank.duration(entry) == 1500
    file = tmp_path / "list.jsonl"
    with file.open("w") as out:
        write_list(bank.entries(), out, ListFormat.JSONL)

    copy = home.create("b")
    with file.open() as lines:
        copy.add_all([d for d in read_list(lines, "list") if isinstance(d, Draft)])

    (entry_,) = copy.entries()
    assert entry_.fingerprints == (*frames, local(1))
    assert copy.duration(entry_.id) == 1500
    assert copy.align([features(1)])[0].entry == entry_.id


@pytest.mark.parametrize("format_", ["csv", "threatexchange"])
def test_lists_for_others_hold_no_local_fingerprints(
    home: Home, bank: Bank, tmp_path: Path, format_: str
) -> None:
    from egide.bank.lists import ListFormat, write_list

    file = tmp_path / "list"
    with file.open("w") as out:
        write_list(bank.entries(), out, ListFormat(format_))

    assert "local" not in file.read_text()
    assert file.read_text().count("pdq") == 6


def test_a_database_of_the_version_before_is_brought_up_to_date(tmp_path: Path) -> None:
    import sqlite3
    from importlib.resources import files

    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    connection = sqlite3.connect(folder / "egide.sqlite")
    connection.executescript((files("egide.db") / "schema" / "0001_banks.sql").read_text())
    connection.execute("PRAGMA user_version = 1")
    connection.execute(f"PRAGMA application_id = {0x65676964}")
    connection.execute("INSERT INTO bank VALUES (1, 'aabbccdd', 'old', 'block', 1)")
    connection.execute("INSERT INTO entry (bank, state, added, changed) VALUES (1, 'active', 1, 1)")
    connection.execute(
        "INSERT INTO fingerprint (entry, bank, type, mark, value) VALUES (1, 1, 'pdq', x'00', ?)",
        (pdq(1).value,),
    )
    connection.commit()
    connection.close()

    bank = Home(folder).bank("old")

    assert [match.distance for match in bank.lookup(pdq(1))] == [0]
    bank.add([local(0)])
    assert len(found(bank, 0)) == 1
