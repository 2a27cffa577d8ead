"""A whole hub audited: how many of its models imitate real people, which, and how many use them."""

from __future__ import annotations

from egide.hub.audit.run import Audit, audit
from egide.hub.audit.score import Score, score_sheet
from egide.hub.audit.write import Reveal, write_audit

__all__ = ["Audit", "Reveal", "Score", "audit", "score_sheet", "write_audit"]
