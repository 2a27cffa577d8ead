"""Variables of commands, and of what is read and how far."""

from __future__ import annotations

from typing import Final

from egide.variables.variable import Group, Type, Variable

FLAGS: Final = Group(
    "Instead of flags",
    (
        Variable(
            "EGIDE_HOME",
            Type.FOLDER,
            "the banks, the index and, without PostgreSQL, the database",
            "`egide` in `XDG_DATA_HOME`, else in `~/.local/share`",
            "--home",
        ),
        Variable("EGIDE_BANK", Type.NAMES, "banks to look in", "all that are to be", "--bank"),
        Variable("EGIDE_POLICY", Type.FILE, "the policy", "the one that ships", "--policy"),
        Variable(
            "EGIDE_FAIL_ON",
            Type.CHOICE,
            "`review`, `block` or `escalate`: from which action on a scan ends with 1",
            "review",
            "--fail-on",
        ),
        Variable(
            "EGIDE_FORMAT",
            Type.CHOICE,
            "`table`, `jsonl`, `html` or `sarif`: how `scan` reports",
            "`table` on a terminal, else `jsonl`",
            "--format",
        ),
        Variable("EGIDE_OUT", Type.PATHS, "reports of `scan`", "", "--out"),
        Variable(
            "EGIDE_THRESHOLD",
            Type.WHOLE,
            "bits of 256 up to which two pictures are one",
            "31",
            "--threshold",
            0,
            63,
        ),
        Variable(
            "EGIDE_GAZETTEER",
            Type.FILE,
            "names to look for, or `sample`",
            "",
            "--gazetteer",
        ),
        Variable("EGIDE_AUDIT_OUT", Type.FOLDER, "where `audit` writes", "", "--out"),
        Variable(
            "EGIDE_POLICY_NAME",
            Type.CHOICE,
            "`civitai-2025-05` or `huggingface-content`: whose rules `audit` counts by",
            "",
            "--policy-name",
        ),
        Variable(
            "EGIDE_SAMPLE",
            Type.WHOLE,
            "listings of each stratum to label by hand",
            "0",
            "--sample",
            0,
            100_000,
        ),
        Variable("EGIDE_REASON", Type.TEXT, "why names are shown", "", "--reason"),
        Variable("EGIDE_BASELINE", Type.FILE, "an earlier JSON Lines report", "", "--baseline"),
        Variable(
            "EGIDE_JOBS",
            Type.WHOLE,
            "threads; of `audit` processes",
            "one for each core",
            "--jobs",
            1,
            256,
        ),
        Variable(
            "EGIDE_REGISTER",
            Type.TRUTH,
            "whether `audit` and `scan` fill the registry",
            "1 of `audit`, 0 of `scan`",
            "--register",
        ),
        Variable("EGIDE_REVEAL", Type.TRUTH, "show what is masked otherwise", "0", "--reveal"),
    ),
)

LIMITS: Final = Group(
    "Limits of one item",
    tuple(
        Variable(
            f"EGIDE_MAX_{name}", type_, meaning, default, least=1 if type_ is Type.WHOLE else None
        )
        for name, type_, default, meaning in (
            ("BYTES", Type.WHOLE, "134,217,728 (128 MiB)", "size of the file"),
            (
                "PIXELS",
                Type.WHOLE,
                "200,000,000",
                (
                    "width times height, and all frames together; formats other than JPEG stop at "
                    "Pillow's own limit, about 89 million"
                ),
            ),
            (
                "FRAMES",
                Type.WHOLE,
                "256",
                "distinct frames of an animation or pages of a file",
            ),
            (
                "SECONDS",
                Type.POSITIVE,
                "10",
                "seconds for one item, looked at between steps",
            ),
            ("SCANS", Type.WHOLE, "100", "passes of a progressive JPEG"),
            (
                "VIDEO_BYTES",
                Type.WHOLE,
                "8,589,934,592 (8 GiB)",
                "size of a video, which is never in memory whole",
            ),
            (
                "VIDEO_PIXELS",
                Type.WHOLE,
                "36,000,000",
                "width times height of a video's frame: 8K",
            ),
            (
                "VIDEO_FRAMES",
                Type.WHOLE,
                "50,000",
                "frames kept of a video: those that look different",
            ),
            ("VIDEO_STREAMS", Type.WHOLE, "4", "video streams read of one file"),
            (
                "VIDEO_LENGTH",
                Type.WHOLE,
                "43,200 (12 h)",
                "seconds of video read of a stream",
            ),
            (
                "VIDEO_SECONDS",
                Type.POSITIVE,
                "900",
                "seconds of processor time for a whole video",
            ),
        )
    ),
    before="Each has its own [error](errors.md).",
)

SANDBOX: Final = Group(
    "Reading uploads",
    (
        Variable(
            "EGIDE_SANDBOX_MEMORY",
            Type.WHOLE,
            "bytes that a process which reads uploads may use, beyond what all share",
            "2,147,483,648 (2 GiB)",
            least=1,
        ),
        Variable(
            "EGIDE_SANDBOX_SECONDS",
            Type.POSITIVE,
            "seconds for one item; its process is killed then. A video's own time is four fifths "
            "of it at most",
            "60",
        ),
        Variable(
            "EGIDE_SANDBOX_WAIT",
            Type.POSITIVE,
            "seconds for which an item waits for a process to be free",
            "10",
        ),
        Variable(
            "EGIDE_SANDBOX_WORKERS", Type.WHOLE, "such processes", "one for each core", least=1
        ),
    ),
    before="Of the [service](../how-to/confine-decoders.md), for each file.",
)

MODEL: Final = Group(
    "A model of your own",
    (
        Variable(
            "EGIDE_SSCD_MODEL",
            Type.FILE,
            "an ONNX model from a picture to a descriptor, for `bank add`, `scan` and `compare`: "
            "[Bring an embedding](../how-to/bring-an-embedding.md)",
        ),
    ),
)

ENCODER: Final = Group(
    "The sentence encoder",
    (
        Variable(
            "EGIDE_SEMANTIC",
            Type.TRUTH,
            "a sentence encoder weighs in when texts are screened (extra `semantic`), beside rules "
            "and n-grams: [Screen text](../how-to/screen-text.md#meaning-beside-the-words)",
            "0",
        ),
    ),
)

LEXICON: Final = Group(
    "Languages of your own",
    (
        Variable(
            "EGIDE_LEXICON",
            Type.FOLDER,
            "[lexicons](lexicons.md) that are read beside those that ship; one of the same "
            "language is read instead",
            "those that ship alone",
        ),
    ),
)

TRUST: Final = Group(
    "Whom to trust",
    (
        Variable(
            "EGIDE_C2PA_TRUST",
            Type.FILE,
            "PEM certificates: whose Content Credentials `trace` and `scan` trust",
            "the official lists that ship",
            "--trust-list",
        ),
    ),
)
