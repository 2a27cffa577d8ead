"""What is measured: égide, three profanity filters and a plain keyword list, one call each."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from egide import Finding, Kind, Policy, load_policy, screen_text
from egide.text.screen import Said, Screened, screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.text.records import Record

KEYWORDS: Final = (
    "nude", "naked", "undress", "nudify", "strip", "porn", "deepfake", "nsfw", "xxx", "sexy",
    "lingerie", "topless", "clothes remover", "remove clothes", "x-ray",
    "nue", "à poil", "déshabill", "dénud", "porno", "sans vêtements", "enlever vêtements",
    "rayons x", "desnud", "sin ropa", "quitar ropa", "rayos x",
    "nackt", "auszieh", "ohne kleidung", "dessous", "röntgen",
)  # fmt: skip
"""A list as a platform would begin with: the words of the services' own adverts."""


@dataclass(frozen=True)
class Screen:
    """A filter: `flags` says whether it would stop a text in a language."""

    name: str
    flags: Callable[[str, str], bool]


def labels_of(record: Record, text: str | None = None) -> dict[str, float]:
    """The labels that égide gives the record's text, or `text` in its place, with their scores."""
    found: dict[str, float] = {}
    for finding in _findings(record, record.text if text is None else text):
        found[str(finding.label)] = max(finding.score, found.get(str(finding.label), 0.0))
    return found


def ruled(record: Record) -> Screened:
    """What égide's rules alone see in the record's text."""
    return screen(record.text, Said.of({**record.attributes, "context": record.context}))


def action_of(record: Record) -> str:
    """What the default policy does about the record's text."""
    findings = _findings(record, record.text)
    return str(_policy().decide(Kind.TEXT, record.attributes, findings, ()).action)


def _findings(record: Record, text: str) -> list[Finding]:
    said: dict[str, Any] = {**record.attributes}
    return list(screen_text(text, context=record.context, **said))


@cache
def _policy() -> Policy:
    return load_policy()


def peers() -> list[Screen]:
    """The filters beside égide, ready to be asked."""
    return [
        Screen("better-profanity", _better_profanity()),
        Screen("alt-profanity-check", _alt_profanity_check()),
        Screen("glin-profanity", _glin_profanity()),
        Screen("keyword list", _keywords),
    ]


def _keywords(text: str, language: str) -> bool:  # noqa: ARG001  one signature for all
    lowered = text.casefold()
    return any(word in lowered for word in KEYWORDS)


def _better_profanity() -> Callable[[str, str], bool]:
    profanity = import_module("better_profanity").profanity
    profanity.load_censor_words()
    return lambda text, _language: bool(profanity.contains_profanity(text))


def _alt_profanity_check() -> Callable[[str, str], bool]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn on the age of the model
        predict = import_module("profanity_check").predict
    return lambda text, _language: bool(predict([text])[0])


def _glin_profanity() -> Callable[[str, str], bool]:
    """One filter for each language, with its defences against leet and look-alikes on."""
    make = import_module("glin_profanity").Filter
    names = {"en": "english", "fr": "french", "es": "spanish", "de": "german"}
    filters = {
        code: make(
            {
                "languages": list(dict.fromkeys(["english", name])),
                "detect_leetspeak": True,
                "normalize_unicode": True,
            }
        )
        for code, name in names.items()
    }
    return lambda text, language: bool(filters[language].is_profane(text))
