"""FastAPI: uploads and prompts are screened while the event loop goes on.

Run it: EGIDE_SERVICE_URL=… EGIDE_SERVICE_KEY=… uvicorn fastapi_uploads:app
"""

from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, Response, UploadFile
from pydantic import BaseModel

from egide.client import AsyncClient, ServiceError, WebhookRefused

PLACE = "https://platform.example/p/"
"""Where people see what was uploaded: by it a reviewer finds it, and you are told to remove it."""


@asynccontextmanager
async def lifespan(app: FastAPI):
    """Opens the client when the application starts, and closes it when it ends."""
    async with AsyncClient.from_environment() as client:
        app.state.egide = client
        yield


app = FastAPI(lifespan=lifespan)


def egide(request: Request) -> AsyncClient:
    """The one client of this process: it keeps its connections."""
    return request.app.state.egide


Egide = Annotated[AsyncClient, Depends(egide)]


class Prompt(BaseModel):
    """What somebody wants to have made."""

    text: str


@app.exception_handler(ServiceError)
async def not_screened(_request: Request, _error: ServiceError) -> Response:
    """Not screened is not allowed."""
    return Response("try again soon", 503, {"Retry-After": "5"}, "text/plain")


@app.post("/uploads/{content_id}", status_code=201)
async def upload(content_id: str, file: UploadFile, egide: Egide) -> dict[str, str]:
    """Takes an upload that is allowed, or that a person looks at first."""
    scanned = await egide.scan_file(
        file.file,
        name=file.filename,
        content_id=content_id,
        content_url=PLACE + content_id,
        remember=True,
    )
    if scanned.action not in ("allow", "review"):
        raise HTTPException(451, "this cannot be uploaded")
    await file.seek(0)
    # Keep it here; show what is "held" when a person has looked at it.
    return {"content_id": content_id, "state": "shown" if scanned.action == "allow" else "held"}


@app.post("/prompts")
async def prompt(prompt: Prompt, egide: Egide) -> dict[str, str]:
    """Takes a prompt that is allowed."""
    scanned = await egide.scan_text(prompt.text, context="prompt")
    if scanned.action != "allow":
        raise HTTPException(451, "this is not made here")
    return {"state": "taken"}


@app.post("/egide/messages", status_code=204)
async def messages(request: Request, egide: Egide) -> None:
    """Takes a message of the desk that is signed."""
    try:
        message = egide.webhooks.verify(request.headers, await request.body())
    except WebhookRefused as error:
        raise HTTPException(400, str(error)) from error
    # A message may come twice, with the same id: note it with what you do about it.
    request.app.state.last_message = message
