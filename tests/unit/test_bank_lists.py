"""Fingerprint lists: what is read, what is refused and how, what is written."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.bank import Draft, Entry, Home
from egide.bank.lists import MAX_LINE, ListFormat, read_list, write_list
from egide.errors import ImportFormatError
from egide.fingerprint import FINGERPRINT_BYTES, Fingerprint, FingerprintType
from egide.match import EntryState
from tests.conftest import answers, pdq, sha256
from tests.growth import in_proportion

ONE, TWO = pdq(1), pdq(2)
LINE: dict[str, Any] = {
    "schema": "egide.bank/1",
    "entry": "0123abcd-7",
    "state": "active",
    "label": None,
    "ref": None,
    "fingerprints": [{"type": "pdq", "hash": ONE.hex, "quality": 80, "edit": "none"}],
}


def read(text: str | bytes) -> tuple[list[Draft], list[str]]:
    """The drafts and the complaints of a list, decoded as `bank import` decodes it."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    lines = io.TextIOWrapper(io.BytesIO(data), "utf-8", "replace")
    parsed = list(read_list(lines, "x.csv"))
    drafts = [draft for draft in parsed if isinstance(draft, Draft)]
    return drafts, [str(error) for error in parsed if isinstance(error, ImportFormatError)]


def only(text: str | bytes) -> Draft:
    drafts, complaints = read(text)
    assert complaints == []
    (draft,) = drafts
    return draft


def with_(**changes: Any) -> str:
    """A good JSON line with other values; `None` stays, a missing key is given as `...`."""
    document = LINE | changes
    return json.dumps({key: value for key, value in document.items() if value is not ...})


# ── columns ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "type,hash,label,ref\npdq,{h},word,case 1\n",
        "type;hash;label;ref\npdq;{h};word;case 1\n",
        "type\thash\tlabel\tref\npdq\t{h}\tword\tcase 1\n",
        "\ufefftype,hash,label,ref\npdq,{h},word,case 1\n",
        "TYPE,Hash,LABEL,Ref\r\nPDQ,{H},word,case 1\r\n",
        'ref,label,hash,type\r\n"case 1","word","{h}","pdq"',
        " type , hash , label , ref \n pdq , {h} , word , case 1 \n",
        "more,type,hash,ref,label,other\nx,pdq,{h},case 1,word,y,z\n",
        "type,hash,label,ref\rpdq,{h},word,case 1\r",
        "\n\n# a remark\ntype,hash,label,ref\n\n# another\npdq,{h},word,case 1\n\n",
        "signal_type,signal_str,ref,label\npdq,{h},case 1,word\n",
    ],
)
def test_reads_columns_however_they_are_written(text: str) -> None:
    draft = only(text.replace("{h}", ONE.hex).replace("{H}", ONE.hex.upper()))
    assert draft == Draft((ONE,), "word", "case 1")


def test_a_cell_may_hold_the_delimiter_in_quotes() -> None:
    text = f'type,hash,label,ref\npdq,{ONE.hex},"a, ""b""",c\n'
    assert only(text).label == 'a, "b"'


def test_empty_and_missing_cells_are_no_text() -> None:
    drafts, _ = read(f"type,hash,label,ref\npdq,{ONE.hex}\npdq,{TWO.hex},,\n")
    assert drafts == [Draft((ONE,)), Draft((TWO,))]


@pytest.mark.parametrize("type_", list(FingerprintType))
def test_reads_every_type(type_: FingerprintType) -> None:
    records = {
        FingerprintType.LOCAL: "01000c00" + "0a" * (12 + 12 * 20),
        FingerprintType.SSCD: "01000c00" + "0a" * (12 + 12),
    }
    digits = records.get(type_) or "0a" * FINGERPRINT_BYTES[type_]
    assert only(f"type,hash\n{type_},{digits}\n") == Draft((Fingerprint.from_hex(type_, digits),))
    assert only(f"{type_} {digits}\n") == Draft((Fingerprint.from_hex(type_, digits),))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("pdq", "1 columns"),
        (f"pdqq,{TWO.hex}", "fingerprints of type 'pdqq' are not held"),
        (f",{TWO.hex}", "not held"),
        ("pdq,", "32 bytes, not 0"),
        (f"pdq,{TWO.hex[:-2]}", "32 bytes, not 31"),
        (f"pdq,{TWO.hex[:-1]}", "hexadecimal"),
        (f"pdq,{TWO.hex}00", "32 bytes, not 33"),
        (f"md5,{TWO.hex}", "16 bytes, not 32"),
        (f"pdq,{TWO.hex[:-1]}g", "hexadecimal"),
        (f"pdq,0x{TWO.hex}", "hexadecimal"),
        (f"pdq,{TWO.hex[:-1]}\0", "hexadecimal"),
        (f"pdq\0,{TWO.hex}", "not held"),
        (f'"pdq,{TWO.hex}', "left out"),
        (f'"pdq"x,{TWO.hex}', "left out"),
        ("pdq," + "０" * 64, "hexadecimal"),
        ("x" * (65 << 20), "longer than"),
        ("pdq," + "0" * (1 << 19), "left out"),
        (f"{TWO.hex},pdq", "this type are not held"),
    ],
)
def test_bad_lines_are_named_and_the_good_ones_kept(line: str, reason: str) -> None:
    drafts, complaints = read(f"type,hash\npdq,{ONE.hex}\n{line}\npdq,{ONE.hex}\n")
    assert drafts == [Draft((ONE,))] * 2
    (complaint,) = complaints
    assert "x.csv, line 3" in complaint
    assert reason in complaint
    assert len(complaint) < 200
    assert TWO.hex[:8] not in complaint


