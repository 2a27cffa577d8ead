"""The time that is left, in words."""

from __future__ import annotations

import pytest

from egide.language import catalogue
from egide.web.console_time import HOUR_MS, SOON_MS, URGENT_MS, Pressure, amount, left, pressure

NOW = 1_800_000_000_000


def plain(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (0, "0 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (HOUR_MS - 1, "59 min"),
        (HOUR_MS, "1 h 00 min"),
        (5 * HOUR_MS + 7 * 60_000, "5 h 07 min"),
        (24 * HOUR_MS - 1, "23 h 59 min"),
        (24 * HOUR_MS, "1 d 0 h"),
        (49 * HOUR_MS, "2 d 1 h"),
    ],
)
def test_an_amount_is_said_in_its_two_largest_units(milliseconds: int, said: str) -> None:
    assert amount(milliseconds, plain) == said.replace(" min", "\xa0min").replace(
        " h", "\xa0h"
    ).replace(" d", "\xa0d").replace(" s", "\xa0s")


def test_what_is_over_is_said_to_be_over() -> None:
    assert left(NOW + HOUR_MS, NOW, plain).endswith(" left")
    assert left(NOW - HOUR_MS, NOW, plain).endswith(" over")


def test_french_says_it_in_french() -> None:
    say = catalogue("fr", "console").gettext

    assert left(NOW + 26 * HOUR_MS, NOW, say) == "encore 1\xa0j 2\xa0h"
    assert left(NOW - 26 * HOUR_MS, NOW, say) == "1\xa0j 2\xa0h de retard"


@pytest.mark.parametrize(
    ("left_ms", "how"),
    [
        (-1, Pressure.OVER),
        (0, Pressure.URGENT),
        (URGENT_MS - 1, Pressure.URGENT),
        (URGENT_MS, Pressure.SOON),
        (SOON_MS - 1, Pressure.SOON),
        (SOON_MS, Pressure.CALM),
    ],
)
def test_pressure_grows_as_the_clock_runs(left_ms: int, how: Pressure) -> None:
    assert pressure(NOW + left_ms, NOW) is how


def test_a_clock_that_stands_presses_nobody() -> None:
    assert pressure(NOW - 1, NOW, paused=True) is Pressure.PAUSED
    assert pressure(None, NOW) is Pressure.NONE
