"""Families of words: read back, told apart by meaning, and hashed with the text they stand in."""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path

import numpy as np
import pytest

from egide._kernel import word_key
from egide.errors import LexiconError
from egide.text.families import FAMILIES, FILE, Families, load_families, save_families
from egide.text.model import blocks_of
from egide.text.ngrams import canonical


def family_of(word: str) -> int | None:
    keys, family = load_families()
    key = word_key(word)
    at = bisect_left(keys, key)
    return int(family[at]) if at < len(keys) and keys[at] == key else None


def test_words_of_one_meaning_are_of_one_family_whatever_their_language() -> None:
    assert family_of("foto") == family_of("bild") == family_of("photo") is not None
    assert family_of("kleid") == family_of("vestido") is not None
    assert family_of("kleid") != family_of("foto")
    assert family_of("xqzzyw") is None


def test_families_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    keys, family = np.array([3, 70_000, 2**32 - 1], "u4"), np.array([0, 511, 7], "u2")
    save_families(Families(keys, family), tmp_path / "some.bin")
    found = load_families(tmp_path / "some.bin")
    assert found.keys.tolist() == keys.tolist()
    assert found.family.tolist() == family.tolist()


def test_what_ships_is_in_order_and_in_range() -> None:
    keys, family = map(np.asarray, load_families())
    assert bool((np.diff(keys.astype(np.int64)) >= 0).all())
    assert int(family.max()) < FAMILIES


@pytest.mark.parametrize(
    "content", [b"", b"egide", b"egide-word-families 1 9\n", b"egide-word-families 1 x\nabc",
                FILE.read_bytes()[:-1]],
)  # fmt: skip
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.bin"
    broken.write_bytes(content)
    with pytest.raises(LexiconError, match=r"broken\.bin"):
        load_families(broken)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match=r"none\.bin"):
        load_families(tmp_path / "none.bin")


def hashed(text: str) -> tuple[list[int], list[int]]:
    """The buckets of its words, and of its families."""
    words, _, families = blocks_of(canonical(text))[-3:]
    return words[0].tolist(), families[0].tolist()


def test_a_word_may_be_exchanged_for_one_of_its_family() -> None:
    (one, family), (other, same) = hashed("your foto is here"), hashed("your bild is here")
    assert family == same
    assert one != other


def test_an_unknown_word_counts_as_its_stem() -> None:
    assert family_of("photographsx") is None
    assert hashed("photographsx")[1] == hashed("photographs")[1] != []


def test_a_word_without_a_family_counts_in_none() -> None:
    assert hashed("xqzzyw")[1] == []
    assert len(hashed("foto xqzzyw bild")[1]) == 3  # each alone, and the two that are near
