"""Messages are believed when they are signed with our secret, and new."""

from __future__ import annotations

import json

import pytest
import standardwebhooks
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.client import Client, WebhookRefused, Webhooks
from egide.outbox.signing import headers_of, key_of, new_secret

NOW = 1_800_000_000
SECRET, OTHER = new_secret(), new_secret()
BODY = json.dumps(
    {"type": "verdict.block", "timestamp": "2027-01-15T08:00:00Z", "data": {"id": "aa"}}
).encode()
HEADERS = headers_of("msg_1", NOW, BODY, [key_of(SECRET)])


def webhooks(*secrets: str, now: float = NOW) -> Webhooks:
    return Webhooks(secrets or (SECRET,), clock=lambda: now)


def test_what_the_outbox_signs_is_believed() -> None:
    message = webhooks().verify(HEADERS, BODY)

    assert (message.id, message.type, message.data) == ("msg_1", "verdict.block", {"id": "aa"})


def test_what_the_conventions_own_library_signs_is_believed() -> None:
    from datetime import UTC, datetime

    signature = standardwebhooks.Webhook(SECRET).sign(
        "msg_1", datetime.fromtimestamp(NOW, UTC), BODY.decode()
    )

    assert webhooks().verify({**HEADERS, "webhook-signature": signature}, BODY).id == "msg_1"


def test_names_of_headers_may_be_in_any_case() -> None:
    assert webhooks().verify({name.title(): v for name, v in HEADERS.items()}, BODY)


def test_any_of_the_secrets_during_a_rotation_will_do() -> None:
    both = headers_of("msg_1", NOW, BODY, [key_of(OTHER), key_of(SECRET)])

    assert webhooks().verify(both, BODY)
    assert webhooks(OTHER, SECRET).verify(HEADERS, BODY)


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_a_missing_header_is_refused(name: str) -> None:
    with pytest.raises(WebhookRefused, match=name):
        webhooks().verify({k: v for k, v in HEADERS.items() if k != name}, BODY)


@pytest.mark.parametrize("now", [NOW - 301, NOW + 301])
def test_an_old_message_is_refused(now: float) -> None:
    with pytest.raises(WebhookRefused, match="sent over 300 s"):
        webhooks(now=now).verify(HEADERS, BODY)


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9", "9" * 40, "１８"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WebhookRefused):
        webhooks().verify({**HEADERS, "webhook-timestamp": text}, BODY)


def test_another_secret_is_refused() -> None:
    with pytest.raises(WebhookRefused, match="no signature"):
        webhooks(OTHER).verify(HEADERS, BODY)


@settings(max_examples=60)
@given(place=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_a_changed_body_is_refused(place: int, bit: int) -> None:
    changed = bytearray(BODY)
    changed[place] ^= 1 << bit
    with pytest.raises(WebhookRefused):
        webhooks().verify(HEADERS, bytes(changed))


@settings(max_examples=60)
@given(signature=st.text(max_size=80), id_=st.text(max_size=20), body=st.binary(max_size=60))
def test_nothing_but_a_refusal_comes_of_nonsense(signature: str, id_: str, body: bytes) -> None:
    headers = {"webhook-id": id_, "webhook-timestamp": str(NOW), "webhook-signature": signature}
    with pytest.raises(WebhookRefused):
        webhooks().verify(headers, body)


def test_a_signed_body_that_is_no_message_is_refused() -> None:
    body = b"[1]"
    with pytest.raises(WebhookRefused, match="no message"):
        webhooks().verify(headers_of("m", NOW, body, [key_of(SECRET)]), body)


def test_without_a_secret_nothing_is_believed() -> None:
    with Client("http://127.0.0.1:9", "key") as client, pytest.raises(WebhookRefused):
        client.webhooks.verify(HEADERS, BODY)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_AAAA", "secret", pytest.param(SECRET[:-1] + "!", id="another letter")],
)
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_") as raised:
        Webhooks([secret])

    assert len(secret) < 8 or secret not in str(raised.value)
    assert SECRET not in repr(webhooks())
