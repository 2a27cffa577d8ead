"""The outbox: what others are to be told is told, once it has happened, however long it takes."""

from egide.outbox.addresses import Address, AddressGuard
from egide.outbox.deliveries import Delivery, State
from egide.outbox.outbox import Outbox, Vault, Webhook
from egide.outbox.worker import Worker

__all__ = [
    "Address",
    "AddressGuard",
    "Delivery",
    "Outbox",
    "State",
    "Vault",
    "Webhook",
    "Worker",
]
