"""One letter of each kind, of invented cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from egide.desk import letters
from egide.desk.letters import Appeal, Body, CaseFacts, Letter, Outcome, Side
from egide.desk.statement import Ground, Restriction, Source

NOW: Final = datetime(2026, 3, 3, 14, 5, tzinfo=UTC)
CASE: Final = "EG-7K3M-2QXV"
FACTS: Final = CaseFacts(
    case=CASE,
    platform="Lumen",
    status_url="https://lumen.example/case",
    written=NOW,
    received=NOW - timedelta(hours=5),
    deadline=NOW + timedelta(hours=43),
    reasons=("The content is an intimate picture of a person who did not agree.",),
    found=4,
    removed=3,
    appeal_until=NOW + timedelta(days=183),
    out_of_court=True,
    bodies=(Body("3018", "https://help.example/", "Free and anonymous."),),
)
DECIDED: Final = replace(FACTS, decided=NOW)
RESTRICTION: Final = Restriction(
    platform="Lumen",
    content_id="pic-4711",
    content_url="https://lumen.example/p/4711",
    decided=NOW,
    ground=Ground(True, "Code pénal, article 226-8-1", "An intimate picture without consent."),
    source=Source.NOTICE,
    copy=True,
    detected=True,
    appeal_url="https://desk.lumen.example/appeal#a-code",
    appeal_until=NOW + timedelta(days=183),
)


def every_letter(language: str) -> list[Letter]:
    """One of each kind; of appeals one for each side and outcome."""
    appeals = [
        letters.appeal(replace(FACTS, appeal=Appeal(side, outcome, NOW)), language)
        for side in Side
        for outcome in Outcome
    ]
    return [
        letters.receipt(FACTS, language),
        letters.asked(replace(FACTS, missing=("the address of it",)), language),
        letters.decision(DECIDED, language),
        letters.refusal(DECIDED, language),
        *appeals,
        letters.withdrawn(replace(FACTS, withdrawn=NOW), language),
        letters.statement(RESTRICTION, language),
        *(letters.objection(RESTRICTION, outcome, NOW, language) for outcome in Outcome),
    ]
