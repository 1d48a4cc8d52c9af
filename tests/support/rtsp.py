"""RTSP cameras: a real one, GStreamer's server with a password, and one that does what a test wants."""

from __future__ import annotations

import contextlib
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.network import LOOPBACK, LoopbackServer
from tests.support.real_parts import missing_part

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator

    from tests.support.cameras import Gatekeeper

SYSTEM_PYTHON = Path("/usr/bin/python3")
SERVER = Path(__file__).with_name("rtsp_server.py")
PACKAGES = "python3-gi gir1.2-gst-rtsp-server-1.0"
STREAM = "/stream"
SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=Door\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"


@contextlib.contextmanager
def gstreamer_camera(username: str, password: str, method: str) -> Iterator[int]:
    """Run a real RTSP server that demands a password; yield its port.

    Args:
        username: who may see the stream.
        password: of that user.
        method: `basic` or `digest`.
    """
    if not SYSTEM_PYTHON.exists():
        missing_part(f"Debian's Python is not installed (Debian: apt-get install -y {PACKAGES})")
    process = subprocess.Popen(
        [SYSTEM_PYTHON, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            process.stdin.write(json.dumps({"username": username, "password": password, "method": method}) + "\n")
            process.stdin.flush()
            port = process.stdout.readline()
            if not port:
                error = process.stderr.read()
                if "No module named 'gi'" in error or "Namespace" in error:
                    missing_part(f"GStreamer's RTSP server is not installed (Debian: apt-get install -y {PACKAGES})")
                raise AssertionError(error)
            yield int(port)
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class RtspRequest:
    """One request as it arrived."""

    method: str
    uri: str
    headers: dict[str, str]
    """By name in lower case."""
    connection: int
    """Number of the connection, from 1."""


@dataclass(slots=True)
class RtspCamera:
    """A camera that checks passwords as a `Gatekeeper` does, and may close the connection after each refusal."""

    gatekeeper: Gatekeeper
    closes_after_refusal: bool = False
    tls: ssl.SSLContext | None = None
    refusal_body: bytes = b""
    requests: list[RtspRequest] = field(default_factory=list)
    server: LoopbackServer = field(init=False)

    def __post_init__(self) -> None:
        """Make the server; it listens within `running`."""
        self.server = LoopbackServer(self._serve)

    @contextlib.contextmanager
    def running(self) -> Iterator[RtspCamera]:
        """Serve."""
        with self.server:
            yield self

    def url(self, path: str = STREAM) -> str:
        """Its address."""
        scheme = "rtsp" if self.tls is None else "rtsps"
        return f"{scheme}://{LOOPBACK}:{self.server.port}{path}"

    def _serve(self, connection: socket.socket) -> None:
        number = self.server.accepted
        if self.tls is not None:
            connection = self.tls.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as stream:
            while (request := _read_request(stream.readline, number)) is not None:
                self.requests.append(request)
                refusal = self.gatekeeper.refuses(request.method, request.uri, request.headers.get("authorization"))
                path = request.uri.partition("//")[2].partition("/")[2]
                status, headers, body = "200 OK", ["Content-Type: application/sdp"], SDP
                if refusal is not None:
                    status, headers, body = "401 Unauthorized", refusal, self.refusal_body
                elif f"/{path}" != STREAM:
                    status, headers, body = "404 Not Found", [], b""
                sequence = f"CSeq: {request.headers['cseq']}"
                head = [f"RTSP/1.0 {status}", sequence, *headers, f"Content-Length: {len(body)}", "", ""]
                connection.sendall("\r\n".join(head).encode() + body)
                if refusal is not None and self.closes_after_refusal:
                    return


def _read_request(read_line: Callable[[], bytes], connection: int) -> RtspRequest | None:
    first = read_line().decode().split()
    if not first:
        return None
    headers: dict[str, str] = {}
    while line := read_line().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return RtspRequest(first[0], first[1], headers, connection)
