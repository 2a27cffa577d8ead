"""Opens gazetteers by name: a file, or the small one of invented people that comes along."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from egide.hub.gazetteer import Gazetteer

SAMPLE: Final = "sample"
"""Asks for the invented people; a file of that name is `./sample`."""
_YEAR: Final = 2025


def open_gazetteer(name: str) -> Gazetteer:
    """The gazetteer in the file `name`, or the sample; GazetteerError."""
    return sample_gazetteer() if name == SAMPLE else Gazetteer.open(Path(name))


@cache
def sample_gazetteer() -> Gazetteer:
    """Thirty-six people that do not exist, out of `sample-people.json`, for tests and the demo."""
    from egide.hub.gazetteer_build import entries_of, extracted  # noqa: PLC0415  seldom wanted
    from egide.hub.gazetteer_people import tables_of  # noqa: PLC0415

    dump = files("egide.hub").joinpath("data", "sample-people.json").read_text(encoding="utf-8")
    found = [kept for entity in json.loads(dump) if (kept := extracted(entity)) is not None]
    return Gazetteer(tables_of(entries_of(lambda: found, _YEAR), year=_YEAR))
