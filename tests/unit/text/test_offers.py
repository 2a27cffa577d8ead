from __future__ import annotations

from decimal import Decimal

from egide.text.offers import Price, offers_in

ADVERT = (
    "Try it free on https://studio.example/start?ref=jay22 or t.me/example_bot?start=aff9, "
    "from $4.99 or 20 credits, PayPal and USDT. Code WINTER24. Ask @example_channel."
)


def test_what_binds_offers_together_is_found() -> None:
    offers = offers_in(ADVERT)
    assert offers.hosts == ("studio.example", "t.me")
    assert offers.bots == ("example_bot", "example_channel")
    assert offers.referrals == ("jay22", "aff9", "winter24")
    assert {"paypal", "usdt", "credits"} <= set(offers.payments)
    assert Price(Decimal("4.99"), "USD") in offers.prices
    assert Price(Decimal(20), "credits") in offers.prices
    assert "free" in offers.claims


def test_keys_tell_the_same_name_without_telling_the_name() -> None:
    one, other = offers_in(ADVERT).keyed(b"key"), offers_in(ADVERT.upper()).keyed(b"key")
    assert one == other
    assert offers_in(ADVERT).keyed(b"another") != one
    assert not any("example" in tie for tie in one)


def test_ordinary_text_binds_nothing() -> None:
    assert offers_in("We met at 5 and left at 9.30, what a day.").ties == ()


def test_a_long_text_of_dots_is_read_in_time() -> None:
    assert offers_in("a." * 200_000 + "$" * 100_000).prices == ()
