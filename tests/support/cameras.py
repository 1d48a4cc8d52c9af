"""Cameras that speak HTTP and demand a password; digests are verified here by the RFCs, not by a library."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.request import parse_http_list, parse_keqv_list

from tests.support.network import LOOPBACK, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

REALM = 'The "Door"'
"""Quotation marks in it have to be escaped."""
OPAQUE = "a\\b"
"""The same with this."""
STREAM = "/stream"
HASHES = {"MD5": "md5", "SHA-256": "sha256"}


@dataclass(slots=True)
class Gatekeeper:
    """Lets in who proves a password, and says how it wants it proven."""

    username: str
    password: str = field(repr=False)
    schemes: tuple[str, ...] = ("Digest",)
    """In the order in which they are offered; none at all lets everybody in."""
    algorithm: str | None = "MD5"
    """None leaves it out, which means MD5; `-sess` may be appended."""
    qop: str | None = "auth"
    """None for servers of RFC 2069."""
    stale_answers: int = 0
    """How many sound proofs are refused because their nonce is too old."""
    is_one_header: bool = False
    """All challenges in one header, separated by commas."""
    seen: list[str | None] = field(default_factory=list)
    """Value of `Authorization` in each request."""
    accepted: list[str] = field(default_factory=list)
    """Schemes by which somebody was let in."""
    nonces: set[str] = field(default_factory=set)

    def refuses(self, method: str, uri: str, authorization: str | None) -> list[str] | None:
        """Return the headers of the refusal; None for whoever may pass."""
        self.seen.append(authorization)
        if not self.schemes:
            return None
        scheme, _, proof = (authorization or "").partition(" ")
        is_offered = scheme in self.schemes
        if is_offered and scheme == "Basic" and self._is_right_basic(proof):
            self.accepted.append(scheme)
            return None
        if is_offered and scheme == "Digest" and self._is_right_digest(method, uri, proof):
            if self.stale_answers > 0:
                self.stale_answers -= 1
                return self._challenges(stale=True)
            self.accepted.append(scheme)
            return None
        return self._challenges(stale=False)

    def _challenges(self, *, stale: bool) -> list[str]:
        realm = REALM.replace('"', '\\"')
        found = []
        for scheme in self.schemes:
            if scheme != "Digest":
                found.append(f'{scheme} realm="{realm}"')
                continue
            nonce = secrets.token_urlsafe(16)
            self.nonces.add(nonce)
            fields = [f'realm="{realm}"', f'nonce="{nonce}"', f'opaque="{OPAQUE.replace(chr(92), 2 * chr(92))}"']
            fields += [f"algorithm={self.algorithm}"] if self.algorithm is not None else []
            fields += [f'qop="{self.qop}"'] if self.qop is not None else []
            fields += ["stale=TRUE"] if stale else []
            found.append("Digest " + ", ".join(fields))
        if self.is_one_header:
            found = [", ".join(found)]
        return [f"WWW-Authenticate: {challenge}" for challenge in found]

    def _is_right_basic(self, proof: str) -> bool:
        return base64.b64decode(proof, validate=True).decode() == f"{self.username}:{self.password}"

    def _is_right_digest(self, method: str, uri: str, proof: str) -> bool:
        given = parse_keqv_list(parse_http_list(proof))
        if given["nonce"] not in self.nonces or given["opaque"] != OPAQUE or given["uri"] != uri:
            return False
        self.nonces.remove(given["nonce"])  # each is good once
        if (given.get("algorithm"), given.get("qop")) != (self.algorithm, self.qop and self.qop.partition(",")[0]):
            return False
        if given["username"] != self.username or given["realm"] != REALM:
            return False

        algorithm = self.algorithm or "MD5"

        def hashed(text: str) -> str:
            return hashlib.new(HASHES[algorithm.removesuffix("-sess")], text.encode()).hexdigest()

        first = hashed(f"{self.username}:{REALM}:{self.password}")
        if algorithm.endswith("-sess"):
            first = hashed(f"{first}:{given['nonce']}:{given['cnonce']}")
        second = hashed(f"{method}:{uri}")
        middle = given["nonce"]
        if self.qop is not None:
            middle += f":{given['nc']}:{given['cnonce']}:{given['qop']}"
        return given["response"] == hashed(f"{first}:{middle}:{second}")


@dataclass(slots=True)
class HttpCamera:
    """A camera that sends pictures over HTTP without end, to whoever its gatekeeper lets in."""

    gatekeeper: Gatekeeper
    port: int = field(default_factory=free_port)
    paths: list[str] = field(default_factory=list)
    """Path of each request, as it arrived."""
    statuses: dict[str, int] = field(default_factory=dict)
    """Answers of certain paths, other than a stream."""

    @contextlib.contextmanager
    def running(self) -> Iterator[HttpCamera]:
        """Serve."""
        server = http.server.ThreadingHTTPServer((LOOPBACK, self.port), _handler_of(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def url(self, path: str = STREAM) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}{path}"


def _handler_of(camera: HttpCamera) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            camera.paths.append(self.path)
            refusal = camera.gatekeeper.refuses("GET", self.path, self.headers["Authorization"])
            if refusal is not None:
                self._answer(401, refusal)
                return
            status = camera.statuses.get(self.path, 200 if self.path.partition("?")[0] == STREAM else 404)
            if status != 200:
                self._answer(status, [f"Location: http://{LOOPBACK}:{camera.port}{STREAM}"])
                return
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
            self.end_headers()
            self.close_connection = True
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"--picture\r\nContent-Type: image/jpeg\r\n\r\n" + bytes(65536))

        def _answer(self, status: int, headers: list[str]) -> None:
            self.send_response(status)
            for header in headers:
                name, _, value = header.partition(": ")
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
