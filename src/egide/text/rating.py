"""Age ratings of the stores and of content boards: from which age on is something offered?"""

from __future__ import annotations

import re
from typing import Final

GROWN: Final = 13
"""From this age on a rating no longer says that something is for all."""

_WORDS: Final = {
    "everyone": 0,
    "all": 0,
    "all ages": 0,
    "everyone 10+": 10,
    "e": 0,
    "e10+": 10,
    "g": 0,
    "pg": 8,
    "pg-13": 13,
    "teen": 13,
    "t": 13,
    "mature": 17,
    "m": 17,
    "mature 17+": 17,
    "r": 17,
    "adult": 18,
    "adults": 18,
    "adults only": 18,
    "ao": 18,
    "nc-17": 18,
    "x": 18,
    "tous publics": 0,
    "tout public": 0,
    "libre": 0,
    "livre": 0,
    "para todos": 0,
    "ohne altersbeschränkung": 0,
    "jugendliche": 12,
    "adolescents": 12,
    "adultes": 18,
}
_AGE: Final = re.compile(r"\d{1,2}")


def youngest(rating: str) -> int | None:
    """The age in years from which `rating` lets somebody in; None when it does not say.

    Reads Apple's (4+), Google's (Everyone, Teen), PEGI's, USK's, ESRB's and plain numbers.
    """
    word = " ".join(rating.lower().split())[:64]
    for prefix in ("rated ", "esrb ", "pegi ", "usk ", "rating "):
        word = word.removeprefix(prefix)
    if word in _WORDS:
        return _WORDS[word]
    found = _AGE.search(word)
    return int(found[0]) if found else None


def is_for_all(rating: str) -> bool:
    """Whether `rating` lets people in who are under `GROWN`."""
    age = youngest(rating)
    return age is not None and age < GROWN
