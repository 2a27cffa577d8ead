"""A gazetteer finds its people, keeps its file to itself, and refuses a damaged one."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from egide.errors import GazetteerError
from egide.hub.gazetteer import Gazetteer
from egide.hub.gazetteer_edit import add_people, added_by_hand, remove_people
from egide.hub.gazetteer_people import MOST_NAMES, Entry, ordinary_words, tables_of
from egide.hub.gazetteer_sample import open_gazetteer, sample_gazetteer
from egide.hub.gazetteer_tables import MAGIC, read_tables, summary, write_tables

PEOPLE = [
    Entry(
        7, "Ilvira Tasmore", ("Ilvira Tasmore", "Tasmarelle"), gender="woman",
        countries=("Avaria", "Lestovia"), occupations=("singer",), born=1990, links=3,
    ),
    Entry(8, "Ilvira Tasmore", ("Ilvira Tasmore",), links=9),
    Entry(9, "Autumn Lantern", ("Autumn Lantern",)),
    Entry(10, "Ro Se", ("Ro Se",)),
    Entry(11, "Harbor", ("Harbor", "Lantern")),
    Entry(12, "Old King", ("Oldric Kingsmere",), died=1500, dead=True),
]  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "people.gazetteer"
    write_tables(file, tables_of(PEOPLE, year=2025))
    return file


def names(gazetteer: Gazetteer, *fields: str) -> list[str]:
    return [sighting.people[0].id for sighting in gazetteer.find(fields)]


def test_what_was_written_is_read(path: Path) -> None:
    gazetteer = Gazetteer.open(path)
    [sighting] = gazetteer.find(["a lora of ilvira tasmore"])
    first, second = sighting.people

    assert len(gazetteer) == 6
    assert gazetteer.year == 2025
    assert first.id == "Q8"  # the better known of the two
    assert second.name == "Ilvira Tasmore"
    assert second.countries == ("Avaria", "Lestovia")
    assert (second.occupations, second.gender, second.born) == (("singer",), "woman", 1990)
    assert gazetteer.person(5).dead
    assert names(gazetteer, "oldric kingsmere") == ["Q12"]


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_names_of_ordinary_words_are_marked(path: Path) -> None:
    [sighting] = Gazetteer.open(path).find(["Autumn Lantern"])

    assert sighting.ordinary
    assert {"autumn", "lantern", "rose", "waters"} <= ordinary_words()


@pytest.mark.parametrize("text", ["a rose", "rose", "safe harbor lights", "lantern", "lanterns"])
def test_ordinary_words_are_not_taken_for_names(path: Path, text: str) -> None:
    assert names(Gazetteer.open(path), text) == []


def test_a_name_within_a_name_is_not_told(path: Path) -> None:
    add_people(path, ["Mary Ilvira Tasmore"])

    assert names(Gazetteer.open(path), "mary ilvira tasmore") == ["added-1"]
    assert names(Gazetteer.open(path), "my ilvira tasmore") == ["Q8"]


def test_a_gazetteer_goes_to_other_processes_as_its_path(path: Path) -> None:
    gazetteer = Gazetteer.open(path)

    assert len(pickle.dumps(gazetteer)) < 500
    assert names(pickle.loads(pickle.dumps(gazetteer)), "Tasmarelle") == ["Q7"]
    assert len(pickle.loads(pickle.dumps(sample_gazetteer()))) == len(sample_gazetteer())


def test_an_empty_gazetteer_finds_nobody(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    write_tables(path, tables_of([], year=2025))

    assert names(Gazetteer.open(path), "Ilvira Tasmore") == []


def test_people_are_added_and_removed(path: Path) -> None:
    assert add_people(path, ["Zefrin Oulde", "Nimra Vance-Tor"], gender="woman") == [
        "added-1",
        "added-2",
    ]
    assert names(Gazetteer.open(path), "zefrinoulde", "nimra vance tor") == ["added-1", "added-2"]
    assert remove_people(path, "added-1") == ["added-1"]
    assert names(Gazetteer.open(path), "zefrin oulde", "nimra vance tor") == ["added-2"]
    # Numbers are not given again.
    assert add_people(path, ["Zefrin Oulde"]) == ["added-3"]
    assert sorted(remove_people(path, "ILVIRA-tasmore")) == ["Q7", "Q8"]
    assert names(Gazetteer.open(path), "ilvira tasmore", "Tasmarelle") == []
    assert read_tables(path).header["removed"] == [7, 8]
    kept = added_by_hand(path)
    assert kept is not None
    assert sorted(kept.people["number"].tolist()) == [2, 3]


def test_nothing_of_somebody_removed_stays_in_the_file(path: Path) -> None:
    remove_people(path, "Q12")

    assert b"Old King" not in path.read_bytes()
    assert 12 not in read_tables(path).people["number"]
    assert names(Gazetteer.open(path), "Autumn Lantern") == ["Q9"]


def test_a_file_is_made_for_the_first_name(tmp_path: Path) -> None:
    path = tmp_path / "new"
    add_people(path, ["Zefrin Oulde"], ("Zef O.",), countries=("Avaria",))

    assert path.stat().st_mode & 0o777 == 0o600
    assert names(Gazetteer.open(path), "Oulde Zefrin") == ["added-1"]
    assert Gazetteer.open(path).person(0).countries == ("Avaria",)
    assert added_by_hand(tmp_path / "none") is None


@pytest.mark.parametrize("name", ["", "…", "x", "y" * 100])
def test_what_cannot_be_looked_for_is_refused(path: Path, name: str) -> None:
    before = path.read_bytes()
    with pytest.raises(GazetteerError, match="letters"):
        add_people(path, ["Zefrin Oulde", name])

    assert path.read_bytes() == before


def test_removing_nobody_is_an_error(path: Path) -> None:
    for wanted in ("Nobody Atall", "Q99", "added-7", "Q", ""):
        with pytest.raises(GazetteerError, match="nobody"):
            remove_people(path, wanted)


def test_the_summary_counts_and_names_nobody(path: Path) -> None:
    found = summary(read_tables(path))

    assert (found["people"], found["dead"], found["fictional"]) == (6, 1, 0)
    assert found["genders"]["woman"] == 1
    assert found["countries"] == {"Avaria": 1, "Lestovia": 1}
    assert "Tasmore" not in json.dumps(found)


def test_a_person_has_only_so_many_names() -> None:
    entry = Entry(1, "Name Zero", tuple(f"Name Numero{'x' * n}" for n in range(30)))

    assert len(tables_of([entry], year=2025).keys) == MOST_NAMES


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"no gazetteer", "no gazetteer"),
        (lambda data: b"", "no gazetteer"),
        (lambda data: data[:20], "damaged"),
        (lambda data: data[: len(data) // 2], "damaged"),
        (lambda data: MAGIC + b"\xff\xff\xff\xff" + data[12:], "header is too long"),
        (lambda data: MAGIC + b"\x02\0\0\0[]" + bytes(100), "damaged"),
        (lambda data: data.replace(b'"folding": "', b'"folding": "x'), "damaged"),
        (lambda data: data.replace(b'"version": 1', b'"version": 9'), "another version"),
        (lambda data: data.replace(b'"values": [', b'"values":{ '), "damaged"),
    ],
)
def test_a_damaged_file_is_refused(path: Path, damage: object, message: str) -> None:
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(GazetteerError, match=message):
        Gazetteer.open(path)


def test_numbers_that_point_nowhere_are_refused(path: Path) -> None:
    whole = read_tables(path)
    for section, change in (("info", 99), ("people", 60_000)):
        array = np.array(getattr(whole, section))
        if section == "info":
            array[0, 0] = change
        else:
            array["countries"] = change
        write_tables(path, type(whole)(**(vars(whole) | {section: array})))
        with pytest.raises(GazetteerError, match="damaged"):
            read_tables(path)


def test_missing_files_and_folders_are_errors(tmp_path: Path) -> None:
    with pytest.raises(GazetteerError, match="No such file"):
        Gazetteer.open(tmp_path / "none")
    with pytest.raises(GazetteerError, match="directory"):
        Gazetteer.open(tmp_path)
    with pytest.raises(GazetteerError, match="cannot write"):
        write_tables(tmp_path / "none" / "file", tables_of(PEOPLE))


def test_the_sample_is_opened_by_name() -> None:
    assert open_gazetteer("sample") is sample_gazetteer()
    assert len(sample_gazetteer()) == 36
