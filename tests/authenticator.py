"""A passkey in software: what a browser answers with an authenticator (WebAuthn, level 2)."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


def text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


class Authenticator:
    """One passkey, used in a browser that shows pages of `origin`."""

    def __init__(self, origin: str, flags: int = PRESENT | VERIFIED) -> None:
        self.origin = origin
        self.flags = flags
        self.counter = 0
        self.id = secrets.token_bytes(32)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: str) -> str:
        """What `navigator.credentials.create` gives, for the options of the server."""
        asked = json.loads(options)
        data = self._data(asked["rp"]["id"], self.flags | ATTESTED) + self._credential()
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", asked["challenge"])
        return self._answer(
            {"clientDataJSON": text(client), "attestationObject": text(attestation)}
        )

    def get(self, options: str) -> str:
        """What `navigator.credentials.get` gives, for the options of the server."""
        asked = json.loads(options)
        self.counter += 1
        data = self._data(asked["rpId"], self.flags)
        client = self._client("webauthn.get", asked["challenge"])
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            {
                "clientDataJSON": text(client),
                "authenticatorData": text(data),
                "signature": text(signature),
            }
        )

    def _answer(self, response: dict[str, str]) -> str:
        id_ = text(self.id)
        document = {"id": id_, "rawId": id_, "type": "public-key", "response": response}
        return json.dumps(document | {"clientExtensionResults": {}})

    def _client(self, type_: str, challenge: str) -> bytes:
        document: dict[str, Any] = {
            "type": type_,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps(document).encode()

    def _data(self, rp_id: str, flags: int) -> bytes:
        domain = hashlib.sha256(rp_id.encode()).digest()
        return domain + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _credential(self) -> bytes:
        point = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        return bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(key)
