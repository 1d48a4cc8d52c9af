"""HTTP for the gateway: raw, because bodies pass through piece by piece in both directions."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote_to_bytes

from litestar import asgi

from app.core.caller import CALLER, GATEWAY
from app.core.exceptions import NotFoundError, RequestError
from app.services.gateway.answer import AnswerBrokenError
from app.services.gateway.call import Call
from app.services.gateway.key_choice import SYSTEM_ID, KeyOwner
from app.services.providers import KEY_OWNERS, PROVIDERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from litestar.handlers import ASGIRouteHandler
    from litestar.types import Receive, Scope, Send

    from app.core.caller import Caller
    from app.services.gateway.forwarding import Gateway

MAX_BODY_BYTES: Final = 64 << 20
MAX_OWNER_ID_CHARS: Final = 255
REFUSED_BODY_S: Final = 2.0
_ORIGIN: Final = re.compile(rb"\Ahttps?://[^/]*", re.IGNORECASE)
_PLACE: Final = re.compile(rb"(/+([^/]+)/+([^/]+)/+([^/]+)/+([^/]+))(/.*)", re.DOTALL)


class BodyTooLargeError(RequestError):
    """The body is larger than the gateway takes."""

    status = 413
    code = "body-too-large"

    def __init__(self) -> None:
        super().__init__("The request body is larger than 64 MiB")


class UnsupportedError(RequestError):
    """The gateway carries requests and answers, nothing else."""

    status = 501
    code = "not-supported"


class ClientGoneError(Exception):
    """The caller hung up before the request was complete."""


def gateway_handler(gateway: Gateway) -> ASGIRouteHandler:
    """Return the handler of everything below the gateway's path; it belongs to one application."""

    @asgi(GATEWAY, is_mount=True, copy_scope=True)
    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        await _Exchange(gateway, receive, send).run(scope)

    return handle


class _Exchange:
    """One request and its answer."""

    def __init__(self, gateway: Gateway, receive: Receive, send: Send) -> None:
        self._gateway = gateway
        self._send = send
        self._body = _RequestBody(receive)

    async def run(self, scope: Scope) -> None:
        """Pass the call on until the answer is complete or the caller hangs up."""
        try:
            call = call_of(scope)
            caller = cast("Caller", scope[CALLER])  # type: ignore[typeddict-item]
            if not call.has_body:
                self._body.release()
            async with self._while_caller_is_there():
                await self._pass_on(call, caller.name)
        except RequestError as exc:
            may_read_on = all(name != b"expect" for name, _ in scope["headers"])
            if exc.status != BodyTooLargeError.status and may_read_on:
                await self._body.drain()
            raise

    @contextlib.asynccontextmanager
    async def _while_caller_is_there(self) -> AsyncIterator[None]:
        """End the block at once if the caller hangs up: the call to the provider ends with it."""
        passing = asyncio.current_task()
        assert passing is not None  # noqa: S101 - this is a coroutine
        is_gone = False

        async def watch() -> None:
            nonlocal is_gone
            await self._body.wait_until_gone()
            is_gone = True
            passing.cancel()

        watching = asyncio.create_task(watch())
        try:
            yield
        except asyncio.CancelledError:
            # with both reasons at once, the other one counts
            if not is_gone or passing.uncancel() > 0:
                raise
        finally:
            watching.cancel()

    async def _pass_on(self, call: Call, actor: str) -> None:
        try:
            async with self._gateway.answering(call, self._body, actor=actor) as answer:
                self._body.release()
                await self._send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
                async for piece in answer.body:
                    await self._send({"type": "http.response.body", "body": piece, "more_body": True})
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        except ClientGoneError:
            pass
        except AnswerBrokenError:
            pass  # an answer that ends without its end closes the connection: the caller sees that it is not whole


class _RequestBody:
    """The body of a request, piece by piece as the provider takes it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0
        self._ended = False
        self._released = asyncio.Event()
        """Nobody reads the body any more."""

    def __aiter__(self) -> _RequestBody:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece.

        Raises:
            BodyTooLargeError: there are more bytes than are allowed.
            ClientGoneError: the caller hung up.
        """
        if self._ended:
            self.release()
            raise StopAsyncIteration
        piece = await self._next()
        self._size += len(piece)
        if self._size > MAX_BODY_BYTES:
            raise BodyTooLargeError
        return piece

    def release(self) -> None:
        """Read no more."""
        self._released.set()

    async def wait_until_gone(self) -> None:
        """Wait until the caller hangs up; what is left of the body is thrown away."""
        await self._released.wait()
        with contextlib.suppress(ClientGoneError):
            while True:
                await self._next()

    async def _next(self) -> bytes:
        message: Any = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        self._ended = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece

    async def drain(self) -> None:
        """Read on for a while: to close a connection over unread bytes destroys the answer on its way."""
        with contextlib.suppress(TimeoutError, ClientGoneError, BodyTooLargeError):
            async with asyncio.timeout(REFUSED_BODY_S):
                async for _ in self:
                    pass


def call_of(scope: Scope) -> Call:
    """Read whose key is to be used, and for which call.

    Raises:
        NotFoundError: there is no such owner or provider.
        ForbiddenError: the caller's token is for another one.
        BodyTooLargeError: the body is announced to be larger than is allowed.
        UnsupportedError: it is the beginning of something other than a request and its answer.
    """
    headers = list(scope["headers"])
    place, owner, provider_path = _split(scope)
    caller = cast("Caller", scope[CALLER])  # type: ignore[typeddict-item]
    caller.require_owner(owner.kind, owner.id)
    method: str = scope["method"]  # type: ignore[typeddict-item]
    call = Call(method, owner, place, provider_path, scope["query_string"], headers)
    if call.method == "CONNECT" or any(name == b"upgrade" and b"websocket" in value.lower() for name, value in headers):
        raise UnsupportedError("The gateway carries no WebSockets or tunnels; use the provider's HTTP API")
    if (call.content_length or 0) > MAX_BODY_BYTES:
        raise BodyTooLargeError
    return call


def _split(scope: Scope) -> tuple[str, KeyOwner, bytes]:
    """Split the address as it was sent, before anything in it was decoded."""
    found = _PLACE.fullmatch(_ORIGIN.sub(b"", scope["raw_path"]))
    # the router takes whatever begins with the gateway's path for it, and so might somebody who showed no token
    if found is None or f"/{_decoded(found[2])}" != GATEWAY:
        raise NotFoundError("Not found")
    kind, owner_id, provider = (_decoded(part) for part in found.group(3, 4, 5))
    if kind not in KEY_OWNERS or provider not in PROVIDERS:
        raise NotFoundError("There is no such owner of keys, or no such provider")
    is_id = owner_id.isprintable() and len(owner_id) <= MAX_OWNER_ID_CHARS
    if not is_id or (kind == "system" and owner_id != SYSTEM_ID):
        raise NotFoundError("There is no such owner of keys")
    return found[1].decode("ascii"), KeyOwner(kind, owner_id, provider), found[6]


def _decoded(part: bytes) -> str:
    """Return a part of the path as text; what is no text is no name of anything."""
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        return "\0"
