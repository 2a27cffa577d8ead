"""Reads lexicons, which are data: YAML files of words by class, one a language.

    classes.yaml     what classes there are, and what each means
    en.yaml …        the words of a language: `class: {paradigm: "lemma, lemma"}`
    escalation.yaml  the few terms of the escalation lane
    rules.yaml       how classes combine (`egide.text.rules`)

docs/reference/lexicons.md has every key. What is wrong is said in one line: the file, where in it,
and what to do.

A paradigm makes the forms of a lemma: `cut` letters off its end, then each ending under `base`,
`third`, `past`, `gerund` or `any`. A class may be given forms outright under those same names. A
term of several words may leave a gap of some words with `..`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Final

from egide.errors import LexiconError
from egide.text.fold import Folded
from egide.text.tokens import term_tokens

FORMS: Final = ("base", "third", "past", "gerund")
"""Forms of a verb that tell who is spoken to; each is a class of its own, `form.base` …"""
LONGEST_TERM: Final = 8
_INHERITED: Final = (
    "photo",
    "face",
    "nudes",
    "nude",
    "deepfake",
    "sex",
    "relation",
    "family",
    "partner",
    "undress",
    "service",
    "ai",
    "garment",
    "skimpy",
    "pronoun",
)
"""What is in a term is still spoken of: "any photo" is a photo, "nudes of me" are nudes."""
_ELSEWHERE: Final = ("blocker", "innocent", "medical", "retouch", "art", "shop", "pet")
_GERMAN: Final = {"ä": "ae", "ö": "oe", "ü": "ue"}


_KINDS: Final[Mapping[str, tuple[type, str]]] = {
    "language": (str, "its code, in quotes where it stands for something else in YAML, as 'no'"),
    "classes": (dict, "a mapping, of each class its words by paradigm"),
    "stopwords": (str, "the words with spaces between"),
    "paradigms": (dict, "a mapping, of each paradigm `cut` and its endings"),
    "tests": (list, "a list of texts with what they are"),
}


_PARTS: Final = ("language", "provenance", "classes", "stopwords", "paradigms", "tests")
_FLAGS: Final = ("borrowed", "anchor", "transparent", "blocks", "silent")
_CLASS: Final = ("means", *_FLAGS)
_PARADIGM: Final = ("cut", *FORMS, "any")
_FEW: Final = 16
_CODE: Final = re.compile("[a-z]{2,3}")

Endings = tuple[int, list[tuple[str, str]]]
"""Of a paradigm: how many letters it cuts off, and each ending after the name of its form."""


class Told(dict[Any, Any]):
    """A mapping of a YAML file, with the line that each of its keys stands in."""

    lines: Mapping[str, int]


def refused(path: Path, what: str, why: str, line: int = 0) -> LexiconError:
    """The error that says where `what` is, what is wrong with it, and what to do."""
    return LexiconError(f"{path.name}: {what}{f' (line {line})' if line else ''}: {why}")


def line_of(told: Mapping[str, Any], key: str) -> int:
    """The line of `key`; 0 when it is not known."""
    return told.lines.get(key, 0) if isinstance(told, Told) else 0


def check_keys(path: Path, what: str, told: Mapping[str, Any], allowed: Collection[str]) -> None:
    """LexiconError when `told` has a key that is not in `allowed`: it would do nothing."""
    for key in told:
        if key not in allowed:
            why = f"there is no key `{key}`; {instead(str(key), allowed)}"
            raise refused(path, what, why, line_of(told, key))


def instead(name: str, allowed: Collection[str]) -> str:
    """What to write for `name`, which is none of `allowed`."""
    from difflib import get_close_matches  # noqa: PLC0415  start-up time

    close = get_close_matches(name, allowed, 1)
    if close:
        return f"did you mean `{close[0]}`?"
    few = len(allowed) <= _FEW
    return f"write one of {', '.join(allowed)}" if few else "write one of those that are there"


@dataclass
class Words:
    """The words of one language: class bits by word, and by first word the terms of several."""

    language: str
    words: dict[str, int] = field(default_factory=dict)
    terms: dict[str, list[tuple[tuple[str, ...], int]]] = field(default_factory=dict)
    stopwords: frozenset[str] = frozenset()
    tests: tuple[Mapping[str, Any], ...] = ()

    def add(self, term: str, bits: int) -> None:
        """Adds a folded term."""
        first, *rest = term_tokens(term)
        if not rest:
            self.words[first] = self.words.get(first, 0) | bits
            return
        held = self.terms.setdefault(first, [])
        for number, (known, known_bits) in enumerate(held):
            if known == tuple(rest):
                held[number] = (known, known_bits | bits)
                return
        held.append((tuple(rest), bits))

    def inherit(self, inherited: int, elsewhere: int) -> None:
        """Gives terms of several words those classes of `inherited` that their words have.

        Terms with a class of `elsewhere` get none: a coat hanger is no coat.
        """
        for first, held in self.terms.items():
            for number, (rest, bits) in enumerate(held):
                lent = 0
                for word in (first, *rest):
                    lent |= self.words.get(word, 0) & inherited
                held[number] = (rest, bits if ".." in rest or bits & elsewhere else bits | lent)


def load_yaml(path: Path) -> Any:
    """What the YAML file at `path` holds; LexiconError when it is none."""
    import yaml  # noqa: PLC0415  only when the compiled copy is stale: start-up time

    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_loader(yaml))  # noqa: S506  a safe one
    except FileNotFoundError as error:
        raise LexiconError(
            f"{path.name}: the file is missing; put it into {path.parent}"
        ) from error
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        told = " ".join(str(error).replace('in "<unicode string>", ', "at ").split())
        raise LexiconError(f"{path.name}: {told}; mend the file") from error


def _loader(yaml: Any) -> Any:
    """A safe loader that refuses a key that stands twice, where YAML would keep the last."""
    safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(safe):  # type: ignore[misc, valid-type]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[str] = set()
            for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
                if key.value in seen:
                    line = key.start_mark.line + 1
                    raise yaml.YAMLError(f"line {line}: {key.value!r} stands twice")
                seen.add(key.value)
            return super().construct_mapping(node, deep=deep)

        def told(self, node: Any) -> Iterator[Told]:
            mapping = Told()
            yield mapping  # before it is filled: it may hold itself
            mapping.update(self.construct_mapping(node))
            mapping.lines = {
                key.value: key.start_mark.line + 1
                for key, _ in node.value
                if isinstance(key, yaml.ScalarNode)
            }

    Loader.add_constructor("tag:yaml.org,2002:map", Loader.told)
    return Loader


def read_classes(path: Path) -> dict[str, Mapping[str, Any]]:
    """The classes by name, in the order of the file."""
    document = load_yaml(path)
    if not isinstance(document, dict) or not isinstance(document.get("classes"), dict):
        raise LexiconError(f"{path.name}: there is no mapping `classes`; write one")
    check_keys(path, "the file", document, ("classes",))
    classes: dict[str, Mapping[str, Any]] = document["classes"]
    for name, told in classes.items():
        if not isinstance(told, dict):
            line = line_of(classes, name)
            raise refused(path, name, "write a mapping with `means`", line)
        check_keys(path, name, told, _CLASS)
        for flag in _FLAGS:
            if not isinstance(told.get(flag, False), bool):
                raise refused(path, f"{name}.{flag}", "write true or false", line_of(told, flag))
    return classes


def read_words(path: Path, bits: Mapping[str, int], anchors: Collection[str] = ()) -> Words:
    """The lexicon at `path`; LexiconError names the class or paradigm that is not right.

    No word of a class of `anchors` may be a stopword: it would make every text worth reading.
    """
    document = load_yaml(path)
    for key in ("language", "provenance", "classes", "stopwords"):
        if not isinstance(document, dict) or document.get(key) in (None, "", {}):
            raise LexiconError(f"{path.name}: `{key}` is missing; every lexicon says it")
    check_keys(path, "the file", document, _PARTS)
    for key, (kind, how) in _KINDS.items():
        if key in document and not isinstance(document[key], kind):
            raise refused(path, key, f"write {how}", line_of(document, key))
    if not _CODE.fullmatch(document["language"]):
        why = "write its code of two or three small letters, such as it"
        raise refused(path, "language", why, line_of(document, "language"))
    words = Words(
        document["language"],
        stopwords=frozenset(
            folded
            for word in document["stopwords"].split()
            for term in spellings(word)
            for folded in term_tokens(term)
        ),
        tests=tuple(document.get("tests", ())),
    )
    _read_lists(path, document, bits, words, anchors)
    if not words.tests:
        raise LexiconError(
            f"{path.name}: `tests` is missing; write texts with what is to be seen in them"
        )
    words.inherit(
        sum(bits[name] for name in _INHERITED if name in bits),
        sum(bits[name] for name in _ELSEWHERE if name in bits),
    )
    return words


def _read_lists(
    path: Path, document: Any, bits: Mapping[str, int], words: Words, anchors: Collection[str]
) -> None:
    paradigms = {
        name: _paradigm(path, document["paradigms"], name) for name in document.get("paradigms", {})
    }
    for class_, lists in document["classes"].items():
        line = line_of(document["classes"], class_)
        if class_ not in bits:
            known = [name for name in bits if "." not in name]
            why = f"{class_!r} is no class of classes.yaml; {instead(str(class_), known)}"
            raise refused(path, "classes", why, line)
        if not isinstance(lists, dict):
            raise refused(path, class_, "write the words under a paradigm, such as `any`", line)
        for paradigm, lemmas in lists.items():
            line = line_of(lists, paradigm)
            for form, term in _forms(path, class_, paradigm, lemmas, paradigms, line):
                mask = bits[class_] | (bits[f"form.{form}"] if form in FORMS else 0)
                for spelling in spellings(term):
                    if spelling != term and spelling in words.stopwords:
                        continue  # without its accents it would be another, common word
                    why = _unfit(spelling, words.stopwords if class_ in anchors else ())
                    if why:
                        raise refused(path, f"{class_}.{paradigm}", f"{term!r} {why}", line)
                    words.add(spelling, mask)


def _unfit(spelling: str, common: Collection[str]) -> str:
    """Why a folded term cannot be one; empty when it can."""
    tokens = term_tokens(spelling)
    if not 1 <= len(tokens) <= LONGEST_TERM:
        return f"has no words, or more than {LONGEST_TERM}; shorten it"
    if ".." in (tokens[0], tokens[-1]):
        return "begins or ends with a gap; write a word on either side of `..`"
    if spelling in common:
        return "is a stopword too, which is in every text; take it out of one of the two"
    return ""


def spellings(term: str) -> Iterator[str]:
    """`term` folded, and with umlauts written out when it has some."""
    choices = [(c, _GERMAN[c]) if c in _GERMAN else (c,) for c in term.strip().lower()]
    seen = set()
    for chosen in product(*choices) if len(term) < 60 else [term]:
        folded = Folded("".join(chosen)).key
        if folded not in seen:
            seen.add(folded)
            yield folded


def _forms(
    path: Path,
    class_: str,
    paradigm: str,
    lemmas: object,
    paradigms: Mapping[str, Endings],
    line: int,
) -> Iterator[tuple[str, str]]:
    """Each form and its name, of a comma-separated list of lemmas."""
    if not isinstance(lemmas, str):
        raise refused(path, f"{class_}.{paradigm}", "write the words with commas between", line)
    terms = [term.strip() for term in lemmas.split(",") if term.strip()]
    if paradigm in FORMS or paradigm == "any":
        yield from ((paradigm, term) for term in terms)
        return
    if paradigm not in paradigms:
        raise refused(path, class_, f"there is no paradigm {paradigm!r}; add it", line)
    cut, endings = paradigms[paradigm]
    for term in terms:
        if len(term) < cut:
            why = f"{term!r} has fewer letters than {paradigm!r} cuts off; write its forms out"
            raise refused(path, class_, why, line)
        stem = term[: len(term) - cut]
        for form, ending in endings:
            yield form, stem + ending


def _paradigm(path: Path, paradigms: Mapping[str, Any], name: str) -> Endings:
    rule, line = paradigms[name], line_of(paradigms, name)
    cut = rule.get("cut") if isinstance(rule, dict) else None
    if isinstance(cut, bool) or not isinstance(cut, int) or cut < 0:
        raise refused(path, f"paradigms.{name}.cut", "write how many letters it cuts off", line)
    check_keys(path, f"paradigms.{name}", rule, _PARADIGM)
    if name in (*FORMS, "any"):
        raise refused(path, f"paradigms.{name}", "that is the name of a form; name it anew", line)
    endings: list[tuple[str, str]] = []
    for form in (*FORMS, "any"):
        held = rule.get(form, [])
        if not isinstance(held, list) or not all(isinstance(ending, str) for ending in held):
            raise refused(path, f"paradigms.{name}.{form}", "write a list of endings", line)
        endings += ((form, ending) for ending in held)
    return cut, endings
