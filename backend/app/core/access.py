"""Who may talk to the sidecar: Host, Origin, launch token, and the server's own proof.

`Gate` is the outermost ASGI layer. It checks every request before a route is looked up, adds CORS headers to every
answer, errors included, and answers `/health` from the first moment, while the application behind it still loads.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from typing import TYPE_CHECKING, Any, Final

from app.core.exceptions import (
    STATUS_SENTENCES,
    ForbiddenError,
    MisdirectedError,
    RequestError,
    UnauthorizedError,
    error_headers,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from app.core.readiness import Readiness

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
_LOOPBACK_ORIGIN: Final = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?")
_EXPOSED: Final = "Taskflow-Error-Code, Taskflow-Proof, Retry-After, ETag, Link, Location"
MAX_CHALLENGE_CHARS: Final = 512


class AccessRules:
    """The rules themselves, without any HTTP machinery."""

    def __init__(self, *, port: int, token: str | None, allowed_origins: tuple[str, ...]) -> None:
        """`token` None switches the token rule off (``--no-auth``)."""
        self._hosts = frozenset(f"{host}:{port}" for host in HOSTS) | (frozenset(HOSTS) if port == 80 else frozenset())
        self._token = token
        self._allowed_origins = frozenset(allowed_origins)

    def check(self, path: str, host: str | None, origin: str | None, authorization: str | None) -> None:
        """Let a request pass.

        Raises:
            MisdirectedError: `Host` names another server (DNS rebinding ends here).
            ForbiddenError: a page of a foreign origin asks.
            UnauthorizedError: the launch token is missing or wrong.
        """
        if host is None or host.lower() not in self._hosts:
            raise MisdirectedError("The Host header does not name this server")
        if origin is not None and not self.is_allowed_origin(origin):
            raise ForbiddenError("This origin is not allowed", code="origin-forbidden")
        if _needs_token(path) and not self.is_launch_token(authorization):
            raise UnauthorizedError("The launch token is missing or wrong", headers={"WWW-Authenticate": "Bearer"})

    def is_allowed_origin(self, origin: str) -> bool:
        """Tell whether a page of `origin` may call."""
        return _LOOPBACK_ORIGIN.fullmatch(origin) is not None or origin.lower() in self._allowed_origins

    def is_launch_token(self, authorization: str | None) -> bool:
        """Compare the bearer token in constant time; true when no token is asked for."""
        if self._token is None:
            return True
        scheme, _, given = (authorization or "").partition(" ")
        matches = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token.encode())
        return scheme.lower() == "bearer" and matches

    def proof(self, challenge: str) -> str | None:
        """Return hex HMAC-SHA256 of the challenge under the token, both as ASCII text; None without a token.

        A client that knows the token tells by it a sidecar from a stranger on the same port, before showing the token.
        """
        is_hex = re.fullmatch(rf"[0-9A-Fa-f]{{1,{MAX_CHALLENGE_CHARS}}}", challenge) is not None
        if self._token is None or not is_hex:
            return None
        return hmac.new(self._token.encode("ascii"), challenge.encode("ascii"), hashlib.sha256).hexdigest()


def _needs_token(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


def health_answer(readiness: Readiness) -> tuple[int, dict[str, str]]:
    """Return status and body of `/health`: a look at a flag, never at the database."""
    if readiness.is_ready:
        return 200, {"status": "healthy"}
    return 503, {"status": "unhealthy", "error": readiness.sentence}


class Gate:
    """The outermost ASGI application."""

    def __init__(self, rules: AccessRules, readiness: Readiness) -> None:
        self._rules = rules
        self._readiness = readiness
        self._application: ASGIApp | None = None
        self._loaded = asyncio.Event()

    def open(self, application: Any) -> None:
        """Pass requests on to the ASGI `application` from now on; call it in the event loop."""
        self._application = application
        self._loaded.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request and pass it on."""
        if scope["type"] != "http":
            return
        # routers disagree about doubled slashes; what is checked here must be what is routed there
        scope["path"] = re.sub("/{2,}", "/", scope["path"])
        headers = _single_headers(scope)
        origin = headers.get(b"origin")
        path: str = scope["path"]
        send = self._with_headers(send, path, origin, headers.get(b"taskflow-challenge"))
        try:
            if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
                self._rules.check("", headers.get(b"host"), origin, None)
                await _answer(send, 204, None, _preflight_headers(headers))
                return
            self._rules.check(path, headers.get(b"host"), origin, headers.get(b"authorization"))
        except RequestError as exc:
            await _answer(send, exc.status, {"error": exc.message}, error_headers(exc.code, exc.headers))
            return
        if self._application is None and not await self._answered_early(scope, send):
            await self._loaded.wait()
        if self._application is not None:
            await self._application(scope, receive, send)

    async def _answered_early(self, scope: Scope, send: Send) -> bool:
        """Answer health questions while the application still loads."""
        if scope["method"] not in ("GET", "HEAD") or scope["path"] not in ("/health", "/health/live"):
            return False
        status, body = (200, {"status": "alive"}) if scope["path"].endswith("live") else health_answer(self._readiness)
        await _answer(send, status, body, {"Cache-Control": "no-store"}, head=scope["method"] == "HEAD")
        return True

    def _with_headers(self, send: Send, path: str, origin: str | None, challenge: str | None) -> Send:
        """Add CORS headers, the proof, and what keeps answers out of caches and frames."""
        extra = [(b"x-content-type-options", b"nosniff"), (b"vary", b"Origin")]
        if origin is not None and self._rules.is_allowed_origin(origin):
            extra.append((b"access-control-allow-origin", origin.encode("latin-1")))
            extra.append((b"access-control-expose-headers", _EXPOSED.encode()))
        if challenge is not None and path == "/health":
            proof = self._rules.proof(challenge)
            if proof is not None:
                extra.append((b"taskflow-proof", proof.encode()))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *extra]
            await send(message)

        return send_with_headers


def _single_headers(scope: Scope) -> dict[bytes, str]:
    """Return the headers by name; of one that is repeated the values are joined, so that no check can be split."""
    headers: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        text = value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def _preflight_headers(headers: dict[bytes, str]) -> dict[str, str]:
    answer = {
        "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": headers.get(b"access-control-request-headers", "Authorization, Content-Type"),
        "Access-Control-Max-Age": "600",
    }
    if headers.get(b"access-control-request-private-network") == "true":
        answer["Access-Control-Allow-Private-Network"] = "true"
    return answer


async def _answer(
    send: Send, status: int, body: dict[str, str] | None, headers: dict[str, str], *, head: bool = False
) -> None:
    content = b"" if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    if body is not None:
        fields += [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": b"" if head else content})


def malformed_request_body() -> bytes:
    """Return the body of the answer to what is no HTTP request at all."""
    return json.dumps({"error": STATUS_SENTENCES[400]}).encode()
