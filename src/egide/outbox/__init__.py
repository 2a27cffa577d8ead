"""The outbox: what others are to be told is told, once it has happened, however long it takes."""

from egide.outbox.allowed import webhook_guard
from egide.outbox.deliveries import Delivery, State
from egide.outbox.outbox import Outbox, Vault, Webhook
from egide.outbox.worker import Worker

__all__ = [
    "Delivery",
    "Outbox",
    "State",
    "Vault",
    "Webhook",
    "Worker",
    "webhook_guard",
]
