"""Says in plain words what labels, findings and errors mean. Text in, text out; no markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from egide.finding import Finding
from egide.fingerprint import LEAST_SIMILARITY
from egide.label import Label
from egide.report.values import flat, said
from egide.verdict import Action, Verdict

PDQ_BITS: Final = 256
SURE: Final = 0.9
"""From this score on a match is spoken of as a copy, below it as perhaps one."""

_DRAWN: Final = frozenset(
    {"region", "banked_region", "aspect", "banked_aspect", "stretches", "length", "banked_length"}
)
_MOMENTS: Final = frozenset({"at", "banked_at"})
_MOST_STRETCHES: Final = 3


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
        "known picture or video",
        "A copy, whole or in part, of what a bank holds as non-consensual intimate imagery.",
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
        "The name promises a picture or a video, the bytes are neither. Look at where it is from.",
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
    "detector-failed": Cure("a detector failed", "The detector is at fault. Please report it."),
    "decoder-died": Cure("broke its decoder", "Treat it as hostile: look at it elsewhere."),
    "too-many-bytes": Cure(
        "too many bytes", "Raise the limit that the message names, or shrink it."
    ),
    "too-many-pixels": Cure("too many pixels", "Send a smaller version, or raise the limit."),
    "too-many-frames": Cure("too many frames", "Later frames were not checked. Split it."),
    "too-many-scans": Cure(
        "too many JPEG passes", "Made to be slow to open. Re-encode it, or treat it as hostile."
    ),
    "too-many-streams": Cure(
        "too many video streams", "The others were not checked. Keep the one to be shown."
    ),
    "too-long": Cure("too long", "Its end was not checked. Split it, or raise the limit."),
    "too-much-time": Cure("took too long", "Scan it alone, or raise the limit of time."),
    "too-much-memory": Cure("took too much memory", "Raise EGIDE_SANDBOX_MEMORY, or shrink it."),
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
    parts += how_edited(str(evidence.get("edit", "none")))
    if _by_parts(evidence):
        parts.append(f"{evidence.get('inliers', 'some')} points in common")
    elif "similarity" in evidence:
        parts.append(f"{evidence['similarity']:.2f} alike by your model")
    elif _by_likeness(evidence):
        parts.append(_apart(evidence.get("distance")))
    else:
        parts.append("same file")
    if "stretches" in evidence:
        parts.append(f"{_percent(evidence.get('share'))} of this video")
    elif "at" in evidence:
        parts.append(f"at {clock(evidence['at'])}")
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
    sentences = [_headline(finding, evidence), how_matched(evidence), *what_was_edited(evidence)]
    sentences += when_matched(evidence)
    if _by_parts(evidence) and finding.score < SURE and not evidence.get("silenced"):
        sentences.append("So little in common may be a frame, a caption or an app's screen alone.")
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
    """The evidence, name and value, as text; what is masked says so. Without what is drawn."""
    evidence = evidence_of(finding, reveal=reveal)
    shown = flat({name: value for name, value in evidence.items() if name not in _DRAWN})
    return [
        (name.replace("_", " "), clock(value) if name in _MOMENTS else said(value))
        for name, value in shown
    ]


def cure_of(error: str) -> Cure:
    """What the error code `error` means and what to do; for an unknown code, a general word."""
    return ERRORS.get(error, OTHER_ERROR)


def edits_of(evidence: Mapping[str, Any]) -> list[str]:
    """What had been done to the known picture, one word each; nothing when nothing had."""
    words = str(evidence.get("edit", "none")).split("+")
    return [word for word in words if word not in ("none", "")]


def how_edited(edit: str) -> list[str]:
    """`edit` of a finding's evidence in short words, `mirrored`."""
    return [_EDITS[word].title if word in _EDITS else word for word in edits_of({"edit": edit})]


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


