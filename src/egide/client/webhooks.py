"""Messages that the service sends: verified before they are believed.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from egide.client.errors import WebhookRefused

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  a prefix
TOLERANCE: Final = 300.0
"""Seconds by which a message may be old, or our clock behind."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was verified; with the same `id` it is the same message, sent again."""

    id: str
    type: str
    timestamp: str
    data: dict[str, Any]


class Webhooks:
    """Verifies messages by `secrets`, as `egide outbox add` and `rotate` print them.

    Several during a rotation: a message that any of them signed is good.
    """

    def __init__(self, secrets: Iterable[str] = (), clock: Callable[[], float] = time.time) -> None:
        self._keys = [_key(secret) for secret in secrets]
        self._clock = clock

    def verify(self, headers: Mapping[str, str], body: bytes) -> Message:
        """The message in the `body` of a request, as it came; WebhookRefused.

        `headers` may be of any framework: names are compared without regard to case.
        """
        if not self._keys:
            raise WebhookRefused("no secret is set; give Client(…, webhook_secrets=[…])")
        given = {name.lower(): value for name, value in headers.items()}
        try:
            id_, sent, signatures = (
                given[f"webhook-{name}"] for name in ("id", "timestamp", "signature")
            )
        except KeyError as error:
            raise WebhookRefused(f"the header {error.args[0]} is missing") from None
        self._check_time(sent)
        self._check_signature(b"%s.%s.%s" % (id_.encode(), sent.encode(), body), signatures)
        return _message(id_, body)

    def _check_time(self, sent: str) -> None:
        if not (sent.isascii() and sent.isdigit() and len(sent) < 15):
            raise WebhookRefused("webhook-timestamp is no number of seconds")
        if abs(self._clock() - int(sent)) > TOLERANCE:
            raise WebhookRefused(
                f"it was sent over {TOLERANCE:.0f} s ago, or a clock is wrong; answer with an "
                "error, it is sent again"
            )

    def _check_signature(self, signed: bytes, signatures: str) -> None:
        good = [base64.b64encode(hmac.digest(key, signed, "sha256")) for key in self._keys]
        for each in signatures[:4096].split():
            version, _, signature = each.partition(",")
            given = signature.encode("ascii", "replace")
            if version == "v1" and any(hmac.compare_digest(given, one) for one in good):
                return
        raise WebhookRefused("no signature is of our secret; see `egide outbox rotate`")

    def __repr__(self) -> str:
        return f"<Webhooks with {len(self._keys)} secrets>"


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) < 24:
        raise ValueError(
            f"a webhook's secret is {SECRET_PREFIX} and 24 bytes or more in Base64, as "
            "`egide outbox add` prints it"
        )
    return key


def _message(id_: str, body: bytes) -> Message:
    try:
        document = json.loads(body)
        return Message(id_, str(document["type"]), str(document["timestamp"]), document["data"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise WebhookRefused("its body is no message of égide") from None
