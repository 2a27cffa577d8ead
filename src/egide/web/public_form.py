"""The notice as a form: what was typed so far, its questions, and what is wrong with an answer.

Nothing of it is kept between the questions: every page carries all answers along in hidden fields,
and everything is looked at again before it is sent. So nothing personal is stored for a person who
stops half-way, neither here nor in a cookie of her device, and no address ever holds any of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final
from urllib.parse import parse_qsl

from egide.desk.laws import Law, laws
from egide.desk.notices import (
    MOST_CONTACT_TEXT,
    MOST_FINGERPRINTS,
    MOST_LOCATIONS,
    MOST_SIGNATURE,
    MOST_STATEMENT,
    Notice,
    contact_of,
    line_of,
    locations_of,
    text_of,
)
from egide.errors import UsageError, WrongField
from egide.language import marked

MOST_BODY: Final = 2 << 20
"""Bytes of a form: the longest answers, each sign of which may take nine of them."""
MOST_FIELDS: Final = 100
MOST_LINES: Final = MOST_LOCATIONS * 400
"""Characters of all addresses together."""

PLACES: Final = (
    ("US", marked("United States")),
    ("UK", marked("United Kingdom")),
    ("FR", marked("France")),
    ("EU", marked("Another country of the European Union")),
    ("other", marked("Somewhere else")),
)

QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "age": ("age",),
    "who": ("role",),
    "law": ("jurisdiction",),
    "where": ("locations",),
    "picture": ("fingerprints",),
    "words": ("statement",),
    "contact": ("name", "email", "phone", "safe_times", "organisation"),
    "sign": ("declared", "signature"),
}
"""The questions in their order, and the fields that each of them asks for."""

CONTACT: Final = QUESTIONS["contact"]

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PRINTS: Final = re.compile(r"(?:[0-9a-f]{64}(?:[,;](?=[0-9a-f])|$))*", re.ASCII)
_BARE: Final = re.compile(r"(?:[\w-]{1,63}\.)+[a-zA-Z]{2,24}/\S*")

Wrong = dict[str, str]
"""What is wrong, by the field's id on the page."""
Say = Callable[[str], str]
"""Puts an English text into the language of the page."""


class FormTooLong(UsageError):
    """The form has more in it than it asks for."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed so far; texts as they came, but for control characters.

    `fingerprints` are PDQ hashes in hexadecimal: those of one file with commas between them, files
    with semicolons.
    """

    age: str = ""
    role: str = ""
    jurisdiction: str = ""
    locations: str = ""
    fingerprints: str = ""
    statement: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    safe_times: str = ""
    organisation: str = ""
    declared: tuple[str, ...] = ()
    signature: str = ""

    @classmethod
    def of(cls, form: Form) -> Draft:
        """What the fields of a form hold."""
        texts = {each.name: form[each.name] for each in fields(cls) if each.name != "declared"}
        return cls(**texts, declared=form.all("declared"))

    def carried(self, step: str) -> Iterator[tuple[str, str]]:
        """The fields that the page of `step` does not ask for, as they go along with it."""
        asked = QUESTIONS.get(step, ())
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name not in asked:
                for one in value if isinstance(value, tuple) else (value,):
                    if one:
                        yield each.name, one

    def law(self, default: str) -> Law:
        """The law that applies; that of `default` where none of ours does."""
        known = laws()
        return known[self.jurisdiction if self.jurisdiction in known.by_jurisdiction else default]

    @property
    def lines(self) -> tuple[str, ...]:
        """The addresses and ids, one each; `https://` is added to what is plainly an address."""
        given = (line.strip() for line in self.locations.splitlines())
        return tuple(f"https://{line}" if _BARE.fullmatch(line) else line for line in given if line)

    @property
    def files(self) -> tuple[tuple[str, ...], ...]:
        """The hashes, file by file."""
        groups = self.fingerprints.split(";") if _PRINTS.fullmatch(self.fingerprints) else ()
        return tuple(tuple(group.split(",")) for group in groups if group)

    def document(self, default: str, language: str) -> dict[str, Any]:
        """The notice as `POST /v1/notices` takes it."""
        law = self.law(default)
        contact = {name: getattr(self, name) for name in CONTACT if getattr(self, name)}
        hashes = dict.fromkeys(value for group in self.files for value in group)
        return {
            "jurisdiction": law.jurisdiction,
            "role": self.role,
            "statement": self.statement,
            "good_faith": {each.id for each in law.declarations} <= set(self.declared),
            "declared": [each.id for each in law.declarations if each.id in self.declared],
            "signature": self.signature,
            "locations": list(self.lines),
            "fingerprints": [{"type": "pdq", "value": value} for value in hashes],
            "contact": contact or None,
            "language": language,
        }

    def notice(self, default: str, language: str) -> Notice:
        """The notice to be sent; WrongField."""
        return Notice.from_json(self.document(default, language), default)


