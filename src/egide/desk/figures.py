"""How often people confirmed and denied what detectors said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egide.desk.views import Figure
from egide.identity import Principal, Scope

if TYPE_CHECKING:
    from egide.db import Database


def figures(database: Database, viewer: Principal) -> tuple[Figure, ...]:
    """Of each detector and label, how many cases were confirmed and denied; NotAllowed."""
    viewer.require(Scope.CASE_READ)
    rows = database.fetch(
        "SELECT detector, label, sum(confirmed) AS confirmed, count(*) AS judged"
        " FROM desk_judgement GROUP BY detector, label ORDER BY detector, label"
    )
    return tuple(
        Figure(
            row["detector"],
            row["label"],
            int(row["confirmed"]),
            int(row["judged"]) - int(row["confirmed"]),
        )
        for row in rows
    )
