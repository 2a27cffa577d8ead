"""Catalogues: which languages there are, and their words by domain."""

from __future__ import annotations

import re
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from egide.errors import UsageError

SOURCE: Final = "en"
"""The language of the texts in the code; it has no catalogue."""

SHARED: Final = "public"
DOMAINS: Final = (SHARED, "console", "letters")
"""Whose words are looked up together. What a domain lacks is looked up in the first of them, so
that a frame that all pages share is translated once."""

FOLDER: Final = Path(__file__).parent
_TAG: Final = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")


@cache
def available() -> tuple[str, ...]:
    """The languages, the source first, then those with a folder: BCP 47 tags such as `fr`."""
    folders = sorted(path.name for path in FOLDER.iterdir() if _TAG.fullmatch(path.name))
    return (SOURCE, *(name for name in folders if (FOLDER / name / f"{SHARED}.po").is_file()))


@cache
def catalogue(language: str, domain: str) -> NullTranslations:
    """The words of `language` for `domain`; what is not translated comes back as it is.

    UsageError for a language or domain that is not there, and for a file that is no catalogue.
    """
    if domain not in DOMAINS:
        raise UsageError(f"no domain {domain!r} of texts; there are {', '.join(DOMAINS)}")
    if language not in available():
        raise UsageError(f"no language {language!r}; there are {', '.join(available())}")
    path = FOLDER / language / f"{domain}.po"
    found = NullTranslations() if language == SOURCE else _read(path)
    if domain != SHARED:
        found.add_fallback(catalogue(language, SHARED))
    return found


def marked(text: str) -> str:
    """`text` itself: it is put into the catalogues, and translated where it is shown."""
    return text


def _read(path: Path) -> NullTranslations:
    from babel.messages.mofile import write_mo  # noqa: PLC0415  not for who speaks the source
    from babel.messages.pofile import PoFileError, read_po  # noqa: PLC0415

    if not path.is_file():
        return NullTranslations()
    compiled = BytesIO()
    try:
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, locale=path.parent.name, abort_invalid=True))
    except (PoFileError, ValueError) as error:
        raise UsageError(f"{path.parent.name}/{path.name} is no catalogue: {error}") from error
    compiled.seek(0)
    return GNUTranslations(compiled)
