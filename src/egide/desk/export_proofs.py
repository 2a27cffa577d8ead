"""Proofs for a person that what an export tells is in the log."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egide.desk.log_checkpoint import Checkpoints
from egide.desk.log_event import stored_event
from egide.desk.log_key import open_signer
from egide.desk.log_proof import InclusionProof
from egide.errors import CaseErased

if TYPE_CHECKING:
    from egide.desk.casebook import Casebook


def proofs(book: Casebook, home: Path, held: Mapping[str, Any]) -> dict[str, str]:
    """The log's public key, and a proof for each event of an export: files, by their names.

    A checkpoint is signed that covers them; what is erased has no proof. LogError, StorageError.
    """
    signer = open_signer(book.database, home)
    head = Checkpoints(book.database, book.log).sign(signer)
    files = {"log.pub": f"{signer.verifier}\n"}
    with book.database.read() as connection:
        for each in held["events"]:
            event = stored_event(connection, held["case"], each["number"])
            if event is None:
                continue
            try:
                proof = InclusionProof.of(connection, book.keys, book.log, event, head)
            except CaseErased:
                continue
            files[f"event-{event.seq}.tlog-proof"] = proof.text()
    return files
