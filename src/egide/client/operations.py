"""What the service can be asked, each operation written once for both clients.

Types below are those of `Client`; with `AsyncClient` every method is awaited, and what gives an
iterator gives one for `async for`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import quote

from egide.client.asking import Listing, Operation, Streaming, Turn
from egide.client.bodies import Form, Json, Part, Source, Whole, name_of, without_none
from egide.client.calls import Call, Request
from egide.client.results import (
    AcknowledgedCopy,
    Added,
    BankCounts,
    BankInfo,
    CaseStatus,
    Copy,
    EntryInfo,
    Forgotten,
    Found,
    Imported,
    NoticeReceipt,
    Record,
    Scanned,
    document_of,
    nothing,
    one,
    page,
    scanned,
    scanned_all,
    several,
)
from egide.fingerprint import DEFAULT_THRESHOLD, Fingerprint
from egide.verdict import Action

ListFormat = Literal["jsonl", "csv", "tx"]
LIST_TYPES: Final[dict[ListFormat, str]] = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
    "tx": "text/plain",
}
KEY_HEADER: Final = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be scanned; `context` says where it stood, such as `post` or `prompt`."""

    text: str = field(repr=False)
    context: str | None = None
    content_id: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As the service takes it."""
        given = {"context": self.context, "content_id": self.content_id, **self.attributes}
        return {**without_none(given), "kind": "text", "text": self.text}


@dataclass(frozen=True, slots=True)
class ModelListing:
    """A model's listing to be scanned, as Civitai's or Hugging Face's interface writes it."""

    listing: Mapping[str, Any] = field(repr=False)
    content_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As the service takes it."""
        given = {"kind": "listing", "listing": dict(self.listing), "content_id": self.content_id}
        return without_none(given)


class Operations:
    """What both clients can be asked for; every method raises `ServiceError`."""

    @Operation
    def scan_file(
        self,
        source: Source,
        *,
        name: str | None = None,
        context: str | None = None,
        content_id: str | None = None,
        content_url: str | None = None,
        remember: bool = False,
        idempotency_key: str | None = None,
    ) -> Call[Scanned]:
        """Scans a picture, video or model file: a path, bytes, or a file open for reading.

        `remember` puts its fingerprints into the library, under `content_id` and `content_url`.
        Give an `idempotency_key` of your own when the work may be done anew by another process,
        such as the id of a task; else there is a random one for all attempts of this call.
        """
        given = {"context": context, "content_id": content_id, "content_url": content_url}
        fields = [(key, value) for key, value in given.items() if value is not None]
        fields += [("remember", "true")] if remember else []
        form = Form((Part(source, name_of(source, name)),), tuple(fields))
        return Call(_post("/v1/scan", form, _key(idempotency_key)), scanned)

    @Operation
    def scan_text(
        self,
        text: str,
        *,
        context: str | None = None,
        content_id: str | None = None,
        attributes: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Scanned]:
        """Scans a text: a prompt, a post, an advert; `context` says which."""
        document = Text(text, context, content_id, attributes or {}).to_json()
        return Call(_post("/v1/scan", Json(document), _key(idempotency_key)), scanned)

    @Operation
    def scan_listing(
        self,
        listing: Mapping[str, Any],
        *,
        content_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Scanned]:
        """Scans a model's listing, as Civitai's or Hugging Face's interface writes it."""
        document = ModelListing(listing, content_id).to_json()
        return Call(_post("/v1/scan", Json(document), _key(idempotency_key)), scanned)

    @Operation
    def scan_batch(
        self, items: Iterable[Text | ModelListing], *, idempotency_key: str | None = None
    ) -> Call[tuple[Scanned, ...]]:
        """Scans up to 100 texts and listings at once; verdicts in their order."""
        document = {"items": [item.to_json() for item in items]}
        request = _post("/v1/scan/batch", Json(document), _key(idempotency_key))
        return Call(request, scanned_all)

    @Operation
    def match(
        self,
        fingerprints: Iterable[Fingerprint],
        *,
        banks: Iterable[str] | None = None,
        threshold: int = DEFAULT_THRESHOLD,
    ) -> Call[tuple[Found, ...]]:
        """Which banked entries are near `fingerprints`, such as `picture_hashes` makes.

        In all block and allow banks, or in `banks`; up to `threshold` bits of 256.
        """
        document = {"fingerprints": _hexadecimal(fingerprints), "threshold": threshold}
        if banks is not None:
            document["banks"] = list(banks)
        return Call(_post("/v1/match", Json(document)), several(Found, "matches"))

    @Listing
    def copies(
        self,
        *,
        entry: str | None = None,
        content_id: str | None = None,
        fingerprints: Iterable[Fingerprint] | None = None,
        threshold: int = DEFAULT_THRESHOLD,
    ) -> Turn[Copy]:
        """Hosted content that shows what an entry, a content, or `fingerprints` show."""
        parse = page(Copy, "copies")
        if fingerprints is not None:
            body = Json({"fingerprints": _hexadecimal(fingerprints), "threshold": threshold})
            return lambda after: Call(
                Request("POST", "/v1/library/copies", _query(after=after), {}, body), parse
            )
        named = {"entry": entry, "content_id": content_id, "threshold": threshold}
        return lambda after: Call(
            Request("GET", "/v1/library/copies", _query(**named, after=after)), parse
        )

    @Operation
    def forget(self, content_id: str) -> Call[Forgotten]:
        """Takes what was remembered of a content out of the library, for good."""
        request = Request("DELETE", "/v1/library/contents", _query(content_id=content_id))
        return Call(request, one(Forgotten), gone=lambda: Forgotten(content_id, ()))

    @Listing
    def verdicts(
        self, *, content_id: str | None = None, action: Action | str | None = None
    ) -> Turn[Record]:
        """The records of verdicts, newest first."""
        parse = page(Record, "verdicts")
        return lambda before: Call(
            Request(
                "GET",
                "/v1/verdicts",
                _query(content_id=content_id, action=action, before=before),
            ),
            parse,
        )

    @Operation
    def verdict(self, id: str) -> Call[Record]:  # noqa: A002
        """The record that `Scanned.id` names."""
        return Call(Request("GET", f"/v1/verdicts/{_segment(id)}"), one(Record))

    @Listing
    def banks(self) -> Turn[BankInfo]:
        """The banks, by name."""
        parse = page(BankInfo, "banks")
        return lambda after: Call(Request("GET", "/v1/banks", _query(after=after)), parse)

    @Operation
    def make_bank(
        self, bank: str, purpose: Literal["block", "library", "allow"] = "block"
    ) -> Call[BankInfo]:
        """Makes an empty bank, unless there is one with that purpose."""
        body = Json({"purpose": purpose})
        return Call(Request("PUT", _bank(bank), (), {}, body), one(BankInfo))

    @Operation
    def count_bank(self, bank: str) -> Call[BankCounts]:
        """How many entries it has by state, and fingerprints by type."""
        return Call(Request("GET", _bank(bank)), one(BankCounts))

    @Operation
    def remove_bank(self, bank: str) -> Call[None]:
        """Removes a bank with all its entries, for good."""
        return Call(Request("DELETE", _bank(bank)), nothing, gone=lambda: None)

    @Listing
    def entries(self, bank: str, *, reveal: bool = False) -> Turn[EntryInfo]:
        """The entries of a bank, newest first, tombstones included."""
        parse = page(EntryInfo, "entries")
        return lambda before: Call(
            Request("GET", f"{_bank(bank)}/entries", _query(before=before, reveal=_truth(reveal))),
            parse,
        )

    @Operation
    def add_file(
        self, bank: str, source: Source, *, label: str | None = None, ref: str | None = None
    ) -> Call[Added]:
        """Banks a picture or video, which is not kept.

        With a `ref`, which is your own name for it, it can be repeated without being added twice.
        """
        given = {"label": label, "ref": ref}
        fields = tuple((key, value) for key, value in given.items() if value is not None)
        form = Form((Part(source, name_of(source, None)),), fields)
        return Call(_post(f"{_bank(bank)}/entries", form), one(Added), repeatable=bool(ref))

    @Operation
    def add_fingerprints(
        self,
        bank: str,
        fingerprints: Iterable[Fingerprint],
        *,
        label: str | None = None,
        ref: str | None = None,
    ) -> Call[Added]:
        """Banks fingerprints that were made elsewhere, as one entry; `ref` as of `add_file`."""
        document = {"fingerprints": _hexadecimal(fingerprints), "label": label, "ref": ref}
        request = _post(f"{_bank(bank)}/entries", Json(without_none(document)))
        return Call(request, one(Added), repeatable=bool(ref))

    @Operation
    def set_state(
        self, bank: str, entry: str, state: Literal["active", "disputed", "withdrawn"]
    ) -> Call[EntryInfo]:
        """Restores, disputes or withdraws an entry; withdrawn ones are erased for good."""
        path = f"{_bank(bank)}/entries/{_segment(entry)}/state"
        return Call(Request("PUT", path, (), {}, Json({"state": state})), one(EntryInfo))

    @Operation
    def import_list(
        self,
        bank: str,
        source: Source,
        format: ListFormat = "jsonl",  # noqa: A002
    ) -> Call[Imported]:
        """Adds the fingerprints of a list; what is there already is not added twice."""
        return Call(
            _post(f"{_bank(bank)}/import", Whole(source, LIST_TYPES[format])), one(Imported)
        )

    @Streaming
    def export_list(self, bank: str, format: ListFormat = "jsonl") -> Call[None]:  # noqa: A002
        """The fingerprints of a bank, piece by piece.

        When the connection breaks on the way this ends with `Unreachable`: what came is a part.
        """
        return Call(Request("GET", f"{_bank(bank)}/export", _query(format=format)), nothing)

    @Operation
    def send_notice(
        self, notice: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Call[NoticeReceipt]:
        """Hands a notice in, for the person shown; its fields are those of `POST /v1/notices`.

        A key that holds `notice:write` makes it a trusted flagger's.
        """
        request = _post("/v1/notices", Json(dict(notice)), _key(idempotency_key))
        return Call(request, one(NoticeReceipt))

    @Operation
    def case_status(self, case: str, pin: str) -> Call[CaseStatus]:
        """How a case stands, for whoever knows its number and PIN; NotFound when one is wrong."""
        return Call(Request("GET", _case(case), (), _pin(pin)), one(CaseStatus))

    @Operation
    def add_to_notice(self, case: str, pin: str, more: Mapping[str, Any]) -> Call[CaseStatus]:
        """Adds what was missing in a notice, or found since."""
        request = _post(f"{_case(case)}/add", Json(dict(more)), _pin(pin))
        return Call(request, one(CaseStatus), repeatable=False)

    @Operation
    def withdraw_notice(self, case: str, pin: str) -> Call[CaseStatus]:
        """Takes a notice back: its fingerprints are erased, and what was removed is put back."""
        return Call(
            _post(f"{_case(case)}/withdraw", None, _pin(pin)), one(CaseStatus), repeatable=False
        )

    @Operation
    def appeal_refusal(self, case: str, pin: str, words: str) -> Call[CaseStatus]:
        """Asks that another reviewer look at a notice that was refused."""
        request = _post(f"{_case(case)}/appeal", Json({"words": words}), _pin(pin))
        return Call(request, one(CaseStatus), repeatable=False)

    @Operation
    def acknowledge(
        self,
        copy: str,
        outcome: Literal["removed", "restored", "gone", "refused"],
        *,
        note: str | None = None,
    ) -> Call[AcknowledgedCopy]:
        """Tells the desk what became of a copy that `content.remove` or `.restore` spoke of."""
        body = Json(without_none({"outcome": outcome, "note": note}))
        return Call(_post(f"/v1/copies/{_segment(copy)}/acknowledge", body), one(AcknowledgedCopy))

    @Operation
    def whoami(self) -> Call[dict[str, Any]]:
        """Whose key this is and what it may do: to see whether it works."""
        return Call(Request("GET", "/v1/whoami"), document_of)


def _post(path: str, body: Any, headers: Mapping[str, str] | None = None) -> Request:
    return Request("POST", path, (), headers or {}, body)


def _key(given: str | None) -> dict[str, str]:
    return {KEY_HEADER: given or secrets.token_hex(16)}


def _bank(name: str) -> str:
    return f"/v1/banks/{_segment(name)}"


def _case(number: str) -> str:
    return f"/v1/notices/{_segment(number)}"


def _pin(pin: str) -> dict[str, str]:
    return {"X-Case-Pin": pin}


def _segment(text: str) -> str:
    """One piece of a path, whatever is in it: `.` and `..` alone would be taken out of it."""
    quoted = quote(text, safe="")
    return quoted.replace(".", "%2E") if quoted in ("", ".", "..") else quoted


def _query(**given: object) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in given.items() if value is not None)


def _truth(value: bool) -> str | None:
    return "true" if value else None


def _hexadecimal(fingerprints: Iterable[Fingerprint]) -> list[dict[str, Any]]:
    return [
        {"type": str(each.type), "hash": each.hex, "quality": each.quality} for each in fingerprints
    ]
