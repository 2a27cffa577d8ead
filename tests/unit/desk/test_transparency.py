"""What the desk did, counted: exact for those who report, safe for everybody else."""

from __future__ import annotations

import csv
import io
import json
import random
import stat
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from egide.bank import Home
from egide.desk.asks import AppealDecision, Decision
from egide.desk.events import THE_PERSON, EventKind
from egide.desk.transparency import (
    HOUR,
    Complaint,
    Counts,
    Judged,
    Story,
    counts_of,
    read_judged,
    read_stories,
)
from egide.desk.transparency_public import (
    LEAST,
    PublicFigures,
    Told,
    figures_of,
    months_before,
    public_figures,
    suppressed,
    told,
)
from egide.desk.transparency_tables import Table, tables_of, write_report
from egide.errors import UsageError
from egide.finding import Finding
from egide.label import Label
from egide.sniff import Kind
from egide.verdict import Action, Verdict
from tests.unit.desk.office import (
    ANN,
    AUTHORITY,
    BEGUN,
    BEN,
    FLAGGER,
    ORIGIN,
    PLACE,
    PLATFORM,
    REFUSE,
    REVERSE,
    UPHOLD,
    Office,
    pdq_of,
    picture,
)
from tests.unit.desk.office import (
    given as print_given,
)

START = round(BEGUN * 1000)
END = START + 1000 * HOUR
STORY = Story(
    jurisdiction="EU",
    source="person",
    received=START,
    decided=START + 10 * HOUR,
    removed=True,
    on_time=True,
    terms=False,
    gone=(START + 11 * HOUR,),
    matched=(),
    mismatched=(),
    restored=(),
    complaints=(),
    withdrawn=None,
)


def table(tables: Sequence[Table], name: str) -> dict[str, dict[str, object]]:
    """The rows of a table by their first cells."""
    found = next(each for each in tables if each.name == name)
    return {
        "/".join(map(str, row[: 2 if name in ("notices", "automation") else 1])): dict(
            zip(found.columns, row, strict=True)
        )
        for row in found.rows
    }


def busy(office: Office) -> None:
    """A day at the desk: removals, a refusal, appeals of both sides, an order, a withdrawal."""
    office.listen()
    prints = picture(1)
    office.host("copy", prints)
    removed = office.notice(jurisdiction="FR", fingerprints=[print_given(pdq_of(prints))])
    office.clock += 3600
    office.removed(removed)
    refused = office.notice(jurisdiction="FR", origin="192.0.2.8")
    office.clock += 7200
    office.decided(refused, REFUSE)
    office.desk.appeal(refused.case, refused.pin, ORIGIN, "Please.")
    office.clock += 3600
    reopened = AppealDecision("reverse", ("intimate_without_consent",))
    office.desk.decide_appeal(BEN, refused.case, reopened)
    wrong = office.notice(by=FLAGGER, locations=[f"{PLACE}1"], signature="B")
    (copy,) = office.removed(wrong).copies
    office.desk.uploader_appeal(office.code(copy.copy), ORIGIN, "Mine.")
    office.desk.decide_appeal(BEN, wrong.case, REVERSE)
    right = office.notice(locations=[f"{PLACE}2"], signature="C")
    (copy,) = office.removed(right).copies
    office.desk.uploader_appeal(office.code(copy.copy), ORIGIN, "Mine.")
    office.desk.decide_appeal(BEN, right.case, UPHOLD)
    order = {"authority": "Tribunal", "reference": "1"}
    office.notice(by=AUTHORITY, locations=[f"{PLACE}3"], order=order)
    taken = office.notice(locations=[f"{PLACE}4"], signature="D")
    office.desk.withdraw(taken.case, taken.pin, ORIGIN)


