"""The OpenAPI description: what FastAPI cannot read off routes that take bodies as streams."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from egide.web.problems import PROBLEM_TYPE, TITLES

_SCHEMAS: Final = "#/components/schemas/"
TITLE: Final = "égide"
DESCRIPTION: Final = (
    "Screens uploads, texts and models for non-consensual intimate imagery and what leads to it. "
    "Send an API key as `Authorization: Bearer KEY`. Errors are `application/problem+json` and say "
    "what to do."
)

VERDICT_EXAMPLE: Final = {
    "schema": "egide.verdict/1",
    "item": {"ref": "upload-4711", "kind": "image", "sha256": "0f" * 32},
    "action": "block",
    "rule": "known-ncii",
    "policy": "default@1",
    "findings": [
        {
            "detector": "known-media.v1",
            "label": "ncii.known",
            "score": 1.0,
            "evidence": {
                "bank": "known",
                "entry": "1f0c9a3e-5",
                "method": "pdq",
                "distance": 12,
                "edit": "mirror",
                "purpose": "block",
            },
        }
    ],
    "skipped": [],
    "errors": [],
}
ALLOWED_EXAMPLE: Final = VERDICT_EXAMPLE | {"action": "allow", "rule": "default", "findings": []}
RECORD_ID: Final = "0199a3f0c1d2" + "4f" * 10


def ref(name: str) -> dict[str, str]:
    """The schema called `name` among the components."""
    return {"$ref": f"{_SCHEMAS}{name}"}


def json_body(schema: Mapping[str, Any], example: Any) -> dict[str, Any]:
    """JSON of `schema`, with an example."""
    return {"application/json": {"schema": dict(schema), "example": example}}


def operation(
    *,
    body: Mapping[str, Any] | None = None,
    answer: Mapping[str, Any] | None = None,
    status: int = 200,
    said: str = "What was asked for.",
    known: str | None = None,
    problems: tuple[int, ...] = (),
    headers: Mapping[str, str] | None = None,
    parameters: tuple[Mapping[str, Any], ...] = (),
) -> dict[str, Any]:
    """Arguments of a route: its body and answer by content type, and which problems it may give.

    `known` is what a 200 says beside a 201: that it was there already.
    """
    found: dict[str, Any] = {"description": said}
    if answer is not None:
        found["content"] = dict(answer)
    if headers:
        found["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        }
    refused = {
        code: {
            "description": TITLES[code],
            "content": {PROBLEM_TYPE: {"schema": ref("Problem")}},
        }
        for code in sorted({401, 403, 422, 429, 503, 507, *problems})
    }
    told = {status: found} | ({} if known is None else {200: {**found, "description": known}})
    extra: dict[str, Any] = {}
    if body is not None:
        extra["requestBody"] = {"required": True, "content": dict(body)}
    if parameters:
        extra["parameters"] = list(parameters)
    return {
        "status_code": status,
        "responses": {**told, **refused},
        "openapi_extra": extra,
        "response_model": None,
    }


IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "Sent again with the same request within a day, it gets the same answer, and "
    "nothing is done twice.",
}

_FORM: Final = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "The file itself."},
        "remember": {
            "type": "boolean",
            "default": False,
            "description": "Put the fingerprints of a picture or video into the library.",
        },
        "content_id": {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "description": "What you call the content; `remember` needs it.",
        },
        "content_url": {
            "type": "string",
            "maxLength": 2000,
            "description": "Where you show it; kept with the library's entry.",
        },
        "context": {"type": "string", "maxLength": 64, "description": "Where it was posted."},
    },
}
_FORMS: Final = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "array", "maxItems": 20, "items": {"type": "string", "format": "binary"}},
        "remember": _FORM["properties"]["remember"],  # type: ignore[index]
        "content_id": {"type": "array", "items": {"type": "string", "maxLength": 200}},
        "content_url": {"type": "array", "items": {"type": "string", "maxLength": 2000}},
        "context": {"type": "string", "maxLength": 64},
    },
}
_TEXT_EXAMPLE: Final = {
    "kind": "text",
    "text": "Is this picture of a bridge for sale?",
    "context": "post",
    "content_id": "post-4711",
}

SCAN: Final = operation(
    body={
        "multipart/form-data": {"schema": _FORM},
        "application/json": {"schema": ref("ScanItem"), "example": _TEXT_EXAMPLE},
    },
    answer=json_body(ref("Verdict"), VERDICT_EXAMPLE),
    said="The verdict.",
    problems=(400, 408, 413, 415, 502),
    headers={
        "Egide-Verdict-Id": "The id of the verdict's record.",
        "Egide-Entry-Id": "The entry of the library, when it was remembered.",
        "Idempotency-Replayed": "`true` when the answer is an earlier one.",
    },
    parameters=(IDEMPOTENCY,),
)
BATCH: Final = operation(
    body={
        "multipart/form-data": {"schema": _FORMS},
        "application/json": {
            "schema": ref("ScanBatch"),
            "example": {"items": [_TEXT_EXAMPLE]},
        },
    },
    answer=json_body(
        ref("ScanResults"),
        {"results": [{"id": RECORD_ID, "entry": "77aa03f1-912", "verdict": ALLOWED_EXAMPLE}]},
    ),
    said="The verdicts, in the order of the items.",
    problems=(400, 408, 413, 415),
    parameters=(IDEMPOTENCY,),
)


def described(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `arguments` for one route, which FastAPI may change."""
    return {**arguments, "responses": dict(arguments["responses"])}


@cache
def components() -> dict[str, Any]:
    """The schemas that routes name by `ref`."""
    from egide.web import asked, desk_models, models  # noqa: PLC0415  they name nothing of ours

    found: dict[str, Any] = {
        "Verdict": _verdict(),
        "Problem": _PROBLEM,
        "ScanResults": _RESULTS,
    }
    for name, kind in {
        "ScanItem": asked.ScanItem,
        "ScanBatch": asked.ScanBatch,
        **models.SCHEMAS,
        **desk_models.SCHEMAS,
    }.items():
        schema = TypeAdapter(kind).json_schema(ref_template=_SCHEMAS + "{model}")
        found |= schema.pop("$defs", {})
        found[name] = schema
    return found


def _verdict() -> dict[str, Any]:
    """The published schema, whose own definitions are referred to from where it now stands."""
    text = files("egide.report").joinpath("verdict.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text.replace('"#/', f'"{_SCHEMAS}Verdict/'))
    del schema["$schema"], schema["$id"]
    return schema


_PROBLEM: Final = {
    "title": "Problem",
    "type": "object",
    "description": "What went wrong (RFC 9457), and what to do about it.",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string", "description": "By which the server's log has it."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_RESULTS: Final = {
    "title": "Results",
    "type": "object",
    "required": ["results"],
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "entry", "verdict"],
                "properties": {
                    "id": {"type": "string"},
                    "entry": {"type": ["string", "null"]},
                    "verdict": ref("Verdict"),
                },
            },
        }
    },
}


def openapi(app: FastAPI) -> dict[str, Any]:
    """The whole description of `app`, OpenAPI 3.1."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=TITLE,
            version=version("egide"),
            openapi_version="3.1.0",
            description=DESCRIPTION,
            routes=app.routes,
            separate_input_output_schemas=False,
        )
        parts = document.setdefault("components", {})
        parts["schemas"] = {**parts.get("schemas", {}), **components()}
        parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"key": []}]
        app.openapi_schema = document
    return app.openapi_schema
