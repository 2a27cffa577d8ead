"""Variables of the desk: cases, pages, record, letters and reports."""

from __future__ import annotations

from typing import Final

from egide.variables.variable import Group, Type, Variable

DESK: Final = Group(
    "The desk",
    (
        Variable(
            "EGIDE_DESK_PLATFORM",
            Type.TEXT,
            "what pages and letters call the platform",
            "`this platform`",
        ),
        Variable(
            "EGIDE_DESK_JURISDICTION",
            Type.CHOICE,
            "`US`, `UK`, `EU` or `FR`: the law that is offered first, and taken where a notice "
            "names none",
            "EU",
        ),
        Variable(
            "EGIDE_DESK_UNDO_SECONDS",
            Type.NUMBER,
            "how long a decision can be taken back before it has an effect",
            "60",
            least=0,
            most=86_400,
        ),
        Variable(
            "EGIDE_DESK_ACK_HOURS",
            Type.POSITIVE,
            "within how many hours the platform is to acknowledge what it was told",
            "24",
            most=744,
        ),
        Variable(
            "EGIDE_DESK_SECOND_FROM",
            Type.WHOLE,
            "a removal of more contents than this takes a second reviewer",
            "20",
            least=0,
            most=1_000_000,
        ),
    ),
    before="See [Run the desk](../how-to/run-the-desk.md).",
)

PAGES: Final = Group(
    "The public pages",
    (
        Variable(
            "EGIDE_DESK_EXIT",
            Type.ADDRESS,
            "where the button “Leave this page” leads: a page that anybody may have open",
            "a weather page in the language of the page",
        ),
    ),
)

RECORD: Final = Group(
    "The desk's record",
    (
        Variable(
            "EGIDE_LOG_KEY_FILE",
            Type.FILE,
            "the key that signs the log's checkpoints",
            "`log.key` in the home",
        ),
        Variable(
            "EGIDE_LOG_ORIGIN",
            Type.TEXT,
            "what the log is called, such as `example.org/desk`, when its key is made",
            "a name made of the key",
        ),
        Variable(
            "EGIDE_TSA_ALLOW",
            Type.ADDRESSES,
            "under these a time-stamping authority may be private, and without encryption",
        ),
        Variable(
            "EGIDE_DESK_RETENTION",
            Type.TRUTH,
            "whether `serve` lets go, once a day, of what need not be kept",
            "0",
        ),
        Variable(
            "EGIDE_DESK_RETENTION_POLICY",
            Type.FILE,
            "what goes, when and why (YAML)",
            "the one that ships",
            "--retention-policy",
        ),
    ),
    before="See [The record](../how-to/the-record.md).",
)

REPORTS: Final = Group(
    "The DSA Transparency Database",
    (
        Variable(
            "EGIDE_DSA_URL",
            Type.ADDRESS,
            "of its interface, such as `https://dsa.example/api/v1`",
        ),
        Variable("EGIDE_DSA_TOKEN", Type.TEXT, "the platform's token for it", secret=True),
    ),
    before="Nothing is sent until both are set: "
    "[Letters and reports](../how-to/letters-and-reports.md).",
)
