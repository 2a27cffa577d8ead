"""Banks of fingerprints, and the exact index that finds what is near."""

from egide.bank.bank import Bank
from egide.bank.entry import Added, Draft, Entry
from egide.bank.home import Home, default_home

__all__ = ["Added", "Bank", "Draft", "Entry", "Home", "default_home"]
