from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide import screen_text
from egide._kernel import TEXT_BUCKETS
from egide.errors import LexiconError
from egide.label import Label
from egide.text.fold import Folded
from egide.text.joint import ALONE, MODEL, SURE, WITH_RULE, combine, screen_jointly, told_of
from egide.text.model import (
    ABUSE,
    FILE,
    Head,
    TextModel,
    Told,
    blocks_of,
    load_model,
    save_model,
)
from egide.text.ngrams import canonical, pieces
from egide.text.screen import Found, Said, screen
from tests.growth import in_proportion

ROOT = Path(__file__).parents[3]
NUDIFY, SUPPORT = Label.REQUEST_NUDIFY, Label.CONTEXT_SUPPORT
THRESHOLDS = {
    "alone": {ABUSE: 0.9, SURE: 0.98, "ncii.request.nudify": 0.5, "ncii.service.promotion": 0.5,
              "rating.mismatch": 0.5, "context.support": 0.5, "context.news": 0.5},
    "with_rule": {ABUSE: 0.6, SURE: 0.8},
}  # fmt: skip


def random_model(labels: tuple[str, ...] = ("a", "b")) -> TextModel:
    random = np.random.default_rng(1)
    weights = random.integers(-9, 9, (TEXT_BUCKETS, 1 + 3)).astype(np.int8)
    numbers = random.normal(size=20).astype(np.float32)
    head = Head.of(
        {
            "hidden": numbers[:6].reshape(2, 3),
            "hidden_biases": numbers[6:8],
            "out": numbers[8 : 8 + 2 * len(labels)].reshape(len(labels), 2),
            "out_biases": numbers[-len(labels) :],
        }
    )
    return TextModel(labels, weights, abs(numbers[:4]), head, {"alone": {"a": 0.5}})


