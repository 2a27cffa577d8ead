"""Letters of real cases: which there are, what they say, and whose words are never in them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from egide.desk.asks import AppealDecision, Decision
from egide.desk.letters import Letter, LetterKind
from egide.desk.letters.cases import (
    History,
    Letterhead,
    for_event,
    history_of,
    kinds_of,
    objection_for,
    removed_copy,
    statement_for,
)
from egide.desk.notices import More
from egide.desk.statement_cases import letters_told
from egide.desk.statement_database import faults
from egide.desk.statement_store import Statements
from egide.desk.views import Receipt
from egide.errors import CaseNotFound, UsageError
from egide.finding import Finding
from egide.label import Label
from egide.language import available
from egide.sniff import Kind
from egide.verdict import Action, Verdict
from tests.unit.desk.office import (
    ANN,
    AUTHORITY,
    BEN,
    FLAGGER,
    ORIGIN,
    PLACE,
    REFUSE,
    REMOVE,
    REVERSE,
    UPHOLD,
    Office,
    pdq_of,
    picture,
)

PERSONAL: dict[str, Any] = {
    "statement": "My sister Ondine told me on Tuesday; I never agreed.",
    "signature": "Camille Quévrain",
    "contact": {"email": "camille.q@mail.example", "phone": "+33 6 98 76 54 32"},
}
PLANTED = (
    "Ondine",
    "Tuesday; I",
    "Camille",
    "Quévrain",
    "camille.q@mail.example",
    "+33 6 98 76 54 32",
    "98 76",
)


def head(office: Office) -> Letterhead:
    return Letterhead("Lumen", "https://lumen.example/case", office.desk.book.now())


def history(office: Office, receipt: Receipt) -> History:
    return history_of(office.desk.book, office.desk.status(receipt.case, receipt.pin, ORIGIN))


def letter(office: Office, receipt: Receipt, kind: LetterKind, language: str = "en") -> Letter:
    return for_event(history(office, receipt), kind, language, head(office))


def flat(text: str) -> str:
    return " ".join(text.split())


def all_forms(letter: Letter) -> str:
    """Everything of a letter that leaves the house, but for the PDF's compression."""
    return letter.subject + letter.text + letter.html()


def test_a_case_begins_with_a_receipt(office: Office) -> None:
    receipt = office.notice()

    assert kinds_of(history(office, receipt)) == (LetterKind.RECEIPT,)
    said = flat(letter(office, receipt, LetterKind.RECEIPT).text)
    assert receipt.case in said
    assert receipt.pin not in said
    assert "The law gives us until" in said


def test_what_is_missing_is_asked_for(office: Office) -> None:
    receipt = office.notice(jurisdiction="US", signature=None)

    assert LetterKind.ASKED in kinds_of(history(office, receipt))
    assert "your signature" in letter(office, receipt, LetterKind.ASKED).text
    assert "votre signature" in letter(office, receipt, LetterKind.ASKED, "fr").text
    office.desk.add(receipt.case, receipt.pin, ORIGIN, More(signature="C."))
    assert kinds_of(history(office, receipt)) == (LetterKind.RECEIPT,)


def test_the_reviewers_question_is_in_the_letter(office: Office) -> None:
    receipt = office.notice()
    office.desk.ask(ANN, receipt.case, ("statement",), "Which of the two pictures?")

    assert "Which of the two pictures?" in letter(office, receipt, LetterKind.ASKED).text


def test_a_decision_counts_copies_and_gives_its_reasons(office: Office) -> None:
    receipt = office.notice(locations=[PLACE, "https://platform.example/p/2"])
    office.removed(receipt)
    said = flat(letter(office, receipt, LetterKind.DECISION).text)

    assert "Copies found: 2" in said
    assert "Copies removed: 2" in said
    assert "did not agree to its publication" in said
    assert "A person made this decision" in said
    french = flat(letter(office, receipt, LetterKind.DECISION, "fr").text)
    assert "n'a pas consenti à sa publication" in french


def test_edited_words_take_the_place_of_the_reasons(office: Office) -> None:
    receipt = office.notice()
    office.decided(receipt, Decision("refuse", ("not_found",), "We looked twice at both places."))
    said = flat(letter(office, receipt, LetterKind.REFUSAL).text)

    assert "In the words of the person who decided: > We looked twice at both places." in said
    assert "We could not find" not in said


