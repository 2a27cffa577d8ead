"""Requests that this machine makes: which addresses may be asked, and connections to no others."""

from egide.outgoing.address import Address, AddressGuard, Resolver
from egide.outgoing.connection import Pinned, connected

__all__ = ["Address", "AddressGuard", "Pinned", "Resolver", "connected"]
