"""Names are found however they are written, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.hub.names import (
    LONGEST,
    MOST_CHARACTERS,
    MOST_IN_ALL,
    Span,
    check_of,
    name_keys,
    readings,
    ways,
)
from egide.hub.names_fold import fold_letters, folding_digest
from tests.growth import within

NAME = "Velora Quintane"


def sightings(name: str, *fields: str) -> list[Span]:
    """Where `fields` write `name`."""
    key = name_keys([name])[0]
    assert key is not None
    return [
        span
        for reading in readings(fields)
        for span in reading.spans(np.flatnonzero(reading.hashes == np.uint64(key.hash)))
        if span.is_written_as(key.words, key.first) and check_of(span.letters) == key.check
    ]


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("Velora Quintane", ()),
        ("the velora quintane lora", ()),
        ("VELORA QUINTANE", ()),
        ("Vélora Quintâne", ()),
        ("VeloraQuintane", ()),
        ("SDXLVeloraQuintane", ()),
        ("vElOrA qUiNtAnE", ()),
        ("velora-quintane_v2", ()),
        ("velora.quintane", ()),
        ("veloraquintane", ("joined",)),
        ("veloraquintane2", ("joined",)),
        ("sexyveloraquintanelora", ("glued",)),
        ("Quintane Velora", ("reversed",)),
        ("Quintane, Velora", ("reversed",)),
        ("v3l0ra quint4ne", ("digits",)),
        ("velor@ qu1ntane", ("digits",)),
        ("ve1ora quintane", ("digits",)),
        ("v e l o r a q u i n t a n e", ("spaced",)),
        ("v.e.l.o.r.a  q.u.i.n.t.a.n.e", ("spaced",)),
        ("Ｖｅｌｏｒａ　Ｑｕｉｎｔａｎｅ", ()),
        ("𝖁𝖊𝖑𝖔𝖗𝖆 𝕼𝖚𝖎𝖓𝖙𝖆𝖓𝖊", ()),
        ("Vеlоrа Quintаnе", ()),
        ("Vel\u200dora\u00ad Quin\u2060tane", ()),
        ("V\u0338\u034ee\u0335lora Quintane", ()),
    ],
)
def test_a_name_is_found_in_every_way_to_write_it(text: str, how: tuple[str, ...]) -> None:
    found = sightings(NAME, text)

    assert found
    assert how in {ways(span.how) for span in found}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "velora",
        "quintane",
        "velora and quintane",
        "velora\nquintane",
        "tag, velora, quintane",
        "velo raquintane",
        "veloraquintanesia",
        "velora quintan",
    ],
)
def test_what_only_resembles_a_name_is_none(text: str) -> None:
    assert sightings(NAME, text) == []


def test_fields_are_kept_apart() -> None:
    assert sightings(NAME, "velora", "quintane") == []


def test_a_span_says_where_it_stands() -> None:
    [span] = sightings(NAME, "first", "a Velora Quintane here", "third")

    assert (span.field, span.letters, span.whole) == (1, "veloraquintane", False)
    assert "first\na Velora Quintane here\nthird"[span.start : span.end] == "Velora Quintane"
    assert sightings(NAME, "x", "Velora-Quintane!")[0].whole


def test_a_span_with_digits_stands_where_the_text_has_it() -> None:
    fields = ["nothing", "v2 of", "hello v3lora quintane", "v1.0"]
    span, *_ = sightings(NAME, *fields)

    assert span.field == 2
    assert "\n".join(fields)[span.start : span.end] == "v3lora quintane"


@pytest.mark.parametrize("text", ["超像田中花子的模型", "田中花子", "私の田中花子さん"])
def test_signs_need_no_spaces(text: str) -> None:
    assert sightings("田中花子", text)


def test_a_name_in_kana_ends_where_the_script_does() -> None:
    assert sightings("カエリス・ストーム", "美しいカエリスストームの写真")
    assert sightings("カエリス・ストーム", "ｶｴﾘｽ･ｽﾄｰﾑ")


def test_short_names_are_not_found_as_one_word() -> None:
    assert sightings("Li Na", "lina") == []
    assert sightings("Li Na", "Li Na lora")


def test_a_name_of_one_word_is_not_put_together_from_two() -> None:
    assert sightings("Kiralynne", "kira lynne") == []
    assert sightings("Kiralynne", "k i r a l y n n e")


def test_names_with_surnames_of_two_words_are_turned_too() -> None:
    assert sightings("Siobhan O'Kestrelle", "O'Kestrelle Siobhan")
    assert sightings("Jean-Loup Marivelle", "Marivelle Jean Loup")


def test_keys_say_how_a_name_is_built() -> None:
    keys = name_keys(["Jean-Loup Marivelle", "김하나", "", "a", "x" * (LONGEST + 1), "…"])

    assert keys[0] is not None
    assert keys[0][2:] == (3, 4, 17, False)
    assert keys[1] is not None
    assert keys[1][2:] == (1, 3, 3, True)
    assert keys[2:] == [None] * 4


def test_many_names_have_the_keys_that_each_has_alone() -> None:
    names = [f"Name Number{n}" * (1 + n % 3) for n in range(5_000)]

    assert name_keys(names)[::997] == [name_keys([name])[0] for name in names[::997]]


def test_names_of_many_characters_are_no_names() -> None:
    assert name_keys(["Velora Quintane" * 10_000]) == [None]


@given(st.lists(st.text(max_size=60), max_size=6))
def test_any_text_can_be_read(fields: list[str]) -> None:
    for reading in readings(fields):
        numbers = np.arange(len(reading.hashes))
        for span, field in zip(reading.spans(numbers), reading.fields_at(numbers), strict=True):
            assert 2 <= len(span.letters) == len(span.begins) <= LONGEST
            assert 0 <= span.start < span.end <= len(reading.text)
            assert span.field == field < len(fields)


@given(st.lists(st.text("abcdefghéßжя", min_size=2, max_size=9), min_size=1, max_size=4))
def test_every_name_is_found_as_it_is(words: list[str]) -> None:
    name = " ".join(words)
    key = name_keys([name])[0]

    assert (key is None) == (len("".join(map(fold_letters, words))) > LONGEST)
    assert key is None or sightings(name, f"a lora, of {name}.")


def test_no_more_is_read_than_the_caps_allow() -> None:
    late = "a " * MOST_CHARACTERS + NAME
    assert sightings(NAME, late) == []
    many = ["x" * 5_000] * 200
    assert sum(len(reading.text) for reading in readings(many)) < 2 * MOST_IN_ALL
    assert sightings(NAME, *many, NAME) == []


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "a " * 500_000,
        "aB" * 500_000,
        "1a" * 500_000,
        "é" * 1_000_000,
        "字" * 999_999,
    ],
    ids=["letters", "spaces", "humps", "digits", "accents", "signs"],
)
def test_hostile_text_is_read_in_bounded_time(text: str) -> None:
    for reading in within(5, lambda: list(readings([text] * 20))):
        assert len(reading.hashes) < 12 * (MOST_IN_ALL + MOST_CHARACTERS)


def test_folding_keeps_the_case_of_latin_letters_alone() -> None:
    assert fold_letters("ÀB") == "AB"
    assert fold_letters("Ж") == "ж"
    assert fold_letters("プ") == "プ"
    assert fold_letters("하") == "하"
    assert fold_letters("plain") == "plain"
    assert len(folding_digest()) == 8
