"""Codes are those of RFC 6238, near the present, and shown as apps read them."""

from __future__ import annotations

import pytest

from egide.identity.totp import base32, code_at, matching_step, new_secret, uri

RFC_SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_at(RFC_SECRET, seconds // 30) == code[-6:]


def test_a_clock_may_be_half_a_minute_off() -> None:
    now = 1_800_000_015
    step = now // 30
    fitting = [
        d for d in range(-4, 5) if matching_step(RFC_SECRET, code_at(RFC_SECRET, step + d), now)
    ]
    assert fitting == [-1, 0, 1]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\x00" * 6, "é"])
def test_what_is_no_code_fits_never(code: str) -> None:
    assert matching_step(RFC_SECRET, code, 1_800_000_000) is None


def test_spaces_do_not_matter() -> None:
    code = code_at(RFC_SECRET, 60_000_000)
    assert matching_step(RFC_SECRET, f" {code[:3]} {code[3:]}\n", 1_800_000_000) == 60_000_000


def test_secrets_are_of_160_bits_and_shown_in_base_32() -> None:
    assert len(new_secret()) == 20
    assert new_secret() != new_secret()
    assert base32(RFC_SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert uri(RFC_SECRET, "ada@egide.example").startswith("otpauth://totp/egide%3Aada%40egide")
