"""Checks lexicons: that they can be read, that rules can hold in them, that their tests pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from egide.errors import LexiconError
from egide.label import Label
from egide.text.lexicon import Lexicon, language_files, load_lexicon
from egide.text.lexicon_file import load_yaml, read_classes
from egide.text.screen import Said, screen


def lint(folder: Path) -> list[str]:
    """What is wrong with the lexicons in `folder`, one line each; empty when nothing is."""
    try:
        lexicon = load_lexicon(folder)
    except LexiconError as error:
        return [str(error)]
    return [*_without_meaning(folder), *_never(lexicon), *_failing(folder, lexicon)]


def _without_meaning(folder: Path) -> Iterator[str]:
    for name, told in read_classes(folder / "classes.yaml").items():
        if not told.get("means"):
            yield f"classes.yaml: {name}: `means` is missing; say what belongs to it"


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


def _failing(folder: Path, lexicon: Lexicon) -> Iterator[str]:
    for path in language_files(folder):
        for number, test in enumerate(load_yaml(path).get("tests", ()), 1):
            try:
                expected = {Label(label) for label in test["labels"]}
                text = str(test["text"])
            except (KeyError, TypeError, ValueError) as error:
                yield f"{path.name}: test {number}: {_wrong(error)}"
                continue
            attributes = {str(key): str(value) for key, value in test.items()}
            screened = screen(text, Said.of(attributes), lexicon)
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
