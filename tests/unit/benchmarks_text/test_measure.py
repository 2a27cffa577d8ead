import pytest
from benchmarks.text.among import COUNTS, SENTENCES, among, by_surroundings
from benchmarks.text.measure import by_group, by_label, by_language, judge, long_texts
from benchmarks.text.records import Record, labelled
from benchmarks.text.score import LABELS, Judged

from egide.label import Label


def record(text: str, context: str, *labels: str, group: str = "positive") -> Record:
    attributes = {"with_photo": "true"} if context == "prompt" else {}
    return Record("x", "en", text, context, frozenset(labels), group, attributes)


def test_labels_are_words_of_the_taxonomy() -> None:
    assert set(LABELS) <= {str(label) for label in Label}


def test_what_egide_finds_is_taken_by_label() -> None:
    asked = record("remove her clothes", "prompt", "ncii.request.nudify")
    harmless = record("remove the background", "prompt", group="photo-editing")

    one, other = judge([asked, harmless])

    assert "ncii.request.nudify" in one.found
    assert one.flagged
    assert not other.flagged


def test_long_texts_have_the_length_that_is_timed() -> None:
    texts = long_texts(labelled("test", "en"), 5)

    assert [len(one.text) for one in texts] == [1000] * 5
    assert len({one.text for one in texts}) == 5


def test_tables_have_a_cell_for_every_column() -> None:
    each = {"en": [Judged(record("a", "post", LABELS[0]), frozenset([LABELS[0]])),
                   Judged(record("b", "post", group="art"), frozenset())]}  # fmt: skip

    for table in (by_language(each), by_label(each), by_group(each)):
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}


@pytest.mark.parametrize("count", COUNTS)
def test_among_other_sentences_a_text_stays_what_it_is(count: int) -> None:
    one = record("remove her clothes ", "prompt", LABELS[0])

    text = among(one, count)

    assert text == among(one, count)
    assert "remove her clothes." in text
    assert sum(sentence in text for sentence in SENTENCES["en"]) == count


def test_surroundings_have_a_row_for_each_count_and_one_for_none() -> None:
    sets = {code: [record("a", "post")] for code in SENTENCES}

    table = by_surroundings(sets, {code: judge(each) for code, each in sets.items()})

    assert [row[0] for row in table.rows] == ["none", *map(str, COUNTS)]
    assert {len(row) for row in table.rows} == {len(table.columns)}


@pytest.mark.parametrize("label", LABELS)
def test_every_label_has_its_row(label: str) -> None:
    rows = by_label({"en": []}).rows

    assert [row[0] for row in rows].count(f"`{label}`") == 1
