"""diffusers: a pipeline that answers when the service allows its prompt and its pictures.

    pipeline = Guarded(pipeline, Client.from_environment())
    images = pipeline("a lighthouse at dusk").images

It works with whatever is called with `prompt` and gives an object with `images`, a list of PIL
pictures; nothing of diffusers is imported here.
"""

import io
from collections.abc import Iterator

from egide.client import Client, ServiceError, Text

PROMPTS = ("prompt", "prompt_2", "prompt_3")
MOST_AT_ONCE = 100


class NotAllowed(RuntimeError):
    """Prompt or picture is not allowed; `record` is the verdict's, None when there is none."""

    def __init__(self, what: str, record: str | None = None) -> None:
        super().__init__(f"{what} is not allowed here")
        self.record = record


class Guarded:
    """Calls `pipeline` when `client` allows what it is asked for, and returns what it allows.

    What could not be screened is not allowed. Every other attribute is the pipeline's own.
    """

    def __init__(self, pipeline, client: Client) -> None:
        self._pipeline = pipeline
        self._client = client

    def __call__(self, prompt=None, **given):
        """What the pipeline makes; NotAllowed."""
        texts = list(prompts({"prompt": prompt, **given}))
        if not texts:
            # Embeddings made elsewhere cannot be read.
            raise NotAllowed("a call without a prompt")
        try:
            for first in range(0, len(texts), MOST_AT_ONCE):
                batch = [Text(text, "prompt") for text in texts[first : first + MOST_AT_ONCE]]
                for scanned in self._client.scan_batch(batch):
                    refuse(scanned, "the prompt")
            made = self._pipeline(prompt=prompt, **given)
            for image in made.images:
                refuse(self._client.scan_file(png(image), name="image.png"), "the picture")
        except ServiceError as error:
            raise NotAllowed("what could not be screened") from error
        return made

    def __getattr__(self, name):
        return getattr(self._pipeline, name)


def prompts(given) -> Iterator[str]:
    """All the prompts of a call: each may be one text or several."""
    for name in PROMPTS:
        value = given.get(name)
        yield from [value] if isinstance(value, str) else value or ()


def refuse(scanned, what: str) -> None:
    """NotAllowed unless the verdict is `allow`."""
    if scanned.action != "allow":
        raise NotAllowed(what, scanned.id)


def png(image) -> bytes:
    """A PIL picture as PNG."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()
