"""The recipes of examples/recipes as their readers would run them, against a real service.

ComfyUI and diffusers are not installed: their recipes get objects with the interface that they
document.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from egide.client import Client
from egide.outbox.signing import headers_of, key_of, new_secret
from tests import pictures
from tests.integration.conftest import Running
from tests.integration.test_serve import COPY

RECIPES = Path(__file__).parents[2] / "examples" / "recipes"
SECRET = new_secret()
OTHER = pictures.encode(pictures.smooth_noise(seed=2), "JPEG")
BROKEN = OTHER[: len(OTHER) // 2]
ASKED = "undress my coworker please"
TO_A_PHOTO = "remove the clothes"
"""What is nothing by itself, and is asked for when a photo comes with it."""
BODY = json.dumps(
    {
        "type": "content.remove",
        "timestamp": "2026-01-01T00:00:00Z",
        "data": {"copy": "cp_1", "content_id": "p-1"},
    }
).encode()

Recipe = Callable[[str], ModuleType]


@pytest.fixture
def recipe(running: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recipe]:
    """Loads a recipe whose variables name the service."""
    monkeypatch.setenv("EGIDE_SERVICE_URL", str(running.servers[0].client.base_url))
    monkeypatch.setenv("EGIDE_SERVICE_KEY", running.key)
    monkeypatch.setenv("EGIDE_WEBHOOK_SECRETS", SECRET)
    loaded: list[ModuleType] = []

    def load(name: str) -> ModuleType:
        spec = spec_from_file_location(name, RECIPES / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        loaded.append(module)
        return module

    yield load
    for module in loaded:
        made = getattr(module, "client", None)
        if made is not None and hasattr(made, "cache_info") and made.cache_info().currsize:
            made().close()


@pytest.fixture
def nobody(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """Loads a recipe whose service does not answer; attempts follow one another at once."""
    monkeypatch.setenv("EGIDE_SERVICE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("egide.client.clients.sleep", lambda _: None)
    return recipe


def signed(body: bytes = BODY, secret: str = SECRET) -> dict[str, str]:
    return headers_of("msg_1", int(time.time()), body, [key_of(secret)])


# ── Django ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def django() -> None:
    """Django set up as far as a form and a view need it."""
    from django.conf import settings

    if not settings.configured:
        settings.configure(
            SECRET_KEY="of this test alone",
            ROOT_URLCONF="django_addresses",
            ALLOWED_HOSTS=["testserver"],
            USE_I18N=False,
            USE_TZ=True,
            DEFAULT_CHARSET="utf-8",
        )
        import django

        django.setup()


def upload(data: bytes, name: str = "a.jpg") -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, data, "image/jpeg")


@pytest.mark.slow
def test_django_forms_take_what_is_allowed(django: None, recipe: Recipe) -> None:
    from django import forms

    module = recipe("django_uploads")

    class Posted(forms.Form):  # type: ignore[misc]  # Django has no types
        picture = forms.FileField(validators=[module.Screened("post")])

    def errors(data: bytes) -> list[str]:
        form = Posted(files={"picture": upload(data)})
        if form.is_valid():
            assert form.cleaned_data["picture"].read() == data
            return []
        return [error.code for error in form.errors.as_data()["picture"]]

    assert errors(OTHER) == []
    assert errors(COPY) == ["refused"]
    assert errors(BROKEN) == ["held"]
    assert module.Screened("post") == module.Screened("post")
    assert module.Screened("post").deconstruct()[1] == ("post",)


@pytest.mark.slow
def test_django_takes_nothing_that_was_not_screened(django: None, nobody: Recipe) -> None:
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError) as raised:
        nobody("django_uploads").Screened()(upload(OTHER))
    assert raised.value.code == "later"


class Receiver(NamedTuple):
    """The recipe that receives messages, and what posts one to it and tells the status."""

    module: ModuleType
    post: Callable[[dict[str, str]], int]


@pytest.fixture
def receiver(django: None, recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Django with the view of the recipe, and a cache in which nothing is noted."""
    from django.core.cache import cache
    from django.test import Client as Browser
    from django.urls import clear_url_caches, path

    module = recipe("django_uploads")
    addresses = ModuleType("django_addresses")
    vars(addresses)["urlpatterns"] = [path("egide/messages", module.messages)]
    monkeypatch.setitem(sys.modules, "django_addresses", addresses)
    clear_url_caches()  # another test may have had another view
    cache.clear()
    browser = Browser(enforce_csrf_checks=True, raise_request_exception=False)

    def post(headers: dict[str, str]) -> int:
        status: int = browser.post(
            "/egide/messages", BODY, content_type="application/json", headers=headers
        ).status_code
        return status

    yield Receiver(module, post)
    cache.clear()


