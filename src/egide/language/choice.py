"""Which language a person reads: what they asked for, else what their browser prefers."""

from __future__ import annotations

from functools import cache
from typing import Final

from egide.language.catalogues import SOURCE, available

MOST_RANGES: Final = 16
"""Languages of a header that are looked at, the first ones; no browser sends more."""
MOST_CHARACTERS: Final = 400


def choose(accept: str | None, *wished: str | None) -> str:
    """The language to answer in.

    The first of `wished` (a form's field, the query, a cookie) that is there; else the best of the
    header Accept-Language (RFC 9110, 12.5.4); else the source. Anything unknown is passed over.
    """
    for tag in wished:
        if tag and tag in available():
            return tag
    for tag in _preferred(accept or ""):
        found = _known(tag)
        if found is not None:
            return found
    return SOURCE


@cache
def name(language: str) -> str:
    """What `language` calls itself, such as `Français`."""
    from babel import Locale  # noqa: PLC0415  reads large tables

    locale = Locale.parse(language, sep="-")
    shown: str = locale.get_display_name(language) or language
    return shown[:1].upper() + shown[1:]


def _preferred(accept: str) -> list[str]:
    """The tags of a header, best first, those that are refused left out."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept[:MOST_CHARACTERS].split(",")[:MOST_RANGES]):
        tag, _, parameter = part.partition(";")
        weight = _weight(parameter)
        if weight > 0:
            weighed.append((-weight, place, tag.strip().lower()))
    return [tag for _, _, tag in sorted(weighed)]


def _weight(parameter: str) -> float:
    """`q` of one language range, 0..1; 1 where none is given, 0 where it is no number."""
    key, _, value = parameter.strip().partition("=")
    if key.strip().lower() != "q":
        return 1.0
    try:
        weight = float(value[:8])
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _known(tag: str) -> str | None:
    """The language for `tag`: itself, or its main language (`fr-CA` is read by who reads `fr`)."""
    by_lower = {known.lower(): known for known in available()}
    main = tag.partition("-")[0]
    beside = next(
        (known for lower, known in by_lower.items() if lower.startswith(f"{main}-")), None
    )
    return by_lower.get(tag) or by_lower.get(main) or beside
