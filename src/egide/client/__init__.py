"""Asks a running `egide serve` from Python: `Client`, and `AsyncClient` for event loops.

    with Client("https://egide.example", key) as client:
        if client.scan_file("upload.jpg", content_id="p-4711").action != "allow":
            ...

Attempts that failed are repeated where that is safe, with back-off and the same Idempotency-Key.
"""

from egide.client.bodies import Source
from egide.client.calls import Retries
from egide.client.clients import AsyncClient, Client
from egide.client.errors import (
    BadAnswer,
    Conflict,
    Invalid,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Refused,
    ServiceError,
    TimedOut,
    TooLarge,
    TooManyRequests,
    Unavailable,
    Unreachable,
    WebhookRefused,
    Wrong,
)
from egide.client.hashing import picture_hashes
from egide.client.operations import ModelListing, Text
from egide.client.results import Scanned
from egide.client.webhooks import Message, Webhooks

__all__ = [
    "AsyncClient",
    "BadAnswer",
    "Client",
    "Conflict",
    "Invalid",
    "Message",
    "ModelListing",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "Refused",
    "Retries",
    "Scanned",
    "ServiceError",
    "Source",
    "Text",
    "TimedOut",
    "TooLarge",
    "TooManyRequests",
    "Unavailable",
    "Unreachable",
    "WebhookRefused",
    "Webhooks",
    "Wrong",
    "picture_hashes",
]
