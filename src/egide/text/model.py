"""A linear model of intent, trained on text written for it: what the rules were not told.

    canonical text ─► hashed n-grams ─┐
    context, classes, rules that fired ┴─► one weight a label each ─► scores 0..1

One logistic regression for each label, and one for `ABUSE`, whether the text is any abuse at all.
The weights are one byte each and lie in one file, which is mapped, not read;
`scripts/train_text.py` writes it. The score of a text is a sum: `explain` takes it apart again.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from egide.errors import LexiconError
from egide.text.ngrams import (
    BITS,
    BUCKETS,
    CHARACTER_GRAMS,
    WORD_GRAMS,
    Piece,
    canonical,
    features,
    named,
    named_and_paired,
    named_in_order,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from egide.text.ngrams import Buckets

    Block = tuple[Buckets, float]
    Logits = NDArray[np.float64]

FILE: Final = Path(__file__).parent / "data" / "intent-model.bin"
FORMAT: Final = 1
MAGIC: Final = b"egide-text-model "
ABUSE: Final = "abuse"
"""The score for being abuse of whichever kind."""
WINDOW: Final = 300
"""Characters that are scored together; of a longer text the windows overlap by half."""
MOST_READ: Final = 1 << 16
"""Of a longer canonical text the beginning is scored."""
FACT_SHARE: Final = 0.3
CLASS_SHARE: Final = 1.4
ORDER_SHARE: Final = 1.0
"""What one fact counts, all classes and all in their order, beside a block of n-grams (1)."""
_OVERLAPS: Final = 6
_PASS: Final = 1_200
"""Characters whose windows are scored in one pass."""
_LONGEST_HEADER: Final = 1 << 14


class Cue(NamedTuple):
    """An n-gram, its span where the text was cut from, and how much it weighed for a label."""

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

    def blocks(self) -> Iterator[Block]:
        """Buckets that belong together, and what each of them counts."""
        own = [f"context:{self.context}", *(f"rule:{rule}" for rule in self.rules)]
        if self.with_photo:
            own.append("photo")
        yield named(tuple(own)), FACT_SHARE
        if self.classes:
            paired, ordered = named_and_paired(self.classes), named_in_order(self.hits)
            yield paired, CLASS_SHARE / math.sqrt(len(paired))
            yield ordered, ORDER_SHARE / math.sqrt(max(1, len(ordered)))


_NOTHING_TOLD: Final = Told()


class Scored(NamedTuple):
    """Pieces `first` to `last` of a text, as they are hashed, and the logit of each label."""

    first: int
    last: int
    text: str
    logits: Logits


@dataclass(frozen=True, eq=False)
class TextModel:
    """Weights (`BUCKETS` × labels, one byte each) with the scales that they are to be read by."""

    labels: tuple[str, ...]
    weights: NDArray[np.int8]
    scales: NDArray[np.float32]
    biases: NDArray[np.float32]
    thresholds: Mapping[str, Mapping[str, float]]
    """By use (`alone`, `with_rule`) and label: from which score on a text has the label."""

    def scores(self, key: str, told: Told = _NOTHING_TOLD) -> dict[str, float]:
        """How sure, 0..1, that the folded text `key`, of which `told` is known, has each label.

        Of a long text each window is scored; the highest counts. Linear in the length, and
        nothing beyond `MOST_READ` characters is read.
        """
        text = canonical(key)
        known = list(told.blocks())
        if len(text) <= WINDOW:
            best = self._logits(text, known)
        else:
            import numpy as np  # noqa: PLC0415  start-up time

            best = np.maximum.reduce(list(self._logits_of_windows(text, known)))
        return {
            label: probability(logit)
            for label, logit in zip(self.labels, best.tolist(), strict=True)
        }

    def windows(self, key: str, told: Told = _NOTHING_TOLD) -> list[Scored]:
        """Each window of the folded text `key`, with the logits of the labels."""
        text = canonical(key)
        known = list(told.blocks())
        if len(text) <= WINDOW:
            return [Scored(0, len(text.split()), text, self._logits(text, known))]
        return [
            Scored(window.first, window.last, text[window.begin : window.end], logits)
            for window, logits in zip(
                _windows(text), self._logits_of_windows(text, known), strict=True
            )
        ]

    def explain(self, cut: Sequence[Piece], label: str, most: int = 8) -> list[Cue]:
        """What weighed most for `label` in a text cut into pieces, heaviest first.

        At most `most` n-grams, none of which shares a character with a heavier one.
        """
        column = self.labels.index(label)
        window = self._heaviest(cut, column)
        if not window:
            return []
        cues = [
            cue
            for grams, buckets in _grams(window)
            for cue in self._cues(grams, buckets, column, most)
        ]
        cues.sort(key=lambda cue: (-cue.weight, cue.start))
        kept: list[Cue] = []
        for cue in cues:
            if len(kept) < most and not any(
                cue.start < other.end and other.start < cue.end for other in kept
            ):
                kept.append(cue)
        return kept

    def _cues(self, grams: _Run, buckets: Buckets, column: int, most: int) -> Iterator[Cue]:
        """The n-grams of one kind that weigh most; some more than `most`, since they overlap."""
        weights = self.weights[buckets, column]
        share = float(self.scales[column]) / math.sqrt(max(1, len(buckets)))
        for number in (
            (-weights.astype("int16")).argsort(kind="stable")[: most * _OVERLAPS].tolist()
        ):
            if weights[number] > 0:
                yield Cue(*grams.at(number), round(float(weights[number]) * share, 4))

    def _heaviest(self, cut: Sequence[Piece], column: int) -> Sequence[Piece]:
        """The window of `cut` that scores highest for the label of `column`."""
        if not cut:
            return ()
        text = f" {' '.join(piece.text for piece in cut)} "
        windows = list(_windows(text))
        if len(windows) == 1:
            return cut
        weights = [float(found[column]) for found in self._logits_of_windows(text, ())]
        best = windows[weights.index(max(weights))]
        return cut[best.first : best.last]

    def _logits(self, text: str, known: Sequence[Block]) -> NDArray[np.float64]:
        """The logit of each label for one canonical text of which `known` is told."""
        import numpy as np  # noqa: PLC0415  start-up time

        blocks = [*known, *((found, 1 / math.sqrt(max(1, len(found)))) for found in features(text))]
        rows = self.weights.take(np.concatenate([buckets for buckets, _ in blocks]), axis=0)
        member = np.zeros((len(blocks), len(rows)), np.float32)
        start = 0
        for own, (buckets, _) in zip(member, blocks, strict=True):
            own[start : start + len(buckets)] = 1
            start += len(buckets)
        # Sums of whole numbers below 2**24: exact in any order, so the same on every machine.
        sums = (member @ rows.astype(np.float32)) * np.array([(share,) for _, share in blocks])
        logits: NDArray[np.float64] = np.add.reduce(sums, axis=0) * self.scales + self.biases
        return logits

    def _logits_of_windows(
        self, text: str, known: Sequence[Block]
    ) -> Iterator[NDArray[np.float64]]:
        """The logits of each window of one canonical text.

        Windows overlap: n-grams are hashed, and their weights looked up, for several at once.
        """
        import numpy as np  # noqa: PLC0415  start-up time

        told = [self._sum_of(buckets) for buckets, _ in known]
        for windows in _together(text):
            begin, end, first = windows[0].begin, windows[-1].end, windows[0].first
            found = features(text[begin:end])
            rows = self.weights.take(np.concatenate(found), axis=0).astype(np.float32)
            member = np.zeros((2 * len(windows), len(rows)), np.float32)
            words, letters = windows[-1].last - first, end - begin
            for number, window in enumerate(windows):
                at = 0
                for size in WORD_GRAMS:
                    own = member[2 * number, at + window.first - first : at + words]
                    own[: max(0, window.last - window.first - size + 1)] = 1
                    at += max(0, words - size + 1)
                for size in CHARACTER_GRAMS:
                    own = member[2 * number + 1, at + window.begin - begin : at + letters]
                    own[: max(0, window.end - window.begin - size + 1)] = 1
                    at += max(0, letters - size + 1)
            sums = member @ rows
            counts = np.add.reduce(member, axis=1).tolist()
            for number in range(0, len(sums), 2):
                shares = [share for _, share in known]
                shares += (1 / math.sqrt(max(1, count)) for count in counts[number : number + 2])
                blocks = np.stack([*told, *sums[number : number + 2]])
                weighed = np.add.reduce(blocks * np.array([(share,) for share in shares]), axis=0)
                yield weighed * self.scales + self.biases

    def _sum_of(self, buckets: Buckets) -> NDArray[np.float32]:
        """The weights of these buckets added up, exactly."""
        found: NDArray[np.float32] = self.weights.take(buckets, axis=0).sum(axis=0, dtype="float32")
        return found


def probability(logit: float) -> float:
    """The logistic function of `logit`, which counts up to 30 either way."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))


