"""The two clients: one waits where it is, the other lets the event loop go on."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing
from functools import partial
from time import sleep
from typing import Any, Final, Self, TypedDict, TypeVar, Unpack
from urllib.parse import urlsplit

import anyio
import httpx2 as httpx

from egide.client.asking import Asks, AsksLater
from egide.client.bodies import Body, Json
from egide.client.calls import Answer, Broken, Call, Pause, Request, Retries, conversation
from egide.client.errors import BadAnswer, ServiceError, TimedOut, Unreachable
from egide.client.operations import Operations
from egide.client.webhooks import Webhooks

T = TypeVar("T")

TIMEOUT: Final = 75.0
"""Seconds: what the service itself gives an upload, and a little for the way."""
CONNECT_SECONDS: Final = 5.0
CONNECTIONS: Final = 10
IDLE_SECONDS: Final = 10.0
"""A connection is given up before the service does: it ends idle ones after 15 s."""
MOST_ANSWER: Final = 64 << 20


class Settings(TypedDict, total=False):
    """What a client may be told beside address and key.

    Attributes:
        timeout: seconds for each attempt, and for each wait for more of an answer.
        retries: when to ask again.
        webhook_secrets: what `webhooks.verify` verifies by; several during a rotation.
        connections: how many are kept open at most.
        trust_env: whether proxies that the environment names are used.
    """

    timeout: float
    retries: Retries
    webhook_secrets: Iterable[str]
    connections: int
    trust_env: bool


class _Settings:
    """What both clients are told, in the words of httpx2."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = TIMEOUT,
        retries: Retries | None = None,
        webhook_secrets: Iterable[str] = (),
        connections: int = CONNECTIONS,
        trust_env: bool = False,
    ) -> None:
        self.url = _checked(url)
        self.retries = retries or Retries()
        self.webhooks = Webhooks(webhook_secrets)
        self.seconds = timeout
        if not (key.isascii() and key.isprintable() and key):
            raise ValueError("an API key is what `egide key create` printed, and nothing else")
        self.options: dict[str, Any] = {
            "headers": {"Authorization": f"Bearer {key}", "User-Agent": "egide-client"},
            "timeout": httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            "limits": httpx.Limits(
                max_connections=connections,
                max_keepalive_connections=connections,
                keepalive_expiry=IDLE_SECONDS,
            ),
            # A redirect could carry the key to another place.
            "follow_redirects": False,
            "trust_env": trust_env,
        }

    def address(self, request: Request) -> dict[str, Any]:
        """Where `request` goes and with which headers, all but its body."""
        headers = dict(request.headers)
        if request.body is not None:
            headers["Content-Type"] = request.body.type
            length = request.body.length()
            if length is not None:
                headers["Content-Length"] = str(length)
        return {
            "method": request.method,
            "url": self.url + request.path,
            "params": list(request.query) or None,
            "headers": headers,
        }

    def broken(self, error: httpx.RequestError) -> Broken:
        """What `error` of the network is to those who ask."""
        unsent = isinstance(
            error,
            httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError,
        )
        told: ServiceError
        if isinstance(error, httpx.TimeoutException):
            told = TimedOut(f"{self.url} did not answer in {self.seconds:g} s")
        else:
            said = str(error) or type(error).__name__
            told = Unreachable(f"{self.url} did not answer: {said}")
        told.__cause__ = error
        return Broken(told, sent=not unsent)


class _Told(Operations):
    """What both clients are, but for how they send."""

    def __init__(self, url: str, key: str, **settings: Unpack[Settings]) -> None:
        self._settings = _Settings(url, key, **settings)

    @classmethod
    def from_environment(cls, **settings: Unpack[Settings]) -> Self:
        """The service of EGIDE_SERVICE_URL, with the key of EGIDE_SERVICE_KEY; ValueError.

        Messages are verified by EGIDE_WEBHOOK_SECRETS, unless `webhook_secrets` are given.
        """
        url, key, secrets = _environment()
        settings.setdefault("webhook_secrets", secrets)
        return cls(url, key, **settings)

    @property
    def webhooks(self) -> Webhooks:
        """What verifies messages of the service."""
        return self._settings.webhooks

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._settings.url}>"


