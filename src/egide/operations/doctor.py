"""`egide doctor`: looks at everything an installation needs, changes nothing, says what to mend."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from egide.bank import Home
from egide.db.opening import DATABASE_FILE, database_url
from egide.operations.lines import Level, Line, fail
from egide.operations.look_at_database import look_at_database
from egide.operations.look_at_files import (
    look_at_disk,
    look_at_home,
    look_at_secrets,
    look_at_spool,
)
from egide.operations.look_at_index import look_at_index
from egide.operations.look_at_machine import (
    look_at_clock,
    look_at_policy,
    look_at_sandbox,
    look_at_settings,
    look_at_versions,
)
from egide.operations.look_at_service import (
    look_at_answers,
    look_at_belonging,
    look_at_keys,
    look_at_outbox,
    look_at_times,
)

STALE_SCHEMA: Final = "database.older"


@dataclass(frozen=True, slots=True)
class Examined:
    """What is to be looked at.

    Attributes:
        home: its folder.
        url: where the service answers.
        asked_for: whether somebody said that it does.
        thorough: read the database and all index files in full.
    """

    home: Path
    url: str
    asked_for: bool = False
    thorough: bool = False


def examine(asked: Examined) -> Iterator[Line]:
    """Every line, as soon as it is known. Nothing is made, changed or mended."""
    environment = os.environ
    yield from _careful("settings", lambda: look_at_settings(environment))
    yield from _careful("versions", lambda: look_at_versions(environment))
    yield from _careful("clocks", look_at_clock)
    yield from _careful("home", lambda: look_at_home(asked.home))
    yield from _careful("secrets", lambda: look_at_secrets(asked.home))
    yield from _careful("disk", lambda: look_at_disk(asked.home))
    yield from _careful("spool", lambda: look_at_spool(asked.home, time.time()))
    database = list(
        _careful("database", lambda: look_at_database(asked.home, thorough=asked.thorough))
    )
    yield from database
    if asked.home.is_dir() and _can_be_opened(asked.home, database):
        yield from _careful("database", lambda: _inside(asked))
    yield from _careful("policy", lambda: look_at_policy(environment))
    yield from _careful("sandbox", look_at_sandbox)
    yield from _careful("service", lambda: look_at_answers(asked.url, asked_for=asked.asked_for))


def _can_be_opened(home: Path, lines: list[Line]) -> bool:
    """Whether opening the home changes nothing: an older SQLite would be brought up to date."""
    if database_url() is None and not (home / DATABASE_FILE).exists():
        return False
    return not any(line.level is Level.FAIL or line.code == STALE_SCHEMA for line in lines)


def _inside(asked: Examined) -> Iterator[Line]:
    home = Home(asked.home)
    try:
        yield from _careful("secrets", lambda: look_at_belonging(home))
        yield from _careful("keys", lambda: look_at_keys(home, time.time()))
        yield from _careful("clocks", lambda: look_at_times(home, time.time()))
        yield from _careful("outbox", lambda: look_at_outbox(home, time.time()))
        yield from _careful("index", lambda: look_at_index(home, thorough=asked.thorough))
    finally:
        home.close()


def _careful(area: str, look: Callable[[], Iterator[Line]]) -> Iterator[Line]:
    """The lines of `look`; what goes wrong in it is one of them, and the others are still said."""
    try:
        yield from look()
    except Exception as error:  # noqa: BLE001  what is broken may break in any way
        said = " ".join(str(error).split()) or type(error).__name__
        yield fail(f"{area}.error", said, "see to that, then look again")
