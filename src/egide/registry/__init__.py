"""The registry: from a model that a picture names to its listing, and to what came from it."""

from egide.registry.registry import Registry

__all__ = ["Registry"]
