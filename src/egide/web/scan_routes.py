"""`POST /v1/scan` and `/v1/scan/batch`: verdicts on what is uploaded."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from egide.identity import Principal, Scope
from egide.web.access import May
from egide.web.answering import answer, answered, one, several
from egide.web.asked import (
    FORM_FIELDS,
    ScanContent,
    asked_of_batch,
    asked_of_form,
    asked_of_json,
    digest_of,
)
from egide.web.bodies import JSON_TYPE, json_bytes, media_type
from egide.web.contract import BATCH, SCAN, described
from egide.web.problems import Problem
from egide.web.state import Service, service_of
from egide.web.upload import FORM_TYPE, read_form

MOST_FILES: Final = 20

router = APIRouter(prefix="/v1", tags=["scan"])
Scanning = Annotated[Principal, Depends(May(Scope.SCAN_WRITE))]


@router.post("/scan", summary="Scan one item", **described(SCAN))
async def scan(request: Request, principal: Scanning) -> Response:
    """Says what was found in a file, a text or a listing, and what to do about it.

    A picture or video may be named by its `url`, if that is in a content source which the
    administrator has set up: it is then fetched, and all is as if it had been uploaded.

    The answer is the verdict. Its record can be found again by the header `Egide-Verdict-Id` or by
    `content_id`. With `remember=true` the fingerprints of a picture or video are put into the
    library, unless the verdict is `block` or `escalate`; the header `Egide-Entry-Id` names the
    entry.
    """
    service = service_of(request)
    if media_type(request) == JSON_TYPE:
        given = asked_of_json(await json_bytes(request))
        if isinstance(given, ScanContent):
            return await _scan_fetched(service, request, principal, given)
        asked = [given]
        return await answer(service, request, principal, digest_of("scan", asked), asked, one)
    _check_type(request)
    most = service.settings.max_upload
    with await read_form(request, service.spool, fields=FORM_FIELDS, most=most) as form:
        asked = [asked_of_form(form, form.only_file())]
        return await answer(service, request, principal, digest_of("scan", asked), asked, one)


@router.post("/scan/batch", summary="Scan several items", **described(BATCH))
async def scan_batch(request: Request, principal: Scanning) -> Response:
    """Scans up to 100 texts and listings, or up to 20 files; verdicts in their order.

    Of a form, `content_id` and `content_url` stand once for each file; `remember` and `context` are
    for all. All is stored in one transaction.
    """
    service = service_of(request)
    if media_type(request) == JSON_TYPE:
        asked = asked_of_batch(await json_bytes(request))
        return await answer(service, request, principal, digest_of("batch", asked), asked, several)
    _check_type(request)
    most = service.settings.max_upload
    with await read_form(
        request, service.spool, fields=FORM_FIELDS, most=most, most_files=MOST_FILES
    ) as form:
        count = len(form.files)
        if not count:
            raise Problem.of_field("file", "no file was sent; send one or more")
        asked = [asked_of_form(form, file, n, count) for n, file in enumerate(form.files)]
        return await answer(service, request, principal, digest_of("batch", asked), asked, several)


async def _scan_fetched(
    service: Service, request: Request, principal: Principal, given: ScanContent
) -> Response:
    given.check()
    digest = digest_of("scan", [given])
    earlier = await answered(service, request, principal, digest)
    if earlier is not None:  # what was answered is not fetched again
        return earlier
    with service.waiting:
        upload = await service.fetching.upload(given.url)
    with closing(upload):
        return await answer(service, request, principal, digest, [given.asked(upload)], one)


def _check_type(request: Request) -> None:
    if media_type(request) != FORM_TYPE:
        raise Problem(
            415,
            f"the content type is {media_type(request) or 'missing'!r}; send a file as {FORM_TYPE},"
            f" a text or listing as {JSON_TYPE}",
            headers={"Accept": f"{FORM_TYPE}, {JSON_TYPE}"},
        )
