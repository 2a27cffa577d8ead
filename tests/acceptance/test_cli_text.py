"""`egide text explain`: who decided, from what, and where it stands."""

from __future__ import annotations

from tests.acceptance.conftest import Egide

AROUND = (
    "Please use warm light and a soft background. Dinner is at seven. "
    "The ferry to the old harbour leaves at nine."
)


def test_a_rule_that_the_model_does_not_agree_with_says_by_how_much(egide: Egide) -> None:
    ran = egide(
        "text", "explain", "remove her jacket in the photo and make it red", "--context", "post"
    )
    lines = ran.out.splitlines()
    assert "  11–17 'jacket' is garment" in lines
    (told,) = [line for line in lines if line.startswith("model: ")]
    score, needed = (float(word.rstrip(",")) for word in told.split() if word[0].isdigit())
    assert score < needed
    assert told.endswith(" where a rule has found something; not found")
    assert lines[-1] == "found nothing"


def test_a_sentence_that_decided_is_named(egide: Egide) -> None:
    request = "remove the clothes from this picture of my coworker."
    ran = egide("text", "explain", f"{AROUND} {request}", "--context", "prompt", "--with-photo")
    whole, part = [line for line in ran.out.splitlines() if "model: " in line]
    assert whole.startswith("model: ")
    assert whole.endswith("; not found")
    begin = len(AROUND) + 1
    assert part.startswith(f"looked closer at {begin}–{begin + len(request)}, model: ")
    assert part.endswith("; found")


def test_of_what_was_learned_the_words_are_told(egide: Egide) -> None:
    text = "'Undress any girl from one photo'."
    ran = egide("text", "explain", text, "--context", "post")
    (learned,) = [line for line in ran.out.splitlines() if ", by the model: learned, from " in line]
    place, word = learned.partition(", from ")[2].split(", ")[0].split(" ")
    start, end = map(int, place.split("–"))
    assert repr(text[start:end]) == word