def test_bytes_that_are_no_text_cost_their_line_only() -> None:
    data = f"type,hash,label\npdq,{ONE.hex},".encode() + b"\xff\xfe\n\xff\xff\npdq,"
    drafts, complaints = read(data + TWO.hex.encode() + b"\n")
    assert [draft.fingerprints[0] for draft in drafts] == [ONE, TWO]
    assert drafts[0].label == "\ufffd\ufffd"
    assert ["line 3" in complaint for complaint in complaints] == [True]


# ── pairs ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "pdq {h}\n",
        "PDQ {h}",
        "\ufeffpdq {h}\r\n",
        "pdq\t{h}\n",
        "  pdq   {h}  \n",
        "pdq {h} 'Sample Data' TRUE_POSITIVE tag\n",
    ],
)
def test_reads_the_lines_of_threatexchange(text: str) -> None:
    assert only(text.replace("{h}", ONE.hex)) == Draft((ONE,))


def test_a_bad_first_pair_costs_only_itself() -> None:
    drafts, complaints = read(f"pdq zz\npdq\nurl http://x\npdq {ONE.hex}\n")
    assert drafts == [Draft((ONE,))]
    assert [complaint.split(":")[0] for complaint in complaints] == [
        "The fingerprint list cannot be read"
    ] * 3


# ── our own lines ───────────────────────────────────────────────────────────────────────────────


def test_reads_what_was_exported() -> None:
    draft = only(with_(state="disputed", label="é", ref="case"))
    assert draft == Draft(
        (Fingerprint(ONE.type, ONE.value, 80),), "é", "case", "0123abcd-7", EntryState.DISPUTED
    )
    # A fingerprint's type, value, quality and edit all come back.
    assert draft.fingerprints[0].quality == 80


WRONG: list[Any] = [0, 1.5, True, [], {}, "", "x", -1, 10**30, float("nan"), float("inf"), ["pdq"]]


@pytest.mark.parametrize("value", [None, ..., *WRONG], ids=repr)
@pytest.mark.parametrize("key", ["schema", "entry", "state", "fingerprints"])
def test_a_wrong_value_of_any_kind_costs_its_line(key: str, value: Any) -> None:
    drafts, complaints = read(with_() + "\n" + with_(**{key: value}) + "\n" + with_())
    assert len(drafts) == 2
    assert ["line 2" in complaint for complaint in complaints] == [True]
    assert "\n" not in complaints[0]


@pytest.mark.parametrize("value", [0, True, [], {}, 1.5, ["pdq"]], ids=repr)
@pytest.mark.parametrize("key", ["label", "ref"])
def test_a_label_or_reference_that_is_no_text_costs_its_line(key: str, value: Any) -> None:
    drafts, complaints = read(with_() + "\n" + with_(**{key: value}))
    assert len(drafts) == len(complaints) == 1
    assert f"{key} is no text" in complaints[0]


@pytest.mark.parametrize(
    "changes",
    [
        *({key: value} for key in ("type", "hash") for value in [None, *WRONG]),
        *({"quality": value} for value in [None, "80", 101, *WRONG[1:]]),
        *({"edit": value} for value in [None, "mirror", *WRONG]),
    ],
    ids=repr,
)
def test_a_wrong_fingerprint_costs_its_line(changes: dict[str, Any]) -> None:
    wrong = LINE["fingerprints"][0] | changes
    drafts, complaints = read(with_() + "\n" + with_(fingerprints=[wrong]) + "\n" + with_())
    assert len(drafts) == 2
    assert ["line 2" in complaint for complaint in complaints] == [True]
    assert ONE.hex[:8] not in complaints[0]


