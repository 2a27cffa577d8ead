"""Files of records: listings and texts, one item a record, whatever happens to the file."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
import tracemalloc
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from egide import record_file
from egide.errors import (
    CorruptItem,
    TooManyBytes,
    TruncatedItem,
    UnknownRecord,
)
from egide.item import Item
from egide.record import outline_of, shape_of
from egide.record_csv import csv_records
from egide.record_file import _Document, parsed, raw_records
from egide.sniff import Kind
from egide.source import count_files, expand

MODEL = {"id": 7, "name": "Meadow", "type": "LORA", "tags": ["style"], "modelVersions": []}
VERSION = {"id": 71, "modelId": 7, "name": "v1", "baseModel": "SDXL 1.0", "files": []}
BARE = {"id": 8, "name": "Rain", "type": "TextualInversion", "nsfw": False, "creator": {}}
HUB = {"id": "ada/meadow", "tags": ["lora"], "downloads": 3, "siblings": []}
TEXT = {"id": "p1", "text": "a lake at dawn", "context": "prompt", "price": 5, "with_photo": True}
CARD = b"---\ntags:\n- lora\nbase_model: stabilityai/sdxl\n---\n# Meadow\n"


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def dump(*records: object, indent: int | None = None) -> bytes:
    return b"".join(json.dumps(record, indent=indent).encode() + b"\n" for record in records)


def items(data: bytes, name: str = "dump.jsonl") -> list[Item]:
    Path(name).write_bytes(data)
    return list(expand([name]))


def told(found: list[Item]) -> list[tuple[str, str]]:
    return [(item.ref, item.problem.code if item.problem else item.kind) for item in found]


# ── what is a record ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("record", "kind", "ref"),
    [
        (MODEL, Kind.LISTING, "7"),
        (VERSION, Kind.LISTING, "71"),
        (BARE, Kind.LISTING, "8"),
        (HUB, Kind.LISTING, "ada/meadow"),
        ({"modelId": "ada/rain", "pipeline_tag": "x", "likes": 1}, Kind.LISTING, "ada/rain"),
        (TEXT, Kind.TEXT, "p1"),
        ({"text": "a lake"}, Kind.TEXT, "1"),
    ],
)
def test_a_record_is_told_by_its_fields(record: object, kind: Kind, ref: str) -> None:
    data = dump(record)
    (item,) = items(data)
    assert (item.ref, item.kind, item.problem) == (f"dump.jsonl#{ref}", kind, None)
    assert item.content == data.rstrip()
    assert item.sha256 == sha256(data.rstrip()).hexdigest()


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}\n',
        b'{"type": "FeatureCollection", "features": []}',
        b"[1, 2, 3]",
        b"[]",
        b"{}",
        b"[[[[",
        b'{"id": "x", "name": "package"}\n{"id": "y"}\n',
        b'{"items": [1, 2]}',
        b"{not json",
        b"[section]\nkey=1\n",
        b'{"prompt": "p", "activation text": "meadow"}',
    ],
)
def test_json_of_any_other_shape_is_a_text_as_before(data: bytes) -> None:
    assert told(items(data, "some.json")) == [("some.json", "text")]


def test_a_text_has_its_fields_as_attributes() -> None:
    (item,) = items(dump(TEXT | {"tags": ["a", "b"], "nested": {"x": 1}, "none": None}))
    assert item.attributes == {
        "context": "prompt",
        "price": "5",
        "with_photo": "true",
        "tags": "a, b",
    }
    assert item.text(1000) == "a lake at dawn"


def test_a_plain_text_is_its_own_text() -> None:
    (item,) = items("words, été".encode(), "a.txt")
    assert (item.kind, item.text(100)) == (Kind.TEXT, "words, été")


def test_the_items_made_of_bytes_are_told_alike() -> None:
    assert Item.from_bytes(dump(MODEL)).kind is Kind.LISTING
    text = Item.from_bytes(dump(TEXT), attributes={"context": "bounty"})
    assert (text.kind, text.attributes["context"], text.attributes["price"]) == (
        "text",
        "bounty",
        "5",
    )
    assert Item.from_bytes(b'{"a": 1}').kind is Kind.TEXT


@pytest.mark.parametrize("value", [MODEL, BARE, HUB, VERSION, TEXT, {"items": [MODEL]}, {"a": 1}])
@pytest.mark.parametrize("field", ["modelId", "id", "type", "text", "tags", "model", "items"])
@pytest.mark.parametrize("held", ["a/b", "", "LORA", 7, 0, True, None, [1], {"a": 1}])
def test_the_outline_of_a_record_tells_its_shape(
    value: dict[str, object], field: str, held: object
) -> None:
    for record in (value, value | {field: held}):
        data = json.dumps(record).encode()
        assert shape_of(outline_of(data)) is shape_of(record)


@pytest.mark.parametrize("data", [b"[]", b"{", b'"a"', b'{"a":' * 100_000])
def test_what_is_no_object_has_no_outline(data: bytes) -> None:
    with pytest.raises(CorruptItem):
        outline_of(data)


@pytest.mark.parametrize("data", [CARD, b"\xef\xbb\xbf" + CARD, CARD.replace(b"\n", b"\r\n")])
def test_a_model_card_is_a_listing(data: bytes) -> None:
    assert told(items(data, "README.md")) == [("README.md", "listing")]


@pytest.mark.parametrize(
    "data",
    [b"---\ntitle: Post\ntags: [a]\n---\nwords", b"# Title\nbase_model: x", b"---\n---\nwidget: 1"],
)
def test_other_front_matter_is_a_text(data: bytes) -> None:
    assert told(items(data, "README.md")) == [("README.md", "text")]


# ── files, in every form ────────────────────────────────────────────────────────────────────────


def test_records_of_all_shapes_may_be_mixed_and_keep_their_order() -> None:
    page = {"items": [MODEL, BARE], "metadata": {"nextCursor": "x"}}
    found = items(dump(TEXT, page, HUB, [VERSION]) + b"\n\n" + dump({"text": "x"}))
    assert told(found) == [
        ("dump.jsonl#p1", "text"),
        ("dump.jsonl#7", "listing"),
        ("dump.jsonl#8", "listing"),
        ("dump.jsonl#ada/meadow", "listing"),
        ("dump.jsonl#71", "listing"),
        ("dump.jsonl#7", "text"),
    ]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "document",
    [
        {"items": [MODEL, HUB, TEXT], "metadata": {}},
        {"metadata": {"items": 3}, "note": "items", "items": [MODEL, HUB, TEXT]},
        [MODEL, HUB, TEXT],
    ],
)
def test_pages_and_lists_give_their_elements(document: object, indent: int | None) -> None:
    assert [ref for ref, _ in told(items(dump(document, indent=indent)))] == [
        "dump.jsonl#7",
        "dump.jsonl#ada/meadow",
        "dump.jsonl#p1",
    ]


def test_one_listing_written_over_many_lines_is_one_item_of_the_same_bytes() -> None:
    data = json.dumps(VERSION, indent=4).encode()
    (item,) = items(data, "meadow.civitai.info")
    assert (item.ref, item.content) == ("meadow.civitai.info#71", data)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_compressed_files_are_read_as_they_are(pack: Any) -> None:
    data = dump(MODEL) + dump(TEXT)
    assert told(items(pack(data), "upload.bin")) == told(items(data, "upload.bin"))
    twice = items(pack(dump(MODEL)) + pack(dump(TEXT)), "upload.bin")
    assert told(twice) == told(items(data, "upload.bin"))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("inside", [b"\x89PNG\r\n\x1a\n", b"words", b"", b'{"a": 1}'])
def test_a_compressed_file_of_anything_else_is_left_as_it_was(pack: Any, inside: bytes) -> None:
    assert told(items(pack(inside), "x.gz")) == [("x.gz", "other")]


@pytest.mark.parametrize("name", ["t.csv", "T.TSV", "t.csv.gz"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_rows_of_a_table_are_records(name: str, delimiter: str) -> None:
    rows = [["id", "text", "context"], ["p1", '"a ""lake""\nat dawn"', "ad"], ["", "b", "chat"]]
    data = "\ufeff" + "".join(delimiter.join(row) + "\r\n" for row in rows)
    raw = data.encode()
    found = items(gzip.compress(raw) if name.endswith("gz") else raw, name)
    assert [(item.ref, item.text(99)) for item in found] == [
        (f"{name}#p1", 'a "lake"\nat dawn'),
        (f"{name}#4", "b"),
    ]
    assert found[0].attributes == {"context": "ad"}


def test_cells_of_json_are_taken_as_such() -> None:
    data = b'id,name,type,modelVersions\n7,Meadow,LORA,"[{""id"": 71}]"\n'
    (item,) = items(data, "models.csv")
    assert item.kind is Kind.LISTING
    assert json.loads(item.read(1000))["modelVersions"] == [{"id": 71}]


@pytest.mark.parametrize("text", ['["undress"]', '{"prompt": "undress"}', '[{"text": "undress"}]'])
def test_a_cell_of_text_stays_what_was_written(text: str) -> None:
    cell = '"' + text.replace('"', '""') + '"'
    data = f"id,text,title,tags\n{cell},{cell},{cell},{cell}\n"
    (item,) = items(data.encode(), "t.csv")
    assert (item.kind, item.text(999), item.attributes["title"]) == (Kind.TEXT, text, text)
    assert item.ref == f"t.csv#{text}"
    assert isinstance(json.loads(item.read(999))["tags"], (dict, list))


@pytest.mark.parametrize("first", [b'{"text": "a"}\n', b'{"id": 3, "na\n{"text": "a"}\n'])
def test_blank_lines_before_the_first_record_count(first: bytes) -> None:
    assert items(b"\n \n\n" + first)[0].ref == "dump.jsonl#4"
    assert items(b"\xef\xbb\xbf\n" + first)[-1].ref == f"dump.jsonl#{1 + first.count(10)}"


def test_other_tables_are_texts() -> None:
    assert told(items(b"a,b\n1,2\n", "t.csv")) == [("t.csv", "text")]
    assert told(items(b"id,text\n1,x\n", "t.txt")) == [("t.txt", "text")]


def test_records_lie_in_folders_beside_other_files() -> None:
    Path("d").mkdir()
    Path("d/a.jsonl").write_bytes(dump(MODEL, HUB))
    Path("d/b.json").write_bytes(b'{"a": 1}')
    Path("d/c.txt").write_bytes(b"words")
    assert told(list(expand(["d"]))) == [
        ("d/a.jsonl#7", "listing"),
        ("d/a.jsonl#ada/meadow", "listing"),
        ("d/b.json", "text"),
        ("d/c.txt", "text"),
    ]


# ── standard input ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
@pytest.mark.parametrize("data", [dump(MODEL, TEXT), dump([MODEL, TEXT], indent=1)])
def test_records_may_come_on_standard_input(pack: Any, data: bytes) -> None:
    found = list(expand(["-"], io.BytesIO(pack(data))))
    assert told(found) == [("-#7", "listing"), ("-#p1", "text")]


def test_a_path_that_begins_with_a_brace_is_a_path() -> None:
    Path("{a}.txt").write_text("words")
    assert told(list(expand(["-"], io.BytesIO(b"{a}.txt\n")))) == [("{a}.txt", "text")]


def test_each_record_is_given_as_soon_as_its_line_is_whole() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stdin, os.fdopen(writing, "wb", buffering=0) as out:
        found = expand(["-"], stdin)
        got: list[Item] = []
        out.write(dump(MODEL) + b'{"id"')
        thread = threading.Thread(target=lambda: got.append(next(found)))
        thread.start()
        thread.join(5)
        assert [item.ref for item in got] == ["-#7"]
        out.write(b': "p2", "text": ""}')
        out.close()
        assert [item.ref for item in found] == ["-#p2"]


# ── damage ──────────────────────────────────────────────────────────────────────────────────────


def test_what_cannot_be_read_is_named_and_the_rest_is_read() -> None:
    found = items(dump(MODEL) + b'{"id": 3, "na\n' + dump({"a": 1}, [1], HUB))
    assert told(found) == [
        ("dump.jsonl#7", "listing"),
        ("dump.jsonl#2", "corrupt"),
        ("dump.jsonl#3", "unknown-record"),
        ("dump.jsonl#4", "unknown-record"),
        ("dump.jsonl#ada/meadow", "listing"),
    ]
    assert "#" not in str(found[1].problem)


def test_a_damaged_first_line_hides_nothing() -> None:
    assert told(items(b'{"id": 3, "na\n' + dump(MODEL))) == [
        ("dump.jsonl#1", "corrupt"),
        ("dump.jsonl#7", "listing"),
    ]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("document", [{"items": [MODEL, HUB, TEXT]}, [MODEL, HUB, TEXT]])
def test_a_page_cut_anywhere_gives_the_whole_records_before_the_cut(
    document: object, indent: int | None
) -> None:
    data = dump(document, indent=indent).rstrip()
    ends = [data.index(b'"ada/meadow"'), data.index(b'"p1"')]
    for cut in range(ends[0], len(data)):
        found = items(data[:cut])
        whole = [item.ref for item in found if item.problem is None]
        assert whole[:1] == ["dump.jsonl#7"]
        assert len(whole) >= (2 if cut > ends[1] else 1)
        assert isinstance(found[-1].problem, TruncatedItem)
        assert found[-1].ref == f"dump.jsonl#{len(whole) + 1}"


def test_a_cut_page_in_a_line_of_its_own_gives_its_records_too() -> None:
    page = dump({"items": [MODEL, HUB]})
    assert told(items(page[:-30] + b"\n" + dump(TEXT))) == [
        ("dump.jsonl#7", "listing"),
        ("dump.jsonl#1", "truncated"),
        ("dump.jsonl#p1", "text"),
    ]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_compressed_file_cut_short_says_so(pack: Any) -> None:
    rows = [{"id": n, "text": sha256(str(n).encode()).hexdigest()} for n in range(9_000)]
    data = pack(dump(*rows))
    found = items(data[: len(data) // 2])
    assert isinstance(found[-1].problem, TruncatedItem)
    assert sum(item.problem is None for item in found) > 2_000


@pytest.mark.parametrize(
    "pack", [gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress]
)
def test_a_damaged_compressed_file_says_so(pack: Any) -> None:
    rows = [{"id": n, "text": sha256(str(n).encode()).hexdigest()} for n in range(9_000)]
    data = bytearray(pack(dump(*rows)))
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    found = items(bytes(data))
    assert isinstance(found[-1].problem, (CorruptItem, TruncatedItem))
    assert sum(item.problem is None for item in found) > 1_000


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_bomb_is_not_read_to_its_end(pack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("egide.inflate.FREE_BYTES", 1 << 20)
    found = items(pack(dump(TEXT) * 100_000))
    assert isinstance(found[-1].problem, TooManyBytes)
    assert 8 < len(found) < 90_000


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    (item,) = items(b'{"id": 1, "text": "caf\xe9 \\ud800", "context": "\xff"}\n')
    assert (item.text(99), item.attributes) == ("caf\ufffd ?", {"context": "\ufffd"})


def test_a_line_that_is_too_long_is_one_unreadable_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("egide.record_file.MAX_RECORD_BYTES", 1 << 20)
    long = dump(TEXT | {"text": "x" * (3 << 20)})
    for data in (dump(MODEL) + long + dump(HUB), b"[" + b",".join([dump(MODEL), long, dump(HUB)])):
        found = items(data + b"]" * data.startswith(b"["))
        assert told(found) == [
            ("dump.jsonl#7", "listing"),
            ("dump.jsonl#2", "too-many-bytes"),
            ("dump.jsonl#ada/meadow", "listing"),
        ]
        assert found[1].sha256 is None


def test_a_first_line_that_is_too_long_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("egide.record_file.MAX_RECORD_BYTES", 1 << 20)
    page = dump(
        {"items": [MODEL, TEXT | {"text": "x" * 900_000}, HUB, TEXT | {"text": "y" * 900_000}]}
    )
    assert len(page) > 1 << 20
    assert [kind for _, kind in told(items(page))] == ["listing", "text", "listing", "text"]
    long = dump(TEXT | {"text": "x" * (3 << 20)})
    assert [kind for _, kind in told(items(long + dump(MODEL)))] == ["too-many-bytes", "listing"]


def test_a_record_of_too_many_parts_or_too_deep_is_not_parsed() -> None:
    many = b'{"text": "", "x": [' + b"[]," * (1 << 20) + b"[]]}"
    deep = b'{"text": "", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert told(items(dump(TEXT) + many + b"\n" + deep + b"\n")) == [
        ("dump.jsonl#p1", "text"),
        ("dump.jsonl#2", "too-many-bytes"),
        ("dump.jsonl#3", "corrupt"),
    ]


def test_ids_may_repeat_and_long_ones_are_cut() -> None:
    found = items(dump(MODEL, MODEL, TEXT | {"id": "x" * 100_000}))
    assert [len(item.ref) for item in found] == [12, 12, 211]


def test_a_file_that_goes_away_is_an_item_with_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.jsonl").write_bytes(dump(MODEL))
    found = expand(["a.jsonl"])

    def gone(_: Item) -> bool:
        Path("a.jsonl").unlink()
        return True

    monkeypatch.setattr("egide.source.may_hold_records", gone)
    assert told(list(found)) == [("a.jsonl", "unreadable")]


# ── memory and counting ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("as_list", [False, True])
def test_memory_does_not_grow_with_the_file(as_list: bool) -> None:
    line = dump(TEXT | {"text": "x" * 1000})
    data = b"[" + (line + b",") * 5_000 + line + b"]" if as_list else line * 5_001
    Path("big.jsonl").write_bytes(data)
    del data
    tracemalloc.start()
    try:
        number = sum(1 for _ in expand(["big.jsonl"]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert number == 5_001
    assert peak < 4_000_000


def test_a_file_of_records_is_not_counted() -> None:
    Path("a.jsonl").write_bytes(dump(MODEL))
    Path("a.txt").write_text("words")
    assert count_files(["a.jsonl"]) is None
    assert count_files(["a.txt"]) == 1


# ── whatever comes ──────────────────────────────────────────────────────────────────────────────

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 1]), st.integers(8, 64), st.booleans())
def test_a_list_is_cut_where_json_cuts_it(
    values: list[Any], indent: int | None, chunk: int, as_page: bool
) -> None:
    document = {"metadata": {"x": '"}]'}, "items": values} if as_page else values
    data = json.dumps(document, indent=indent, ensure_ascii=False).encode("utf-8", "replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_file, "CHUNK", chunk)
        raws = list(_Document(io.BytesIO(data)))
    assert [raw.problem for raw in raws] == [None] * len(values)
    assert [json.loads(raw.data) for raw in raws] == values


@given(st.text(alphabet='{}[]",:\\ \n1ax', max_size=40), st.integers(1, 8))
def test_any_bytes_come_to_an_end(text: str, chunk: int) -> None:
    data = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_file, "CHUNK", chunk)
        for take_apart in (raw_records, csv_records):
            for raw in take_apart(io.BytesIO(data)):
                for record in parsed(raw):
                    assert (record.value is None) or record.problem is None


def test_the_shapes_known_are_those_documented() -> None:
    assert isinstance(items(dump(MODEL, {"x": 1}))[1].problem, UnknownRecord)


# ── as people export them ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "header", ["ID,Text,Context", "id, text, context", "\ufeffid,text,context"]
)
def test_columns_are_known_however_they_are_written(header: str) -> None:
    rows = "".join(f"r{n},,\n" for n in range(30))  # which say nothing
    found = items(f"{header}\n{rows}p1,a lake at dawn,prompt\n".encode(), "t.csv")

    assert told(found)[-1] == ("t.csv#p1", "text")
    assert len(found) == 31
    assert found[-1].text(1 << 16) == "a lake at dawn"
    assert found[-1].attributes["context"] == "prompt"


def test_a_cell_more_than_there_are_columns_is_no_text_cut_short() -> None:
    data = b"id,text\np1,a lake, at dawn\np2,a tree\np3,rain,\n"
    (cut, whole, empty) = items(data, "t.csv")

    assert isinstance(cut.problem, CorruptItem)
    assert "more cells" in str(cut.problem)
    assert (whole.ref, whole.text(1 << 16)) == ("t.csv#p2", "a tree")
    assert empty.text(1 << 16) == "rain"


def test_a_quote_without_an_end_is_told() -> None:
    rows = b"".join(b"r%d,a tree\n" % number for number in range(200))
    found = items(b'id,text\np1,rain\np2,"a lake\n' + rows, "t.csv")

    assert told(found)[0] == ("t.csv#p1", "text")
    assert isinstance(found[-1].problem, CorruptItem)


@pytest.mark.parametrize("mark", [b",", b";", b"\t"])
def test_the_rest_of_a_line_that_is_too_long_is_no_row(
    monkeypatch: pytest.MonkeyPatch, mark: bytes
) -> None:
    monkeypatch.setattr("egide.record_csv.MAX_RECORD_BYTES", 1000)
    rows = (b"id,text", b"p1," + b"a lake " * 1000, b"p2,a tree", b"")
    found = items(b"\n".join(rows).replace(b",", mark), "t.csv")

    assert [item.ref for item in found if item.problem is None] == ["t.csv#p2"]
    assert len(found) == 2


def test_tables_of_spreadsheets_that_write_no_utf8_are_read() -> None:
    found = items("id,text\np1,l'été à la forêt\n".encode("cp1252"), "t.csv")

    assert [item.text(1 << 16) for item in found] == ["l'été à la forêt"]


def test_records_may_come_late() -> None:
    other = dump(*({"event": number} for number in range(300)))
    found = items(other + dump(TEXT))

    assert len(found) == 301
    assert told(found)[-1] == ("dump.jsonl#p1", "text")


def test_a_list_on_one_line_has_places() -> None:
    same = {"text": "a lake at dawn"}
    for indent in (None, 1):
        found = items(json.dumps([same, same, same], indent=indent).encode())
        assert [item.ref for item in found] == [f"dump.jsonl#{n}" for n in (1, 2, 3)]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", ["results", "data"])
def test_answers_of_stores_and_libraries_are_pages(name: str, indent: int | None) -> None:
    found = items(dump({"resultCount": 2, name: [TEXT, {**TEXT, "id": "p2"}]}, indent=indent))
    assert told(found) == [("dump.jsonl#p1", "text"), ("dump.jsonl#p2", "text")]

    (item,) = items(dump({**TEXT, name: [{"text": "a tree"}]}, indent=indent))
    assert told([item]) == [("dump.jsonl#p1", "text")]
