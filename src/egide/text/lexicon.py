"""The lexicons as the screening uses them: compiled to dictionaries, once, and cached.

The compiled copy lies in EGIDE_HOME when that folder is there, else in the user's cache folder; it
is known by the digest of the data it was made of. Where it cannot be written nothing is lost but
the time to compile again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, reduce
from operator import or_
from pathlib import Path
from typing import Any, Final

from egide.errors import LexiconError
from egide.text.lexicon_file import (
    FORMS,
    Words,
    check_keys,
    load_yaml,
    read_classes,
    read_words,
    spellings,
)
from egide.text.lexicon_folder import CLASSES, RULES, Sources, own_folder
from egide.text.rules import FACTS, ActRule, RoleRule, read_rules
from egide.text.tokens import term_tokens

FOLDER: Final = Path(__file__).parent / "lexicons"
FORMAT: Final = 6
"""Goes into the digest: to be raised when the compiled form changes."""
_ESCALATION: Final = ("terms", "ages", "years", "lasting")
BASE: Final = "en"
"""What a text without any known word is read as."""
_LARGEST_CACHE: Final = 1 << 26
_KEPT_COPIES: Final = 4
"""Compiled copies that stay: with EGIDE_LEXICON and without it, before an upgrade and after."""
KEPT_WORDS: Final = 1 << 16

Terms = dict[str, dict[str, list[tuple[tuple[str, ...], int]]]]
"""By first and by second word (or `..`): what follows those two, and the classes of the term."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language: class bits by word, terms by first word, stopwords; with what it borrows."""

    name: str
    words: dict[str, int]
    terms: Terms
    stopwords: frozenset[str]


class _KnownCounts(dict[str, int]):
    """Per word, one for each language that knows it, in fields of 16 bits; told when first asked.

    Up to `KEPT_WORDS` words are remembered.
    """

    def __init__(self, languages: Iterable[Language]) -> None:
        super().__init__()
        self._languages = [(language.words, 1 << 16 * n) for n, language in enumerate(languages)]

    def __missing__(self, word: str) -> int:
        count = sum(one for words, one in self._languages if word in words)
        if len(self) < KEPT_WORDS:
            self[word] = count
        return count


