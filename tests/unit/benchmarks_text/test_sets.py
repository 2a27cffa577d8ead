import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from benchmarks.text.records import HERE, LANGUAGES, Record, labelled, ordinary
from benchmarks.text.score import ABUSIVE, LABELS

import egide

LEAST = {"en": 600, "fr": 600, "es": 250, "de": 250}
CONTEXTS = {"prompt", "ad", "app_listing", "post", "chat", "profile", "bounty", "search"}
KEYS = {"id", "language", "text", "context", "labels", "group"}
MORE_KEYS = {"with_photo", "age_rating", "category", "price"}
EXEMPLARS = Path(egide.__file__).parent / "text" / "exemplars"


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def records_of(language: str) -> list[Record]:
    return labelled("test", language)


def key(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_texts_and_every_line_has_its_shape(language: str) -> None:
    lines = rows(HERE / "test" / f"{language}.jsonl")

    assert len(lines) >= LEAST[language]
    for line in lines:
        assert KEYS <= line.keys() <= KEYS | MORE_KEYS, line["id"]
        assert line["language"] == language
        assert line["context"] in CONTEXTS
        assert set(line["labels"]) <= set(LABELS)
        assert line["text"].strip() == line["text"]
        assert len(line["text"].split()) <= 400


@pytest.mark.parametrize("language", LANGUAGES)
def test_ids_and_texts_are_not_repeated(language: str) -> None:
    records = records_of(language)

    assert len({one.ref for one in records}) == len(records)
    assert Counter((key(one.text), one.context) for one in records).most_common(1)[0][1] == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_at_least_half_are_hard_negatives_and_no_label_is_missing(language: str) -> None:
    records = records_of(language)
    negative = [one for one in records if not one.labels & ABUSIVE]

    assert len(negative) * 2 >= len(records)
    assert {label for one in records for label in one.labels} == set(LABELS)
    assert all((one.group == "positive") == bool(one.labels & ABUSIVE) for one in records)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mismatch_is_labelled_only_where_there_is_a_low_rating(language: str) -> None:
    for one in records_of(language):
        if "rating.mismatch" in one.labels:
            assert one.attributes["age_rating"] not in {"17+", "18+"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_addresses_and_handles_belong_to_nobody(language: str) -> None:
    for one in records_of(language):
        for host in re.findall(r"\b([\w-]+\.[a-z]{2,})/", one.text):
            assert host.endswith(".example"), one.ref
        for handle in re.findall(r"(?<!\w)@(\w+)", one.text):
            assert re.search(r"exampl|exempl|ejempl|beispiel", handle), one.ref


@pytest.mark.parametrize("language", LANGUAGES)
def test_exemplars_share_no_text_with_the_test_set(language: str) -> None:
    tested = {key(one.text) for one in records_of(language)}
    exemplars = rows(EXEMPLARS / f"{language}.jsonl")

    assert exemplars
    for line in exemplars:
        assert line.keys() == {"text", "labels", "group"}
        assert set(line["labels"]) <= set(LABELS)
        assert key(line["text"]) not in tested


def test_exemplars_are_as_many_as_the_margin_needs() -> None:
    lines = [line for language in LANGUAGES for line in rows(EXEMPLARS / f"{language}.jsonl")]
    positives = [line for line in lines if set(line["labels"]) & ABUSIVE]

    assert len(positives) >= 500
    assert len(lines) - len(positives) >= 1000


@pytest.mark.parametrize("language", ["en", "fr"])
def test_ordinary_texts_are_different_and_the_same_each_time(language: str) -> None:
    first, again = ordinary(language, 3000), ordinary(language, 3000)

    assert [one.text for one in first] == [one.text for one in again]
    assert len({one.text for one in first}) == 3000
    assert not any("{" in one.text for one in first)