@pytest.mark.parametrize(
    "line", ["{", "[]", "null", "1", '"x"', "[" * 100_000, "{}", "\0", "9" * 9999]
)
def test_lines_that_are_no_json_object_cost_themselves(line: str) -> None:
    drafts, complaints = read(f"{with_()}\n{line}\n{with_()}\n")
    assert len(drafts) == 2
    assert ["line 2" in complaint for complaint in complaints] == [True]


def test_a_tombstone_brings_neither_fingerprints_nor_text() -> None:
    draft = only(with_(state="withdrawn", label="word", ref="case"))
    assert draft == Draft((), origin="0123abcd-7", state=EntryState.WITHDRAWN)


def test_half_a_surrogate_pair_in_a_label_can_be_stored(home: Home) -> None:
    line = with_(label="a").replace('"a"', '"a\\ud800b"')
    bank = home.create("a")
    added = bank.add_all([only(line)])
    assert bank.entry(added[0].entry).label == "a?b"


# ── lists as a whole ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "# remark\n", " \r\n \r\n"])
def test_an_empty_list_is_refused(text: str) -> None:
    with pytest.raises(ImportFormatError, match="empty"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        ONE.hex,
        f"{ONE.hex} pdq",
        "hash,label\nx,y",
        "type|hash\nx|y",
        '"type,hash\n',
        "\0\0\0",
        "x" * (2 << 20),
        "<html>\n<body>",
        "type,hash\n".encode("utf-16"),
        b"\xff\xd8\xff\xe0",
        b"SQLite format 3\0",
    ],
)
def test_what_is_no_list_is_refused_at_its_first_line(text: str | bytes) -> None:
    with pytest.raises(ImportFormatError, match="line 1") as error:
        read(text)
    assert ONE.hex[:8] not in str(error.value)


def test_an_over_long_line_at_the_end_ends_the_list() -> None:
    drafts, complaints = read(f"pdq {ONE.hex}\n" + "y" * (3 * MAX_LINE))
    assert len(drafts) == len(complaints) == 1


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["", "type,hash\n", "type;hash;ref\n", f"pdq {ONE.hex}\n", with_() + "\n"]),
    st.one_of(
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
        st.binary(max_size=200),
        st.lists(st.sampled_from([b'"', b",", b"pdq", b"\n", b"{", b"\r", b"\0", b"[]"])).map(
            b"".join
        ),
    ),
)
def test_no_bytes_raise_anything_but_the_one_error(head: str, rest: bytes) -> None:
    try:
        drafts, complaints = read(head.encode() + rest)
    except ImportFormatError as error:
        assert head == ""
        complaints = [str(error)]
    else:
        assert (len(drafts) > 0) >= head.startswith(("pdq", "{"))
    assert all("\n" not in complaint for complaint in complaints)


def test_reading_takes_time_in_proportion_to_the_list() -> None:
    for hostile in ('"', ",", "[", '{"a":', "pdq ", "\t", '""', "'", "#"):
        short, long = ("type,hash\n" + hostile * count for count in (50_000, 200_000))
        in_proportion(read, short, long, times=20, spare=0.3)


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


def entry(number: int = 1, **changes: Any) -> Entry:
    values: dict[str, Any] = {
        "id": f"0123abcd-{number}",
        "state": EntryState.ACTIVE,
        "label": None,
        "ref": None,
        "added": 0,
        "changed": 0,
        "fingerprints": (sha256(number), pdq(number)),
    }
    return Entry(**(values | changes))


def written(entries: list[Entry], format_: ListFormat) -> str:
    out = io.StringIO()
    write_list(entries, out, format_)
    return out.getvalue()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "\n@", "\u00a0="])
def test_no_cell_of_an_exported_table_is_a_formula(start: str) -> None:
    text = written([entry(label=f"{start}1+1", ref=f"{start}cmd|' /C calc'!A0")], ListFormat.CSV)
    for row in csv.reader(io.StringIO(text)):
        assert not any(cell.strip().startswith(("=", "+", "-", "@")) for cell in row)


@given(st.text(max_size=30), st.text(max_size=30))
def test_every_exported_table_can_be_read_again(label: str, ref: str) -> None:
    label, ref = (text.encode("utf-8", "replace").decode() for text in (label, ref))
    drafts, complaints = read(written([entry(label=label, ref=ref), entry(2)], ListFormat.CSV))
    assert complaints == []
    assert [f for draft in drafts for f in draft.fingerprints] == [
        *(sha256(1), pdq(1)),
        *(sha256(2), pdq(2)),
    ]


