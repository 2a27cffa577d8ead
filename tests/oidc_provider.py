"""An OpenID provider on this machine, which says whatever a test tells it to."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "egide", "a neutral secret"


@cache
def rsa_key(id_: str) -> RSAKey:
    """The key called so: made once, which takes a while."""
    return RSAKey.generate_key(2048, parameters={"kid": id_})


class OidcProvider:
    """Serves discovery, keys and tokens on a port of its own; `close` ends it."""

    def __init__(self) -> None:
        self.key = rsa_key("1")
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "1"}
        self.answers: dict[str, bytes] = {}
        self._codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(provider.get(self.path))

            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                form = {k: v[0] for k, v in parse_qs(self.rfile.read(size).decode()).items()}
                self._send(provider.token(form))

            def _send(self, body: bytes | None) -> None:
                self.send_response(200 if body is not None else 400)
                self.end_headers()
                self.wfile.write(body or b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def get(self, path: str) -> bytes | None:
        if path in self.answers:
            return self.answers[path]
        if path == "/keys":
            return json.dumps({"keys": [self.key.as_dict(private=False)]}).encode()
        return json.dumps(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        ).encode()

    def authorised(self, address: str, subject: str) -> dict[str, str]:
        """What the browser brings back, once `subject` agreed to what `address` asks."""
        asked = {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked | {"sub": subject}
        return {"code": code, "state": asked["state"]}

    def token(self, form: dict[str, str]) -> bytes | None:
        asked = self._codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(
            hashlib.sha256(form["code_verifier"].encode()).digest()
        )
        right = asked is not None and (
            (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
            and form["redirect_uri"] == asked["redirect_uri"]
            and challenge.decode().rstrip("=") == asked["code_challenge"]
        )
        if asked is None or not right:
            return None
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": asked["sub"], "nonce": asked["nonce"]}
        token = jwt.encode(self.header, claims | self.claims, self.key)
        return json.dumps({"id_token": token, "token_type": "Bearer"}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
