"""Fingerprints made here, so that the picture itself need not go to the service."""

from __future__ import annotations

from egide.client.bodies import Source, read
from egide.fingerprint import Fingerprint


def picture_hashes(source: Source) -> tuple[Fingerprint, ...]:
    """The PDQ of a picture in all eight orientations, whole and without its border, for `match`.

    None of a picture with too little detail. Raises ItemError when it cannot be read. It is
    decoded in this process: a service reads strangers' uploads in confined ones.
    """
    # The decoder and the kernel are loaded by those who hash.
    from egide.item import Item  # noqa: PLC0415
    from egide.media.fingerprint import picture_prints  # noqa: PLC0415
    from egide.media.picture import Limits  # noqa: PLC0415

    item = Item.from_bytes(b"".join(read(source)))
    if item.problem is not None:
        raise item.problem
    prints = picture_prints(item, Limits.from_environment())
    if prints.problems:
        raise prints.problems[0]
    found = [
        pdq.fingerprint(orientation)
        for frame in prints.frames
        for pdq in frame.usable
        for orientation in range(len(pdq.hashes))
    ]
    return tuple(dict.fromkeys(found))
