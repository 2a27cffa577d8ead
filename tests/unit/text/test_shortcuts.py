"""What makes reading fast changes nothing of what is read: each shortcut beside the long way."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.text import disguise, model, ngrams
from egide.text.lexicon import load_lexicon
from egide.text.model import Told, load_model
from egide.text.ngrams import BUCKETS, canonical, features, named, named_and_paired, named_in_order
from egide.text.reading import language_of, read
from egide.text.vocabulary import vocabulary_of

NAMES = st.sampled_from(["nude", "garment", "ctx.ad", "person", "ask", "photo"])
GROUPS = st.lists(st.lists(NAMES, max_size=3).map(tuple), max_size=6)
SIGNED = st.text("abnude01@$.*|~:_-/' é", max_size=24)


def plain_bucket(value: int) -> int:
    value &= (1 << 64) - 1
    mixed = (value ^ (value >> 29)) * ngrams._MIXER & (1 << 64) - 1
    return mixed >> (64 - ngrams.BITS)


@settings(deadline=None)
@given(GROUPS)
def test_names_in_order_are_hashed_as_each_pair_alone(groups: list[tuple[str, ...]]) -> None:
    salt = ngrams._WORD_SALTS[0]
    plain = [
        plain_bucket(ngrams._hash(one) * salt + ngrams._hash(other))
        for step in (1, 2)
        for before, after in zip(groups, groups[step:], strict=False)
        for one in before
        for other in after
    ]
    found = named_in_order(groups)
    assert found.tolist() == plain
    assert found.dtype == np.int64


@settings(deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=6, unique=True))
def test_names_and_their_pairs_are_hashed_as_each_alone(names: list[str]) -> None:
    own = [ngrams._hash(name) for name in names]
    pairs = [
        one * ngrams._MULTIPLIER + other
        for number, one in enumerate(own)
        for other in own[number + 1 :]
    ]
    assert named_and_paired(names).tolist() == list(map(plain_bucket, [*own, *pairs]))
    assert named(tuple(names)).tolist() == list(map(plain_bucket, own))


def test_what_is_remembered_of_names_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        named(("nude",))[0] = 0
    assert 0 <= named(("nude",))[0] < BUCKETS


@settings(deadline=None)
@given(st.lists(st.text("abcdefgh?1é", min_size=1, max_size=70), min_size=40, max_size=400))
def test_windows_scored_together_score_as_each_alone(words: list[str]) -> None:
    text = canonical(" ".join(words))
    scorer, known = load_model(), list(Told("ad", hits=(("nude",),), classes=("nude",)).blocks())
    windows = list(model._windows(text))
    together = list(scorer._logits_of_windows(text, known))
    assert len(together) == len(windows)
    for window, found in zip(windows, together, strict=True):
        alone = scorer._logits(text[window.begin : window.end], known)
        assert found.tolist() == alone.tolist()
    assert text[windows[-1].begin : windows[-1].end].endswith(" ")
    assert all(window.end - window.begin <= model.WINDOW + 66 for window in windows)


def test_every_word_of_a_long_text_is_in_a_window() -> None:
    text = canonical("word " * 2_000)
    seen = {n for window in model._windows(text) for n in range(window.first, window.last)}
    assert seen == set(range(2_000))
    assert len(features(text[:3_000]).words) > 1_000


@settings(deadline=None)
@given(SIGNED)
def test_a_sign_between_letters_is_wherever_a_word_may_be_parted(key: str) -> None:
    parted = disguise._PARTED.search(key) or disguise._HALVES.search(key)
    assert not parted or disguise._SIGN_INSIDE.search(key)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["un", "dress", "und", "ress", "the", "lake", "cloth"])))
def test_halves_of_words_are_found_as_pair_by_pair(words: list[str]) -> None:
    vocabulary = vocabulary_of(load_lexicon())
    plain = any(
        first + second in vocabulary.long and not disguise._all_known((first, second), vocabulary)
        for first, second in pairwise(words)
    )
    assert disguise._is_split(words, vocabulary) is plain


@settings(deadline=None)
@given(st.text("abc déshabille nackt ropa undress. her \n", max_size=80))
def test_known_words_are_counted_as_language_by_language(text: str) -> None:
    lexicon = load_lexicon()
    for word in re.findall(r"\w+", text):
        counts = lexicon.known_counts[word]
        plain = [word in language.words for language in lexicon.languages.values()]
        assert [counts >> 16 * n & 0xFFFF for n in range(len(plain))] == list(map(int, plain))


def test_terms_are_read_to_the_end_of_a_sentence_and_no_further() -> None:
    lexicon = load_lexicon()
    english = lexicon.languages["en"]
    first, second = next(
        (first, second)
        for first, held in english.terms.items()
        for second, tails in held.items()
        if ".." not in (first, second)
        and ".." not in held
        and any(not rest and bits & ~lexicon.silent for rest, bits in tails)
        and language_of([first, second], lexicon) is english
    )
    whole, cut = read([first, second], lexicon), read([first, ". ", second], lexicon)
    assert 2 in whole.width
    assert 2 not in cut.width


def test_a_language_is_told_by_its_words_when_no_stopword_tells() -> None:
    lexicon = load_lexicon()
    for name, language in lexicon.languages.items():
        others = [other for other in lexicon.languages.values() if other is not language]
        own = [w for w in language.words if not any(w in other.words for other in others)]
        assert language_of(own[:6], lexicon).name == name


def test_classes_are_named_by_their_bits() -> None:
    lexicon = load_lexicon()
    for name, bit in lexicon.bits.items():
        assert lexicon.class_names(bit) == (name,)
    assert set(lexicon.class_names(sum(lexicon.bits.values()))) == set(lexicon.bits)
    assert lexicon.class_names(0) == ()
