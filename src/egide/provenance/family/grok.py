"""Grok: a signature in `ImageDescription` and an identifier as `Artist`, and nothing else.

The signature cannot be checked: its key is not published. Both are asked for, in their exact shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from egide.provenance.family.stated import Stated
from egide.provenance.statements import Generation

_SIGNATURE: Final = re.compile(r"Signature: ?[A-Za-z0-9+/]{64,4096}={0,2}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def read(stated: Stated) -> Iterator[Generation]:
    """One account when both are there."""
    artists = [each for each in stated.texts("artist") if _UUID.fullmatch(each.text)]
    for each in stated.texts("imagedescription"):
        if artists and _SIGNATURE.fullmatch(each.text):
            yield replace(
                each.generation("grok"),
                where=(each.where, artists[0].where),
                ids={"job": artists[0].text.lower()},
            )
