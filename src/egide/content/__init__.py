"""Content that a platform hosts: fetched where the administrator allowed it, shown with care."""

from egide.content.previews import Previews
from egide.content.sources import Fetched, Sources

__all__ = ["Fetched", "Previews", "Sources"]