def test_a_decision_that_can_be_undone_is_in_no_letter(office: Office) -> None:
    receipt = office.notice()
    office.desk.decide(ANN, receipt.case, REFUSE)

    assert kinds_of(history(office, receipt)) == (LetterKind.RECEIPT,)
    with pytest.raises(UsageError, match="no letter refusal"):
        letter(office, receipt, LetterKind.REFUSAL)


def test_an_appeal_of_the_person_and_its_outcome(office: Office) -> None:
    receipt = office.notice()
    office.decided(receipt, REFUSE)
    assert "You can appeal" in letter(office, receipt, LetterKind.REFUSAL).text
    office.desk.appeal(receipt.case, receipt.pin, ORIGIN, "Please look again.")
    assert "You can appeal" not in letter(office, receipt, LetterKind.REFUSAL).text
    office.desk.decide_appeal(BEN, receipt.case, AppealDecision("uphold", ("not_intimate",)))
    upheld = letter(office, receipt, LetterKind.APPEAL)

    assert upheld.title == "Our decision stands"
    assert "does not show the person" in flat(upheld.text)
    assert "Please look again" not in all_forms(upheld)


def test_an_appeal_that_succeeds_ends_in_a_decision(office: Office) -> None:
    receipt = office.notice()
    office.decided(receipt, REFUSE)
    office.desk.appeal(receipt.case, receipt.pin, ORIGIN, "Please look again.")
    again = AppealDecision("reverse", ("intimate_without_consent",))
    office.desk.decide_appeal(BEN, receipt.case, again)
    office.later()

    assert letter(office, receipt, LetterKind.APPEAL).title == "Your appeal succeeded"
    assert LetterKind.DECISION in kinds_of(history(office, receipt))


def test_an_objection_is_told_to_both_sides(office: Office) -> None:
    receipt = office.notice()
    (copy,) = office_listens(office, receipt)
    office.desk.uploader_appeal(office.code(copy), ORIGIN, "It is a picture of my own garden.")
    office.desk.decide_appeal(BEN, receipt.case, REVERSE)

    assert letter(office, receipt, LetterKind.APPEAL).title == "The content has been put back"
    told = objection_for(office.desk.book, copy, "en", head(office))
    assert told.title == "Your content has been put back"
    assert "garden" not in all_forms(letter(office, receipt, LetterKind.APPEAL))


def test_one_copy_of_several_put_back_is_told_as_one(office: Office) -> None:
    receipt = office.notice(locations=[PLACE, "https://platform.example/p/2"])
    first, _ = office_listens(office, receipt)
    office.desk.uploader_appeal(office.code(first), ORIGIN, "That one is mine.")
    office.desk.decide_appeal(BEN, receipt.case, REVERSE)

    assert letter(office, receipt, LetterKind.APPEAL).title == "One copy has been put back"


def test_an_objection_that_fails_is_told_to_both_sides(office: Office) -> None:
    receipt = office.notice()
    (copy,) = office_listens(office, receipt)
    with pytest.raises(UsageError, match="no objection"):
        objection_for(office.desk.book, copy, "en", head(office))
    office.desk.uploader_appeal(office.code(copy), ORIGIN, "It is mine.")
    office.desk.decide_appeal(BEN, receipt.case, UPHOLD)

    assert letter(office, receipt, LetterKind.APPEAL).title == "The content stays removed"
    told = objection_for(office.desk.book, copy, "en", head(office))
    assert told.title == "Our decision about your content stands"


def test_a_withdrawal_is_confirmed(office: Office) -> None:
    receipt = office.notice()
    office.desk.withdraw(receipt.case, receipt.pin, ORIGIN)
    said = flat(letter(office, receipt, LetterKind.WITHDRAWN).text)

    assert "have been deleted" in said
    assert "Taken back:" in said


def test_screening_writes_no_letters_to_a_person(office: Office) -> None:
    receipt = office.notice()
    made = history(office, receipt)
    screened = History(**{f: getattr(made, f) for f in made.__slots__} | {"kind": "screening"})

    assert kinds_of(screened) == ()


def office_listens(office: Office, receipt: Receipt) -> list[str]:
    """The copies of a case that is removed, told to a webhook."""
    office.listen()
    return [copy.copy for copy in office.removed(receipt).copies]


