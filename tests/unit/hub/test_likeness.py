"""Likenesses are told from everything else, with reasons, and at bounded cost."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from benchmarks.likeness import interval, measured
from hypothesis import given
from hypothesis import strategies as st

from egide.hub.facts import ModelFacts
from egide.hub.gazetteer_sample import sample_gazetteer
from egide.hub.intent_terms import PLACES, TermBook, load_weights
from egide.hub.likeness import SURE, Likeness, likeness, likeness_all
from egide.hub.likeness_fields import MOST_FIELDS, fields_of, place_of
from tests.growth import within

NAME = "Velora Quintane"


def judged(title: str | None = None, **facts: Any) -> Likeness:
    known = {"source": "civitai", "title": title} | facts
    return likeness(ModelFacts(**known), sample_gazetteer())


def test_nothing_is_known_of_nothing() -> None:
    found = judged()

    assert (found.named, found.sexual, found.person, found.mentions) == (0, 0, None, ())
    assert found.unnamed < 0.1
    assert not found.is_person


def test_a_name_in_more_places_counts_more() -> None:
    once = judged(None, tags=(NAME,))
    twice = judged(None, tags=(NAME,), trigger_words=("velora quintane",))

    assert SURE < once.named < twice.named < 1
    assert once.person is not None
    assert (once.person.id, once.person.gender) == ("Q900000101", "woman")
    assert {mention.place for mention in twice.mentions} == {"tag", "trigger"}


def test_a_name_said_often_in_one_place_is_said_once() -> None:
    assert judged(description=f"{NAME}. " * 9).named == judged(description=NAME).named < SURE


def test_what_stands_beside_a_name_is_told() -> None:
    [mention] = judged(description=f"This is not {NAME}.").mentions

    assert mention.context == ("negated",)
    assert mention.score < 0.2


@pytest.mark.parametrize(
    ("title", "context"),
    [
        (f"in the style of {NAME}", "style_of"),
        (f"{NAME} style", "style"),
        (f"inspired by {NAME}", "inspired"),
        (f"by {NAME}", "credit"),
        (f"made by {NAME}", "credit"),
        (f"{NAME} stadium", "place"),
        (f"{NAME} leather handbag", "product"),
        (f"{NAME} from Star Harbor", "from"),
        (f"{NAME} the cat", "animal"),
        (f"pas {NAME}", "negated"),
        (f"inspirado en {NAME}", "inspired"),
        (f"im Stil von {NAME}", "style_of"),
        (f"merci à {NAME}", "credit"),
    ],
)
def test_words_around_a_name_lower_it(title: str, context: str) -> None:
    found = judged(title)

    assert context in found.mentions[0].context
    assert found.named < judged(NAME).named


def test_words_in_another_sentence_or_field_say_nothing() -> None:
    assert judged(f"It is not. {NAME}").named == judged(NAME).named
    assert judged(NAME, tags=("not",)).named == judged(NAME).named


def test_a_likeness_that_is_claimed_raises_a_name() -> None:
    assert judged(description=f"Likeness of {NAME}.").named > SURE


def test_history_can_be_set() -> None:
    facts = ModelFacts(source="civitai", title="Edda Kroonvelt")  # dead for 26 years

    assert likeness(facts, sample_gazetteer()).named > SURE
    assert likeness(facts, sample_gazetteer(), historical_years=20).named < SURE
    king = ModelFacts(source="civitai", title="Valdric Tharnesse")
    assert likeness(king, sample_gazetteer()).traps == ("history",)
    assert likeness(king, sample_gazetteer(), historical_years=1000).named > SURE


def test_the_creator_is_not_the_subject() -> None:
    assert judged("Lunette Bellwether", creator="lunette.bellwether").traps == ("creator",)
    assert judged("Lunette Bellwether", creator="someone").named > SURE


def test_a_name_shared_with_a_character_is_told_apart() -> None:
    character = judged("Mira Solvayne", tags=("anime",))
    actress = judged("Mira Solvayne", tags=("actress",))

    assert character.named == 0
    assert actress.named > SURE
    assert actress.person is not None
    assert not actress.person.fictional


def test_without_a_gazetteer_structure_still_works() -> None:
    facts = ModelFacts(source="civitai", title=NAME, tags=("celebrity",))
    found = likeness(facts)

    assert (found.named, found.person) == (0, None)
    assert found.unnamed > SURE


def test_numbers_of_the_training_count() -> None:
    base: dict[str, Any] = {"concepts": ("ohwx woman",), "source": "safetensors"}
    few = likeness(ModelFacts(**base, images=20, rank=16))
    many = likeness(ModelFacts(**base, images=900, rank=256))

    assert {"few_pictures", "low_rank", "one_concept"} <= {r.signal for r in few.reasons}
    assert "many_pictures" in {r.signal for r in many.reasons}
    assert many.unnamed < SURE < few.unnamed


@pytest.mark.parametrize(
    ("concept", "found"),
    [
        ("mirela tovanescu woman", True),
        ("Mirela_Tovanescu person", True),
        ("ohwx woman", True),
        ("woman", False),
        ("cyberpunk ninja woman", False),
        ("red haired woman", False),
        ("mirela tovanescu", False),
    ],
)
def test_a_full_name_before_a_class_of_people_counts(concept: str, found: bool) -> None:
    facts = ModelFacts(source="safetensors", concepts=(concept,), images=24, rank=4)

    assert (likeness(facts).unnamed > SURE) is found


def test_the_name_of_a_drawn_character_before_a_class_does_not_count() -> None:
    facts = ModelFacts(
        source="safetensors", concepts=("mirela tovanescu girl",), images=24,
        tag_frequency=(("1girl", 24),),
    )  # fmt: skip

    assert likeness(facts).unnamed < SURE


def test_versions_are_read_as_the_model_is() -> None:
    version = ModelFacts(source="civitai", title="v1", trigger_words=(NAME,), poi=True)
    found = judged("Portrait", versions=(version,))

    assert found.named > SURE
    assert "flagged" in {reason.signal for reason in found.reasons}


def test_ratings_are_read_as_bits() -> None:
    assert judged(nsfw_level=1 | 2).sexual == 0
    assert judged(nsfw_level=4).intents == ("rated R",)
    assert judged(nsfw_level=16).sexual > SURE
    assert judged(nsfw=True).intents == ("flagged",)
    assert judged(tags=("not-for-all-audiences",)).sexual > SURE


@pytest.mark.parametrize(
    "text", ["nude", "n u d e", "n.u.d.e", "NUDE", "nuđe", "desnuda", "nackt", "ｎｕｄｅ", "p0rn"]
)
def test_intent_is_found_however_it_is_written(text: str) -> None:
    assert judged(tags=(text,)).sexual > SURE


@pytest.mark.parametrize("text", ["No NSFW!", "not nsfw", "sfw only", "sin desnudos", "kein nsfw"])
def test_intent_that_is_denied_is_none(text: str) -> None:
    assert judged(description=text).sexual == 0
    assert judged(description=text, nsfw=True).sexual < SURE


def test_denying_does_not_help_who_says_it_elsewhere() -> None:
    assert judged(description="sfw only", tags=("nude",)).sexual > SURE


def test_negative_prompts_are_not_read() -> None:
    assert judged(texts=(("negative prompt", f"nude, {NAME}"),)) == judged()


def test_many_are_judged_as_each_alone() -> None:
    models = [
        ModelFacts(source="civitai", title=title, description=text, tags=("woman", "nude"))
        for title in (NAME, "v3l0ra qu1ntane", "Autumn Lantern", "sks dog", "x" * 3_000, "")
        for text in ("By Tamsin Orrelby", "My ex girlfriend", f"looks like {NAME} " * 200)
    ] * 15

    assert list(likeness_all(models, sample_gazetteer())) == [
        likeness(facts, sample_gazetteer()) for facts in models
    ]


def test_a_likeness_can_be_sent_to_another_process() -> None:
    found = judged(NAME, tags=("nude",))

    assert pickle.loads(pickle.dumps(found)) == found


def test_a_listing_of_many_fields_is_cut() -> None:
    facts = ModelFacts(source="civitai", tags=tuple(map(str, range(10_000))))

    assert len(fields_of(facts)) == MOST_FIELDS


@pytest.mark.parametrize(
    ("name", "place"),
    [("prompt", "prompt"), ("version", "version"), ("file", "file"), ("ss_output_name", "file"),
     ("base_model_name_or_path", "text"), ("notes", "text"), ("image_dir", "concept")],
)  # fmt: skip
def test_texts_are_known_by_their_names(name: str, place: str) -> None:
    assert place_of(name) == place


@given(st.builds(
    ModelFacts,
    source=st.just("civitai"),
    title=st.none() | st.text(max_size=80),
    description=st.none() | st.text(max_size=200),
    creator=st.none() | st.text(max_size=20),
    tags=st.lists(st.text(max_size=20), max_size=4).map(tuple),
    trigger_words=st.lists(st.text(max_size=20), max_size=4).map(tuple),
    concepts=st.lists(st.text(max_size=20), max_size=2).map(tuple),
    rank=st.none() | st.integers(0, 10**9),
    images=st.none() | st.integers(0, 10**9),
    nsfw_level=st.none() | st.integers(0, 10**9),
))  # fmt: skip
def test_any_facts_can_be_judged(facts: ModelFacts) -> None:
    found = likeness(facts, sample_gazetteer())

    assert all(0 <= score < 1 for score in (found.named, found.unnamed, found.sexual))


def test_hostile_facts_are_judged_in_bounded_time() -> None:
    long = f"my ex {NAME} nude by " * 500_000
    facts = ModelFacts(
        source="civitai",
        title=long,
        description=long,
        tags=(long,) * 50,
        trigger_words=(long,) * 50,
    )
    found = within(20, lambda: likeness(facts, sample_gazetteer()))

    assert judged().named < found.named


def test_the_weights_name_places_that_there_are() -> None:
    weights = load_weights()

    assert set(weights.places) == set(weights.intent_places) == set(PLACES)
    for signal in weights.signals.values():
        assert signal.places <= set(PLACES), signal.name
        assert signal.why
    assert all(0 <= rule.factor <= 1 for rule in weights.around.values())


def test_a_term_that_cannot_be_found_is_an_error() -> None:
    with pytest.raises(ValueError, match="cannot be looked for"):
        TermBook({"signal.x": ["…"]})


def test_labelled_listings_are_judged_well() -> None:
    tallies, others, harmless = measured("dev")

    assert harmless / others > 0.97
    for label, tally in tallies.items():
        assert tally.hits / (tally.hits + tally.misses) > 0.95, label
        assert tally.hits / (tally.hits + tally.false) > 0.95, label


def test_intervals_are_wilsons() -> None:
    assert interval(9, 10) == "90.0 % (59.6–98.2)"
    assert interval(0, 0) == "–"


def test_every_weight_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "how-to" / "gazetteer.md").read_text("utf-8")
    weights = load_weights()

    for name, signal in weights.signals.items():
        assert f"| `{name}` | {signal.weight:+g} | {signal.why} |" in text
    for name, rule in weights.around.items():
        counts = f"at least {rule.least:g}" if rule.least else f"× {rule.factor:g}"
        side = "before" if rule.before else "after"
        assert f"| `{name}` | {side} | {counts} |" in text
    for place, weight in weights.places.items():
        assert f"{place} {weight:g}" in text


def test_the_dump_shown_is_the_sample() -> None:
    root = Path(__file__).parents[3]
    shown = root / "examples" / "gazetteer" / "people.json"

    assert shown.read_bytes() == (root / "src/egide/hub/data/sample-people.json").read_bytes()
