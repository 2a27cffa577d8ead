"""UserComment and its neighbours, in every encoding that writers use."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from egide.provenance.usercomment import Order, decode_comment, decode_text
from tests.carriers import user_comment

ENCODINGS = ("unicode-be", "unicode-le", "unicode-bom", "unicode-utf8", "undefined", "bare")
TEXTS = (
    "a lake at dawn\nSteps: 20, Sampler: Euler",
    "un été à la mer, Steps: 20",
    "湖の夜明け, Steps: 20",
    "😀 a lake 🌊",
    "a",
    '{"prompt": "ein See bei Nacht"}',
)


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_text_is_read_whatever_its_encoding(encoding: str, text: str, order: Order) -> None:
    if encoding in {"unicode-be", "unicode-le"} and len(text) == 1:
        order = "big" if encoding == "unicode-be" else "little"
    assert decode_comment(user_comment(text, encoding), order) == text


@pytest.mark.parametrize("encoding", ["unicode-be", "unicode-le"])
def test_text_without_any_latin_letter_keeps_its_byte_order(encoding: str) -> None:
    text = "湖の夜明けに立つ木々の静かな影"
    assert decode_comment(user_comment(text, encoding), "big") == text
    assert decode_comment(user_comment(text, encoding), "little") == text


@pytest.mark.parametrize("encoding", ["ascii", "ascii-utf8"])
def test_ascii_is_read(encoding: str) -> None:
    assert decode_comment(user_comment("a lake", encoding)) == "a lake"


def test_utf8_announced_as_ascii_is_read() -> None:
    assert decode_comment(user_comment("湖 été", "ascii-utf8")) == "湖 été"


def test_jis_is_read() -> None:
    assert decode_comment(user_comment("湖の夜明け", "jis")) == "湖の夜明け"
    assert decode_comment(b"JIS\0\0\0\0\0" + b"a lake") == "a lake"


def test_utf16_announced_as_ascii_is_read() -> None:
    assert decode_comment(b"ASCII\0\0\0" + "a lake".encode("utf-16-le")) == "a lake"


def test_latin1_is_read_where_it_is_no_utf8() -> None:
    assert decode_comment("un été".encode("latin-1")) == "un été"


def test_a_character_cut_at_the_end_costs_that_character_only() -> None:
    assert decode_comment("undefined lake 湖".encode()[:-1]) == "undefined lake "
    assert decode_comment(user_comment("a lake 湖")[:-1]) == "a lake "


def test_several_strings_in_one_value_become_lines() -> None:
    assert decode_text(b"one string\0another string\0") == "one string\nanother string"


def test_zeros_behind_the_text_are_padding() -> None:
    assert decode_comment(user_comment("a lake", "ascii") + bytes(64)) == "a lake"
    assert decode_comment(user_comment("a lake") + bytes(64)) == "a lake"
    assert decode_comment(user_comment("a lake", "unicode-le") + bytes(64)) == "a lake"


def test_nothing_is_nothing() -> None:
    assert decode_comment(b"") == ""
    assert decode_comment(bytes(8)) == ""
    assert decode_comment(b"UNICODE\0") == ""
    assert decode_comment(b"ASCII\0\0\0" + bytes(200)) == ""


@given(st.text(st.characters(codec="utf-16-le", exclude_characters="\0"), min_size=1))
@example("a")
def test_latin_text_in_utf16_survives_any_neighbour(text: str) -> None:
    whole = "a lake at dawn, " * (2 + len(text)) + text + "."
    for encoding in ("unicode-be", "unicode-le"):
        assert decode_comment(user_comment(whole, encoding)) == whole


@given(st.binary(max_size=200))
def test_any_bytes_give_text_that_can_be_written(value: bytes) -> None:
    decode_comment(value).encode()
    decode_text(value, "little", wide=True).encode()
