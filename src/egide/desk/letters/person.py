"""Letters to the person who sent a notice, or to whoever acts for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from egide.desk.letters.facts import CaseFacts, Outcome, Side
from egide.desk.letters.letter import (
    Block,
    Facts,
    Heading,
    Letter,
    LetterKind,
    Paragraph,
    Points,
    Quote,
    letter,
)
from egide.desk.letters.wording import Wording, help_of, reasons_of


def receipt(facts: CaseFacts, language: str) -> Letter:
    """That a notice came in, what happens now, and how to follow it."""
    say = Wording.of(language)
    return _made(
        LetterKind.RECEIPT,
        facts,
        say,
        say.gettext("Your request %(case)s: received", case=facts.case),
        say.gettext("We have received your request"),
        _receipt(facts, say),
    )


def _receipt(facts: CaseFacts, say: Wording) -> Iterator[Block]:
    yield Paragraph(say.gettext("Thank you for writing to us. A person will look at your request."))
    yield _numbers(facts, say)
    if facts.missing:
        yield from _still_needed(facts, say)
    elif facts.deadline is not None:
        yield _until(facts, facts.deadline, say)
    yield Heading(say.gettext("What happens now"))
    yield Points(
        (
            say.gettext(
                "We look for the content that you told us about, and for copies of it. A program"
                " helps us to find copies by comparing fingerprints of pictures."
            ),
            say.gettext("A person decides. No program decides alone."),
            say.gettext("If we remove the content, we also stop it from being uploaded again."),
            say.gettext(
                "Whoever put it up is told that it was removed and why. They are not told who"
                " asked for it."
            ),
        )
    )
    yield Heading(say.gettext("Your case"))
    yield Paragraph(
        say.gettext(
            "At %(url)s you can see where things stand, add something, or take your request back."
            " You need the case number and the PIN that you were shown when you sent it.",
            url=facts.status_url,
        )
    )
    yield Paragraph(
        say.gettext(
            "The PIN is not in this letter, so that nobody who finds it can open your case."
        )
    )


def asked(facts: CaseFacts, language: str) -> Letter:
    """That something is missing, and how to send it."""
    say = Wording.of(language)
    return _made(
        LetterKind.ASKED,
        facts,
        say,
        say.gettext("Your request %(case)s: a question", case=facts.case),
        say.gettext("We need a little more from you"),
        _asked(facts, say),
    )


def _asked(facts: CaseFacts, say: Wording) -> Iterator[Block]:
    yield Paragraph(say.gettext("Thank you for your request. We want to act on it."))
    yield from _still_needed(facts, say)
    if facts.words.strip():
        yield Paragraph(say.gettext("The person who works on your case writes:"))
        yield Quote(facts.words)
    yield Paragraph(
        say.gettext("There is no need to send us the picture or video: please do not send it.")
    )
    yield Paragraph(
        say.gettext(
            "If you cannot give us something, tell us that. We will see what we can do without it."
        )
    )
    yield _numbers(facts, say)


def decision(facts: CaseFacts, language: str) -> Letter:
    """That the content is removed, and what follows."""
    say = Wording.of(language)
    gone = 0 < facts.found <= facts.removed
    title = say.gettext("We have removed the content")
    return _made(
        LetterKind.DECISION,
        facts,
        say,
        say.gettext("Your request %(case)s: our decision", case=facts.case),
        title if gone else say.gettext("We have decided that the content must go"),
        _decision(facts, say),
    )


def _decision(facts: CaseFacts, say: Wording) -> Iterator[Block]:
    yield Paragraph(say.gettext("We agree with you: this content has no place here."))
    yield _numbers(
        facts,
        say,
        (say.gettext("Copies found"), str(facts.found)),
        (say.gettext("Copies removed"), str(facts.removed)),
    )
    if facts.removed < facts.found:
        yield Paragraph(
            say.gettext(
                "Some copies are still being removed. The page of your case shows each of them:"
                " %(url)s",
                url=facts.status_url,
            )
        )
    yield from reasons_of(say, facts.reasons, facts.words)
    yield from _how(facts, say)
    yield Heading(say.gettext("What happens now"))
    yield Points(
        (
            say.gettext(
                "We keep the fingerprint of the content, so that it is stopped when somebody"
                " uploads it again. You can take your request back at any time: the fingerprint"
                " is then deleted, and the content may come back."
            ),
            say.gettext(
                "Whoever put the content up may object. Somebody else then looks at it, and we"
                " tell you if anything changes."
            ),
            say.gettext("If you find another copy, tell us at %(url)s", url=facts.status_url),
        )
    )


def refusal(facts: CaseFacts, language: str) -> Letter:
    """That the content stays, why, and how to appeal."""
    say = Wording.of(language)
    return _made(
        LetterKind.REFUSAL,
        facts,
        say,
        say.gettext("Your request %(case)s: our decision", case=facts.case),
        say.gettext("We have not removed the content"),
        _refusal(facts, say),
    )


def _refusal(facts: CaseFacts, say: Wording) -> Iterator[Block]:
    yield Paragraph(
        say.gettext(
            "We have looked at your request with care. We are sorry that this is not the answer"
            " you hoped for. It does not mean that we do not believe you."
        )
    )
    yield _numbers(facts, say)
    yield from reasons_of(say, facts.reasons, facts.words)
    yield from _how(facts, say)
    yield Heading(say.gettext("What you can do"))
    yield Points((*_appeal(facts, say), *_elsewhere(facts, say)))


def appeal(facts: CaseFacts, language: str) -> Letter:
    """How an appeal was decided, the person's own or that of whoever put the content up.

    ValueError when `facts` tell of no appeal.
    """
    if facts.appeal is None:
        raise ValueError("no appeal was decided")
    say = Wording.of(language)
    partly = facts.appeal.outcome is Outcome.REVERSED and not facts.appeal.whole
    titles = {
        (Side.PERSON, Outcome.REVERSED): say.gettext("Your appeal succeeded"),
        (Side.PERSON, Outcome.UPHELD): say.gettext("Our decision stands"),
        (Side.UPLOADER, Outcome.REVERSED): say.gettext("The content has been put back"),
        (Side.UPLOADER, Outcome.UPHELD): say.gettext("The content stays removed"),
    }
    return _made(
        LetterKind.APPEAL,
        facts,
        say,
        say.gettext("Your request %(case)s: outcome of the appeal", case=facts.case),
        say.gettext("One copy has been put back")
        if partly
        else titles[facts.appeal.side, facts.appeal.outcome],
        _partly(facts, say)
        if partly
        else _appealed(facts, facts.appeal.side, facts.appeal.outcome, say),
    )


def _appealed(facts: CaseFacts, side: Side, outcome: Outcome, say: Wording) -> Iterator[Block]:
    told = {
        (Side.PERSON, Outcome.REVERSED): say.gettext(
            "Somebody who had not worked on your case looked at it anew and agrees with you: the"
            " content is removed. We are sorry that it took a second look."
        ),
        (Side.PERSON, Outcome.UPHELD): say.gettext(
            "Somebody who had not worked on your case looked at it anew and came to the same"
            " result. We are sorry that this is not the answer you hoped for."
        ),
        (Side.UPLOADER, Outcome.REVERSED): say.gettext(
            "Whoever put the content up objected. Somebody who had not worked on your case looked"
            " at it anew and found that it should not have been removed."
        ),
        (Side.UPLOADER, Outcome.UPHELD): say.gettext(
            "Whoever put the content up objected. Somebody who had not worked on your case looked"
            " at it anew and came to the same result as before."
        ),
    }
    yield Paragraph(told[side, outcome])
    yield _numbers(facts, say)
    yield from reasons_of(say, facts.reasons, facts.words)
    removed = (side is Side.PERSON) == (outcome is Outcome.REVERSED)
    if not removed:
        yield Heading(say.gettext("What you can do"))
        yield Points((*_appeal(facts, say), *_elsewhere(facts, say)))


def _partly(facts: CaseFacts, say: Wording) -> Iterator[Block]:
    yield Paragraph(
        say.gettext(
            "Whoever put one copy up objected. Somebody who had not worked on your case looked at"
            " it anew and found that this copy should not have been removed. The other copies stay"
            " removed."
        )
    )
    yield _numbers(facts, say)
    yield from reasons_of(say, facts.reasons, facts.words)
    yield Heading(say.gettext("What you can do"))
    yield Points(tuple(_elsewhere(facts, say)))


def withdrawn(facts: CaseFacts, language: str) -> Letter:
    """That the request was taken back, and what was deleted."""
    say = Wording.of(language)
    return _made(
        LetterKind.WITHDRAWN,
        facts,
        say,
        say.gettext("Your request %(case)s: closed", case=facts.case),
        say.gettext("You have taken your request back"),
        _withdrawn(facts, say),
    )


def _withdrawn(facts: CaseFacts, say: Wording) -> Iterator[Block]:
    yield Paragraph(say.gettext("As you asked, your request is closed. You owe us no reason."))
    yield _numbers(facts, say)
    yield Points(
        (
            say.gettext(
                "All fingerprints that came with your request, or were made for it, have been"
                " deleted. Nothing is searched for or stopped by them any more."
            ),
            say.gettext(
                "What was removed because of your request is put back, unless it stays removed"
                " for another reason."
            ),
            say.gettext("You can send a new request at any time: %(url)s", url=facts.status_url),
        )
    )


def _made(
    kind: LetterKind,
    facts: CaseFacts,
    say: Wording,
    subject: str,
    title: str,
    blocks: Iterator[Block],
) -> Letter:
    return letter(
        kind,
        say.language,
        subject=subject,
        sender=facts.platform,
        dated=say.day(facts.written),
        title=title,
        blocks=(*blocks, *help_of(say, facts.bodies)),
    )


def _numbers(facts: CaseFacts, say: Wording, *more: tuple[str, str]) -> Facts:
    decided = facts.appeal.decided if facts.appeal else facts.decided
    moments: tuple[tuple[str, datetime | None], ...] = (
        (say.gettext("Received"), facts.received),
        (say.gettext("Decided"), decided),
        (say.gettext("Taken back"), facts.withdrawn),
    )
    known = tuple((name, say.moment(at)) for name, at in moments if at is not None)
    return Facts(((say.gettext("Case number"), facts.case), *known, *more))


def _still_needed(facts: CaseFacts, say: Wording) -> Iterator[Block]:
    if facts.missing:
        yield Paragraph(say.gettext("Before we can act, we still need:"))
        yield Points(facts.missing)
    yield Paragraph(
        say.gettext(
            "You can answer at %(url)s, with your case number and your PIN.", url=facts.status_url
        )
    )
    if facts.paused:
        yield Paragraph(say.gettext("The time we have begins when your request is complete."))
    elif facts.deadline is not None:
        yield _until(facts, facts.deadline, say)


def _until(facts: CaseFacts, deadline: datetime, say: Wording) -> Paragraph:
    by = say.moment(deadline)
    if facts.statute:
        return Paragraph(say.gettext("The law gives us until %(by)s to act.", by=by))
    return Paragraph(say.gettext("You will have our answer by %(by)s.", by=by))


def _how(facts: CaseFacts, say: Wording) -> Iterator[Block]:
    yield Heading(say.gettext("How we decided"))
    yield Paragraph(say.gettext("A person made this decision, not a program."))
    if facts.searched:
        yield Paragraph(
            say.gettext("A program helped to find copies, by comparing fingerprints of pictures.")
        )


def _appeal(facts: CaseFacts, say: Wording) -> Iterator[str]:
    if facts.appeal_until is not None:
        yield say.gettext(
            "You can appeal, free of charge, until %(by)s: at %(url)s, with your case number and"
            " your PIN. A few words are enough. Somebody who has not worked on your case decides.",
            by=say.day(facts.appeal_until),
            url=facts.status_url,
        )


def _elsewhere(facts: CaseFacts, say: Wording) -> Iterator[str]:
    if facts.out_of_court:
        yield say.gettext(
            "You can turn to a certified body for out-of-court dispute settlement (Regulation (EU)"
            " 2022/2065, Article 21)."
        )
    yield say.gettext("You can go to the police or to a court. Our decision does not bind them.")
    yield say.gettext(
        "You can send a new request when you know more: %(url)s", url=facts.status_url
    )
