"""Dumps are read in any packing, again from where they were left, and past what is broken."""

from __future__ import annotations

import bz2
import gzip
import json
import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.errors import GazetteerError
from egide.hub import gazetteer_build
from egide.hub.gazetteer import Gazetteer
from egide.hub.gazetteer_build import Progress, build, extracted
from egide.hub.gazetteer_dump import MOST_LINE, DumpLines, Position
from egide.hub.gazetteer_edit import add_people, remove_people

SAMPLE = Path(gazetteer_build.__file__).parent / "data" / "sample-people.json"


def claim(value: Any, rank: str = "normal") -> dict[str, Any]:
    return {"mainsnak": {"snaktype": "value", "datavalue": {"value": value}}, "rank": rank}


def person(number: int, name: str, **claims: Any) -> dict[str, Any]:
    return {
        "id": f"Q{number}",
        "labels": {"en": {"value": name}},
        "aliases": {},
        "claims": {"P31": [claim({"id": "Q5"})], **claims},
        "sitelinks": {"enwiki": {}},
    }


def dump_of(*entities: Any) -> bytes:
    lines = [e if isinstance(e, bytes) else json.dumps(e).encode() for e in entities]
    return b"[\n" + b",\n".join(lines) + b"\n]\n"


def split_bz2(data: bytes, size: int = 7_000) -> bytes:
    """Several streams, cut in the middle of lines, as parallel packers write."""
    return b"".join(bz2.compress(data[at : at + size]) for at in range(0, len(data), size))


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "bzip2-streams": split_bz2,
    "gzip-members": lambda data: gzip.compress(data[:9_999]) + gzip.compress(data[9_999:]),
}


def built(tmp_path: Path, data: bytes) -> tuple[Progress, Gazetteer]:
    (tmp_path / "dump").write_bytes(data)
    progress = build(tmp_path / "dump", tmp_path / "out")
    return progress, Gazetteer.open(tmp_path / "out")


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_a_dump_is_read_in_any_packing(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    progress, gazetteer = built(tmp_path, pack(SAMPLE.read_bytes()))

    assert (progress.people, progress.fictional, progress.corrupt) == (30, 6, 0)
    assert len(gazetteer) == 36
    assert sorted(tmp_path.iterdir()) == [tmp_path / "dump", tmp_path / "out"]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_reading_goes_on_from_every_line(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "dump"
    path.write_bytes(pack(SAMPLE.read_bytes()))
    whole = list(DumpLines(path))

    for stop in (1, 2, 13, 30, len(whole) - 1):
        first = DumpLines(path)
        head = list(islice(iter(first), stop))
        assert head + list(DumpLines(path, first.position)) == whole


def test_a_resumed_stream_is_not_read_from_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(split_bz2(SAMPLE.read_bytes()))
    lines = DumpLines(path)
    list(islice(iter(lines), 40))

    assert lines.position.offset > 0
    assert lines.position.skip < 14_000


def test_an_interrupted_build_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dump, out = tmp_path / "dump", tmp_path / "out"
    dump.write_bytes(split_bz2(SAMPLE.read_bytes()))
    monkeypatch.setattr(gazetteer_build, "CHECKPOINT_LINES", 5)
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if progress.lines >= 35:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(dump, out, watch=stop)
    spool = tmp_path / "out.part"
    assert spool.stat().st_mode & 0o777 == 0o600
    state = json.loads((tmp_path / "out.part.json").read_text())
    assert state["progress"]["lines"] == 30
    spool.write_bytes(spool.read_bytes() + b'{"half a line')

    progress = build(dump, out)

    assert (progress.lines, progress.people, progress.fictional) == (54, 30, 6)
    assert len(Gazetteer.open(out)) == 36
    assert not spool.exists()


def test_what_was_read_of_another_dump_is_not_used(tmp_path: Path) -> None:
    dump, out = tmp_path / "dump", tmp_path / "out"
    dump.write_bytes(SAMPLE.read_bytes())

    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(dump, out, watch=stop)
    dump.write_bytes(dump_of(person(1, "Zefrin Oulde")))

    assert build(dump, out).people == 1
    assert len(Gazetteer.open(out)) == 1


def test_broken_lines_are_counted_and_passed_by(tmp_path: Path) -> None:
    progress, gazetteer = built(
        tmp_path,
        dump_of(
            person(1, "Zefrin Oulde"),
            b'{"id":"Q2","claims":{"P31":[{"Q5"',
            b'{"id":"Q5"}',
            b'{"id":"x","labels":{},"claims":{"P31":[{"mainsnak":{"datavalue":{"value":{"id":"Q5"}}}}]}}',
            b"not json at all",
            b"\xff\xfe",
            b'{"a":' * 50_000 + b'"Q5"',
            {"id": "Q3", "claims": []},
            person(4, "Nimra Vance"),
        ),
    )

    assert progress.people == 2
    assert progress.corrupt == 6
    assert len(gazetteer) == 2


def test_a_line_without_end_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    with path.open("wb") as file:
        file.write(b'{"first": 1}\n')
        file.truncate(MOST_LINE + (1 << 20))
        file.seek(0, os.SEEK_END)
        file.write(b"\nlast\n")

    assert list(DumpLines(path)) == [b'{"first": 1}', None, b"last"]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress], ids=["gzip", "bzip2"])
