"""The languages that people are spoken to in: which there are, which one fits, and its words.

English is the source: its texts are the message ids. Every other language is a folder beside this
file, named as BCP 47 names it, with one gettext catalogue (`.po`, read as it is) for each domain.
`scripts/catalogues.py` keeps the catalogues in step with the texts.
"""

from __future__ import annotations

from egide.language.catalogues import DOMAINS, SOURCE, available, catalogue, marked
from egide.language.choice import choose, name
from egide.language.times import day, duration, moment

__all__ = [
    "DOMAINS",
    "SOURCE",
    "available",
    "catalogue",
    "choose",
    "day",
    "duration",
    "marked",
    "moment",
    "name",
]
