"""Checks lexicons: that they can be read, that rules can hold in them, that their tests pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from egide.errors import LexiconError
from egide.label import Label
from egide.text.intent import CONTEXTS
from egide.text.lexicon import FOLDER, Lexicon, load_lexicon
from egide.text.lexicon_file import instead, load_yaml, read_classes
from egide.text.lexicon_folder import CLASSES, Sources
from egide.text.screen import Said, screen, titled

_TEST: Final = ("text", "labels", "context", "with_photo", "age_rating", "title")


def lint(lexicons: Path | Sources) -> list[str]:
    """What is wrong with the lexicons there, one line each; empty when nothing is."""
    sources = lexicons if isinstance(lexicons, Sources) else Sources(lexicons)
    try:
        lexicon = load_lexicon(sources.folder, sources.own)
    except LexiconError as error:
        return [str(error)]
    lacking = read_classes(FOLDER / CLASSES).keys() - lexicon.bits.keys()
    if lacking:  # nothing could be screened without them
        return [f"{CLASSES}: {name}: it ships and is used; put it back" for name in sorted(lacking)]
    return [*_without_meaning(sources), *_never(lexicon), *_failing(sources, lexicon)]


def replaced(sources: Sources) -> list[str]:
    """Which lexicons of one's own are read instead of one of the same language."""
    shipped = {load_yaml(path)["language"]: path.name for path in sources.languages()}
    own = {load_yaml(path)["language"]: path for path in sources.own_languages()}
    return [
        f"{path}: read instead of {shipped[language]} that ships"
        for language, path in own.items()
        if language in shipped
    ]


def _without_meaning(sources: Sources) -> Iterator[str]:
    for name, told in read_classes(sources.folder / CLASSES).items():
        if not told.get("means"):
            yield f"{CLASSES}: {name}: `means` is missing; say what belongs to it"


def _never(lexicon: Lexicon) -> Iterator[str]:
    """Rules that can hold in no text of a language, since it lacks a class of theirs."""
    for language in lexicon.languages.values():
        held = 0
        for bits in language.words.values():
            held |= bits
        for seconds in language.terms.values():
            for tails in seconds.values():
                for _, bits in tails:
                    held |= bits
        for rule in lexicon.acts:
            if not held & rule.anchor:
                yield f"{language.name}: no word for the anchor of rule {rule.rule}; add one"


def _failing(sources: Sources, lexicon: Lexicon) -> Iterator[str]:
    own = {load_yaml(path)["language"]: path for path in sources.own_languages()}
    shipped = [path for path in sources.languages() if load_yaml(path)["language"] not in own]
    for path in (*shipped, *own.values()):
        for number, test in enumerate(load_yaml(path)["tests"], 1):
            try:
                expected = {Label(label) for label in test["labels"]}
                text = str(test["text"])
                strange = [str(key) for key in test if key not in _TEST]
            except (KeyError, TypeError, ValueError) as error:
                yield f"{path.name}: test {number}: {_wrong(error)}"
                continue
            context = str(test.get("context", ""))
            if strange:
                why = f"there is no key `{strange[0]}`; {instead(strange[0], _TEST)}"
                yield f"{path.name}: test {number}: {why}"
                continue
            if context and context not in CONTEXTS:
                why = f"there is no context {context!r}; {instead(context, CONTEXTS)}"
                yield f"{path.name}: test {number}: {why}"
                continue
            attributes = {str(key): str(value) for key, value in test.items()}
            screened = screen(titled(text, said := Said.of(attributes)), said, lexicon)
            seen = {found.label for found in screened.found}
            if seen != expected:
                wanted = ", ".join(sorted(expected)) or "nothing"
                got = ", ".join(sorted(seen)) or "nothing"
                yield f"{path.name}: {text!r}: expected {wanted}, saw {got}"


def _wrong(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"`{error.args[0]}` is missing; write it, `labels: []` where nothing is to be seen"
    if isinstance(error, ValueError):
        return f"{error}; docs/reference/labels.md has them"
    return "write a mapping with `text`, and with `labels` as a list"
