"""Requests whose connection to the database turns out dead are carried out once more, where that does no harm.

A GET, and what carries an `Idempotency-Key`: done twice, they do what they do once. Other writes are safe until they
are sent, and for those `app.db.session` sees to it.
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

_DEAD: Final = (b"taskflow-error-code", b"connection-lost")
_READING: Final = ("GET", "HEAD", "OPTIONS")
_KEY: Final = b"idempotency-key"
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
        taken: list[Message] = []
        left = MAX_KEPT_BYTES
        is_dead = False

        async def record() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left >= 0:
                taken.append(message)
            return message

        async def watch(message: Message) -> None:
            nonlocal is_dead
            if message["type"] == "http.response.start":
                is_dead = left >= 0 and message["status"] == 503 and _DEAD in _lowered(message)
            if not is_dead:
                await send(message)

        await self._application({**scope}, record, watch)
        if is_dead:
            await self._application({**scope}, _replay(taken, receive), send)


def _lowered(message: Message) -> list[tuple[bytes, bytes]]:
    return [(bytes(name).lower(), bytes(value)) for name, value in message.get("headers", ())]


def _replay(taken: list[Message], receive: Receive) -> Receive:
    """Return a `receive` that begins with what was received before."""
    left = iter(taken)

    async def again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return again
