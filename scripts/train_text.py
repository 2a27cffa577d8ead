"""Trains the models of `egide.text.model` and `egide.text.semantic`; writes them to
`src/egide/text/data`.

    python scripts/train_text.py [--dry-run]

Learns from the exemplars and the training texts, never from `benchmarks/text`. Scores and
thresholds come from cross-validation by source: nothing is scored by a model that has seen texts
of the same hand. Needs scikit-learn and PyTorch, which égide itself does not, and the extra
`semantic`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack
from sklearn.linear_model import LogisticRegression
from torch import nn

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the benchmarks are not installed

from benchmarks.text.records import LANGUAGES, labelled  # noqa: E402
from training_texts import expanded  # noqa: E402

from egide._kernel import TEXT_BUCKETS as BUCKETS  # noqa: E402
from egide.text.fold import Folded  # noqa: E402
from egide.text.joint import ALONE, SURE, WITH_RULE, told_of  # noqa: E402
from egide.text.model import (  # noqa: E402
    ABUSE,
    Head,
    Scored,
    TextModel,
    blocks_of,
    save_model,
)
from egide.text.ngrams import canonical  # noqa: E402
from egide.text.rating import is_for_all  # noqa: E402
from egide.text.screen import Said, Screened, screen  # noqa: E402
from egide.text.semantic import (  # noqa: E402
    LONGEST,
    SemanticModel,
    as_written,
    load_encoder,
    save_semantic_model,
)
from egide.text.windows import windows_of  # noqa: E402

TEXT: Final = ROOT / "src" / "egide" / "text"
LABELS: Final = (
    ABUSE,
    "ncii.request.nudify",
    "ncii.request.sexualize",
    "ncii.request.faceswap",
    "ncii.request.intimate",
    "ncii.service.promotion",
    "ncii.service.referral",
    "ncii.commission.solicit",
    "ncii.commission.offer",
    "rating.mismatch",
    "context.support",
    "context.news",
)
HELD_OUT: Final = ("dev", "validation", "test")
"""The labelled sets that a training text must not resemble."""
MISMATCH: Final = "rating.mismatch"
FOLDS: Final = 5
SAME: Final = 0.85
"""From this cosine on a training text is too near to one that is held out."""
STRENGTH: Final = 200.0
"""The inverse of the regularisation."""
INNER: Final = 13
UNITS: Final = 32
"""What a text is summed up to, and the hidden layer on it. With one direct column, all weights are
`TEXT_BUCKETS` × 14 bytes."""
EPOCHS: Final = 14
BATCH: Final = 128
RATE: Final = 0.01
DECAY: Final = 0.05
DROPPED: Final = 0.5
"""The share of features that is left out of a text each time that the network sees it."""
DROPPED_UNITS: Final = 0.3
RARITY: Final = 0.75
"""The power of the inverse document frequency by which a feature counts in training."""
MEANING_SHARE: Final = 1.0
"""What the encoder's vector counts in training, beside a block of n-grams (1)."""
FALSE_POSITIVES: Final = {ABUSE: 0.015, SURE: 0.003}
ORDINARY: Final = {ABUSE: 0.002, SURE: 0.0003}
"""The shares of hard negatives and of ordinary texts that may be taken for abuse, from the wide
threshold on and from the strict one. Both are harder here than elsewhere: with the wide one less
than 1 % of the hard negatives of `benchmarks/text/validation` are found."""
PLAIN: Final = "-plain"
"""How the names of the sources end whose texts have nothing to do with the matter."""
MISMATCHES: Final = 0.05
"""The share of harmless listings rated for all that may be taken for mismatched. They are few."""
LOWEST: Final = 0.2
NOTHING: Final[list[float]] = []
USES: Final = (ALONE, WITH_RULE)
_TOLD_OF: Final = frozenset({"law", "education", "parents"})


@dataclass(frozen=True)
class Row:
    """One labelled text."""

    text: str
    language: str
    labels: frozenset[str]
    group: str
    said: Said
    source: str


