"""Trains the linear model of `egide.text.model` and writes it to `src/egide/text/data`.

    python scripts/train_text.py [--semantic] [--dry-run]

With `--semantic` it is that of `egide.text.semantic`: the score for abuse alone, with the sentence
encoder's vectors beside the n-grams. It is to be trained whenever the plain one is.

Reads the exemplars and the training texts, never `benchmarks/text/dev` or `test`. Thresholds come
from cross-validation: texts that resemble each other stay in one fold, whatever their language
file, so that nothing is scored by a model that has seen its twin. Needs scikit-learn, which égide
itself does not.
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
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack
from scipy.sparse.csgraph import connected_components
from sklearn.linear_model import LogisticRegression

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the benchmarks are not installed

from benchmarks.text.records import labelled, ordinary  # noqa: E402

from egide.text.fold import Folded  # noqa: E402
from egide.text.joint import ALONE, SURE, WITH_RULE, told_of  # noqa: E402
from egide.text.model import (  # noqa: E402
    ABUSE,
    TextModel,
    save_model,
)
from egide.text.ngrams import BUCKETS, canonical, features  # noqa: E402
from egide.text.rating import is_for_all  # noqa: E402
from egide.text.screen import Said, Screened, screen  # noqa: E402
from egide.text.semantic import (  # noqa: E402
    LONGEST,
    SemanticModel,
    load_encoder,
    save_semantic_model,
)

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
MISMATCH: Final = "rating.mismatch"
FOLDS: Final = 5
ALIKE: Final = 0.5
"""Cosine of the n-grams from which on two texts go into the same fold."""
SAME: Final = 0.85
"""From this cosine on a training text is too near to one of the development set."""
STRENGTH: Final = 60.0
"""The inverse of the regularisation."""
RARITY: Final = 0.75
"""The power of the inverse document frequency by which a feature counts in training."""
MEANING_SHARE: Final = 1.0
"""What the encoder's vector counts in training, beside a block of n-grams (1)."""
FALSE_POSITIVES: Final = {ABUSE: 0.01, SURE: 0.003}
ORDINARY: Final = 0.0005
"""The shares of hard negatives, from the wide threshold on and from the strict one, and of ordinary
texts that may be taken for abuse."""
MISMATCHES: Final = 0.05
"""The share of harmless listings rated for all that may be taken for mismatched. They are few."""
LOWEST: Final = 0.2
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


