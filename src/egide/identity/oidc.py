"""Signing in by OpenID Connect: the authorisation code flow with PKCE (OpenID Connect Core 1.0).

The provider's metadata and keys are fetched from the issuer that the administrator named, and from
nowhere that it does not name itself; over https, except on the machine itself. Accounts are made by
invitation here, and linked: the provider says who somebody is, not what they may do.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from egide.errors import NotAuthenticated, UsageError
from egide.identity.tickets import TicketKind, Tickets

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

ALGORITHMS: Final = ["RS256", "PS256", "ES256", "ES384", "Ed25519", "EdDSA"]
"""Signatures only: with `none` or a shared secret anybody could write a token."""
LEEWAY: Final = 60
"""Seconds that the provider's clock may be off."""
TIMEOUT: Final = 10.0
MAX_ANSWER: Final = 1 << 20
MAX_SUBJECT: Final = 255
KEEP_METADATA: Final = 3600.0
KEYS_APART: Final = 60.0
"""Seconds between two fetches of the keys, however many tokens name keys that are not there."""
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the provider named: unique with its issuer, and no name."""

    issuer: str
    id: str


class Provider:
    """The provider at `issuer`, which knows us as `client_id`. Thread-safe."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = _https(issuer.rstrip("/"), "EGIDE_OIDC_ISSUER")
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._lock = threading.Lock()
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def begin(self, tickets: Tickets, redirect: str, purpose: dict[str, Any]) -> tuple[str, str]:
        """The address to send the browser to, and the state that it must bring back."""
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        state = tickets.issue(
            TicketKind.OIDC, {"verifier": verifier, "nonce": nonce, "purpose": purpose}
        )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        address = self._endpoint("authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}", state

    def finish(
        self, tickets: Tickets, redirect: str, state: str, code: str
    ) -> tuple[Subject, dict[str, Any]]:
        """Who came back with `code`, and the purpose they left with; NotAuthenticated."""
        issued = tickets.use(TicketKind.OIDC, state)
        answer = _fetched(
            self._endpoint("token_endpoint"),
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect,
                "client_id": self._client_id,
                "client_secret": self._client_secret,
                "code_verifier": issued["verifier"],
            },
        )
        return self._subject(str(answer.get("id_token", "")), issued["nonce"]), issued["purpose"]

    def _subject(self, token: str, nonce: str) -> Subject:
        """Whom the ID token names, once everything about it is right; NotAuthenticated."""
        from joserfc import jwt  # noqa: PLC0415  only those who have a provider pay for it
        from joserfc.errors import JoseError  # noqa: PLC0415

        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self._described()["issuer"]},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = self._decoded(token)
            registry.validate(claims)
        except (JoseError, ValueError) as error:
            raise NotAuthenticated("the provider's answer does not hold; sign in again") from error
        ours = hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode())
        if not ours or claims.get("azp", self._client_id) != self._client_id:
            raise NotAuthenticated("the provider's answer was meant for another; sign in again")
        subject = str(claims["sub"])
        if not subject.isprintable() or len(subject) > MAX_SUBJECT:
            raise NotAuthenticated("the provider calls you by something that is no name")
        return Subject(str(claims["iss"]), subject)

    def _decoded(self, token: str) -> dict[str, Any]:
        """The token's claims, signed by a key of the provider; JoseError, ValueError."""
        from joserfc import jwt  # noqa: PLC0415
        from joserfc.errors import JoseError  # noqa: PLC0415

        try:
            return jwt.decode(token, self._key_set(), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            # The provider may have changed its keys meanwhile.
            return jwt.decode(token, self._key_set(again=True), algorithms=ALGORITHMS).claims

    def _key_set(self, *, again: bool = False) -> KeySet:
        from joserfc.jwk import KeySet  # noqa: PLC0415

        now = self._clock()
        with self._lock:
            kept = self._keys
        if kept is not None and now - kept[0] < (KEYS_APART if again else KEEP_METADATA):
            return kept[1]
        keys = KeySet.import_key_set({"keys": _fetched(self._endpoint("jwks_uri")).get("keys", [])})
        with self._lock:
            self._keys = now, keys
        return keys

    def _described(self) -> dict[str, Any]:
        """The provider's metadata (OpenID Connect Discovery 1.0)."""
        now = self._clock()
        with self._lock:
            kept = self._metadata
        if kept is not None and now - kept[0] < KEEP_METADATA:
            return kept[1]
        metadata = _fetched(f"{self.issuer}/.well-known/openid-configuration")
        if str(metadata.get("issuer", "")).rstrip("/") != self.issuer:
            raise NotAuthenticated(
                f"{self.issuer} calls itself otherwise; set EGIDE_OIDC_ISSUER to its own name"
            )
        with self._lock:
            self._metadata = now, metadata
        return metadata

    def _endpoint(self, name: str) -> str:
        address = self._described().get(name)
        if not isinstance(address, str):
            raise NotAuthenticated(f"{self.issuer} names no {name}; it is no OpenID provider")
        return _https(address, name)


@cache
def provider() -> Provider | None:
    """The provider that EGIDE_OIDC_ISSUER names, if any; UsageError when the rest is missing."""
    issuer = os.environ.get("EGIDE_OIDC_ISSUER")
    if not issuer:
        return None
    client, path = os.environ.get("EGIDE_OIDC_CLIENT_ID"), os.environ.get("EGIDE_OIDC_SECRET_FILE")
    if not client or not path:
        raise UsageError(
            "EGIDE_OIDC_ISSUER is set; set EGIDE_OIDC_CLIENT_ID and EGIDE_OIDC_SECRET_FILE too"
        )
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"cannot read EGIDE_OIDC_SECRET_FILE {path}: {error.strerror}") from error
    return Provider(issuer, client, secret)


def _https(address: str, what: str) -> str:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return address
    raise UsageError(f"{what} must be an https address")


def _fetched(address: str, form: dict[str, str] | None = None) -> dict[str, Any]:
    """The JSON object that `address` answers, posted `form` to if given; NotAuthenticated."""
    import httpx2 as httpx  # noqa: PLC0415  only those who have a provider pay for it

    host = urlsplit(address).hostname
    answer = bytearray()
    try:
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
            client.stream("POST" if form else "GET", address, data=form) as response,
        ):
            for part in response.iter_bytes():
                answer += part
                if len(answer) > MAX_ANSWER:
                    raise NotAuthenticated(f"{host} answers more than an OpenID provider does")
            if response.status_code != httpx.codes.OK:
                raise NotAuthenticated(f"{host} refused, with status {response.status_code}")
        document = json.loads(answer)
    except (httpx.HTTPError, ValueError, RecursionError) as error:
        raise NotAuthenticated(f"{host} cannot be asked now; try again later") from error
    if not isinstance(document, dict):
        raise NotAuthenticated(f"{host} does not answer as an OpenID provider does")
    return document
