"""Whether there is room for what comes: on the home's disk, and on that of the database."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from egide.bank import Home

LEAST_BYTES: Final = 8 << 20
"""Free on the home's disk: for some uploads, and the transactions that are under way."""
LEAST_FILES: Final = 64
LATELY_SECONDS: Final = 5.0
"""For so long a database that had no room is taken to have none: its disk may be elsewhere."""


def has_room(home: Home) -> bool:
    """Whether uploads, and what is said of them, can be stored as far as can be told."""
    try:
        disk = os.statvfs(home.path)
    except OSError:
        return False
    files = disk.f_favail if disk.f_files else LEAST_FILES  # some file systems have no number
    enough = disk.f_bavail * disk.f_frsize >= LEAST_BYTES and files >= LEAST_FILES
    return enough and time.monotonic() - home.database.full_at > LATELY_SECONDS