def rows_of(folder: Path) -> list[Row]:
    """The texts of every language in `folder`."""
    return [
        _row(json.loads(line), path.stem)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def _row(record: dict[str, Any], language: str) -> Row:
    attributes = {"age_rating": record["age_rating"]} if "age_rating" in record else {}
    said = Said(record.get("context", ""), record.get("with_photo", False), attributes)
    return Row(record["text"], language, frozenset(record["labels"]), record["group"], said)


def unlike(rows: Sequence[Row], others: Sequence[str]) -> list[Row]:
    """The rows whose text is not nearly one of `others`."""
    mine, theirs = grams([row.text for row in rows]), grams(others)
    nearest = (mine @ theirs.T).max(axis=1).toarray().ravel()
    return [row for row, likeness in zip(rows, nearest, strict=True) if likeness < SAME]


def grams(texts: Sequence[str]) -> csr_matrix:
    """Texts × `BUCKETS`: which character n-grams are in each; rows of length 1."""
    indices = [np.unique(features(canonical(Folded(text).key)[:4000]).characters) for text in texts]
    values = np.concatenate([np.full(len(i), 1 / np.sqrt(max(1, len(i)))) for i in indices])
    ends = np.cumsum([0, *map(len, indices)])
    return csr_matrix((values, np.concatenate(indices), ends), shape=(len(texts), BUCKETS))


def matrix(rows: Sequence[Row], told: Sequence[Screened]) -> csr_matrix:
    """Rows × `BUCKETS`: what each text multiplies the weights by, as `TextModel` does."""
    indices, values, ends = [], [], [0]
    for row, screened in zip(rows, told, strict=True):
        words, letters = features(canonical(screened.normal)[:4000])
        blocks = [
            (words, 1 / np.sqrt(max(1, len(words)))),
            (letters, 1 / np.sqrt(max(1, len(letters)))),
            *told_of(screened, row.said).blocks(),
        ]
        for buckets, share in blocks:
            indices.append(buckets)
            values.append(np.full(len(buckets), share, np.float32))
        ends.append(ends[-1] + sum(len(buckets) for buckets, _ in blocks))
    parts = np.concatenate(values), np.concatenate(indices), np.array(ends)
    made = csr_matrix(parts, shape=(len(rows), BUCKETS))
    made.sum_duplicates()
    return made


def folds_of(texts: Sequence[str]) -> NDArray[np.int64]:
    """A fold for each text: those that are alike, directly or by others, share one."""
    held = grams(texts)
    alike = held @ held.T
    alike.data[alike.data < ALIKE] = 0
    alike.eliminate_zeros()
    _, cluster = connected_components(alike, directed=False)
    sizes = Counter(cluster.tolist())
    fold, load = {}, [0] * FOLDS
    for number, size in sizes.most_common():
        fold[number] = load.index(min(load))
        load[fold[number]] += size
    print(f"{len(texts)} texts in {len(sizes)} clusters, the largest of {max(sizes.values())}")
    return np.array([fold[number] for number in cluster.tolist()])


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


def quantised(
    weights: Sequence[NDArray[np.float64]],
    biases: Sequence[float],
    thresholds: dict[str, Any],
    labels: Sequence[str] = LABELS,
) -> TextModel:
    """The model with its weights in one byte each."""
    held = np.stack(weights, axis=1)
    scales = np.abs(held).max(axis=0) / 127
    return TextModel(
        tuple(labels),
        np.round(held / scales).astype(np.int8),
        scales.astype(np.float32),
        np.array(biases, np.float32),
        thresholds,
    )


def cross_validated(
    x: csr_matrix,
    rows: Sequence[Row],
    folds: NDArray[np.int64],
    more: csr_matrix,
    labels: Sequence[str] = LABELS,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores, rows × `labels`, of each text by a model that has not seen its fold.

    And the mean `ABUSE` of `more`, which no model has seen.
    """
    counts = rarity(x)
    scores = np.zeros((x.shape[0], len(labels)))
    others = np.zeros(more.shape[0])
    for column, label in enumerate(labels):
        y = targets(rows, label)
        for fold in range(FOLDS):
            held = folds == fold
            coef, bias = fitted(x[~held], y[~held], counts)
            scores[held, column] = x[held] @ coef + bias
            if label == ABUSE:
                others += (more @ coef + bias) / FOLDS
    return 1 / (1 + np.exp(-scores)), 1 / (1 + np.exp(-others))


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
    """Training texts with their folds, and ordinary ones; what the rules see in each."""

    rows: list[Row]
    told: list[Screened]
    folds: NDArray[np.int64]
    plain: list[Row]
    plain_told: list[Screened]


def gathered() -> Corpus:
    """The texts to train on, and the ordinary ones that no model sees."""
    rows = rows_of(TEXT / "exemplars") + rows_of(TEXT / "training")
    dev = [one.text for language in ("en", "fr", "es", "de") for one in labelled("dev", language)]
    rows = unlike(rows, dev)
    plain = [
        _row({"text": one.text, "labels": [], "group": "other", "context": "post"}, language)
        for language in ("en", "fr")
        for one in ordinary(language, 4000)
    ]
    told = [screen(row.text, row.said) for row in rows]
    plain_told = [screen(row.text, row.said) for row in plain]
    return Corpus(rows, told, folds_of([row.text for row in rows]), plain, plain_told)


def limits_of(
    corpus: Corpus, scores: NDArray[np.float64], plain_scores: NDArray[np.float64]
) -> dict[str, dict[str, float]]:
    """The thresholds of `ABUSE`, by use, for its `scores`; prints what they make of the texts."""
    rows, uses = corpus.rows, ruled(corpus.told)
    y = targets(rows, ABUSE)
    least = threshold(plain_scores[~ruled(corpus.plain_told)], ORDINARY)
    limits = {
        name: thresholds_of(scores, y, uses, rate, least) for name, rate in FALSE_POSITIVES.items()
    }
    flagged, sure = (scores >= np.where(uses, high, low) for low, high in limits.values())
    languages = [row.language for row in rows]
    report("rules alone", rows, uses, languages)
    single = scores >= threshold(scores[y == 0], FALSE_POSITIVES[ABUSE])
    report("one threshold, cross-validated", rows, single, languages)
    report("strict, cross-validated", rows, sure, languages)
    report("joined, cross-validated", rows, flagged, languages)
    report("joined, cross-validated", rows, flagged, [row.said.context for row in rows])
    report("joined, cross-validated", rows, flagged, [row.group for row in rows])
    low, high = limits[ABUSE]
    wrong = plain_scores >= np.where(ruled(corpus.plain_told), high, low)
    print(
        f"limits {limits}; ordinary texts: {wrong.sum()} false of {len(wrong)}, least {least:.3f}"
    )
    return {
        use: {name: round(held[number], 4) for name, held in limits.items()}
        for number, use in enumerate(USES)
    }


def plain_model(corpus: Corpus) -> TextModel:
    """The model of all labels, trained on the n-grams and calibrated."""
    x, plain_x = matrix(corpus.rows, corpus.told), matrix(corpus.plain, corpus.plain_told)
    scores, plain_scores = cross_validated(x, corpus.rows, corpus.folds, plain_x)
    thresholds = limits_of(corpus, scores[:, 0], plain_scores)
    thresholds[ALONE] |= label_thresholds(corpus.rows, scores)
    counts = rarity(x)
    fits = (fitted(x, targets(corpus.rows, label), counts) for label in LABELS)
    weights, biases = zip(*fits, strict=True)
    return quantised(weights, biases, thresholds)


def semantic_model(corpus: Corpus) -> SemanticModel:
    """The model of `ABUSE` alone, trained on the n-grams with the encoder's vectors beside them."""
    x = beside(matrix(corpus.rows, corpus.told), corpus.told)
    plain_x = beside(matrix(corpus.plain, corpus.plain_told), corpus.plain_told)
    scores, plain_scores = cross_validated(x, corpus.rows, corpus.folds, plain_x, (ABUSE,))
    thresholds = limits_of(corpus, scores[:, 0], plain_scores)
    weights, bias = fitted(x, targets(corpus.rows, ABUSE), rarity(x))
    words = quantised([weights[:BUCKETS]], [bias], thresholds, (ABUSE,))
    scale = float(np.abs(weights[BUCKETS:]).max() / 127)
    return SemanticModel(words, np.round(weights[BUCKETS:] / scale).astype(np.int8), scale)


def beside(x: csr_matrix, told: Sequence[Screened]) -> csr_matrix:
    """`x` with the numbers of the sentence encoder behind the n-grams."""
    vectors = np.stack([meaning(screened) for screened in told])
    return hstack([x, csr_matrix(vectors)]).tocsr()


def meaning(screened: Screened) -> NDArray[np.float32]:
    """The encoder's vector of one text: as it was written, if no disguise had to be undone."""
    text = canonical(screened.normal) if screened.tokens else screened.folded.text
    return load_encoder()(text[:LONGEST])


def main() -> None:
    """Trains, calibrates, reports, and writes the model unless `--dry-run` is given."""
    corpus, dry = gathered(), "--dry-run" in sys.argv
    if "--semantic" in sys.argv:
        semantic = semantic_model(corpus)
        if not dry:
            save_semantic_model(semantic)
        return
    plain = plain_model(corpus)
    if not dry:
        save_model(plain)


if __name__ == "__main__":
    main()
