"""diffusers: a pipeline that answers when the service allows its prompt and its pictures.

    pipeline = Guarded(pipeline, Client.from_environment())
    images = pipeline("a lighthouse at dusk").images

It works with whatever is called with `prompt` and gives an object with `images`, a list of PIL
pictures; nothing of diffusers is imported here. PIL pictures that come with a prompt are screened
too, and the service is told that one came, in whatever form: some prompts ask for nothing until one
does. What is in tensors and embeddings is not seen, and negative prompts are not screened.
"""

import inspect
import io
from collections.abc import Iterator

from egide.client import Client, ServiceError, Text

PROMPTS = ("prompt", "prompt_2", "prompt_3")
PICTURES = ("image", "video")
"""What is in the names of arguments that are pictures: `image`, `ip_adapter_image`, `video`, …"""
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

    def __call__(self, *positional, **given):
        """What the pipeline makes; NotAllowed."""
        asked = by_name(self._pipeline, positional, given)
        texts = list(prompts(asked))
        attributes = {"with_photo": "true"} if with_photo(asked) else {}
        if not texts:
            # Embeddings made elsewhere cannot be read.
            raise NotAllowed("a call without a prompt")
        try:
            for first in range(0, len(texts), MOST_AT_ONCE):
                some = texts[first : first + MOST_AT_ONCE]
                batch = [Text(text, "prompt", attributes=attributes) for text in some]
                for scanned in self._client.scan_batch(batch):
                    refuse(scanned, "the prompt")
            for image in given_pictures(asked):
                refuse(self._client.scan_file(png(image), name="image.png"), "the picture")
            made = self._pipeline(**asked)
            for image in made.images:
                refuse(self._client.scan_file(png(image), name="image.png"), "the picture")
        except ServiceError as error:
            raise NotAllowed("what could not be screened") from error
        return made

    def __getattr__(self, name):
        return getattr(self._pipeline, name)


def by_name(pipeline, positional, given) -> dict:
    """All the arguments of a call by the names that `pipeline` has for them; TypeError."""
    taken = inspect.signature(pipeline).parameters.values()
    names = [each.name for each in taken if each.kind is each.POSITIONAL_OR_KEYWORD] or ["prompt"]
    asked = dict(zip(names, positional, strict=False))
    if len(positional) > len(names) or asked.keys() & given.keys():
        raise TypeError("an argument is given twice, or there are too many; give them by name")
    return asked | given


def with_photo(asked) -> bool:
    """Whether a picture came with a call; numbers say how large or how many are to be made."""
    return any(not isinstance(value, int | float) for value in media(asked))


def given_pictures(asked) -> Iterator:
    """The PIL pictures that came with a call, by themselves or in lists of lists."""
    waiting = list(media(asked))
    while waiting:
        value = waiting.pop()
        if isinstance(value, list | tuple):
            waiting += value
        elif hasattr(value, "save"):
            yield value


def media(asked) -> Iterator:
    """What is given to a call under names of pictures."""
    for name, value in asked.items():
        if value is not None and any(each in name for each in PICTURES):
            yield value


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
