"""`POST /v1/match`, `/v1/library/…`, `/v1/verdicts`: what is known of a fingerprint or content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool

from egide.errors import UsageError
from egide.fingerprint import DEFAULT_THRESHOLD, MAX_THRESHOLD, Fingerprint
from egide.identity import Principal, Scope
from egide.match import Match, Purpose
from egide.records import Copy
from egide.verdict import Action
from egide.web.access import May
from egide.web.asked import MOST_CONTENT_ID, content_id
from egide.web.bodies import json_bytes, parsed
from egide.web.contract import json_body, operation, ref
from egide.web.models import (
    COPIES,
    MATCH,
    PDQ_EXAMPLE,
    Copies,
    Forgotten,
    Matches,
    MatchRequest,
    VerdictRecord,
    VerdictRecords,
    fingerprints_of,
)
from egide.web.problems import Problem
from egide.web.state import Service, service_of

MOST_LISTED: Final = 500
_EXAMPLE: Final = {"fingerprints": [{"type": "pdq", "hash": PDQ_EXAMPLE}], "threshold": 31}

router = APIRouter(prefix="/v1")
Scanning = Annotated[Principal, Depends(May(Scope.SCAN_WRITE))]
Reading = Annotated[Principal, Depends(May(Scope.SCAN_READ))]
Searching = Annotated[Principal, Depends(May(Scope.LIBRARY_READ))]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]
Distance = Annotated[int, Query(ge=0, le=MAX_THRESHOLD)]
ContentId = Annotated[str, Query(min_length=1, max_length=MOST_CONTENT_ID)]


@router.post(
    "/match",
    tags=["scan"],
    summary="Look fingerprints up",
    **operation(
        body=json_body(ref("MatchRequest"), _EXAMPLE),
        answer={"application/json": {"schema": ref("Matches")}},
        problems=(404, 413, 415),
    ),
)
async def match(request: Request, principal: Scanning) -> Matches:  # noqa: ARG001
    """Which banked entries are near fingerprints that you made yourself, as `egide hash` does.

    A PDQ hash is compared as it is: to find mirrored and turned copies send all eight.
    """
    service = service_of(request)
    asked = parsed(MATCH, await json_bytes(request))
    found = await run_in_threadpool(_matches, service, asked)
    return Matches.model_validate({"matches": [_shown(each) for each in found]})


@router.get(
    "/library/copies",
    tags=["library"],
    summary="Find hosted copies of an entry or a content",
    **operation(answer={"application/json": {"schema": ref("Copies")}}, problems=(404,)),
)
async def copies(
    request: Request,
    principal: Searching,  # noqa: ARG001
    entry: Annotated[str | None, Query(max_length=40, examples=["1f0c9a3e-5"])] = None,
    content_id: Annotated[str | None, Query(min_length=1, max_length=MOST_CONTENT_ID)] = None,
    threshold: Distance = DEFAULT_THRESHOLD,
    after: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = 100,
) -> Copies:
    """Hosted content that shows what a banked entry, or another content, shows.

    Fingerprints are personal data and do not go into addresses: POST them.
    """
    service = service_of(request)
    if (entry is None) == (content_id is None):
        raise Problem.of_field(
            "entry", "give either entry or content_id; fingerprints are sent by POST, in the body"
        )
    asked = await run_in_threadpool(_known, service, entry, content_id)
    found = await run_in_threadpool(_copies, service, asked, threshold)
    return _page(found, after, limit)


@router.post(
    "/library/copies",
    tags=["library"],
    summary="Find hosted copies of fingerprints",
    **operation(
        body=json_body(ref("CopiesRequest"), _EXAMPLE),
        answer={"application/json": {"schema": ref("Copies")}},
        problems=(413, 415),
    ),
)
async def copies_of_fingerprints(
    request: Request,
    principal: Searching,  # noqa: ARG001
    after: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = 100,
) -> Copies:
    """Hosted content that is near fingerprints that you have; see `POST /v1/match`."""
    service = service_of(request)
    asked = parsed(COPIES, await json_bytes(request))
    fingerprints = fingerprints_of(asked.fingerprints)
    found = await run_in_threadpool(_copies, service, fingerprints, asked.threshold)
    return _page(found, after, limit)


@router.delete(
    "/library/contents",
    tags=["library"],
    summary="Forget a content",
    **operation(answer={"application/json": {"schema": ref("Forgotten")}}, problems=(404,)),
)
async def forget(
    request: Request,
    principal: Scanning,  # noqa: ARG001
    content_id: ContentId,
) -> Forgotten:
    """Takes what was remembered of a content out of the library, for good: you host it no more."""
    withdrawn = await run_in_threadpool(_forget, service_of(request), content_id)
    return Forgotten(content_id=content_id, withdrawn=withdrawn)


@router.get(
    "/verdicts",
    tags=["verdicts"],
    summary="List verdict records",
    **operation(answer={"application/json": {"schema": ref("VerdictRecords")}}),
)
async def verdicts(
    request: Request,
    principal: Reading,  # noqa: ARG001
    content_id: Annotated[str | None, Query(min_length=1, max_length=MOST_CONTENT_ID)] = None,
    action: Action | None = None,
    before: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
    limit: Limit = 100,
) -> VerdictRecords:
    """What was said, newest first; of one content with `content_id`."""
    service = service_of(request)
    found = await run_in_threadpool(
        lambda: service.records.list(
            content_id=content_id, action=action, before=before, limit=limit
        )
    )
    return VerdictRecords.model_validate(
        {
            "verdicts": [record.to_json() for record in found],
            "next": found[-1].id if len(found) == limit else None,
        }
    )


@router.get(
    "/verdicts/{id}",
    tags=["verdicts"],
    summary="Show one verdict record",
    **operation(answer={"application/json": {"schema": ref("VerdictRecord")}}, problems=(404,)),
)
async def verdict(request: Request, principal: Reading, id: str) -> VerdictRecord:  # noqa: A002, ARG001
    """The record that an answer's header `Egide-Verdict-Id` names."""
    found = await run_in_threadpool(service_of(request).records.find, id)
    if found is None:
        raise Problem(404, "no such record; it may be older than the retention time")
    return VerdictRecord.model_validate(found.to_json())


