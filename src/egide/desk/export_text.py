"""What an export says, to be read by the person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from egide.language import catalogue, marked, moment

_FIELDS: Final = {
    "statement": marked("What you said"),
    "words": marked("Words"),
    "text": marked("Words"),
    "signature": marked("Signature"),
    "contact": marked("How to reach you"),
    "locations": marked("Where the content is"),
    "declared": marked("What you declared"),
    "good_faith": marked("Declared in good faith"),
    "order": marked("Order"),
}
_EVENTS: Final = {
    "received": marked("We received your request."),
    "asked": marked("We asked you for something more."),
    "completed": marked("You gave what was missing."),
    "accepted": marked("Your request is complete. We are searching for copies."),
    "copy.found": marked("We found a copy."),
    "effective": marked("We decided."),
    "told": marked("The platform was told to remove copies."),
    "acknowledged": marked("A copy was dealt with."),
    "appealed": marked("An appeal was made against the decision."),
    "appeal.decided": marked("The appeal was decided."),
    "reversed": marked("The removal was taken back."),
    "restored": marked("The platform was told to put copies back."),
    "withdrawn": marked("You took your request back."),
    "revealed": marked("Somebody at the desk opened what identifies you."),
    "letter": marked("A letter was written to you."),
    "erased": marked("What you gave us was erased."),
    "note": marked("You added something."),
}


def written(held: Mapping[str, Any]) -> str:
    """The export as plain text, in the language that it names."""
    language = str(held["language"])
    return "\n".join(_lines(held, language)) + "\n"


def _lines(held: Mapping[str, Any], language: str) -> Iterator[str]:
    _ = catalogue(language, "letters").gettext
    yield _("What we hold about you in case {case}").format(case=held["case"])
    yield ""
    if held["erased"]:
        yield _("What you gave us was erased. What is left tells nothing of you.")
        yield ""
    for event in held["events"]:
        at = moment(datetime.fromisoformat(event["at"]), language)
        yield f"{at} · {_(_EVENTS[event['event']])}"
        for name, value in event["words"].items():
            for line in _values(_("yes") if value is True else value):
                yield (
                    f"    {_(_FIELDS[name])} : {line}"
                    if language == "fr"
                    else (f"    {_(_FIELDS[name])}: {line}")
                )
    yield ""
    yield _("Fingerprints that you gave: {count}").format(count=len(held["fingerprints"]))
    for each in held["fingerprints"]:
        yield f"    {each['type']} {each['value']}"
    if held["stops_copies"]:
        yield _("They stop new copies until you take your request back.")
    count = sum(held["copies"].values())
    yield _("Copies that we know of: {count}").format(count=count)
    count = sum(held["digests"].values())
    yield _("Digests by which we see that requests belong together: {count}").format(count=count)
    count = sum(held["left_out"].values())
    yield _("Left out, because others said it: {count}").format(count=count)


def _values(value: Any) -> Iterator[str]:
    """A value in lines; nothing for what was not given."""
    if isinstance(value, dict):
        for name, each in value.items():
            if each is not None:
                yield from (f"{name}: {line}" for line in _values(each))
    elif isinstance(value, list):
        for each in value:
            yield from _values(each)
    elif value not in ("", None, False):
        yield from str(value).splitlines()
