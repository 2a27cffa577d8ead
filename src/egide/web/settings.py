"""What `egide serve` is told: flags, or EGIDE_* variables of the same names."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Self

from egide.fingerprint import DEFAULT_THRESHOLD

MIB: Final = 1 << 20
PASSED_ON: Final = "SERVE_SETTINGS_EGIDE"
"""By which the settings reach the processes that serve."""


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """How one server is set up.

    Attributes:
        host, port: where it listens.
        home: the folder of the banks.
        processes: how many of them answer requests.
        workers: confined processes that each of them has for reading uploads; its share of the
            cores when None.
        banks: names of banks to look in; all `block` and `allow` banks when empty.
        policy: the file of the policy, or None for the one that ships.
        threshold: distance in bits, 0..63, up to which two pictures are one.
        gazetteer: the file of names, or None.
        library: the bank that `remember=true` adds to; made when it is not there.
        max_upload: bytes of a file, at most.
        rate: requests a second that one key may make; 0 for no limit.
        queue: scans that may wait in one process; more are told to come back.
        retention_days: how long verdict records are kept; 0 keeps none.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    home: Path = Path()
    processes: int = 1
    workers: int | None = None
    banks: tuple[str, ...] = ()
    policy: Path | None = None
    threshold: int = DEFAULT_THRESHOLD
    gazetteer: str | None = None
    library: str = "library"
    max_upload: int = 256 * MIB
    rate: float = 0.0
    queue: int = 256
    retention_days: float = 90.0

    @property
    def url(self) -> str:
        """The address that people are told: EGIDE_PUBLIC_URL, or where it listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (os.environ.get("EGIDE_PUBLIC_URL") or f"http://{host}:{self.port}").rstrip("/")

    @property
    def browser_url(self) -> str:
        """The address for a browser: on this machine by its name, since passkeys take no number."""
        if os.environ.get("EGIDE_PUBLIC_URL") or not _is_loopback(self.host):
            return self.url
        return f"http://localhost:{self.port}"

    def pass_on(self) -> None:
        """Leaves the settings to the processes that are started next."""
        document = asdict(self)
        paths = {name: str(value) for name, value in document.items() if isinstance(value, Path)}
        os.environ[PASSED_ON] = json.dumps(document | paths)

    @classmethod
    def passed_on(cls) -> Self:
        """What `pass_on` left."""
        document = json.loads(os.environ[PASSED_ON])
        known = {field.name for field in fields(cls)}
        given = {name: value for name, value in document.items() if name in known}
        given["home"] = Path(given["home"])
        given["policy"] = None if given["policy"] is None else Path(given["policy"])
        given["banks"] = tuple(given["banks"])
        return cls(**given)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
