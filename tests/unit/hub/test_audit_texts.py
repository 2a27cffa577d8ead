"""Texts in audits: what counts as an offer, what ties offers together, what is never told."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.hub.audit import Audit, Reveal, audit, write_audit
from egide.hub.audit.providers import providers_of
from egide.hub.audit.tables import tables_of
from egide.hub.audit.text_record import text_record
from egide.hub.audit.text_row import is_offer
from egide.hub.audit.text_tables import quartiles, text_findings, text_tables
from egide.hub.audit.text_tally import Marks, month_of
from egide.hub.pseudonyms import Pseudonyms
from egide.label import Label
from egide.record import shape_of
from egide.text.joint import screen_jointly
from egide.text.offers import Price
from tests import adverts
from tests.listings import civitai_models

PLAIN = Pseudonyms(b"k" * 32)
PITCH = "Undress any photo with our AI. Try it free"


def dumped(path: Path, records: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def audited(folder: Path, records: Iterable[Any], **options: Any) -> Audit:
    return audit([dumped(folder / "dump.jsonl", records)], jobs=1, **options)


def advert(number: int, where: str = "", **fields: Any) -> dict[str, Any]:
    return {"id": number, "text": f"{PITCH}: {where}", "context": "ad"} | fields


def written(found: Audit, out: Path, **options: Any) -> dict[str, Any]:
    texts: dict[str, Any] = write_audit(found, out, PLAIN, **options)["texts"]
    return texts


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return audited(tmp_path_factory.mktemp("board"), adverts.records())


# ── what is counted ─────────────────────────────────────────────────────────────────────────────


def test_offers_ratings_and_prices_are_counted(board: Audit, tmp_path: Path) -> None:
    records = list(adverts.records())
    told = [told for r in records if (told := text_record(r, shape_of(r))) is not None]
    labels = [{one.label for one in screen_jointly(one.text, one.said).found} for one in told]
    contexts = [one.said.context for one in told]
    judged = zip(records, labels, contexts, strict=True)
    pitched = [record for record, found, context in judged if is_offer(found, context)]
    apps = [r for r in records if "trackName" in r]
    mismatched = sum(Label.RATING_MISMATCH in found for found in labels)
    texts = written(board, tmp_path)
    assert texts["total"] == len(records)
    assert texts["offers"] == len(pitched)
    assert texts["rated"] == len(apps)
    assert texts["rating_mismatch"] == mismatched >= 15
    assert texts["by_label"]["rating.mismatch"] == mismatched
    offered = [r for r in pitched if r in apps]
    assert texts["by_context"] == {
        "ad": len(pitched) - len(offered), "app_listing": len(offered)
    }  # fmt: skip
    assert texts["prices"]["EUR"]["median"] == 9.99
    assert texts["prices"]["credits"]["offers"] == sum("20 credits" in str(r) for r in pitched)
    assert json.loads((tmp_path / "summary.json").read_text())["texts"] == texts


def test_every_offer_stands_in_its_month(board: Audit, tmp_path: Path) -> None:
    texts = written(board, tmp_path)
    months = rows(tmp_path, "offers_by_month")
    assert [row["month"] for row in months] == [f"2025-{month:02}" for month in range(1, 13)]
    assert int(months[-1]["cumulative"]) <= texts["offers"]
    assert sum(int(row["offers"] or 0) for row in months) == int(months[-1]["cumulative"])
    assert rows(tmp_path, "rating_mismatch_by_month")


def test_providers_are_found_by_what_their_offers_share(board: Audit, tmp_path: Path) -> None:
    written(board, tmp_path, reveal=Reveal("a study", "ada", "now"))
    by_name = {row["provider"]: row for row in rows(tmp_path, "providers")}
    pine = by_name["channel:pine_example"]
    assert (pine["hosts"], pine["channels"]) == ("3", "1")
    assert "channel:salt_example" in by_name
    assert "channel:pretty lens studio" in by_name


def test_texts_change_nothing_of_what_listings_give(tmp_path: Path) -> None:
    models = list(civitai_models(60, share=0.5))
    alone = write_audit(audited(tmp_path, models), tmp_path / "alone", PLAIN)
    mixed = [x for pair in zip(models, adverts.records(60), strict=True) for x in pair]
    both = write_audit(audited(tmp_path, mixed), tmp_path / "both", PLAIN)
    assert both["texts"]["total"] == 60
    assert alone["texts"]["total"] == 0
    for summary in (alone, both):
        for name in ("texts", "made"):
            del summary[name]
    assert alone == both
    for table in (tmp_path / "alone").glob("*.csv"):
        if table.name != "unreadable.csv":
            assert table.read_bytes() == (tmp_path / "both" / table.name).read_bytes()
    assert not (tmp_path / "alone" / "providers.csv").exists()


def test_the_same_text_under_the_same_id_counts_once(tmp_path: Path) -> None:
    again = [advert(1), advert(1), advert(2), advert(1, "x.example"), {"text": PITCH}]
    texts = audited(tmp_path, [*again, {"text": PITCH}]).tally.texts
    assert (texts.total, texts.repeated) == (5, 1)


def test_apps_are_told_apart_and_known_again_by_the_ids_of_their_stores(tmp_path: Path) -> None:
    said = {"description": "Write a page a day.", "contentRating": "Everyone"}
    apple = [said | {"trackName": "Diary", "trackId": number} for number in range(20)]
    google = [said | {"title": "Diary", "appId": f"org.example.lake{n}"} for n in range(20)]
    adverts_ = [{"ad_creative_bodies": ["A lake"], "ad_archive_id": str(n)} for n in range(20)]
    dump = [*apple, *google, *adverts_]
    texts = audited(tmp_path, dump).tally.texts
    assert (texts.total, texts.repeated) == (60, 0)
    paths = [dumped(tmp_path / f"{name}.jsonl", dump) for name in ("monday", "tuesday")]
    texts = audit(paths, jobs=1).tally.texts
    assert (texts.total, texts.repeated) == (60, 60)


def test_only_a_rating_that_says_an_age_counts_as_one(tmp_path: Path) -> None:
    ratings = ["Unrated", "N/A", "", "4+", "Everyone", "PEGI 18"]
    apps = [
        {"appId": f"org.example.{number}", "title": "Diary", "contentRating": rating}
        for number, rating in enumerate(ratings)
    ]
    assert audited(tmp_path, apps).tally.texts.rated == 3


def test_the_share_of_the_largest_is_of_all_offers(tmp_path: Path) -> None:
    large = [advert(number, "ask @pine_example") for number in range(10)]
    small = [advert(100 + number, f"fir{number}.example") for number in range(6)]
    untied = [advert(200 + number) for number in range(24)]
    texts = written(audited(tmp_path, [*large, *small, *untied]), tmp_path / "out")
    assert (texts["offers"], texts["providers"], texts["alone"]) == (40, 7, 24)
    assert texts["share_of_largest"] == 0.25


def test_what_has_no_date_is_counted_and_the_page_says_so(tmp_path: Path) -> None:
    dated = [advert(number, date=f"2025-0{1 + number % 2}-09") for number in range(12)]
    undated = [advert(100 + number, date="09/02/2025") for number in range(6)]
    texts = written(audited(tmp_path, dated), tmp_path / "dated")
    assert (texts["undated"], texts["offers_undated"]) == (0, 0)
    page = (tmp_path / "dated" / "audit.html").read_text()
    assert "no date" not in page
    assert "no plot" not in page
    texts = written(audited(tmp_path, [*dated, *undated]), tmp_path / "mixed")
    assert (texts["undated"], texts["offers_undated"]) == (6, 6)
    page = (tmp_path / "mixed" / "audit.html").read_text()
    assert "6 of the texts have no date that could be read, 6 offers among them" in page
    written(audited(tmp_path, undated), tmp_path / "undated")
    page = (tmp_path / "undated" / "audit.html").read_text()
    assert "The offers do not tell dates of two months: there is no plot" in page


def test_prices_are_numbers_in_tables_and_written_out_on_the_page(tmp_path: Path) -> None:
    records = [advert(n, "₹1,23,456 or $4.50", date="2025-03-01") for n in range(6)]
    written(audited(tmp_path, records), tmp_path / "out")
    by_currency = {row["currency"]: row["median"] for row in rows(tmp_path / "out", "prices")}
    assert by_currency == {"INR": "123456", "USD": "4.5"}
    monthly = {row["currency"]: row["median"] for row in rows(tmp_path / "out", "prices_by_month")}
    assert monthly == by_currency
    page = (tmp_path / "out" / "audit.html").read_text()
    assert "<bdi>123,456</bdi>" in page
    assert "<bdi>4.5</bdi>" in page


def test_what_tells_of_offers_is_none(tmp_path: Path) -> None:
    told = [{"text": text, "context": "post"} for text in adverts._TOLD]
    texts = audited(tmp_path, told).tally.texts
    assert (texts.total, texts.offers) == (2, 0)
    assert not is_offer({Label.SERVICE_PROMOTION, Label.CONTEXT_NEWS}, "ad")
    assert is_offer({Label.SERVICE_PROMOTION}, "post")
    assert is_offer({Label.REQUEST_NUDIFY}, "app_listing")
    assert not is_offer({Label.REQUEST_NUDIFY}, "prompt")
    assert not is_offer({Label.COMMISSION_SOLICIT}, "bounty")


def test_a_text_that_is_flagged_for_minors_leaves_nothing_but_its_number(tmp_path: Path) -> None:
    tally = audited(tmp_path, [advert(1, "x.example", minor=True)]).tally
    assert (tally.models, tally.escalated) == (0, 0)
    assert (tally.texts.total, tally.texts.escalated, tally.texts.offers) == (1, 1, 0)
    assert not tally.texts.marks.numbers


@pytest.mark.slow
def test_the_outcome_is_the_same_on_one_process_and_on_two(tmp_path: Path) -> None:
    dump = dumped(tmp_path / "dump.jsonl", adverts.records(1_100))
    texts = [
        written(audit([dump], jobs=jobs), tmp_path / str(jobs))
        for jobs in (1, 2)
    ]  # fmt: skip
    assert texts[0] == texts[1]
    for table in (tmp_path / "1").glob("*.csv"):
        assert table.read_bytes() == (tmp_path / "2" / table.name).read_bytes()


# ── what ties offers together ───────────────────────────────────────────────────────────────────


def tied(offers: Sequence[Sequence[str]], ordinary: Sequence[str] = ()) -> list[int]:
    marks = Marks()
    for ties in offers:
        marks.add_offer(tuple(ties), "2025-05")
    for place in ordinary:
        marks.add_ordinary((place,))
    return [provider.offers for provider in providers_of(marks).listed]


def test_offers_hang_together_through_others() -> None:
    assert tied([["host:a", "channel:b"], ["channel:b", "code:c1"], ["code:c1"], ["host:d"]]) == [
        3, 1,
    ]  # fmt: skip


def test_what_ordinary_texts_name_more_often_ties_nothing() -> None:
    offers = [["host:shared", f"channel:{number}"] for number in range(3)]
    assert tied(offers) == [3]
    assert tied(offers, ["host:shared"] * 3) == [3]
    assert tied(offers, ["host:shared"] * 4) == [1, 1, 1]
    assert tied([["host:shared"]], ["host:shared"] * 2) == []


def test_a_code_of_offers_with_other_hosts_and_other_accounts_ties_nothing() -> None:
    strangers = [[f"host:{n}", f"channel:{n}", "code:pine22"] for n in range(4)]
    assert tied([*strangers, ["code:pine22"]]) == [1, 1, 1, 1]
    one_host = [["host:a", f"channel:{n}", "code:pine22"] for n in range(4)]
    assert tied([*one_host, ["code:pine22"]]) == [5]
    one_account = [[f"host:{n}", "channel:a", "code:pine22"] for n in range(4)]
    assert tied([*one_account, ["code:pine22"]]) == [5]
    assert tied([["channel:a", "code:pine22"], ["channel:b", "code:pine22"]]) == [2]


def test_words_of_the_season_and_pages_of_links_tie_nothing(tmp_path: Path) -> None:
    for number, where in enumerate((
        "20 % off with code CYBER50 at fir{}.example",
        "code HALLOWEEN25, fir{}.example",
        "https://taplink.cc/example{}",
    )):  # fmt: skip
        folder = tmp_path / str(number)
        folder.mkdir()
        found = audited(folder, [advert(n, where.format(n)) for n in range(10)]).tally.texts
        assert [one.offers for one in providers_of(found.marks).listed] == [1] * 10


def test_a_bot_without_its_sign_ties_as_one_with_it(tmp_path: Path) -> None:
    names = ("Telegram: pine_pics_bot", "@pine_pics_bot", "tg://resolve?domain=pine_pics_bot")
    found = audited(tmp_path, [advert(n, names[n % 3]) for n in range(9)]).tally.texts
    assert [one.offers for one in providers_of(found.marks).listed] == [9]


def test_platforms_payments_and_common_codes_tie_nothing(tmp_path: Path) -> None:
    where = "https://t.me/one_example{} PayPal, code FREE, @everyone https://instagram.com/"
    records = [advert(number, where.format(number)) for number in range(6)]
    providers = providers_of(audited(tmp_path, records).tally.texts.marks)
    assert [provider.offers for provider in providers.listed] == [1] * 6


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=3), max_size=12),
    st.randoms(use_true_random=False),
)
def test_providers_do_not_depend_on_the_order(offers: list[list[str]], random: Any) -> None:
    groups: list[set[str]] = []
    for ties in filter(None, offers):
        met = [group for group in groups if group & set(ties)]
        groups = [group for group in groups if group not in met]
        groups.append(set(ties).union(*met))
    plain = sorted(sum(bool(group & set(ties)) for ties in offers) for group in groups)
    shuffled = random.sample(offers, len(offers))
    assert sorted(tied(offers)) == sorted(tied(shuffled)) == plain


@settings(deadline=None)
@given(st.dictionaries(st.integers(1, 50).map(Decimal), st.integers(1, 9), min_size=1))
def test_quartiles_are_those_of_the_numbers_one_by_one(amounts: dict[Decimal, int]) -> None:
    plain = sorted(x for amount, number in amounts.items() for x in [float(amount)] * number)
    wanted = tuple(plain[-(-len(plain) * part // 4) - 1] for part in (1, 2, 3))
    assert quartiles(amounts) == wanted


@pytest.mark.parametrize("month", ["2015-01", "2025-12", "2100-12"])
def test_months_are_kept_as_numbers(month: str) -> None:
    marks = Marks()
    marks.add_offer((), month)
    marks.add_offer((), "")
    assert [month_of(number) for number in marks.months] == [month, ""]


# ── what is never told ──────────────────────────────────────────────────────────────────────────


def test_no_name_is_told_unless_asked_for(board: Audit, tmp_path: Path) -> None:
    written(board, tmp_path)
    told = "".join(path.read_text() for path in tmp_path.iterdir())
    names = [name for one in adverts.PROVIDERS for name in (*one.hosts, one.channel)]
    assert len(names) > 9
    for name in [*names, "pretty lens studio"]:
        assert name not in told.lower()
    assert rows(tmp_path, "providers")[0]["provider"].startswith("provider-")


def test_no_table_has_a_small_count(board: Audit) -> None:
    for table in text_tables(text_findings(board.tally.texts), PLAIN, reveal=False):
        for row in table.rows:
            counted = row[1:2] if table.name != "providers" else row[1:6]
            assert all(not (isinstance(n, int) and 0 < n < 5) for n in counted), (table.name, row)


def test_pseudonyms_of_marks_and_providers_are_stable_and_differ_by_key() -> None:
    other = Pseudonyms(b"o" * 32)
    assert PLAIN.of_mark("host:a") == PLAIN.of_mark("host:a") != other.of_mark("host:a")
    assert PLAIN.of_mark("host:a").startswith("host-")
    assert PLAIN.of_mark("host:a")[5:] != PLAIN.of_provider("host:a")[9:]


# ── records ─────────────────────────────────────────────────────────────────────────────────────


def test_records_of_stores_and_advert_libraries_are_read() -> None:
    value = {
        "title": "Lake Diary", "description": "A page a day", "appId": "org.example.lake",
        "contentRating": "Everyone", "developer": "@Lake Studio", "released": "2025-03-02",
        "price": "1.99", "currency": "EUR", "inAppProductPrice": "$0.99 - $9.99 per item",
        "developerWebsite": "https://lake.example/x",
    }  # fmt: skip
    told = text_record(value, shape_of(value))
    assert told is not None
    assert told.text == "Lake Diary\nA page a day"
    assert (told.said.context, told.said.attributes["age_rating"]) == ("app_listing", "Everyone")
    assert told.account == "lake studio"
    assert told.moment is not None
    assert f"{told.moment:%Y-%m}" == "2025-03"
    assert told.link == "https://lake.example/x"
    assert [price.amount for price in told.prices] == [
        Decimal("1.99"), Decimal("0.99"), Decimal("9.99"),
    ]  # fmt: skip
    advertised = {"ad_creative_bodies": ["One", "Two"], "ad_delivery_start_time": "2025-03"}
    told = text_record(advertised, shape_of(advertised))
    assert told is not None
    assert (told.text, told.said.context) == ("One\nTwo", "ad")
    assert told.moment is not None


def test_dates_are_those_of_publication_and_not_of_change() -> None:
    def month(**fields: Any) -> str:
        value = {"title": "Lake", "description": "words", "appId": "org.example.lake"} | fields
        told = text_record(value, shape_of(value))
        assert told is not None
        return f"{told.moment:%Y-%m}" if told.moment else ""

    assert month(released="Jan 5, 2024", updated=1748000000) == "2024-01"
    assert month(released="5 janv. 2024", updated=1748000000) == ""
    assert month(released=None, updated=1748000000) == "2025-05"
    assert month(releaseDate="2009-03-01T07:00:00Z") == "2009-03"
    assert month(appId=None, date="2009-03-01", context="ad") == ""


@pytest.mark.parametrize(
    ("fields", "prices"),
    [
        ({"price": "4,99", "currency": "EUR"}, [("4.99", "EUR")]),
        ({"price": "1,299.00", "currency": "USD"}, [("1299.00", "USD")]),
        ({"price": "49", "currency": "SEK"}, [("49", "SEK")]),
        ({"price": "30", "currency": "CNY"}, [("30", "CNY")]),
        ({"in_app_prices": [1.99, 9.99], "currency": "USD"}, [("1.99", "USD"), ("9.99", "USD")]),
        ({"in_app_prices": [1.99, 9.99]}, []),
        ({"prices": [{"price": "$1.99"}, {"price": 3, "currency": "GBP"}]},
         [("1.99", "USD"), ("3", "GBP")]),
        ({"formattedPrice": "4,99 €"}, [("4.99", "EUR")]),
    ],
)  # fmt: skip
def test_prices_in_fields(fields: dict[str, Any], prices: list[tuple[str, str]]) -> None:
    value = {"text": "a lake", **fields}
    told = text_record(value, shape_of(value))
    assert told is not None
    assert [(str(price.amount), price.currency) for price in told.prices] == prices


@pytest.mark.parametrize(
    "value",
    [
        {"description": "words", "name": "x"},
        {"age_rating": "4+"},
        {"foo": 1},
        [1],
        "text",
        None,
        {"text": 5, "title": ["x"]},
    ],
)
def test_other_records_are_no_texts(value: Any) -> None:
    assert text_record(value, shape_of(value)) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"price": "NaN", "currency": "USD"},
        {"price": 1e308, "currency": "USD"},
        {"price": "1e99", "currency": "\ud800"},
        {"date": "yesterday", "author": {"name": ["x"]}, "title": {"a": 1}},
        {"author": "[deleted]", "age_rating": [], "link": {"x": 1}, "context": 7},
        {"date": 1e300, "account": "\u202e" * 9_000, "prices": [None, [], {}]},
    ],
)
def test_fields_that_hold_nonsense_say_nothing(fields: dict[str, Any]) -> None:
    told = text_record({"text": "a lake", **fields}, shape_of({"text": "a lake"}))
    assert told is not None
    assert (told.account, told.moment, told.prices) == ("", None, ())


def test_prices_of_nothing_are_none(tmp_path: Path) -> None:
    records = [advert(number, price=0, currency="USD") for number in range(6)]
    texts = audited(tmp_path, records).tally.texts
    assert texts.offers == 6
    assert not texts.prices
    records = [advert(number, price=2.5, currency="usd") for number in range(6)]
    assert set(audited(tmp_path, records).tally.texts.prices) == {("", "USD", Decimal("2.5"))}


def test_csv_with_a_column_of_texts_is_read(tmp_path: Path) -> None:
    path = tmp_path / "board.csv"
    path.write_text(
        "id,text,context,date\n"
        + "".join(f'{n},"{PITCH}, $5 at x.example",ad,2025-05-0{n}\n' for n in range(1, 7))
    )
    texts = audit([path], jobs=1).tally.texts
    assert (texts.total, texts.offers, texts.offers_of) == (6, 6, {"2025-05": 6})
    assert texts.prices == {("2025-05", "USD", Decimal(5)): 6}
    assert Price(Decimal(5), "USD")


# ── the page ────────────────────────────────────────────────────────────────────────────────────


def test_the_page_tells_of_texts_alone_where_there_are_only_texts(
    board: Audit, tmp_path: Path
) -> None:
    texts = written(board, tmp_path)
    page = (tmp_path / "audit.html").read_text()
    assert f"{texts['offers']} of {texts['total']} texts offer" in page
    assert "No listing" not in page
    assert "Models by month" not in page
    assert "Offers by month" in page


def test_the_page_of_listings_says_nothing_of_texts(tmp_path: Path) -> None:
    found = audited(tmp_path, civitai_models(20))
    assert len(tables_of(found.tally, PLAIN, reveal=False)) == 15
    write_audit(found, tmp_path / "out", PLAIN)
    assert "Offers in texts" not in (tmp_path / "out" / "audit.html").read_text()


def test_what_others_wrote_can_neither_run_nor_compute(tmp_path: Path) -> None:
    bad = "=1+1<script>alert(1)</script>"
    records = [advert(number, "x.example", account=bad, context=bad) for number in range(9)]
    found = audited(tmp_path, records)
    written(found, tmp_path / "out", reveal=Reveal(bad, "x", "y"))
    assert "<script>alert" not in (tmp_path / "out" / "audit.html").read_text()
    for path in (tmp_path / "out").glob("*.csv"):
        for row in rows(tmp_path / "out", path.stem):
            assert not any(cell and cell.startswith("=") for cell in row.values())
