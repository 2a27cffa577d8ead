"""A restriction of what somebody put up, and its reasons (Regulation (EU) 2022/2065, article 17).

The record has no field for whoever sent a notice, for their words, or for a reviewer's: what is
told to the uploader, and published, is made of the platform's own facts and of the law's data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from egide.errors import UsageError


class Restricted(StrEnum):
    """What was done to the content."""

    REMOVED = "removed"
    DISABLED = "disabled"


class Source(StrEnum):
    """What made the platform look."""

    NOTICE = "notice"
    TRUSTED_FLAGGER = "trusted-flagger"
    OTHER_NOTICE = "other-notice"
    """A notice under another law than article 16, or an authority's."""
    OWN = "own"


class Automation(StrEnum):
    """How far a program took the decision."""

    NONE = "none"
    PARTLY = "partly"
    FULLY = "fully"


class Medium(StrEnum):
    """What the content is."""

    IMAGE = "image"
    VIDEO = "video"
    TEXT = "text"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Ground:
    """Why content is not allowed.

    Attributes:
        illegal: whether it breaks a law; else it breaks the platform's terms.
        reference: the law's articles, or the clause of the terms.
        explanation: why the content falls under it; of the law's data, not of a case.
    """

    illegal: bool
    reference: str
    explanation: str

    def __post_init__(self) -> None:
        if not self.reference.strip() or not self.explanation.strip():
            raise UsageError("a ground names its reference and explains it; give both")


@dataclass(frozen=True, slots=True)
class Restriction:
    """One restriction of one piece of content.

    Attributes:
        platform: the platform's name.
        content_id, content_url: how the platform calls the content, and where it was; None for
            what is not known.
        restricted: what was done.
        decided: when it took effect, with a zone.
        ground: why.
        source: what made the platform look.
        copy: whether it was found as a copy of other content, not told of itself.
        synthetic: whether it is held to be made or altered by a machine.
        medium: what the content is.
        created: when it was put up; None when that is not known.
        territory: countries as ISO 3166 codes; empty for everywhere.
        until: when the restriction ends; None when it has no end.
        detected: whether a program found the content.
        automation: how far a program decided.
        appeal_url: where to object, with a code for one use; None when there is no such page.
        appeal_until: until when.
        european: whether Regulation (EU) 2022/2065 applies, with its bodies of article 21.
    """

    platform: str
    content_id: str | None
    decided: datetime
    ground: Ground
    source: Source
    content_url: str | None = None
    restricted: Restricted = Restricted.REMOVED
    copy: bool = False
    synthetic: bool = False
    medium: Medium = Medium.IMAGE
    created: datetime | None = None
    territory: tuple[str, ...] = ()
    until: datetime | None = None
    detected: bool = False
    automation: Automation = Automation.NONE
    appeal_url: str | None = None
    appeal_until: datetime | None = None
    european: bool = True
