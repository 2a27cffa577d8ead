"""Reads lexicons, which are data: YAML files of words by class, one a language.

    classes.yaml     what classes there are, and what each means
    en.yaml …        the words of a language: `class: {paradigm: "lemma, lemma"}`
    escalation.yaml  the few terms of the escalation lane
    rules.yaml       how classes combine (`egide.text.rules`)

A paradigm makes the forms of a lemma: `cut` letters off its end, then each ending under `base`,
`third`, `past`, `gerund` or `any`. A class may be given forms outright under those same names. A
term of several words may leave a gap of some words with `..`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    "language": (str, "its code"),
    "classes": (dict, "a mapping, of each class its words by paradigm"),
    "stopwords": (str, "the words with spaces between"),
    "paradigms": (dict, "a mapping, of each paradigm `cut` and its endings"),
    "tests": (list, "a list of texts with what they are"),
}


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
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LexiconError(f"{path.name}: {' '.join(str(error).split())}; mend the file") from error


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

    return Loader


def read_classes(path: Path) -> dict[str, Mapping[str, Any]]:
    """The classes by name, in the order of the file."""
    document = load_yaml(path)
    if not isinstance(document, dict) or not isinstance(document.get("classes"), dict):
        raise LexiconError(f"{path.name}: there is no mapping `classes`; write one")
    classes: dict[str, Mapping[str, Any]] = document["classes"]
    for name, told in classes.items():
        if not isinstance(told, dict):
            raise LexiconError(f"{path.name}: {name}: write a mapping with `means`")
    return classes


def read_words(path: Path, bits: Mapping[str, int]) -> Words:
    """The lexicon at `path`; LexiconError names the class or paradigm that is not right."""
    document = load_yaml(path)
    for key in ("language", "provenance", "classes", "stopwords"):
        if not isinstance(document, dict) or not document.get(key):
            raise LexiconError(f"{path.name}: `{key}` is missing; every lexicon says it")
    for key, (kind, how) in _KINDS.items():
        if key in document and not isinstance(document[key], kind):
            raise LexiconError(f"{path.name}: {key}: write {how}")
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
    _read_lists(path, document, bits, words)
    words.inherit(
        sum(bits[name] for name in _INHERITED if name in bits),
        sum(bits[name] for name in _ELSEWHERE if name in bits),
    )
    return words


def _read_lists(path: Path, document: Any, bits: Mapping[str, int], words: Words) -> None:
    paradigms = document.get("paradigms", {})
    for class_, lists in document["classes"].items():
        if class_ not in bits:
            raise LexiconError(f"{path.name}: {class_!r} is no class of classes.yaml; add it there")
        if not isinstance(lists, dict):
            raise LexiconError(
                f"{path.name}: {class_}: write the words under a paradigm, such as `any`"
            )
        for paradigm, lemmas in lists.items():
            for form, term in _forms(path, class_, paradigm, lemmas, paradigms):
                mask = bits[class_] | (bits[f"form.{form}"] if form in FORMS else 0)
                for spelling in spellings(term):
                    if spelling != term and spelling in words.stopwords:
                        continue  # without its accents it would be another, common word
                    if not 1 <= len(term_tokens(spelling)) <= LONGEST_TERM:
                        raise LexiconError(
                            f"{path.name}: {class_}: {term!r} has no words, or more than "
                            f"{LONGEST_TERM}; shorten it"
                        )
                    words.add(spelling, mask)


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
    path: Path, class_: str, paradigm: str, lemmas: object, paradigms: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Each form and its name, of a comma-separated list of lemmas."""
    if not isinstance(lemmas, str):
        raise LexiconError(f"{path.name}: {class_}.{paradigm}: write the words with commas between")
    terms = [term.strip() for term in lemmas.split(",") if term.strip()]
    if paradigm in FORMS or paradigm == "any":
        yield from ((paradigm, term) for term in terms)
        return
    if paradigm not in paradigms:
        raise LexiconError(f"{path.name}: {class_}: there is no paradigm {paradigm!r}; add it")
    cut, endings = _paradigm(path, paradigm, paradigms[paradigm])
    for term in terms:
        if len(term) < cut:
            raise LexiconError(
                f"{path.name}: {class_}: {term!r} has fewer letters than {paradigm!r} cuts off; "
                "write its forms out"
            )
        stem = term[: len(term) - cut]
        for form, ending in endings:
            yield form, stem + ending


def _paradigm(path: Path, name: str, rule: Any) -> tuple[int, list[tuple[str, str]]]:
    """How many letters it cuts off, and each ending after the name of its form."""
    cut = rule.get("cut") if isinstance(rule, dict) else None
    if not isinstance(cut, int) or cut < 0:
        raise LexiconError(f"{path.name}: paradigms.{name}.cut: write how many letters it cuts off")
    endings: list[tuple[str, str]] = []
    for form in (*FORMS, "any"):
        held = rule.get(form, [])
        if not isinstance(held, list) or not all(isinstance(ending, str) for ending in held):
            raise LexiconError(f"{path.name}: paradigms.{name}.{form}: write a list of endings")
        endings += ((form, ending) for ending in held)
    return cut, endings
