"""A server that answers as it is told."""

from tests.unit.client.conftest import _scripted, scripted

__all__ = ["_scripted", "scripted"]
