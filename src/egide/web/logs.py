"""Logs: one JSON object a line on standard error, of which only known fields are shown.

Whatever is not on the list of fields is masked: a field that a later change adds by mistake, a
header or a body that an error carries, cannot come to stand in a log.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from egide.finding import MASK

SHOWN: Final = frozenset(
    {
        "event",
        "level",
        "time",
        "request_id",
        "method",
        "route",
        "status",
        "seconds",
        "bytes_in",
        "action",
        "kind",
        "error",
        "where",
        "address",
        "process",
        "count",
        "version",
    }
)
"""The fields that are shown; none of them is filled with what a client sent."""

log: Final[structlog.typing.FilteringBoundLogger] = structlog.get_logger()


def masked(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """`event`, with every field masked that is not one of `SHOWN`."""
    return {name: value if name in SHOWN else MASK for name, value in event.items()}


def place(error: BaseException) -> str:
    """Where it was raised: its message may hold what a client sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""


def set_up() -> None:
    """Sends our logs, and those of the libraries beneath, to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            masked,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_Forwarding()]
    root.setLevel(logging.WARNING)


class _Lines:
    """Writes lines to standard error; one that cannot be written costs no request."""

    def info(self, line: str) -> None:
        """Writes one line."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")  # in one piece: other threads log too
            sys.stderr.flush()

    warning = error = info


class _Forwarding(logging.Handler):
    """Says that a library said something: which and where, and not what, which may be anything."""

    def emit(self, record: logging.LogRecord) -> None:
        """One record of a library."""
        where = f"{record.name}:{record.module}:{record.lineno}"
        error, raised = "", record.exc_info[1] if record.exc_info else None
        if raised is not None:
            error, where = type(raised).__name__, f"{where} {place(raised)}".rstrip()
        method = log.error if record.levelno >= logging.ERROR else log.warning
        method("library", where=where, error=error)
