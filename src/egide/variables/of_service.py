"""Variables of the service, its database, its people and its clients."""

from __future__ import annotations

from typing import Final

from egide.variables.variable import Group, Type, Variable

SERVICE: Final = Group(
    "The service",
    (
        Variable("EGIDE_HOST", Type.TEXT, "address to listen on", "127.0.0.1", "--host"),
        Variable(
            "EGIDE_PORT", Type.WHOLE, "and its port; 0 takes a free one", "8080", "--port", 0, 65535
        ),
        Variable(
            "EGIDE_PROCESSES",
            Type.WHOLE,
            "processes that answer requests",
            "1",
            "--processes",
            1,
            64,
        ),
        Variable(
            "EGIDE_LIBRARY",
            Type.TEXT,
            "bank that `remember=true` adds to",
            "library",
            "--library",
        ),
        Variable(
            "EGIDE_MAX_UPLOAD",
            Type.WHOLE,
            "MiB of the largest file that is taken",
            "256",
            "--max-upload",
            1,
            1 << 20,
        ),
        Variable(
            "EGIDE_RATE",
            Type.NUMBER,
            "requests a second of one key, in each process; 0 for no limit",
            "0",
            "--rate",
            0,
        ),
        Variable(
            "EGIDE_QUEUE", Type.WHOLE, "scans that may wait in each process", "256", "--queue", 1
        ),
        Variable(
            "EGIDE_RETENTION",
            Type.NUMBER,
            "days for which records of verdicts are kept; 0 keeps none",
            "90",
            "--retention",
            0,
        ),
    ),
    before="Of `egide serve`: [Run the service](../how-to/run-the-service.md).",
)

PEOPLE: Final = Group(
    "Keys and people",
    (
        Variable(
            "EGIDE_PUBLIC_URL",
            Type.ADDRESS,
            "under which browsers see the service, as `https://egide.example`",
            "what they ask for",
        ),
        Variable("EGIDE_SECRET_FILE", Type.FILE, "the server's secret", "`secret.key` in the home"),
        Variable(
            "EGIDE_AUDIT_DAYS",
            Type.WHOLE,
            "days that the audit log is kept",
            "730",
            least=1,
            most=36_500,
        ),
        Variable("EGIDE_OIDC_ISSUER", Type.ADDRESS, "of an OpenID provider"),
        Variable("EGIDE_OIDC_CLIENT_ID", Type.TEXT, "how it knows this service"),
        Variable("EGIDE_OIDC_SECRET_FILE", Type.FILE, "the secret shared with it"),
    ),
    before="See [Keys and people](../how-to/keys-and-people.md).",
)

DATABASE: Final = Group(
    "The database",
    (
        Variable(
            "EGIDE_DATABASE_URL",
            Type.ADDRESS,
            "of a PostgreSQL database, `postgresql://…`: [Use PostgreSQL](../how-to/postgresql.md)",
            "the SQLite file in the home",
            secret=True,
        ),
        Variable(
            "EGIDE_DATABASE_CONNECTIONS",
            Type.WHOLE,
            "connections to it that one process keeps at most",
            "16",
            least=1,
            most=1_000,
        ),
    ),
)

WEBHOOKS: Final = Group(
    "Webhooks",
    (
        Variable(
            "EGIDE_WEBHOOK_ALLOW",
            Type.ADDRESSES,
            "such as `http://127.0.0.1:9000/hooks/`: under these "
            "[webhooks](../how-to/webhooks.md) may be private and without encryption",
        ),
    ),
)

SOURCES: Final = Group(
    "Content sources",
    (
        Variable(
            "EGIDE_CONTENT_SOURCES",
            Type.ADDRESSES,
            "such as `https://cdn.example/uploads/`: what is under them may be fetched; with "
            "`private+` before it a source may be inside the network, and without encryption: "
            "[Content sources](../how-to/content-sources.md)",
        ),
        Variable(
            "EGIDE_CONTENT_TOKEN",
            Type.TEXT,
            "sent to content sources, and to nobody else, as `Authorization: Bearer …`: so that "
            "they show the desk what they hide",
            secret=True,
        ),
    ),
)

OPERATIONS: Final = Group(
    "Backups",
    (
        Variable(
            "EGIDE_PASSPHRASE_FILE",
            Type.FILE,
            "its first line is the passphrase of [backups](../how-to/back-up.md)",
            "",
            "--passphrase-file",
        ),
    ),
)

CLIENT: Final = Group(
    "Programs that ask the service",
    (
        Variable(
            "EGIDE_SERVICE_URL",
            Type.ADDRESS,
            "of the service, for `Client.from_environment` and `egide doctor`: "
            "[Ask from Python](../how-to/clients.md)",
            "",
            "--url",
        ),
        Variable(
            "EGIDE_SERVICE_KEY",
            Type.TEXT,
            "API key for `Client.from_environment`",
            secret=True,
        ),
        Variable(
            "EGIDE_WEBHOOK_SECRETS",
            Type.NAMES,
            "what `Client.from_environment` verifies messages by, as `egide outbox add` printed it",
            secret=True,
        ),
    ),
)
