"""Requests whose connection to the database turns out dead are carried out once more, where that does no harm.

A GET, and what is kept under its `Idempotency-Key`: done twice, they do what they do once. Other writes are safe until
they are sent, and for those `app.db.session` sees to it.

What was sent before may have been done all the same. A second time that fails, of whatever cause, says nothing about
that, and so a write is told what the first time said: that the connection was lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.api.threads import KIND
from app.db.session import READ, WRITE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

KEPT: Final = "taskflow.kept"
"""In the scope of a request whose answer is kept under its key, so that it finds out by itself what it has done."""
_DEAD: Final = (b"taskflow-error-code", b"connection-lost")
_READING: Final = ("GET", "HEAD", "OPTIONS")
_KEY: Final = b"idempotency-key"
_FAILED: Final = 500
"""From here on, HTTP statuses say that the server could not do it; lower ones come of what it has found."""
MAX_KEPT_BYTES: Final = 1 << 20
"""Of a body, to carry it out again; what is larger is a stream."""


class OnceMore:
    """An ASGI application around another one."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on; if the answer would be that the connection is lost, once more."""
        KIND.set(READ if scope.get("method") in _READING else WRITE)
        is_repeatable = scope["type"] == "http" and (
            scope["method"] == "GET" or any(name.lower() == _KEY for name, _ in scope["headers"])
        )
        if not is_repeatable:
            await self._application(scope, receive, send)
            return
        taken, lost = await self._try(scope, receive, send)
        if lost:
            await self._try_again(scope, _replay(taken, receive), send, lost)

    async def _try(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> tuple[list[Message], list[Message]]:
        """Pass a request on; return what was received and, where the connection was lost, the answer, not sent yet."""
        taken: list[Message] = []
        left = MAX_KEPT_BYTES
        lost: list[Message] = []
        tried = {**scope}

        async def record() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left >= 0:
                taken.append(message)
            return message

        async def watch(message: Message) -> None:
            is_dead = message["type"] == "http.response.start" and _DEAD in _lowered(message)
            if lost or (left >= 0 and is_dead and (scope["method"] in _READING or KEPT in tried)):
                lost.append(message)
            else:
                await send(message)

        await self._application(tried, record, watch)
        return taken, lost

    async def _try_again(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, lost: list[Message]
    ) -> None:
        """Pass it on once more; a write that fails again is told what the first time said."""
        has_failed = False

        async def unless_failed(message: Message) -> None:
            nonlocal has_failed
            if message["type"] == "http.response.start":
                has_failed = scope["method"] not in _READING and message["status"] >= _FAILED
            if not has_failed:
                await send(message)

        await self._application({**scope}, receive, unless_failed)
        if has_failed:
            for message in lost:
                await send(message)


def _lowered(message: Message) -> list[tuple[bytes, bytes]]:
    return [(bytes(name).lower(), bytes(value)) for name, value in message.get("headers", ())]


def _replay(taken: list[Message], receive: Receive) -> Receive:
    """Return a `receive` that begins with what was received before."""
    left = iter(taken)

    async def again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return again
