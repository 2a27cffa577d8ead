"""How one method is written once and serves both clients: plainly, and to be awaited."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from egide.client.calls import Call
from egide.client.results import Page

P = ParamSpec("P")
T = TypeVar("T")

Turn = Callable[[str | None], Call[Page[T]]]
"""Asks for the page that begins there; None is the first."""


class Asks(ABC):
    """A client whose methods answer at once."""

    @abstractmethod
    def ask(self, call: Call[T]) -> T:
        """Carries `call` out."""

    def turn(self, turn: Turn[T]) -> Iterator[T]:
        """Every item of every page."""
        place: str | None = None
        while True:
            page = self.ask(turn(place))
            yield from page.items
            place = page.next
            if place is None:
                return

    @abstractmethod
    def stream(self, call: Call[None]) -> Iterator[bytes]:
        """The body of the answer, piece by piece."""


class AsksLater(ABC):
    """A client whose methods are awaited."""

    @abstractmethod
    async def ask(self, call: Call[T]) -> T:
        """Carries `call` out."""

    async def turn(self, turn: Turn[T]) -> AsyncIterator[T]:
        """Every item of every page."""
        place: str | None = None
        while True:
            page = await self.ask(turn(place))
            for item in page.items:
                yield item
            place = page.next
            if place is None:
                return

    @abstractmethod
    def stream(self, call: Call[None]) -> AsyncIterator[bytes]:
        """The body of the answer, piece by piece."""


class _Method(Generic[P]):
    """A function, `build`, that says what is to be asked, as a method of a client that asks it."""

    def __init__(self, build: Callable[Concatenate[Any, P], Any]) -> None:
        self.build = build
        self.__doc__ = build.__doc__

    def _bound(self, client: Any, carry_out: Callable[[Any], Any]) -> Callable[P, Any]:
        def asked(*args: P.args, **kwargs: P.kwargs) -> Any:
            return carry_out(self.build(client, *args, **kwargs))

        return update_wrapper(asked, self.build)


class Operation(_Method[P], Generic[P, T]):
    """A method that is one call."""

    def __init__(self, build: Callable[Concatenate[Any, P], Call[T]]) -> None:
        super().__init__(build)

    @overload
    def __get__(self, client: None, owner: type, /) -> Self: ...
    @overload
    def __get__(self, client: Asks, owner: type, /) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsksLater, owner: type, /) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, client: Any, owner: type, /) -> Any:
        """The method of `client`."""
        return self if client is None else self._bound(client, client.ask)


class Listing(_Method[P], Generic[P, T]):
    """A method that gives all items of a list, asking for its pages as they are needed."""

    def __init__(self, build: Callable[Concatenate[Any, P], Turn[T]]) -> None:
        super().__init__(build)

    @overload
    def __get__(self, client: None, owner: type, /) -> Self: ...
    @overload
    def __get__(self, client: Asks, owner: type, /) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: AsksLater, owner: type, /) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, client: Any, owner: type, /) -> Any:
        """The method of `client`."""
        return self if client is None else self._bound(client, client.turn)


class Streaming(_Method[P]):
    """A method that gives a long answer piece by piece."""

    def __init__(self, build: Callable[Concatenate[Any, P], Call[None]]) -> None:
        super().__init__(build)

    @overload
    def __get__(self, client: None, owner: type, /) -> Self: ...
    @overload
    def __get__(self, client: Asks, owner: type, /) -> Callable[P, Iterator[bytes]]: ...
    @overload
    def __get__(self, client: AsksLater, owner: type, /) -> Callable[P, AsyncIterator[bytes]]: ...
    def __get__(self, client: Any, owner: type, /) -> Any:
        """The method of `client`."""
        return self if client is None else self._bound(client, client.stream)
