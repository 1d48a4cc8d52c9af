"""HTTP/1.1 over a bare socket, for requests that no well-behaved client would send."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """One answer as it came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """In order, names in lower case."""
    body: bytes

    def __getitem__(self, name: str) -> str:
        return dict(self.headers)[name.lower()]

    def __contains__(self, name: str) -> bool:
        return name.lower() in dict(self.headers)

    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)


class RawConnection:
    """One connection to a server on 127.0.0.1."""

    def __init__(self, port: int, timeout_s: float = TIMEOUT_S) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self._received = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def receive(self, *, head_only: bool = False) -> RawAnswer:
        """Read one answer; `head_only` when it has no body whatever its headers say.

        Raises:
            EOFError: the server closed the connection before the end of it.
        """
        head = self._read_until(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        pairs = [line.partition(":") for line in lines]
        headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
        status = int(status_line.split(" ")[1])
        if status == 100:
            return RawAnswer(status, headers, b"")
        body = b"" if head_only or status == 204 else self._read_body(dict(headers))
        return RawAnswer(status, headers, body)

    def is_closed_by_server(self) -> bool:
        """Whether the server has closed its side; waits for it until the time-out."""
        try:
            return not self._received and self._socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self._read_exactly(int(headers.get("content-length", "0")))
        pieces = []
        while size := int(self._read_until(b"\r\n"), 16):
            pieces.append(self._read_exactly(size + 2)[:-2])
        self._read_until(b"\r\n")
        return b"".join(pieces)

    def _read_until(self, end: bytes) -> bytes:
        while end not in self._received:
            self._read_more()
        return self._read_exactly(self._received.index(end) + len(end))

    def _read_exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            self._read_more()
        found = bytes(self._received[:size])
        del self._received[:size]
        return found

    def _read_more(self) -> None:
        chunk = self._socket.recv(1 << 16)
        if not chunk:
            raise EOFError(f"the server closed the connection after {bytes(self._received)!r}")
        self._received += chunk


def exchange(port: int, data: bytes, *, head_only: bool = False) -> RawAnswer:
    """Send bytes over a connection of their own and read one answer."""
    with RawConnection(port) as connection:
        connection.send(data)
        return connection.receive(head_only=head_only)


def request_bytes(
    target: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    """Write a request; header values and target may hold any characters of Latin-1."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
