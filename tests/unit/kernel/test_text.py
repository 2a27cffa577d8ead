"""The features of texts as the kernel hashes and weighs them: what it refuses, and threads.

That they are the right ones is `tests/unit/text/test_shortcuts.py`'s.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from egide._kernel import TEXT_BUCKETS, TextWeights, text_blocks, word_key

KEYS, FAMILY = np.array([word_key("photo")], np.uint32), np.array([7], np.uint16)
NOTHING: tuple[bytes, bytes, list[bytes]] = (b"", b"", [])


def parts(**others: Any) -> list[Any]:
    """What a network is made of: one direct column, two inner ones, three units, two labels."""
    random = np.random.default_rng(1)

    def numbers(*shape: int) -> Any:
        return random.normal(size=shape).astype(np.float32)

    own = {
        "weights": random.integers(-9, 9, (TEXT_BUCKETS, 3)).astype(np.int8),
        "scales": numbers(3),
        "hidden": numbers(3, 2),
        "hidden_biases": numbers(3),
        "out": numbers(2, 3),
        "out_biases": numbers(2),
        "keys": KEYS,
        "family": FAMILY,
    }
    return list((own | others).values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": np.zeros((TEXT_BUCKETS - 1, 3), np.int8)},
        {"weights": np.zeros((TEXT_BUCKETS, 4), np.int8)},
        {"scales": np.zeros(2, np.float32)},
        {"hidden": np.zeros((2, 2), np.float32)},
        {"hidden": np.zeros((3, 4), np.float32)},
        {"hidden": np.zeros((3, 0), np.float32)},
        {"out": np.zeros((2, 2), np.float32)},
        {"out": np.zeros((1, 3), np.float32)},
        {"out_biases": np.zeros(3, np.float32)},
        {"family": np.zeros(2, np.uint16)},
    ],
    ids=lambda wrong: ",".join(f"{name}-{array.shape}" for name, array in wrong.items()),
)
def test_arrays_that_do_not_fit_together_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"the sizes of the weights|as many families as keys"):
        TextWeights(*parts(**wrong))


def test_arrays_are_not_converted() -> None:
    with pytest.raises(TypeError):
        TextWeights(*parts(scales=np.zeros(3)))
    with pytest.raises(TypeError):
        TextWeights(*parts(weights=np.zeros((3, TEXT_BUCKETS), np.int8).T))


@pytest.mark.parametrize("bounds", [(0, 99), (3, 2)])
def test_a_part_that_is_none_is_refused(bounds: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no part of the text"):
        TextWeights(*parts()).logits(" a photo ", [bounds], *NOTHING)


def test_half_a_digest_and_a_label_too_many_are_refused() -> None:
    with pytest.raises(ValueError, match="eight bytes"):
        text_blocks(" a ", KEYS, FAMILY, b"1234567", b"", [])
    with pytest.raises(ValueError, match="no such label"):
        TextWeights(*parts()).slopes(" a ", 2, *NOTHING)


@pytest.mark.parametrize("text", ["", " ", "  ", "x", " \ud800 ", " 🍑 ", " photographs "])
def test_any_text_has_features(text: str) -> None:
    blocks = text_blocks(text, KEYS, FAMILY, *NOTHING)
    assert len(blocks) == 4
    assert all(0 <= bucket < TEXT_BUCKETS for found, _ in blocks for bucket in found)


def test_the_arrays_are_kept_alive() -> None:
    weights = TextWeights(*parts())
    before = weights.logits(" a photo ", [(0, 9)], *NOTHING)
    _ = [np.ones((TEXT_BUCKETS, 3), np.int8) for _ in range(8)]
    assert weights.logits(" a photo ", [(0, 9)], *NOTHING) == before


def test_threads_share_one_network() -> None:
    weights, text = TextWeights(*parts()), f" {'a photo of mine ' * 200}"
    bounds = [(n, n + 300) for n in range(0, 2_700, 150)]
    alone = weights.logits(text, bounds, *NOTHING)
    with ThreadPoolExecutor(4) as threads:
        found = threads.map(lambda _: weights.logits(text, bounds, *NOTHING), range(40))
        assert all(each == alone for each in found)
