"""What the service remembers: verdicts, the content that a platform hosts, answers given."""

from egide.records.answers import Answer, Answers
from egide.records.hosted import Content, Copy, Hosted
from egide.records.ledger import Ledger
from egide.records.verdicts import Record, Records

__all__ = ["Answer", "Answers", "Content", "Copy", "Hosted", "Ledger", "Record", "Records"]
