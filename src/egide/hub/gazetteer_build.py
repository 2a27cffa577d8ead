"""Builds a gazetteer from a Wikidata JSON dump: people and invented characters, nobody else.

An entity is a person when it is an instance (P31) of human (Q5), and fictional when it is one of
`FICTIONAL_CLASSES`. Kept are its names (labels, aliases, native name P1559, pseudonyms P742), sex
or gender (P21), countries (P27), occupations (P106), years of birth and death (P569, P570) and how
many articles there are about it. Wikidata's structured data is CC0.

The work may be interrupted: what was read so far stands in `FILE.part` and `FILE.part.json` beside
the file to be written, and the next run goes on from there.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from egide.errors import GazetteerError
from egide.hub.gazetteer_dump import DumpLines, Position
from egide.hub.gazetteer_edit import added_by_hand
from egide.hub.gazetteer_people import Entry, tables_of
from egide.hub.gazetteer_tables import merged, private_file, read_tables, write_tables

HUMAN: Final = "Q5"
FICTIONAL_CLASSES: Final = frozenset(
    {
        "Q95074",  # fictional character
        "Q15632617",  # fictional human
        "Q15773317",  # television character
        "Q15773347",  # film character
        "Q3658341",  # literary character
        "Q1114461",  # comics character
        "Q15711870",  # animated character
        "Q80447738",  # anime character
        "Q87576284",  # manga character
        "Q1569167",  # video game character
    }
)
VALUE_CLASSES: Final = frozenset(
    {
        "Q6256",  # country
        "Q3624078",  # sovereign state
        "Q3024240",  # historical country
        "Q28640",  # profession
        "Q12737077",  # occupation
        "Q88789639",  # artistic profession
        "Q66715801",  # musical profession
    }
)
"""What countries and occupations are instances of: their labels are kept for people's values."""
GENDERS: Final = {
    "Q6581072": "woman",
    "Q1052281": "woman",
    "Q6581097": "man",
    "Q2449503": "man",
    "Q48270": "other",
    "Q1097630": "other",
    "Q48279": "other",
}
LANGUAGES: Final = (
    "en", "mul", "en-us", "en-gb", "zh", "zh-hans", "zh-hant", "ko", "ja", "ru", "es", "fr", "de",
    "pt", "it", "pl", "tr", "vi", "id", "uk", "ar", "fa", "hi", "th", "nl", "sv", "cs", "hu",
)  # fmt: skip
"""Whose labels and aliases are taken, these first; labels of other languages follow."""
HISTORIC_AGE: Final = 120
"""Somebody born so many years before the dump is dead, whether it says so or not."""
CHECKPOINT_LINES: Final = 20_000
CHECKPOINT_SECONDS: Final = 10.0

_WANTED: Final = tuple(
    f'"{entity}"'.encode() for entity in (HUMAN, *sorted(FICTIONAL_CLASSES), *sorted(VALUE_CLASSES))
)


@dataclass
class Progress:
    """How far a build has come. `corrupt` counts lines that are no entity, `damage` says why a
    dump ended early."""

    lines: int = 0
    people: int = 0
    fictional: int = 0
    corrupt: int = 0
    read: int = 0
    damage: str | None = None


@dataclass
class _State:
    """What a checkpoint holds: of which dump, where its next line begins, what was found."""

    dump: list[Any]
    position: list[int] = field(default_factory=lambda: [0, 0])
    spool: int = 0
    progress: dict[str, Any] = field(default_factory=dict)