@dataclass(frozen=True, eq=False)
class Lexicon:
    """All languages, the bits of the classes, and the rules. Immutable; each is equal to itself."""

    bits: Mapping[str, int]
    languages: Mapping[str, Language]
    stop_counts: Mapping[str, int]
    """Per word, one for each language that it is a stopword of, in fields of 16 bits."""
    acts: tuple[ActRule, ...]
    roles: tuple[RoleRule, ...]
    escalation: Mapping[str, frozenset[str]]
    anchor: int
    starts: int
    """Every class that some rule of acts begins with."""
    transparent: int
    blocks: int
    silent: int
    """Classes that matter only for what may be skipped; words with no other are not looked at."""
    triggers: frozenset[str]
    """Words, and first words of terms, that make a text worth reading."""
    _masks: dict[tuple[str, ...], int] = field(default_factory=dict, repr=False)

    @cached_property
    def class_list(self) -> tuple[str, ...]:
        """All classes by the numbers of their bits."""
        return tuple(sorted(self.bits, key=self.bits.__getitem__))

    @cached_property
    def known_counts(self) -> Mapping[str, int]:
        """As `stop_counts`, of all words that a language knows."""
        return _KnownCounts(self.languages.values())

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The languages, in the order of the fields of `stop_counts`."""
        return tuple(self.languages)

    def mask(self, *classes: str) -> int:
        """The bits of these classes together."""
        mask = self._masks.get(classes)
        if mask is None:
            mask = self._masks[classes] = sum({self.bits[name] for name in classes})
        return mask

    def word_classes(self, mask: int) -> tuple[str, ...]:
        """The classes in `mask` that say what a word means, without those of grammar and facts."""
        return _word_classes(self, mask)

    def class_names(self, mask: int) -> tuple[str, ...]:
        """The classes whose bits are in `mask`."""
        return _class_names(self, mask)


@lru_cache(maxsize=4)
def load_lexicon(folder: Path | None = None, own: Path | None = None) -> Lexicon:
    """The lexicon in `folder`, with the languages of `own`; LexiconError says what is wrong.

    Without `folder` it is what ships, with the languages of `EGIDE_LEXICON`, which is looked at
    once in a process.
    """
    sources = Sources(folder, own) if folder else chosen_sources()
    digest = hashlib.sha256(f"{FORMAT}".encode())
    for name, data in _contents(sources):
        digest.update(name.encode() + b"\0" + data + b"\0")
    cached = _cache_file(digest.hexdigest())
    document = _read_cache(cached)
    if document is None:
        document = compile_lexicon(sources)
        _write_cache(cached, document)
    return _lexicon(document)


def chosen_sources() -> Sources:
    """What ships, and what `EGIDE_LEXICON` names; LexiconError when that is no folder."""
    return Sources(FOLDER, own_folder())


@lru_cache(maxsize=1 << 14)
def _class_names(lexicon: Lexicon, mask: int) -> tuple[str, ...]:
    names = lexicon.class_list
    found = []
    while mask:  # by its bits: a text has few of the classes
        lowest = mask & -mask
        found.append(names[lowest.bit_length() - 1])
        mask ^= lowest
    return tuple(found)


@lru_cache(maxsize=1 << 14)
def _word_classes(lexicon: Lexicon, mask: int) -> tuple[str, ...]:
    return tuple(name for name in _class_names(lexicon, mask) if "." not in name)


def compile_lexicon(sources: Sources) -> dict[str, Any]:
    """The data of `sources` as plain JSON values; LexiconError."""
    classes = read_classes(sources.folder / CLASSES)
    names = [*classes, *(f"form.{form}" for form in FORMS), *FACTS]
    bits = {name: 1 << number for number, name in enumerate(names)}
    anchors = {name for name, told in classes.items() if told.get("anchor")}
    own = _languages(sources.own_languages(), bits, anchors)
    languages = _languages(sources.languages(), bits, anchors) | own
    if BASE not in languages:
        raise LexiconError(
            f"{BASE}.yaml: English is missing, which texts without a known word are read as; "
            "put it back"
        )
    ordered = sorted(languages.values(), key=lambda own: (own.language != BASE, own.language))
    borrowed = sum(bits[name] for name, told in classes.items() if told.get("borrowed"))
    return {
        "bits": bits,
        "flags": {
            flag: sum(bits[name] for name, told in classes.items() if told.get(flag))
            for flag in ("anchor", "transparent", "blocks", "silent")
        },
        "languages": {own.language: _merged(own, ordered, borrowed) for own in ordered},
        "rules": read_rules(sources.folder / RULES, bits),
        "escalation": _escalation(*sources.escalations()),
    }


def _contents(sources: Sources) -> list[tuple[str, bytes]]:
    """Every file with what tells it from one of the same name beside it."""
    try:
        return [
            (f"own/{path.name}" if path.parent == sources.own else path.name, path.read_bytes())
            for path in sources.files()
        ]
    except OSError as error:
        named = f"{error.filename}: {error.strerror}"
        raise LexiconError(f"{named}; see that it can be read") from error


def _languages(
    paths: Iterable[Path], bits: Mapping[str, int], anchors: Collection[str]
) -> dict[str, Words]:
    """The lexicons at `paths` by their language, of which each is there once."""
    found: dict[str, tuple[Path, Words]] = {}
    for path in paths:
        words = read_words(path, bits, anchors)
        if words.language in found:
            other = found[words.language][0].name
            raise LexiconError(
                f"{path.name}: language {words.language!r} is that of {other}; write another code, "
                "or put all words into one file"
            )
        found[words.language] = (path, words)
    return {language: words for language, (_, words) in found.items()}


def _merged(own: Words, languages: Iterable[Words], borrowed: int) -> dict[str, Any]:
    """A language with the words it lacks and others lend: people mix languages."""
    words = dict(own.words)
    terms = {first: list(held) for first, held in own.terms.items()}
    for other in languages:
        if other is own:
            continue
        for word, bits in other.words.items():
            if word not in own.words and word not in own.stopwords and bits & borrowed:
                words[word] = words.get(word, 0) | bits
        for first, held in other.terms.items():
            if first not in own.stopwords and first not in own.terms:
                lent = [(rest, bits) for rest, bits in held if bits & borrowed]
                terms[first] = terms.get(first, []) + lent
    for held in terms.values():
        held.sort(key=lambda term: -len(term[0]))
    return {
        "words": words,
        "terms": {first: held for first, held in terms.items() if held},
        "stopwords": sorted(own.stopwords),
    }


def _escalation(path: Path, *added: Path) -> dict[str, list[str]]:
    """The terms at `path`, and those at `added`, which can take none away."""
    lists = _terms(path, _ESCALATION)
    for more in added:
        for name, told in _terms(more, ()).items():
            lists[name] = f"{lists[name]}, {told}" if name in lists else told
    return {
        name: sorted({_parted(folded) for term in told.split(",") for folded in spellings(term)})
        for name, told in lists.items()
    }


def _terms(path: Path, needed: Iterable[str]) -> dict[str, str]:
    document = load_yaml(path)
    if not isinstance(document, dict):
        document = {}
    check_keys(path, "the file", document, (*_ESCALATION, "only"))
    for name in (*needed, *document):
        if name != "only" and not isinstance(document.get(name), str):
            raise LexiconError(
                f"{path.name}: `{name}` is missing; write the words with commas between"
            )
    only = document.pop("only", {})
    if not isinstance(only, dict) or not all(isinstance(told, str) for told in only.values()):
        raise LexiconError(f"{path.name}: only: write of each language its words, commas between")
    return document | {f"terms.{code}": told for code, told in only.items()}


def _parted(folded: str) -> str:
    """A term with one space between its tokens, as a text's are joined to be compared."""
    return " ".join(term_tokens(folded))