class Client(_Told, Asks):
    """Asks the service at `url` with an API `key`. Thread-safe; to be closed, or used in `with`.

    What else it may be told: `Settings`. ValueError for an address or key that cannot be one. Not
    to be taken along into a process that is forked: make one there.
    """

    def __init__(self, url: str, key: str, **settings: Unpack[Settings]) -> None:
        super().__init__(url, key, **settings)
        self._http = httpx.Client(**self._settings.options)

    def ask(self, call: Call[T]) -> T:
        """Carries `call` out."""
        return self._carry_out(call, self._send)

    def stream(self, call: Call[None]) -> Iterator[bytes]:
        """The body of the answer, piece by piece."""
        with ExitStack() as stack:
            responses: list[httpx.Response] = []

            def send(request: Request) -> Answer | Broken:
                try:
                    response = stack.enter_context(self._open(request))
                    responses.append(response)
                    return _answer(response, b"" if response.is_success else _capped(response))
                except httpx.RequestError as error:
                    return self._settings.broken(error)

            self._carry_out(call, send)
            try:
                yield from responses[-1].iter_bytes()
            except httpx.RequestError as error:
                raise self._settings.broken(error).error from error

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _carry_out(self, call: Call[T], send: Any) -> T:
        talk = conversation(call, self._settings.retries)
        step = next(talk)
        while True:
            came = None if isinstance(step, Pause) else send(step)
            if isinstance(step, Pause):
                sleep(step.seconds)
            try:
                step = talk.send(came)
            except StopIteration as done:
                result: T = done.value
                return result

    def _send(self, request: Request) -> Answer | Broken:
        try:
            with self._open(request) as response:
                return _answer(response, _capped(response))
        except httpx.RequestError as error:
            return self._settings.broken(error)

    def _open(self, request: Request) -> Any:
        content = None if request.body is None else request.body.chunks()
        return self._http.stream(**self._settings.address(request), content=content)


class AsyncClient(_Told, AsksLater):
    """Asks as `Client` does, without holding up the event loop.

    Every method is awaited; `async with`, or `await client.aclose()` at the end.
    """

    def __init__(self, url: str, key: str, **settings: Unpack[Settings]) -> None:
        super().__init__(url, key, **settings)
        self._http = httpx.AsyncClient(**self._settings.options)

    async def ask(self, call: Call[T]) -> T:
        """Carries `call` out."""
        return await self._carry_out(call, self._send)

    async def stream(self, call: Call[None]) -> AsyncIterator[bytes]:
        """The body of the answer, piece by piece."""
        async with AsyncExitStack() as stack:
            responses: list[httpx.Response] = []

            async def send(request: Request) -> Answer | Broken:
                try:
                    response = await stack.enter_async_context(self._open(request))
                    responses.append(response)
                    body = b"" if response.is_success else await _capped_later(response)
                    return _answer(response, body)
                except httpx.RequestError as error:
                    return self._settings.broken(error)

            await self._carry_out(call, send)
            try:
                async with aclosing(_pieces(responses[-1])) as pieces:
                    async for piece in pieces:
                        yield piece
            except httpx.RequestError as error:
                raise self._settings.broken(error).error from error

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _carry_out(self, call: Call[T], send: Any) -> T:
        talk = conversation(call, self._settings.retries)
        step = next(talk)
        while True:
            came = None if isinstance(step, Pause) else await send(step)
            if isinstance(step, Pause):
                await anyio.sleep(step.seconds)
            try:
                step = talk.send(came)
            except StopIteration as done:
                result: T = done.value
                return result

    async def _send(self, request: Request) -> Answer | Broken:
        try:
            async with self._open(request) as response:
                return _answer(response, await _capped_later(response))
        except httpx.RequestError as error:
            return self._settings.broken(error)

    def _open(self, request: Request) -> Any:
        content = None if request.body is None else _chunks_later(request.body)
        return self._http.stream(**self._settings.address(request), content=content)


async def _chunks_later(body: Body) -> AsyncIterator[bytes]:
    """The chunks of `body`; files are read by a thread."""
    chunks = body.chunks()
    if isinstance(body, Json):
        for chunk in chunks:
            yield chunk
        return
    while (chunk := await anyio.to_thread.run_sync(partial(next, chunks, b""))) != b"":
        yield chunk


def _answer(response: httpx.Response, body: bytes) -> Answer:
    return Answer(response.status_code, response.headers, body)


def _capped(response: httpx.Response) -> bytes:
    """The body of a response; BadAnswer over MOST_ANSWER bytes."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        _check_length(body)
    return bytes(body)


async def _capped_later(response: httpx.Response) -> bytes:
    body = bytearray()
    async with aclosing(_pieces(response)) as pieces:
        async for piece in pieces:
            body += piece
            _check_length(body)
    return bytes(body)


def _pieces(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The body, piece by piece; to be closed, which Trio does not do to what is left halfway."""
    pieces: Any = response.aiter_bytes()
    return pieces  # type: ignore[no-any-return]


def _check_length(body: bytearray) -> None:
    if len(body) > MOST_ANSWER:
        raise BadAnswer(f"an answer of over {MOST_ANSWER:,} bytes; is this the service's address?")


def _environment() -> tuple[str, str, list[str]]:
    names = ("EGIDE_SERVICE_URL", "EGIDE_SERVICE_KEY")
    found = [os.environ.get(name, "").strip() for name in names]
    if not all(found):
        raise ValueError("set EGIDE_SERVICE_URL, and EGIDE_SERVICE_KEY to an API key")
    return found[0], found[1], os.environ.get("EGIDE_WEBHOOK_SECRETS", "").split()


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("the service's address is like https://egide.example, without a user")
    if parts.query or parts.fragment:
        raise ValueError("the service's address ends before any ? or #")
    return url.rstrip("/")
