"""How often one may try to sign in, by name and by address, counted before the attempt is made.

The generic cell rate algorithm (GCRA; ITU-T I.371): one number for each subject, moved in one
statement, so that a hundred attempts at the same instant are a hundred attempts. Names that do not
exist are counted like those that do.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple

from egide.errors import TooManyAttempts
from egide.identity.kept import Kept


class Pace(NamedTuple):
    """So many attempts at once, and then one in so many seconds."""

    burst: int
    seconds: int


BY_NAME: Final = Pace(8, 300)
"""Who knows the password and guesses codes, three of a million of which fit, takes three years."""
BY_ADDRESS: Final = Pace(40, 15)
CHALLENGES: Final = Pace(60, 2)
"""Each is a row until it ends."""


def neighbourhood(address: str) -> str:
    """The address, or of IPv6 the network of 64 bits that one customer has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


class Attempts(Kept):
    """The attempts counted in one database. Thread-safe."""

    def count(self, subject: str, pace: Pace) -> None:
        """Counts one attempt of `subject`; TooManyAttempts, and then it is not counted."""
        now, digest = int(self._clock()), self._secret.digest("attempt", subject.encode())
        latest = now + (pace.burst - 1) * pace.seconds
        with self._database.write(serial=False) as connection:
            connection.execute("DELETE FROM attempt WHERE due <= ?", (now,))
            counted = connection.execute(
                "INSERT INTO attempt (subject, due) VALUES (?, ?) "
                "ON CONFLICT (subject) DO UPDATE SET due = attempt.due + ? "
                "WHERE attempt.due <= ? RETURNING due",
                (digest, now + pace.seconds, pace.seconds, latest),
            ).fetchall()
            if counted:
                return
            rows = connection.execute(
                "SELECT due FROM attempt WHERE subject = ?", (digest,)
            ).fetchall()
        wait = max(1, *(row["due"] - latest for row in rows), 1)
        raise TooManyAttempts(f"try again in {wait} seconds", wait)

    def count_address(self, address: str, pace: Pace = BY_ADDRESS) -> None:
        """Counts one attempt from `address` and its neighbours; TooManyAttempts."""
        self.count(f"{pace.burst} from {neighbourhood(address)}", pace)

    def forget(self, subject: str) -> None:
        """Lets `subject` begin anew: its attempt was right."""
        digest = self._secret.digest("attempt", subject.encode())
        with self._database.write(serial=False) as connection:
            connection.execute("DELETE FROM attempt WHERE subject = ?", (digest,))
