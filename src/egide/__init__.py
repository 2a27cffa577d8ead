"""égide keeps non-consensual intimate deepfakes off platforms.

    from egide import Bank, Item, Scanner, fingerprints_of

The names below are the public library; everything is loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from egide.bank import Bank, Home
    from egide.detector import Detector
    from egide.detectors.text_intent import screen_text
    from egide.finding import Finding
    from egide.fingerprint import Fingerprint
    from egide.item import Item
    from egide.label import Label
    from egide.media.fingerprint import fingerprints_of
    from egide.policy import Policy
    from egide.policy_file import load_policy
    from egide.scan import Scanner
    from egide.sniff import Kind
    from egide.verdict import Action, Verdict

__all__ = [
    "Action",
    "Bank",
    "Detector",
    "Finding",
    "Fingerprint",
    "Home",
    "Item",
    "Kind",
    "Label",
    "Policy",
    "Scanner",
    "Verdict",
    "fingerprints_of",
    "load_policy",
    "screen_text",
]

_WHERE = {
    "Action": "egide.verdict",
    "Bank": "egide.bank",
    "Detector": "egide.detector",
    "Finding": "egide.finding",
    "Fingerprint": "egide.fingerprint",
    "Home": "egide.bank",
    "Item": "egide.item",
    "Kind": "egide.sniff",
    "Label": "egide.label",
    "Policy": "egide.policy",
    "Scanner": "egide.scan",
    "Verdict": "egide.verdict",
    "fingerprints_of": "egide.media.fingerprint",
    "load_policy": "egide.policy_file",
    "screen_text": "egide.detectors.text_intent",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'egide' has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
