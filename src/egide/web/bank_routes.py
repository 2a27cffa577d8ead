"""`/v1/banks…`: over HTTP what `egide bank` does on the command line."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from egide.bank import Draft, Entry
from egide.bank.lists import ListFormat, list_entry, list_header, read_list
from egide.errors import BankExists, ImportFormatError
from egide.finding import MASK
from egide.identity import Principal, Scope
from egide.match import EntryState
from egide.web.access import May, MayChangeBank
from egide.web.asked import content_id as printable
from egide.web.bodies import JSON_TYPE, chunks, json_bytes, media_type, parsed
from egide.web.contract import json_body, operation, ref
from egide.web.models import (
    BANK,
    ENTRY,
    PDQ_EXAMPLE,
    STATE,
    AddedEntry,
    Banks,
    BankShown,
    BankStats,
    Entries,
    EntryShown,
    Imported,
    fingerprints_of,
)
from egide.web.problems import Problem
from egide.web.state import Service, service_of
from egide.web.upload import FORM_TYPE, read_form

MOST_LISTED: Final = 500
MOST_IMPORT: Final = 8 << 30
IMPORT_BATCH: Final = 20_000
EXPORT_BATCH: Final = 500
MOST_PROBLEMS: Final = 10
LIST_TYPES: Final = {
    ListFormat.JSONL: "application/x-ndjson",
    ListFormat.CSV: "text/csv; charset=utf-8",
    ListFormat.TX: "text/plain; charset=utf-8",
}
_LIST: Final = {
    "text/csv": {"schema": {"type": "string"}, "example": f"type,hash\npdq,{PDQ_EXAMPLE}\n"},
    "application/x-ndjson": {"schema": {"type": "string"}},
    "text/plain": {"schema": {"type": "string"}, "example": f"pdq {PDQ_EXAMPLE}\n"},
}
_FILE: Final = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "A picture or video."},
        "label": {"type": "string", "maxLength": 200},
        "ref": {"type": "string", "maxLength": 200},
        "local": {
            "type": "boolean",
            "default": True,
            "description": "Keep local fingerprints too, which find parts.",
        },
    },
}

router = APIRouter(prefix="/v1/banks", tags=["banks"])
Reading = Annotated[Principal, Depends(May(Scope.BANK_READ))]
Writing = Annotated[Principal, Depends(MayChangeBank(Scope.BANK_WRITE))]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]
Reveal = Annotated[
    bool, Query(description="Show references and values; it is noted in the audit log.")
]


@router.get(
    "",
    summary="List the banks",
    **operation(answer={"application/json": {"schema": ref("Banks")}}),
)
async def banks(
    request: Request,
    principal: Reading,  # noqa: ARG001
    after: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 100,
) -> Banks:
    """The banks by name."""
    found = await run_in_threadpool(service_of(request).banks.all)
    rest = [bank for bank in found if bank.name > (after or "")]
    page = [
        {"bank": bank.name, "purpose": bank.purpose, "created": bank.created}
        for bank in rest[:limit]
    ]
    more = len(rest) > limit
    return Banks.model_validate({"banks": page, "next": page[-1]["bank"] if more else None})


@router.put(
    "/{bank}",
    summary="Make a bank",
    **operation(
        body=json_body(ref("BankRequest"), {"purpose": "block"}),
        answer={"application/json": {"schema": ref("BankShown")}},
        status=201,
        said="It was made.",
        known="It was there already.",
        problems=(409, 413, 415),
    ),
)
async def make(request: Request, principal: Writing, bank: str) -> Response:  # noqa: ARG001
    """Makes an empty bank; 200 when it is there already with that purpose."""
    service = service_of(request)
    asked = parsed(BANK, await json_bytes(request))
    try:
        made = await run_in_threadpool(service.home.create, bank, asked.purpose)
        status = 201
    except BankExists:
        made = await run_in_threadpool(service.banks.named, bank)
        if made.purpose is not asked.purpose:
            raise
        status = 200
    shown = BankShown(bank=made.name, purpose=made.purpose, created=made.created)
    return JSONResponse(shown.model_dump(mode="json"), status)


@router.get(
    "/{bank}",
    summary="Count a bank",
    **operation(answer={"application/json": {"schema": ref("BankStats")}}, problems=(404,)),
)
async def stats(request: Request, principal: Reading, bank: str) -> BankStats:  # noqa: ARG001
    """How many entries by state, and fingerprints by type."""
    opened = await run_in_threadpool(service_of(request).banks.named, bank)
    return BankStats.model_validate(await run_in_threadpool(opened.stats))


@router.delete(
    "/{bank}", summary="Remove a bank", **operation(status=204, said="It is gone.", problems=(404,))
)
async def remove(request: Request, principal: Writing, bank: str) -> Response:  # noqa: ARG001
    """Removes a bank with all its entries, for good."""
    await run_in_threadpool(service_of(request).home.remove, bank)
    return Response(status_code=204)


@router.get(
    "/{bank}/entries",
    summary="List entries",
    **operation(answer={"application/json": {"schema": ref("Entries")}}, problems=(404,)),
)
async def entries(
    request: Request,
    principal: Reading,
    bank: str,
    before: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = 100,
    reveal: Reveal = False,
) -> Entries:
    """The entries of a bank, newest first, tombstones included."""
    service = service_of(request)
    opened = await run_in_threadpool(service.banks.named, bank)
    listed = opened.entries(newest_first=True, beyond=before)
    found = await run_in_threadpool(lambda: list(islice(listed, limit)))
    if reveal:
        service.identity.audit.note(principal, "reveal", f"bank:{opened.key}")
    return Entries.model_validate(
        {
            "entries": [_shown(entry, reveal) for entry in found],
            "next": found[-1].id if len(found) == limit else None,
        }
    )


@router.post(
    "/{bank}/entries",
    summary="Add an entry",
    **operation(
        body={
            FORM_TYPE: {"schema": _FILE},
            **json_body(
                ref("EntryRequest"), {"fingerprints": [{"type": "pdq", "hash": PDQ_EXAMPLE}]}
            ),
        },
        answer={"application/json": {"schema": ref("AddedEntry")}},
        status=201,
        said="It is on the disk.",
        known="It was there already.",
        problems=(400, 404, 408, 413, 415),
    ),
)
async def add(request: Request, principal: Writing, bank: str) -> Response:  # noqa: ARG001
    """Fingerprints a picture or video, which is not kept, or takes fingerprints as they are.

    What is there already under this reference is not added twice.
    """
    service = service_of(request)
    opened = await run_in_threadpool(service.banks.named, bank)
    draft = await _draft(request, service)
    added = (await run_in_threadpool(opened.add_all, [draft]))[0]
    shown = AddedEntry(entry=added.entry, new=added.new)
    return JSONResponse(shown.model_dump(mode="json"), 201 if added.new else 200)


@router.get(
    "/{bank}/entries/{entry}",
    summary="Show an entry",
    **operation(answer={"application/json": {"schema": ref("EntryShown")}}, problems=(404,)),
)
async def show(
    request: Request, principal: Reading, bank: str, entry: str, reveal: Reveal = False
) -> EntryShown:
    """One entry, or its tombstone."""
    service = service_of(request)
    opened = await run_in_threadpool(service.banks.named, bank)
    found = await run_in_threadpool(opened.entry, entry)
    if reveal:
        service.identity.audit.note(principal, "reveal", f"entry:{found.id}")
    return EntryShown.model_validate(_shown(found, reveal))


@router.put(
    "/{bank}/entries/{entry}/state",
    summary="Dispute, restore or withdraw an entry",
    **operation(
        body=json_body(ref("StateRequest"), {"state": "disputed"}),
        answer={"application/json": {"schema": ref("EntryShown")}},
        problems=(404, 413, 415),
    ),
)
async def change(
    request: Request,
    principal: Writing,  # noqa: ARG001
    bank: str,
    entry: str,
) -> EntryShown:
    """Disputed entries go to a reviewer; withdrawn ones are erased, everywhere and for good."""
    service = service_of(request)
    asked = parsed(STATE, await json_bytes(request))
    opened = await run_in_threadpool(service.banks.named, bank)
    changed = {
        EntryState.ACTIVE: opened.restore,
        EntryState.DISPUTED: opened.dispute,
        EntryState.WITHDRAWN: opened.withdraw,
    }[asked.state]
    await run_in_threadpool(changed, [entry])
    found = await run_in_threadpool(opened.entry, entry)
    return EntryShown.model_validate(_shown(found, reveal=False))


@router.post(
    "/{bank}/import",
    summary="Import a list of fingerprints",
    **operation(
        body=_LIST,
        answer={"application/json": {"schema": ref("Imported")}},
        problems=(404, 408, 413, 415),
    ),
)
async def import_(request: Request, principal: Writing, bank: str) -> Imported:  # noqa: ARG001
    """Adds the fingerprints of a list, in any format that `egide bank import` reads.

    Lines that cannot be read are counted and left out. The list is read as a stream, to 8 GiB.
    Sent again after a broken connection, it adds what is missing.
    """
    service = service_of(request)
    await run_in_threadpool(service.banks.named, bank)
    path = service.spool.path(".list")
    try:
        with service.spool.writing(), _private(path) as file:
            async for chunk in chunks(request, MOST_IMPORT):
                file.write(chunk)
        return await run_in_threadpool(_imported, service, bank, path)
    finally:
        path.unlink(missing_ok=True)


@router.get(
    "/{bank}/export",
    summary="Export a bank",
    **operation(
        answer={kind: {"schema": {"type": "string"}} for kind in LIST_TYPES.values()},
        said="The list, as a stream.",
        problems=(404,),
    ),
)
async def export(
    request: Request,
    principal: Reading,  # noqa: ARG001
    bank: str,
    format: ListFormat = ListFormat.JSONL,  # noqa: A002
) -> StreamingResponse:
    """The bank's fingerprints: `jsonl` keeps everything. They are personal data."""
    opened = await run_in_threadpool(service_of(request).banks.named, bank)

    def lines() -> Iterator[str]:
        yield list_header(format)
        listed = opened.entries()
        while batch := list(islice(listed, EXPORT_BATCH)):
            yield "".join(list_entry(entry, format) for entry in batch)

    return StreamingResponse(lines(), media_type=LIST_TYPES[format])