@given(st.one_of(st.none(), st.text(max_size=30)), st.sampled_from(["active", "disputed"]))
def test_an_entry_survives_our_own_lines(label: str | None, state: str) -> None:
    prints = (sha256(1), Fingerprint(ONE.type, ONE.value, 51), pdq(3, "border"))
    one = entry(label=label, ref=label, state=EntryState(state), fingerprints=prints)
    out = written([one], ListFormat.JSONL)
    assert out.count("\n") == 1
    assert only(out) == Draft(prints, label, label, one.id, EntryState(state))


def test_threatexchange_lines_hold_live_fingerprints_only() -> None:
    gone = entry(2, state=EntryState.WITHDRAWN, fingerprints=())
    text = written([entry(1), gone, entry(3)], ListFormat.TX)
    assert text.split() == [
        word for n in (1, 3) for f in (sha256(n), pdq(n)) for word in (f.type, f.hex)
    ]


# ── there and back ──────────────────────────────────────────────────────────────────────────────


def exchange(home: Home, source: str, target: str) -> list[bool]:
    """Exports one bank into another; which entries were new."""
    out = io.StringIO()
    write_list(home.bank(source).entries(), out, ListFormat.JSONL)
    drafts, complaints = read(out.getvalue())
    assert complaints == []
    return [added.new for added in home.bank(target).add_all(drafts)]


def test_an_export_is_imported_once_and_its_tombstones_withdraw(home: Home) -> None:
    source, target = home.create("source"), home.create("target")
    kept = source.add([sha256(1), pdq(1)], "word", "case").entry
    gone = source.add([pdq(2)]).entry
    source.dispute([source.add([pdq(3)]).entry])
    assert exchange(home, "source", "target") == [True, True, True]
    assert exchange(home, "source", "target") == [False, False, False]
    found = target.lookup(pdq(1))[0]
    assert (found.label, found.ref) == ("word", "case")
    assert target.lookup(pdq(3))[0].state is EntryState.DISPUTED
    source.withdraw([gone])
    assert exchange(home, "source", "target") == [False, False, False]
    assert target.lookup(pdq(2)) == []
    assert [e.state for e in target.entries()] == ["active", "withdrawn", "disputed"]
    assert kept in [e.id for e in source.entries()]


def test_what_was_withdrawn_here_stays_so_when_the_list_comes_again(home: Home) -> None:
    home.create("source").add([pdq(1)])
    target = home.create("target")
    exchange(home, "source", "target")
    target.withdraw([target.lookup(pdq(1))[0].entry])
    assert exchange(home, "source", "target") == [False]
    assert target.lookup(pdq(1)) == []


def test_a_tombstone_that_comes_before_its_entry_keeps_it_out(home: Home) -> None:
    target = home.create("target")
    target.add_all([only(with_(state="withdrawn"))])
    assert target.add_all([only(with_())])[0].new is False
    assert target.lookup(ONE) == []


def test_a_banks_own_export_changes_nothing_in_it(home: Home) -> None:
    bank = home.create("a")
    first = bank.add([pdq(1)]).entry
    bank.withdraw([bank.add([pdq(2)]).entry])
    assert exchange(home, "a", "a") == [False, False]
    assert answers(bank, pdq(1)) == [(0, first)]
    assert [e.state for e in bank.entries()] == ["active", "withdrawn"]


def test_an_id_that_a_copy_of_this_bank_gave_to_another_picture_is_added(home: Home) -> None:
    bank = home.create("a")
    bank.add([pdq(1)])
    drafts = [Draft((pdq(n),), origin=f"{bank.key}-1") for n in (2, 2)]
    assert [added.new for added in bank.add_all(drafts)] == [True, False]
    assert len(bank.lookup(pdq(1))) == len(bank.lookup(pdq(2))) == 1


@pytest.mark.parametrize("origin", ["²", "{k}-²", "{k}-99999999999999999999", "{k}-", "-", "x-1"])
def test_an_origin_that_is_no_id_of_ours_is_only_a_name(home: Home, origin: str) -> None:
    bank = home.create("a")
    bank.add([pdq(1)])
    draft = Draft((pdq(2),), origin=origin.replace("{k}", bank.key))
    assert [added.new for added in bank.add_all([draft])] == [True]
    assert [added.new for added in bank.add_all([draft])] == [False]
