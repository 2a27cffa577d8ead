"""Passkeys (W3C Web Authentication, level 2): registered, signed in with, removed.

A passkey shows possession and, by a PIN or a finger, the person: it stands for both factors.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from egide.errors import NotAuthenticated, UsageError
from egide.identity.attempts import CHALLENGES
from egide.identity.audit import DENIED, NOBODY
from egide.identity.sessions import Method, Session
from egide.identity.signin import SignIn
from egide.identity.tickets import TicketKind, Tickets

if TYPE_CHECKING:
    from egide.db import Database
    from egide.identity.audit import AuditLog

CHALLENGE_BYTES: Final = 32
MOST_PASSKEYS: Final = 20
MAX_RESPONSE: Final = 20_000
MAX_NAME: Final = 60
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,1400}", re.ASCII)
"""Base64url of up to 1,023 bytes."""
_UNREADABLE: Final = (ValueError, KeyError, TypeError, RecursionError)
"""What a stranger's JSON and CBOR end in, which may be nested however deep."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey of an account; times in seconds since 1970, UTC."""

    id: str
    name: str
    created: int
    used: int | None


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pages are: the origin that browsers show, as `https://egide.example`."""

    origin: str

    @property
    def rp_id(self) -> str:
        """The domain that passkeys are bound to."""
        return urlsplit(self.origin).hostname or ""


class Passkeys:
    """The passkeys of one database. Thread-safe."""

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        tickets: Tickets,
        signin: SignIn,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._audit = audit
        self._tickets = tickets
        self._signin = signin
        self._clock = clock

    def offer(self, session: Session, site: Site) -> tuple[str, str]:
        """A ticket, and what the browser's `navigator.credentials.create` takes, as JSON."""
        from webauthn import generate_registration_options, options_to_json  # noqa: PLC0415  slow
        from webauthn.helpers.structs import (  # noqa: PLC0415
            AuthenticatorSelectionCriteria,
            PublicKeyCredentialDescriptor,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        account, challenge = session.principal.id, secrets.token_bytes(CHALLENGE_BYTES)
        options = generate_registration_options(
            rp_id=site.rp_id,
            rp_name="égide",
            user_id=bytes.fromhex(account),
            user_name=session.principal.name,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=_bytes(passkey.id)) for passkey in self.of(account)
            ],
        )
        body = {"account": account, "challenge": challenge.hex()}
        return self._tickets.issue(TicketKind.REGISTRATION, body), options_to_json(options)

    def add(
        self, session: Session, token: str, ticket: str, name: str, response: str, site: Site
    ) -> list[str]:
        """Keeps the passkey that the browser made; recovery codes, when there were none.

        UsageError, NotAuthenticated. The session of `token` counts as begun with it; others end.
        """
        from webauthn import verify_registration_response  # noqa: PLC0415  slow
        from webauthn.helpers import bytes_to_base64url  # noqa: PLC0415
        from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

        account = session.principal.id
        issued = self._tickets.use(TicketKind.REGISTRATION, ticket)
        if issued["account"] != account:
            raise NotAuthenticated("this offer was made to somebody else; begin again")
        if len(self.of(account)) >= MOST_PASSKEYS:
            raise UsageError(f"{MOST_PASSKEYS} passkeys are enough; remove one first")
        try:
            verified = verify_registration_response(
                credential=_response(response),
                expected_challenge=bytes.fromhex(issued["challenge"]),
                expected_rp_id=site.rp_id,
                expected_origin=site.origin,
                require_user_verification=True,
            )
        except (*_UNREADABLE, WebAuthnException) as error:
            raise UsageError("the passkey could not be verified; try again") from error
        now, id_ = int(self._clock()), bytes_to_base64url(verified.credential_id)
        with self._database.write(serial=False) as connection:
            made = connection.execute(
                "INSERT INTO passkey (id, account, name, public_key, counter, created) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
                (
                    id_,
                    account,
                    _shown(name),
                    verified.credential_public_key,
                    verified.sign_count,
                    now,
                ),
            ).fetchall()
            if not made:
                raise UsageError("this passkey is known already; use it to sign in")
            codes = self._signin.second_factor_added(connection, session, token, Method.PASSKEY)
            self._audit.write(connection, session.principal, "account.passkey")
        return codes

    def challenge(self, site: Site, address: str) -> tuple[str, str]:
        """A ticket, and what the browser's `navigator.credentials.get` takes, as JSON.

        TooManyAttempts.
        """
        from webauthn import generate_authentication_options, options_to_json  # noqa: PLC0415
        from webauthn.helpers.structs import UserVerificationRequirement  # noqa: PLC0415

        self._signin.attempts.count_address(address, CHALLENGES)
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        options = generate_authentication_options(
            rp_id=site.rp_id,
            challenge=challenge,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        ticket = self._tickets.issue(TicketKind.PASSKEY, {"challenge": challenge.hex()})
        return ticket, options_to_json(options)

    def sign_in(self, ticket: str, response: str, site: Site, address: str) -> str:
        """The token of a new session; NotAuthenticated, TooManyAttempts."""
        self._signin.attempts.count_address(address)
        issued = self._tickets.use(TicketKind.PASSKEY, ticket)
        try:
            account = self._verified(response, bytes.fromhex(issued["challenge"]), site)
        except NotAuthenticated:
            self._audit.note(NOBODY, "signin", outcome=DENIED, reason="passkey", address=address)
            raise
        return self._signin.begin(account, Method.PASSKEY, address)

    def of(self, account: str) -> list[Passkey]:
        """The account's passkeys, the oldest first."""
        rows = self._database.fetch(
            "SELECT id, name, created, used FROM passkey WHERE account = ? ORDER BY created, id",
            (account,),
        )
        return [Passkey(row["id"], row["name"], row["created"], row["used"]) for row in rows]

    def remove(self, session: Session, id_: str) -> None:
        """Forgets a passkey of the session's account; UsageError when a password alone is left."""
        account = session.principal.id
        if not _ID.fullmatch(id_):
            raise UsageError("there is no such passkey; the page of your account shows them")
        with self._database.write() as connection:
            connection.execute("DELETE FROM passkey WHERE id = ? AND account = ?", (id_, account))
            enough = connection.execute(
                "SELECT 1 FROM account WHERE id = ? AND (totp IS NOT NULL OR subject IS NOT NULL "
                "OR EXISTS (SELECT 1 FROM passkey WHERE passkey.account = account.id))",
                (account,),
            ).fetchall()
            if not enough:
                raise UsageError("a password alone is not enough here; set up codes first")
            self._audit.write(connection, session.principal, "account.passkey.remove")

    def _verified(self, response: str, challenge: bytes, site: Site) -> str:
        """The account whose passkey signed `challenge`; NotAuthenticated."""
        from webauthn import verify_authentication_response  # noqa: PLC0415  slow
        from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

        unknown = NotAuthenticated("this passkey opens nothing here; sign in in another way")
        try:
            credential = _response(response)
            id_ = credential["id"]
        except _UNREADABLE:
            raise unknown from None
        if not isinstance(id_, str) or not _ID.fullmatch(id_):
            raise unknown
        rows = self._database.fetch(
            "SELECT passkey.* FROM passkey JOIN account ON account.id = passkey.account "
            "WHERE passkey.id = ? AND account.disabled IS NULL",
            (id_,),
        )
        if not rows:
            raise unknown
        row = rows[0]
        try:
            verified = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=site.rp_id,
                expected_origin=site.origin,
                credential_public_key=bytes(row["public_key"]),
                credential_current_sign_count=row["counter"],
                require_user_verification=True,
            )
        except (*_UNREADABLE, WebAuthnException) as error:
            raise unknown from error
        with self._database.write(serial=False) as connection:
            connection.execute(
                "UPDATE passkey SET counter = ?, used = ? WHERE id = ?",
                (verified.new_sign_count, int(self._clock()), row["id"]),
            )
        account: str = row["account"]
        return account


def _shown(name: str) -> str:
    """`name` on one line, without what cannot be shown."""
    kept = "".join(c if c.isprintable() else " " for c in name)
    return " ".join(kept.split())[:MAX_NAME] or "passkey"


def _response(text: str) -> dict[str, Any]:
    if len(text) > MAX_RESPONSE:
        raise ValueError("the browser's answer is too long")
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("the browser's answer is no JSON object")  # noqa: TRY004
    return document


def _bytes(id_: str) -> bytes:
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415  slow

    return base64url_to_bytes(id_)
