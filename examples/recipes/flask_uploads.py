"""Flask: uploads are screened before they are kept, and the desk's messages are received.

Run it: EGIDE_SERVICE_URL=… EGIDE_SERVICE_KEY=… flask --app flask_uploads run
"""

from functools import cache

from flask import Flask, request

from egide.client import Client, ServiceError, WebhookRefused

PLACE = "https://platform.example/p/"
"""Where people see what was uploaded: by it a reviewer finds it, and you are told to remove it."""

app = Flask(__name__)


@cache
def client() -> Client:
    """The one client of this process; made after servers have forked."""
    return Client.from_environment()


@app.errorhandler(ServiceError)
def not_screened(_error: ServiceError):
    """Not screened is not allowed."""
    return {"state": "later"}, 503, {"Retry-After": "5"}


@app.post("/uploads/<content_id>")
def upload(content_id: str):
    """Takes an upload that is allowed, or that a person looks at first."""
    file = request.files["file"]
    scanned = client().scan_file(
        file.stream,
        name=file.filename,
        content_id=content_id,
        content_url=PLACE + content_id,
        remember=True,
    )
    if scanned.action not in ("allow", "review"):
        return {"state": "refused"}, 451
    file.stream.seek(0)
    # Keep it here; show what is "held" when a person has looked at it.
    return {"state": "shown" if scanned.action == "allow" else "held"}, 201


@app.post("/egide/messages")
def messages():
    """Takes a message of the desk that is signed."""
    try:
        message = client().webhooks.verify(request.headers, request.get_data())
    except WebhookRefused as error:
        return {"detail": str(error)}, 400
    # A message may come twice, with the same id: note it with what you do about it.
    app.logger.info("told of %s", message.type)
    return "", 204