@pytest.mark.both_databases
def test_a_day_at_the_desk_is_counted(office: Office) -> None:
    busy(office)
    stories = read_stories(office.home.database, START, END)
    tables = tables_of(stories, [], START, END)
    summary = {name: row["number"] for name, row in table(tables, "summary").items()}

    assert summary | {"median_hours_to_decision": 0} == {
        "received": 6,
        "decided": 4,
        "removed": 3,
        "removed_under_terms_alone": 0,
        "not_removed": 1,
        "withdrawn": 1,
        "decided_within_the_clock": 4,
        "copies_removed": 4,
        "copies_put_back_after_a_complaint": 1,
        "wrong_removals": 1,
        "wrong_refusals": 1,
        "median_hours_to_decision": 0,
    }
    notices = table(tables, "notices")
    assert notices["FR/person"]["notices"] == 2
    assert notices["FR/person"]["removed_under_law"] == 1
    assert notices["FR/person"]["not_removed"] == 1
    assert notices["UK/flagger"]["notices"] == 1
    assert table(tables, "orders")["UK"]["orders"] == 1
    complaints = table(tables, "complaints")
    assert (complaints["person"]["complaints"], complaints["person"]["reversed"]) == (1, 1)
    assert complaints["person"]["median_hours_to_decision"] == 1.0
    uploader = complaints["uploader"]
    assert (uploader["decided"], uploader["upheld"], uploader["reversed"]) == (2, 1, 1)
    search = table(tables, "automation")["search for copies/"]
    assert (search["looked_at_by_people"], search["wrong"]) == (1, 0)


def test_only_what_happened_in_the_period_is_counted(office: Office) -> None:
    receipt = office.notice()
    office.clock += 40 * 86_400
    office.removed(receipt)
    database, day = office.home.database, 86_400_000
    first = counts_of(read_stories(database, START, START + day), START, START + day)
    later = (START + 30 * day, START + 60 * day)
    second = counts_of(read_stories(database, *later), *later)

    assert (first.received, first.decided, first.gone) == (1, 0, 0)
    assert (second.received, second.decided, second.gone) == (0, 1, 1)
    assert second.on_time == 0
    assert second.median_hours == pytest.approx(960, abs=0.1)
    assert read_stories(database, START + 70 * day, START + 80 * day) == []


def test_a_clock_that_stood_is_not_held_against_the_desk(office: Office) -> None:
    receipt = office.notice(jurisdiction="FR", statement=None)
    office.clock += 10 * 86_400
    from egide.desk.notices import More

    office.desk.add(receipt.case, receipt.pin, ORIGIN, More(statement="It is me."))
    office.clock += 3600
    office.decided(receipt)
    (story,) = read_stories(office.home.database, START, END)

    assert story.on_time


def searched(office: Office) -> dict[str, object]:
    """What the report says of the search for copies."""
    stories = read_stories(office.home.database, START, END)
    return table(tables_of(stories, [], START, END), "automation")["search for copies/"]


def chosen(office: Office, case: str, *contents: str) -> Decision:
    """A removal of these contents alone."""
    copies = office.desk.view(ANN, case).copies
    wanted = tuple(each.copy for each in copies if each.content_id in contents)
    return Decision("remove", ("intimate_without_consent",), "", wanted)


@pytest.mark.parametrize(("jurisdiction", "wrong"), [("UK", 1), ("US", 0)])
def test_what_a_reviewer_left_was_found_wrongly(
    office: Office, jurisdiction: str, wrong: int
) -> None:
    """Unless it is a kind of copy that the law does not ask to go."""
    prints = picture(1)
    office.host("same", prints)
    office.host("alike", picture(1, crop=True))
    receipt = office.notice(jurisdiction=jurisdiction, fingerprints=[print_given(pdq_of(prints))])
    office.decided(receipt, chosen(office, receipt.case, "same"))
    found = searched(office)

    assert found["looked_at_by_people"] == 1 + wrong
    assert (found["right"], found["wrong"]) == (1, wrong)


