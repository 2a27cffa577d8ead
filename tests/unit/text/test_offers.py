from __future__ import annotations

from decimal import Decimal

import pytest

from egide.text.addresses import PLATFORMS, addresses_in, is_of_one
from egide.text.fold import Folded
from egide.text.offers import MOST_JOINED, Price, currency_of, offers_in, offers_of, prices_in
from egide.text.screen import screen
from tests.growth import within

ADVERT = (
    "Try it free on https://studio.example/start?ref=jay22 or t.me/example_bot?start=aff9, "
    "from $4.99 or 20 credits, PayPal and USDT. Code WINTER24. Ask @example_channel."
)


def test_what_binds_offers_together_is_found() -> None:
    offers = offers_in(ADVERT)
    assert offers.addresses.hosts == ("studio.example",)
    assert offers.addresses.channels == ("example_bot", "example_channel")
    assert offers.addresses.codes == ("jay22", "aff9", "winter24")
    assert {"paypal", "usdt", "credits"} <= set(offers.payments)
    assert Price(Decimal("4.99"), "USD") in offers.prices
    assert Price(Decimal(20), "credits") in offers.prices
    assert "free" in offers.claims


def test_what_was_screened_says_the_same() -> None:
    assert offers_of(screen(ADVERT)) == offers_in(ADVERT)


def test_ties_are_what_belongs_to_one_provider() -> None:
    assert offers_in(ADVERT).ties == (
        "host:studio.example",
        "channel:example_bot",
        "channel:example_channel",
        "code:jay22",
        "code:aff9",
    )


def test_case_and_disguise_of_an_address_do_not_hide_it() -> None:
    plain = "ask at studio.example or t.me/example_bot"
    for text in (plain.upper(), plain.replace(".", "[.]"), plain.replace(".", " (dot) ")):
        assert offers_in(text).ties == offers_in(plain).ties != ()


def test_a_list_of_other_peoples_offers_binds_nothing() -> None:
    hosts = [f"studio{number}.example" for number in range(MOST_JOINED + 1)]
    assert len(offers_in(" ".join(hosts[:-1])).ties) == MOST_JOINED
    assert offers_in(" ".join(hosts)).ties == ()


@pytest.mark.parametrize(
    ("text", "hosts", "channels"),
    [
        ("link.in bio, so free.Try it, e.g. 9.30 or photo.jpg", (), ()),
        ("hxxps://www.studio.example:8080/x", ("studio.example",), ()),
        ("app.studio.example and go.studio.example/x", ("studio.example",), ()),
        ("studio.page/x", ("studio.page",), ()),
        ("t.me/joinchat/AbC123 and t.me/s/example_channel", (), ("abc123", "example_channel")),
        ("discord.gg/ex4mple discord.com/invite/exAmple2", (), ("ex4mple", "example2")),
        ("instagram.com/one.example/ www.tiktok.com/@example_x", (), ("one.example", "example_x")),
        ("play.google.com/store/apps/details?id=org.example.app", (), ("org.example.app",)),
        ("https://apps.apple.com/xx/app/example/id123456789", (), ("123456789",)),
        ("paypal.com, t.me and www.instagram.com", (), ()),
        ("@everyone @example_shop.", (), ("example_shop",)),
        ("taplink.cc/example_x lnk.bio/example_y", (), ("example_x", "example_y")),
        ("telegram.dog/example_x www.onlyfans.com/example_y", (), ("example_x", "example_y")),
        ("Telegram: example_pics_bot.", (), ("example_pics_bot",)),
        ("write to examplepicsbot on TG", (), ("examplepicsbot",)),
        ("example_pics_bot is a robot", (), ()),
        ("our Telegram chatbot, a telegram_bot, a nudebot, a discord-bot, a robot", (), ()),
        ("tg://resolve?domain=example_pics_bot&start=x", (), ("example_pics_bot",)),
        ("chrome.google.com/webstore/detail/example-x/abc", (), ("example-x",)),
        ("addons.mozilla.org/en-US/firefox/addon/example-x/", (), ("example-x",)),
        ("sites.google.com/view/example-x civitai.com/models/12345", (), ("example-x", "12345")),
        ("facebook.com/profile.php?id=12345 discord.com/oauth2/authorize?client_id=1", (), ()),
        ("tg://resolve?start=x&domain=Example_bot", (), ("example_bot",)),
    ],
)  # fmt: skip
def test_addresses(text: str, hosts: tuple[str, ...], channels: tuple[str, ...]) -> None:
    found = addresses_in(Folded(text).key)
    assert (found.hosts, found.channels) == (hosts, channels)


@pytest.mark.parametrize(
    "text",
    ["coupon PINE22", "promocode: PINE22", "promo code PINE22", "Rabattcode PINE22",
     "coupon code 'PINE22'", "Gutschein: PINE22", "tg://resolve?domain=example_bot&start=pine22"],
)  # fmt: skip
def test_codes(text: str) -> None:
    assert addresses_in(Folded(text).key).codes == ("pine22",)


