"""Fuzz targets for generation metadata: blocks of every tool to damage, and what must hold."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence

from egide.errors import CorruptItem, TooManyBytes
from egide.provenance.families import generations
from egide.provenance.family.values import MOST_MODELS, MOST_NAME, MOST_TEXT
from egide.provenance.statements import Block, Generation, NamedModel
from tests.provenance_samples import SAMPLES

SECONDS = 3


def _written(blocks: Sequence[Block]) -> bytes:
    return json.dumps([[each.where, each.key, each.text] for each in blocks]).encode()


def _all() -> bytes:
    return _written([each for sample in SAMPLES.values() for each in sample.blocks])


FAMILIES: dict[str, Callable[[], bytes]] = {
    "family-text": lambda: _written(SAMPLES["a1111-hashes"].blocks),
    "family-graph": lambda: _written(SAMPLES["comfyui-png"].blocks),
    "family-drawn": lambda: _written(SAMPLES["comfyui-workflow-only"].blocks),
    "family-civitai": lambda: _written(SAMPLES["civitai-graph"].blocks),
    "family-all": _all,
}
"""One input is the JSON of a list of blocks: where, key and text of each."""


def check_family(data: bytes) -> None:
    """Read hostile blocks; AssertionError when the promise of `generations` is broken."""
    try:
        value = json.loads(data)
        blocks = [Block(where, key, text) for where, key, text in value]
    except (ValueError, TypeError):
        blocks = [Block("png:parameters", "parameters", data.decode("utf-8", "surrogateescape"))]
    if all(isinstance(part, str) for each in blocks for part in (each.where, each.key, each.text)):
        check_blocks(blocks)


def check_blocks(blocks: Sequence[Block]) -> None:
    """The promise: no exception, in time, and nothing but finite numbers and clean, short texts."""
    began = time.monotonic()
    found, faults = generations(blocks)
    assert time.monotonic() - began < SECONDS
    for fault in faults:
        assert type(fault) in (CorruptItem, TooManyBytes)
        assert "\n" not in str(fault)
    for each in found:
        _check_account(each, {each.where for each in blocks})


def _check_account(account: Generation, places: set[str]) -> None:
    assert account.generator
    assert set(account.where) <= places
    assert account.seed is None or 0 <= account.seed < 1 << 64
    for text in (account.prompt, account.negative_prompt):
        assert text is None or 0 < len(text) <= MOST_TEXT
        (text or "").encode()
    for word in (account.version, account.created, account.software, *account.ids.values()):
        assert word is None or (0 < len(word) <= MOST_NAME and "\n" not in word)
    assert len(account.models) <= 2 * MOST_MODELS
    for model in account.models:
        _check_model(model)


def _check_model(model: NamedModel) -> None:
    assert model.name or model.hashes or model.ids
    assert model.weight is None or math.isfinite(model.weight)
    assert len(model.name or "") <= MOST_NAME
    (model.name or "").encode()
    for digest in model.hashes.values():
        assert set(digest) <= set("0123456789abcdef")
    "".join(model.ids.values()).encode()


def damaged(blocks: Sequence[Block], rounds: int, seed: int = 0) -> Iterator[list[Block]]:
    """`blocks` with texts cut, characters changed, taken out or doubled; the same every time."""
    chance = random.Random(seed)
    for number in range(rounds):
        texts = [list(each.text) for each in blocks]
        for text in texts:
            _damage(text, chance, number)
        yield [
            Block(each.where, each.key, "".join(text))
            for each, text in zip(blocks, texts, strict=True)
        ]


def _damage(text: list[str], chance: random.Random, number: int) -> None:
    if number % 4 == 0:
        del text[chance.randrange(len(text) + 1) :]
        return
    for _ in range(1 + number % 5):
        at = chance.randrange(len(text) + 1)
        kind = chance.randrange(3)
        if kind == 0:
            text[at : at + 1] = chance.choice('{}[]":,<>()\\\n\0-e9\ud800é')
        elif kind == 1:
            del text[at : at + chance.randrange(1, 20)]
        else:
            text[at:at] = text[at : at + chance.randrange(1, 200)]
