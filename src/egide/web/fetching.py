"""Content that a request names by its address: fetched from a content source, into the spool."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from egide.errors import AddressRefused, TooManyBytes
from egide.web.bodies import too_large
from egide.web.problems import Problem
from egide.web.upload import Upload

if TYPE_CHECKING:
    from egide.content import Sources
    from egide.web.upload import Spool

THREADS: Final = 8
"""Fetches at once in one process; a slow source holds up other fetches alone."""


class Fetching:
    """Fetches from `sources`, files of up to `most` bytes."""

    def __init__(self, sources: Sources, spool: Spool, most: int) -> None:
        self._sources = sources
        self._spool = spool
        self._most = most
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="fetch")

    async def upload(self, url: str) -> Upload:
        """The content at `url`, as if it had been uploaded; to be closed.

        Problem 422 for an address in no source, 413 over the cap; ContentUnavailable.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._fetched, url)
        except AddressRefused as error:
            raise Problem.of_field("url", error.detail) from None
        except TooManyBytes:
            raise too_large(self._most) from None

    def close(self) -> None:
        """Waits for what is being fetched."""
        self._threads.shutdown(cancel_futures=True)

    def _fetched(self, url: str) -> Upload:
        upload = Upload(_name(url), self._spool, self._most)
        try:
            self._sources.stream(url, upload.write, most=self._most)
        except BaseException:
            upload.close()
            raise
        return upload


def _name(url: str) -> str:
    """What the file is called there."""
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return ""
