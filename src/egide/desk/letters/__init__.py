"""Letters of the desk, in a person's language, as text, HTML and PDF.

Each is a pure function of a frozen record in which nothing is personal.
"""

from __future__ import annotations

from egide.desk.letters.facts import Appeal, Body, CaseFacts, Outcome, Side
from egide.desk.letters.letter import Letter, LetterKind
from egide.desk.letters.person import appeal, asked, decision, receipt, refusal, withdrawn
from egide.desk.letters.uploader import objection, statement

__all__ = [
    "Appeal",
    "Body",
    "CaseFacts",
    "Letter",
    "LetterKind",
    "Outcome",
    "Side",
    "appeal",
    "asked",
    "decision",
    "objection",
    "receipt",
    "refusal",
    "statement",
    "withdrawn",
]
