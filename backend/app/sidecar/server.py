"""uvicorn, made to fit a sidecar: own signals, own stop, and JSON even for what is no HTTP request."""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import TYPE_CHECKING, Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.core.exceptions import PortInUseError, error_headers
from app.sidecar.gate import malformed_request_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    """HTTP/1.1 whose answer to garbage is the same envelope as every other error."""

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()  # the request was answered already, such as one refused before its body ended
            return
        body = malformed_request_body()
        headers = [(name.lower().encode(), value.encode()) for name, value in error_headers("bad-request").items()]
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers += [(b"connection", b"close")]
        events = (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class Server(uvicorn.Server):
    """A server that leaves signals to us and tells when it listens."""

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

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: uvicorn would raise the signal again after a clean stop, and the parent would see a crash."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then say so."""
        await super().startup(sockets)
        self._on_listening()

    def stop(self, grace_s: float) -> None:
        """Take no new requests, give those running `grace_s`; call it in the event loop."""
        # declared in whole seconds, but only ever handed to `asyncio.wait_for`
        self.config.timeout_graceful_shutdown = grace_s  # type: ignore[assignment]
        self.should_exit = True
