"""A small network of intent, trained on text written for it: what the rules were not told.

    canonical text ─► hashed n-grams ─┐
    context, classes, rules that fired ┴─► sums of weights ─► hidden layer ─► scores 0..1
                                                  └────── direct ──────────────┘

One logit for each label, and one for `ABUSE`, whether the text is any abuse at all, to which the
sums add directly too. The weights are one byte each and lie in one file, which is mapped, not
read; `scripts/train_text.py` writes it. At a given text each feature has its own share in a score:
`explain` takes it apart again.
"""

from __future__ import annotations

import json
import math
import mmap
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from egide._kernel import TEXT_BUCKETS, TextWeights, text_blocks
from egide.errors import LexiconError
from egide.text.families import load_families
from egide.text.ngrams import CHARACTER_GRAMS, WORD_GRAMS, Piece, canonical, digests
from egide.text.windows import WINDOW, windows_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Buckets = NDArray[np.int64]
    Block = tuple[Buckets, float]
    Bytes = NDArray[np.int8] | memoryview
    Floats = NDArray[np.float32] | memoryview[float]

Logits = list[float]
"""The logit of each label."""

FILE: Final = Path(__file__).parent / "data" / "intent-model.bin"
FORMAT: Final = 2
MAGIC: Final = b"egide-text-model "
ABUSE: Final = "abuse"
"""The score for being abuse of whichever kind."""
_LONGEST_HEADER: Final = 1 << 14


class Cue(NamedTuple):
    """A piece, its span where the text was cut from, and how much it weighed for a label."""

    text: str
    start: int
    end: int
    weight: float


class Told(NamedTuple):
    """What is known of a text beside its letters.

    `classes` are the lexicon's classes that were read in it, `hits` those of each word in turn.
    They count in pairs: that carries what was learned in one language to the others.
    """

    context: str = ""
    with_photo: bool = False
    rules: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    hits: tuple[tuple[str, ...], ...] = ()

    def packed(self) -> tuple[bytes, bytes, list[bytes]]:
        """Facts, classes and hits as the kernel takes them."""
        own = (f"context:{self.context}", *(f"rule:{rule}" for rule in self.rules))
        facts = (*own, "photo") if self.with_photo else own
        return digests(facts), digests(self.classes), [digests(hit) for hit in self.hits]


_NOTHING_TOLD: Final = Told()


def blocks_of(text: str, told: Told = _NOTHING_TOLD) -> list[Block]:
    """Buckets, 0..`TEXT_BUCKETS`-1, that belong together, and what each counts, however often.

    First what is told, then of the canonical `text` its words, characters and families.
    """
    keys, family = load_families()
    return text_blocks(text, keys, family, *told.packed())


class Scored(NamedTuple):
    """Pieces `first` to `last` of a text, as they are hashed, and the logit of each label."""

    first: int
    last: int
    text: str
    logits: Logits


class Head(NamedTuple):
    """What stands above the sums: a rectified hidden layer, and from it the logits of the labels.

    `hidden` is (units, inner), `hidden_biases` (units,), `out` (labels, units), `out_biases`
    (labels,); all float32.
    """

    hidden: Floats
    hidden_biases: Floats
    out: Floats
    out_biases: Floats

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> Head:
        """What `_asdict` gave, as lists; ValueError when it is none."""
        hidden, biases = list(parts["hidden"]), _floats(parts["hidden_biases"])
        out_biases = _floats(parts["out_biases"])
        units = len(biases)
        inner = len(hidden[0]) if hidden else 0
        if len(hidden) != units:
            raise ValueError("the hidden layer has as many rows as biases")
        rows = parts["out"] if units else [()] * len(out_biases)
        out = _matrix(rows, len(out_biases), units)
        return cls(_matrix(hidden, units, inner), biases, out, out_biases)

    def arrays(self) -> list[NDArray[np.float32]]:
        """The four as arrays, not copied."""
        import numpy as np  # noqa: PLC0415  start-up time

        return [np.asarray(part) for part in self]

    @classmethod
    def none(cls, biases: Sequence[float]) -> Head:
        """No hidden layer: each label's sum is its logit, but for its bias."""
        return cls.of({"hidden": [], "hidden_biases": [], "out": [], "out_biases": biases})


class _Hashed(NamedTuple):
    """A window cut into pieces: its text, and where each n-gram is hashed to and what it counts.

    N-grams that share a bucket share what it counts.
    """

    pieces: Sequence[Piece]
    text: str
    words: tuple[Buckets, NDArray[np.float64]]
    letters: tuple[Buckets, NDArray[np.float64]]

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> _Hashed:
        """The pieces as the model hashes them."""
        text = _joined(pieces)
        words, letters = (
            (buckets, share / _occurrences(buckets)) for buckets, share in blocks_of(text)[-3:-1]
        )
        return cls(pieces, text, words, letters)