class Form:
    """The fields of a form that was sent, cleaned: line breaks are one sign, others are gone."""

    def __init__(self, body: bytes) -> None:
        """FormTooLong when there is more in `body` than our forms have."""
        try:
            pairs = parse_qsl(
                body.decode("utf-8", "replace"),
                keep_blank_values=True,
                max_num_fields=MOST_FIELDS,
                errors="replace",
            )
        except ValueError:
            raise FormTooLong("go back, and begin anew") from None
        self._fields = [(name, _cleaned(value)) for name, value in pairs]

    def __getitem__(self, name: str) -> str:
        """The last value of a field, empty when it is not there."""
        return next((value for key, value in reversed(self._fields) if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a field, each once."""
        return tuple(dict.fromkeys(value for key, value in self._fields if key == name and value))


def wrong_in(draft: Draft, step: str, default: str, say: Say) -> Wrong:
    """What is wrong with the answers of one question; empty when it can be left."""
    check = _CHECKS.get(step)
    return {} if check is None else check(draft, default, say)


def first_wrong(draft: Draft, default: str, say: Say) -> tuple[str, Wrong] | None:
    """The first question whose answers will not do, and what is wrong; None when all will."""
    for step in QUESTIONS:
        wrong = wrong_in(draft, step, default, say)
        if wrong:
            return step, wrong
    return None


def _cleaned(value: str) -> str:
    return _CONTROLS.sub("", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _age(draft: Draft, _: str, say: Say) -> Wrong:
    if draft.age == "adult":
        return {}
    return {"age": say(marked("Choose how old the person in the picture is."))}


def _who(draft: Draft, _: str, say: Say) -> Wrong:
    if draft.role in ("self", "agent"):
        return {}
    return {"role": say(marked("Choose who you are asking for."))}


def _place(draft: Draft, _: str, say: Say) -> Wrong:
    if any(draft.jurisdiction == value for value, _ in PLACES):
        return {}
    return {"jurisdiction": say(marked("Choose where the person lives."))}


def _where(draft: Draft, _: str, say: Say) -> Wrong:
    if len(draft.lines) > MOST_LOCATIONS or len(draft.locations) > MOST_LINES:
        said = say(marked("Give at most %(most)s addresses. You can add others later."))
        return {"locations": said % {"most": MOST_LOCATIONS}}
    for number, line in enumerate(draft.lines, 1):
        try:
            locations_of([line])
        except WrongField:
            said = say(marked("Line %(number)s is no address that we can use. Copy it once more."))
            return {"locations": said % {"number": number}}
    return {}


def _picture(draft: Draft, _: str, say: Say) -> Wrong:
    if not _PRINTS.fullmatch(draft.fingerprints) or _count(draft) > MOST_FINGERPRINTS:
        return {"picture": say(marked("The fingerprints were damaged. Choose the pictures again."))}
    if not draft.files and not draft.lines:
        said = marked(
            "Choose the picture here, or go back and say where it is. We need one of both."
        )
        return {"picture": say(said)}
    return {}


def _count(draft: Draft) -> int:
    return sum(map(len, draft.files))


def _words(draft: Draft, _: str, say: Say) -> Wrong:
    if not draft.statement:
        return {"statement": say(marked("Write one sentence. You need not give details."))}
    return _fits("statement", draft.statement, MOST_STATEMENT, say)


def _contact(draft: Draft, default: str, say: Say) -> Wrong:
    wrong: Wrong = {}
    for name in CONTACT:
        wrong |= _fits(name, getattr(draft, name), MOST_CONTACT_TEXT, say)
    try:
        contact_of({"email": draft.email[:MOST_CONTACT_TEXT]})
    except WrongField:
        said = marked(
            "This is no e-mail address. Write it like name@example.org, or leave it empty."
        )
        wrong["email"] = say(said)
    required = "contact" in draft.law(default).required
    if required and not wrong and not any(getattr(draft, name) for name in CONTACT):
        wrong["name"] = say(marked("Give us one way to reach you."))
    return wrong


def _sign(draft: Draft, default: str, say: Say) -> Wrong:
    law, wrong = draft.law(default), {}
    if not {each.id for each in law.declarations} <= set(draft.declared):
        said = marked("Tick each box. If one of them is not true, we cannot take the request.")
        wrong["declared"] = say(said)
    if "signature" in law.required and not draft.signature:
        wrong["signature"] = say(marked("Type a name as your signature."))
    return wrong | _fits("signature", draft.signature, MOST_SIGNATURE, say)


def _fits(field: str, value: str, most: int, say: Say) -> Wrong:
    """What is wrong with a text, by the rules of notices."""
    check = text_of if field == "statement" else line_of
    try:
        check(value, field, most)
    except WrongField:
        said = say(marked("This is too long, or holds more than one line: at most %(most)s signs."))
        return {field: said % {"most": most}}
    return {}


_CHECKS: Final[Mapping[str, Callable[[Draft, str, Say], Wrong]]] = {
    "age": _age,
    "who": _who,
    "law": _place,
    "where": _where,
    "picture": _picture,
    "words": _words,
    "contact": _contact,
    "sign": _sign,
}
