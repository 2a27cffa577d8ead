"""Every `EGIDE_*` variable: the reference is written from here, and tests hold the code to it.

To add one: read it where it is needed, and add a row to the `Group` it belongs to, in one of the
modules `of_…`. `egide doctor` then knows it, and `make docs` writes docs/reference/environment.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from egide.variables import of_desk, of_scanning, of_service
from egide.variables.variable import Group, Type, Variable

__all__ = ["GROUPS", "Group", "Type", "Variable", "find", "strangers", "variables"]

PREFIX: Final = "EGIDE_"
GROUPS: Final = (
    of_scanning.FLAGS,
    of_service.SERVICE,
    of_service.PEOPLE,
    of_service.DATABASE,
    of_service.WEBHOOKS,
    of_desk.DESK,
    of_desk.PAGES,
    of_desk.RECORD,
    of_desk.REPORTS,
    of_service.SOURCES,
    of_service.OPERATIONS,
    of_service.CLIENT,
    of_scanning.LIMITS,
    of_scanning.SANDBOX,
    of_scanning.MODEL,
    of_scanning.ENCODER,
    of_scanning.LEXICON,
    of_scanning.TRUST,
)


def variables() -> Iterator[Variable]:
    """All of them, in the order of the reference."""
    for group in GROUPS:
        yield from group.variables


def find(name: str) -> Variable | None:
    """The variable called `name`; None when there is none."""
    return next((each for each in variables() if each.name == name), None)


def strangers(environment: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Names in `environment` that look like ours and are none, each with what may be meant."""
    known = [each.name for each in variables()]
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            yield name, next(iter(get_close_matches(name, known, 1)), None)