def test_what_is_decided_later_and_what_nobody_chose(office: Office) -> None:
    prints = picture(1)
    office.host("same", prints)
    office.host("alike", picture(1, crop=True))
    receipt = office.notice(fingerprints=[print_given(pdq_of(prints))])
    office.decided(receipt, chosen(office, receipt.case, "same"))
    office.host("again", prints)
    office.desk.search(receipt.case)
    states = {each.content_id: each.state for each in office.desk.view(ANN, receipt.case).copies}
    assert (states["again"], states["alike"]) == ("told", "found")
    assert searched(office)["looked_at_by_people"] == 2

    office.decided(receipt, chosen(office, receipt.case, "alike"))
    found = searched(office)
    assert (found["right"], found["wrong"]) == (2, 0)


def test_what_was_put_back_was_found_wrongly(office: Office) -> None:
    office.listen()
    prints = picture(1)
    office.host("same", prints)
    receipt = office.notice(locations=None, fingerprints=[print_given(pdq_of(prints))])
    (copy,) = office.removed(receipt).copies
    office.desk.uploader_appeal(office.code(copy.copy), ORIGIN, "Mine.")
    office.desk.decide_appeal(BEN, receipt.case, REVERSE)

    assert (searched(office)["right"], searched(office)["wrong"]) == (0, 1)


def test_what_screening_found_is_no_copy_that_was_searched_for(office: Office) -> None:
    finding = Finding("known-media.v1", Label.NCII_KNOWN, 0.6)
    said = Verdict("post", Kind.IMAGE, "0f" * 32, Action.REVIEW, "rule", "default@1", (finding,))
    with office.home.database.write() as connection:
        number = office.desk.screening.screened(connection, said, "p-1", record="r1")
    assert number is not None
    office.desk.judge(ANN, number, True, ("intimate_without_consent",))
    office.later()

    assert searched(office)["looked_at_by_people"] == 0


def gone(office: Office) -> int:
    """How many copies the report says to be removed."""
    return counts_of(read_stories(office.home.database, START, END), START, END).gone


def test_a_copy_is_counted_once_as_removed(office: Office) -> None:
    receipt = office.notice()
    (copy,) = office.decided(receipt).copies
    office.desk.acknowledge(PLATFORM, copy.copy, "refused")
    assert gone(office) == 0
    for said in ("removed", "gone", "removed"):
        office.desk.acknowledge(PLATFORM, copy.copy, said)
    assert gone(office) == 1


@pytest.mark.parametrize("first", [[], ["refused"]])
def test_a_copy_that_was_to_come_back_and_is_gone_was_not_removed(
    office: Office, first: list[str]
) -> None:
    receipt = office.notice()
    (copy,) = office.decided(receipt).copies
    office.desk.withdraw(receipt.case, receipt.pin, ORIGIN)
    for said in [*first, "gone"]:
        office.desk.acknowledge(PLATFORM, copy.copy, said)

    assert gone(office) == 0


def test_judgements_of_detectors_are_counted(office: Office) -> None:
    home = office.home
    cases = [office.notice(locations=[f"{PLACE}{n}"], signature=str(n)).case for n in range(3)]
    said = [("a.v1", 1), ("a.v1", 0), ("b.v1", 1)]
    with home.database.write() as connection:
        for number, (case, (detector, right)) in enumerate(zip(cases, said, strict=True)):
            connection.execute(
                "INSERT INTO desk_judgement (number, detector, label, confirmed, at)"
                " VALUES (?, ?, 'ncii.known', ?, ?)",
                (case, detector, right, START + number),
            )
    judged = read_judged(home.database, START, END)

    assert judged == [Judged("a.v1", "ncii.known", 1, 1), Judged("b.v1", "ncii.known", 1, 0)]
    assert [each.error_rate for each in judged] == [0.5, 0.0]
    assert read_judged(home.database, START + 2, END) == judged[1:]
    rows = table(tables_of([], judged, START, END), "automation")
    assert rows["a.v1/ncii.known"]["error_rate"] == 0.5


def test_a_desk_without_cases_reports_nothing(home: Home, tmp_path: Path) -> None:
    paths = write_report(home.database, START, END, tmp_path / "out")

    assert [path.name for path in paths] == [
        "summary.csv",
        "notices.csv",
        "orders.csv",
        "own_initiative.csv",
        "complaints.csv",
        "automation.csv",
    ]
    assert "received,0" in paths[0].read_text(encoding="utf-8")


