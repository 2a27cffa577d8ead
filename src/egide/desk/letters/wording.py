"""Texts of letters in a language, with values put into them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations

from egide.desk.letters.facts import Body
from egide.desk.letters.letter import Block, Heading, Paragraph, Points, Quote
from egide.language import catalogue, day, moment


@dataclass(frozen=True, slots=True)
class Wording:
    """Translates and fills in. Values are put in after the translation: they translate nothing."""

    language: str
    words: NullTranslations

    @classmethod
    def of(cls, language: str) -> Wording:
        """The wording of `language`; UsageError when there is no such language."""
        return cls(language, catalogue(language, "letters"))

    def gettext(self, text: str, **values: object) -> str:
        """`text` in the language, each `%(name)s` in it replaced."""
        return self.words.gettext(text) % values

    def day(self, at: datetime) -> str:
        """A day in words."""
        return day(at, self.language)

    def moment(self, at: datetime) -> str:
        """A day and time in words."""
        return moment(at, self.language)


def reasons_of(say: Wording, reasons: tuple[str, ...], words: str) -> Iterator[Block]:
    """Why it was decided so: reasons of the law's data, and what the reviewer added."""
    if not reasons and not words.strip():
        return
    yield Heading(say.gettext("Why"))
    if len(reasons) == 1:
        yield Paragraph(reasons[0])
    else:
        yield Points(reasons)
    if words.strip():
        yield Paragraph(say.gettext("In the words of the person who decided:"))
        yield Quote(words)


def help_of(say: Wording, bodies: tuple[Body, ...]) -> Iterator[Block]:
    """Who can help."""
    if not bodies:
        return
    yield Heading(say.gettext("You are not alone with this"))
    yield Paragraph(say.gettext("These services can help you, whatever was decided:"))
    yield Points(tuple(_body(body) for body in bodies))


def _body(body: Body) -> str:
    return f"{body.name} – {body.does} {body.url}" if body.does else f"{body.name} – {body.url}"