def clock(milliseconds: object) -> str:
    """A moment of a video, `0:07.5`, `1:02:03.0`."""
    if not isinstance(milliseconds, int):
        return "?"
    minutes, rest = divmod(milliseconds // 100, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 10:02}.{rest % 10}"
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"


def _by_likeness(evidence: Mapping[str, Any]) -> bool:
    return evidence.get("method", "pdq") in ("pdq", "local", "sscd")


def _by_parts(evidence: Mapping[str, Any]) -> bool:
    return bool(evidence.get("method") == "local")


def _percent(share: object) -> str:
    return f"{100 * share:.0f} %" if isinstance(share, int | float) else "some"


def when_matched(
    evidence: Mapping[str, Any], this: str = "this video", known: str = "the known video"
) -> list[str]:
    """Which frames they are, and which stretches of two videos are the same.

    `this` and `known` are what the two are called.
    """
    sentences = []
    if "frame" in evidence:
        sentences.append(f"It is frame {evidence['frame']} of the item, counted from 0.")
    stretches = evidence.get("stretches")
    if isinstance(stretches, Sequence) and stretches:
        told = ", ".join(
            f"{clock(s['at'][0])} to {clock(s['at'][1])} of {this} is "
            f"{clock(s['banked_at'][0])} to {clock(s['banked_at'][1])} of {known}"
            for s in stretches[:_MOST_STRETCHES]
        )
        more = len(stretches) - _MOST_STRETCHES
        told += f", and {count(more, 'more stretch', 'more stretches')}" if more > 0 else ""
        sentences.append(
            f"They share {_percent(evidence.get('share'))} of {this} and "
            f"{_percent(evidence.get('banked_share'))} of {known}: {told}."
        )
        return sentences
    moments = [
        f"at {clock(evidence[moment])} of {whose}"
        for moment, whose in (("at", this), ("banked_at", known))
        if moment in evidence
    ]
    return [*sentences, f"It is seen {' and '.join(moments)}."] if moments else sentences


def _apart(distance: object) -> str:
    if not isinstance(distance, int):
        return ""
    return "same fingerprint" if distance == 0 else f"{count(distance, 'bit')} apart"


def _headline(finding: Finding, evidence: Mapping[str, Any]) -> str:
    if evidence.get("silenced"):
        return f"Resembles {_known(evidence)} in bank {evidence['bank']}."
    if not _by_likeness(evidence):
        what = "The same file as one"
    elif _by_parts(evidence) or "at" in evidence:
        what = "Shows" if finding.score >= SURE else "Perhaps shows"
        what += f" {_known(evidence)}"
        what += ", or a part of one," if _by_parts(evidence) or "stretches" in evidence else ""
    else:
        what = "A copy of" if finding.score >= SURE else "Perhaps a copy of"
        what += f" {_known(evidence)}"
    return f"{what} that bank {evidence['bank']} holds as non-consensual intimate imagery."


def _known(evidence: Mapping[str, Any]) -> str:
    if "stretches" in evidence:
        return "a video"
    return "a frame of a video" if "banked_at" in evidence else "a picture"


def how_matched(
    evidence: Mapping[str, Any], this: str = "this picture", known: str = "the known one"
) -> str:
    """By what and how well two items match, one sentence; `this` and `known` are their names."""
    if not _by_likeness(evidence):
        return f"Identical byte for byte, by its {evidence['method']} digest."
    if _by_parts(evidence):
        inliers, coverage = evidence.get("inliers"), evidence.get("coverage")
        return (
            f"{inliers} distinct points of {this} lie in {known} too, in the same arrangement; "
            f"{_percent(coverage)} of the detail that should then be seen was found."
        )
    if "similarity" in evidence:
        return (
            f"The model that EGIDE_SSCD_MODEL names finds {this} and {known} alike: "
            f"{evidence['similarity']:.2f}, where 1 is the same and {LEAST_SIMILARITY} the least."
        )
    distance = evidence.get("distance")
    if not isinstance(distance, int):
        return "Recognised by its PDQ fingerprint."
    if distance == 0:
        return f"Their PDQ fingerprints agree in all {PDQ_BITS} bits."
    return f"Their PDQ fingerprints differ in {distance} of {PDQ_BITS} bits."


def what_was_edited(evidence: Mapping[str, Any], known: str = "the known picture") -> list[str]:
    """What had been done to `known`, in one sentence; nothing when nothing had."""
    edits = edits_of(evidence)
    if not edits:
        return []
    told = [_EDITS[edit].meaning if edit in _EDITS else f"edited ({edit})" for edit in edits]
    return [f"Compared with {known}, {' and '.join(told)}."]


def _silencer(evidence: Mapping[str, Any]) -> str:
    by = evidence.get("silenced_by")
    return (
        f"allow bank {by['bank']}" if isinstance(by, Mapping) and "bank" in by else "an allow bank"
    )