@lru_cache(maxsize=2)
def load_model(path: Path = FILE) -> TextModel:
    """The model in `path`, its weights mapped; LexiconError when the file is not one."""
    import numpy as np  # noqa: PLC0415  start-up time

    try:
        told, length = read_header(path)
        labels = tuple(told["labels"])
        weights = np.memmap(path, np.int8, "r", length, (BUCKETS, len(labels)))
        return TextModel(
            labels,
            weights.view(np.ndarray),
            np.array(told["scales"], np.float32),
            np.array(told["biases"], np.float32),
            told["thresholds"],
        )
    except (OSError, KeyError, ValueError) as error:
        raise LexiconError(f"{path.name}: {error}; reinstall égide") from error


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """What the model in `path` says of itself, and where its weights begin; LexiconError."""
    try:
        with path.open("rb") as file:
            header = file.readline(_LONGEST_HEADER)
        if not header.startswith(MAGIC):
            raise LexiconError(f"{path.name}: no text model; run scripts/train_text.py")
        told: dict[str, Any] = json.loads(header[len(MAGIC) :])
        if told["format"] != FORMAT or told["bits"] != BITS:
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
            "bits": BITS,
            "labels": list(model.labels),
            "scales": [float(scale) for scale in model.scales],
            "biases": [float(bias) for bias in model.biases],
            "thresholds": {use: dict(held) for use, held in model.thresholds.items()},
        },
        sort_keys=True,
    ).encode()
    if len(MAGIC) + len(header) >= _LONGEST_HEADER:
        raise ValueError("the header of the text model is too long")
    beside = path.with_name(f"{path.name}.part")
    beside.write_bytes(MAGIC + header + b"\n" + model.weights.tobytes())
    beside.replace(path)


