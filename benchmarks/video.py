"""Edited copies of video, and stills of it: what égide and vPDQ find, and what it costs."""

from __future__ import annotations

import random
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from PIL import Image

from benchmarks import clips, peers, video_cost
from benchmarks.clips import CLIPS, EDITS, HOST, Clip
from benchmarks.edits import jpeg, screenshot
from benchmarks.results import Goal, Part, Table
from egide.bank import Home
from egide.detectors.known_media import SURE_SCORE
from egide.item import Item
from egide.media.fingerprint import fingerprints_of
from egide.scan import Scanner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from benchmarks.results import Settings

TIMES: Final = (0.2, 0.5, 0.8)
"""Where stills are taken, as shares of a clip's length."""


class Hit(NamedTuple):
    """A banked clip that was found: its name, whether that alone would block, and how much of the
    query and of the clip match, 0..1, where frames matched whole."""

    clip: str
    sure: bool
    share: float | None
    banked_share: float | None


@dataclass(frozen=True)
class Method:
    """One way to find: its name, and whether it takes a hit, as a query's name and the hit."""

    name: str
    hits: dict[tuple[str, str], list[Hit]]
    takes: Callable[[Hit], bool]

    def finds(self, clip: str, edit: str) -> bool:
        """Whether the clip is found in this copy of it."""
        return any(hit.clip == clip and self.takes(hit) for hit in self.hits[clip, edit])

    def false(self) -> list[tuple[str, str, str]]:
        """(clip, edit, other clip) of the copies that are taken for copies of another clip."""
        return [
            (clip, edit, hit.clip)
            for (clip, edit), hits in self.hits.items()
            for hit in hits
            if not _same(clip, hit.clip) and self.takes(hit)
        ]


def run(settings: Settings) -> Part:
    """Both on the same files, in one run."""
    some = list(CLIPS[-4:] if settings.quick else CLIPS)
    originals = {clip.name: clip.path(settings) for clip in some}
    queries = {
        (clip.name, edit): file
        for clip in some
        for edit, file in clips.copies(settings, clip).items()
    }
    queries[HOST.name, "itself"] = HOST.path(settings)
    mine = _egide(settings, originals, queries)
    methods = [
        *_vpdq(settings, originals, queries),
        Method("égide, blocks", mine, lambda hit: hit.sure),
        Method("égide, finds", mine, lambda _: True),
    ]
    stills, still_goals = _stills(settings, some)
    cost = video_cost.measure(settings)
    finds = methods[-1]
    goals = [
        Goal(f"found: {edit}", "all", f"{_count(finds, some, edit)} of {len(some)}",
             f"{_count(methods[0], some, edit)} of {len(some)}",
             met=_count(finds, some, edit) == len(some))
        for edit in EDITS
    ]  # fmt: skip
    goals.append(
        Goal("false matches, pairs of different clips", "0", str(len(finds.false())),
             str(len(methods[0].false())), met=not finds.false())
    )  # fmt: skip
    return Part(
        "Edited copies of video",
        f"{len(some)} clips out of packages are banked whole; the first {clips.MOST:g} s of each "
        f"are edited, encoded as H.264, and looked up: {len(queries)} queries with one that is in "
        "no bank. A picture in a picture takes half of the other clip's width; the padding is "
        "another clip before and after, four parts to one. égide: `fingerprints_of`, that samples "
        "densely, into a bank of its own; `Scanner.scan`, that samples sparsely; *finds* is any "
        "finding of the clip, *blocks* those that need no person to look. vPDQ: threatexchange's "
        "extension, one hash a second, distance 31, quality 50; by its default, 80 % of the "
        "query's frames have to match, and beside it with any one. The goals' peer is the "
        "default. The clips are few and none was chosen for being easy; the frames' thresholds "
        "are those of pictures.",
        [*goals, *still_goals, *cost.goals],
        [_table(some, methods, mine), _by_clip(some, finds), stills, *cost.tables],
    )


_SCENES: Final = {clip.name: clip.scene or clip.name for clip in (*CLIPS, HOST)}


def _same(one: str, other: str) -> bool:
    """Whether two clips show the same scene."""
    return _SCENES[one] == _SCENES[other]


def _count(method: Method, some: list[Clip], edit: str) -> int:
    return sum(method.finds(clip.name, edit) for clip in some)


def _table(
    some: list[Clip], methods: list[Method], mine: dict[tuple[str, str], list[Hit]]
) -> Table:
    rows: list[tuple[str, ...]] = []
    for edit in EDITS:
        own = [hit for clip in some for hit in mine[clip.name, edit] if hit.clip == clip.name]
        shares = (_median(hit.share for hit in own), _median(hit.banked_share for hit in own))
        found = (f"{_count(method, some, edit)} of {len(some)}" for method in methods)
        rows.append((edit, *found, *shares))
    rows.append(("false matches", *(str(len(method.false())) for method in methods), "", ""))
    return Table(
        "Copies in which the clip was found; the last columns are the shares of time that égide "
        "reports as matching, of the copy and of the banked clip, medians of those found:",
        ("edit", *(method.name for method in methods), "of the copy", "of the banked clip"),
        rows,
    )


def _median(shares: Iterable[float | None]) -> str:
    known = [share for share in shares if share is not None]
    return f"{median(known):.0%}" if known else ""


def _by_clip(some: list[Clip], finds: Method) -> Table:
    rows: list[tuple[str, ...]] = []
    for clip in some:
        missed = [edit for edit in EDITS if not finds.finds(clip.name, edit)]
        false = [f"{edit} of {of}" for of, edit, taken in finds.false() if taken == clip.name]
        rows.append((clip.name, clip.package, ", ".join(missed) or "none", ", ".join(false)))
    return Table(
        "The clips, the copies in which égide missed them, and those of other clips in which it "
        "found them:",
        ("clip", "package", "missed", "falsely found in"),
        rows,
    )


