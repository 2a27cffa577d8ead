"""What makes reading fast changes nothing of what is read: each shortcut beside the long way."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.text import disguise
from egide.text.families import load_families
from egide.text.halves import all_known
from egide.text.lexicon import Language, Lexicon, load_lexicon
from egide.text.model import Told, _Hashed, blocks_of, load_model
from egide.text.ngrams import canonical, digests, pieces
from egide.text.reading import BLOCKED, _reader, _term, language_of, read
from egide.text.vocabulary import vocabulary_of
from egide.text.windows import WINDOW, windows_of

NAMES = st.sampled_from(["nude", "garment", "ctx.ad", "person", "ask", "photo"])
GROUPS = st.lists(st.lists(NAMES, max_size=3).map(tuple), max_size=6)
SIGNED = st.text("abnude01@$.*|~:_-/' é", max_size=24)


ALL = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
FAMILY_SALT = 0xA24BAED4963EE407
WORD_SALTS = (0x2545F4914F6CDD1D, 0x8CB92BA72F3D8DD7, 0xC2B2AE3D27D4EB4F)


def mixed(value: int) -> int:
    value &= ALL
    return (value ^ (value >> 29)) * 0xD6E8FEB86659FD93 & ALL


def plain_bucket(value: int) -> int:
    return mixed(value) >> (64 - 17)


def plain_hash(text: str) -> int:
    return sum(ord(letter) * pow(STEP, n, 1 << 64) for n, letter in enumerate(text)) & ALL


def plain_digest(name: str) -> int:
    return int.from_bytes(digests((name,)), "little")


def plain_family(word: str) -> int | None:
    """The family of a word, else that of what is left of a long one without its last letters."""
    keys, family = load_families()
    for cut in range(4) if len(word) >= 6 else range(1):
        key = mixed(plain_hash(word[: len(word) - cut])) >> 32
        at = bisect_left(keys, key)
        if at < len(keys) and keys[at] == key:
            return int(family[at])
    return None


def plain_words(words: list[str]) -> list[int]:
    own = [plain_hash(word) for word in words]
    pairs = [one * STEP + other for one, other in pairwise(own)]
    threes = [pair * STEP + word for pair, word in zip(pairs, own[2:], strict=False)]
    return [
        plain_bucket((each & ALL) ^ salt)
        for held, salt in zip((own, pairs, threes), WORD_SALTS, strict=True)
        for each in held
    ]


def plain_families(words: list[str]) -> list[int]:
    own = [None if f is None else f + FAMILY_SALT for f in map(plain_family, words)]
    found = [each for each in own if each is not None]
    for step in (1, 2, 3):
        for one, other in zip(own, own[step:], strict=False):
            if one is not None and other is not None:
                found.append(one * STEP + other + min(step, 2))
    return list(map(plain_bucket, found))


@settings(deadline=None)
@given(st.lists(st.text("abcdefgh?1é𝒳", min_size=1, max_size=9) | NAMES, max_size=12))
def test_a_text_is_hashed_as_part_by_part(words: list[str]) -> None:
    text = canonical(" ".join(words))
    parts = text[1:-1].split(" ")
    plain = [
        plain_words(parts),
        [
            plain_bucket(plain_hash(text[at : at + size]))
            for size in (3, 4, 5)
            for at in range(len(text) - size + 1)
        ],
        plain_families(parts),
    ]
    found = blocks_of(text)[-3:]
    assert [buckets.tolist() for buckets, _ in found] == plain
    shares = [1.0, 1.0, 0.7]
    assert [share for _, share in found] == [
        full / max(1, len(set(held))) ** 0.5 for full, held in zip(shares, plain, strict=True)
    ]


@settings(deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=6, unique=True), GROUPS, st.booleans())
def test_what_is_told_is_hashed_as_each_alone_and_pair_by_pair(
    names: list[str], groups: list[tuple[str, ...]], with_photo: bool
) -> None:
    told = Told("ad", with_photo, ("undress",), tuple(names), tuple(groups))
    facts = ["context:ad", "rule:undress", *(["photo"] if with_photo else [])]
    own = list(map(plain_digest, names))
    pairs = [one * STEP + other for number, one in enumerate(own) for other in own[number + 1 :]]
    ordered = [
        plain_bucket(plain_digest(one) * WORD_SALTS[0] + plain_digest(other))
        for step in (1, 2)
        for before, after in zip(groups, groups[step:], strict=False)
        for one in before
        for other in after
    ]
    found = blocks_of("  ", told)
    assert [buckets.tolist() for buckets, _ in found[:3]] == [
        [plain_bucket(plain_digest(fact)) for fact in facts],
        [plain_bucket(each) for each in (*own, *pairs)],
        ordered,
    ]
    assert found[0][1] == 0.3
    assert len(blocks_of("  ", told._replace(classes=()))) == 4


@settings(deadline=None)
@given(st.text("abnude ?1é", max_size=80))
def test_a_score_is_what_its_layers_give(text: str) -> None:
    model, told = load_model(), Told("ad", hits=(("nude",), ("ask",)), classes=("nude", "ask"))
    text = canonical(text)
    weights, scales = np.asarray(model.weights), np.asarray(model.scales)
    plain = sum(
        weights[np.unique(buckets)].sum(axis=0, dtype="int64") * share
        for buckets, share in blocks_of(text, told)
    )
    sums = np.asarray(plain * scales)
    first, first_biases, out, out_biases = model.head.arrays()
    inner = sums[-first.shape[1] :]
    hidden = np.maximum(0, first @ inner + first_biases)
    logits = out @ hidden + out_biases
    logits[: len(sums) - len(inner)] += sums[: len(sums) - len(inner)]
    found = model._logits(text, [(0, len(text))], told)[0]
    assert found == pytest.approx(logits.tolist())


def shared_out(buckets: np.ndarray, weights: np.ndarray) -> list[float]:
    """The weight of each place: those that share a bucket share what it counts."""
    often = Counter(buckets.tolist())
    return [float(w) / often[at] for at, w in zip(buckets.tolist(), weights, strict=True)]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["remove", "clothes", "her", "a"]), min_size=1, max_size=5))
def test_what_is_said_again_counts_once(words: list[str]) -> None:
    model, once = load_model(), canonical(" ".join(words * 3))
    again = canonical(" ".join(words * 9))
    first, second = (model._logits(text, [(0, len(text))], Told())[0] for text in (once, again))
    assert first == pytest.approx(second)


@settings(deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=9))
def test_a_piece_has_its_even_share_of_each_of_its_n_grams(words: list[str]) -> None:
    model, cut = load_model(), pieces(" ".join(words))
    text = f" {' '.join(piece.text for piece in cut)} "
    slopes = np.array(model._kernel.slopes(text, 1, *Told().packed()))
    (by_word, word), (by_letter, letter) = blocks_of(text)[-3:-1]
    plain = [0.0] * len(cut)
    weights = np.asarray(model.weights)
    grams = iter(shared_out(by_word, weights[by_word] @ slopes * word))
    for size in (1, 2, 3):
        for first in range(len(cut) - size + 1):
            weight = next(grams)
            for number in range(first, first + size):
                plain[number] += weight / size
    grams = iter(shared_out(by_letter, weights[by_letter] @ slopes * letter))
    owner = [number for number, piece in enumerate(cut) for _ in f"{piece.text} "]
    for size in (3, 4, 5):
        for first in range(len(text) - size + 1):
            weight = next(grams)
            for place in range(max(first, 1), first + size):  # what is before a word is not its own
                plain[owner[place - 1]] += weight / size
    assert model._shares(_Hashed.of(cut), 1, Told()).tolist() == pytest.approx(plain)


@settings(deadline=None)
@given(st.lists(st.text("abcdefgh?1é", min_size=1, max_size=70), min_size=40, max_size=400))
def test_windows_scored_together_score_as_each_alone(words: list[str]) -> None:
    text = canonical(" ".join(words))
    scorer, told = load_model(), Told("ad", hits=(("nude",),), classes=("nude",))
    windows = list(windows_of(text))
    together = scorer._logits(text, [(window.begin, window.end) for window in windows], told)
    assert len(together) == len(windows)
    for window, found in zip(windows, together, strict=True):
        part = text[window.begin : window.end]
        assert found == scorer._logits(part, [(0, len(part))], told)[0]
    assert text[windows[-1].begin : windows[-1].end].endswith(" ")
    assert all(window.end - window.begin <= WINDOW + 66 for window in windows)


def test_every_word_of_a_long_text_is_in_a_window() -> None:
    text = canonical("word " * 2_000)
    seen = {n for window in windows_of(text) for n in range(window.first, window.last)}
    assert seen == set(range(2_000))


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
        first + second in vocabulary.wholes and not all_known((first, second), vocabulary)
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


def plainly(tokens: list[str], language: Language, lexicon: Lexicon) -> list[list[int]]:
    """The hits of one sentence, word by word: as `SentenceReader` gives them, and what is left."""
    hits: list[list[int]] = []
    at, unknown, position, seen = 3, 2, 0, 0
    while position < len(tokens):
        token, width = tokens[position], 1
        mask = language.words.get(token, 0)
        if token in language.terms:
            bits, found = _term(tokens, position, len(tokens), language.terms[token])
            mask, width = (bits, found) if found > 1 else (mask | bits, 1)
        elif not mask and token[0] == "@" and len(token) > 1:
            mask = lexicon.bits["handle"]
        seen |= mask
        if mask & ~lexicon.silent:
            hits.append([at, unknown, mask, position, width])
        if mask & lexicon.blocks:
            unknown += BLOCKED
        elif not mask & lexicon.transparent:
            unknown += 1
        at += width
        position += width
    return [*hits, [at, unknown, seen]]


def words_of(language: Language) -> list[str]:
    """Words alone, in terms, handles and unknown ones."""
    terms = list(language.terms.items())[::9]
    inside = [
        word
        for _, held in terms
        for second, tails in held.items()
        for word in (second, *(w for rest, _ in tails for w in rest))
        if word != ".."
    ]
    own = [*list(language.words)[::7], *(first for first, _ in terms), *inside]
    return [*own, *(["xqzz", "@", "@anna", ",", "é", "🍑"] * 40)]


@settings(deadline=None)
@given(st.data(), st.sampled_from(["en", "fr", "es", "de"]))
def test_a_sentence_is_read_word_by_word(data: st.DataObject, name: str) -> None:
    lexicon = load_lexicon()
    language = lexicon.languages[name]
    some = st.sampled_from(words_of(language))
    together = st.sampled_from([
        [first, second, *rest]
        for first, held in list(language.terms.items())[::5]
        for second, tails in held.items() for rest, _ in tails
    ])  # fmt: skip
    parts = data.draw(st.lists(together | st.lists(some, max_size=3), max_size=8))
    tokens = [word.replace("..", "xqzz") for part in parts for word in part]
    lists: list[list[int]] = [[] for _ in range(5)]
    end = _reader(lexicon, name).read(tokens, 0, len(tokens), 3, 2, _term, *lists)
    found = [list(hit) for hit in zip(*lists, strict=True)]
    assert [*found, list(end)] == plainly(tokens, language, lexicon)


def test_a_part_that_is_not_there_is_refused() -> None:
    lists: list[list[int]] = [[] for _ in range(5)]
    for start, end in ((0, 2), (2, 1)):
        with pytest.raises(ValueError, match="no part of the tokens"):
            _reader(load_lexicon(), "en").read(["a"], start, end, 0, 0, _term, *lists)


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
