"""uvicorn, made to fit a sidecar: own signals, own stop, and JSON even for what is no HTTP request."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from typing import TYPE_CHECKING, Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from app.core.exceptions import PortInUseError, error_headers
from app.sidecar.door import LAUNCHER, USER, Door, places
from app.sidecar.gate import PROVEN, error_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

    from app.core.caller import Caller

HOST: Final = "127.0.0.1"


def bind(port: int) -> socket.socket:
    """Bind and listen on 127.0.0.1; 0 lets the operating system choose.

    The protocol is given by number because asyncio switches Nagle's algorithm off (40 ms a request) only then.

    Raises:
        PortInUseError: somebody listens there already, or the port is reserved.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform == "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise PortInUseError(f"Port {port} is in use. Choose another one with --port, or 0 for any free one.") from None
    return listener


class _Protocol(H11Protocol):
    """HTTP/1.1 that the door knows, and whose answer to garbage is the same envelope as every other error."""

    def __init__(self, door: Door, **given: Any) -> None:
        super().__init__(**given)
        self._door = door
        self._application = self.app
        self.app = self._answer
        self.waiting_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.waiting_since = self.loop.time()
        self._door.entered(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.left(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.waiting_since is None and self._is_between_requests():
            self.waiting_since = self.loop.time()
        super().data_received(data)
        if not self._is_between_requests():
            self.waiting_since = None

    def _is_between_requests(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        scope[PROVEN] = self._proven
        await self._application(scope, receive, send)

    def _proven(self, caller: Caller) -> None:
        self._door.proven(self, LAUNCHER if caller.is_launcher else USER)

    def dismiss(self, *, is_late: bool) -> None:
        """Close the connection, whatever is under way; whoever has begun a request is told that it is late."""
        self.waiting_since = None
        if is_late and self.conn.trailing_data[0] and self.conn.our_state is h11.IDLE:
            self._answer_error(408, "request-timeout")
        if is_late and not self.transport.get_write_buffer_size():
            self.transport.close()
        else:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP request; what came before it and is not answered yet is given up."""
        self._door.count("malformed requests")
        if not self._is_between_requests():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._answer_error(400, "bad-request")
        # otherwise the request was answered already, such as one refused before its body ended
        self.transport.close()

    def _answer_error(self, status: int, code: str) -> None:
        body = error_body(status)
        headers = [(name.lower().encode(), value.encode()) for name, value in error_headers(code).items()]
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers += [(b"connection", b"close")]
        events = (
            h11.Response(status_code=status, headers=headers, reason=STATUS_PHRASES[status]),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        for event in events:
            self.transport.write(self.conn.send(event) or b"")

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: a request to upgrade is answered like any other."""


class Server(uvicorn.Server):
    """A server with a door of its own, that leaves signals to us and tells when it listens."""

    def __init__(self, application: Any, on_listening: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http=_Protocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=30,
            )
        )
        self._on_listening = on_listening
        self._door: Door | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: uvicorn would raise the signal again after a clean stop, and the parent would see a crash."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the door, then say so."""
        assert sockets is not None  # noqa: S101 - it was bound before
        (listener,) = sockets
        self.servers = []
        self._door = Door(listener, self._new_connection, places())
        self._door.open()
        self.started = True
        self._on_listening()

    def _new_connection(self) -> asyncio.Protocol:
        assert self._door is not None  # noqa: S101 - it is the door that asks
        return _Protocol(self._door, config=self.config, server_state=self.server_state, app_state={})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the door, then whatever is inside."""
        if self._door is not None:
            await self._door.close()
        await super().shutdown(sockets)

    def stop(self, grace_s: float) -> None:
        """Take no new requests, give those running `grace_s`; call it in the event loop."""
        # declared in whole seconds, but only ever handed to `asyncio.wait_for`
        self.config.timeout_graceful_shutdown = grace_s  # type: ignore[assignment]
        self.should_exit = True