@pytest.mark.parametrize("by", [None, FLAGGER, AUTHORITY])
def test_nothing_of_the_notifier_reaches_the_uploader(office: Office, by: Any) -> None:
    """Planted in every field that a notice has, and in what reviewers wrote of it."""
    order = {"authority": "Tribunal d'Ondine", "reference": "98 76/2026"}
    more: dict[str, Any] = {"order": order} if by is AUTHORITY else {}
    receipt = office.notice(by=by, role="agent", **PERSONAL, **more)
    office.listen()
    quoting = f"{PERSONAL['signature']} says: {PERSONAL['statement']}"
    office.decided(receipt, Decision("remove", ("intimate_without_consent",), quoting))
    (copy,) = office.desk.view(ANN, receipt.case).copies
    office.desk.note(ANN, receipt.case, quoting)
    office.desk.uploader_appeal(office.code(copy.copy), ORIGIN, "It is mine.")
    office.desk.decide_appeal(BEN, receipt.case, AppealDecision("uphold", ("synthetic",), quoting))
    removed = removed_copy(office.desk.book, copy.copy)

    for language in available():
        for made in (
            statement_for(office.desk.book, copy.copy, language, head(office)),
            objection_for(office.desk.book, copy.copy, language, head(office)),
        ):
            said = all_forms(made)
            assert [each for each in (*PLANTED, receipt.case, receipt.pin) if each in said] == []
    told = json.dumps(letters_told(removed, "Lumen"), ensure_ascii=False)
    assert [each for each in (*PLANTED, receipt.case) if each in told] == []


def test_a_statement_tells_how_the_copy_was_found(office: Office) -> None:
    prints = picture(1)
    office.host("other", prints)
    receipt = office.notice(
        locations=[PLACE], fingerprints=[{"type": "pdq", "value": pdq_of(prints).hex}]
    )
    office.later()
    by_how = {copy.how: copy.copy for copy in office.removed(receipt).copies}
    located = statement_for(office.desk.book, by_how.pop("located"), "en", head(office)).text
    (found,) = by_how.values()
    searched = statement_for(office.desk.book, found, "en", head(office)).text

    assert "No program was used to find your content." in flat(located)
    assert "A program found your content" in flat(searched)
    assert "substantially the same" in flat(searched)


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [(Kind.TEXT, "TEXT"), (Kind.VIDEO, "VIDEO"), (Kind.IMAGE, "IMAGE"), (Kind.LISTING, "OTHER")],
)
def test_what_screening_found_is_told_as_what_it_is(
    office: Office, kind: Kind, content_type: str
) -> None:
    """Nothing was compared, and it is a copy of nothing."""
    finding = Finding("text-intent.v1", Label.REQUEST_NUDIFY, 0.8)
    said = Verdict("post", kind, "0f" * 32, Action.REVIEW, "rule", "default@1", (finding,))
    office.listen()
    with office.home.database.write() as connection:
        number = office.desk.screening.screened(connection, said, "post-7", record="r1")
    assert number is not None
    office.desk.judge(ANN, number, True, ("intimate_without_consent",))
    office.later()
    (copy,) = office.desk.view(ANN, number).copies
    (message,) = office.told("content.remove")
    (kept,) = Statements(office.home.database).made_between(0, 2**53)

    for words in (
        message.data["letters"]["en"]["text"],
        statement_for(office.desk.book, copy.copy, "en", head(office)).text,
    ):
        assert "A program found your content." in flat(words)
        assert "substantially the same" not in flat(words)
        assert "fingerprints" not in words
    french = statement_for(office.desk.book, copy.copy, "fr", head(office)).text
    assert "Un programme a trouvé votre contenu." in flat(french)
    assert kept.document["content_type"] == [f"CONTENT_TYPE_{content_type}"]
    assert kept.document["automated_detection"] == "Yes"
    assert "the same as" not in kept.document["decision_facts"]


def test_a_statement_names_the_medium_that_the_library_knows(office: Office) -> None:
    frames = tuple(replace(each, at=2_000) for each in picture(2))
    office.host("picture", picture(1))
    office.host("video", frames)
    names = ("picture", "video", "unknown")
    receipt = office.notice(
        jurisdiction="EU", locations=[f"https://platform.example/p/{each}" for each in names]
    )
    media = {
        str(copy.content_url).rpartition("/")[2]: removed_copy(office.desk.book, copy.copy).medium
        for copy in office.removed(receipt).copies
    }
    kept = Statements(office.home.database).made_between(0, 2**53)

    assert media == {"picture": "image", "video": "video", "unknown": "other"}
    types = sorted(each.document["content_type"][0] for each in kept)
    assert types == ["CONTENT_TYPE_IMAGE", "CONTENT_TYPE_OTHER", "CONTENT_TYPE_VIDEO"]
    assert all(faults(each.document) == [] for each in kept)


