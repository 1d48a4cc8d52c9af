"""A server that speaks just enough of PostgreSQL's language to ask for a password, and keeps what it is told."""

from __future__ import annotations

import ssl
import struct
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from tests.support.network import GSSENC_REQUEST, SSL_REQUEST, LoopbackServer

if TYPE_CHECKING:
    import socket
    from types import TracebackType

    from tests.support.certificates import KeyPair

Request = Literal["clear text", "md5", "nothing"]
_REQUESTS: dict[str, bytes] = {
    "clear text": b"R" + struct.pack("!ii", 8, 3),
    "md5": b"R" + struct.pack("!ii", 12, 5) + b"salt",
    "nothing": b"R" + struct.pack("!ii", 8, 0) + b"Z" + struct.pack("!i", 5) + b"I",
}
"""https://www.postgresql.org/docs/current/protocol-message-formats.html"""


class Rogue(LoopbackServer):
    """Takes the place of a database server and asks each client for its password.

    Args:
        request: what it asks for; ``nothing`` lets everybody in, to see what they send then.
        port: the port of the server whose place it takes.
        certificate: with one it agrees to TLS; without, it refuses.
    """

    def __init__(self, request: Request, *, port: int | None = None, certificate: KeyPair | None = None) -> None:
        super().__init__(self._ask, port=port)
        self.logins = 0
        """Clients that came as far as to be asked."""
        self.told: list[bytes] = []
        """What they sent after they were asked, but for a farewell."""
        self._request = _REQUESTS[request]
        self._certificate = certificate
        self._cleanup = ExitStack()
        self._tls: ssl.SSLContext | None = None

    def __enter__(self) -> Self:
        if self._certificate is not None:
            directory = Path(self._cleanup.enter_context(tempfile.TemporaryDirectory()))
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*self._certificate.write(directory, "rogue"))
        return super().__enter__()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(exc_type, exc, traceback)
        self._cleanup.close()

    def _ask(self, connection: socket.socket) -> None:
        packet = _startup_packet(connection)
        if packet == SSL_REQUEST and self._tls is not None:
            connection.sendall(b"S")
            with self._tls.wrap_socket(connection, server_side=True) as encrypted:
                self._ask(encrypted)
        elif packet in (SSL_REQUEST, GSSENC_REQUEST):
            connection.sendall(b"N")
            self._ask(connection)
        else:
            self.logins += 1
            connection.sendall(self._request)
            while answer := connection.recv(65536):
                if not answer.startswith(b"X"):  # Terminate: the client has thought better of it
                    self.told.append(answer)


def _startup_packet(connection: socket.socket) -> bytes:
    header = _exactly(connection, 4)
    (length,) = struct.unpack("!i", header)
    return header + _exactly(connection, length - 4)


def _exactly(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        chunk = connection.recv(count - len(received))
        if not chunk:
            raise ConnectionError("the client hung up")
        received += chunk
    return received
