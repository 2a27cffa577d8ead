import pytest
from benchmarks.text import score
from benchmarks.text.rates import Rate
from benchmarks.text.records import Record
from benchmarks.text.score import Judged


def judged(labels: str, found: str, group: str = "positive") -> Judged:
    record = Record("x", "en", "text", "post", frozenset(labels.split()), group)
    return Judged(record, frozenset(found.split()))


NUDIFY, SWAP = "ncii.request.nudify", "ncii.request.faceswap"
OFFER, PROMOTION = "ncii.commission.offer", "ncii.service.promotion"


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (1, 1, 0.2065, 1.0)],
)
def test_intervals_are_wilsons(hits: int, of: int, low: float, high: float) -> None:
    assert Rate(hits, of).interval == pytest.approx((low, high), abs=5e-5)


def test_nothing_counted_says_so() -> None:
    assert str(Rate.count([])) == "none"
    assert Rate.count([]).interval == (0.0, 1.0)


def test_a_share_is_printed_with_its_interval() -> None:
    assert str(Rate(81, 263)) == "30.8% (25.5–36.6, n=263)"


def test_recall_takes_any_abusive_label() -> None:
    each = [judged(NUDIFY, SWAP), judged(NUDIFY, ""), judged("", NUDIFY, "art")]

    assert score.recall(each) == Rate(1, 2)
    assert score.false_positives(each) == Rate(1, 1)


def test_evasion_and_contexts_are_no_false_positives() -> None:
    each = [judged("", "evasion.text context.news", "news")]

    assert score.false_positives(each) == Rate(0, 1)


def test_a_context_beside_excuses_a_false_positive() -> None:
    each = [judged("context.support", f"{NUDIFY} context.support", "support")]

    assert score.false_positives(each) == Rate(1, 1)
    assert score.unexcused(each) == Rate(0, 1)


def test_a_context_on_abuse_counts_against() -> None:
    each = [judged(NUDIFY, f"{NUDIFY} context.news"), judged(NUDIFY, NUDIFY)]

    assert score.lowered(each) == Rate(1, 2)
    assert score.label_rates(each, score.NEWS)[2] == Rate(1, 2)


def test_precision_leaves_out_what_is_also_right() -> None:
    each = [judged(OFFER, f"{OFFER} {NUDIFY}"), judged(NUDIFY, NUDIFY), judged("", NUDIFY, "art")]
    recall, precision, wrong = score.label_rates(each, NUDIFY)

    assert recall == Rate(1, 1)
    assert precision == Rate(1, 2)
    assert wrong == Rate(1, 1)


def test_promotion_of_what_is_requested_is_wrong() -> None:
    assert score.label_rates([judged(NUDIFY, PROMOTION)], PROMOTION)[1] == Rate(0, 1)
