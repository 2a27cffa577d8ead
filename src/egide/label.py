"""The taxonomy: every word a finding may carry, and what the law and the labellers call it.

`DSA_KEYWORD` maps to the keyword list of the DSA Transparency Database (schema of 1 July 2025);
`OZONE_REASON` to the report reasons of the AT Protocol's moderation service Ozone. A label that has
no counterpart there (a context, a technical observation) maps to nothing and is absent.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Label(StrEnum):
    """What a detector may say of an item."""

    NCII_KNOWN = "ncii.known"
    REQUEST_NUDIFY = "ncii.request.nudify"
    REQUEST_SEXUALIZE = "ncii.request.sexualize"
    REQUEST_FACESWAP = "ncii.request.faceswap"
    REQUEST_INTIMATE = "ncii.request.intimate"
    SERVICE_PROMOTION = "ncii.service.promotion"
    SERVICE_REFERRAL = "ncii.service.referral"
    COMMISSION_SOLICIT = "ncii.commission.solicit"
    COMMISSION_OFFER = "ncii.commission.offer"
    LIKENESS_NAMED = "likeness.named"
    LIKENESS_UNNAMED = "likeness.unnamed"
    LIKENESS_SEXUAL = "likeness.sexual"
    SYNTHETIC_DECLARED = "synthetic.declared"
    SYNTHETIC_TRACED = "synthetic.traced"
    CONSENT_MISSING = "consent.missing"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    RATING_MISMATCH = "rating.mismatch"
    EVASION_TEXT = "evasion.text"
    CONTEXT_SUPPORT = "context.support"
    CONTEXT_NEWS = "context.news"
    MINOR_ESCALATE = "minor.escalate"


_SHARING: Final = "KEYWORD_NON_CONSENSUAL_IMAGE_SHARING"
_DEEPFAKE: Final = "KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE"

DSA_KEYWORD: Final[dict[Label, str]] = {
    Label.NCII_KNOWN: _SHARING,
    Label.REQUEST_NUDIFY: _DEEPFAKE,
    Label.REQUEST_SEXUALIZE: _DEEPFAKE,
    Label.REQUEST_FACESWAP: _DEEPFAKE,
    Label.REQUEST_INTIMATE: _DEEPFAKE,
    Label.SERVICE_PROMOTION: _DEEPFAKE,
    Label.SERVICE_REFERRAL: _DEEPFAKE,
    Label.COMMISSION_SOLICIT: _DEEPFAKE,
    Label.COMMISSION_OFFER: _DEEPFAKE,
    Label.LIKENESS_SEXUAL: _DEEPFAKE,
    Label.CONSENT_WITHDRAWN: _SHARING,
    Label.MINOR_ESCALATE: "KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL",
}

OZONE_REASON: Final[dict[Label, str]] = {
    Label.NCII_KNOWN: "reasonSexualNCII",
    Label.REQUEST_NUDIFY: "reasonSexualDeepfake",
    Label.REQUEST_SEXUALIZE: "reasonSexualDeepfake",
    Label.REQUEST_FACESWAP: "reasonSexualDeepfake",
    Label.SERVICE_PROMOTION: "reasonSexualDeepfake",
    Label.SERVICE_REFERRAL: "reasonSexualDeepfake",
    Label.COMMISSION_SOLICIT: "reasonSexualDeepfake",
    Label.COMMISSION_OFFER: "reasonSexualDeepfake",
    Label.LIKENESS_SEXUAL: "reasonSexualDeepfake",
    Label.CONSENT_WITHDRAWN: "reasonSexualNCII",
    Label.MINOR_ESCALATE: "reasonChildSafetyCSAM",
}