def _matches(service: Service, asked: MatchRequest) -> list[Match]:
    fingerprints = fingerprints_of(asked.fingerprints)
    if asked.banks is None:
        banks = service.banks.screened()
    else:
        banks = tuple(service.banks.named(name) for name in dict.fromkeys(asked.banks))
    if any(bank.purpose is Purpose.LIBRARY for bank in banks):
        raise Problem.of_field("banks", "a library is searched by POST /v1/library/copies")
    found = [each for bank in banks for each in bank.search(fingerprints, asked.threshold)]
    return sorted(found, key=lambda each: (each.query, each.distance, each.bank, each.entry))


def _shown(found: Match) -> dict[str, Any]:
    return {
        "query": found.query,
        "bank": found.bank,
        "purpose": found.purpose,
        "entry": found.entry,
        "state": found.state,
        "method": found.type,
        "distance": found.distance,
        "edit": found.edit,
        "label": found.label,
    }


def _known(service: Service, entry: str | None, content: str | None) -> list[Fingerprint]:
    """The fingerprints of an entry, or of all that a content is kept as."""
    if entry is not None:
        return list(service.home.bank_of(entry).entry(entry).fingerprints)
    try:
        entries = service.hosted.entries(content_id(content or ""))
    except ValueError as error:
        raise UsageError(f"content_id: {error}") from None
    if not entries:
        raise Problem(404, "nothing is remembered under this content_id")
    return [
        fingerprint
        for each in entries
        for fingerprint in service.home.bank_of(each).entry(each).fingerprints
    ]


def _copies(service: Service, asked: Sequence[Fingerprint], threshold: int) -> list[Copy]:
    return service.hosted.copies(service.banks.of(Purpose.LIBRARY), asked, threshold)


def _page(found: Sequence[Copy], after: str | None, limit: int) -> Copies:
    """The copies behind the one that `after` names, as `DISTANCE-ENTRY`: they may change between.

    An entry that is of several contents is on one page with all of them.
    """
    start = _place(after)
    rest = [each for each in found if _key(each) > start]
    page = rest[:limit]
    page += [each for each in rest[limit:] if _key(each) == _key(page[-1])]
    more = len(page) < len(rest)
    return Copies.model_validate(
        {
            "copies": [each.to_json() for each in page],
            "next": f"{page[-1].match.distance}-{page[-1].match.entry}" if more else None,
        }
    )


def _key(copy: Copy) -> tuple[int, str]:
    return copy.match.distance, copy.match.entry


def _place(after: str | None) -> tuple[int, str]:
    if after is None:
        return -1, ""
    distance, _, entry = after.partition("-")
    if not (distance.isascii() and distance.isdigit() and len(distance) < 4):
        raise Problem.of_field("after", "it is not what `next` said; begin anew without it")
    return int(distance), entry


def _forget(service: Service, content: str) -> list[str]:
    entries = service.hosted.entries(content)
    if not entries:
        raise Problem(404, "nothing is remembered under this content_id")
    for bank, ids in service.home.by_bank(entries):
        bank.withdraw(ids)
    service.hosted.forget(content)
    return entries
