"""Statements of reasons as the DSA Transparency Database takes them (schema of 1 July 2025).

Article 24(5) of Regulation (EU) 2022/2065: without personal data. So there is nothing in them but
the law's data and words of a list; not the content's id or address, not the case, nobody's words.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from egide.desk.statement import Automation, Medium, Restricted, Restriction, Source

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

MOST_AT_ONCE: Final = 100
"""Statements in one request, at most."""
MOST_REFERENCE: Final = 500
MOST_EXPLANATION: Final = 2_000
LANGUAGE: Final = "en"
"""In which explanations are written."""
PUID_BYTES: Final = 18

_VISIBILITY: Final = {
    Restricted.REMOVED: "DECISION_VISIBILITY_CONTENT_REMOVED",
    Restricted.DISABLED: "DECISION_VISIBILITY_CONTENT_DISABLED",
}
_SOURCES: Final = {
    Source.NOTICE: "SOURCE_ARTICLE_16",
    Source.TRUSTED_FLAGGER: "SOURCE_TRUSTED_FLAGGER",
    Source.OTHER_NOTICE: "SOURCE_TYPE_OTHER_NOTIFICATION",
    Source.OWN: "SOURCE_VOLUNTARY",
}
_AUTOMATION: Final = {
    Automation.NONE: "AUTOMATED_DECISION_NOT_AUTOMATED",
    Automation.PARTLY: "AUTOMATED_DECISION_PARTIALLY",
    Automation.FULLY: "AUTOMATED_DECISION_FULLY",
}
_MEDIA: Final = {
    Medium.IMAGE: "CONTENT_TYPE_IMAGE",
    Medium.VIDEO: "CONTENT_TYPE_VIDEO",
    Medium.TEXT: "CONTENT_TYPE_TEXT",
    Medium.OTHER: "CONTENT_TYPE_OTHER",
}
_FACTS: Final = {
    Source.NOTICE: "The content was notified under Article 16.",
    Source.TRUSTED_FLAGGER: "The content was notified by a trusted flagger.",
    Source.OTHER_NOTICE: "The content was notified, or ordered to be removed, under another law.",
    Source.OWN: "The content was found on the platform's own initiative.",
}
_COPY: Final = (
    "It is the same as, or substantially the same as, content to which the ground applies."
)
_FIRST_DAYS: Final = {"content_date": "2000-01-01", "application_date": "2020-01-01"}
_LAST_DAY: Final = "2038-01-01"
_DECIDED: Final = {
    Automation.NONE: "A person decided.",
    Automation.PARTLY: "A program prepared the decision, a person took it.",
    Automation.FULLY: "A program decided.",
}


def new_puid() -> str:
    """An identifier by chance: it leads back to nothing."""
    return secrets.token_urlsafe(PUID_BYTES)


def document_of(restriction: Restriction, puid: str) -> dict[str, Any]:
    """The statement of `restriction` as JSON. Its ground should be in English.

    Where it is not known when the content was put up, `content_date` is the day of the decision.
    """
    decided = restriction.decided.date()
    kinds = [_MEDIA[restriction.medium]]
    if restriction.synthetic:
        kinds.append("CONTENT_TYPE_SYNTHETIC_MEDIA")
    keyword = "MATERIAL_DEEPFAKE" if restriction.synthetic else "IMAGE_SHARING"
    document: dict[str, Any] = {
        "decision_visibility": [_VISIBILITY[restriction.restricted]],
        **_ground(restriction),
        "content_type": kinds,
        "category": "STATEMENT_CATEGORY_CYBER_VIOLENCE",
        "category_specification": [f"KEYWORD_NON_CONSENSUAL_{keyword}"],
        "content_date": (restriction.created or restriction.decided).date().isoformat(),
        "application_date": decided.isoformat(),
        "decision_facts": _facts(restriction),
        "source_type": _SOURCES[restriction.source],
        "automated_detection": "Yes" if restriction.detected else "No",
        "automated_decision": _AUTOMATION[restriction.automation],
        "puid": puid,
    }
    if restriction.medium is Medium.OTHER:
        document["content_type_other"] = "Other media"
    if restriction.territory:
        document["territorial_scope"] = sorted(restriction.territory)
    if restriction.until is not None:
        document["end_date_visibility_restriction"] = restriction.until.date().isoformat()
    return document


def faults(document: Mapping[str, Any]) -> list[str]:
    """What the database would refuse of `document`, a line each, by field; never its values."""
    found = []
    for error in _validator().iter_errors(document):
        place = "/".join(map(str, error.absolute_path)) or "the statement"
        found.append(f"{place}: not as {error.validator} asks")
    for name, first in _FIRST_DAYS.items():
        if not found and not first <= document[name] <= _LAST_DAY:
            found.append(f"{name}: out of range")
    return found


def batches(documents: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The bodies of requests for `documents`, as few as there can be."""
    for begin in range(0, len(documents), MOST_AT_ONCE):
        yield {"statements": list(documents[begin : begin + MOST_AT_ONCE])}


def _ground(restriction: Restriction) -> dict[str, str]:
    reference = _cut(restriction.ground.reference, MOST_REFERENCE)
    explanation = _cut(restriction.ground.explanation, MOST_EXPLANATION)
    if restriction.ground.illegal:
        return {
            "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
            "illegal_content_legal_ground": reference,
            "illegal_content_explanation": explanation,
        }
    return {
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "incompatible_content_ground": reference,
        "incompatible_content_explanation": explanation,
        "incompatible_content_illegal": "No",
    }


def _facts(restriction: Restriction) -> str:
    said = [_FACTS[restriction.source]]
    if restriction.copy:
        said.append(_COPY)
    return " ".join([*said, _DECIDED[restriction.automation]])


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415  for reports alone

    schema = files("egide.desk").joinpath("statement.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(schema), format_checker=FormatChecker(["date"]))