def _lexicon(document: Mapping[str, Any]) -> Lexicon:
    languages = {
        name: Language(
            name,
            held["words"],
            {first: _by_second(terms) for first, terms in held["terms"].items()},
            frozenset(held["stopwords"]),
        )
        for name, held in document["languages"].items()
    }
    counts: dict[str, int] = {}
    for number, language in enumerate(languages.values()):
        for word in language.stopwords:
            counts[word] = counts.get(word, 0) + (1 << 16 * number)
    anchor = document["flags"]["anchor"]
    acts, roles = document["rules"]["acts"], document["rules"]["roles"]
    return Lexicon(
        bits=document["bits"],
        languages=languages,
        stop_counts=counts,
        acts=tuple(ActRule(**rule) for rule in acts),
        roles=tuple(RoleRule(**rule) for rule in roles),
        escalation={key: frozenset(words) for key, words in document["escalation"].items()},
        anchor=anchor,
        starts=reduce(or_, (rule["anchor"] for rule in acts), 0),
        transparent=document["flags"]["transparent"],
        blocks=document["flags"]["blocks"],
        silent=document["flags"]["silent"],
        triggers=frozenset(_triggers(languages.values(), anchor, counts.keys())),
    )


def _triggers(languages: Iterable[Language], anchor: int, common: Container[str]) -> Iterator[str]:
    """One word of every term with a class of `anchor`: its longest that is no stopword."""
    for language in languages:
        yield from (word for word, bits in language.words.items() if bits & anchor)
        for first, seconds in language.terms.items():
            for second, tails in seconds.items():
                for rest, bits in tails:
                    if bits & anchor:
                        words = [word for word in (first, second, *rest) if word != ".."]
                        yield max(words, key=lambda word: (word not in common, len(word)))


def _by_second(
    terms: Iterable[tuple[Iterable[str], int]],
) -> dict[str, list[tuple[tuple[str, ...], int]]]:
    """Terms of one first word by their second, the longest first."""
    held: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for (second, *rest), bits in terms:
        held.setdefault(second, []).append((tuple(rest), bits))
    return held


def _cache_file(digest: str) -> Path | None:
    home = os.environ.get("EGIDE_HOME")
    if home and Path(home).is_dir():
        return Path(home) / "cache" / f"lexicon-{digest[:32]}.json"
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # nobody's home
        return None
    return cache / "egide" / f"lexicon-{digest[:32]}.json"


def _read_cache(path: Path | None) -> dict[str, Any] | None:
    """What is cached; None when nothing is, or what is there may be somebody else's."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            told = os.fstat(file.fileno())
            if told.st_uid != os.getuid() or told.st_mode & 0o077 or told.st_size > _LARGEST_CACHE:
                return None
            document = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and "languages" in document else None


def _write_cache(path: Path | None, document: Mapping[str, Any]) -> None:
    if path is None:
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, separators=(",", ":"))
        part.replace(path)
        copies = {old.stat().st_mtime_ns: old for old in path.parent.glob("lexicon-*.json")}
        for made in sorted(copies)[:-_KEPT_COPIES]:
            copies[made].unlink()
    except OSError:
        part.unlink(missing_ok=True) if part.parent.is_dir() else None
