"""Fields of a listing, read whatever has become of them on the way.

The same field is a number here and a text there, a list or a list written as text, `null` or not
there at all: APIs drift, and exports go through tables. Every function gives a value of its type,
or what stands for "not said", and never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from egide.hub.facts import MOST_TEXT, MOST_WORDS, distinct, plain

MOST_NUMBER: Final = 1 << 53
MOST_JSON: Final = 1 << 20
_NOTHING: Final[Mapping[str, Any]] = {}
_SAYS_NOTHING: Final = frozenset({"", "none", "null", "nan", "undefined"})
_TRUE: Final = frozenset({"true", "1", "yes", "t", "soft", "mature", "x", "xxx", "r"})
_FALSE: Final = frozenset({"false", "0", "no", "f", "none", "pg", "pg13"})
_QUOTED: Final = re.compile(r"""\s{0,9}(?:"([^"]*)"|'([^']*)'|([^,]*))\s{0,9}(?:,|\Z)""")


def text_of(value: Any, most: int = MOST_TEXT) -> str | None:
    """`value` as clean text; None when it says nothing."""
    if isinstance(value, str):
        said = plain(value, most) if value else ""
        return None if len(said) < 10 and said.lower() in _SAYS_NOTHING else said
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return str(value)[:40] if -MOST_NUMBER < value < MOST_NUMBER else None


def number_of(value: Any) -> int | None:
    """`value` as a whole number from 0 to 2⁵³; None when it is none."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value[:40])
        except ValueError:
            return None
    if isinstance(value, (int, float)) and 0 <= value <= MOST_NUMBER:
        return int(value)
    return None


def first_number(*values: Any) -> int | None:
    """The first of `values` that is a whole number from 0 to 2⁵³; None when none is."""
    for value in values:
        if value is not None and (number := number_of(value)) is not None:
            return number
    return None


def truth_of(value: Any) -> bool | None:
    """`value` as yes or no, which were also written `"Soft"`, `1` and `"False"`."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value != 0
    word = value[:10].strip().lower() if isinstance(value, str) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def object_of(value: Any) -> Mapping[str, Any]:
    """`value` as an object, be it one or JSON of one; an empty one otherwise."""
    if isinstance(value, str):
        value = _json(value, "{")
    return value if isinstance(value, dict) else _NOTHING


def list_of(value: Any, most: int = MOST_WORDS) -> list[Any]:
    """`value` as a list of at most `most`, be it one or JSON of one; an empty one otherwise."""
    if isinstance(value, str):
        value = _json(value, "[")
    return value[:most] if isinstance(value, list) else []


def objects_in(value: Any, most: int = MOST_WORDS) -> Iterator[Mapping[str, Any]]:
    """The objects in the list `value`; what is none is passed by."""
    for one in list_of(value, most):
        if isinstance(one, dict):
            yield one


def words_of(value: Any, most: int = 300) -> tuple[str, ...]:
    """The different words in `value`: a list of texts or of objects with a `name`, or a text.

    As text they were written as JSON, as Python (`['a', 'b']`), as PostgreSQL (`{a,"b c"}`) and
    with commas alone.
    """
    if isinstance(value, list):
        listed: Any = value[:MOST_WORDS]
    elif isinstance(value, str):
        listed = _json(value, "[") or _split(value[:MOST_TEXT])
    elif isinstance(value, dict):
        listed = list(value)[:MOST_WORDS]
    else:
        return ()
    said = [text_of(word.get("name") if isinstance(word, dict) else word, most) for word in listed]
    return distinct(filter(None, said))


def _split(text: str) -> list[str]:
    text = text.strip()
    if text[:1] + text[-1:] in ("[]", "{}", "()"):
        return ["".join(found.groups("")) for found in _QUOTED.finditer(text[1:-1])]
    return [word.strip() for word in text.split(",")]


def _json(text: str, begins: str) -> Any:
    if len(text) > MOST_JSON or not text.lstrip().startswith(begins):
        return None
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