class _Window(NamedTuple):
    """Pieces `first` to `last` of a canonical text, which are its characters `begin` to `end`."""

    first: int
    last: int
    begin: int
    end: int


def _windows(text: str) -> Iterator[_Window]:
    """The windows of a canonical text: `WINDOW` characters, half of them new."""
    starts = list(accumulate((len(piece) + 1 for piece in text.split()), initial=1))
    first = 0
    while True:
        last = bisect_right(starts, starts[first] + WINDOW) - 1
        yield _Window(first, last, starts[first] - 1, starts[last])
        if last >= len(starts) - 1 or starts[last] > MOST_READ:
            return
        first = max(first + 1, bisect_right(starts, starts[first] + WINDOW // 2) - 1)


def _together(text: str) -> Iterator[list[_Window]]:
    """The windows of `text` in runs that are worth one pass."""
    run: list[_Window] = []
    for window in _windows(text):
        if run and window.end - run[0].begin > _PASS:
            yield run
            run = []
        run.append(window)
    yield run


class _Run(NamedTuple):
    """Parts of a text whose n-grams were hashed: all of the first size, then of the next."""

    parts: Sequence[str]
    bounds: Sequence[tuple[int, int]]
    sizes: Sequence[int]
    between: str

    def at(self, number: int) -> tuple[str, int, int]:
        """The n-gram of this number: its text, where it begins and ends."""
        for size in self.sizes:
            many = max(0, len(self.parts) - size + 1)
            if number < many:
                last = number + size
                text = self.between.join(self.parts[number:last])
                return text.strip(), self.bounds[number][0], self.bounds[last - 1][1]
            number -= many
        raise IndexError(number)


def _grams(cut: Sequence[Piece]) -> Iterator[tuple[_Run, Buckets]]:
    """The n-grams of words, then of characters, with their buckets."""
    text = f" {' '.join(piece.text for piece in cut)} "
    found = features(text)
    bounds = [(piece.start, piece.end) for piece in cut]
    yield _Run([piece.text for piece in cut], bounds, WORD_GRAMS, " "), found.words
    bounds = [(cut[0].start, cut[0].start)]
    for piece in cut:
        if len(piece.text) == piece.end - piece.start:
            bounds += [(piece.start + n, piece.start + n + 1) for n in range(len(piece.text))]
        else:
            bounds += [(piece.start, piece.end)] * len(piece.text)
        bounds.append((piece.end, piece.end))
    yield _Run(text, bounds, CHARACTER_GRAMS, ""), found.characters
