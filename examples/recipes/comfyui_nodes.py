"""ComfyUI: two nodes that stop a workflow when the service does not allow prompt or picture.

Put this file into `custom_nodes`, and `egide` and its variables EGIDE_SERVICE_URL and
EGIDE_SERVICE_KEY into ComfyUI's environment. Wire *Screen prompt* before the text is encoded and
*Screen images* before they are saved. Where a workflow starts from a picture, wire that to `photo`
of *Screen prompt* too: it is screened, and some prompts ask for nothing until a photo comes with
them. A workflow is its user's: where users send workflows of their own, screen what comes in and
goes out on the server as well.
"""

import io
from functools import cache

from egide.client import Client, ServiceError


class NotAllowed(RuntimeError):
    """What ComfyUI shows the user; the reason stays in the verdict's record."""


@cache
def client() -> Client:
    """The one client of this process."""
    return Client.from_environment()


def check(scan, what: str) -> None:
    """Goes on when `scan` is allowed; NotAllowed when it is not, or could not be screened."""
    try:
        scanned = scan()
    except ServiceError as error:
        raise NotAllowed(f"the {what} could not be screened; try again soon") from error
    if scanned.action != "allow":
        raise NotAllowed(f"the {what} is not allowed here (record {scanned.id})")


def check_all(images) -> None:
    """Goes on when every one of the pictures is allowed; NotAllowed."""
    for image in images:
        data = png(image)
        check(lambda data=data: client().scan_file(data, name="image.png"), "picture")


def png(image) -> bytes:
    """A picture as PNG: ComfyUI's are tensors of (height, width, 3) numbers from 0 to 1."""
    from PIL import Image  # noqa: PLC0415  nodes are imported whether they are used or not

    pixels = (image.cpu().numpy() * 255.0).clip(0, 255).astype("uint8")
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


class ScreenPrompt:
    """Hands a prompt on when the service allows it."""

    CATEGORY = "égide"
    FUNCTION = "screen"
    RETURN_TYPES = ("STRING",)

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802  ComfyUI's name for it
        """A text from another node."""
        return {
            "required": {"text": ("STRING", {"multiline": True, "forceInput": True})},
            "optional": {"photo": ("IMAGE",)},
        }

    def screen(self, text, photo=None):
        """The text; NotAllowed. `photo` is what it is to be done to."""
        known = {} if photo is None else {"with_photo": "true"}
        check(lambda: client().scan_text(text, context="prompt", attributes=known), "prompt")
        check_all(photo if photo is not None else ())
        return (text,)


class ScreenImages:
    """Hands pictures on when the service allows every one of them."""

    CATEGORY = "égide"
    FUNCTION = "screen"
    RETURN_TYPES = ("IMAGE",)

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802  ComfyUI's name for it
        """Pictures from another node."""
        return {"required": {"images": ("IMAGE",)}}

    def screen(self, images):
        """The pictures; NotAllowed."""
        check_all(images)
        return (images,)


NODE_CLASS_MAPPINGS = {"EgideScreenPrompt": ScreenPrompt, "EgideScreenImages": ScreenImages}
NODE_DISPLAY_NAME_MAPPINGS = {
    "EgideScreenPrompt": "Screen prompt (égide)",
    "EgideScreenImages": "Screen images (égide)",
}
