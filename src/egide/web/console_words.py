"""What the desk's own words are called on the pages: states, events, marks, reasons for doubt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from egide.language import marked

KINDS: Final = {
    "notice": marked("notice"),
    "screening": marked("screening"),
}
STATES: Final = {
    "incomplete": marked("incomplete"),
    "open": marked("open"),
    "escalated": marked("escalated"),
    "decided": marked("removal under way"),
    "removed": marked("removed everywhere"),
    "refused": marked("refused"),
    "appealed": marked("appealed"),
    "reversed": marked("reversed"),
    "withdrawn": marked("withdrawn"),
    "erased": marked("erased"),
}
MARKS: Final = {
    "order": marked("authority's order"),
    "flagger": marked("trusted flagger"),
    "agent": marked("sent by an agent"),
    "second": marked("second reviewer awaited"),
    "appeal": marked("appeal"),
    "overdue": marked("platform overdue"),
    "late": marked("late"),
    "paused": marked("clock paused"),
    "pending": marked("can be undone"),
    "decided": marked("you decided it"),
    "new": marked("found since the decision"),
    "returned": marked("back from escalation"),
}
WARNING_MARKS: Final = frozenset({"overdue", "late"})
EVENTS: Final = {
    "received": marked("notice received"),
    "screened": marked("found by screening"),
    "asked": marked("more was asked for"),
    "completed": marked("what was missing came"),
    "accepted": marked("accepted: the library is searched, new uploads are held back"),
    "joined": marked("joined with another case"),
    "copies.searched": marked("library searched"),
    "copy.found": marked("copy found"),
    "claimed": marked("claimed"),
    "released": marked("released"),
    "decided": marked("decided"),
    "undone": marked("decision undone"),
    "confirmed": marked("confirmed by a second reviewer"),
    "effective": marked("decision in effect"),
    "told": marked("platform told"),
    "acknowledged": marked("platform acknowledged"),
    "overdue": marked("acknowledgement overdue"),
    "appealed": marked("appealed"),
    "appeal.decided": marked("appeal decided"),
    "reversed": marked("reversed"),
    "restored": marked("to be put back"),
    "withdrawn": marked("withdrawn"),
    "escalated": marked("escalated"),
    "returned": marked("returned to the queue"),
    "note": marked("note"),
    "revealed": marked("statement or sender revealed"),
    "viewed": marked("picture viewed"),
    "erased": marked("personal parts erased"),
    "letter": marked("letter written"),
}
HOW: Final = {
    "located": marked("named in the notice"),
    "identical": marked("identical"),
    "similar": marked("substantially the same"),
    "screened": marked("found by screening"),
}
COPY_STATES: Final = {
    "found": marked("found"),
    "told": marked("platform told, not acknowledged yet"),
    "overdue": marked("acknowledgement overdue"),
    "removed": marked("removed"),
    "gone": marked("gone before"),
    "refused": marked("refused by the platform"),
    "blocked": marked("upload blocked"),
    "restoring": marked("to be put back"),
    "withheld": marked("putting back refused by the platform"),
    "unrestored": marked("putting back overdue"),
    "restored": marked("put back"),
}
EDITS: Final = {
    "none": marked("as it is"),
    "mirror": marked("mirrored"),
    "flip": marked("upside down, mirrored"),
    "rotate90": marked("turned left"),
    "rotate180": marked("upside down"),
    "rotate270": marked("turned right"),
    "transpose": marked("mirrored, turned"),
    "transverse": marked("mirrored, turned"),
    "border": marked("border differs"),
}
LABELS: Final = {
    "ncii.known": marked("known intimate picture"),
    "ncii.request.nudify": marked("asks to undress somebody"),
    "ncii.request.sexualize": marked("asks to sexualise somebody"),
    "ncii.request.faceswap": marked("asks for a face swap"),
    "ncii.request.intimate": marked("asks for intimacy"),
    "ncii.service.promotion": marked("promotes a service"),
    "ncii.service.referral": marked("refers to a service"),
    "ncii.commission.solicit": marked("seeks a commission"),
    "ncii.commission.offer": marked("offers a commission"),
    "likeness.named": marked("named likeness"),
    "likeness.unnamed": marked("unnamed likeness"),
    "likeness.sexual": marked("sexual likeness"),
    "synthetic.declared": marked("declared synthetic"),
    "synthetic.traced": marked("traced as synthetic"),
    "consent.missing": marked("no consent on record"),
    "consent.withdrawn": marked("consent withdrawn"),
    "rating.mismatch": marked("wrong rating"),
    "evasion.text": marked("disguised text"),
    "context.support": marked("support context"),
    "context.news": marked("news context"),
}
PATTERNS: Final = {
    "signer": marked("The same signature stands under other notices"),
    "contact": marked("The same contact stands in other notices"),
    "target": marked("Other notices name the same content"),
    "print": marked("Other notices came with the same fingerprint"),
    "origin": marked("Many notices came from the same network"),
    "refused": marked("Earlier notices of this sender were refused"),
    "own_work": marked("A creator marked this content as their own work"),
    "news": marked("The content looks like news or reporting"),
}
OUTCOMES: Final = {
    "remove": marked("Remove"),
    "refuse": marked("Refuse"),
    "uphold": marked("Uphold the decision"),
    "reverse": marked("Reverse the decision"),
    "withdraw": marked("Withdraw"),
    "confirm": marked("Confirm the finding"),
    "deny": marked("Deny the finding"),
}
SENDERS: Final = {
    "self": marked("the person herself or himself"),
    "agent": marked("an agent"),
    "authority": marked("an authority"),
}
LETTERS: Final = {
    "receipt": marked("receipt"),
    "asked": marked("request for more"),
    "decision": marked("decision"),
    "refusal": marked("refusal"),
    "appeal": marked("outcome of the appeal"),
    "withdrawn": marked("withdrawal"),
}
SECOND: Final = {
    "order": marked("An authority's order is refused by two."),
    "many": marked("So many contents are removed by two."),
    "own_work": marked("What a creator marked as their own work is removed by two."),
}
ROUTES: Final = {
    "notice": marked("a notice"),
    "screening": marked("screening"),
    "reviewer": marked("a reviewer"),
}
MISSING: Final = {
    "signature": marked("signature"),
    "locations": marked("where it is"),
    "statement": marked("statement"),
    "good_faith": marked("declarations"),
    "contact": marked("contact"),
}
NO_SUCH_CASE: Final = marked(
    "there is nothing of this number or behind this look, or it is not for you to see"
)
SAID: Final = (
    marked("another reviewer has claimed it"),
    marked("another reviewer has claimed it; take the next, or wait"),
    marked("the second reviewer is another one than the first"),
    marked("you decided this case; another reviewer decides the appeal"),
    marked("it is decided already; undo that first"),
    marked("there is no decision that can still be undone"),
    marked("no decision of it waits for a second reviewer"),
    marked("the notice lacks what its law requires; ask for it first"),
    marked("tick at least one copy, or refuse the notice"),
    marked("say what you ask for"),
    marked("write something"),
    marked("the form is not complete, or too long; go back"),
)
"""What the desk says when something cannot be done: found in the catalogues by its very words."""
TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "kind": KINDS,
    "state": STATES,
    "mark": MARKS,
    "event": EVENTS,
    "how": HOW,
    "copy": COPY_STATES,
    "edit": EDITS,
    "label": LABELS,
    "pattern": PATTERNS,
    "outcome": OUTCOMES,
    "missing": MISSING,
    "letter": LETTERS,
    "sender": SENDERS,
    "second": SECOND,
    "route": ROUTES,
}


def word(table: str, key: str, say: Callable[[str], str]) -> str:
    """What `key` of `table` is called; `key` itself where it has no other name."""
    known = TABLES[table].get(str(key))
    return say(known) if known else str(key)