@dataclass(frozen=True, eq=False)
class TextModel:
    """Weights (`TEXT_BUCKETS` × columns, one byte each) with the scales to read them by.

    The first columns are direct: they add to the logits of the first labels. The others are what
    the hidden layer of `head` has before it.
    """

    labels: tuple[str, ...]
    weights: Bytes
    scales: Floats
    head: Head
    thresholds: Mapping[str, Mapping[str, float]]
    """By use (`alone`, `with_rule`) and label: from which score on a text has the label."""

    @cached_property
    def _kernel(self) -> TextWeights:
        return TextWeights(self.weights, self.scales, *self.head, *load_families())

    def scores(self, key: str, told: Told = _NOTHING_TOLD) -> dict[str, float]:
        """How sure, 0..1, that the folded text `key`, of which `told` is known, has each label.

        Of a long text each window is scored; the highest counts. Linear in the length, and
        nothing beyond `MOST_READ` characters is read.
        """
        text = canonical(key)
        if len(text) <= WINDOW:
            (best,) = self._logits(text, [(0, len(text))], told)
        else:
            bounds = [(window.begin, window.end) for window in windows_of(text)]
            best = list(map(max, zip(*self._logits(text, bounds, told), strict=True)))
        return dict(zip(self.labels, probabilities(best), strict=True))

    def windows(self, key: str, told: Told = _NOTHING_TOLD) -> list[Scored]:
        """Each window of the folded text `key`, with the logits of the labels."""
        text = canonical(key)
        windows = list(windows_of(text))
        logits = self._logits(text, [(window.begin, window.end) for window in windows], told)
        return [
            Scored(window.first, window.last, text[window.begin : window.end], own)
            for window, own in zip(windows, logits, strict=True)
        ]

    def explain(
        self, cut: Sequence[Piece], labels: Sequence[str], most: int = 8, told: Told = _NOTHING_TOLD
    ) -> list[list[Cue]]:
        """What weighed most for each of `labels` in a text cut into pieces, heaviest first.

        At most `most` pieces a label, none of which shares a character with a heavier one. `told`
        is what is known of the text: what a word weighs depends on what stands beside it.
        """
        if not cut:
            return [[] for _ in labels]
        text = _joined(cut)
        windows = list(windows_of(text))
        bounds = [(window.begin, window.end) for window in windows]
        logits = self._logits(text, bounds, told) if len(windows) > 1 else []
        seen: dict[int, _Hashed] = {}
        found = []
        for label in labels:
            column = self.labels.index(label)
            best = max(range(len(windows)), key=lambda at: logits[at][column]) if logits else 0
            if best not in seen:
                seen[best] = _Hashed.of(cut[windows[best].first : windows[best].last])
            found.append(_heaviest(seen[best].pieces, self._shares(seen[best], column, told), most))
        return found

    def _shares(self, window: _Hashed, label: int, told: Told) -> NDArray[np.float64]:
        """What each piece adds to the logit of a label: its even share in each of its n-grams."""
        import numpy as np  # noqa: PLC0415  start-up time

        weights = np.asarray(self.weights)
        slopes = np.array(self._kernel.slopes(window.text, label, *told.packed()))
        words, letters = (
            weights[buckets] @ slopes * shares for buckets, shares in (window.words, window.letters)
        )
        by_letter = _spread(letters, len(window.text), CHARACTER_GRAMS)
        ends = np.cumsum([len(piece.text) + 1 for piece in window.pieces])
        # A space is the end of the word before it.
        found: NDArray[np.float64] = np.add.reduceat(by_letter[1:], np.r_[0, ends[:-1]])
        return found + _spread(words, len(window.pieces), WORD_GRAMS)

    def _logits(self, text: str, bounds: Sequence[tuple[int, int]], told: Told) -> list[Logits]:
        """The logits of each of these parts of one canonical text."""
        return self._kernel.logits(text, bounds, *told.packed())


def probabilities(logits: Logits) -> list[float]:
    """The logistic function of each of `logits`, which count up to 30 either way."""
    return [1.0 / (1.0 + math.exp(min(30.0, max(-30.0, -logit)))) for logit in logits]


