"""Says in plain words what labels, findings and errors mean. Text in, text out; no markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from egide.finding import MASK, Finding
from egide.label import Label
from egide.verdict import Action, Verdict

PDQ_BITS: Final = 256
SURE: Final = 0.9
"""From this score on a match is spoken of as a copy, below it as perhaps one."""


class Meaning(NamedTuple):
    """A word and what it means: `title` fits into a table, `meaning` is a sentence or two."""

    title: str
    meaning: str


class Cure(NamedTuple):
    """What an error says, and what to do about it."""

    title: str
    cure: str


ACTIONS: Final[dict[Action, Meaning]] = {
    Action.ESCALATE: Meaning(
        "Escalate",
        "A suspicion that only a trained person may handle. Do not open, copy or forward the item.",
    ),
    Action.BLOCK: Meaning("Block", "The policy calls for keeping the item off the platform."),
    Action.REVIEW: Meaning(
        "Review", "A person should look: the match is not certain, or the item could not be read."
    ),
    Action.ALLOW: Meaning("Allow", "Nothing was found that calls for anything."),
}

LABELS: Final[dict[Label, Meaning]] = {
    Label.NCII_KNOWN: Meaning(
        "known picture",
        "A copy of a picture that a bank holds as non-consensual intimate imagery.",
    ),
    Label.REQUEST_NUDIFY: Meaning(
        "asks to undress", "Asks for somebody's picture to be undressed."
    ),
    Label.REQUEST_SEXUALIZE: Meaning(
        "asks to sexualise", "Asks for a sexual picture of a real person."
    ),
    Label.REQUEST_FACESWAP: Meaning(
        "asks for a face swap", "Asks for a face to be put into an intimate picture."
    ),
    Label.REQUEST_INTIMATE: Meaning(
        "asks for intimacy", "Asks for a real person to be shown kissing or hugging. Low severity."
    ),
    Label.SERVICE_PROMOTION: Meaning(
        "promotes a service", "Advertises a service that makes intimate pictures of real people."
    ),
    Label.SERVICE_REFERRAL: Meaning(
        "refers to a service", "Carries an invitation or referral to such a service."
    ),
    Label.COMMISSION_SOLICIT: Meaning(
        "seeks a commission", "Looks for somebody to make an intimate picture of a real person."
    ),
    Label.COMMISSION_OFFER: Meaning(
        "offers a commission", "Offers to make intimate pictures of real people."
    ),
    Label.LIKENESS_NAMED: Meaning("named likeness", "Imitates a real person and says who."),
    Label.LIKENESS_UNNAMED: Meaning(
        "unnamed likeness", "Imitates a real person without saying who."
    ),
    Label.LIKENESS_SEXUAL: Meaning(
        "sexual likeness", "Imitates a real person for sexual pictures."
    ),
    Label.SYNTHETIC_DECLARED: Meaning(
        "declared synthetic", "The file itself says that it was generated."
    ),
    Label.SYNTHETIC_TRACED: Meaning(
        "traced as synthetic", "Traces in the file show that it was generated."
    ),
    Label.CONSENT_MISSING: Meaning(
        "no consent on record", "Nothing shows that the person depicted agreed."
    ),
    Label.CONSENT_WITHDRAWN: Meaning(
        "consent withdrawn", "The person depicted agreed once and no longer does."
    ),
    Label.RATING_MISMATCH: Meaning(
        "wrong rating", "What the item is rated as and what it holds do not agree."
    ),
    Label.EVASION_TEXT: Meaning("disguised text", "Words are written so that filters miss them."),
    Label.CONTEXT_SUPPORT: Meaning(
        "support context", "Seems to help people affected. Lowers a verdict to review."
    ),
    Label.CONTEXT_NEWS: Meaning(
        "news context", "Seems to report on the matter. Lowers a verdict to review."
    ),
    Label.MINOR_ESCALATE: Meaning(
        "escalation",
        "A suspicion that a minor is concerned. The item is frozen: follow your escalation "
        "procedure; do not open, copy or forward it.",
    ),
}

ERRORS: Final[dict[str, Cure]] = {
    "unreadable": Cure("could not be opened", "Check that it exists and that égide may read it."),
    "empty": Cure("is empty", "It has no bytes. Upload or export it again."),
    "unknown-content": Cure(
        "no known format",
        "The name promises a picture, the bytes are none. Look at where it is from.",
    ),
    "unknown-record": Cure(
        "no known record", "It is neither a listing nor a text. Look at what wrote it."
    ),
    "missing-codec": Cure(
        "format not installed", "Install the library that the message names, then scan it again."
    ),
    "corrupt": Cure("corrupt", "Get an intact copy, or treat the item as unchecked."),
    "truncated": Cure("cut off", "The end is missing. Get a complete copy."),
    "polyglot": Cure(
        "two files in one", "Another file hides in it. Serve only a re-encoded copy, if any."
    ),
    "unsafe": Cure("would run code", "Do not load it. Ask for the model as safetensors."),
    "detector-failed": Cure(
        "a detector failed", "A fault of the detector, not of the item. Please report it."
    ),
    "too-many-bytes": Cure(
        "too many bytes", "Raise the limit that the message names, or shrink it."
    ),
    "too-many-pixels": Cure("too many pixels", "Send a smaller version, or raise the limit."),
    "too-many-frames": Cure("too many frames", "Later frames were not checked. Split it."),
    "too-many-scans": Cure(
        "too many JPEG passes", "Made to be slow to open. Re-encode it, or treat it as hostile."
    ),
    "too-much-time": Cure("took too long", "Scan it alone, or raise the limit of time."),
}
OTHER_ERROR: Final = Cure("could not be read", "Read the message, then scan the item again.")

_EDITS: Final[dict[str, Meaning]] = {
    "mirror": Meaning("mirrored", "left and right were exchanged"),
    "flip": Meaning("flipped", "top and bottom were exchanged"),
    "rotate90": Meaning("turned left", "it was turned a quarter counter-clockwise"),
    "rotate180": Meaning("upside down", "it was turned upside down"),
    "rotate270": Meaning("turned right", "it was turned a quarter clockwise"),
    "transpose": Meaning("mirrored, turned", "it was mirrored along its falling diagonal"),
    "transverse": Meaning("mirrored, turned", "it was mirrored along its rising diagonal"),
    "border": Meaning("border differs", "one of the two has a plain border that the other lacks"),
}


def brief(finding: Finding, *, reveal: bool = False) -> str:
    """`finding` in one short phrase, `known in bank demo, mirrored, 12 bits apart`."""
    evidence = evidence_of(finding, reveal=reveal)
    if finding.label is Label.MINOR_ESCALATE:
        return "frozen: follow your escalation procedure"
    if finding.label is not Label.NCII_KNOWN or "bank" not in evidence:
        return f"{LABELS[finding.label].title}, score {finding.score:.2f}"
    parts = [f"known in bank {evidence['bank']}"]
    parts += [_EDITS[edit].title if edit in _EDITS else edit for edit in edits_of(evidence)]
    if _by_likeness(evidence):
        parts.append(_apart(evidence.get("distance")))
    else:
        parts.append("same file")
    if evidence.get("disputed"):
        parts.append("disputed")
    if evidence.get("silenced"):
        parts.append(f"silenced by {_silencer(evidence)}")
    return ", ".join(part for part in parts if part)


def explain(finding: Finding, *, reveal: bool = False) -> str:
    """What `finding` says, in whole sentences for somebody who has never seen one."""
    evidence = evidence_of(finding, reveal=reveal)
    if finding.label is not Label.NCII_KNOWN or "bank" not in evidence:
        return LABELS[finding.label].meaning
    sentences = [_headline(finding, evidence), _how(evidence), *_what_was_edited(evidence)]
    if "frame" in evidence:
        sentences.append(f"It is frame {evidence['frame']} of the item, counted from 0.")
    if evidence.get("disputed"):
        sentences.append("Somebody disputes this entry, so a person should decide.")
    if evidence.get("silenced"):
        sentences.append(
            f"It counts as a known false match: {_silencer(evidence)} holds a picture that is at "
            "least as near."
        )
    return " ".join(sentences)


def brief_all(verdict: Verdict, *, reveal: bool = False) -> str:
    """The first finding of `verdict` in brief, and how many more there are."""
    first, *more = verdict.findings
    text = brief(first, reveal=reveal)
    return f"{text}, and {len(more)} more" if more else text


def evidence_of(finding: Finding, *, reveal: bool) -> Mapping[str, Any]:
    """The evidence as reports may show it: masked unless `reveal`, none of an escalation."""
    if finding.label is Label.MINOR_ESCALATE:
        return {}
    evidence: Mapping[str, Any] = finding.to_json(reveal=reveal)["evidence"]
    return evidence


def facts(finding: Finding, *, reveal: bool = False) -> list[tuple[str, str]]:
    """The evidence, name and value, as text; what is masked says so."""
    flat = _flat(evidence_of(finding, reveal=reveal))
    return [(name.replace("_", " "), _said(value)) for name, value in flat]


def cure_of(error: str) -> Cure:
    """What the error code `error` means and what to do; for an unknown code, a general word."""
    return ERRORS.get(error, OTHER_ERROR)


def edits_of(evidence: Mapping[str, Any]) -> list[str]:
    """What had been done to the known picture, one word each; nothing when nothing had."""
    words = str(evidence.get("edit", "none")).split("+")
    return [word for word in words if word not in ("none", "")]


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 item`, `1,204 items`; `many` when the plural is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """`12.3 s`, `4 min 05 s`, `2 h 07 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _by_likeness(evidence: Mapping[str, Any]) -> bool:
    return bool(evidence.get("method", "pdq") == "pdq")


def _apart(distance: object) -> str:
    if not isinstance(distance, int):
        return ""
    return "same fingerprint" if distance == 0 else f"{count(distance, 'bit')} apart"


def _headline(finding: Finding, evidence: Mapping[str, Any]) -> str:
    if evidence.get("silenced"):
        return f"Resembles a picture in bank {evidence['bank']}."
    if not _by_likeness(evidence):
        what = "The same file as one"
    elif finding.score >= SURE:
        what = "A copy of a picture"
    else:
        what = "Perhaps a copy of a picture"
    return f"{what} that bank {evidence['bank']} holds as non-consensual intimate imagery."


def _how(evidence: Mapping[str, Any]) -> str:
    if not _by_likeness(evidence):
        return f"Identical byte for byte, by its {evidence['method']} digest."
    distance = evidence.get("distance")
    if not isinstance(distance, int):
        return "Recognised by its PDQ fingerprint."
    if distance == 0:
        return f"Their PDQ fingerprints agree in all {PDQ_BITS} bits."
    return f"Their PDQ fingerprints differ in {distance} of {PDQ_BITS} bits."


def _what_was_edited(evidence: Mapping[str, Any]) -> list[str]:
    edits = edits_of(evidence)
    if not edits:
        return []
    told = [_EDITS[edit].meaning if edit in _EDITS else f"edited ({edit})" for edit in edits]
    return [f"Compared with the known picture, {' and '.join(told)}."]


def _silencer(evidence: Mapping[str, Any]) -> str:
    by = evidence.get("silenced_by")
    return (
        f"allow bank {by['bank']}" if isinstance(by, Mapping) and "bank" in by else "an allow bank"
    )


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "masked" if value == MASK else str(value)


def _flat(evidence: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in evidence.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", value
