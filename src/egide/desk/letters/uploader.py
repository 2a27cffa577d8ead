"""Letters to whoever put content up: the statement of reasons, and how their objection went."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from egide.desk.letters.facts import Outcome
from egide.desk.letters.letter import (
    Block,
    Facts,
    Heading,
    Letter,
    LetterKind,
    Paragraph,
    Points,
    letter,
)
from egide.desk.letters.wording import Wording
from egide.desk.statement import Automation, Restricted, Restriction, Source


def statement(restriction: Restriction, language: str) -> Letter:
    """The statement of reasons: Regulation (EU) 2022/2065, article 17(3)(a) to (f), in order."""
    say = Wording.of(language)
    titles = {
        Restricted.REMOVED: say.gettext("Your content was removed"),
        Restricted.DISABLED: say.gettext("Access to your content was disabled"),
    }
    return letter(
        LetterKind.STATEMENT,
        language,
        subject=say.gettext("About your content on %(platform)s", platform=restriction.platform),
        sender=restriction.platform,
        dated=say.day(restriction.decided),
        title=titles[restriction.restricted],
        blocks=_statement(restriction, say),
    )


def _statement(restriction: Restriction, say: Wording) -> Iterator[Block]:
    yield Paragraph(
        say.gettext(
            "This letter tells you what was decided about your content, why, and how you can"
            " object."
        )
    )
    if restriction.european:
        yield Paragraph(
            say.gettext(
                "It is the statement of reasons of Regulation (EU) 2022/2065 (Digital Services"
                " Act), Article 17."
            )
        )
    yield Heading(say.gettext("What was decided"))
    yield Facts(tuple(_decided(restriction, say)))
    yield Heading(say.gettext("What we relied on"))
    yield Points(tuple(_relied_on(restriction, say)))
    yield Heading(say.gettext("What programs did"))
    yield Points(tuple(_programs(restriction, say)))
    yield Heading(say.gettext("On what ground"))
    yield from _ground(restriction, say)
    yield Heading(say.gettext("How you can object"))
    yield Points(tuple(_redress(restriction, say)))


def objection(
    restriction: Restriction, outcome: Outcome, decided: datetime, language: str
) -> Letter:
    """How the uploader's objection to `restriction` was decided."""
    say = Wording.of(language)
    back = outcome is Outcome.REVERSED
    stays = say.gettext("Our decision about your content stands")
    return letter(
        LetterKind.OBJECTION,
        language,
        subject=say.gettext("About your content on %(platform)s", platform=restriction.platform),
        sender=restriction.platform,
        dated=say.day(decided),
        title=say.gettext("Your content has been put back") if back else stays,
        blocks=_objection(restriction, decided, say, back=back),
    )


def _objection(
    restriction: Restriction, decided: datetime, say: Wording, *, back: bool
) -> Iterator[Block]:
    if back:
        yield Paragraph(
            say.gettext(
                "You objected, and somebody who had not made the decision looked at it anew. Your"
                " content should not have been removed. It has been put back, and we are sorry."
            )
        )
    else:
        yield Paragraph(
            say.gettext(
                "You objected, and somebody who had not made the decision looked at it anew. They"
                " came to the same result."
            )
        )
    yield Facts((*_which(restriction, say), (say.gettext("Decided"), say.moment(decided))))
    if not back:
        yield Heading(say.gettext("On what ground"))
        yield from _ground(restriction, say)
        yield Heading(say.gettext("What you can do"))
        yield Points(tuple(_courts(restriction, say)))


def _which(restriction: Restriction, say: Wording) -> Iterator[tuple[str, str]]:
    if restriction.content_id is not None:
        yield say.gettext("Content"), restriction.content_id
    if restriction.content_url is not None:
        yield say.gettext("Address"), restriction.content_url


def _decided(restriction: Restriction, say: Wording) -> Iterator[tuple[str, str]]:
    yield from _which(restriction, say)
    done = {
        Restricted.REMOVED: say.gettext("The content is removed."),
        Restricted.DISABLED: say.gettext("Access to the content is disabled."),
    }
    yield say.gettext("Restriction"), done[restriction.restricted]
    everywhere = say.gettext("Everywhere that the service is offered")
    yield say.gettext("Where"), ", ".join(restriction.territory) or everywhere
    yield say.gettext("From"), say.moment(restriction.decided)
    endless = say.gettext("Without an end, unless the decision is reversed")
    yield say.gettext("Until"), say.moment(restriction.until) if restriction.until else endless


def _relied_on(restriction: Restriction, say: Wording) -> Iterator[str]:
    sources = {
        Source.NOTICE: say.gettext("A notice under Article 16 of that regulation told us of it."),
        Source.TRUSTED_FLAGGER: say.gettext("A notice of a trusted flagger told us of it."),
        Source.OTHER_NOTICE: say.gettext("A notice or an order under another law told us of it."),
        Source.OWN: say.gettext("We found it ourselves; no notice told us of it."),
    }
    yield sources[restriction.source]
    if restriction.copy:
        yield say.gettext(
            "Your content is the same as, or substantially the same as, content that the ground"
            " below applies to."
        )
    if restriction.synthetic:
        yield say.gettext("The content is held to be made or altered by a machine.")


def _programs(restriction: Restriction, say: Wording) -> Iterator[str]:
    if restriction.detected and restriction.copy:
        yield say.gettext(
            "A program found your content, by comparing fingerprints of pictures and videos."
        )
    elif restriction.detected:
        yield say.gettext("A program found your content.")
    else:
        yield say.gettext("No program was used to find your content.")
    decisions = {
        Automation.NONE: say.gettext("A person made the decision, not a program."),
        Automation.PARTLY: say.gettext("A program prepared the decision; a person made it."),
        Automation.FULLY: say.gettext("A program made the decision."),
    }
    yield decisions[restriction.automation]


def _ground(restriction: Restriction, say: Wording) -> Iterator[Block]:
    if restriction.ground.illegal:
        yield Paragraph(say.gettext("We hold the content to be illegal under:"))
    else:
        yield Paragraph(say.gettext("The content breaks our terms and conditions, namely:"))
    yield Points((restriction.ground.reference,))
    yield Paragraph(restriction.ground.explanation)


def _redress(restriction: Restriction, say: Wording) -> Iterator[str]:
    if restriction.appeal_url is not None and restriction.appeal_until is not None:
        yield say.gettext(
            "You can object, free of charge, until %(by)s, at %(url)s – a few words are enough."
            " Somebody who did not make this decision looks at it, not a program alone.",
            by=say.day(restriction.appeal_until),
            url=restriction.appeal_url,
        )
    yield from _courts(restriction, say)


def _courts(restriction: Restriction, say: Wording) -> Iterator[str]:
    if restriction.european:
        yield say.gettext(
            "You can turn to a certified body for out-of-court dispute settlement (Regulation (EU)"
            " 2022/2065, Article 21)."
        )
    yield say.gettext("You can go to court.")
