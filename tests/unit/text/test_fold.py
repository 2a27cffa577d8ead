from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.text.fold import Folded, fold_character, skeleton
from tests.growth import in_proportion

PLAIN = "quiet garden"


@pytest.mark.parametrize(
    "disguised",
    [
        "Ｑｕｉｅｔ Ｇａｒｄｅｎ",
        "𝓺𝓾𝓲𝓮𝓽 𝓰𝓪𝓻𝓭𝓮𝓷",
        "𝐪𝐮𝐢𝐞𝐭 𝐠𝐚𝐫𝐝𝐞𝐧",
        "quіеt gаrdеn",  # Cyrillic
        "q\u200bui\u200bet ga\u00adrden",
        "q̷u̷i̷e̷t̷ g̷a̷r̷d̷e̷n̷",
        "🇶🇺🇮🇪🇹 🇬🇦🇷🇩🇪🇳",
        "🅠🅤🅘🅔🅣 🅶🅰🆁🅳🅴🅽",
        "qᴜɪᴇᴛ ɢᴀʀᴅᴇɴ",
        "quíêt gärdèn",
    ],
)
def test_styles_scripts_and_marks_fold_to_plain_letters(disguised: str) -> None:
    assert skeleton(disguised) == PLAIN


@pytest.mark.parametrize(
    ("leet", "plain"),
    [
        ("qu13t g4rd3n", PLAIN),
        ("anna2024", "anna2024"),
        ("5€ for 3 pages", "5€ for 3 pages"),
        ("mp3", "mp3"),
    ],
)
def test_digits_are_read_as_letters_inside_words_only(leet: str, plain: str) -> None:
    assert skeleton(leet) == plain


def test_other_scripts_are_left_to_themselves() -> None:
    assert skeleton("عربي 日本語 עברית") == "عربي 日本語 עברית"


def test_accents_are_kept_in_the_parallel_view() -> None:
    folded = Folded("Un E\u0301TE\u0301 à la mer")
    start = folded.key.index("ete")
    assert folded.accented(start, start + 3) == "été"


@given(st.text(max_size=60))
def test_every_part_of_the_key_comes_from_somewhere(text: str) -> None:
    folded = Folded(text)
    for position in range(len(folded.key)):
        start, end = folded.origin(position, position + 1)
        assert 0 <= start < end <= len(text)
        assert folded.key[position] in "".join(map(fold_character, text[start:end]))


def test_a_span_of_the_key_is_a_span_of_the_original() -> None:
    text = "see ｑｕ\u200bｉｅｔ there"
    folded = Folded(text)
    at = folded.key.index("quiet")
    start, end = folded.origin(at, at + 5)
    assert text[start:end] == "ｑｕ\u200bｉｅｔ"


@pytest.mark.parametrize("unit", ["a", "\u0301", "é", "日", "((", "\u200b", "🇫", "\ud800"])
def test_folding_a_megabyte_takes_time_in_proportion(unit: str) -> None:
    short, long = (unit * (count // len(unit)) for count in (1 << 17, 1 << 20))
    in_proportion(lambda text: Folded(text).origin(0, 1), short, long, times=32, least=0.01)
