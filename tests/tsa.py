"""A time-stamping authority (RFC 3161) of the tests' own: OpenSSL's, behind a local HTTP server."""

from __future__ import annotations

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Neutral time stamps
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ts]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.4146.2.3
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class TimeStampingAuthority:
    """Answers at `url` until it is closed; `root` is its certificate authority's, in PEM.

    Set `answer` to have it say something else: a status and a body.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "ca.pem"
        self.answer: tuple[int, bytes] | None = None
        self._folder = folder
        (folder / "ts.cnf").write_text(_CONFIGURATION.format(folder=folder))
        (folder / "serial").write_text("01")
        key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config ts.cnf"
        self._openssl(f"req -x509 {key} -keyout ca.key -out ca.pem -days 30 -extensions ca")
        self._openssl(f"req -new {key} -keyout tsa.key -out tsa.csr -subj /CN=tsa")
        self._openssl(
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -out tsa.pem -days 30"
            " -extfile ts.cnf -extensions tsa"
        )
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = authority.answer or (200, authority.stamp(body))
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/stamp"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stamp(self, query: bytes) -> bytes:
        """The response to a query, both in DER."""
        (self._folder / "query").write_bytes(query)
        self._openssl("ts -reply -config ts.cnf -section here -queryfile query -out reply")
        return (self._folder / "reply").read_bytes()

    def query(self, data: bytes) -> bytes:
        """A query for a stamp over `data`, without a nonce."""
        (self._folder / "data").write_bytes(data)
        self._openssl("ts -query -data data -sha256 -cert -no_nonce -out made")
        return (self._folder / "made").read_bytes()

    def close(self) -> None:
        """Answers no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _openssl(self, command: str) -> None:
        done = subprocess.run(
            ["openssl", *command.split()],
            cwd=self._folder,
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
