"""A platform of one file, to see what égide does for a real one: profiles, uploads, a webhook.

What concerns égide is in `upload` and `told`. There are no accounts, and nothing is kept on the
disk: it is for trying things out, and for nothing else.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from html import escape
from typing import Annotated, Any

from fastapi import FastAPI, Form, Header, HTTPException, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from egide.client import Client, Message, ServiceError, WebhookRefused

PICTURES = ("image/jpeg", "image/png", "image/webp", "image/gif")
REFUSED = "This picture cannot be shown here."
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ font: 1rem/1.5 system-ui; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }}
img {{ max-width: 100%; display: block }} figure {{ margin: 1.5rem 0 }}</style>
<h1>{title}</h1>{body}</html>"""
UPLOAD = """<form method="post" enctype="multipart/form-data" action="/upload">
<p><label>Your name <input name="owner" required maxlength="40"></label></p>
<p><label>Picture <input type="file" name="file" accept="image/*" required></label></p>
<p><button>Upload</button></p></form>"""


@dataclass
class Picture:
    """An upload; `hidden` says why it is not shown."""

    owner: str
    data: bytes
    type: str
    hidden: str | None = None


@dataclass
class Platform:
    """What is at `url`: pictures by their ids, and letters by the names of their readers.

    Reviewers see what is hidden too: `token` is what their desk shows.
    """

    url: str
    egide: Client
    token: str = field(default_factory=secrets.token_urlsafe)
    pictures: dict[str, Picture] = field(default_factory=dict)
    letters: dict[str, list[str]] = field(default_factory=dict)

    def upload(self, owner: str, data: bytes, type_: str) -> Picture | None:
        """Asks égide; the picture, which may have to wait, or None when it must not be shown."""
        id_ = f"p-{secrets.token_hex(6)}"
        scanned = self.egide.scan_file(
            data, name=id_, content_id=id_, content_url=f"{self.url}/media/{id_}", remember=True
        )
        if scanned.action in ("block", "escalate"):
            return None
        waits = "a person looks at it first" if scanned.action == "review" else None
        self.pictures[id_] = Picture(owner, data, type_, waits)
        return self.pictures[id_]

    def told(self, message: Message) -> None:
        """Does what the desk says, and acknowledges; the same message twice does it once."""
        data, picture = message.data, self.pictures.get(message.data.get("content_id", ""))
        if message.type == "content.remove":
            self._hide(picture, data)
            self.egide.acknowledge(data["copy"], "removed" if picture else "gone")
        elif message.type == "content.restore":
            self._show(picture)
            self.egide.acknowledge(data["copy"], "restored" if picture else "gone")

    def _hide(self, picture: Picture | None, data: dict[str, Any]) -> None:
        if picture is not None and picture.hidden != "removed":
            picture.hidden = "removed"
            reasons = data["statement"]["texts"]["en"]
            letter = f"A picture of yours was removed. {reasons} To object: {data['appeal_url']}"
            self.letters.setdefault(picture.owner, []).append(letter)

    def _show(self, picture: Picture | None) -> None:
        if picture is not None and picture.hidden is not None:
            if picture.hidden == "removed":
                letter = "A picture of yours was removed by mistake and is back."
                self.letters.setdefault(picture.owner, []).append(letter)
            picture.hidden = None


def create_app(platform: Platform) -> FastAPI:
    """The platform's pages, and the address that égide's webhook goes to."""
    app = FastAPI(title="A platform", docs_url=None, redoc_url=None, openapi_url=None)
    _add_pages(app, platform)
    _add_media(app, platform)
    return app


def from_environment() -> FastAPI:
    """The platform as `uvicorn --factory app:from_environment` starts it."""
    secret = os.environ.get("PLATFORM_WEBHOOK_SECRET")
    egide = Client.from_environment(webhook_secrets=[secret] if secret else [])
    url = os.environ.get("PLATFORM_URL", "http://127.0.0.1:8090")
    return create_app(Platform(url, egide, os.environ["PLATFORM_DESK_TOKEN"]))


def _add_pages(app: FastAPI, platform: Platform) -> None:
    @app.get("/")
    def start() -> HTMLResponse:
        names = sorted({picture.owner for picture in platform.pictures.values()})
        people = "".join(
            f'<li><a href="/u/{escape(name)}">{escape(name)}</a></li>' for name in names
        )
        return _page("A platform", f"<ul>{people}</ul>{UPLOAD}")

    @app.post("/upload")
    async def upload(
        owner: Annotated[str, Form(pattern=r"^\w{1,40}$")], file: UploadFile
    ) -> Response:
        data, type_ = await file.read(), file.content_type or ""
        if type_ not in PICTURES:
            raise HTTPException(415, f"A picture is one of {', '.join(PICTURES)}.")
        try:
            picture = await run_in_threadpool(platform.upload, owner, data, type_)
        except ServiceError as error:  # what was not screened is not shown
            raise HTTPException(503, "Uploads are not possible at the moment.") from error
        if picture is None:
            return _page(REFUSED, "<p><a href='/'>Back</a></p>", status=403)
        return RedirectResponse(f"/u/{owner}", 303)

    @app.get("/u/{owner}")
    def profile(owner: str) -> HTMLResponse:
        mine = [(id_, each) for id_, each in platform.pictures.items() if each.owner == owner]
        shown = "".join(
            f'<figure><img src="/media/{id_}" alt=""><figcaption>{id_}</figcaption></figure>'
            if picture.hidden is None
            else f"<p>{id_}: {picture.hidden}</p>"
            for id_, picture in mine
        )
        letters = "".join(f"<li>{escape(each)}</li>" for each in platform.letters.get(owner, []))
        return _page(owner, f"{shown}<h2>Letters</h2><ul>{letters}</ul>{UPLOAD}")


def _add_media(app: FastAPI, platform: Platform) -> None:
    @app.get("/media/{id_}")
    def media(id_: str, authorization: Annotated[str, Header()] = "") -> Response:
        picture = platform.pictures.get(id_)
        desk = secrets.compare_digest(authorization.encode(), f"Bearer {platform.token}".encode())
        if picture is None or (picture.hidden is not None and not desk):
            raise HTTPException(404, "There is no such picture.")
        return Response(
            picture.data, media_type=picture.type, headers={"Cache-Control": "no-store"}
        )

    @app.post("/egide")
    async def webhook(request: Request) -> Response:
        try:
            message = platform.egide.webhooks.verify(request.headers, await request.body())
        except WebhookRefused as error:
            raise HTTPException(401, str(error)) from error
        await run_in_threadpool(platform.told, message)
        return Response(status_code=204)


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(PAGE.format(title=escape(title), body=body), status)