def test_files_are_private_and_replace_each_other(office: Office, tmp_path: Path) -> None:
    out = tmp_path / "out"
    office.notice()
    for _ in range(2):
        paths = write_report(office.home.database, START, END, out)
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert sorted(out.iterdir()) == sorted(paths)
    with pytest.raises(UsageError, match="another --out"):
        write_report(office.home.database, START, END, paths[0])


@pytest.mark.parametrize("begins", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "|x", " =1"])
def test_no_cell_is_a_formula(begins: str) -> None:
    judged = [Judged(f'{begins}"; DROP', f"{begins},\n", 1, 1)]
    (automation,) = [t for t in tables_of([], judged, START, END) if t.name == "automation"]
    _, row = list(csv.reader(io.StringIO(automation.csv())))[1:]

    assert all(cell[:1] not in ("\t", "\r") for cell in row)
    assert all(cell.lstrip()[:1] not in ("=", "+", "-", "@", "|") for cell in row)
    assert row[0].startswith("'")


def test_nothing_of_a_case_is_in_a_report(office: Office, tmp_path: Path) -> None:
    busy(office)
    paths = write_report(office.home.database, START, END, tmp_path / "out")
    said = "".join(path.read_text(encoding="utf-8") for path in paths)

    assert "EG-" not in said
    assert "platform.example" not in said
    assert "Camille" not in said


# ── in public ───────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=12))
@example([3, 30])
@example([1, 1, 30])
@example([4, 0, 5, 5])
def test_no_small_count_can_be_found_by_subtraction(parts: list[int]) -> None:
    shown = suppressed(parts)
    hidden = [part for part, each in zip(parts, shown, strict=True) if each.hidden]
    open_ = [each.number for each in shown if each.number is not None]

    assert all(number == 0 or number >= LEAST for number in open_)
    assert [each.number for each in shown if not each.hidden] == [
        part for part, each in zip(parts, shown, strict=True) if not each.hidden
    ]
    if hidden and sum(parts) >= LEAST:  # else the sum is not told
        assert len(hidden) > 1 or not [n for n in open_ if n]
        assert sum(hidden) >= LEAST


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=4))
def test_every_hidden_part_could_be_another_number(parts: list[int]) -> None:
    """By trying all: whoever knows the sum and what is told cannot tell any part."""
    if not sum(parts) >= LEAST:
        return
    shown = suppressed(parts)
    places = [place for place, each in enumerate(shown) if each.hidden]
    left = sum(parts) - sum(each.number or 0 for each in shown)
    fitting = [
        values for values in product(range(1, 24), repeat=len(places)) if sum(values) == left
    ]
    for number, _ in enumerate(places):
        assert len({values[number] for values in fitting}) > 1


def test_no_count_is_hidden_without_need() -> None:
    assert suppressed([0, 5, 40]) == [Told(0), Told(5), Told(40)]
    assert suppressed([3, 9, 40]) == [Told(None), Told(None), Told(40)]
    assert suppressed([3, 4, 40]) == [Told(None), Told(None), Told(40)]
    assert [told(n).number for n in (0, 1, 4, 5)] == [0, None, None, 5]


def many(count: int, **changes: object) -> list[Story]:
    return [replace(STORY, **changes)] * count  # type: ignore[arg-type]


BOUNDS = (START, START + 500 * HOUR, END)
LATER = START + 600 * HOUR


def test_figures_tell_months_and_the_whole() -> None:
    stories = many(20) + many(7, received=LATER, decided=LATER + HOUR, removed=False, gone=())
    figures = figures_of(stories, BOUNDS)

    assert figures.received.total == Told(27)
    assert figures.received.parts == (Told(20), Told(7))
    assert figures.removed.parts == (Told(20), Told(0))
    assert figures.refused.total == Told(7)
    assert figures.median_hours == 10.0
    assert figures.on_time == 1.0
    assert figures.copies_removed == Told(20)
    assert dict(figures.by_law)["EU"] == Told(27)


