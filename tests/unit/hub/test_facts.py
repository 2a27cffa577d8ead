"""The record itself: clean texts, and records put together."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from egide.hub.facts import MOST_TEXT, MOST_WORDS, ModelFacts, distinct, merged, plain, printable


@given(st.text() | st.text(st.characters(categories=["Cc", "Cs", "L"])))
def test_a_plain_text_can_be_printed_and_written(text: str) -> None:
    said = plain(text)
    said.encode()
    assert not any(ord(sign) < 32 and sign not in "\t\n" for sign in said)


def test_what_hides_a_name_stays() -> None:
    hidden = "M\u200b\u0456\u202er\u202cela \U0001d4e3"  # no width, Cyrillic, reversed, script
    assert plain(hidden) == hidden


def test_a_text_is_cut() -> None:
    assert len(plain("n" * 10 * MOST_TEXT)) == MOST_TEXT


def test_lists_hold_each_word_once_and_are_cut() -> None:
    assert distinct(["b", "", "a", "b"]) == ("b", "a")
    assert len(distinct(map(str, range(10 * MOST_WORDS)))) == MOST_WORDS


def test_records_put_together_keep_what_the_first_says() -> None:
    file = ModelFacts(
        source="safetensors", title="one", tags=("a",), tag_frequency=(("x", 1),),
        tag_frequency_trusted=False, hashes={"AutoV3": "1"}, thumbnails=1, poi=False,
    )  # fmt: skip
    beside = ModelFacts(
        source="sidecar", title="two", creator="three", tags=("b", "a"), poi=True,
        hashes={"AutoV3": "2", "SHA256": "3"}, thumbnails=2, tag_frequency=(("y", 2),),
    )  # fmt: skip
    both = merged(file, beside)
    assert (both.source, both.title, both.creator, both.poi) == (
        "safetensors", "one", "three", False,
    )  # fmt: skip
    assert both.tags == ("a", "b")
    assert both.hashes == {"AutoV3": "1", "SHA256": "3"}
    assert (both.tag_frequency, both.tag_frequency_trusted) == ((("x", 1),), False)
    assert both.thumbnails == 3


def test_a_record_can_be_sent_to_another_process() -> None:
    facts = ModelFacts(source="gguf", hashes={"SHA256": "ab"}, texts=(("note", "words"),))
    assert pickle.loads(pickle.dumps(facts)) == facts
    assert len({facts, pickle.loads(pickle.dumps(facts))}) == 1


@given(st.text())
def test_a_printable_text_is_one_line(text: str) -> None:
    assert printable(text).isprintable()