@lru_cache(maxsize=2)
def load_model(path: Path = FILE) -> TextModel:
    """The model in `path`, its weights mapped; LexiconError when the file is not one.

    Its numbers are plain buffers: importing numpy would take a third of the start-up.
    """
    try:
        told, length = read_header(path)
        labels = tuple(told["labels"])
        scales, head = _floats(told["scales"]), Head.of(told["head"])
        weights = _mapped(path, length, len(scales))
        inner = len(told["head"]["hidden"][0]) if len(head.hidden) else 0
        if len(labels) != len(head.out) or len(scales) - inner > len(labels):
            raise LexiconError(f"{path.name}: its parts do not fit together; reinstall égide")
        return TextModel(labels, weights, scales, head, told["thresholds"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise LexiconError(f"{path.name}: {error}; reinstall égide") from error


def _mapped(path: Path, begin: int, columns: int) -> memoryview:
    """(`TEXT_BUCKETS`, columns): the bytes of `path` from `begin` on; ValueError when too few."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    rows = memoryview(mapped)[begin : begin + TEXT_BUCKETS * columns]
    if len(rows) < TEXT_BUCKETS * columns:
        raise ValueError("it is cut off")
    return rows.cast("b", (TEXT_BUCKETS, columns))


def _floats(numbers: Iterable[float]) -> memoryview[float]:
    """`numbers` as 32 bits each."""
    return memoryview(array("f", numbers).tobytes()).cast("f")


def _matrix(rows: Sequence[Sequence[float]], height: int, width: int) -> Floats:
    """(height, width): `rows` as 32 bits each; ValueError when they are not of that shape."""
    if len(rows) != height or any(len(row) != width for row in rows):
        raise ValueError("rows of a matrix are of one length")
    if not height * width:  # which no memoryview can be
        import numpy as np  # noqa: PLC0415  start-up time

        return np.zeros((height, width), np.float32)
    return _floats(chain.from_iterable(rows)).cast("B").cast("f", (height, width))


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """What the model in `path` says of itself, and where its weights begin; LexiconError."""
    try:
        with path.open("rb") as file:
            header = file.readline(_LONGEST_HEADER)
        if not header.startswith(MAGIC):
            raise LexiconError(f"{path.name}: no text model; run scripts/train_text.py")
        told: dict[str, Any] = json.loads(header[len(MAGIC) :])
        if told["format"] != FORMAT or 1 << told["bits"] != TEXT_BUCKETS:
            raise LexiconError(f"{path.name}: of another version; run scripts/train_text.py")
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise LexiconError(f"{path.name}: {error}; reinstall égide") from error
    return told, len(header)


def save_model(model: TextModel, path: Path = FILE, more: Mapping[str, Any] | None = None) -> None:
    """Writes `model` so that `load_model` reads it back; the same model gives the same bytes.

    `more` is put into the header. The file appears whole or not at all: who has the old one open
    keeps it.
    """
    header = json.dumps(
        {
            **(more or {}),
            "format": FORMAT,
            "bits": TEXT_BUCKETS.bit_length() - 1,
            "labels": list(model.labels),
            "scales": model.scales.tolist(),
            "head": {name: _shortest(part) for name, part in model.head._asdict().items()},
            "thresholds": {use: dict(held) for use, held in model.thresholds.items()},
        },
        sort_keys=True,
    ).encode()
    if len(MAGIC) + len(header) >= _LONGEST_HEADER:
        raise ValueError("the header of the text model is too long")
    beside = path.with_name(f"{path.name}.part")
    beside.write_bytes(MAGIC + header + b"\n" + model.weights.tobytes())
    beside.replace(path)


def _shortest(given: Floats) -> Any:
    """`given` as lists, each number with the fewest digits by which it is read back."""
    import numpy as np  # noqa: PLC0415  start-up time

    numbers = np.asarray(given)
    return numbers.astype(str).astype(float).tolist() if numbers.size else numbers.tolist()


def _heaviest(pieces: Sequence[Piece], weights: NDArray[np.float64], most: int) -> list[Cue]:
    """At most `most` of the pieces that have weight, apart from each other, heaviest first."""
    kept: list[Cue] = []
    for number in (-weights).argsort(kind="stable").tolist():
        piece, weight = pieces[number], round(float(weights[number]), 4)
        if weight <= 0 or len(kept) == most:
            break
        if not any(piece.start < other.end and other.start < piece.end for other in kept):
            kept.append(Cue(piece.text, piece.start, piece.end, weight))
    return kept


def _joined(cut: Sequence[Piece]) -> str:
    """The canonical text of these pieces."""
    return f" {' '.join(piece.text for piece in cut)} "


def _occurrences(buckets: Buckets) -> NDArray[np.int64]:
    """How often the bucket of each place is there."""
    import numpy as np  # noqa: PLC0415  start-up time

    _, place, counts = np.unique(buckets, return_inverse=True, return_counts=True)
    often: NDArray[np.int64] = counts[place]
    return often


def _spread(weights: NDArray[np.float64], many: int, sizes: Sequence[int]) -> NDArray[np.float64]:
    """The share of each of `many` parts in the weights of their n-grams, shortest first."""
    import numpy as np  # noqa: PLC0415  start-up time

    found, at = np.zeros(many), 0
    for size in sizes:
        own = weights[at : at + max(0, many - size + 1)] / size
        for place in range(size):
            found[place : place + len(own)] += own
        at += len(own)
    return found