def exemplars() -> list[Row]:
    """The first texts of every language."""
    return [
        _row(json.loads(line), path.stem)
        for path in sorted((TEXT / "exemplars").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def _row(record: dict[str, Any], language: str) -> Row:
    attributes = {"age_rating": record["age_rating"]} if "age_rating" in record else {}
    said = Said(record.get("context", ""), record.get("with_photo", False), attributes)
    source = record.get("source", f"{language}-exemplars")
    return Row(record["text"], language, frozenset(record["labels"]), record["group"], said, source)


def unlike(rows: Sequence[Row], others: Sequence[str]) -> list[Row]:
    """The rows whose text is not nearly one of `others`."""
    mine, theirs = grams([row.text for row in rows]), grams(others)
    nearest = (mine @ theirs.T).max(axis=1).toarray().ravel()
    return [row for row, likeness in zip(rows, nearest, strict=True) if likeness < SAME]


def grams(texts: Sequence[str]) -> csr_matrix:
    """Texts × `BUCKETS`: which character n-grams are in each; rows of length 1."""
    hashed = (blocks_of(canonical(Folded(text).key)[:4000])[-2] for text in texts)
    indices = [np.unique(characters) for characters, _ in hashed]
    values = np.concatenate([np.full(len(i), 1 / np.sqrt(max(1, len(i)))) for i in indices])
    ends = np.cumsum([0, *map(len, indices)])
    return csr_matrix((values, np.concatenate(indices), ends), shape=(len(texts), BUCKETS))


@dataclass(frozen=True)
class Parts:
    """Texts in the windows that are scored: a text is as bad as the worst of them.

    `x`, parts × features, is what each multiplies the weights by, as `TextModel` does; `row` the
    text that each is of, in ascending order.
    """

    x: csr_matrix
    row: NDArray[np.int64]

    def worst(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """The highest of the logits of each text's parts."""
        starts = np.unique(self.row, return_index=True)[1]
        highest: NDArray[np.float64] = np.maximum.reduceat(logits, starts)
        return highest

    def single(self) -> NDArray[np.bool_]:
        """Whether each part is the whole of its text."""
        alone: NDArray[np.bool_] = np.bincount(self.row)[self.row] == 1
        return alone


def parts_of(rows: Sequence[Row], told: Sequence[Screened]) -> Parts:
    """The windows of each text, hashed."""
    indices, values, ends, held, numbers = [], [], [0], 0, []
    for number, (row, screened) in enumerate(zip(rows, told, strict=True)):
        known = told_of(screened, row.said)
        for part in cut_up(screened):
            for buckets, share in blocks_of(part.text, known):
                indices.append(np.unique(buckets))
                values.append(np.full(len(indices[-1]), share, np.float32))
                held += len(indices[-1])
            ends.append(held)
            numbers.append(number)
    entries = np.concatenate(values), np.concatenate(indices), np.array(ends)
    made = csr_matrix(entries, shape=(len(numbers), BUCKETS))
    made.sum_duplicates()
    return Parts(made, np.array(numbers))


def cut_up(screened: Screened) -> list[Scored]:
    """The windows of a text, as the model has them before it has weighed them."""
    text = canonical(screened.normal)
    return [
        Scored(window.first, window.last, text[window.begin : window.end], NOTHING)
        for window in windows_of(text)
    ]


def folds_of(rows: Sequence[Row]) -> NDArray[np.int64]:
    """A fold for each text: those of one source share it."""
    sizes = Counter(row.source for row in rows)
    fold, load = {}, [0] * FOLDS
    for source, size in sizes.most_common():
        fold[source] = load.index(min(load))
        load[fold[source]] += size
    print(f"{len(rows)} texts of {len(sizes)} sources, folds of {load}")
    return np.array([fold[row.source] for row in rows])


def is_abuse(row: Row) -> bool:
    """Whether the text is abuse whatever it is rated."""
    return any(label.startswith("ncii.") for label in row.labels)


def targets(rows: Sequence[Row], label: str) -> NDArray[np.int8]:
    """1 for texts with the label, 0 for those without, -1 for those that say nothing about it."""
    return np.array([_target(row, label) for row in rows], np.int8)


def _target(row: Row, label: str) -> int:
    if label == ABUSE:
        return 1 if is_abuse(row) else -1 if "rating.mismatch" in row.labels else 0
    if label in row.labels:
        return 1
    offered = any(x.startswith(("ncii.service", "ncii.commission")) for x in row.labels)
    silent = (
        (label.startswith("ncii.request.") and (offered or "rating.mismatch" in row.labels))
        or (label == "ncii.service.promotion" and "ncii.service.referral" in row.labels)
        or (label == "rating.mismatch" and is_abuse(row))
        or (label.startswith("context.") and row.group in _TOLD_OF)
    )
    return -1 if silent else 0


def rarity(x: csr_matrix) -> NDArray[np.float64]:
    """What each feature counts in training: the more, the fewer texts have it.

    Weights are learnt for the scaled features and scaled back: the model knows nothing of it.
    The encoder's numbers, which stand behind the n-grams if at all, count one as the other.
    """
    held = np.asarray((x[:, :BUCKETS] > 0).sum(axis=0)).ravel()
    inverse = np.log(1 + x.shape[0] / (1 + held))
    counts = (inverse / inverse.mean()) ** RARITY
    return np.concatenate([counts, np.full(x.shape[1] - BUCKETS, MEANING_SHARE)])


def asked_of(parts: Parts, y: NDArray[np.int8]) -> NDArray[np.int8]:
    """`y`, of texts, for their parts: of a long text that has the label one part is taken to.

    It is the one that looks most like it to a model of the short texts; of the others nothing is
    said. All parts of a text without the label are without it.
    """
    own = y[parts.row]
    long = (own == 1) & ~parts.single()
    own[long] = -1
    if long.any():
        weights, _ = fitted(parts.x, own, rarity(parts.x))
        logits = np.where(long, parts.x @ weights, -np.inf)
        best = parts.worst(logits)[parts.row]
        own[long & (logits == best)] = 1
    return own


def fitted(
    x: csr_matrix, y: NDArray[np.int8], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Weights and bias of one label; `counts` is what `x` is scaled by."""
    known = y >= 0
    model = LogisticRegression(
        C=STRENGTH, solver="liblinear", dual=True, tol=1e-2, max_iter=300, class_weight="balanced",
        random_state=1,
    )  # fmt: skip
    model.fit((x[known] @ diags(counts)).tocsr(), y[known])
    return model.coef_[0] * counts, float(model.intercept_[0])


@dataclass(frozen=True)
class Learned:
    """A network as arrays: `sums` is (`BUCKETS`, `INNER`)."""

    sums: NDArray[np.float64]
    head: Head

    def logits(self, x: csr_matrix) -> NDArray[np.float64]:
        """Parts × labels."""
        first, first_biases, out, out_biases = self.head.arrays()
        hidden = np.maximum(0, x @ self.sums @ first.T + first_biases)
        logits: NDArray[np.float64] = hidden @ out.T + out_biases
        return logits


def learned(x: csr_matrix, y: NDArray[np.int8], counts: NDArray[np.float64]) -> Learned:
    """A network for all labels (the columns of `y`); `counts` is what `x` is scaled by."""
    torch.manual_seed(1)
    order = np.random.default_rng(1)
    sums = nn.EmbeddingBag(BUCKETS, INNER, mode="sum")
    nn.init.normal_(sums.weight, std=0.05)
    hidden, out = nn.Linear(INNER, UNITS), nn.Linear(UNITS, y.shape[1])
    network = nn.Sequential(hidden, nn.ReLU(), nn.Dropout(DROPPED_UNITS), out)
    scaled = (x @ diags(counts)).tocsr().astype(np.float32)
    known = torch.from_numpy(y.astype(np.float32))
    optimiser = torch.optim.AdamW([*sums.parameters(), *network.parameters()], weight_decay=DECAY)
    batches = -(-len(y) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * batches)
    for _ in range(EPOCHS):
        for rows in np.array_split(order.permutation(len(y)), batches):
            held = scaled[rows]
            shares = torch.from_numpy(held.data)
            shares = shares * (torch.rand(len(shares)) > DROPPED) / (1 - DROPPED)
            starts = torch.from_numpy(held.indptr[:-1].astype(np.int64))
            buckets = torch.from_numpy(held.indices.astype(np.int64))
            logits = network(sums(buckets, starts, per_sample_weights=shares))
            asked = known[torch.from_numpy(rows)]
            told = (asked >= 0).float()
            loss = nn.functional.binary_cross_entropy_with_logits(
                logits, asked.clamp(min=0), weight=told, reduction="sum"
            )
            optimiser.zero_grad()
            (loss / told.sum()).backward()
            optimiser.step()
            schedule.step()
    layers = (hidden.weight, hidden.bias, out.weight, out.bias)
    head = Head(*(layer.detach().numpy() for layer in layers))
    return Learned(sums.weight.detach().numpy() * counts[:, None], head)


def quantised(columns: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Weights in one byte each, and the scale of each column."""
    scales = np.abs(columns).max(axis=0) / 127
    return np.round(columns / scales).astype(np.int8), scales.astype(np.float32)


@dataclass(frozen=True)
class Mixed:
    """What a logit is of two: `first` × the one + `second` × the other + `bias`."""

    first: float
    second: float
    bias: float

    @classmethod
    def of(cls, one: NDArray[np.float64], other: NDArray[np.float64], y: NDArray[np.int8]) -> Mixed:
        """The mixture that tells best which texts have the label."""
        both, known = np.stack([one, other], axis=1), y >= 0
        found = LogisticRegression(C=1e3).fit(both[known], y[known])
        first, second = map(float, found.coef_[0])
        mixed = cls(first, second, float(found.intercept_[0]))
        print(mixed)
        return mixed

    def __call__(self, one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mixed logits."""
        return self.first * one + self.second * other + self.bias


def cross_validated(
    parts: Parts, y: NDArray[np.int8], folds: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logits by models that have not seen the source of a text; `y` is parts × labels.

    Those of the linear model, one a part, and those of the network, parts × labels.
    """
    counts, x, held = rarity(parts.x), parts.x, folds[parts.row]
    linear, network = np.zeros(x.shape[0]), np.zeros(y.shape)
    for fold in range(FOLDS):
        own = held == fold
        weights, bias = fitted(x[~own], y[~own, 0], counts)
        linear[own] = x[own] @ weights + bias
        network[own] = learned(x[~own], y[~own], counts).logits(x[own])
    return linear, network


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logistic function."""
    return 1 / (1 + np.exp(-logits))


def threshold(negatives: NDArray[np.float64], rate: float) -> float:
    """The score that at most `rate` of `negatives` reach."""
    return float(np.quantile(negatives, 1 - rate, method="higher")) + 1e-4


def ruled(told: Sequence[Screened]) -> NDArray[np.bool_]:
    """Whether the rules have found abuse in each text."""
    return np.array(
        [any(one.label.startswith("ncii.") for one in each.found) for each in told], bool
    )


def thresholds_of(
    scores: NDArray[np.float64],
    y: NDArray[np.int8],
    uses: NDArray[np.bool_],
    rate: float,
    least: float,
) -> tuple[float, float]:
    """Of `ABUSE` without and with a rule: the best recall at this rate of false positives."""
    allowed = int(rate * (y == 0).sum())
    alone, beside = scores[(y == 0) & ~uses], scores[(y == 0) & uses]
    single = _reached(scores[y == 0], allowed)
    best = (0, max(single, least), single)
    for wrong in range(allowed + 1):
        low = max(_reached(alone, wrong), least)
        high = _reached(beside, allowed - int((alone >= low).sum()))
        flagged = scores >= np.where(uses, high, low)
        if high <= low:  # a rule that agrees never makes it harder
            best = max(best, (int(flagged[y == 1].sum()), low, high))
    return best[1:]


def _reached(negatives: NDArray[np.float64], most: int) -> float:
    """The score that at most so many of `negatives` reach."""
    ordered = np.sort(negatives)[::-1]
    return float(ordered[most]) + 1e-4 if most < len(ordered) else LOWEST


def report(name: str, rows: Sequence[Row], flagged: NDArray[np.bool_], keys: Sequence[str]) -> None:
    """Prints recall and false positives, by language or another key of each text."""
    bad, y = np.array([is_abuse(row) for row in rows]), targets(rows, ABUSE)
    for key in ("", *sorted(set(keys))):
        mine = np.array([not key or each == key for each in keys])
        missed, wrong = bad & mine, (y == 0) & mine
        recall = f"{flagged[missed].mean():.3f} of {missed.sum()}" if missed.any() else "-"
        false = f"{flagged[wrong].mean():.4f} of {wrong.sum()}" if wrong.any() else "-"
        print(f"{name}, {key or 'all'}: recall {recall}, false {false}")


def label_thresholds(rows: Sequence[Row], scores: NDArray[np.float64]) -> dict[str, float]:
    """For each label the score of best F1, among the texts where it is asked for.

    For `MISMATCH` at least the score that `MISMATCHES` of other listings for all reach.
    """
    found = {}
    abuse = targets(rows, ABUSE) == 1
    for_all = np.array([is_for_all(row.said.attributes.get("age_rating", "17+")) for row in rows])
    tried = np.linspace(0.05, 0.95, 91)
    for column, label in enumerate(LABELS[1:], 1):
        y = targets(rows, label)
        among = (y >= 0) & (abuse | (not label.startswith("ncii.")))
        given, right = scores[among, column], y[among] == 1
        f1 = [
            2 * ((given >= at) & right).sum() / ((given >= at).sum() + right.sum()) for at in tried
        ]
        best = float(tried[int(np.argmax(f1))])
        if label == MISMATCH:  # stands by itself, where others need a sign of abuse
            best = max(best, threshold(scores[(y == 0) & for_all, column], MISMATCHES))
        found[label] = round(best, 3)
        print(f"{label}: threshold {found[label]}, F1 {max(f1):.3f}, {right.sum()} texts")
    return found


@dataclass(frozen=True)
class Corpus:
    """Training texts with their folds, and what the rules see in each."""

    rows: list[Row]
    told: list[Screened]
    folds: NDArray[np.int64]


def gathered() -> Corpus:
    """The texts to train on."""
    rows = exemplars()
    rows += [_row(record, language) for language in LANGUAGES for record in expanded(language)]
    held = (one.text for part in HELD_OUT for code in LANGUAGES for one in labelled(part, code))
    written = len(rows)
    rows = unlike(rows, list(held))
    print(f"{written - len(rows)} texts left out: too near to one that is held out")
    return Corpus(rows, [screen(row.text, row.said) for row in rows], folds_of(rows))


def limits_of(corpus: Corpus, scores: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    """The thresholds of `ABUSE`, by use, for its `scores`; prints what they make of the texts."""
    rows, uses = corpus.rows, ruled(corpus.told)
    y, plain = targets(rows, ABUSE), np.array([row.source.endswith(PLAIN) for row in rows])
    hard = np.where(plain, -1, y)
    limits = {
        name: thresholds_of(scores, hard, uses, rate, threshold(scores[plain & ~uses], few))
        for (name, rate), few in zip(FALSE_POSITIVES.items(), ORDINARY.values(), strict=True)
    }
    flagged, sure = (scores >= np.where(uses, high, low) for low, high in limits.values())
    languages = [row.language for row in rows]
    kinds = ["ordinary" if each else "about it" for each in plain]
    report("rules alone", rows, uses, languages)
    report("strict, cross-validated", rows, sure, languages)
    report("strict, cross-validated", rows, sure, kinds)
    report("joined, cross-validated", rows, flagged, kinds)
    report("joined, cross-validated", rows, flagged, languages)
    report("joined, cross-validated", rows, flagged, [row.said.context for row in rows])
    report("joined, cross-validated", rows, flagged, [row.group for row in rows])
    print(f"limits {limits}")
    return {
        use: {name: round(held[number], 4) for name, held in limits.items()}
        for number, use in enumerate(USES)
    }


def models_of(corpus: Corpus) -> tuple[TextModel, SemanticModel]:
    """The model of all labels, and that of `ABUSE` with the encoder; both calibrated."""
    parts = parts_of(corpus.rows, corpus.told)
    of_rows = [targets(corpus.rows, label) for label in LABELS]
    y = np.stack([asked_of(parts, each) for each in of_rows], axis=1)
    linear, network = cross_validated(parts, y, corpus.folds)
    mixed = Mixed.of(linear, network[:, 0], y[:, 0])
    abuse = mixed(linear, network[:, 0])
    scores = sigmoid(np.stack([parts.worst(each) for each in (abuse, *network.T[1:])], 1))
    thresholds = limits_of(corpus, scores[:, 0])
    thresholds[ALONE] |= label_thresholds(corpus.rows, scores)
    return text_model(parts, y, mixed, thresholds), semantic_model(corpus, parts, y[:, 0], abuse)


def text_model(
    parts: Parts, y: NDArray[np.int8], mixed: Mixed, thresholds: dict[str, Any]
) -> TextModel:
    """The model of all texts: for `ABUSE` a linear model and the network, mixed."""
    counts = rarity(parts.x)
    direct, bias = fitted(parts.x, y[:, 0], counts)
    network = learned(parts.x, y, counts)
    hidden, hidden_biases, *above = network.head.arrays()
    out, out_biases = (part.copy() for part in above)
    out[0] *= mixed.second
    out_biases[0] = mixed.second * out_biases[0] + mixed.first * bias + mixed.bias
    head = (hidden, hidden_biases, out, out_biases)
    columns = np.concatenate([direct[:, None] * mixed.first, network.sums], axis=1)
    return TextModel(LABELS, *quantised(columns), Head(*map(shortened, head)), thresholds)


def shortened(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """`numbers` with so many digits that the header of the file holds them."""
    short = [float(f"{number:.5g}") for number in numbers.flat]
    return np.array(short, np.float32).reshape(numbers.shape)


def semantic_model(
    corpus: Corpus, parts: Parts, y: NDArray[np.int8], abuse: NDArray[np.float64]
) -> SemanticModel:
    """A linear model of `ABUSE` with the encoder's vectors, mixed with the plain one's `abuse`.

    `y` and `abuse` are one a part.
    """
    parts = beside(parts, corpus.told)
    counts, own = rarity(parts.x), corpus.folds[parts.row]
    logits = np.zeros(len(own))
    for fold in range(FOLDS):
        weights, bias = fitted(parts.x[own != fold], y[own != fold], counts)
        logits[own == fold] = parts.x[own == fold] @ weights + bias
    mixed = Mixed.of(logits, abuse, y)
    thresholds = limits_of(corpus, sigmoid(parts.worst(mixed(logits, abuse))))
    weights, bias = fitted(parts.x, y, counts)
    weights *= mixed.first
    head = Head.none([mixed.first * bias + mixed.bias])
    words = TextModel((ABUSE,), *quantised(weights[:BUCKETS, None]), head, thresholds)
    meant = weights[BUCKETS:]
    scale = float(np.abs(meant).max() / 127)
    return SemanticModel(words, np.round(meant / scale).astype(np.int8), scale, mixed.second)


def beside(parts: Parts, told: Sequence[Screened]) -> Parts:
    """`parts` with the numbers of the sentence encoder behind the n-grams."""
    encode = load_encoder()
    texts = (text for screened in told for text in as_written(screened, cut_up(screened)))
    vectors = np.stack([encode(text[:LONGEST]) for text in texts])
    return Parts(hstack([parts.x, csr_matrix(vectors)]).tocsr(), parts.row)


def main() -> None:
    """Trains, calibrates, reports, and writes the models unless `--dry-run` is given."""
    plain, semantic = models_of(gathered())
    if "--dry-run" not in sys.argv:
        save_model(plain)
        save_semantic_model(semantic)


if __name__ == "__main__":
    main()
