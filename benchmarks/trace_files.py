"""Pictures with metadata whose truth is known: built as tools write them, and really written."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.provenance_samples import SAMPLES, file_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from benchmarks.results import Settings

REAL: Final = "https://github.com/enslo/sd-metadata"
"""Pictures that people made with 18 tools, and tests that say what is in them (MIT)."""

_ORIGIN: Final = {
    "civitai": {"a1111", "comfyui"},
    "diffusers": {"hf-space"},
    "easy-reforge": {"a1111"},
    "forge": {"a1111"},
    "forge-classic": {"a1111"},
    "forge-neo": {"a1111"},
    "fooocus": {"a1111"},
    "fooocus-mre": {"fooocus"},
    "hf-space": {"diffusers"},
    "reforge": {"a1111"},
    "ruined-fooocus": {"fooocus"},
    "sd-next": {"a1111"},
    "stability-matrix": {"a1111", "comfyui"},
    "swarmui": {"comfyui"},
    "tensorart": {"a1111", "comfyui"},
}
"""The tools whose format another one writes: to name that one is no mistake."""

_CARRIERS: Final = {b"\x89PNG": "png", b"\xff\xd8\xff\xe0": "jpg", b"\x1a\x45\xdf\xa3": "webm"}
_TEST: Final = re.compile(r"parse(?:Png|Converted)Sample(?:<\w+>)?\(")
_FILE: Final = re.compile(r"'([\w.-]+\.(?:png|jpe?g|webp))'")
_EMPTY: Final = ("empty", "gimp")


class Facts(NamedTuple):
    """What is to be told of a picture, or was: names and words in the form of `plain`."""

    tools: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    hashes: frozenset[str] = frozenset()
    prompt: str = ""
    seeds: frozenset[int] = frozenset()


class Case(NamedTuple):
    """A picture, the group that it counts in, and the truth about it."""

    file: Path
    group: str
    facts: Facts


def generated(folder: Path) -> list[Case]:
    """A file of every shape in `tests/provenance_samples.py`, written into `folder`."""
    cases = []
    for name, sample in SAMPLES.items():
        data = file_of(sample.blocks)
        file = folder / f"{name}.{_CARRIERS.get(data[:4], 'mp4')}"
        file.write_bytes(data)
        facts = Facts(
            tools=_tools(sample.generator),
            models=_names(name for _, name, _ in sample.models),
            hashes=frozenset(sample.hashes.values()),
            prompt=plain(sample.prompt or ""),
            seeds=frozenset() if sample.seed is None else frozenset({sample.seed}),
        )
        cases.append(Case(file, sample.generator, facts))
    return cases


def real(settings: Settings) -> list[Case]:
    """The pictures of `REAL` that its own tests say something of, and those without metadata."""
    root = _fetched(settings)
    told: dict[str, Facts] = {}
    groups: dict[str, str] = {}
    for file in sorted((root / "packages/core/tests/samples/parsers").glob("*.test.ts")):
        for name, software, facts in _expected(file.read_text(encoding="utf-8")):
            told[name], groups[name] = facts, software
    cases = []
    for file in sorted(root.glob("samples/*/*.*")):
        if file.name.startswith(_EMPTY):
            cases.append(Case(file, "none", Facts()))
        elif file.name in told:
            facts = told[file.name]
            if file.name.startswith("comfyui"):  # also where the text is another tool's
                facts = facts._replace(tools=facts.tools | {"comfyui"})
            cases.append(Case(file, groups[file.name], facts))
    return cases


def signed(settings: Settings) -> list[Path]:
    """The pictures of `REAL` with Content Credentials of two services."""
    return sorted(_fetched(settings).glob("samples/c2pa/*/*.*"))


def plain(text: str) -> str:
    """`text` in a form in which it can be looked for: ASCII letters and digits, without escapes."""
    text = re.sub(r"\\u[0-9a-fA-F]{4}|\\[nrt\"\\/]", "", text)
    return "".join(c for c in text.casefold() if c.isascii() and c.isalnum())


def stem(name: str) -> str:
    """The name of a model's file without folders and ending, in the form of `plain`."""
    name = name.replace("\\", "/").rpartition("/")[2]
    return plain(re.sub(r"\.(safetensors|ckpt|pt|pth|gguf)$", "", name))


def _names(names: Iterable[str | None]) -> frozenset[str]:
    return frozenset(stem(name) for name in names if name)


def _tools(name: str) -> frozenset[str]:
    name = "a1111" if name == "sd-webui" else name
    return frozenset({name}) | _ORIGIN.get(name, set())


def _expected(source: str) -> Iterator[tuple[str, str, Facts]]:
    """Name of the file, tool and facts of every test in a file of the repository's tests."""
    for test in _TEST.split(source)[1:]:
        file, software = _FILE.search(test), _value(test, "software")
        if file is None or not software:
            continue
        seed = re.search(r"\bseed: (\d+)", test)
        yield (
            file[1],
            software,
            Facts(
                _tools(software),
                _names([_value(test.partition("model: {")[2], "name")]),
                frozenset({_value(test, "hash").lower().removeprefix("blake3:")} - {""}),
                plain(_value(test, "prompt")),
                frozenset({int(seed[1])}) if seed else frozenset(),
            ),
        )


def _value(source: str, key: str) -> str:
    """The first string under this key in JavaScript; empty when there is none."""
    found = re.search(rf"\b{key}:\s*(['\"`])((?:\\.|(?!\1).)*)\1", source, re.DOTALL)
    return found[2] if found else ""


def _fetched(settings: Settings) -> Path:
    root = settings.cache / "sd-metadata"
    if not root.exists():
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", REAL, root], check=True)
    return root
