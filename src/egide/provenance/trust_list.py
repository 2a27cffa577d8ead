"""Whom to trust with Content Credentials: the lists that ship, or one of the user's."""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from egide.errors import UsageError

VARIABLE: Final = "EGIDE_C2PA_TRUST"
"""Names a file of PEM certificates that replaces the lists that ship."""

USAGES: Final = ("1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.36", "1.3.6.1.4.1.62558.2.1")
"""The extended key usages a signing certificate may have: e-mail protection, document signing
(RFC 9336) and C2PA claim signing (C2PA certificate policy)."""

MAX_BYTES: Final = 16 << 20
"""A larger list is not read."""

_SHIPPED: Final = ("C2PA-TRUST-LIST.pem", "C2PA-TSA-TRUST-LIST.pem")
_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----"


def anchors(path: Path | None = None) -> str:
    """The trust anchors as PEM text: of `path`, else of `EGIDE_C2PA_TRUST`, else those that ship.

    Signers and time stamps are checked against the same anchors, as the C2PA library does; the
    official list of time-stamping authorities holds nobody who may sign anything else (its issuing
    certificates are bound to time stamping). UsageError when the file cannot be read or holds no
    certificate.
    """
    named = os.environ.get(VARIABLE, "").strip()
    if path is None and not named:
        return _shipped()
    chosen = path or Path(named)
    try:
        with chosen.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"trust list {chosen}: {error.strerror}; name a file of PEM") from error
    if len(data) > MAX_BYTES:
        raise UsageError(
            f"trust list {chosen}: more than {MAX_BYTES >> 20} MiB; is it the right one?"
        )
    text = data.decode("utf-8", "replace")
    if _CERTIFICATE not in text:
        raise UsageError(f"trust list {chosen}: no PEM certificate in it; name a file of PEM")
    return text


@cache
def _shipped() -> str:
    folder = files("egide.provenance") / "data"
    return "\n".join((folder / name).read_text("utf-8") for name in _SHIPPED)
