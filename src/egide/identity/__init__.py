"""Who may do what: API keys, people, their sessions, and the audit log of grants and denials."""

from egide.identity.audit import AuditLog, AuditRow
from egide.identity.keys import KeyRecord, Keys
from egide.identity.opened import Identity
from egide.identity.scopes import CONSOLE, Principal, Role, Scope
from egide.identity.secret import Secret

__all__ = [
    "CONSOLE",
    "AuditLog",
    "AuditRow",
    "Identity",
    "KeyRecord",
    "Keys",
    "Principal",
    "Role",
    "Scope",
    "Secret",
]
