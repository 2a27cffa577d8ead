"""What may be done here: scopes, the roles that hold them, and whoever turned out to hold some."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from egide.errors import NotAllowed, UsageError

ACCOUNT_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}", re.ASCII)


class Scope(StrEnum):
    """One thing that a key or a role may allow."""

    SCAN_WRITE = "scan:write"
    SCAN_READ = "scan:read"
    BANK_READ = "bank:read"
    BANK_WRITE = "bank:write"
    LIBRARY_READ = "library:read"
    NOTICE_WRITE = "notice:write"
    CASE_READ = "case:read"
    CASE_WRITE = "case:write"
    CASE_MEDIA = "case:media"
    CASE_CONFIRM = "case:confirm"
    CASE_ESCALATED = "case:escalated"
    COPY_WRITE = "copy:write"
    ORDER_WRITE = "order:write"
    WORK_WRITE = "work:write"
    OUTBOX_READ = "outbox:read"
    OUTBOX_WRITE = "outbox:write"
    KEY_READ = "key:read"
    KEY_WRITE = "key:write"
    AUDIT_READ = "audit:read"
    ACCOUNT_WRITE = "account:write"


FOR_PEOPLE: Final = frozenset(
    {Scope.ACCOUNT_WRITE, Scope.CASE_MEDIA, Scope.CASE_CONFIRM, Scope.CASE_ESCALATED}
)
"""Scopes that no key can have: a key that leaks must not be able to make people, to look at
pictures, or to be the second who agrees."""


class Role(StrEnum):
    """What a person is here for."""

    ADMINISTRATOR = "administrator"
    LEAD = "lead"
    MODERATOR = "moderator"
    AUDITOR = "auditor"


_MODERATOR: Final = frozenset(
    {
        Scope.SCAN_WRITE,
        Scope.SCAN_READ,
        Scope.BANK_READ,
        Scope.LIBRARY_READ,
        Scope.NOTICE_WRITE,
        Scope.CASE_READ,
        Scope.CASE_WRITE,
        Scope.CASE_MEDIA,
    }
)
ROLE_SCOPES: Final = {
    Role.ADMINISTRATOR: frozenset(Scope),
    Role.LEAD: _MODERATOR | {Scope.CASE_CONFIRM, Scope.CASE_ESCALATED},
    Role.MODERATOR: _MODERATOR,
    Role.AUDITOR: frozenset(
        {Scope.SCAN_READ, Scope.BANK_READ, Scope.OUTBOX_READ, Scope.KEY_READ, Scope.AUDIT_READ}
    ),
}


class Actor(StrEnum):
    """The kinds of whoever asks."""

    KEY = "key"
    ACCOUNT = "account"
    CONSOLE = "console"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks, once known: an API key, a person with a session, or the console's user.

    `id` stands in the audit log; `name` is personal and does not. `role` is a person's.
    """

    kind: Actor
    id: str
    name: str
    scopes: frozenset[Scope]
    role: Role | None = None

    @property
    def actor(self) -> str:
        """How the audit log calls it, such as `key:4f9c21d07ab3`."""
        return f"{self.kind}:{self.id}" if self.id else str(self.kind)

    def may(self, scope: Scope) -> bool:
        """Whether `scope` is held."""
        return scope in self.scopes

    def require(self, scope: Scope) -> None:
        """Nothing when `scope` is held; NotAllowed."""
        if scope in self.scopes:
            return
        if self.kind is Actor.KEY and scope not in FOR_PEOPLE:
            remedy = f"make a key with `egide key create NAME --scope {scope}`"
        elif self.kind is Actor.KEY:
            remedy = "sign in as a person who may"
        else:
            remedy = "ask an administrator for a role that has it"
        raise NotAllowed(f"it takes the scope {scope}; {remedy}")


CONSOLE: Final = Principal(Actor.CONSOLE, "", "the console", frozenset(Scope))
"""Whoever can run commands on the server: may read and write the database anyway."""


def parse_scopes(words: Iterable[str]) -> frozenset[Scope]:
    """The scopes that `words` name, for a key; UsageError."""
    scopes = set()
    allowed = [scope for scope in Scope if scope not in FOR_PEOPLE]
    for word in words:
        if word not in allowed:
            raise UsageError(
                f"{word[:40]!r} is no scope of a key; use {', '.join(sorted(allowed))}"
            )
        scopes.add(Scope(word))
    if not scopes:
        raise UsageError("a key without scopes opens nothing; give at least one, as scan:write")
    return frozenset(scopes)
