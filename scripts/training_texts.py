"""Reads the texts that the models of text are trained on, from `src/egide/text/training`.

    python scripts/training_texts.py

Run by itself it prints how many there are. A source, `en.txt` or `en-more.txt`, is in the language
that its name begins with. It has headers, `= labels group context`, and below each one text a line,
written for this. `[a|b]` in a text stands for either; of such a text `MOST_SAMPLES` variants are
drawn, or as many as `*16 ` before it says, always the same. `context+` means that a photo came with
it, `context=4+` gives the age rating. Texts that stand in `benchmarks/text` are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import prod
from pathlib import Path
from random import Random
from typing import Any, Final

from egide.text.fold import Folded
from egide.text.ngrams import canonical

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "src" / "egide" / "text" / "training"
HELD_OUT: Final = [ROOT / "benchmarks" / "text" / part for part in ("dev", "validation", "test")]
LANGUAGES: Final = ("en", "fr", "es", "de")
MOST_SAMPLES: Final = 6
LABELS: Final = {
    "nud": "ncii.request.nudify",
    "sex": "ncii.request.sexualize",
    "swp": "ncii.request.faceswap",
    "int": "ncii.request.intimate",
    "pro": "ncii.service.promotion",
    "ref": "ncii.service.referral",
    "sol": "ncii.commission.solicit",
    "off": "ncii.commission.offer",
    "mis": "rating.mismatch",
    "sup": "context.support",
    "new": "context.news",
}
"""The labels by the short names that the headers use; `-` is none."""
_ORDERED: Final = re.compile(r"\*(\d+) ")
_CHOICE: Final = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")


def expanded(language: str, folder: Path = FOLDER) -> Iterator[dict[str, Any]]:
    """The records of one language, in the order of the source, none twice."""
    header: dict[str, Any] = {}
    held_out = {
        plain(json.loads(line)["text"])
        for part in HELD_OUT
        for path in part.glob("*.jsonl")
        for line in path.read_text("utf-8").splitlines()
    }
    seen: set[tuple[str, str]] = set()
    for source, line in _lines(language, folder):
        if line.startswith("= "):
            header = _header(line)
            continue
        for text in variants(line, Random(f"{language}:{line}")):  # noqa: S311
            if plain(text) not in held_out and (text, header["context"]) not in seen:
                seen.add((text, header["context"]))
                yield {"text": text, **header, "source": source}


def _lines(language: str, sources: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(sources.glob(f"{language}*.txt"), key=lambda path: path.stem):
        for line in filter(None, path.read_text("utf-8").splitlines()):
            yield path.stem, line


def plain(text: str) -> str:
    """`text` as the model reads it: texts that are equal so are the same to it."""
    return canonical(Folded(text).key)


def variants(line: str, random: Random) -> list[str]:
    """Different readings of a line with choices; the line itself when it has none."""
    ordered = _ORDERED.match(line)
    most = int(ordered[1]) if ordered else MOST_SAMPLES
    line = line[ordered.end() :] if ordered else line
    choices = [found[1].split("|") for found in _CHOICE.finditer(line)]
    if not choices:
        return [line]
    # Each choice goes through all its options before it repeats one: all of them come up.
    streams = [_shuffled(options, random) for options in choices]
    fixed = _CHOICE.split(line)[::2]
    texts = []
    for _ in range(min(most, prod(map(len, choices)))):
        chosen = [*map(next, streams), ""]
        text = "".join(part + choice for part, choice in zip(fixed, chosen, strict=True))
        texts.append(" ".join(text.replace(" ,", ",").split()))
    return list(dict.fromkeys(texts))


def _shuffled(options: list[str], random: Random) -> Iterator[str]:
    while True:
        yield from random.sample(options, len(options))


def _header(line: str) -> dict[str, Any]:
    short, group, place = line[2:].split(maxsplit=2)
    context, _, rating = place.partition("=")
    labels = [LABELS[name] for name in short.split(",") if name != "-"]
    header: dict[str, Any] = {"labels": labels, "group": group, "context": context.rstrip("+")}
    if context.endswith("+"):
        header["with_photo"] = True
    if rating:
        header["age_rating"] = rating
    return header


def main() -> None:
    """Prints how many texts each language has."""
    for language in LANGUAGES:
        records = list(expanded(language))
        abusive = sum(record["group"] == "positive" for record in records)
        print(f"{language}: {len(records)} texts, {abusive} of them abusive")


if __name__ == "__main__":
    main()