MONTH = 1_000 * HOUR


def year_to(stories: Sequence[Story], month: int) -> PublicFigures:
    """The page of the twelve months before `month`, or of as many as there are."""
    return figures_of(stories, [n * MONTH for n in range(max(0, month - 12), month + 1)])


def everything(figures: PublicFigures) -> dict[str, Told]:
    """Each count of a page that is not of one month."""
    return {
        "received": figures.received.total,
        "removed": figures.removed.total,
        "refused": figures.refused.total,
        "wrong_removals": figures.wrong_removals.total,
        "wrong_refusals": figures.wrong_refusals,
        "copies_removed": figures.copies_removed,
        **{f"by_law/{name}": each for name, each in figures.by_law},
        **{f"complaints/{side}": each for side, each in figures.complaints.items()},
        **{f"reversed/{side}": each for side, each in figures.complaints_reversed.items()},
    }


MONTHS = st.lists(
    st.tuples(*[st.one_of(st.just(0), st.integers(1, 4), st.integers(5, 9))] * 6),
    min_size=2,
    max_size=24,
)


def in_months(counts: Sequence[Sequence[int]]) -> list[Story]:
    """Stories of months, in each so many: of two laws, refused, that complained, turned, copies."""
    found = []
    for number, (european, british, refused, person, uploader, copies) in enumerate(counts):
        at = number * MONTH + HOUR
        new = replace(STORY, received=at, decided=None, removed=False, gone=())
        found += [new] * european + [replace(new, jurisdiction="UK")] * british
        old = replace(new, received=-1)
        found += [replace(old, decided=at, removed=each % 2 > 0) for each in range(refused)]
        for side, many_ in (("person", person), ("uploader", uploader)):
            found += [replace(old, complaints=(Complaint(side, at, at, True),))] * many_
        found += [replace(old, gone=(at,))] * copies
    return found


@settings(max_examples=60, deadline=None)
@given(MONTHS)
@example([(n, 0, 0, 0, 0, 0) for n in (6, 7, 8, 9, 6, 6, 1)])
@example([(0, 0, 0, n, n, n) for n in (6, 7, 8, 9, 6, 6, 1)])
@example([(6, n % 5, 0, 0, 0, 0) for n in range(24)])
def test_one_page_less_another_tells_no_small_count(counts: list[tuple[int, ...]]) -> None:
    """While the window grows only what is told of the new month comes in, afterwards one goes too.

    What is told of a month stays as it is.
    """
    stories = in_months(counts)
    shown: dict[tuple[str, int], Told] = {}
    for month in range(1, len(counts) + 1):
        figures, before = year_to(stories, month), year_to(stories, month - 1)
        first = max(0, month - 12)
        alone = everything(figures_of(stories, [(month - 1) * MONTH, month * MONTH]))
        left = everything(figures_of(stories, [(month - 13) * MONTH, (month - 12) * MONTH]))
        old = everything(before)
        for name, each in everything(figures).items():
            in_, out = alone[name].number or 0, left[name].number or 0
            assert in_ == 0 or in_ >= LEAST
            assert (each.number or 0) - (old[name].number or 0) == in_ - (out if first else 0)
        for name in ("received", "removed", "refused", "wrong_removals"):
            for place, part in enumerate(getattr(figures, name).parts):
                assert shown.setdefault((name, first + place), part) == part


def test_times_are_of_months_whose_decisions_are_told() -> None:
    few = many(3, received=LATER, decided=LATER + 90 * HOUR, on_time=False)
    with_few, without = figures_of(many(20) + few, BOUNDS), figures_of(many(20), BOUNDS)

    assert (with_few.median_hours, with_few.on_time) == (without.median_hours, without.on_time)
    assert with_few.removed.total == Told(20, more=True)


