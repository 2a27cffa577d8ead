"""How large a gazetteer of a million people is, and how fast listings are looked up in it."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from benchmarks import machine
from benchmarks.results import Goal, Part, Settings, Table, milliseconds
from egide.hub.facts import ModelFacts
from egide.hub.gazetteer import Gazetteer
from egide.hub.gazetteer_build import build
from egide.hub.gazetteer_people import Entry, tables_of
from egide.hub.gazetteer_tables import write_tables
from egide.hub.intent_terms import load_weights
from egide.hub.likeness import likeness, likeness_all
from egide.hub.likeness_fields import fields_of
from egide.hub.names import readings

MOST_BYTES_A_PERSON: Final = 150
MOST_SECONDS_A_LOOKUP: Final = 1e-3
YEAR: Final = 2025

_ONSETS: Final = [
    *"bcdfghjklmnprstvwyz",
    "br",
    "ch",
    "dr",
    "fl",
    "gr",
    "kl",
    "pr",
    "qu",
    "st",
    "tr",
]
_VOWELS: Final = [*"aeiou", "ai", "ea", "ie", "ou"]
_CODAS: Final = ["", "", "", "l", "n", "r", "s", "th", "nd", "rt", "m", "x"]
_CYRILLIC: Final = "абвгдежзиклмнопрстухцч"
_HANGUL: Final = "가나다라마바사아자차카타파하고노도로모보소오조초코토포호"
_SIGNS: Final = "林雀晓薇雨晨静雪梅兰竹菊云霞春秋冬夏江河山海星月光明文武英杰俊豪"
_FILLER: Final = (
    "This adapter was trained for a long time on many steps and works best at a weight of about "
    "zero point eight with the usual sampler. Use the trigger word at the beginning of the prompt "
    "and lower the weight when the result looks burnt. Do not forget to leave a review and to "
    "post what you have made with it, it helps a lot. More examples are on the page of the model. "
)


def run(settings: Settings) -> Part:
    """Builds from a dump, writes a gazetteer of a million, looks listings up in it."""
    people = settings.few(50_000, 1_000_000)
    path = settings.cache / f"people-{people}.gazetteer"
    with machine.cores(1):
        dump_rate = _build_rate(settings)
        begun = time.process_time()
        if not path.exists():
            write_tables(path, tables_of(invented_people(people), year=YEAR))
        wrote = time.process_time() - begun
        begun = time.process_time()
        gazetteer = Gazetteer.open(path)
        opened = time.process_time() - begun
        names = len(gazetteer.tables.keys)
        models = list(invented_models(settings.few(2_000, 20_000), people))
        lookups, judged, batch = _timed(models, gazetteer)
        found = sum(bool(each.person) for each in likeness_all(models[:2_000], gazetteer)) / min(
            2_000, len(models)
        )
    size = path.stat().st_size
    slowest = quantiles(lookups, n=100)[98]
    return Part(
        "Gazetteer",
        f"{people:,} generated people with {names:,} names in Latin, Cyrillic, Korean and Chinese "
        f"letters; {len(models):,} generated listings of about 700 characters, of which one in "
        "ten names somebody; one core, processor time. A look-up reads all the text of a listing "
        "in every way to read it and seeks every run of words.",
        [
            Goal(
                "size of the file, a person", f"≤ {MOST_BYTES_A_PERSON} bytes",
                f"{size / people:.0f} bytes", met=size / people <= MOST_BYTES_A_PERSON,
            ),
            Goal(
                "names of one listing, the median", f"< {milliseconds(MOST_SECONDS_A_LOOKUP)}",
                milliseconds(median(lookups)), met=median(lookups) < MOST_SECONDS_A_LOOKUP,
            ),
            Goal(
                "names of one listing, 99 of 100", f"< {milliseconds(MOST_SECONDS_A_LOOKUP)}",
                milliseconds(slowest), met=slowest < MOST_SECONDS_A_LOOKUP,
            ),
        ],
        [
            Table(
                "Besides:",
                ("what", "figure"),
                [
                    ("whole judgement of a listing, alone", milliseconds(judged)),
                    ("whole judgement of a listing, among many", milliseconds(batch)),
                    ("opening the file", milliseconds(opened)),
                    ("making and writing the file", f"{wrote:.0f} s" if wrote > 1 else "kept"),
                    ("names a person", f"{names / people:.2f}"),
                    ("listings with a name", f"{100 * found:.1f} %"),
                    ("reading a Wikidata dump, plain", f"{dump_rate / 1e6:.0f} MB/s"),
                ],
            )
        ],
    )  # fmt: skip


def _timed(models: list[ModelFacts], gazetteer: Gazetteer) -> tuple[list[float], float, float]:
    """Seconds of each look-up; of the judgement of one listing, alone and among many."""
    load_weights()
    texts = [[field.text for field in fields_of(facts)] for facts in models[:2_000]]
    for each in texts[:200]:
        gazetteer.find(each)
    lookups = []
    for each in texts:
        begun = time.process_time()
        gazetteer.find(each)
        lookups.append(time.process_time() - begun)
    begun = time.process_time()
    for facts in models[:2_000]:
        likeness(facts, gazetteer)
    alone = (time.process_time() - begun) / 2_000
    begun = time.process_time()
    for _ in likeness_all(models, gazetteer):
        pass
    return lookups, alone, (time.process_time() - begun) / len(models)


def _build_rate(settings: Settings) -> float:
    """Bytes a second of a Wikidata-shaped dump, of which one entity in ten is a person."""
    dump, out = settings.cache / "people.json", settings.cache / "people.built"
    with dump.open("w", encoding="utf-8") as file:
        file.write("[\n")
        for number, entry in enumerate(invented_people(settings.few(500, 3_000))):
            file.write(json.dumps(_entity(entry), ensure_ascii=False) + ",\n")
            for other in range(9):
                file.write(json.dumps(_thing(number * 9 + other)) + ",\n")
        file.write("]\n")
    begun = time.process_time()
    build(dump, out)
    seconds = time.process_time() - begun
    size = dump.stat().st_size
    dump.unlink()
    out.unlink()
    return size / seconds


def invented_people(count: int) -> Iterator[Entry]:
    """`count` people that do not exist, the same every time."""
    for number in range(1, count + 1):
        chance = random.Random(number)
        full = f"{_word(chance)} {_word(chance)}{_word(chance).lower()}"
        names = [full]
        if chance.random() < 0.5:
            names.append(full.replace(" ", f" {_word(chance)} "))
        if chance.random() < 0.3:
            names.append(_in(chance, _CYRILLIC, 6) + " " + _in(chance, _CYRILLIC, 8))
        if chance.random() < 0.2:
            names.append(_in(chance, _HANGUL, 3))
        if chance.random() < 0.3:
            names.append(_in(chance, _SIGNS, chance.choice([3, 3, 4])))
        yield Entry(
            number, full, tuple(names), chance.random() < 0.05,
            chance.choice(["woman", "man", "man", None]), (f"country {chance.randrange(190)}",),
            (f"occupation {chance.randrange(900)}",), chance.randrange(1850, 2005),
            links=chance.randrange(60),
        )  # fmt: skip


def invented_models(count: int, people: int) -> Iterator[ModelFacts]:
    """`count` listings; every tenth names one of the first `people` invented people."""
    chance = random.Random(1)
    for number in range(count):
        title = f"{_word(chance)} {chance.choice(['style', 'v2', 'woman', 'dress', 'mix'])}"
        if number % 10 == 0:
            someone = next(islice(invented_people_from(chance.randrange(1, people)), 1))
            title = f"{someone.name} LoRA"
        version = ModelFacts(
            source="civitai", title=f"v{number % 4}.0", base_model="SDXL 1.0",
            trigger_words=(_word(chance).lower(),),
            texts=(("file", f"{title.lower().replace(' ', '_')}.safetensors"),),
        )  # fmt: skip
        yield ModelFacts(
            source="civitai", ref=str(number), title=title, creator=_word(chance),
            description=_FILLER + " ".join(_word(chance) for _ in range(20)),
            tags=tuple(chance.sample(["woman", "style", "anime", "sexy", "portrait", "car"], 3)),
            versions=(version,),
        )  # fmt: skip


def invented_people_from(number: int) -> Iterator[Entry]:
    """The invented people from the one with this number on."""
    chance = random.Random(number)
    full = f"{_word(chance)} {_word(chance)}{_word(chance).lower()}"
    yield Entry(number, full, (full,))


def _entity(entry: Entry) -> dict[str, Any]:
    def item(number: int) -> dict[str, Any]:
        value = {"type": "wikibase-entityid", "value": {"id": f"Q{number}"}}
        return {"mainsnak": {"snaktype": "value", "datavalue": value}, "rank": "normal"}

    return {
        "type": "item",
        "id": f"Q{entry.number}",
        "labels": {
            language: {"language": language, "value": name}
            for language, name in zip(("en", "fr", "ru", "ko", "zh"), entry.names, strict=False)
        },
        "descriptions": {"en": {"language": "en", "value": _FILLER}},
        "aliases": {},
        "claims": {"P31": [item(5)], "P21": [item(6581072)], "P27": [item(30)]},
        "sitelinks": {f"wiki{n}": {"title": entry.name} for n in range(entry.links)},
    }


def _thing(number: int) -> dict[str, Any]:
    filler = hashlib.sha256(str(number).encode()).hexdigest()
    return {
        "type": "item",
        "id": f"Q{10_000_000 + number}",
        "labels": {"en": {"language": "en", "value": filler}},
        "descriptions": {"en": {"language": "en", "value": _FILLER * 3}},
        "claims": {"P31": [{"mainsnak": {"datavalue": {"value": {"id": "Q4167836"}}}}]},
        "sitelinks": {},
    }


def _word(chance: random.Random) -> str:
    return "".join(
        chance.choice(_ONSETS) + chance.choice(_VOWELS) + chance.choice(_CODAS)
        for _ in range(chance.choice([1, 2, 2]))
    ).capitalize()


def _in(chance: random.Random, letters: str, length: int) -> str:
    return "".join(chance.choice(letters) for _ in range(length)).capitalize()


def resident(path: Path) -> int:
    """Bytes of memory that looking up in the gazetteer at `path` takes beyond the program."""
    before = machine.resident()
    gazetteer = Gazetteer.open(path)
    for facts in invented_models(2_000, len(gazetteer)):
        for reading in readings([field.text for field in fields_of(facts)]):
            list(gazetteer.search(reading))
    return machine.resident() - before
