"""The labelled sets and the ordinary text that false positives are counted on."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from benchmarks.packages import debian

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.results import Settings

HERE: Final = Path(__file__).parent
LANGUAGES: Final = ("en", "fr", "es", "de")
ATTRIBUTES: Final = ("with_photo", "age_rating", "category", "price")
OUTSIDE: Final = {
    "en": ("fortunes", "usr/share/games/fortunes", "fortune cookies"),
    "de": ("fortunes-de", "usr/share/games/fortunes/de", "fortune cookies"),
    "fr": ("manpages-fr", "usr/share/man/fr", "paragraphs of manuals"),
}
"""Debian packages of ordinary text by language, unpacked into the cache and never committed."""
_WORDS: Final = range(3, 401)


@dataclass(frozen=True)
class Record:
    """One text of a labelled set; see LABELLING.md."""

    ref: str
    language: str
    text: str
    context: str
    labels: frozenset[str]
    group: str
    attributes: dict[str, str] = field(default_factory=dict, hash=False)


def labelled(part: str, language: str) -> list[Record]:
    """The records of the set `part` ("test" or "dev") in `language`, in the order of the file."""
    lines = (HERE / part / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_record(json.loads(line)) for line in lines if line.strip()]


def ordinary(language: str, count: int) -> list[Record]:
    """`count` different captions and bits of forum talk, put together from hand-written parts."""
    parts = json.loads((HERE / "ordinary" / f"{language}.json").read_text(encoding="utf-8"))
    random = Random(f"ordinary:{language}")
    texts: dict[str, None] = {}
    while len(texts) < count:
        pattern = random.choice(parts["patterns"])
        text = re.sub(r"\{(\w+)\}", lambda slot: random.choice(parts[slot[1]]), pattern)
        texts[text[0].upper() + text[1:] if random.random() < 0.6 else text] = None
    return [_plain(language, number, text) for number, text in enumerate(texts)]


def outside(settings: Settings, language: str, count: int) -> list[Record]:
    """Up to `count` texts written for other ends; none in a language without a package."""
    if language not in OUTSIDE:
        return []
    package, folder, _ = OUTSIDE[language]
    root = debian(package, settings.cache) / folder
    texts = dict.fromkeys(
        text
        for file in sorted(root.rglob("*"))
        if file.is_file() and not file.is_symlink() and file.suffix not in (".dat", ".u8")
        for text in _paragraphs(file)
        if len(text.split()) in _WORDS
    )
    chosen = Random(f"outside:{language}").sample(list(texts), min(count, len(texts)))
    return [_plain(language, number, text) for number, text in enumerate(chosen)]


def _paragraphs(file: Path) -> Iterator[str]:
    """Fortunes stand between lines of a percent sign, paragraphs of manuals between commands."""
    data = file.read_bytes()
    if file.suffix == ".gz":
        source = gzip.decompress(data).decode("utf-8", "replace")
        blocks = re.split(r"(?m)^[.'].*$|^\s*$", source)
        cleaned = (re.sub(r"\\(f.|[&/-]|\(..)", "", block) for block in blocks)
    else:
        cleaned = (block for block in data.decode("utf-8", "replace").split("\n%"))
    for block in cleaned:
        yield " ".join(block.split())


def _plain(language: str, number: int, text: str) -> Record:
    return Record(f"{language}-{number}", language, text, "post", frozenset(), "ordinary")


def _record(row: dict[str, Any]) -> Record:
    return Record(
        row["id"],
        row["language"],
        row["text"],
        row["context"],
        frozenset(row["labels"]),
        row["group"],
        {name: str(row[name]).lower() if row[name] is True else str(row[name])
         for name in ATTRIBUTES if name in row},
    )  # fmt: skip
