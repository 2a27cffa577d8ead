"""Messages are signed as the convention says, and as its own library verifies."""

from __future__ import annotations

import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from egide.errors import UsageError
from egide.outbox.signing import headers_of, key_of, new_secret

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_vector_of_the_specification() -> None:
    headers = headers_of(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        [key_of(SECRET)],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_each_secret_of_a_rotation_verifies() -> None:
    secrets = [new_secret() for _ in range(3)]
    body = '{"größe": "ü"}'.encode()
    headers = headers_of("msg_1", int(time.time()), body, map(key_of, secrets))
    for secret in secrets:
        assert Webhook(secret).verify(body, headers) == {"größe": "ü"}
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[0]).verify(body + b" ", headers)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_ä"]
)
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(UsageError, match="24 to 64 bytes"):
        key_of(secret)
