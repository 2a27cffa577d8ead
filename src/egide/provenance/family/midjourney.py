"""Midjourney: the prompt with its flags and the job's id in `Description`, the user in `Author`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from egide.provenance.family.stated import Stated
from egide.provenance.family.values import distinct, model_of, seed_of, text_of, word_of
from egide.provenance.statements import Generation, Role

_JOB: Final = re.compile(r"\bJob ID: ?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")
_FLAG: Final = re.compile(r" --([a-z]{1,20})(?: ([^\-\n][^\n]{0,400}?))?(?= --|\Z)")
MOST_TEXT: Final = 20_000


def read(stated: Stated) -> Iterator[Generation]:
    """What stands in any description that names a job."""
    names = [word_of(each.text) for each in stated.texts("author", "creator", "artist")]
    dates = [word_of(each.text) for each in stated.texts("creation time", "createdate")]
    for statement in stated.texts("description", "imagedescription", "comment", "title"):
        text = statement.text[:MOST_TEXT]
        if not (job := _JOB.search(text)):
            continue
        asked = text[: job.start()].rstrip()
        flags = {found[1]: (found[2] or "").strip() for found in _FLAG.finditer(asked)}
        version = _version(flags)
        ids = {"job": job[1].lower()} | ({"user": names[0]} if names and names[0] else {})
        yield replace(
            statement.generation("midjourney"),
            version=version,
            models=distinct([model_of(Role.BASE, f"midjourney {version}")] if version else []),
            prompt=text_of(asked.partition(" --")[0]),
            negative_prompt=text_of(flags.get("no")),
            seed=seed_of(flags.get("seed")),
            created=dates[0] if dates else None,
            ids=ids,
        )


def _version(flags: dict[str, str]) -> str | None:
    if "niji" in flags:
        return word_of(f"niji {flags['niji']}")
    return word_of(flags.get("v", flags.get("version")))
