"""Keeps the decoders from printing, in this thread and while égide decodes only.

Pillow warns through `warnings`, whose filters belong to the whole process: switching them per
call would race with other threads, and for good would hush the host program. So one filter goes
in whose message pattern is an object that asks "is this thread decoding?"; the logger of Pillow's
TIFF reader gets a filter that asks the same. libtiff prints to standard error by default; its
handlers can only be removed for the process, which is done once.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import warnings
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class _WhileDecoding(threading.local):
    depth = 0

    def match(self, _text: str) -> bool:
        """Stand in for a compiled pattern: `warnings` calls this to see if its filter applies."""
        return self.depth > 0

    def let_through(self, _record: logging.LogRecord) -> bool:
        """Stand in for a logging filter."""
        return self.depth == 0


_here = _WhileDecoding()
_LOGGER = "PIL.TiffImagePlugin"  # the only one that logs errors
_FILTER: tuple[Any, ...] = ("ignore", _here, Warning, None, 0)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Python warnings and Pillow's log in this thread, and libtiff, while it runs."""
    filters: list[Any] = warnings.filters  # type: ignore[assignment]  # it is a list, in all versions
    if not filters or filters[0] is not _FILTER:
        with suppress(ValueError):
            filters.remove(_FILTER)
        filters.insert(0, _FILTER)
    _hush_libraries()
    _here.depth += 1
    try:
        yield
    finally:
        _here.depth -= 1


@cache
def _hush_libraries() -> None:
    logging.getLogger(_LOGGER).addFilter(_here.let_through)
    from PIL import _imaging  # noqa: PLC0415 - start-up time

    with suppress(OSError, AttributeError):  # a build without libtiff, or one that hides it
        imaging = ctypes.CDLL(_imaging.__file__)
        for setter in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            getattr(imaging, setter)(None)