async def _draft(request: Request, service: Service) -> Draft:
    """The entry that is to be added; Problem 422 for what has no fingerprints."""
    if media_type(request) == JSON_TYPE:
        asked = parsed(ENTRY, await json_bytes(request))
        return Draft(tuple(fingerprints_of(asked.fingerprints)), asked.label, asked.ref)
    if media_type(request) != FORM_TYPE:
        raise Problem(415, f"send a picture or video as {FORM_TYPE}, or JSON as {JSON_TYPE}")
    most = service.settings.max_upload
    with await read_form(
        request, service.spool, fields={"label", "ref", "local"}, most=most
    ) as form:
        label, ref_ = (_said(form.field(name), name) for name in ("label", "ref"))
        item = form.only_file().item("file", {})
        local = (form.field("local") or "true").lower() not in ("false", "0")
        with service.waiting:
            found = await service.workers.fingerprints(item, local=local)
    if not found:
        raise Problem.of_field("file", f"it is {item.kind}; banks take pictures and videos")
    return Draft(found, label, ref_)


def _said(value: str | None, field: str) -> str | None:
    if not value:
        return None
    try:
        return printable(value)
    except ValueError as error:
        raise Problem.of_field(field, str(error)) from None


@contextmanager
def _private(path: Path) -> Iterator[io.BufferedWriter]:
    """A new file that only its owner reads."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        yield file


def _imported(service: Service, name: str, path: Path) -> Imported:
    bank = service.banks.named(name)
    done = Imported(bank=bank.name, new=0, known=0, unreadable=0, problems=[])

    def drafts(lines: io.TextIOWrapper) -> Iterator[Draft]:
        for read in read_list(lines, "the list"):
            if not isinstance(read, ImportFormatError):
                yield read
                continue
            done.unreadable += 1
            if len(done.problems) < MOST_PROBLEMS:
                done.problems.append(read.detail)

    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            source = drafts(lines)
            while batch := list(islice(source, IMPORT_BATCH)):
                added = bank.add_all(batch)
                done.new += sum(each.new for each in added)
                done.known += sum(not each.new for each in added)
    finally:
        bank.store_index()
    return done


def _shown(entry: Entry, reveal: bool) -> dict[str, Any]:
    return {
        "entry": entry.id,
        "state": entry.state,
        "label": entry.label,
        "ref": entry.ref if reveal or entry.ref is None else MASK,
        "added": entry.added,
        "changed": entry.changed,
        "fingerprints": [
            {"type": f.type, "quality": f.quality, "edit": f.edit}
            | ({"hash": f.hex} if reveal else {})
            for f in entry.fingerprints
        ],
    }