def test_a_dump_that_is_cut_off_gives_what_it_has(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    lines = [json.dumps(person(n, f"Zefrin Oulde{chr(97 + n % 26)}{n}")) for n in range(12_000)]
    data = pack("\n".join(lines).encode())
    progress, gazetteer = built(tmp_path, data[: len(data) * 2 // 3])

    assert progress.damage == "it ends in the middle"
    assert 0 < len(gazetteer) < 12_000


def test_damage_in_the_middle_is_told(tmp_path: Path) -> None:
    data = bytearray(split_bz2(SAMPLE.read_bytes()))
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    progress, gazetteer = built(tmp_path, bytes(data))

    assert progress.damage is not None
    assert "damaged at byte" in progress.damage
    assert 0 < len(gazetteer) < 36


@pytest.mark.parametrize("data", [b"", b"[\n]\n", b"hello\nworld\n", b"\x1f\x8b" + bytes(50)])
def test_what_is_no_dump_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(GazetteerError, match="no entity"):
        built(tmp_path, data)
    assert [path.name for path in tmp_path.iterdir()] == ["dump"]


def test_a_missing_dump_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GazetteerError, match="No such file"):
        build(tmp_path / "none", tmp_path / "out")


def test_a_new_build_keeps_what_was_changed_by_hand(tmp_path: Path) -> None:
    dump, out = tmp_path / "dump", tmp_path / "out"
    dump.write_bytes(SAMPLE.read_bytes())
    build(dump, out)
    add_people(out, ["Zefrin Oulde"])
    remove_people(out, "Velora Quintane")

    build(dump, out)

    found = Gazetteer.open(out).find(["Zefrin Oulde", "Velora Quintane", "Tamsin Orrelby"])
    assert [sighting.people[0].id for sighting in found] == ["added-1", "Q900000102"]
    assert add_people(out, ["Another Protecta"]) == ["added-2"]


def test_people_with_few_articles_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(SAMPLE.read_bytes())
    build(tmp_path / "dump", tmp_path / "out", min_links=9)

    assert len(Gazetteer.open(tmp_path / "out")) == 7


def test_everything_about_a_person_is_taken() -> None:
    entity = person(
        12,
        "Zefrin Oulde (singer)",
        P21=[claim({"id": "Q1052281"})],
        P27=[claim({"numeric-id": 30}), claim({"id": "Q1"}), claim({"id": "Q2"})],
        P106=[
            claim({"id": "Q7"}, "deprecated"),
            claim({"id": "Q8"}),
            claim({"id": "Q9"}, "preferred"),
        ],
        P569=[{"mainsnak": {"snaktype": "somevalue"}}, claim({"time": "+1950-00-00T00:00:00Z"})],
        P570=[claim({"time": "-0044-03-15T00:00:00Z"})],
        P742=[claim("Zefrinelle")],
        P1559=[claim({"text": "Зефрин", "language": "ru"})],
    )
    entity["aliases"] = {"de": [{"value": "Z. Oulde"}], "xx": [{"value": "not taken"}]}
    found = extracted(entity)

    assert found is not None
    assert found["names"] == ["Zefrin Oulde", "Зефрин", "Zefrinelle", "Z. Oulde"]
    assert (found["gender"], found["born"], found["died"]) == ("woman", 1950, -44)
    assert found["dead"]
    assert found["countries"] == ["Q30", "Q1"]
    assert found["occupations"] == ["Q9", "Q8"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["P21", "P27", "P569", "P570", "P742", "P1559"]), JSON))
def test_strange_entities_are_corrupt_at_worst(claims: dict[str, Any]) -> None:
    entity = person(1, "Zefrin Oulde", **claims)
    progress = Progress()
    with (Path(os.devnull)).open("wb") as spool:
        gazetteer_build._read_line(json.dumps(entity).encode() + b' "Q5"', spool, progress)
        gazetteer_build._read_line(json.dumps(entity).encode(), spool, progress)

    assert progress.corrupt + progress.people == 2


def test_positions_begin_at_the_beginning() -> None:
    assert Position() == (0, 0)