@pytest.mark.slow
def test_django_receives_messages_once(receiver: Receiver) -> None:
    module, post = receiver
    told: list[Any] = []
    works = False

    def remove(message: Any, **_: object) -> None:
        if not works:
            raise OSError("the disk is full")
        told.append(message)

    module.received.connect(remove)
    failed = post(signed())
    works = True
    taken, again, forged = post(signed()), post(signed()), post(signed(secret=new_secret()))

    assert (failed, taken, again, forged) == (500, 204, 204, 400)
    assert [(message.type, message.data["copy"]) for message in told] == [
        ("content.remove", "cp_1")
    ]


@pytest.mark.slow
def test_django_does_not_take_again_what_is_still_at_work(receiver: Receiver) -> None:
    module, post = receiver
    repeated: list[int] = []

    def remove(**_: object) -> None:
        if not repeated:
            repeated.append(post(signed()))  # the sender's time is over before this is
            raise OSError("the disk is full")

    module.received.connect(remove)
    failed, taken, again = post(signed()), post(signed()), post(signed())

    assert repeated == [503]
    assert (failed, taken, again) == (500, 204, 204)


@pytest.mark.slow
def test_django_does_again_what_was_cut_off(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, post = receiver
    monkeypatch.setattr(module, "AT_WORK", 0.01)
    repeated: list[int] = []
    times = []

    def remove(**_: object) -> None:
        times.append(1)
        if len(times) == 1:
            time.sleep(0.1)  # as if it never ended
            repeated.append(post(signed()))

    module.received.connect(remove)
    post(signed())

    assert repeated == [204]
    assert len(times) == 2


# ── Flask and FastAPI ───────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_flask_takes_what_is_allowed(recipe: Recipe) -> None:
    with recipe("flask_uploads").app.test_client() as browser:

        def post(data: bytes, content: str) -> tuple[int, str]:
            answer = browser.post(f"/uploads/{content}", data={"file": (io.BytesIO(data), "a.jpg")})
            return answer.status_code, answer.json["state"]

        def tell(headers: dict[str, str]) -> int:
            status: int = browser.post("/egide/messages", data=BODY, headers=headers).status_code
            return status

        assert post(OTHER, "flask-1") == (201, "shown")
        assert post(COPY, "flask-2") == (451, "refused")
        assert tell(signed()) == 204
        assert tell(signed(secret=new_secret())) == 400


@pytest.mark.slow
def test_flask_takes_nothing_that_was_not_screened(nobody: Recipe) -> None:
    with nobody("flask_uploads").app.test_client() as browser:
        answer = browser.post("/uploads/x", data={"file": (io.BytesIO(OTHER), "a.jpg")})

    assert answer.status_code == 503


@pytest.mark.slow
def test_fastapi_takes_what_is_allowed(running: Running, recipe: Recipe) -> None:
    from starlette.testclient import TestClient

    app = recipe("fastapi_uploads").app
    with TestClient(app) as browser:

        def post(data: bytes, content: str) -> tuple[int, Any]:
            answer = browser.post(f"/uploads/{content}", files={"file": ("a.jpg", data)})
            return answer.status_code, answer.json()

        kept = post(OTHER, "fastapi-1")
        refused = post(COPY, "fastapi-2")
        taken = browser.post("/prompts", json={"text": "a lighthouse at dusk"})
        asked = browser.post("/prompts", json={"text": ASKED})
        told = browser.post("/egide/messages", content=BODY, headers=signed())
        forged = browser.post("/egide/messages", content=BODY + b" ", headers=signed())

    assert kept == (201, {"content_id": "fastapi-1", "state": "shown"})
    assert refused[0] == 451
    assert (taken.status_code, asked.status_code) == (200, 451)
    assert (told.status_code, forged.status_code) == (204, 400)
    assert app.state.last_message.type == "content.remove"
    with Client(str(running.servers[0].client.base_url), running.key) as client:
        assert [copy.content_id for copy in client.copies(content_id="fastapi-1")]


@pytest.mark.slow
def test_fastapi_takes_nothing_that_was_not_screened(
    nobody: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    from starlette.testclient import TestClient

    async def at_once(_: float) -> None:
        return None

    monkeypatch.setattr("egide.client.clients.anyio.sleep", at_once)
    with TestClient(nobody("fastapi_uploads").app) as browser:
        assert browser.post("/prompts", json={"text": "a lighthouse"}).status_code == 503


# ── Celery ──────────────────────────────────────────────────────────────────────────────────────


_TASKS: list[ModuleType] = []


@pytest.fixture
def tasks(recipe: Recipe) -> Iterator[ModuleType]:
    """The tasks, which Celery lets one register once, on a broker in memory."""
    from celery import Celery

    if not _TASKS:
        Celery("test", broker="memory://", backend="cache+memory://").set_default()
        _TASKS.append(recipe("celery_tasks"))
    yield _TASKS[0]
    _TASKS[0].client().close()
    _TASKS[0]._client.cache_clear()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_celery_screens_a_file_once(tasks: ModuleType, tmp_path: Path) -> None:
    from celery import current_app
    from celery.contrib.testing.worker import start_worker

    path = tmp_path / "a.jpg"
    path.write_bytes(COPY)
    app = current_app._get_current_object()
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        first = tasks.screen.apply_async(("celery-1", str(path)), task_id="task-1").get(30)
        again = tasks.screen.apply_async(("celery-1", str(path)), task_id="task-1b").get(30)
    repeated = tasks.screen.apply(("celery-1", str(path)), task_id="task-1").get()

    assert first == {"content_id": "celery-1", "action": "block", "verdict": first["verdict"]}
    assert again["verdict"] != first["verdict"]
    assert repeated == first


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_celery_tries_again_later(nobody: Recipe, tasks: ModuleType, tmp_path: Path) -> None:
    from celery.exceptions import Retry

    path = tmp_path / "a.jpg"
    path.write_bytes(OTHER)

    with pytest.raises(Retry, match="did not answer"):
        tasks.screen.apply(("celery-2", str(path)), throw=True, task_id="t").get()


# ── ComfyUI and diffusers, by their documented interfaces ───────────────────────────────────────


class Tensor:
    """As ComfyUI hands pictures over: on some device, to be asked for as an array."""

    def __init__(self, pixels: np.ndarray[Any, Any]) -> None:
        self._pixels = pixels.astype("float32") / 255.0

    def cpu(self) -> Tensor:
        return self

    def numpy(self) -> np.ndarray[Any, Any]:
        return self._pixels


def pixels(seed: int) -> np.ndarray[Any, Any]:
    noise = pictures.smooth_noise(seed=seed)
    return noise if noise.ndim == 3 else np.repeat(noise[..., None], 3, axis=2)


@pytest.mark.slow
def test_comfyui_nodes_stop_a_workflow(recipe: Recipe) -> None:
    module = recipe("comfyui_nodes")
    for node in module.NODE_CLASS_MAPPINGS.values():
        (name,) = node.INPUT_TYPES()["required"]
        assert name in node.screen.__code__.co_varnames
        assert len(node.RETURN_TYPES) == 1
        assert node.FUNCTION == "screen"
    assert set(module.NODE_DISPLAY_NAME_MAPPINGS) == set(module.NODE_CLASS_MAPPINGS)
    good, bad = Tensor(pixels(2)), Tensor(pixels(1))

    assert module.ScreenPrompt().screen("a lighthouse at dusk") == ("a lighthouse at dusk",)
    assert module.ScreenImages().screen([good, good]) == ([good, good],)
    with pytest.raises(module.NotAllowed, match="the prompt is not allowed"):
        module.ScreenPrompt().screen(ASKED)
    assert module.ScreenPrompt.INPUT_TYPES()["optional"] == {"photo": ("IMAGE",)}
    assert module.ScreenPrompt().screen(TO_A_PHOTO) == (TO_A_PHOTO,)
    with pytest.raises(module.NotAllowed, match="the prompt is not allowed"):
        module.ScreenPrompt().screen(TO_A_PHOTO, photo=[good])
    with pytest.raises(module.NotAllowed, match="the picture is not allowed"):
        module.ScreenImages().screen([good, bad])
    assert module.ScreenPrompt().screen("make it warmer", photo=[good]) == ("make it warmer",)
    with pytest.raises(module.NotAllowed, match="the picture is not allowed"):
        module.ScreenPrompt().screen("make it warmer", photo=[good, bad])


@pytest.mark.slow
def test_comfyui_nodes_stop_what_was_not_screened(nobody: Recipe) -> None:
    module = nobody("comfyui_nodes")
    with pytest.raises(module.NotAllowed, match="could not be screened"):
        module.ScreenPrompt().screen("a lighthouse at dusk")


class Pipeline:
    """As diffusers' pipelines are called, and what they answer."""

    device = "cpu"

    def __init__(self, seed: int) -> None:
        self.calls: list[dict[str, Any]] = []
        self._image = Image.fromarray(pixels(seed))

    def __call__(self, **given: Any) -> SimpleNamespace:
        self.calls.append(given)
        return SimpleNamespace(images=[self._image])


@pytest.mark.slow
def test_diffusers_pipelines_answer_what_is_allowed(running: Running, recipe: Recipe) -> None:
    module = recipe("diffusers_guard")
    good, bad = Pipeline(2), Pipeline(1)
    with Client.from_environment() as client:
        guarded = module.Guarded(good, client)
        made = guarded("a lighthouse at dusk", steps=3)
        assert made.images
        assert good.calls == [{"prompt": "a lighthouse at dusk", "steps": 3}]
        assert guarded.device == "cpu"
        for refused in ({"prompt": ASKED}, {"prompt": ["a tree", ASKED]}, {"prompt_2": ASKED}):
            with pytest.raises(module.NotAllowed, match="the prompt"):
                guarded(**refused)
        with pytest.raises(module.NotAllowed, match="without a prompt"):
            guarded(prompt_embeds=object())
        assert len(good.calls) == 1
        with pytest.raises(module.NotAllowed, match="the picture") as raised:
            module.Guarded(bad, client)("a lighthouse at dusk")
        assert client.verdict(raised.value.record).verdict["action"] == "block"


class Editing(Pipeline):
    """As pipelines that start from a picture are called."""

    def __call__(
        self,
        prompt: object = None,
        prompt_2: object = None,
        image: object = None,
        strength: float = 0.8,
        num_images_per_prompt: int = 1,
        **given: Any,
    ) -> SimpleNamespace:
        named = {"prompt": prompt, "prompt_2": prompt_2, "image": image, "strength": strength}
        return super().__call__(**named, **given)


@pytest.mark.slow
def test_diffusers_pipelines_are_asked_what_comes_with_the_prompt(
    running: Running, recipe: Recipe
) -> None:
    module = recipe("diffusers_guard")
    photo, pipeline = Image.fromarray(pixels(3)), Editing(2)
    with Client.from_environment() as client:
        guarded = module.Guarded(pipeline, client)
        assert guarded(TO_A_PHOTO, num_images_per_prompt=2, image=None).images
        for name in ("image", "ip_adapter_image", "control_image", "ip_adapter_image_embeds"):
            with pytest.raises(module.NotAllowed, match="the prompt"):
                guarded(TO_A_PHOTO, **{name: photo})
        with pytest.raises(module.NotAllowed, match="the prompt"):
            guarded(TO_A_PHOTO, None, photo)
        with pytest.raises(module.NotAllowed, match="the prompt"):
            guarded("a lighthouse at dusk", ASKED)
        assert len(pipeline.calls) == 1
        assert guarded("a lighthouse at dusk", None, photo, 0.5).images
        assert pipeline.calls[1] == {
            "prompt": "a lighthouse at dusk",
            "prompt_2": None,
            "image": photo,
            "strength": 0.5,
        }
        known = Image.fromarray(pixels(1))
        for given in ({"image": known}, {"image": [photo, known]}, {"mask_image": [[known]]}):
            with pytest.raises(module.NotAllowed, match="the picture"):
                guarded("a lighthouse at dusk", **given)
        assert len(pipeline.calls) == 2
        for positional, named in ((("a", None, photo, 0.5, 1, 2), {}), (("a",), {"prompt": "b"})):
            with pytest.raises(TypeError, match="by name"):
                guarded(*positional, **named)


def test_recipes_import_nothing_heavy() -> None:
    for name in ("comfyui_nodes", "diffusers_guard"):
        text = (RECIPES / f"{name}.py").read_text(encoding="utf-8")
        imported = {
            line.split()[1].partition(".")[0]
            for line in text.splitlines()
            if line.startswith(("import ", "from "))
        }
        assert imported <= {"io", "functools", "collections", "inspect", "egide"}
