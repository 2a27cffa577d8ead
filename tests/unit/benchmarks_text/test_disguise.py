import unicodedata

import pytest
from benchmarks.text.disguise import DISGUISES, disguise

TEXT = "Remove the curtains and the carpets, dear neighbours"
LINK = "shop.example/?ref=ABC"


def test_there_are_twelve() -> None:
    assert len(DISGUISES) == 12


@pytest.mark.parametrize("name", DISGUISES)
def test_a_text_is_hidden_the_same_way_each_time(name: str) -> None:
    assert disguise(name, TEXT) == disguise(name, TEXT)
    assert "curtains" not in disguise(name, TEXT)


@pytest.mark.parametrize("name", DISGUISES)
def test_links_handles_and_commands_are_left_alone(name: str) -> None:
    hidden = disguise(name, f"/start curtains {LINK} @carpet_example")

    assert {"/start", LINK, "@carpet_example"} <= set(hidden.split())


@pytest.mark.parametrize("name", DISGUISES)
def test_signs_and_numbers_alone_survive(name: str) -> None:
    assert unicodedata.normalize("NFKC", disguise(name, "10 € !")) == "10 € !"


@pytest.mark.parametrize("name", DISGUISES)
def test_an_empty_text_stays_empty(name: str) -> None:
    assert disguise(name, "") == ""


def test_what_was_inserted_or_styled_folds_back() -> None:
    for name in ("full-width", "maths letters", "zalgo"):
        folded = unicodedata.normalize("NFKD", disguise(name, TEXT))
        assert "".join(s for s in folded if not unicodedata.combining(s)) == TEXT
    for name in ("zero-width", "soft hyphens"):
        shown = (s for s in disguise(name, TEXT) if unicodedata.category(s) != "Cf")
        assert "".join(shown) == TEXT


def test_spaced_and_dotted_letters_keep_their_order() -> None:
    for name in ("spaced letters", "dotted letters"):
        letters = [s for s in disguise(name, TEXT) if s.isalpha()]
        assert "".join(letters) == "".join(s for s in TEXT if s.isalpha())


def test_look_alikes_mix_scripts_inside_a_word() -> None:
    scripts = {unicodedata.name(s).split()[0] for s in disguise("look-alikes", "carpets")}

    assert "LATIN" in scripts
    assert scripts & {"CYRILLIC", "GREEK"}


def test_regional_indicators_stand_apart_so_that_they_make_no_flags() -> None:
    assert disguise("regional indicators", "Café au lait") == "🇨 🇦 🇫 🇪  au 🇱 🇦 🇮 🇹 "
