"""Django: uploads are screened before they are saved, and the desk's messages are received.

In a form or model:      image = forms.ImageField(validators=[Screened("post")])
In the addresses:        path("egide/messages", messages)
In the environment:      EGIDE_SERVICE_URL, EGIDE_SERVICE_KEY, EGIDE_WEBHOOK_SECRETS
"""

from functools import cache

from django.core.cache import cache as seen
from django.core.exceptions import ValidationError
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.utils.deconstruct import deconstructible
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from egide.client import Client, ServiceError, WebhookRefused

WEEK = 7 * 24 * 3600
AT_WORK = 60
"""Seconds after which work that has not ended is taken for lost, with the process that did it."""

received = Signal()
"""Sent with `message` for every message of the desk; connect what removes and restores. It is sent
again when that failed or was cut off, so that doing it twice must be as good as doing it once.
"""


@cache
def client() -> Client:
    """The one client of this process; made after servers have forked."""
    return Client.from_environment()


@deconstructible
class Screened:
    """A validator of files. What must be looked at first is refused as `held`: save it elsewhere,
    and show it when a person has said so.
    """

    def __init__(self, context=""):
        self.context = context

    def __call__(self, file):
        """Nothing for a file that is allowed; ValidationError."""
        try:
            action = client().scan_file(file, name=file.name, context=self.context or None).action
        except ServiceError as error:
            # Not screened is not allowed.
            raise ValidationError("This cannot be taken now; try again soon.", "later") from error
        finally:
            file.seek(0)
        if action == "review":
            raise ValidationError("This is looked at by a person first.", "held")
        if action != "allow":
            raise ValidationError("This cannot be uploaded.", "refused")

    def __eq__(self, other):
        return isinstance(other, Screened) and self.context == other.context

    def __hash__(self):
        return hash(self.context)


@csrf_exempt  # who sends is told by the signature
@require_POST
def messages(request: HttpRequest) -> HttpResponse:
    """Takes messages in. Keep what is done here short: the sender waits for 20 seconds.

    Django's cache must be one that all processes share.
    """
    try:
        message = client().webhooks.verify(request.headers, request.body)
    except WebhookRefused as error:
        return HttpResponse(str(error), status=400, content_type="text/plain")
    # A message may come again while it is still at work: 204 would say that it arrived, and if the
    # work then failed nobody would send it again.
    key = f"egide-{message.id}"
    if seen.add(key, "at work", AT_WORK):
        try:
            received.send(sender=None, message=message)
        except BaseException:
            seen.delete(key)
            raise
        seen.set(key, "done", WEEK)
    elif seen.get(key) != "done":
        return HttpResponse(status=503, headers={"Retry-After": str(AT_WORK)})
    return HttpResponse(status=204)