def build(
    dump: Path,
    out: Path,
    *,
    min_links: int = 0,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Writes the people of `dump` to the gazetteer `out`; GazetteerError.

    Names added by hand and people removed by hand stay so when `out` is there already. People with
    fewer than `min_links` articles are left out. `watch` is told now and then.
    """
    kept, before = added_by_hand(out), _removed(out)
    spool_path, state_path = _paths(out)
    progress = _spool(dump, spool_path, state_path, watch)
    year = time.gmtime(dump.stat().st_mtime).tm_year
    tables = tables_of(
        entries_of(lambda: _spooled(spool_path), year, min_links, before),
        year=year,
        dump=dump.name,
        removed=sorted(before),
        added=0 if kept is None else kept.header.get("added", 0),
    )
    if kept is not None:
        tables = merged(tables, kept)
    write_tables(out, tables)
    spool_path.unlink(missing_ok=True)
    state_path.unlink(missing_ok=True)
    return progress


def _paths(out: Path) -> tuple[Path, Path]:
    return out.with_name(f"{out.name}.part"), out.with_name(f"{out.name}.part.json")


def _removed(out: Path) -> set[int]:
    """The numbers of those who were removed by hand from the gazetteer that is at `out` now."""
    return set(read_tables(out).header.get("removed", ())) if out.exists() else set()


def _spool(
    dump: Path, spool_path: Path, state_path: Path, watch: Callable[[Progress], None]
) -> Progress:
    """Reads what is left of `dump`, writing the entities wanted to the spool, a JSON line each."""
    state = _resumed(dump, spool_path, state_path)
    progress = Progress(**state.progress)
    lines = DumpLines(dump, Position(*state.position))
    saved = time.monotonic()
    try:
        with private_file(spool_path, os.O_RDWR) as spool:
            spool.truncate(state.spool)
            spool.seek(state.spool)
            for line in lines:
                progress.lines += 1
                _read_line(line, spool, progress)
                if (
                    progress.lines % CHECKPOINT_LINES == 0
                    or time.monotonic() - saved > CHECKPOINT_SECONDS
                ):
                    progress.read = lines.read
                    watch(progress)
                    _save(state, lines.position, spool, progress, state_path)
                    saved = time.monotonic()
            progress.read, progress.damage = lines.read, lines.damage
            if progress.lines == progress.corrupt:
                spool_path.unlink()
                state_path.unlink(missing_ok=True)
                raise GazetteerError(
                    f"{dump} holds no entity, one on each line; give a Wikidata JSON dump"
                )
            _save(state, lines.position, spool, progress, state_path)
    except OSError as error:
        raise GazetteerError(
            f"cannot write {spool_path}: {error.strerror}; make room or give another --out"
        ) from error
    watch(progress)
    return progress


def _resumed(dump: Path, spool_path: Path, state_path: Path) -> _State:
    """Where the last run left off; the beginning when there was none, or of another dump."""
    try:
        there = dump.stat()
    except OSError as error:
        raise GazetteerError(f"{dump}: {error.strerror}; give a readable dump") from error
    identity = [dump.name, there.st_size, there.st_mtime_ns]
    try:
        state = _State(**json.loads(state_path.read_text(encoding="utf-8")))
        if state.dump == identity and spool_path.stat().st_size >= state.spool:
            return state
    except (OSError, ValueError, TypeError):
        pass
    return _State(identity)


def _save(
    state: _State, position: Position, spool: BinaryIO, progress: Progress, path: Path
) -> None:
    spool.flush()
    state.position, state.spool = list(position), spool.tell()
    state.progress = asdict(progress)
    part = path.with_name(f"{path.name}.new")
    with private_file(part) as file:
        file.write(json.dumps(asdict(state)).encode())
    part.replace(path)


def _read_line(line: bytes | None, spool: BinaryIO, progress: Progress) -> None:
    """Spools the entity on `line` when it is wanted; counts it."""
    if line is None:
        progress.corrupt += 1
        return
    if line in (b"", b"[", b"]"):
        progress.lines -= 1
        return
    if not any(entity in line for entity in _WANTED):
        progress.corrupt += not (line.startswith(b"{") and line.endswith(b"}"))
        return
    try:
        entity = json.loads(line)
        found = extracted(entity)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        progress.corrupt += 1
        return
    if found is not None:
        progress.people += found["kind"] == "human"
        progress.fictional += found["kind"] == "fictional"
        spool.write(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def extracted(entity: dict[str, Any]) -> dict[str, Any] | None:
    """What is kept of `entity`; None when it is neither a person nor a value of one."""
    claims = entity["claims"]
    if not isinstance(claims, dict):  # an empty object is written as an empty list
        return None
    classes = set(_items(claims, "P31"))
    fictional = bool(classes & FICTIONAL_CLASSES)
    number = int(entity["id"].removeprefix("Q"))
    if HUMAN not in classes and not fictional:
        label = _label(entity)
        if classes & VALUE_CLASSES and label:
            return {"kind": "value", "number": number, "name": label}
        return None
    names = list(dict.fromkeys(_names(entity, claims)))
    if not names:
        return None
    return {
        "kind": "fictional" if fictional else "human",
        "number": number,
        "name": _label(entity) or names[0],
        "names": names,
        "gender": next((GENDERS[g] for g in _items(claims, "P21") if g in GENDERS), None),
        "countries": list(_items(claims, "P27"))[:2],
        "occupations": list(_items(claims, "P106"))[:3],
        "born": next(_years(claims, "P569"), None),
        "died": next(_years(claims, "P570"), None),
        "dead": "P570" in claims,
        "links": len(entity.get("sitelinks") or ()),
    }


def _label(entity: dict[str, Any]) -> str | None:
    labels = entity.get("labels") or {}
    for language in LANGUAGES:
        if language in labels:
            return str(labels[language]["value"])
    return next((str(label["value"]) for label in labels.values()), None)


def _names(entity: dict[str, Any], claims: dict[str, Any]) -> Iterator[str]:
    """The names of `entity`, the most used first."""
    labels, aliases = entity.get("labels") or {}, entity.get("aliases") or {}
    for language in LANGUAGES[:2]:
        if language in labels:
            yield _cleaned(labels[language]["value"])
    for claim in ("P1559", "P742"):
        for value in _values(claims, claim):
            yield _cleaned(value["text"] if isinstance(value, dict) else value)
    for language in LANGUAGES:
        if language in labels:
            yield _cleaned(labels[language]["value"])
    for language in LANGUAGES:
        for alias in aliases.get(language, ()):
            yield _cleaned(alias["value"])
    for label in labels.values():
        yield _cleaned(label["value"])


def _cleaned(name: Any) -> str:
    """`name` less what stands in brackets behind it: `Jane Doe (singer)`."""
    return str(name).partition("(")[0].strip()[:200]


def _values(claims: dict[str, Any], claim: str) -> Iterator[Any]:
    """The values of `claim` that are known, the preferred ones first, no deprecated ones."""
    statements = [s for s in claims.get(claim, ()) if s.get("rank") != "deprecated"]
    statements.sort(key=lambda statement: statement.get("rank") != "preferred")
    for statement in statements:
        snak = statement.get("mainsnak") or {}
        if snak.get("snaktype", "value") == "value" and "datavalue" in snak:
            yield snak["datavalue"]["value"]


def _items(claims: dict[str, Any], claim: str) -> Iterator[str]:
    for value in _values(claims, claim):
        yield str(value["id"] if "id" in value else f"Q{value['numeric-id']}")


def _years(claims: dict[str, Any], claim: str) -> Iterator[int]:
    """Years of times such as `+1952-03-11T00:00:00Z`."""
    for value in _values(claims, claim):
        sign, rest = value["time"][0], value["time"][1:]
        year = int(rest.partition("-")[0])
        yield -year if sign == "-" else year


def entries_of(
    spooled: Callable[[], Iterable[dict[str, Any]]],
    year: int,
    min_links: int = 0,
    removed: Set[int] = frozenset(),
) -> Iterator[Entry]:
    """The people among what `spooled` gives. It is asked twice: what countries and occupations are
    called comes first."""
    labels = {
        f"Q{found['number']}": found["name"] for found in spooled() if found["kind"] == "value"
    }
    for found in spooled():
        if found["kind"] == "value" or found["links"] < min_links or found["number"] in removed:
            continue
        born = found["born"]
        yield Entry(
            found["number"],
            found["name"],
            tuple(found["names"]),
            found["kind"] == "fictional",
            found["gender"],
            tuple(labels.get(one, one) for one in found["countries"]),
            tuple(labels.get(one, one) for one in found["occupations"]),
            born,
            found["died"],
            bool(found["dead"] or (born is not None and born < year - HISTORIC_AGE)),
            links=found["links"],
        )


def _spooled(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            yield cast(dict[str, Any], json.loads(line))