def test_what_happens_to_a_case_later_leaves_its_decision_as_it_was(office: Office) -> None:
    receipt = office.notice(jurisdiction="FR")
    office.clock += 40 * 86_400
    office.decided(receipt, REFUSE)
    office.desk.appeal(receipt.case, receipt.pin, ORIGIN, "Please.")
    first = read_stories(office.home.database, START, END)
    with office.desk.book.writing() as writing:
        told = {"elements": ["statement"], "required": ["statement"]}
        writing.append(receipt.case, EventKind.ASKED, ANN.actor, told)
        writing.now += 60 * 86_400_000
        writing.append(receipt.case, EventKind.COMPLETED, THE_PERSON, {})
    (later,) = read_stories(office.home.database, START, 2 * END)

    assert [story.on_time for story in first] == [later.on_time] == [False]


def test_where_the_sum_is_small_its_months_are_not_told() -> None:
    figures = figures_of(many(4), BOUNDS)

    assert figures.received.total.hidden
    assert figures.received.parts == (Told(None), Told(0))
    assert all(each.hidden for _, each in figures.by_law)
    assert figures.median_hours is None
    assert figures.on_time is None


def test_wrong_removals_are_published() -> None:
    wrong = Complaint("uploader", START, START + HOUR, True)
    figures = figures_of(many(9, complaints=(wrong,)) + many(30), BOUNDS)

    assert figures.wrong_removals.total == Told(9)
    assert figures.complaints["uploader"] == Told(9)
    assert figures.complaints_reversed["uploader"] == Told(9)
    assert figures_of(many(3, complaints=(wrong,)) + many(30), BOUNDS).wrong_removals.total.hidden


def test_few_late_decisions_are_not_told_by_a_share() -> None:
    assert figures_of(many(40) + many(3, on_time=False), BOUNDS).on_time is None
    assert figures_of(many(40) + many(10, on_time=False), BOUNDS).on_time == 0.8
    assert figures_of(many(3) + many(40, on_time=False), BOUNDS).on_time is None


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), (2025, 3), (2026, 2)),
        (datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC), (2025, 2), (2026, 1)),
        (datetime(2028, 3, 31, tzinfo=UTC), (2027, 3), (2028, 2)),
        (datetime(2026, 1, 1, tzinfo=UTC), (2025, 1), (2025, 12)),
    ],
)
def test_months_are_those_that_are_over(
    now: datetime, first: tuple[int, int], last: tuple[int, int]
) -> None:
    bounds = [
        datetime.fromtimestamp(at / 1000, UTC)
        for at in months_before(round(now.timestamp() * 1000), 12)
    ]

    assert len(bounds) == 13
    assert (bounds[0].year, bounds[0].month) == first
    assert (bounds[-2].year, bounds[-2].month) == last
    assert all(each.day == 1 and each.hour == 0 for each in bounds)
    assert bounds[-1] <= now


def test_the_month_that_runs_is_not_shown(office: Office) -> None:
    for number in range(6):
        office.notice(
            locations=[f"{PLACE}{number}"], signature=str(number), origin=f"10.{number}.0.1"
        )
    now = office.desk.book.now()
    assert public_figures(office.home.database, now).months == ()
    begun = datetime.fromtimestamp(BEGUN, UTC)
    next_month = datetime(begun.year, begun.month % 12 + 1, 1, tzinfo=UTC)
    figures = public_figures(office.home.database, round(next_month.timestamp() * 1000) + 1)

    assert [(each.year, each.month) for each in figures.months] == [(begun.year, begun.month)]
    assert figures.received.total == Told(6)


def test_counting_is_the_same_in_any_order() -> None:
    stories = [
        replace(
            STORY, received=START + n * HOUR, decided=START + (n + n % 7) * HOUR, removed=n % 3 > 0
        )
        for n in range(60)
    ]
    mixed = random.Random(1).sample(stories, len(stories))

    one, other = counts_of(stories, START, END), counts_of(mixed, START, END)
    assert replace(one, hours=()) == replace(other, hours=())
    assert one.median_hours == other.median_hours
    assert counts_of([], START, END) == Counts()
    assert json.dumps(one.received) == "60"
