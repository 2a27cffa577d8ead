"""Where webhooks may lead: what the administrator allowed beside public addresses under https."""

from __future__ import annotations

import os
from typing import Final

from egide.errors import AddressRefused, UsageError
from egide.outgoing import Address, AddressGuard

VARIABLE: Final = "EGIDE_WEBHOOK_ALLOW"


def webhook_guard() -> AddressGuard:
    """With the places in EGIDE_WEBHOOK_ALLOW, addresses separated by spaces; UsageError."""
    try:
        places = [Address.parse(word) for word in os.environ.get(VARIABLE, "").split()]
    except AddressRefused as error:
        raise UsageError(f"{VARIABLE}: {error.detail}") from None
    return AddressGuard(
        places, remedy=f"give https:// and a public name, or allow it in {VARIABLE}"
    )
