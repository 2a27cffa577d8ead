"""Pictures for the people who decide: made in a confined process, never from the file itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egide.item import Item

if TYPE_CHECKING:
    from egide.sandbox import Pool


class Previews:
    """Makes previews in the processes of `pool`, under its limits. Thread-safe."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def render(self, data: bytes, *, veiled: bool, still: int = 0) -> bytes:
        """A JPEG of what the picture or video in `data` shows, upright and without metadata.

        Veiled it is grey, strongly blurred, its longer side at most 200 pixels; else in colour and
        at most 1,600. Of a video or animation it is the frame number `still` of those that are
        looked at, or the last when there are fewer. It is for reviewers: never for an item that
        escalates. ItemError when nothing can be shown; Busy and SandboxError as for `Pool.scan`.
        """
        item = Item.from_bytes(data, "preview")
        return self._pool.preview(item, veiled=veiled, still=still)