def _egide(
    settings: Settings, originals: dict[str, Path], queries: dict[tuple[str, str], Path]
) -> dict[tuple[str, str], list[Hit]]:
    banked = {name: Item.from_path(file) for name, file in originals.items()}
    with _scanner(settings, banked) as scanner:
        return {name: list(_hits(scanner, Item.from_path(file))) for name, file in queries.items()}


@contextmanager
def _scanner(settings: Settings, banked: dict[str, Item]) -> Iterator[Scanner]:
    """A scanner that knows the items by these names, in a home of its own."""
    with (
        tempfile.TemporaryDirectory(dir=settings.cache) as folder,
        closing(Home(Path(folder))) as home,
    ):
        bank = home.create("clips")
        for name, item in banked.items():
            bank.add(fingerprints_of(item), ref=name)
        yield Scanner.with_banks(bank)


def _hits(scanner: Scanner, item: Item) -> Iterator[Hit]:
    verdict = scanner.scan(item)
    if verdict.errors:
        raise RuntimeError(f"{item.ref} could not be scanned: {verdict.errors[0]}")
    for finding in verdict.findings:
        evidence = finding.evidence
        yield Hit(
            evidence["entry_ref"],
            finding.score >= SURE_SCORE,
            evidence.get("share"),
            evidence.get("banked_share"),
        )


def _vpdq(
    settings: Settings, originals: dict[str, Path], queries: dict[tuple[str, str], Path]
) -> Iterator[Method]:
    """Nothing when it could not be installed."""
    if "vpdq" not in peers.versions(settings):
        return
    answer = peers.ask(
        settings,
        do="vpdq",
        banked=[str(file) for file in originals.values()],
        queries=[str(file) for file in queries.values()],
    )
    names = list(originals)
    hits = {
        query: [Hit(names[number], True, share / 100, banked / 100)
                for number, share, banked in matches]
        for query, matches in zip(queries, answer["matches"], strict=True)
    }  # fmt: skip
    least: Any = answer["least_query"] / 100
    yield Method(f"vPDQ, {least:.0%} of the query", hits, lambda hit: (hit.share or 0) >= least)
    yield Method("vPDQ, any frame", hits, lambda _: True)


def _stills(settings: Settings, some: Sequence[Clip]) -> tuple[Table, list[Goal]]:
    """Stills looked up among videos, and videos among stills."""
    taken = {share: {clip.name: _still(settings, clip, share) for clip in some} for share in TIMES}
    videos = {clip.name: Item.from_path(clip.path(settings)) for clip in some}
    count = len(some) * len(TIMES)
    rows: list[tuple[str, ...]] = []

    def add(title: str, pairs: Iterable[tuple[str, set[str]]]) -> None:
        seen = list(pairs)
        found = sum(name in names for name, names in seen)
        false = sum(not _same(name, other) for name, names in seen for other in names)
        rows.append((title, f"{found} of {count}", str(false)))

    with _scanner(settings, videos) as scanner:
        for edit, change in _STILL_EDITS.items():
            edited = (
                (name, Item.from_bytes(jpeg(change(still), 85)))
                for stills in taken.values()
                for name, still in stills.items()
            )
            add(
                f"a still, {edit}, among videos",
                ((name, _names(scanner, item)) for name, item in edited),
            )
    for title, copied in (("as it is", None), ("at a quarter of the bit rate", "quarter bit rate")):
        add(
            f"a video, {title}, among stills", _among_stills(settings, some, taken.values(), copied)
        )
    goals = [
        Goal(what, f"{count} of {count}", found, met=found == f"{count} of {count}")
        for what, found, _ in (rows[0], rows[len(_STILL_EDITS)])
    ]
    where = ", ".join(f"{share:.0%}" for share in TIMES)
    return Table(
        f"Stills and videos, either way. Stills are taken at {where} of the length that is edited; "
        "of those that are banked, one of each clip is in the bank at a time. A still of a moment "
        "that the sparse sampling passes over is found by what stays in the shot:",
        ("looked up", "found", "false"),
        rows,
    ), goals


def _among_stills(
    settings: Settings,
    some: Sequence[Clip],
    taken: Iterable[dict[str, Image.Image]],
    edit: str | None,
) -> Iterator[tuple[str, set[str]]]:
    """Each clip's name, and those of the clips whose banked still was found in it."""
    for stills in taken:
        banked = {name: Item.from_bytes(jpeg(still, 85)) for name, still in stills.items()}
        with _scanner(settings, banked) as scanner:
            for clip in some:
                file = clips.copies(settings, clip)[edit] if edit else clip.path(settings)
                yield clip.name, _names(scanner, Item.from_path(file))


def _names(scanner: Scanner, item: Item) -> set[str]:
    return {hit.clip for hit in _hits(scanner, item)}


def _still(settings: Settings, clip: Clip, share: float) -> Image.Image:
    shown = clips.footage(clip.path(settings))
    at = share * shown.seconds
    return Image.fromarray(next(shown.frames(at)))


def _middle(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return picture.crop((width // 8, height // 8, width - width // 8, height - height // 8))


_STILL_EDITS: Final[dict[str, Callable[[Image.Image], Image.Image]]] = {
    "as it is": lambda still: still,
    "half size": lambda still: still.resize((still.width // 2, still.height // 2)),
    "mirrored": lambda still: still.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "the middle 56 % of it": _middle,
    "in a phone screenshot": lambda still: screenshot(still, random.Random(3)),
}
