"""The home: its permissions, its disk, its secrets, what was left lying about."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from egide.db.opening import DATABASE_FILE, database_url
from egide.operations.kept import KEPT, kept_files
from egide.operations.lines import Line, fail, ok, warn

LEAST_FREE: Final = 256 << 20
"""Bytes under which the next upload or import may not find space."""
LEAST_FILES: Final = 1_000
NETWORK_SYSTEMS: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p"})
"""File systems whose locks SQLite cannot rely on."""
LEFT: Final = (".egide-backup-*", ".egide-restore-*", ".*.part")
SECONDS_LEFT: Final = 3600
"""What is older, and half written, is of a process that has ended."""
MOST_LISTED: Final = 3


def look_at_home(home: Path, mounts: Path = Path("/proc/self/mounts")) -> Iterator[Line]:
    """Whether the folder is there, ours, and on a disk of this machine."""
    if not home.is_dir():
        yield fail(
            "home.missing", f"{home} is no folder", "give the home with --home or EGIDE_HOME"
        )
        return
    yield ok("home", f"{home}")
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        yield warn(
            "home.open", f"{home} can be entered by others (mode {mode:o})", f"chmod 700 {home}"
        )
    if not os.access(home, os.W_OK | os.X_OK):
        yield fail(
            "home.read-only",
            f"{home} cannot be written by this user",
            "run it as the user of the service, or give that user the folder",
        )
    system = _file_system(home, mounts)
    if system in NETWORK_SYSTEMS and database_url() is None:
        yield fail(
            "home.network",
            f"{home} lies on {system}, where SQLite's locks do not hold",
            "move it to a local disk, or use PostgreSQL: docs/how-to/repair.md#move",
        )
    strangers = [path for path in _owned(home) if path.lstat().st_uid != home.stat().st_uid]
    if strangers:
        yield warn(
            "home.owner",
            f"{len(strangers)} files are another user's, such as {_listed(strangers)}",
            f"chown them to the owner of {home}; run égide as one user",
        )


def look_at_secrets(home: Path) -> Iterator[Line]:
    """Whether what must be kept is there and readable by its owner alone."""
    if not home.is_dir():
        return
    held = {each.name: each.path for each in kept_files(home)}
    there = [name for name in KEPT if name in held]
    yield ok("secrets", f"{', '.join(there) or 'none yet'}")
    for name, path in sorted(held.items()):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o007:
            yield fail(
                "secrets.open",
                f"{path} can be read by everybody (mode {mode:o})",
                f"chmod 600 {path}",
            )
        elif mode & 0o070 and name in KEPT:
            yield warn(
                "secrets.group",
                f"{path} can be read by its group (mode {mode:o})",
                f"chmod 600 {path}",
            )
        if not os.access(path, os.R_OK):
            yield fail(
                "secrets.unreadable",
                f"{path} cannot be read by this user",
                "run it as the user of the service, or give that user the file",
            )


def look_at_disk(home: Path) -> Iterator[Line]:
    """Whether there is space for what comes: an upload, an index written anew, a backup."""
    if not home.is_dir():
        return
    free = shutil.disk_usage(home).free
    used = sum(path.stat().st_size for path in home.glob(f"{DATABASE_FILE}*"))
    used += sum(path.stat().st_size for path in home.glob("index/*/*"))
    says = f"{_mib(free)} free, {_mib(used)} in database and index"
    if free < LEAST_FREE:
        yield fail("disk.full", says, f"free some space: {_mib(LEAST_FREE)} are the least")
    elif free < 2 * used:
        yield warn(
            "disk.low",
            says,
            f"free {_mib(2 * used - free)}: merging the index and compacting the database each "
            "take as much space again",
        )
    else:
        yield ok("disk", says)
    files = os.statvfs(home)
    if files.f_files and files.f_favail < LEAST_FILES:
        yield fail(
            "disk.files",
            f"the file system has room for {files.f_favail} more files",
            "remove files, or make it anew with more of them (mkfs -N)",
        )


def look_at_spool(home: Path, now: float) -> Iterator[Line]:
    """What uploads, backups and killed processes have left; `now` in seconds since 1970."""
    if not home.is_dir():
        return
    spool = home / "spool"
    dead = [path for path in spool.iterdir() if not _is_used(path)] if spool.is_dir() else []
    if dead:
        size = sum(path.stat().st_size for path in dead)
        yield warn(
            "spool.left",
            f"{len(dead)} uploads of processes that have ended lie in {spool}, {_mib(size)}",
            "start the service: it removes them; or remove them",
        )
    else:
        yield ok("spool", "nothing is left over")
    left = [
        path
        for pattern in LEFT
        for path in home.glob(pattern)
        if now - path.lstat().st_mtime > SECONDS_LEFT
    ]
    if left:
        yield warn(
            "home.left",
            f"half-written files of processes that were killed: {_listed(left)}",
            "remove them: they may hold personal data",
        )


def _is_used(path: Path) -> bool:
    """Whether the process that a file of the spool is named after still runs."""
    process = path.name.partition("-")[0]
    if not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _owned(home: Path) -> Iterator[Path]:
    yield from home.iterdir()
    yield from home.glob("index/*/*")


def _file_system(home: Path, mounts: Path) -> str:
    """The kind of file system that `home` is on; empty when it cannot be told."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found = ("", "")
    for line in lines:
        _, point, kind, *_ = [*line.split(" "), "", "", ""]
        place = point.replace("\\040", " ")
        if home.resolve().is_relative_to(place) and len(place) >= len(found[0]):
            found = (place, kind)
    return found[1]


def _listed(paths: list[Path]) -> str:
    named = ", ".join(path.name for path in sorted(paths)[:MOST_LISTED])
    return named + (", …" if len(paths) > MOST_LISTED else "")


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB"