def test_platforms_alone_bind_nothing() -> None:
    assert offers_in(" ".join(f"https://{host}/" for host in sorted(PLATFORMS))).ties == ()


def test_contacts_are_mail_addresses_and_wallets() -> None:
    wallets = ("0x" + "a1" * 20, "bc1q" + "x7" * 18, "1" + "b2" * 15)
    found = addresses_in(f"write to studio.shop@example.org or pay {', '.join(wallets)}")
    assert found.contacts == ("studio.shop@example.org", *wallets)
    assert found.hosts == ()


@pytest.mark.parametrize("code", ["jay22", "aff9", "x-12ab", "20240117"])
def test_codes_of_one_advertiser(code: str) -> None:
    assert is_of_one(code)


@pytest.mark.parametrize(
    "code",
    ["free", "welcome10", "2024", "tiktok", "a1", "black50", "summer",
     "cyber50", "halloween25", "blackfriday50", "new-year-25", "summersale20", "photo10"],
)  # fmt: skip
def test_codes_that_anybody_gives_out(code: str) -> None:
    assert not is_of_one(code)


@pytest.mark.parametrize(
    ("text", "prices"),
    [
        ("$4.99", [("4.99", "USD")]),
        ("US$ 1,299.00", [("1299.00", "USD")]),
        ("1.299,00 €", [("1299.00", "EUR")]),
        ("5 000 €", [("5000", "EUR")]),
        ("R$20", [("20", "BRL")]),
        ("12,50 euros", [("12.50", "EUR")]),
        ("usd 5", [("5", "USD")]),
        ("0.005 eth", [("0.005", "ETH")]),
        ("1.500 tokens", [("1500", "tokens")]),
        ("50 $9.99", [("9.99", "USD")]),
        ("100 stars", [("100", "stars")]),
        ("rated 4.8 stars, 5 stars from all", []),
        ("2 tons of pictures", []),
        ("2 TON", [("2", "TON")]),
        ("₹1,23,456, or Rs. 12,34,567.50", [("123456", "INR"), ("1234567.50", "INR")]),
        ("₹1,299", [("1299", "INR")]),
        ("$5,10,250", [("5.10", "USD")]),
        (
            "AU$5 NZ$5 HK$40 S$6 A$7",
            [
                ("5", "AUD"),
                ("5", "NZD"),
                ("40", "HKD"),
                ("6", "SGD"),
                ("7", "AUD"),
            ],
        ),
        ("$5 CAD, 6$ AUD, $ 7 usd", [("5", "CAD"), ("7", "USD"), ("6", "AUD")]),
        ("only$5", [("5", "USD")]),
        ("¥30 (RMB), CN¥40, ¥50", [("30", "CNY"), ("40", "CNY"), ("50", "JPY")]),
        (
            "$10k a month, 1.5k credits, 2M tokens",
            [
                ("10000", "USD"),
                ("1500", "credits"),
                ("2000000", "tokens"),
            ],
        ),
        ("$5kg, 4k videos", [("5", "USD")]),
        ("$.99", [("0.99", "USD")]),
        (
            "1500 yen, 1600円, 30元, 40 RMB",
            [
                ("1500", "JPY"),
                ("1600", "JPY"),
                ("30", "CNY"),
                ("40", "CNY"),
            ],
        ),
        ("Rs 499, rs.500, 501 rs", [("499", "INR"), ("500", "INR"), ("501", "INR")]),
        ("50 kr, 90 Kč, SEK 60", [("60", "SEK"), ("50", "kr"), ("90", "CZK")]),
        ("php 8, in 5 sek, cad 2024, users 50", []),
        ("we met at 5 and left at 9.30, 20 people, 3 cats", []),
    ],
)
def test_prices(text: str, prices: list[tuple[str, str]]) -> None:
    wanted = [Price(Decimal(amount), currency) for amount, currency in prices]
    assert list(prices_in(Folded(text).key)) == wanted


def test_currencies_by_sign_code_and_word() -> None:
    assert [currency_of(word) for word in ("€", "usd", "dollars", "credits", "apples")] == [
        "EUR", "USD", "USD", "credits", None,
    ]  # fmt: skip


def test_ordinary_text_binds_nothing() -> None:
    assert offers_in("We met at 5 and left at 9.30, what a day.").ties == ()


@pytest.mark.parametrize(
    "part",
    ["a.", "$", "1,", "1 000", "[.", "@a.", "a@", "http://", "1", "0x", "t.me/", "&r=", "₹1,23,",
     "1k ", "rs.", "telegram a_bot ", "a_", "tg://a?domain=", "code ", "¥1 ("],
)  # fmt: skip
def test_a_long_text_is_read_in_time(part: str) -> None:
    within(5, lambda: offers_in(part * (400_000 // len(part))))
