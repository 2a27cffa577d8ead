"""From what is asked to the answer: read in a worker, stored, and only then said."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from egide.records import Answer, Record
from egide.verdict import Action
from egide.web.problems import Problem

if TYPE_CHECKING:
    from egide.bank import Bank
    from egide.db import Connection
    from egide.identity import Principal
    from egide.web.asked import Asked
    from egide.web.state import Service
    from egide.web.workers import Examined

VERDICT_ID: Final = "Egide-Verdict-Id"
ENTRY_ID: Final = "Egide-Entry-Id"
REPLAYED: Final = "Idempotency-Replayed"
KEY_HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Said:
    """What one scan came to: the verdict's record, the verdict, and the entry it is kept as."""

    record: Record
    verdict: dict[str, Any]
    entry: str | None = None


async def answer(
    service: Service,
    request: Request,
    principal: Principal,
    digest: bytes,
    asked: Sequence[Asked],
    write: Callable[[Sequence[Said]], tuple[bytes, dict[str, str]]],
) -> Response:
    """Scans what is `asked`, stores what came of it, and answers as `write` writes it.

    A request with an `Idempotency-Key` that was answered before gets that answer; Problem 422 when
    it was another request.
    """
    earlier = await answered(service, request, principal, digest)
    if earlier is not None:
        return earlier
    key = idempotency_key(request)
    examined = await _all_examined(service, asked)
    kept = [
        (each, found, service.records.new(found.verdict, principal.actor, each.content_id))
        for each, found in zip(asked, examined, strict=True)
    ]
    remembers = any(each.content and found.fingerprints for each, found, _ in kept)
    bank = await run_in_threadpool(service.library) if remembers else None
    screening = service.desk.screening
    concerned = any(screening.concerns(found.verdict, each.content_id) for each, found, _ in kept)

    def store(connection: Connection) -> tuple[Answer, bool]:
        said = [
            Said(record, found.verdict.to_json(), _remember(service, connection, bank, each, found))
            for each, found, record in kept
        ]
        body, headers = write(said)
        given = Answer(digest, 200, body, headers)
        if key is not None:
            earlier = service.answers.store(connection, principal.actor, key, given)
            if earlier is not None:
                _check_same(earlier, digest)
                return earlier, True
        for (each, found, record), told in zip(kept, said, strict=True):
            service.records.store(connection, record)
            _announce(service, connection, record)
            _tell_desk(service, connection, each, found, told)
        return given, False

    given, replayed = await service.write(store, serial=remembers or concerned)
    for _, found, _ in kept:
        verdict = found.verdict
        service.metrics.verdict(
            str(verdict.kind), str(verdict.action), complete=not verdict.incomplete
        )
    return _again(given, digest) if replayed else _response(given)


async def answered(
    service: Service, request: Request, principal: Principal, digest: bytes
) -> Response | None:
    """The answer that a request with this `Idempotency-Key` was given before, if it was.

    Problem 422 when it was another request.
    """
    key = idempotency_key(request)
    if key is None:
        return None
    known = await service.quick.run(service.answers.find, principal.actor, key)
    return None if known is None else _again(known, digest)


def idempotency_key(request: Request) -> str | None:
    """The header `Idempotency-Key`, if it is there; Problem 422 when it is not valid."""
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return None
    key = key.removeprefix('"').removesuffix('"')
    if not _KEY.fullmatch(key):
        raise Problem.of_field(KEY_HEADER, "it must be 1 to 255 visible ASCII characters")
    return key


def one(said: Sequence[Said]) -> tuple[bytes, dict[str, str]]:
    """The answer to one scan: the verdict itself, what else there is in headers."""
    (each,) = said
    headers = {VERDICT_ID: each.record.id}
    if each.entry is not None:
        headers[ENTRY_ID] = each.entry
    return _json(each.verdict), headers


def several(said: Sequence[Said]) -> tuple[bytes, dict[str, str]]:
    """The answer to a batch: the verdicts in the order of the items."""
    results = [
        {"id": each.record.id, "entry": each.entry, "verdict": each.verdict} for each in said
    ]
    return _json({"results": results}), {}


async def _all_examined(service: Service, asked: Sequence[Asked]) -> Sequence[Examined]:
    here = [service.workers.reads_here(each.item) for each in asked]
    away = [each for each, short in zip(asked, here, strict=True) if not short]
    # What is read here waits for nothing: it counts as one.
    with service.waiting.scans(len(away) or 1):
        if len(asked) == 1:  # most are: no task is needed to wait for one
            return [await _examined(service, asked[0])]
        texts = [each for each, short in zip(asked, here, strict=True) if short]
        read, found = await asyncio.gather(
            _in_turn(service, texts),
            asyncio.gather(*(_examined(service, each) for each in away)),
        )
    next_read, next_found = iter(read), iter(found)
    return [next(next_read if short else next_found) for short in here]


async def _in_turn(service: Service, asked: Sequence[Asked]) -> Sequence[Examined]:
    """One after the other, and between them whatever else there is to be done."""
    found = []
    for each in asked:
        found.append(await _examined(service, each))
        await asyncio.sleep(0)
    return found


async def _examined(service: Service, asked: Asked) -> Examined:
    return await service.workers.examine(asked.item, remember=asked.content is not None)


def _remember(
    service: Service, connection: Connection, bank: Bank | None, asked: Asked, found: Examined
) -> str | None:
    if bank is None or asked.content is None or not found.fingerprints:
        return None
    return service.hosted.add(connection, bank, asked.content, found.fingerprints)


def _announce(service: Service, connection: Connection, record: Record) -> None:
    """Tells webhooks of a verdict that is not `allow`, in its transaction, without what was found.

    Whoever may know more asks for the record.
    """
    verdict = record.verdict
    if verdict["action"] == Action.ALLOW:
        return
    told = {
        "id": record.id,
        "content_id": record.content_id,
        "kind": verdict["item"]["kind"],
        "action": verdict["action"],
        "rule": verdict["rule"],
    }
    service.outbox.enqueue(connection, f"verdict.{verdict['action']}", told)


def _tell_desk(
    service: Service, connection: Connection, asked: Asked, found: Examined, said: Said
) -> None:
    """Adds what was uploaded to the case that it is a copy for, or begins one, in its transaction.

    So the copy is there, or what a person is to look at, if and only if the verdict was answered.
    """
    screening = service.desk.screening
    if asked.content_id is None or not screening.concerns(found.verdict, asked.content_id):
        return
    screening.screened(
        connection,
        found.verdict,
        asked.content_id,
        record=said.record.id,
        content_url=asked.content.content_url if asked.content else None,
        entry=said.entry,
    )


def _check_same(known: Answer, digest: bytes) -> None:
    if known.digest != digest:
        raise Problem.of_field(
            KEY_HEADER, "it was used for another request; take a new one for each request"
        )


def _again(known: Answer, digest: bytes) -> Response:
    _check_same(known, digest)
    response = _response(known)
    response.headers[REPLAYED] = "true"
    return response


def _response(given: Answer) -> Response:
    return Response(given.body, given.status, dict(given.headers), "application/json")


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