def test_a_copy_that_turns_up_after_the_decision_has_its_statement(office: Office) -> None:
    office.listen()
    prints = picture(1)
    office.host("first", prints)
    receipt = office.notice(
        jurisdiction="EU",
        locations=None,
        fingerprints=[{"type": "pdq", "value": pdq_of(prints).hex}],
    )
    office.decided(receipt, Decision("remove", ("synthetic",)))
    decided = office.desk.book.now()
    office.clock += 5 * 86_400
    office.host("second", prints)
    office.desk.search(receipt.case)
    copies = office.desk.view(ANN, receipt.case).copies
    (later,) = (each.copy for each in copies if each.content_id == "second")
    removed = removed_copy(office.desk.book, later)
    told = office.told("content.remove")[-1].data

    assert removed.at == decided + 5 * 86_400_000
    assert removed.reasons == ("synthetic",)
    written = statement_for(office.desk.book, later, "en", head(office))
    assert written.title == "Your content was removed"
    assert written.dated in told["letters"]["en"]["text"]
    with office.home.database.read() as connection:
        (ends,) = connection.execute(
            "SELECT expires FROM desk_code WHERE copy = ?", (later,)
        ).fetchone()
    assert removed.appeal_until == ends
    office.desk.uploader_appeal(office.code(later), ORIGIN, "It is mine.")
    office.desk.decide_appeal(BEN, receipt.case, UPHOLD)
    assert objection_for(office.desk.book, later, "en", head(office)).title.endswith("stands")


def test_a_statement_stays_when_another_case_takes_the_copy_over(office: Office) -> None:
    office.listen()
    lead = office.notice(jurisdiction="EU")
    office.notice(jurisdiction="EU", origin="198.51.100.9", signature="Somebody Else")
    (copy,) = office.removed(lead).copies
    office.desk.uploader_appeal(office.code(copy.copy), ORIGIN, "It is mine.")
    office.desk.decide_appeal(BEN, lead.case, UPHOLD)
    before = removed_copy(office.desk.book, copy.copy)
    told = objection_for(office.desk.book, copy.copy, "en", head(office)).text
    office.clock += 86_400
    office.desk.withdraw(lead.case, lead.pin, ORIGIN)

    assert removed_copy(office.desk.book, copy.copy) == before
    assert objection_for(office.desk.book, copy.copy, "en", head(office)).text == told


def test_what_was_not_removed_has_no_statement(office: Office) -> None:
    receipt = office.notice()
    (copy,) = office.desk.view(ANN, receipt.case).copies

    with pytest.raises(CaseNotFound):
        statement_for(office.desk.book, copy.copy, "en", head(office))
    with pytest.raises(CaseNotFound):
        removed_copy(office.desk.book, "nonsense' OR 1=1")


def test_a_notice_that_joined_another_gets_its_decision_too(office: Office) -> None:
    lead = office.notice()
    follower = office.notice(origin="198.51.100.9", signature="Somebody Else")
    office.removed(lead)
    assert office.desk.book.row(follower.case).joined == lead.case
    said = flat(letter(office, follower, LetterKind.DECISION).text)

    assert follower.case in said
    assert lead.case not in said
    assert "Copies removed: 1" in said


@pytest.mark.both_databases
def test_a_removal_tells_the_platform_and_keeps_a_statement_for_each_copy(office: Office) -> None:
    office.listen()
    receipt = office.notice(
        jurisdiction="FR", locations=[PLACE, "https://platform.example/p/2"], **PERSONAL
    )
    statements = Statements(office.home.database)
    office.desk.decide(ANN, receipt.case, REMOVE)
    assert statements.made_between(0, 2**53) == []
    office.later()
    kept = statements.made_between(0, 2**53)
    messages = [json.dumps(each.data, ensure_ascii=False) for each in office.told("content.remove")]

    assert len(kept) == len(messages) == 2
    assert all(faults(each.document) == [] for each in kept)
    for message in messages:
        told = json.loads(message)
        assert "VOTRE CONTENU A ÉTÉ RETIRÉ" in told["letters"]["fr"]["text"]
        assert told["appeal_url"] in told["letters"]["en"]["text"]
        assert [each for each in PLANTED if each in message] == []
    published = json.dumps([each.document for each in kept])
    assert "platform.example" not in published
    assert receipt.case not in published


def test_a_refusal_or_another_law_keeps_no_statement(office: Office) -> None:
    office.decided(office.notice(jurisdiction="FR"), REFUSE)
    office.removed(office.notice(jurisdiction="UK", locations=[f"{PLACE}9"], signature="B"))

    assert Statements(office.home.database).made_between(0, 2**53) == []
