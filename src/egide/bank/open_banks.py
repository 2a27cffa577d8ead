"""The banks of a home as they are at this moment: opened when they are made, none twice."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from egide.bank.bank import Bank
from egide.bank.home import Home
from egide.errors import BankExists, BankNotFound
from egide.match import Purpose


class OpenBanks:
    """The banks of `home`, or only those with `names`, and those with `also`. Thread-safe.

    BankNotFound when one of `names` is not there: a slip in the settings is told at the start.
    """

    def __init__(self, home: Home, names: Iterable[str] = (), also: Iterable[str] = ()) -> None:
        self._home = home
        self._names = frozenset(names)
        self._also = frozenset(also)
        self._lock = threading.Lock()
        self._open: dict[str, Bank] = {}
        for name in self._names:
            home.bank(name)

    def all(self) -> tuple[Bank, ...]:
        """Every bank, by name."""
        rows = self._home.database.fetch("SELECT key, name FROM bank ORDER BY name")
        wanted = self._names | self._also
        keys = [row["key"] for row in rows if not self._names or row["name"] in wanted]
        with self._lock:
            if any(key not in self._open for key in keys):
                for bank in self._home.banks():
                    self._open.setdefault(bank.key, bank)
            self._open = {key: self._open[key] for key in keys if key in self._open}
            return tuple(self._open.values())

    def named(self, name: str) -> Bank:
        """The bank called `name`; BankNotFound."""
        found = next((bank for bank in self.all() if bank.name == name), None)
        return found or self._home.bank(name)

    def made(self, name: str, purpose: Purpose) -> Bank:
        """The bank called `name`, made for `purpose` when it is not there."""
        try:
            return self.named(name)
        except BankNotFound:
            pass
        try:
            return self._home.create(name, purpose)
        except BankExists:  # another thread or process was faster
            return self.named(name)

    def of(self, *purposes: Purpose) -> tuple[Bank, ...]:
        """Every bank with one of these purposes."""
        return tuple(bank for bank in self.all() if bank.purpose in purposes)

    def screened(self) -> tuple[Bank, ...]:
        """The banks that uploads are compared with."""
        return self.of(Purpose.BLOCK, Purpose.ALLOW)
