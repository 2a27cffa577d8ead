"""What of a home can be made again, and what cannot: the second is backed up.

Whatever is not listed as rebuildable is kept, so that a file of a later version is not forgotten.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, NamedTuple

from egide.identity.secret import SECRET_FILE

REBUILDABLE: Final = (
    "cache",
    "index",
    "index.sqlite*",
    "spool",
    "*.egide",  # backups, which would hold one another
    ".*",  # what is only half written, or of a file system
)
"""Names in the home, as patterns: what comes out of the database, or lasts as long as a request."""

DATABASE: Final = "egide.sqlite*"
"""The database and its log, which are not copied as files."""

ELSEWHERE: Final = {
    SECRET_FILE: "EGIDE_SECRET_FILE",
    "log.key": "EGIDE_LOG_KEY_FILE",
}
"""Files of the home that a variable may put into another place."""

KEPT: Final = {
    SECRET_FILE: "what keys, sessions and webhooks are encrypted and checked with",
    "audit.key": "what pseudonyms and the registry are made with",
    "log.key": "what signs the desk's log",
    "reveals.jsonl": "why names were shown",
}
"""Files that are known to be there, and what they are for."""


class KeptFile(NamedTuple):
    """A file that belongs into a backup: its name in the home, and where it lies."""

    name: str
    path: Path


def place_of(home: Path, name: str) -> Path:
    """Where the file called `name` in the home lies on this machine."""
    variable = ELSEWHERE.get(name)
    return Path((variable and os.environ.get(variable)) or home / name)


def kept_files(home: Path) -> Iterator[KeptFile]:
    """The files of `home` that cannot be made again, but for the database; by name.

    Those that lie elsewhere are there though there is no home.
    """
    walked = _walk(home, "") if home.is_dir() else ()
    found = {name: path for name, path in walked if name not in ELSEWHERE}
    for name in ELSEWHERE:
        path = place_of(home, name)
        if path.is_file():
            found[name] = path
    for name in sorted(found):
        yield KeptFile(name, found[name])


def is_rebuildable(name: str) -> bool:
    """Whether what is called `name` in a home need not be kept."""
    return any(fnmatchcase(name, pattern) for pattern in (*REBUILDABLE, DATABASE))


def _walk(folder: Path, before: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.iterdir()):
        name = before + path.name
        if (not before and is_rebuildable(name)) or path.name.startswith("."):
            continue
        if path.is_file():  # also behind a link, as secrets are often mounted
            yield name, path
        elif path.is_dir() and not path.is_symlink():
            yield from _walk(path, f"{name}/")
