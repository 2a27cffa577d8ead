"""Statements of reasons for copies that a case's decision removes.

    RemovedCopy (what the desk knows of one copy) ─► Restriction ─► letter, webhook, database

Only ids of reasons go in, never their edited words: a reviewer may have quoted the notice there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from egide.desk.laws import Law, Reason, laws
from egide.desk.statement import Ground, Medium, Restriction, Source
from egide.language import available, catalogue

FALLBACK: Final = "intimate_without_consent"
"""The reason that every removal has in common; named where a decision names none that is told."""
_TERMS: Final = "terms"
_MACHINE: Final = "synthetic"
_LOCATED: Final = "located"
_COPIES: Final = frozenset({"identical", "similar"})
"""How copies are found; what was screened is nothing but itself."""
_EUROPEAN: Final = frozenset({"EU", "FR"})


@dataclass(frozen=True, slots=True)
class RemovedCopy:
    """One copy that is being removed; times in milliseconds since 1970, UTC.

    Attributes:
        jurisdiction: `US`, `UK`, `EU` or `FR`.
        reasons: ids of laws().reasons.
        content_id, content_url: as the copy has them.
        how: `located`, `identical`, `similar` or `screened`.
        at: when the decision took effect.
        sender: of the notice, `self`, `agent` or `authority`; None where screening found it.
        flagger: whether a trusted flagger sent it.
        appeal_url: with the code for one use, and `appeal_until`.
        medium: what it is; `OTHER` where that is not known.
        created: when it was put up; None when that is not known.
    """

    jurisdiction: str
    reasons: Sequence[str]
    content_id: str | None
    content_url: str | None
    how: str
    at: int
    sender: str | None = "self"
    flagger: bool = False
    appeal_url: str | None = None
    appeal_until: int | None = None
    medium: Medium = Medium.OTHER
    created: int | None = None

    def restriction(self, platform: str, language: str) -> Restriction:
        """The restriction, its ground in the words of `language`."""
        law = laws()[self.jurisdiction]
        european = self.jurisdiction in _EUROPEAN
        return Restriction(
            platform=platform,
            content_id=self.content_id,
            content_url=self.content_url,
            decided=moment_of(self.at),
            ground=_ground(law, self.reasons, language),
            source=self._source(european=european),
            copy=self.how in _COPIES,
            synthetic=_MACHINE in self.reasons,
            medium=self.medium,
            created=None if self.created is None else moment_of(self.created),
            detected=self.how != _LOCATED,
            appeal_url=self.appeal_url,
            appeal_until=None if self.appeal_until is None else moment_of(self.appeal_until),
            european=european,
        )

    def _source(self, *, european: bool) -> Source:
        if self.sender is None:
            return Source.OWN
        if self.flagger:
            return Source.TRUSTED_FLAGGER
        noticed = european and self.sender != "authority"
        return Source.NOTICE if noticed else Source.OTHER_NOTICE


def letters_told(copy: RemovedCopy, platform: str) -> dict[str, dict[str, str]]:
    """The statement of reasons in every language, as the webhook `content.remove` has it."""
    from egide.desk.letters.uploader import statement  # noqa: PLC0415  the wording comes with it

    letters = {}
    for language in available():
        written = statement(copy.restriction(platform, language), language)
        letters[language] = {"subject": written.subject, "text": written.text}
    return letters


def moment_of(milliseconds: int) -> datetime:
    """A time of the desk, with its zone."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _ground(law: Law, reasons: Sequence[str], language: str) -> Ground:
    known = laws().reasons
    named = [known[each] for each in reasons if each in known and "remove" in known[each].outcomes]
    chosen: list[Reason] = named or [known[FALLBACK]]
    explanation = " ".join(reason.in_(language) for reason in chosen)
    if all(reason.id == _TERMS for reason in chosen):
        clause = catalogue(language, "letters").gettext(
            "Terms of use: intimate pictures of people without their consent"
        )
        return Ground(illegal=False, reference=clause, explanation=explanation)
    return Ground(illegal=True, reference=law.legal_ground, explanation=explanation)
