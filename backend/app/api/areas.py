"""One application made of several, each of which serves some paths and is built when it is first called.

A framework takes a millisecond and more to build each route. Nobody waits for that of routes that they do not call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from app.core.paths import is_below

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Application = TypeVar("Application", bound=Callable[[Any, Any, Any], Awaitable[None]])

OTHERS: Final = "/"
"""The root of the application that serves what no other does, unknown paths included."""


class Areas(Generic[Application]):
    """An ASGI application that passes each request on to the one of several that has its path."""

    def __init__(self, makers: Mapping[str, Callable[[], Application]]) -> None:
        """`makers`: what gives the application of each root, the same one every time; one of them is `OTHERS`."""
        self._makers = makers

    def at(self, path: str) -> Application:
        """Return the application for a canonical path; the longest root counts."""
        root = max((root for root in self._makers if is_below(path, root)), key=len, default=OTHERS)
        return self._makers[root]()

    def all(self) -> list[Application]:
        """Return each of them once, all built."""
        return list(dict.fromkeys(make() for make in self._makers.values()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        await self.at(scope["path"])(scope, receive, send)