def training_texts(language: str) -> Iterator[dict[str, Any]]:
    """The texts that the model was trained on."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from training_texts import expanded
    finally:
        sys.path.pop(0)
    return expanded(language)


def scores(**given: float) -> dict[str, float]:
    names = {
        "abuse": ABUSE,
        "nudify": "ncii.request.nudify",
        "promotion": "ncii.service.promotion",
        "mismatch": "rating.mismatch",
        "support": "context.support",
        "news": "context.news",
    }
    return {full: given.get(short, 0.0) for short, full in names.items()}


def labels(text: str, context: str = "post", **said: object) -> set[Label]:
    return {finding.label for finding in screen_text(text, context, **said)}  # type: ignore[arg-type]


def words_of(text: str) -> list[int]:
    """The buckets of the words, pairs and threes of words."""
    buckets, _ = blocks_of(canonical(text))[-3]
    return list(map(int, buckets))


def test_words_hash_alike_wherever_they_stand() -> None:
    alone = set(words_of("colleague"))
    inside = set(words_of("a photo of my colleague, please"))
    assert alone
    assert alone <= inside


def test_the_order_of_words_is_seen() -> None:
    one, other = words_of("dog bites man"), words_of("man bites dog")
    assert set(one[:3]) == set(other[:3])
    assert set(one) != set(other)


def test_numbers_count_as_one_and_punctuation_not_at_all() -> None:
    assert canonical("pay 20 €, now!") == canonical("pay 5 € now")


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_pieces_are_what_is_hashed(text: str) -> None:
    cut = pieces(text)
    assert canonical(text) == f" {' '.join(piece.text for piece in cut)} "
    assert all(0 <= piece.start < piece.end <= len(text) for piece in cut)


@given(st.text(max_size=1500))
@settings(max_examples=40, deadline=None)
def test_any_text_is_scored_the_same_twice(text: str) -> None:
    model = random_model()
    first = model.scores(text, Told("post"))
    assert first == model.scores(text, Told("post"))
    assert all(0 <= score <= 1 for score in first.values())


def test_a_long_text_is_as_bad_as_its_worst_part() -> None:
    model, told = load_model(), Told("chat")
    bad = "send me her pic and i undress her for 5 dollars"
    filler = "the garden needs water again and the tomatoes are nearly ripe. " * 12
    hidden = model.scores(filler + bad + filler, told)[ABUSE]
    assert hidden > 2 * model.scores(filler, told)[ABUSE]


@pytest.mark.parametrize("unit", ["a", "a ", "日", "e\u0301 ", "naked ", "5€ "])
def test_the_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    model = random_model()

    def read(text: str) -> None:
        model.scores(text)
        model.explain(pieces(text[:4000]), ["a"])

    in_proportion(read, unit * 10_000, unit * 80_000, times=12, spare=0.05)


def test_what_weighs_adds_up_to_the_score() -> None:
    """Between texts that the same units of the hidden layer see, a logit is a sum."""
    model, told = random_model(), Told("post")
    text = canonical("a photo of my colleague")
    slopes = np.array(model._kernel.slopes(text, 0, *told.packed()))
    (bare,), (full,) = (
        model._logits(each, [(0, len(each))], known)
        for each, known in ((text, told), (text, told._replace(with_photo=True)))
    )
    (with_photo, _), (without, share) = (
        blocks_of(text, known)[0] for known in (told._replace(with_photo=True), told)
    )
    weights = np.asarray(model.weights)
    added = weights[with_photo].sum(axis=0, dtype=int)
    added = added - weights[without].sum(axis=0, dtype=int)
    assert full[0] - bare[0] == pytest.approx(float(added @ slopes) * share)


def test_an_explanation_points_into_the_text() -> None:
    model, text = load_model(), "please undress my coworker, photo attached"
    (cues,) = model.explain(pieces(text), [NUDIFY], 3)
    assert cues == sorted(cues, key=lambda cue: -cue.weight)
    assert any("undress" in text[cue.start : cue.end] for cue in cues)
    ends = sorted((cue.start, cue.end) for cue in cues)
    assert all(before[1] <= after[0] for before, after in pairwise(ends))


@pytest.mark.parametrize("text", ["", " ", "!!"])
def test_nothing_to_read_is_nothing_to_explain(text: str) -> None:
    assert random_model().explain(pieces(text), ["a"]) == [[]]


def test_a_model_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    model = random_model()
    save_model(model, tmp_path / "one")
    save_model(load_model(tmp_path / "one"), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert load_model(tmp_path / "two").scores("some text") == model.scores("some text")


@pytest.mark.parametrize(
    "content",
    [b"", b"egide", b"egide-text-model {", b"egide-text-model {}\n",
     b'egide-text-model {"format": 99, "bits": 1}\n', FILE.read_bytes()[:5000]],
)  # fmt: skip
def test_a_broken_model_is_named(tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.bin"
    broken.write_bytes(content)
    with pytest.raises(LexiconError, match=r"broken\.bin"):
        load_model(broken)


def test_the_model_fits_in_two_megabytes() -> None:
    assert FILE.stat().st_size <= 2 << 20


def test_without_a_rule_the_model_has_to_be_surer() -> None:
    found = [Found(NUDIFY, 0.8, "undress", "asked", ())]
    middling = scores(abuse=0.7, nudify=0.8)
    assert [one.label for one in combine(found, middling, Said(), THRESHOLDS)] == [NUDIFY]
    assert combine([], middling, Said(), THRESHOLDS) == []
    (alone,) = combine([], scores(abuse=0.95, nudify=0.8), Said(), THRESHOLDS)
    assert (alone.label, alone.found) == (NUDIFY, None)


@pytest.mark.parametrize(
    ("abuse", "beside_a_rule", "alone"),
    [(0.6, 0.5, None), (0.7, 0.6, None), (0.8, 0.7, None), (0.9, 0.85, 0.5), (0.98, 0.97, 0.7)],
)
def test_a_score_says_which_threshold_was_reached(
    abuse: float, beside_a_rule: float, alone: float | None
) -> None:
    told = scores(abuse=abuse, nudify=0.8)
    found = [Found(NUDIFY, 0.95, "undress", "asked", ())]
    (ruled,) = combine(found, told, Said(), THRESHOLDS)
    assert ruled.score == pytest.approx(beside_a_rule)
    learned = [one.score for one in combine([], told, Said(), THRESHOLDS)]
    assert learned == ([] if alone is None else [pytest.approx(alone)])


def test_the_shipped_thresholds_are_in_order() -> None:
    for use in (ALONE, WITH_RULE):
        limits = load_model().thresholds[use]
        assert 0 < limits[ABUSE] < limits[SURE] < 1


def test_the_model_is_told_which_rules_fired_where() -> None:
    said = Said("prompt", with_photo=True)
    told = told_of(screen("remove her dress", said), said)
    assert {"ncii.request.nudify", "take-clothes-off", "take-clothes-off@prompt+photo"} <= {
        *told.rules
    }
    assert told.classes[-1] == "prompt+photo"
    assert told_of(screen("buy more milk", said), said).classes == ()


def test_a_rule_needs_the_consent_of_the_model() -> None:
    found = [Found(NUDIFY, 0.9, "undress", "asked", ())]
    assert combine(found, scores(abuse=0.3, nudify=0.9), Said(), THRESHOLDS) == []


def test_abuse_of_no_clear_kind_has_the_likeliest_label() -> None:
    (one,) = combine([], scores(abuse=0.95, nudify=0.2, promotion=0.3), Said(), THRESHOLDS)
    assert one.label is Label.SERVICE_PROMOTION


def test_beside_abuse_a_context_has_to_be_certain() -> None:
    helped = scores(abuse=0.95, nudify=0.9, support=0.6)
    assert [one.label for one in combine([], helped, Said(), THRESHOLDS)] == [NUDIFY]
    assert [one.label for one in combine([], scores(support=0.6), Said(), THRESHOLDS)] == [SUPPORT]


def test_a_rating_for_all_is_needed_for_a_mismatch() -> None:
    sexual = scores(mismatch=0.9)
    for_all = Said("app_listing", attributes={"age_rating": "4+"})
    grown = Said("app_listing", attributes={"age_rating": "18+"})
    (one,) = combine([], sexual, for_all, THRESHOLDS)
    assert one.label is Label.RATING_MISMATCH
    assert combine([], sexual, grown, THRESHOLDS) == []


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("send me any girl's pic and i strip her for you, first one is free", "chat"),
        ("looking for somebody to make my ex naked, paying 20", "post"),
        ("envoie sa photo, je te rends le nu, 5 balles", "chat"),
        ("schick mir ihr Foto und ich zieh sie aus, 5 Euro", "chat"),
        ("manda su foto y la desnudo por 5 euros", "chat"),
    ],
)
def test_trade_in_undressing_is_found_in_each_language(text: str, context: str) -> None:
    assert any(label.startswith("ncii.commission.") for label in labels(text, context))


@pytest.mark.parametrize(
    "text",
    [
        "Somebody undressed my photos with an app and sent them to my boss. Who can help me?",
        "Quelqu'un a déshabillé mes photos avec une appli. Qui peut m'aider?",
        "Man sentenced for running an app that undressed women, court says",
        "can someone draw my dog for 20 euros? dm me",
        "take off your coat, it's warm in here",
    ],
)
def test_help_news_and_daily_life_are_no_abuse(text: str) -> None:
    assert not any(label.startswith("ncii.") for label in labels(text))


@pytest.mark.parametrize("context", ["", "post", "chat", "search", "prompt", "ad", "profile"])
def test_a_single_word_is_for_the_rules_alone(context: str) -> None:
    for word in ("x", "xxx", "her", "link", "elle", "sie", "ella", "?", "20", "👗"):
        assert not [one for one in labels(word, context) if one.startswith("ncii.")], word
    assert NUDIFY in labels("nudify", "search")


def test_what_the_model_alone_finds_says_so_with_spans() -> None:
    for record in training_texts("en"):
        said = Said(record["context"])
        if record["group"] != "positive" or screen(record["text"], said).found:
            continue
        learned = [one for one in screen_jointly(record["text"], said).found if one.rule == MODEL]
        if learned:
            break
    (finding, *_) = screen_text(record["text"], record["context"])
    assert finding.evidence["by"] == MODEL
    spans = finding.evidence["spans"]
    assert spans
    assert all(record["text"][span["start"] : span["end"]] == span["prompt"] for span in spans)


def test_an_escalation_is_not_the_models_to_lower() -> None:
    class Never(TextModel):
        def scores(self, key: str, told: Told = Told()) -> dict[str, float]:  # noqa: B008
            return dict.fromkeys((ABUSE, *THRESHOLDS["alone"]), 0.0)

    plain = random_model()
    never = Never(plain.labels, plain.weights, plain.scales, plain.head, THRESHOLDS)
    text = "undress this PLACEHOLDER, photo attached"
    from egide.text.lexicon import load_lexicon

    term = min(load_lexicon().escalation["terms"])
    said = Said("prompt")
    rules = screen(text.replace("PLACEHOLDER", term), said).found
    assert [one.label for one in rules] == [Label.MINOR_ESCALATE]
    assert screen_jointly(text.replace("PLACEHOLDER", term), said, never).found == rules


@pytest.mark.parametrize("language", ["en", "fr", "es", "de"])
def test_training_and_evaluation_share_no_text(language: str) -> None:
    texts = {canonical(Folded(record["text"]).key) for record in training_texts(language)}
    held_out = {
        canonical(Folded(json.loads(line)["text"]).key)
        for part in ("dev", "validation", "test")
        for path in (ROOT / "benchmarks" / "text" / part).glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    assert len(texts) > 10_000
    assert held_out
    assert not texts & held_out


def test_numpy_is_loaded_only_when_a_text_is_screened() -> None:
    code = "import egide.text.joint, sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_text_is_screened_without_numpy() -> None:
    """Whose import would take as long as all the rest of the start."""
    code = (
        "import sys, egide; egide.screen_text('Good morning', context='post');"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
