"""One model file to what is known of it: the right reader for its format, and its sidecars."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from egide.errors import CorruptItem, ItemError, TooManyBytes, UnknownContent
from egide.hub.base_models import known_base
from egide.hub.facts import ModelFacts, distinct, merged, plain, printable
from egide.hub.gguf import read_gguf
from egide.hub.pickles import read_pickles
from egide.hub.safetensors import MOST_HEADER, read_header, read_index
from egide.hub.sidecar import read_sidecars
from egide.hub.tensors import Tensors
from egide.hub.trainers import facts_of_metadata
from egide.item import Item
from egide.sniff import HEAD_BYTES, ModelFormat, sniff_model

MOST_SHARDS: Final = 64
"""Files of one model that its index leads to; the largest models have fewer."""


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """How much one model file may cost: `header` in bytes (TooManyBytes over it)."""

    header: int = MOST_HEADER


@dataclass(frozen=True, slots=True)
class ModelReading:
    """What one model file says.

    `facts` are always there, be it only the file's name and what its sidecars say. `says_minor`
    when a hub says in a sidecar that a minor is depicted: such an item is escalated. `faults` is
    what kept the rest from being read, each a line in `facts.problems` too. An item with faults
    was not read whole: its verdict must not be `allow`.
    """

    facts: ModelFacts
    says_minor: bool = False
    faults: tuple[ItemError, ...] = ()


_USUAL: Final = ModelLimits()
_SOURCES: Final = {
    ModelFormat.SAFETENSORS: "safetensors",
    ModelFormat.INDEX: "safetensors",
    ModelFormat.GGUF: "gguf",
    ModelFormat.PICKLE: "pickle",
}


def model_facts(item: Item, limits: ModelLimits = _USUAL) -> ModelFacts:
    """What is known of the model in `item`, from its header and its sidecars; never raises."""
    return read_model(item, limits).facts


def read_model(item: Item, limits: ModelLimits = _USUAL) -> ModelReading:
    """What the model in `item` says and what is wrong with it, read once; never raises.

    Headers alone are read: a file of many gigabytes costs as much as a small one.
    """
    return item.view(_Reading(limits))


@dataclass(frozen=True, slots=True)
class _Reading:
    """The view of an item that `read_model` is."""

    limits: ModelLimits

    def __call__(self, item: Item) -> ModelReading:
        faults: list[ItemError] = []
        facts = self._of_file(item, faults)
        says_minor = False
        if isinstance(item.content, Path):
            beside = read_sidecars(item.content)
            facts = merged(facts, beside.facts) if beside.facts else facts
            faults += beside.faults
            says_minor = beside.says_minor
        said = distinct([*facts.problems, *map(str, faults)])
        facts = replace(facts, ref=_name(item), problems=said)
        return ModelReading(facts, says_minor, tuple(faults))

    def _of_file(self, item: Item, faults: list[ItemError]) -> ModelFacts:
        """What the file itself says; when it cannot be read, which format it has."""
        source = "other"
        try:
            if item.problem is not None:
                raise item.problem
            with item.opened() as stream:
                format_ = sniff_model(stream.read(HEAD_BYTES))
                if format_ is None:
                    raise UnknownContent("it is no safetensors, GGUF or pickle file")
                source = _SOURCES[format_]
                stream.seek(0)
                return self._of_format(format_, item, stream, faults)
        except ItemError as error:
            faults.append(error)
        return ModelFacts(source=source)

    def _of_format(
        self, format_: ModelFormat, item: Item, stream: BinaryIO, faults: list[ItemError]
    ) -> ModelFacts:
        match format_:
            case ModelFormat.SAFETENSORS:
                return self._safetensors(stream, item.size, faults)
            case ModelFormat.GGUF:
                return self._gguf(stream, faults)
            case ModelFormat.PICKLE:
                return self._pickle(stream, item.size, faults)
            case ModelFormat.INDEX:
                return self._index(item, faults)

    def _safetensors(self, stream: BinaryIO, size: int, faults: list[ItemError]) -> ModelFacts:
        header = read_header(stream, size, self.limits.header)
        faults += header.faults
        return told_by_tensors(facts_of_metadata(header.metadata), header.tensors)

    def _gguf(self, stream: BinaryIO, faults: list[ItemError]) -> ModelFacts:
        header = read_gguf(stream, self.limits.header)
        faults += header.faults
        said = {
            key.removeprefix("general."): value
            for key, value in header.metadata.items()
            if key.startswith(("general.", "adapter.", "training."))
        }
        facts = facts_of_metadata(said, "gguf")
        architecture = said.get("architecture")
        base = known_base(architecture) if isinstance(architecture, str) else None
        kind = "lora" if said.get("type") == "adapter" else None
        texts = tuple(pair for pair in facts.texts if pair[0] != "architecture")
        facts = replace(facts, base_model=base or facts.base_model, adapter=kind, texts=texts)
        return told_by_tensors(facts, header.tensors)

    def _pickle(self, stream: BinaryIO, size: int, faults: list[ItemError]) -> ModelFacts:
        pickled = read_pickles(stream, size)
        faults += pickled.faults
        facts = facts_of_metadata(pickled.settings, "pickle")
        facts = replace(
            facts,
            trigger_words=distinct([*facts.trigger_words, *pickled.tokens]),
            problems=pickled.problems,
        )
        told = told_by_tensors(facts, pickled.tensors)
        return replace(told, adapter=pickled.adapter or told.adapter)

    def _index(self, item: Item, faults: list[ItemError]) -> ModelFacts:
        tensors, files, metadata = read_index(item.read(self.limits.header))
        facts = told_by_tensors(facts_of_metadata(metadata), tensors)
        if isinstance(item.content, bytes):
            return facts
        if len(files) > MOST_SHARDS:
            faults.append(
                TooManyBytes(f"its index leads to {len(files)} files, {MOST_SHARDS} read")
            )
        shards = [self._shard(item.content, file, faults) for file in files[:MOST_SHARDS]]
        return merged(facts, *(shard for shard in shards if shard is not None))

    def _shard(self, index: Path, file: str, faults: list[ItemError]) -> ModelFacts | None:
        """What one file of a model says; None, and a fault, when it is not there."""
        shown = printable(file, 100)
        if not file or os.path.basename(file) != file or file in (".", ".."):  # noqa: PTH119  no path
            faults.append(CorruptItem(f"its index leads out of its folder: {shown}"))
            return None
        item = Item.from_path(index.with_name(file), follow=False)
        try:
            if item.problem is not None:
                raise item.problem
            with item.opened() as stream:
                return self._safetensors(stream, item.size, faults)
        except ItemError as error:
            faults.append(type(error)(f"{shown}: {error.detail}"))
            return None


def told_by_tensors(facts: ModelFacts, tensors: Tensors) -> ModelFacts:
    """`facts`, set right by the tensors: of these, nobody can write anything else and be loaded.

    A base model that was named stays when it is a finetune of what the widths show.
    """
    return replace(
        facts,
        adapter=tensors.adapter or facts.adapter,
        rank=tensors.rank or facts.rank,
        base_model=facts.base_model or tensors.base_model,
        texts=(*facts.texts, *_tokens(tensors)),
    )


def _tokens(tensors: Tensors) -> tuple[tuple[str, str], ...]:
    """The words that diffusers' textual inversions name their vectors by: `<word>`."""
    names = tensors.names if len(tensors.names) <= 12 else ()
    return tuple(("token", plain(name, 300)) for name in names if name[:1] == "<")


def _name(item: Item) -> str:
    return plain(item.ref.replace("\\", "/").rpartition("/")[2], 300)
