"""What égide, sd-parsers and exiftool say of pictures, in one form, and how long each takes."""

from __future__ import annotations

import json
import re
import subprocess
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks import peers
from benchmarks.packages import debian
from benchmarks.timing import processor_seconds, run
from benchmarks.trace_files import Facts, plain, stem
from egide.item import Item
from egide.provenance.trace import trace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.results import Settings

EXIFTOOL: Final = ("-json", "-a", "-u", "-n")
_TOOLS: Final = {
    "automatic1111": "a1111", "comfyui": "comfyui", "fooocus": "fooocus", "invokeai": "invokeai",
    "novelai": "novelai",
}  # fmt: skip


class Told(NamedTuple):
    """What a tool says of each file, and the seconds of processor time that each takes it."""

    facts: list[Facts]
    seconds: list[float]


def egide(files: Sequence[Path], rounds: int) -> Told:
    """`trace`, the file's digest included; the least of `rounds`."""
    seconds = [
        min(processor_seconds(partial(_traced, file)) for _ in range(rounds)) for file in files
    ]
    return Told([_facts(file) for file in files], seconds)


def metadata_seconds(file: Path, rounds: int) -> float:
    """The least that égide takes for a file whose digest is known: its metadata alone."""
    item = Item.from_path(file)
    assert item.sha256
    return min(processor_seconds(partial(trace, item)) for _ in range(rounds))


def sd_parsers(settings: Settings, files: Sequence[Path], rounds: int) -> Told:
    """sd-parsers as its manual says: a file's path given to one manager; the least of `rounds`."""
    answer = peers.ask(
        settings, do="sd-parsers", files=[str(file) for file in files], rounds=rounds
    )
    return Told([_parsed(each) for each in answer["found"]], answer["seconds"])


def sd_parsers_mixed_up(settings: Settings, files: Sequence[Path], parses: int) -> int:
    """In how many of `parses` one after another sd-parsers tells of another picture."""
    found: int = peers.ask(
        settings, do="sd-parsers-again", files=[str(file) for file in files], parses=parses
    )["wrong"]
    return found


def exiftool(settings: Settings, files: Sequence[Path]) -> tuple[list[str], float]:
    """What exiftool prints of each file, in the form of `plain`, and its seconds a file.

    One call over all files; what it takes to start is taken off.
    """
    command = exiftool_command(settings)
    printed = subprocess.run(
        [*command, *map(str, files)], check=False, capture_output=True, text=True
    ).stdout
    said = {each["SourceFile"]: each for each in json.loads(printed)}
    started = min(run([*command, str(files[0])]).processor for _ in range(3))
    whole = min(run([*command, *map(str, files)]).processor for _ in range(3))
    texts = [plain(" ".join(_texts(said.get(str(file), {})))) for file in files]
    return texts, max(0.0, whole - started) / max(1, len(files) - 1)


def exiftool_command(settings: Settings) -> list[str]:
    """exiftool of Debian's package, with the options that make it print everything."""
    root = debian("libimage-exiftool-perl", settings.cache)
    return ["/usr/bin/perl", f"-I{root}/usr/share/perl5", f"{root}/usr/bin/exiftool", *EXIFTOOL]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, each in value.items() if key != "SourceFile" for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [str(value)]


def _traced(file: Path) -> None:
    trace(Item.from_path(file))


def _facts(file: Path) -> Facts:
    found = trace(Item.from_path(file))
    first = found.first
    if first is None:
        return Facts()
    return Facts(
        frozenset({first.generator}),
        frozenset(
            stem(name)
            for model in found.models
            for name in (model.name, model.ids.get("air"))
            if name
        ),
        frozenset(digest for model in found.models for digest in model.hashes.values()),
        plain(first.prompt or ""),
        frozenset() if first.seed is None else frozenset({first.seed}),
    )


def _parsed(found: dict[str, Any] | None) -> Facts:
    if found is None:
        return Facts()
    tool = found["tool"].lower()
    adapters = re.findall(r"<lora:([^:>]+)", found["prompt"])
    return Facts(
        frozenset({_TOOLS.get(tool, tool)}),
        frozenset(stem(name) for name in [*found["models"], *adapters] if name),
        frozenset(digest.lower() for digest in found["hashes"] if digest),
        plain(found["prompt"]),
        frozenset(int(seed) for seed in found["seeds"] if str(seed).isdecimal()),
    )
