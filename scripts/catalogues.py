"""Keeps the catalogues of `egide.language` in step with the texts in code and templates.

`python scripts/catalogues.py` brings every language's catalogues up to date: new texts come in
without a translation, texts that are gone are removed. `--check` names what is missing, unsure,
stale or would break a page, and exits with 1. A new language: `--add de`, then translate.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterator
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from egide.language import DOMAINS, SOURCE
from egide.language.catalogues import FOLDER

PACKAGE: Final = FOLDER.parent
SOURCES: Final = {
    "public": ("web/public_*.py", "web/templates/public/**/*.j2"),
    "console": ("web/console_*.py", "web/templates/console/**/*.j2"),
    "letters": (
        "desk/export_text.py",
        "desk/letters*.py",
        "desk/letters/**/*",
        "desk/letter_templates/**/*",
        "desk/statement*.py",
        "desk/transparency*.py",
        "web/figures_*.py",
        "web/templates/figures/**/*.j2",
    ),
}
KEYWORDS: Final[dict[str, Any]] = {
    "_": None,
    "gettext": None,
    "marked": None,
    "ngettext": (1, 2),
}
METHODS: Final = {".py": "python", ".j2": "jinja2"}
_PLACE: Final = re.compile(r"%\((\w+)\)s|%(?!%)|\{\{|\{%")
_MARKUP: Final = re.compile(r"<[^>]*>")


def texts(domain: str) -> Catalog:
    """All texts of one domain, as code and templates have them."""
    found = Catalog(project="égide", charset="utf-8", fuzzy=False)
    paths = {path for pattern in SOURCES[domain] for path in PACKAGE.glob(pattern)}
    for path in sorted(paths):
        method = METHODS.get(path.suffix)
        if method is None:
            continue
        options = {"silent": "false", "trimmed": "true", "newstyle_gettext": "true"}
        for _, message, comments, context in extract_from_file(
            method, path, KEYWORDS, ("Translators:",), options
        ):
            place = (path.relative_to(PACKAGE).as_posix(), 0)
            found.add(message, None, [place], auto_comments=comments, context=context)
    return found


def brought_up_to_date(language: str, domain: str) -> bytes:
    """The catalogue of one language with the texts of today."""
    path = FOLDER / language / f"{domain}.po"
    known = Catalog(locale=language, project="égide", charset="utf-8", fuzzy=False)
    if path.is_file():
        with path.open("rb") as file:
            known = read_po(file, locale=language)
    known.update(texts(domain), no_fuzzy_matching=True)
    known.obsolete.clear()
    known.fuzzy = False
    out = io.BytesIO()
    write_po(out, known, width=96, sort_by_file=True, include_lineno=False, omit_header=True)
    header = (
        f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {known.plural_forms}\\n"\n\n'
    )
    return header.encode() + out.getvalue().lstrip(b"\n")


def languages() -> list[str]:
    """Those that have a folder."""
    return sorted(path.name for path in FOLDER.iterdir() if any(path.glob("*.po")))


def problems(language: str, domain: str) -> Iterator[str]:
    """What is wrong with one catalogue, a line each."""
    path = FOLDER / language / f"{domain}.po"
    where = f"{language}/{domain}"
    wanted = texts(domain)
    known = Catalog(locale=language)
    if path.is_file():
        with path.open("rb") as file:
            known = read_po(file, locale=language)
    for message in wanted:
        if not message.id:
            continue
        there = known.get(_id(message), message.context)
        if there is None or not _translated(there):
            yield f"{where}: no translation of {_id(message)!r}"
        elif there.fuzzy:
            yield f"{where}: unsure translation of {_id(message)!r}"
        elif _skeleton(message.id) != _skeleton(there.string):
            yield f"{where}: other places or other markup in that of {_id(message)!r}"
    for message in known:
        if message.id and wanted.get(_id(message), message.context) is None:
            yield f"{where}: nothing says {_id(message)!r} any more"


def _id(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _translated(message: Message) -> bool:
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(strings)


def _skeleton(text: Any) -> set[str]:
    """The places for values and the markup of a text: a translation has the same."""
    forms = text if isinstance(text, tuple | list) else (text,)
    return {
        match[0]
        for form in forms
        for pattern in (_PLACE, _MARKUP)
        for match in pattern.finditer(form)
    }


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, name what is wrong")
    parser.add_argument("--add", metavar="LANGUAGE", help="begin the catalogues of a language")
    parser.add_argument("--domain", choices=DOMAINS, action="append", help="only this one")
    given = parser.parse_args()
    domains = given.domain or DOMAINS
    if given.check:
        wrong = [
            line for tag in languages() for domain in domains for line in problems(tag, domain)
        ]
        print(*wrong, sep="\n", end="\n" if wrong else "")
        return 1 if wrong else 0
    for tag in sorted({*languages(), *([given.add] if given.add else [])} - {SOURCE}):
        (FOLDER / tag).mkdir(exist_ok=True)
        for domain in domains:
            (FOLDER / tag / f"{domain}.po").write_bytes(brought_up_to_date(tag, domain))
    return 0


if __name__ == "__main__":
    sys.exit(main())
