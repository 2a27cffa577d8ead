"""The files that every method gets: the pictures of a bank, and edited copies to look up in it."""

from __future__ import annotations

import hashlib
import inspect
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from benchmarks import corpus, edits
from benchmarks.corpus import Split
from benchmarks.edits import HARD, USUAL

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from PIL.Image import Image

    from benchmarks.corpus import Picture
    from benchmarks.results import Settings

BANKED_QUALITY: Final = 95
QUERY_QUALITY: Final = 90
NAMES: Final = (*USUAL, *HARD)


@dataclass(frozen=True)
class Copies:
    """JPEG files of one split.

    Attributes:
        banked: the pictures in the bank, in order.
        banked_files: their files, in the same order.
        queries: (picture, edit) of each copy to look up, in order.
        query_files: their files, in the same order.
    """

    banked: list[Picture]
    banked_files: list[Path]
    queries: list[tuple[Picture, str]]
    query_files: list[Path]


def copies(settings: Settings, split: Split) -> Copies:
    """The files of `split`: all of it banked and a photograph of each scene queried in every edit;
    a quick look takes a few of both. Written into the cache once."""
    queried = corpus.queried(settings, split)[:: settings.few(12, 1)]
    banked = corpus.pictures(settings, split)
    if settings.quick:
        asked = {picture.id for picture in queried}
        banked = [each for n, each in enumerate(banked) if n % 6 == 0 or each.id in asked]
    folder = _folder(settings, split)
    found = Copies(
        banked,
        [folder / "bank" / f"{picture.id}.jpg" for picture in banked],
        [(picture, edit) for picture in queried for edit in NAMES],
        [folder / edit / f"{picture.id}.jpg" for picture in queried for edit in NAMES],
    )
    for name in ("bank", *NAMES):
        (folder / name).mkdir(parents=True, exist_ok=True)
    wanted = [queried[at : at + 8] for at in range(0, len(queried), 8)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(_write_banked, settings, folder), [banked[0::2], banked[1::2]]))
        list(pool.map(partial(_write_queries, settings, folder, split), wanted))
    return found


def _folder(settings: Settings, split: Split) -> Path:
    """A folder that is another one when the pictures or the edits are; those of old ones go."""
    made = (inspect.getsource(edits), corpus.recipe(), BANKED_QUALITY, QUERY_QUALITY)
    version = hashlib.sha256(repr(made).encode()).hexdigest()[:8]
    for old in settings.cache.glob(f"copies-{split}-*"):
        if old.name != f"copies-{split}-{version}":
            shutil.rmtree(old)
    return settings.cache / f"copies-{split}-{version}"


def _write_banked(settings: Settings, folder: Path, pictures: list[Picture]) -> None:
    for picture in pictures:
        file = folder / "bank" / f"{picture.id}.jpg"
        if not file.exists():
            _write(file, corpus.load(settings, picture), BANKED_QUALITY)


def _write_queries(settings: Settings, folder: Path, split: Split, pictures: list[Picture]) -> None:
    """Writes all edits of `pictures`; the hosts come from the split that is not banked."""
    other = Split.DEV if split is Split.TEST else Split.TEST
    hosts = [picture for picture in corpus.pictures(settings, other) if picture.whole]

    @cache
    def small(picture: Picture) -> Image:
        return corpus.load(settings, picture, 1200)

    def host(dice: random.Random) -> Image:
        return small(dice.choice(hosts)).copy()

    for picture in pictures:
        for edit in NAMES:
            file = folder / edit / f"{picture.id}.jpg"
            if not file.exists():
                original = corpus.load(settings, picture)
                _write(file, edits.edited(original, picture.id, edit, host), QUERY_QUALITY)


def _write(file: Path, picture: Image, quality: int) -> None:
    partial_file = file.with_suffix(".partial")
    partial_file.write_bytes(edits.jpeg(picture, quality))
    partial_file.rename(file)
